"""All numbers of one run, and the targets they are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles

from benchmarks.kernels import Interrupted
from benchmarks.measure import Series

SESSION_LOSS = "the session was lost"


@dataclass(slots=True)
class Results:
    """One run. The keys of the inner mappings are the peers' names."""

    rows: int
    rounds: int
    engines: tuple[str, ...]
    bulk: dict[str, dict[str, Series]] = field(default_factory=dict)
    first_batch: dict[str, Series] = field(default_factory=dict)
    latency: dict[str, dict[str, Series]] = field(default_factory=dict)
    starts: dict[str, dict[str, Series]] = field(default_factory=dict)
    """By engine, then `tusk, core up`, `tusk, core not up`, `jupysql`."""
    extension: dict[str, Series] = field(default_factory=dict)
    interrupts: dict[str, dict[str, Interrupted]] = field(default_factory=dict)
    log_page: Series = field(default_factory=Series)
    panels: Series = field(default_factory=Series)
    completion: Series = field(default_factory=Series)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One line of what must be shown. `met` is None where it was not measured."""

    name: str
    limit: str
    measured: str
    met: bool | None


def latency_ms(series: Series) -> tuple[float, float] | None:
    """Return median and 95th percentile of all rounds' runs, in milliseconds."""
    times = [1000 * seconds for answer in series.answers for seconds in answer["times"]]
    return (median(times), quantiles(times, n=20)[-1]) if times else None


def ratio(series: dict[str, Series], upper: str, lower: str, of: str = "seconds") -> float | None:
    """Return the ratio of two peers' medians, or None where one is missing."""
    above, below = (series[name].median(of) if name in series else None for name in (upper, lower))
    return above / below if above is not None and below else None


def targets(results: Results) -> list[Target]:
    """Return every target whose engine was part of the run."""
    return [
        *_speed(results), *_memory(results), *_first_batch(results), *_latency(results), *_starts(results),
        *_extension(results), *_interrupts(results), *_completion(results),
        *_panels(results),
    ]  # fmt: skip


def _speed(results: Results) -> Iterator[Target]:
    least = {"postgresql": 4.0, "mariadb": 5.0, "sqlite": 1.0, "duckdb": 1.0}
    for engine, series in results.bulk.items():
        for peer in ("jupysql", "jupysql-native"):
            if peer in series:
                found = ratio(series, peer, "tusk")
                limit = f"≥ {least[engine]:g}x" if least[engine] > 1 else "> 1x"
                met = None if found is None else found >= least[engine] if least[engine] > 1 else found > 1
                yield Target(name=f"{engine}: {results.rows:,} rows, faster than {peer}", limit=limit,
                             measured=_times(found), met=met)  # fmt: skip
    if "postgresql" in results.bulk:
        found = ratio(results.bulk["postgresql"], "tusk", "floor")
        yield Target(name="postgresql: against the COPY binary floor", limit="≤ 1.9x", measured=_times(found),
                     met=None if found is None else found <= 1.9)  # fmt: skip


def _memory(results: Results) -> Iterator[Target]:
    for engine, series in results.bulk.items():
        shares = [answer["peak"] / answer["frame"] for answer in series["tusk"].answers] if "tusk" in series else []
        found = median(shares) if shares else None
        yield Target(name=f"{engine}: kernel's peak memory against the final frame", limit="≤ 2.5x",
                     measured=_times(found), met=None if found is None else found <= 2.5)  # fmt: skip


def _first_batch(results: Results) -> Iterator[Target]:
    for engine, series in results.first_batch.items():
        found = series.median("seconds")
        yield Target(name=f"{engine}: first batch in the kernel", limit="≤ 0.5 s", measured=_seconds(found),
                     met=None if found is None else found <= 0.5)  # fmt: skip


def _latency(results: Results) -> Iterator[Target]:
    for engine, series in results.latency.items():
        found = latency_ms(series["tusk"]) if "tusk" in series else None
        yield Target(name=f"{engine}: warm `SELECT 1` through the magic, median", limit="≤ 4 ms",
                     measured=f"{found[0]:.2f} ms" if found else "not measured",
                     met=None if found is None else found[0] <= 4.0)  # fmt: skip


def _starts(results: Results) -> Iterator[Target]:
    for engine, series in results.starts.items():
        peer = series["jupysql"].median("seconds")
        for way in ("tusk, core up", "tusk, core not up"):
            found = series[way].median("seconds")
            known = found is not None and peer is not None
            yield Target(name=f"{engine}: fresh kernel to first result, {way.removeprefix('tusk, ')}",
                         limit=f"< JupySQL's {_seconds(peer)}", measured=_seconds(found),
                         met=found < peer if known else None)  # fmt: skip


def _extension(results: Results) -> Iterator[Target]:
    series = results.extension.get("tusk_jupyter")
    if series is None:
        return
    found = series.median("seconds")
    yield Target(name="`%load_ext tusk_jupyter`", limit="≤ 150 ms",
                 measured=f"{1000 * found:.0f} ms" if found is not None else "not measured",
                 met=None if found is None else found <= 0.150)  # fmt: skip
    heavy = sorted({name for answer in series.answers for name in answer["imports"]})
    unwanted = [name for name in heavy if name in ("pandas", "sqlalchemy", "duckdb")]
    yield Target(name="`%load_ext` imports no pandas, SQLAlchemy, duckdb", limit="none",
                 measured=", ".join(unwanted) or "none", met=not unwanted if series.answers else None)  # fmt: skip


def _interrupts(results: Results) -> Iterator[Target]:
    for engine, outcomes in results.interrupts.items():
        outcome = outcomes["tusk"]
        worst = max(outcome.latencies_s, default=None)
        measured = f"{_seconds(worst)}{'; ' + outcome.problem if outcome.problem else ''}"
        yield Target(name=f"{engine}: interrupt returns, query gone, session works", limit="≤ 1 s each",
                     measured=measured, met=worst is not None and worst <= 1.0 and outcome.problem is None)  # fmt: skip


def _completion(results: Results) -> Iterator[Target]:
    """Yield the targets of completion: the slowest place's median, and the slowest keystrokes while nothing is known yet.

    One of them waits for the schema, so that the first list has names in it; JupyterLab waits 1 s for a list.
    """
    if not results.completion.answers and results.completion.failure is None:
        return
    found = completion_ms(results.completion)
    for name, place, limit_ms in (
        ("a keystroke in the schema", 0, 50),
        ("the keystroke that waits for the schema, slowest", 2, 400),
        ("the other keystrokes before it is there, slowest", 3, 50),
    ):
        yield Target(name=f"completion with 2,000 tables x 20 columns: {name}", limit=f"≤ {limit_ms} ms",
                     measured=f"{found[place]:.1f} ms" if found else "not measured",
                     met=found[place] <= limit_ms if found else None)  # fmt: skip


def _panels(results: Results) -> Iterator[Target]:
    """Yield the targets of the panels: what the server takes, and what a user waits."""
    if not results.panels.answers and results.panels.failure is None:
        return
    for field_, limit_ms, name in (
        ("log_rest", 200, "query log of 1,000,000 runs: first page over REST"),
        ("log_shown", 200, "query log of 1,000,000 runs: from opening the panel to its first row on screen"),
        ("connections_rest", 100, "list of connections over REST"),
        ("connections_shown", 100, "list of connections: from opening the panel to its first row on screen"),
    ):
        found = results.panels.median(field_)
        yield Target(name=name, limit=f"≤ {limit_ms} ms",
                     measured=f"{1000 * found:.1f} ms" if found is not None else "not measured",
                     met=None if found is None else 1000 * found <= limit_ms)  # fmt: skip


def completion_ms(series: Series) -> tuple[float, float, float, float] | None:
    """Return median and 95th percentile at the slowest place, and of those without a schema the slowest, and the next, in ms.

    Of each process one waits; the next is 0 where that one brought the schema.
    """
    if not series.answers:
        return None
    places = {
        place: [s for answer in series.answers for s in answer["times"][place]] for place in series.answers[0]["times"]
    }
    slowest = max(places.values(), key=median)
    cold = [sorted((0.0, *answer["cold"]), reverse=True) for answer in series.answers]
    waiting, others = (1000 * max(one[place] for one in cold) for place in (0, 1))
    return 1000 * median(slowest), 1000 * quantiles(slowest, n=20)[-1], waiting, others


def _times(value: float | None) -> str:
    return f"{value:.2f}x" if value is not None else "not measured"


def _seconds(value: float | None) -> str:
    return f"{value:.2f} s" if value is not None else "not measured"

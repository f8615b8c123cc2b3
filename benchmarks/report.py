"""Writes RESULTS.md: targets first, then what they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from benchmarks import machine
from benchmarks.databases import COLUMNS
from benchmarks.peers import FLOOR_TITLES, peers_of
from benchmarks.results import Results, Target, completion_ms, latency_ms, ratio, targets

MB = 1_000_000
HOW = """
Written by `make bench`; do not edit. Every measurement is taken in a fresh process that has connected and run one
statement before the clock starts; the ways take turns, each round beginning with another one; medians over the rounds.
"Peak" is the highest resident memory of the measuring process (interpreter, libraries and frame), "frame" is
`memory_usage(deep=True)`. Servers speak over loopback TCP without TLS. Usage statistics are off, and a watch
on the sockets fails any measurement that tries to reach another machine. A missed target says **missed**.
"""


def write(results: Results) -> str:
    """Return the report as Markdown."""
    lines = ["# Benchmark results", HOW]
    lines += table(("", ""), machine.description(results.engines))
    lines += [
        f"\n{results.rows:,} rows x {COLUMNS} columns, {results.rounds} rounds, {results.seconds / 60:.1f} minutes.\n"
    ]
    lines += ["\n## Targets\n", *_targets(targets(results))]
    for engine, series in results.bulk.items():
        lines += [f"\n## {engine}: the whole table into a pandas DataFrame\n", *_bulk(engine, series)]
    if results.latency:
        lines += ["\n## `SELECT 1` on a warm session, through the magic (ms)\n", *_latency(results)]
    if results.starts:
        lines += ["\n## Fresh kernel to first result (s, median)\n", *_starts(results)]
    if results.extension:
        lines += ["\n## `%load_ext`\n", *_extension(results)]
    if results.interrupts:
        lines += ["\n## Interrupting an endless query\n", *_interrupts(results)]
    lines += ["\n## Everything else\n", *_rest(results)]
    return "\n".join(lines) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"


def _targets(found: list[Target]) -> Iterator[str]:
    words = {True: "met", False: "**missed**", None: "not measured"}
    met, missed, unknown = (sum(target.met is outcome for target in found) for outcome in words)
    yield f"{met} met, {missed} missed, {unknown} not measured.\n"
    yield from table(("target", "asked", "measured", ""), ((t.name, t.limit, t.measured, words[t.met]) for t in found))


def _bulk(engine: str, series: dict) -> Iterator[str]:
    rows = []
    for peer in peers_of(engine):
        if peer.name not in series:
            continue
        found, title = series[peer.name], FLOOR_TITLES[engine] if peer.is_floor else peer.title
        seconds = found.median("seconds")
        if seconds is None:
            rows.append((title, "failed", "", "", "", found.failure or ""))
            continue
        spread = f"{seconds:.2f} ({min(found.values('seconds')):.2f}–{max(found.values('seconds')):.2f})"
        rows.append((title, spread, _ratio(ratio(series, peer.name, "tusk")), _mb(found.median("peak")),
                     _mb(found.median("frame")), found.failure or ""))  # fmt: skip
    yield from table(("way", "seconds (least–most)", "against tusk", "peak MB", "frame MB", ""), rows)
    yield "\nColumn types of the frames:\n"
    typed = [
        peer for peer in peers_of(engine) if peer.name in series and not peer.is_floor and series[peer.name].answers
    ]
    yield from table(("way", "dtypes"), ((p.title, ", ".join(series[p.name].answers[0]["dtypes"])) for p in typed))


def _latency(results: Results) -> Iterator[str]:
    yield (
        "A run is three Flight calls and what they do. `flight`: three empty ones between two Python processes, measured"
        " in turn with the others; they say how fast the machine was just then. The engines take turns, too.\n"
    )
    rows = []
    for engine, series in results.latency.items():
        for peer, found in series.items():
            times = latency_ms(found)
            cells = (f"{times[0]:.2f}", f"{times[1]:.2f}") if times else ("failed", found.failure or "")
            rows.append((engine, peer, *cells))
    yield from table(("engine", "way", "median", "95 %"), rows)


def _starts(results: Results) -> Iterator[str]:
    yield (
        "From starting the kernel's process to the reply of its second cell: `%load_ext`, then `SELECT 1`. A core that has"
        " to be started starts the driver used last with it, which is the right one here.\n"
    )
    rows = []
    for engine, series in results.starts.items():
        for way, found in series.items():
            seconds = found.median("seconds")
            rows.append((engine, way, f"{seconds:.2f}" if seconds is not None else "failed", found.failure or ""))
    yield from table(("engine", "way", "seconds", ""), rows)


def _extension(results: Results) -> Iterator[str]:
    rows = []
    for name, found in results.extension.items():
        seconds = found.median("seconds")
        imports = sorted({item for answer in found.answers for item in answer["imports"]})
        shown = f"{1000 * seconds:.0f}" if seconds is not None else "failed"
        rows.append((name, shown, ", ".join(imports) or "none", found.failure or ""))
    yield from table(("extension", "ms", "heavy imports", ""), rows)


def _interrupts(results: Results) -> Iterator[str]:
    rows = []
    for engine, outcomes in results.interrupts.items():
        for peer, outcome in outcomes.items():
            times = ", ".join(f"{seconds:.2f}" for seconds in outcome.latencies_s) or "-"
            rows.append((engine, peer, times, outcome.problem or "the next cell found the session's temporary table"))
    yield from table(("engine", "way", "seconds until the cell returned", "afterwards"), rows)


def _rest(results: Results) -> Iterator[str]:
    peaks: dict[str, int] = {}
    for answer in (answer for series in results.bulk.values() if "tusk" in series for answer in series["tusk"].answers):
        for name, size in answer["processes"].items():
            peaks[name] = max(size, peaks.get(name, 0))
    rows = [(f"{name} process, most resident memory", f"{size / MB:.0f} MB") for name, size in sorted(peaks.items())]
    for name, what in (("page", "newest 100 of"), ("search", "text search in")):
        seconds = results.log_page.median(name)
        if seconds is not None:
            rows.append((f"query log: {what} 1,000,000 runs", f"{1000 * seconds:.1f} ms"))
    if results.log_page.failure:
        rows.append(("query log with 1,000,000 runs", f"failed: {results.log_page.failure}"))
    if results.panels.failure:
        rows.append(("JupyterLab's panels", f"failed: {results.panels.failure}"))
    rows += _completion(results)
    yield from table(("what", "measured"), rows)


def _completion(results: Results) -> Iterator[tuple[str, str]]:
    for place in results.completion.answers[0]["times"] if results.completion.answers else ():
        times = [1000 * seconds for answer in results.completion.answers for seconds in answer["times"][place]]
        yield f"completion, 2,000 tables x 20 columns: `{place}`", f"{median(times):.1f} ms"
    if found := completion_ms(results.completion):
        yield "completion, slowest place, 95 %", f"{found[1]:.1f} ms"
    if results.completion.failure:
        yield "completion", f"failed: {results.completion.failure}"


def _ratio(value: float | None) -> str:
    return f"{value:.2f}x" if value is not None else ""


def _mb(value: float | None) -> str:
    return f"{value / MB:.0f}" if value is not None else ""

"""`python -m benchmarks` measures and writes RESULTS.md.

`--rounds 1 --only postgresql` is a quick look, which is printed and leaves the file alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the servers are the tests' own

from services.homes import TuskHome, short_folder

from benchmarks import completion, kernels, panels, report, service
from benchmarks.databases import ENGINES, Database, databases
from benchmarks.measure import Failed, Series, alternate, measuring_environment, order_for
from benchmarks.peers import peers_of
from benchmarks.results import Results

RESULTS = Path(__file__).with_name("RESULTS.md")
KERNEL_ENGINES = ("sqlite", "postgresql")
INTERRUPTS = 3


def main() -> int:
    """Measure what the command line names."""
    arguments = _arguments()
    engines = tuple(arguments.only or ENGINES)
    results = Results(rows=arguments.rows, rounds=arguments.rounds, engines=engines)
    started = time.monotonic()
    with short_folder("tusk-m-") as folder, prepared(folder) as environment:
        _say(f"making {arguments.rows:,} rows on {', '.join(engines)}")
        with databases(engines, arguments.rows) as made:
            measure(results, made, environment)
    results.seconds = time.monotonic() - started
    text = report.write(results)
    if arguments.only or arguments.rounds < 3:
        print(text)
        _say(f"a quick look: {RESULTS.name} is left as it is")
    else:
        RESULTS.write_text(text)
        _say(f"written to {RESULTS}")
    return 0


def measure(results: Results, made: Mapping[str, Database], environment: Mapping[str, str]) -> None:
    """Take all measurements, one kind after the other."""
    tusk_works = {engine: _connect(database, environment) for engine, database in made.items()}
    for engine, database in made.items():
        _say(f"{engine}: whole table")
        names = [peer.name for peer in peers_of(engine) if peer.name != "tusk" or tusk_works[engine] is None]
        results.bulk[engine] = alternate(
            {name: order_for("bulk", name, database) for name in names}, results.rounds, environment
        )
        if tusk_works[engine] is not None:
            results.bulk[engine]["tusk"] = Series(failure=tusk_works[engine])
        batch = {"tusk": order_for("first_batch", "tusk", database)}
        results.first_batch[engine] = alternate(batch, results.rounds, environment)["tusk"]
    _say("SELECT 1")
    results.latency = latencies(made, results.rounds, environment)
    _say("fresh kernels")
    results.starts = starts(made, 2 * results.rounds - 1, environment)  # a second each, and a second may be slow
    orders = {name: {"task": "load_extension", "extension": name} for name in ("tusk_jupyter", "sql")}
    results.extension = alternate(orders, results.rounds, environment)
    for engine, database in made.items():
        _say(f"{engine}: interrupts")
        results.interrupts[engine] = {
            "tusk": kernels.interrupt("tusk", database, environment, INTERRUPTS),
            "jupysql": kernels.interrupt("jupysql", database, environment, 1),
        }
    _say("query log with 1,000,000 runs")
    results.log_page = log_page(environment, results.rounds)
    _say("JupyterLab's panels on that log")
    with short_folder("tusk-l-") as folder:
        results.panels = panels.measure(environment, folder, results.rounds)
    _say("completion with 2,000 tables")
    results.completion = completion_times(environment, results.rounds)


def latencies(
    made: Mapping[str, Database], rounds: int, environment: Mapping[str, str]
) -> dict[str, dict[str, Series]]:
    """Time `SELECT 1`; the engines take turns as the ways do, for a shared machine is slow for minutes at a time."""
    orders = {
        f"{engine} {name}": order_for("latency", name, database)
        for engine, database in made.items()
        for name in ("tusk", "jupysql", "flight")
    }
    found: dict[str, dict[str, Series]] = {engine: {} for engine in made}
    for key, series in alternate(orders, rounds, environment).items():
        engine, _, name = key.partition(" ")
        found[engine][name] = series
    return found


def starts(made: Mapping[str, Database], rounds: int, environment: Mapping[str, str]) -> dict[str, dict[str, Series]]:
    """Time fresh kernels, the three ways in turn; one engine after the other, as a core starts the driver used last."""
    ways = ("tusk, core up", "tusk, core not up", "jupysql")
    series = {engine: {way: Series() for way in ways} for engine in KERNEL_ENGINES if engine in made}
    for engine, of_engine in series.items():
        for _ in range(rounds):
            for way, found in of_engine.items():
                if not found.failure:
                    _start(found, way, made[engine], environment)
    return series


def _start(series: Series, way: str, database: Database, environment: Mapping[str, str]) -> None:
    try:
        if way == "tusk, core not up":
            service.stop_core(environment)
        elif way == "tusk, core up":
            service.tusk(["core", "status"], environment)
        seconds = kernels.first_result(way.partition(",")[0], database, environment)
        series.answers.append({"seconds": seconds})
    except (Failed, AssertionError) as exc:
        series.failure = str(exc)


def log_page(environment: Mapping[str, str], rounds: int) -> Series:
    """Time pages of a large query log."""
    try:
        service.stop_core(environment)
        service.fill_log(environment)
    except (Failed, AssertionError) as exc:
        return Series(failure=str(exc))
    return alternate({"tusk": {"task": "log_page"}}, rounds, environment)["tusk"]


def completion_times(environment: Mapping[str, str], rounds: int) -> Series:
    """Time keystrokes in a database of many tables, each round in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.duckdb"
        completion.fill(path)
        return alternate({"tusk": {"task": "completion", "path": str(path)}}, rounds, environment)["tusk"]


@contextmanager
def prepared(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment to measure in; its core and drivers are ended afterwards."""
    environment = measuring_environment(folder)
    for name in ("HOME", "TUSK_HOME"):
        Path(environment[name]).mkdir(mode=0o700)
    try:
        yield environment
    finally:
        TuskHome(Path(environment["TUSK_HOME"])).close()


def _connect(database: Database, environment: Mapping[str, str]) -> str | None:
    try:
        service.connect(database, environment)
    except Failed as exc:
        return str(exc)
    return None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", action="append", choices=ENGINES, help="one engine; may be given several times")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

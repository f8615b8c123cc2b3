"""`python -m benchmarks.state`: the state store with a million runs in its log (REQUIREMENTS R-35, B-7, B-8)."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from tusk_jupyter.protocol.control import ReadLog
from tusk_jupyter.state.query_log import RunEnd, RunStart
from tusk_jupyter.state.store import STATE_FILE, Store

ROWS = 1_000_000
_FILL = """
INSERT INTO query_log
SELECT i, uuid()::VARCHAR, 'query', CASE WHEN i % 17 = 0 THEN 'failed' ELSE 'completed' END, 's' || (i % 40),
       'dir/book' || (i % 100) || '.ipynb', (i % 30)::VARCHAR, 'conn' || (i % 5), 'id' || (i % 5), 'postgresql',
       'SELECT a.*, b.name FROM orders_' || (i % 1000) || ' a JOIN customers b ON a.id = b.id WHERE a.x > ' || i,
       TIMESTAMP '2026-01-01' + to_seconds(i), i % 1000, i % 5000, NULL, 1, NULL, NULL, NULL, NULL
FROM range(1, ? + 1) AS numbers(i)
"""


def fill(home: Path, rows: int = ROWS) -> None:
    """Make a state folder with that many runs in its log; the journal is left out, so the store will complain."""
    Store.open(home).close()
    with duckdb.connect(str(home / STATE_FILE)) as con:
        con.execute(_FILL, [rows])
        con.execute("UPDATE projection SET applied_seq = ?", [rows])


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    """Return the median time that a call takes."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def start(run: str) -> RunStart:
    return RunStart(
        run=run, session="s", source="n.ipynb", connection="c", connection_id="i", driver="d", sql="SELECT 1"
    )


def appends_a_second(store: Store, threads: int = 8, runs: int = 250) -> float:
    """Return how many records all threads together get onto the disk."""

    def work(thread: int) -> None:
        for n in range(runs):
            store.log.started(start(f"{thread}-{n}"))
            store.log.ended(RunEnd(run=f"{thread}-{n}", status="completed"))

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return threads * runs * 2 / (time.perf_counter() - started)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home)
        print(f"open and close        {milliseconds(lambda: Store.open(home).close(), 5):8.1f} ms")
        with Store.open(home) as store:
            for name, request in {
                "newest 100": ReadLog(limit=100),
                "text, 1,000 match": ReadLog(limit=100, text="ORDERS_77 "),
                "text, none matches": ReadLog(limit=100, text="no such words"),
                "one connection": ReadLog(limit=100, connection="CONN1"),
                "failed": ReadLog(limit=100, status="failed"),
                "one notebook": ReadLog(limit=100, source="book7."),
                "page 5,000": ReadLog(limit=100, offset=500_000),
            }.items():
                print(f"{name:21} {milliseconds(lambda request=request: store.log.read(request)):8.1f} ms")  # type: ignore[misc]
            numbers = map(str, range(10**9))
            print(f"a run's start         {milliseconds(lambda: store.log.started(start(next(numbers))), 500):8.2f} ms")
            print(f"eight threads         {appends_a_second(store):8.0f} records/s")
            print(f"check                 {milliseconds(store.check, 3):8.1f} ms")


if __name__ == "__main__":
    main()

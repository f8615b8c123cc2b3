"""Ctrl-C at whatever moment of a run: it comes through, words and database agree, and nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest
from engines.conftest import Engine
from services import processes_of, wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

LATEST_S = 0.03
"""The press comes at a random moment up to here: a warm run of one row takes 3 ms, the rows below about 30 ms."""

MANY_ROWS = {
    "duckdb": "SELECT range AS n, 'row ' || range AS word FROM range(300000)",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) SELECT n, 'row ' || n FROM c",
    "postgresql": "SELECT n, 'row ' || n AS word FROM generate_series(1, 100000) n",
    "mysql": "SELECT seq AS n, concat('row ', seq) AS word FROM seq_1_to_100000",
}
KEPT = {"mysql": "CREATE TEMPORARY TABLE kept AS SELECT 42 AS n"}
UNKNOWN = ("not known", "may have", "not yet confirmed", "look at what of it stands")


@dataclass(slots=True)
class Tally:
    """What became of the runs of one engine."""

    surely: set[int] = field(default_factory=set)
    """Rows whose run brought its result: they are in the table."""
    perhaps: set[int] = field(default_factory=set)
    """Rows of which nothing was said, or that it is not known."""
    cancelled: int = 0
    presses: int = 0


def pressed(engine: Engine, sql: str, after_s: float) -> object:
    """Run `sql`, press Ctrl-C after so many seconds, and return what was seen of it: a result, an error or the bare press."""
    press = threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT))
    seen: object = None
    try:
        press.start()
        try:
            seen = engine.run(sql)
        except errors.TuskError as exc:
            seen = exc
        press.join()
        for _ in range(1000):  # the press may have come, and its handler not yet run
            pass
    except KeyboardInterrupt as exc:
        press.join()
        return seen or exc
    return seen


def statements(name: str, row: int, long: str) -> list[tuple[str, bool]]:
    """Return statements to interrupt, and whether each writes `row`."""
    return [
        ("SELECT 1", False),
        (f"INSERT INTO seen VALUES ({row})", True),
        (f"BEGIN; INSERT INTO seen VALUES ({row}); COMMIT", True),
        (MANY_ROWS[name], False),
        (long, False),
        ("SELECT nothing FROM seen", False),
    ]


def interrupt_often(engine: Engine, times: int, seed: int) -> Tally:
    chance, tally = random.Random(seed), Tally()
    for row in range(times):
        sql, writes = chance.choice(statements(engine.name, row, engine.long))
        seen = pressed(engine, sql, chance.uniform(0, LATEST_S))
        tally.presses += 1
        if isinstance(seen, errors.Cancelled):
            tally.cancelled += 1
        else:
            assert not isinstance(seen, errors.TuskError) or "nothing" in sql, (sql, seen)
        if writes:
            note(tally, row, seen)
        again(engine)
    return tally


def note(tally: Tally, row: int, seen: object) -> None:
    if isinstance(seen, KeyboardInterrupt) or (
        isinstance(seen, errors.Cancelled) and any(words in seen.message for words in UNKNOWN)
    ):
        tally.perhaps.add(row)
    elif not isinstance(seen, errors.TuskError):
        tally.surely.add(row)


def again(engine: Engine) -> None:
    """See that the session serves the next run, whatever state the press left its transaction in."""
    wait_until(lambda: not engine.client.call(control.ListRuns()).runs, 20.0, "the run has ended")
    try:
        transaction = engine.run("SELECT 1").transaction
    except errors.QueryError as exc:
        assert "ROLLBACK" in (exc.hint or ""), "refused for another reason than a transaction that has failed"
        transaction = "failed"
    if transaction != "idle":
        engine.run("ROLLBACK")


@pytest.fixture
def settled(engine: Engine) -> Iterator[Engine]:
    engine.run(KEPT.get(engine.name, "CREATE TEMP TABLE kept AS SELECT 42 AS n"))
    engine.run("CREATE TABLE seen (n integer)")
    engine.run(MANY_ROWS[engine.name])
    yield engine
    engine.run("DROP TABLE seen")


def belongings(engine: Engine) -> dict[str, int]:
    """Count what core, driver and this process hold: a number that grows with the presses is a leak.

    Of several drivers it is the one that holds the most: a spare is still on its way up, perhaps.
    """
    found = {"threads here": threading.active_count(), "files here": psutil.Process().num_fds()}
    for one in processes_of(engine.client.link.places.home):
        kind = next((word for word in one.cmdline() if "tusk" in word and "/" not in word), "?")
        for what, count in (("threads", one.num_threads()), ("files", one.num_fds())):
            found[f"{what} of {kind}"] = max(count, found.get(f"{what} of {kind}", 0))
    return found


def interrupt_and_look(engine: Engine, times: int, seed: int) -> None:
    interrupt_often(engine, 10, seed)  # threads and links that are kept for the next run are there then
    engine.run("DELETE FROM seen")
    before = belongings(engine)
    tally = interrupt_often(engine, times, seed + 1)
    assert tally.presses == times
    assert tally.cancelled > times / 10, "too few presses met a run"
    rows = [n for (n,) in zip(*engine.run("SELECT n FROM seen").table.to_pydict().values(), strict=True)]
    assert len(rows) == len(set(rows)), f"seed {seed}: a row was written twice"
    assert tally.surely - {*rows} == set(), f"seed {seed}: rows are not there whose run came to its end"
    assert {*rows} - tally.surely - tally.perhaps == set(), f"seed {seed}: rows are there that were said not to be"
    assert engine.value("SELECT n FROM kept") == 42, "the session is the one of before"
    if engine.on_server is not None:
        wait_until(lambda: engine.on_server() == 0, 5.0, "the server runs none of them")
    kept = 4  # idle workers of a client, the core and a driver come and go by a few
    wait_until(
        lambda: all(count <= before.get(name, 0) + kept for name, count in belongings(engine).items()),
        30.0,
        f"nothing is left of {times} runs: {before} was before, {belongings(engine)} is now",
    )


def test_interrupts_at_random_moments_leave_nothing_behind(settled):  # R3, R5, R20
    interrupt_and_look(settled, 25, seed=8)


@pytest.mark.soak
def test_a_thousand_interrupts_of_four_engines_leave_nothing_behind(settled):  # R3, R5, R20
    interrupt_and_look(settled, 250, seed=time.time_ns())

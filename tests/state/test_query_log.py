"""The query log: each run has one row from its start on, one end, and is found again."""

# C-10, C-11, C-13, C-36, TK-19, TK-20, XL-14, XL-15, NL-11, NL-15, NL-57, R-10, R-35

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tusk_jupyter.errors import InternalError, StorageError, UsageError
from tusk_jupyter.protocol.control import LogEntry, ReadLog
from tusk_jupyter.state.journal import Journal
from tusk_jupyter.state.log_filter import ENDS
from tusk_jupyter.state.query_log import RunEnd, RunStart
from tusk_jupyter.state.store import Store

Open = Callable[[], Store]


def start(run: str = "r", **changes: object) -> RunStart:
    known = {
        "session": "s",
        "source": "a.ipynb",
        "connection": "Shop",
        "connection_id": "1",
        "driver": "mysql",
        "sql": "SELECT 1",
    }
    return RunStart(run=run, **{**known, **changes})


def test_a_row_is_there_from_the_start_and_completed_by_the_end(store: Store):
    began = start(cell="7", kind="upload", started_at="2026-11-20T16:40:00.123Z")
    seq = store.log.started(began)
    known = {
        "run": "r", "seq": seq, "connection": "Shop", "connection_id": "1", "driver": "mysql",
        "source": "a.ipynb", "cell": "7",
        "session": "s", "sql": "SELECT 1", "kind": "upload", "started_at": "2026-11-20T16:40:00.123Z",
    }  # fmt: skip
    unknown = dict.fromkeys(("elapsed_ms", "rows", "affected", "statements", "error", "code"))
    assert store.log.read(ReadLog()).entries == (LogEntry(**known, **unknown, status="running"),)
    ended = {"elapsed_ms": 12.5, "rows": 3, "affected": 2, "statements": 4, "error": "no", "code": "42P01"}
    assert store.log.ended(RunEnd(run="r", status="failed", position=7, **ended))
    assert store.log.read(ReadLog()).entries == (LogEntry(**known, **ended, status="failed", position=7),)
    assert store._database.read("SELECT position FROM query_log") == [(7,)]


def test_the_log_is_sorted_whole_and_what_has_no_value_comes_last(store: Store):
    ends = {
        "a": (5.0, 10, "completed"),
        "b": (50.0, 2, "failed"),
        "c": (None, None, None),
        "d": (0.5, 300, "completed"),
    }
    for run, (elapsed, rows, status) in ends.items():
        store.log.started(start(run, connection={"a": "Zoo", "b": "bank"}.get(run, "Shop")))
        if status:
            store.log.ended(RunEnd(run=run, status=status, elapsed_ms=elapsed, rows=rows))

    def order(by: str, **more: object) -> str:
        return "".join(one.run for one in store.log.read(ReadLog(order=by, **more)).entries)

    assert order("started") == "dcba"
    assert order("started", ascending=True) == "abcd"
    assert order("duration") == "badc"
    assert order("duration", ascending=True) == "dabc"
    assert order("rows") == "dabc"
    assert order("connection", ascending=True) == "bdca"
    assert order("status", ascending=True)[2:] == "bc"
    assert order("rows", limit=2, offset=1) == "ab"
    assert order("rows", status="completed") == "da"
    assert store.log.read(ReadLog(order="rows", limit=1, status="completed")).total == 2
    with pytest.raises(UsageError, match="not ordered by 'sql; drop'"):
        order("sql; drop")


@pytest.mark.parametrize("first", ENDS)
def test_the_first_end_wins(open_store: Open, first: str):
    with open_store() as store:
        store.log.started(start())
        assert store.log.ended(RunEnd(run="r", status=first, rows=1))
        assert not store.log.ended(RunEnd(run="r", status="completed", rows=2))
    with open_store() as store:
        assert not store.log.ended(RunEnd(run="r", status="cancelled"))
        assert [(one.status, one.rows) for one in store.log.read(ReadLog()).entries] == [(first, 1)]


def test_of_many_ends_at_once_one_counts(store: Store):
    for n in range(20):
        store.log.started(start(f"r{n}"))
        counted: list[bool] = []
        barrier = threading.Barrier(4)

        def end(run: str, status: str, counted: list[bool] = counted, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            counted.append(store.log.ended(RunEnd(run=run, status=status)))

        threads = [threading.Thread(target=end, args=(f"r{n}", status)) for status in ENDS[:4]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(counted) == [False, False, False, True]


def test_an_unknown_run_has_no_end(store: Store):
    assert not store.log.ended(RunEnd(run="never", status="completed"))
    assert store.log.read(ReadLog()).entries == ()


@pytest.mark.parametrize("status", ["running", "done", ""])
def test_a_run_ends_as_what_runs_end_as(store: Store, status: str):
    store.log.started(start())
    with pytest.raises(InternalError, match="cannot end as"):
        store.log.ended(RunEnd(run="r", status=status))


def test_an_end_that_could_not_be_written_can_be_written_again(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.log.started(start())

    def refuse(self: Journal, kind: str, body: dict, **_: float) -> int:
        raise StorageError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", refuse)
        with pytest.raises(StorageError):
            store.log.ended(RunEnd(run="r", status="completed"))
    assert store.log.ended(RunEnd(run="r", status="completed"))


def test_runs_that_a_crash_left_open_are_interrupted_at_the_next_start(open_store: Open):
    with open_store() as store:
        store.log.started(start("open"))
        store.log.started(start("ended"))
        store.log.ended(RunEnd(run="ended", status="completed"))
    with open_store() as store:
        assert store.log.interrupt_open("The core was killed.") == 1
        assert store.log.interrupt_open("again") == 0
        assert {one.run: (one.status, one.error) for one in store.log.read(ReadLog()).entries} == {
            "open": ("interrupted", "The core was killed."),
            "ended": ("completed", None),
        }


def test_a_long_run_s_end_finds_its_start_among_others(store: Store):
    for n in range(50):
        store.log.started(start(f"r{n}"))
        store.log.read(ReadLog(limit=1))  # written one by one
    for n in reversed(range(50)):
        store.log.ended(RunEnd(run=f"r{n}", status="completed", rows=n))
    entries = store.log.read(ReadLog(limit=50)).entries
    assert [(one.run, one.rows) for one in entries] == [(f"r{n}", n) for n in reversed(range(50))]


@pytest.fixture
def filled(store: Store) -> Store:
    for n in range(30):
        store.log.started(
            start(
                f"{n:02d}-abc",
                connection="Shop" if n % 2 else "lake",
                source=f"dir/Book{n % 3}.ipynb",
                session=f"s{n % 5}",
                sql=f"SELECT {n} AS 'Grüße_%'",
                started_at=f"2026-11-{n + 1:02d}T12:00:00.000Z",
            )
        )
        if n % 3:
            store.log.ended(RunEnd(run=f"{n:02d}-abc", status="failed" if n % 3 == 1 else "completed"))
    return store


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ReadLog(limit=100), set(range(30))),
        (ReadLog(limit=100, text="select 1"), {1, *range(10, 20)}),
        (ReadLog(limit=100, text="GRÜSSE"), set()),
        (ReadLog(limit=100, text="GRÜßE"), set(range(30))),
        (ReadLog(limit=100, text="_%"), set(range(30))),
        (ReadLog(limit=100, text="_1"), set()),
        (ReadLog(limit=100, status="running"), set(range(0, 30, 3))),
        (ReadLog(limit=100, connection="SHOP"), set(range(1, 30, 2))),
        (ReadLog(limit=100, source="book1"), set(range(1, 30, 3))),
        (ReadLog(limit=100, session="s2"), set(range(2, 30, 5))),
        (ReadLog(limit=100, run="07"), {7}),
        (ReadLog(limit=100, since="2026-11-28"), {27, 28, 29}),
        (ReadLog(limit=100, until="2026-11-02T12:00:00Z"), {0}),
        (ReadLog(limit=100, since="2026-11-28T13:00:00+01:00", until="2026-11-29T12:00:00"), {27}),
        (ReadLog(limit=100, status="failed", connection="shop", source="Book1", text="select 1"), {1, 13, 19}),
    ],
)
def test_every_condition_must_hold(filled: Store, request_: ReadLog, expected: set[int]):
    page = filled.log.read(request_)
    assert {int(one.run[:2]) for one in page.entries} == expected
    assert page.total == len(expected)


def test_pages_are_newest_first_and_know_how_many_match(filled: Store):
    page = filled.log.read(ReadLog(limit=4, offset=2, connection="lake"))
    assert [int(one.run[:2]) for one in page.entries] == [24, 22, 20, 18]
    assert page.total == 15
    assert filled.log.read(ReadLog(limit=0)).total == filled.log.count() == 30


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (ReadLog(status="fine"), "No run has the status 'fine'"),
        (ReadLog(since="yesterday"), "'yesterday' is not a time"),
    ],
)
def test_a_condition_that_makes_no_sense_says_so(store: Store, request_: ReadLog, words: str):
    with pytest.raises(UsageError, match=words):
        store.log.read(request_)


def test_hostile_text_is_data(store: Store):
    for n, text in enumerate(["'; DROP TABLE query_log; --", "\x00", "𝕊𝔼𝕃𝔼ℂ𝕋", "\\", "a\r\nb", "\ud800"]):
        store.log.started(start(str(n), sql=text, source=text))
        store.log.ended(RunEnd(run=str(n), status="failed", error=text))
    assert store.log.read(ReadLog(text="'; DROP TABLE")).total == 1
    assert store.log.count() == 6


@pytest.mark.parametrize("threads", [8])
def test_threads_at_once_lose_nothing_double_nothing_and_keep_their_order(open_store: Open, threads: int):
    def work(store: Store, thread: int) -> None:
        for n in range(200):
            store.log.started(start(f"{thread}-{n}"))
            store.log.ended(RunEnd(run=f"{thread}-{n}", status="completed", rows=n))

    with open_store() as store:
        workers = [threading.Thread(target=work, args=(store, thread)) for thread in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    with open_store() as store:
        entries = store.log.read(ReadLog(limit=10_000)).entries[::-1]
        assert store.log.count() == len(entries) == threads * 200
        for thread in range(threads):
            mine = [one for one in entries if one.run.startswith(f"{thread}-")]
            assert [(one.run, one.rows, one.status) for one in mine] == [
                (f"{thread}-{n}", n, "completed") for n in range(200)
            ]

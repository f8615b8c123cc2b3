"""The last rows of a run go out with its trailer where the driver knows that they are the last, and never wait for it."""

from __future__ import annotations

import errno
import gc
import weakref

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.driverkit.runs import Run
from tusk_jupyter.driverkit.session import Rows, Transaction
from tusk_jupyter.driverkit.tickets import TicketBook
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.stream import Trailer
from tusk_jupyter.sqltext.script import Script
from tusk_jupyter.sqltext.statements import split

SCHEMA = pa.schema([("n", pa.int64())])


class Session:
    """Yields two batches a statement, and notes how far it was asked to go."""

    dialect = "ansi"
    transaction = Transaction.IDLE

    def __init__(self, ended_after):
        self.ended_after = ended_after
        self.asked = 0

    def is_alive(self):
        return True

    def give_back(self):
        """It keeps nothing."""

    def execute(self, statement, parameters):
        yielded = 0

        def batches():
            nonlocal yielded
            for n in range(2):
                yielded, self.asked = n + 1, self.asked + 1
                yield pa.record_batch([pa.array([n])], schema=SCHEMA)
            self.asked += 1

        return Rows(schema=SCHEMA, batches=batches(), ended=lambda: yielded == self.ended_after)


def stream_of(session, sql="SELECT 1", said=None):
    run = Run("r", session, Script(split(sql, "ansi")), {}, limit=None, words=said or Words())
    return run.open_stream(TicketBook())[1]


def test_rows_known_to_be_the_last_go_out_with_the_trailer():
    first, last = stream_of(Session(ended_after=2))
    assert (first[0].num_rows, first[1], last[0].num_rows) == (1, None, 1)
    assert codec.decode(Trailer, last[1]).statements[0].rows == 2


def test_rows_that_may_not_be_the_last_go_out_at_once():
    session = Session(ended_after=None)
    stream = stream_of(session)
    for asked in (1, 2):
        batch, trailer = next(stream)
        assert (batch.num_rows, trailer, session.asked) == (1, None, asked)
    batch, trailer = next(stream)
    assert batch.num_rows == 0
    assert codec.decode(Trailer, trailer).statements[0].rows == 2


@pytest.mark.parametrize("ended_after", [2, None])
def test_the_last_word_is_said_before_the_trailer_goes_out(monkeypatch, ended_after):
    said, heard = Words(), []
    monkeypatch.setattr(said, "say", heard.append)
    for _, trailer in stream_of(Session(ended_after), said=said):
        assert [word.event for word in heard] == ([] if trailer is None else ["finished"])


class Starved(Session):
    """Its statement hits the memory cap, and so does what was to make room again."""

    def execute(self, statement, parameters):
        raise errors.DriverError("The driver ran out of memory.", scenario="memory_limit")

    def give_back(self):
        raise OSError(errno.EMFILE, "Too many open files")


def test_a_run_has_its_last_word_though_memory_cannot_be_given_back(monkeypatch, capsys):
    said, heard = Words(), []
    monkeypatch.setattr(said, "say", heard.append)
    with pytest.raises(errors.DriverError, match="ran out of memory"):
        stream_of(Starved(None), said=said)
    assert [(word.event, word.error.scenario) for word in heard] == [("failed", "memory_limit")]
    assert "Too many open files" in capsys.readouterr().err


def test_the_last_rows_of_a_statement_do_not_wait_for_the_next_one():
    session = Session(ended_after=2)
    stream = stream_of(session, "SELECT 1; SELECT 2")
    assert [next(stream)[1] for _ in range(2)] == [None, None]
    assert session.asked == 2
    batch, trailer = next(stream)
    assert (batch.num_rows, codec.decode(Trailer, trailer).ticket is None) == (0, False)


def test_a_driver_that_goes_on_behind_its_end_loses_no_row_in_silence():
    stream = stream_of(Session(ended_after=1))
    with pytest.raises(errors.InternalError, match="the last"):
        list(stream)


def test_a_run_that_failed_is_let_go_of_at_once(monkeypatch):  # R24
    """Drivers look for cycles seldom: the errors of 13,000 statements held 15 MB."""
    session = Session(ended_after=2)
    monkeypatch.setattr(session, "execute", fails)
    gc.collect()
    gc.disable()
    try:
        run = Run("r", session, Script(split("SELECT 1", "ansi")), {}, limit=None, words=Words())
        with pytest.raises(errors.QueryError):
            run.open_stream(TicketBook())
        kept = weakref.ref(run)
        del run
        assert kept() is None
    finally:
        gc.enable()


def fails(statement, parameters):
    try:
        raise ValueError("no such column")
    except ValueError as exc:
        raise errors.QueryError("no such column") from exc

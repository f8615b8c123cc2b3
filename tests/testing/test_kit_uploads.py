"""An upload that has ended is not asked to stop, and a session is closed whatever the database answers."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa

from tusk_jupyter import errors
from tusk_jupyter.driverkit.server import DriverServer, _Slot
from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.driverkit.uploads import Upload
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.protocol import driver


class Session:
    """A session that takes every table, and whose server cannot be asked to stop anything."""

    transaction, lock_wait, upload_notes = Transaction.IDLE, None, ()
    dialect = "ansi"

    def __init__(self) -> None:
        self.interrupts = 0
        self.is_closed = False

    def is_alive(self) -> bool:
        return True

    def upload(self, table: object, reader: pa.RecordBatchReader, *, append: bool) -> int:
        return len(reader.read_all())

    def interrupt(self) -> None:
        self.interrupts += 1
        raise errors.ConnectError("no route to the server")

    def give_back(self) -> None:
        """It keeps nothing."""

    def close(self) -> None:
        self.is_closed = True


def an_upload(session: Session) -> Upload:
    return Upload(driver.Upload(session="s", run="r", ticket="t", table="up", append=False), session, Words())  # type: ignore[arg-type]


def closed(session: Session, upload: Upload) -> None:
    server = SimpleNamespace(_slots={"s": _Slot(session, False, False, run=upload)})  # type: ignore[arg-type]
    list(DriverServer._close(server, driver.Close(session="s")))  # type: ignore[arg-type]


def test_the_close_of_a_session_asks_no_server_to_stop_an_upload_that_has_ended() -> None:
    session = Session()
    upload = an_upload(session)
    upload.take(pa.table({"x": [1]}).to_reader())
    upload.cancel()
    closed(session, upload)
    assert (session.interrupts, session.is_closed) == (0, True)


def test_a_session_is_closed_although_its_server_cannot_be_asked_to_stop(monkeypatch) -> None:
    monkeypatch.setattr("tusk_jupyter.driverkit.server.CLOSE_PATIENCE_S", 0.01)
    session = Session()
    upload = an_upload(session)
    upload._taken.set()
    closed(session, upload)
    assert (session.interrupts, session.is_closed) == (1, True)


def test_an_upload_that_nobody_came_for_is_not_kept() -> None:
    session = Session()
    slot = _Slot(session, False, False)  # type: ignore[arg-type]
    server = SimpleNamespace(
        _slots={"s": slot}, _uploads={}, _words=Words(), _consumers=None, _slot=lambda _: slot, _be_ready=lambda _: None,
        _set_mode=lambda *_: None, _begin=lambda _: None,
    )  # fmt: skip
    for ticket in ("left", "next"):
        request = driver.Upload(session="s", run=ticket, ticket=ticket, table="up", append=False)
        list(DriverServer._upload(server, request))  # type: ignore[arg-type]
        if ticket == "left":
            server._uploads["left"]._ended.set()
    assert list(server._uploads) == ["next"]

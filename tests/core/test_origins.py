"""Whose fault an error is: what goes wrong in the client ends the run at its driver, at once, whatever it was."""

from pathlib import Path

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control


class BrokenSink:
    """A file that cannot be written from some call on."""

    path = Path("result.parquet")

    def __init__(self, exc, *, at):
        self._exc, self._at = exc, at

    def open(self, schema):
        self._fail("open")

    def write(self, batch):
        self._fail("write")

    def widen(self, schema):
        self._fail("widen")

    def commit(self):
        self._fail("commit")

    def abort(self):
        self._fail("abort")

    def _fail(self, where):
        if where in self._at.split():
            raise self._exc


FULL = errors.StorageError("result.parquet could not be written: No space left on device.")


@pytest.mark.parametrize(
    ("sql", "at", "exc", "told"),
    [
        ("rows 100000 10; wait 600", "write", FULL, errors.StorageError),
        ("rows 5; rows 5", "open", FULL, errors.StorageError),  # nobody comes for the second result
        ("widen; wait 600", "widen", pa.ArrowInvalid("cannot be cast"), errors.InternalError),
        ("rows 100000 10; wait 600", "write and abort", FULL, errors.StorageError),
        ("rows 5; rows 5", "open", KeyboardInterrupt(), KeyboardInterrupt),
        ("rows 5; rows 5", "open", SystemExit(1), SystemExit),
        ("rows 100000 10", "write", MemoryError(), errors.ResultTooLarge),
        ("rows 100000 10", "write", ValueError("a bug"), errors.InternalError),
    ],
)
def test_what_goes_wrong_in_the_client_frees_the_session_at_once(notebook, core, sql, at, exc, told):  # R3, C11
    with pytest.raises(told) as caught:
        notebook.run(control.RunRequest(session="", connection="s", sql=sql), sink=BrokenSink(exc, at=at))
    assert caught.value.__cause__ is not caught.value
    state = notebook.call(control.WaitRun(run=newest(notebook), timeout_s=10.0))
    assert state.status == "cancelled"
    assert core.run(notebook, "rows 1").accepted.session_lost is False


def test_progress_that_cannot_be_shown_ends_its_run(notebook, core):
    def broken(state):
        raise ValueError("no such widget")

    with pytest.raises(ValueError, match="no such widget"):
        notebook.run(control.RunRequest(session="", connection="s", sql="wait 600; rows 5"), on_progress=broken)
    assert notebook.call(control.WaitRun(run=newest(notebook), timeout_s=10.0)).status == "cancelled"
    assert core.run(notebook, "rows 1").accepted.session_lost is False


def test_an_upload_that_this_process_cannot_send_ends_at_the_driver(notebook, core):
    class Broken:
        schema = pa.schema([("n", pa.int64())])

    with pytest.raises(errors.InternalError):
        notebook.upload(control.UploadRequest(session="", connection="s", table="t"), Broken())
    assert notebook.call(control.WaitRun(run=newest(notebook), timeout_s=10.0)).status == "cancelled"
    assert core.run(notebook, "rows 1").rows == 1


def newest(client):
    """The run that this client began last."""
    return client._last_run

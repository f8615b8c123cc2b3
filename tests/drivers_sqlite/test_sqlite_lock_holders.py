"""Who holds a lock is told where the system tells; where it does not, the wait and its error are what they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tusk_drivers.sqlite import files
from tusk_drivers.sqlite.session import SQLiteSession
from tusk_jupyter.driverkit import open_file
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import QueryError
from tusk_jupyter.sqltext.statements import split


def test_open_files_that_cannot_be_listed_are_not_known_to_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # no /proc in a container, no file descriptor left
    path = tmp_path / "here.db"
    path.touch()
    found = path.stat()
    with path.open():
        assert open_file.opened((found.st_dev, found.st_ino)) is not None
        monkeypatch.setattr(open_file, "_DESCRIPTORS", str(tmp_path / "nowhere"))
        assert open_file.opened((found.st_dev, found.st_ino)) is None
        assert open_file.descriptor((found.st_dev, found.st_ino)) == -1


@pytest.mark.parametrize("error", [PermissionError("closed to us"), OSError(24, "Too many open files")])
def test_a_list_of_locks_that_cannot_be_read_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
):
    """The stream that tells how far the run is would end with it, and the error of the wait would be another one."""

    def refused(_: Path) -> str:
        raise error

    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (a)")
        session = SQLiteSession(Settings(config={"path": str(path), "busy_timeout_s": 0.05}))
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(files, "_LOCKS", type("Closed", (), {"exists": lambda _: True, "read_text": refused})())
        assert files.holders_of(path) == []
        with pytest.raises(QueryError, match="locked"):
            session.execute(split("INSERT INTO t VALUES (1)", "sqlite")[0], {})
        session.close()

"""Who may read a result's file while it is written, and afterwards."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.client.files import FileSink

TABLE = pa.table({"a": [1, 2]})


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=["022", "000", "077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes_on_the_way(path: Path, *, overwrite: bool) -> set[int]:
    """Write a file and return the rights that its parts had until it was put in its place."""
    seen: set[int] = set()

    def look() -> None:
        seen.update(mode(part) for part in path.parent.glob(".*.part"))

    with FileSink(path, overwrite=overwrite) as sink:
        sink.open(TABLE.schema)
        look()
        for batch in TABLE.to_batches():
            sink.write(batch)
            look()
        sink.widen(pa.schema([("a", pa.string())]))
        look()
        sink.commit()
    assert not list(path.parent.glob(".*.part"))
    return seen


@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
def test_a_new_file_is_private_until_it_is_whole(tmp_path: Path, umask: int, ending: str):  # S14
    path = tmp_path / f"out.{ending}"
    assert modes_on_the_way(path, overwrite=False) == {0o600}
    assert mode(path) == 0o666 & ~umask


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o400, 0o664])
def test_a_replaced_file_keeps_its_rights_and_no_part_of_it_had_more(tmp_path: Path, umask: int, rights: int):  # S14
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(rights)
    assert modes_on_the_way(path, overwrite=True) == {0o600}
    assert mode(path) == rights


def test_a_link_planted_under_the_parts_name_is_not_written_through(tmp_path: Path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("words")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "00000000")
    (tmp_path / ".out.csv.00000000.part").symlink_to(victim)
    with FileSink(tmp_path / "out.csv") as sink, pytest.raises(errors.StorageError):
        sink.open(TABLE.schema)
    assert victim.read_text() == "words"

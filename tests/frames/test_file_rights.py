"""Who may read a result's file while it is written, and afterwards."""

from __future__ import annotations

import os
import secrets
import stat
import struct
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


def replace(path: Path) -> None:
    with FileSink(path, overwrite=True) as sink:
        sink.open(TABLE.schema)
        sink.commit()
    assert path.read_text() == '"a"\n'


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


def test_bits_that_were_given_to_other_content_are_not_carried_over(tmp_path: Path):  # S14
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o6755)
    replace(path)
    assert mode(path) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_replaced_file_keeps_owner_and_group(tmp_path: Path):  # S14
    path = tmp_path / "out.csv"
    path.write_text("old")
    os.chown(path, 1000, 1234)
    path.chmod(0o640)
    replace(path)
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (1000, 1234, 0o640)


@pytest.mark.parametrize(("rights", "left"), [(0o640, 0o600), (0o664, 0o604), (0o604, 0o600), (0o600, 0o600)])
def test_a_group_that_may_not_be_kept_hands_its_rights_to_no_other(
    tmp_path: Path, monkeypatch, rights: int, left: int
):  # S14
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(rights)
    real = os.fstat

    def of_another_group(file: int) -> os.stat_result:
        found = list(real(file))
        found[stat.ST_GID] += 1
        return os.stat_result(found)

    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fstat", of_another_group)
    monkeypatch.setattr(os, "fchown", forbidden)
    replace(path)
    monkeypatch.undo()
    assert mode(path) == left


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system keeps access lists elsewhere")
def test_a_replaced_files_access_list_goes_on(tmp_path: Path):  # S14: its mode's group bits are a mask, no rights
    path = tmp_path / "out.csv"
    path.write_text("old")
    entries = [(1, 6, 2**32 - 1), (2, 4, 1000), (4, 0, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", access)
    except OSError as exc:
        pytest.skip(f"no access lists on this file system: {exc}")
    assert mode(path) == 0o640
    replace(path)
    assert os.getxattr(path, "system.posix_acl_access") == access

"""The state folder: only ours, only us; nothing of anybody else's is touched, believed or executed."""

from __future__ import annotations

import grp
import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow.flight as flight
import pytest
from services import TuskHome, processes_of, wait_until
from services.homes import short_folder

from tusk_jupyter import errors
from tusk_jupyter.client import Client
from tusk_jupyter.client.driver_link import Drivers
from tusk_jupyter.launch import head_start
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import Peer
from tusk_jupyter.state import statefile
from tusk_jupyter.system import belongings, home, private_files, socket_folder, sockets, way
from tusk_jupyter.system.address import read_address
from tusk_jupyter.system.places import Places

STRANGER = 65534 if os.geteuid() == 0 else os.geteuid() + 1
"""Somebody else's user id."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of somebody's work, with a `run` folder as many have."""
    folder = tmp_path / "proj"
    (folder / "run" / "exp").mkdir(parents=True)
    (folder / "run" / "exp" / "model.pt").write_text("weights")
    folder.chmod(0o755)
    return folder


def picture(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of everything in a folder, itself included."""
    found = [folder, *sorted(folder.rglob("*"))]
    return {str(one): (one.lstat().st_mode, one.read_bytes() if one.is_file() else b"") for one in found}


def given_to_a_stranger(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file another user's."""
    owned(path, monkeypatch, uid=STRANGER)


def owned(path: Path, monkeypatch: pytest.MonkeyPatch, *, uid: int | None = None, gid: int | None = None) -> None:
    """Give one file to another account or group: really, as root; else by what the system says of it."""
    if os.geteuid() == 0:
        os.chown(path, -1 if uid is None else uid, -1 if gid is None else gid, follow_symlinks=False)
        return
    lstat, fstat, meant = Path.lstat, os.fstat, path.lstat()

    def told(found: os.stat_result) -> os.stat_result:
        if not os.path.samestat(found, meant):
            return found
        fields = list(found[:10])
        fields[4:6] = [found.st_uid if uid is None else uid, found.st_gid if gid is None else gid]
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "lstat", lambda one: told(lstat(one)))
    monkeypatch.setattr(os, "fstat", lambda descriptor: told(fstat(descriptor)))


# --- the folder ---


@pytest.mark.parametrize("left_out", [(), ("run",)], ids=["in run", "beside"])
def test_a_project_folder_is_refused_and_stays_as_it_was(project: Path, left_out: tuple[str, ...]):  # S1
    if left_out:
        (project / "run" / "exp" / "model.pt").rename(project / "model.pt")
        (project / "run" / "exp").rmdir()
    before = picture(project)
    with pytest.raises(errors.StorageError, match=rf"{project} is not a state folder of tusk: it holds .*(exp|model)"):
        Client(Places(project), source="t").call(control.ListRuns())
    assert picture(project) == before


MINE = "my diary, 40 bytes of text that is mine.."


@pytest.mark.parametrize(
    "name",
    [
        *(
            "core.json",
            "core.lock",
            "core.err",
            "core.crash",
            "core.log",
            "core.log.1",
            "drivers.json",
            "last-driver.json",
        ),
        *(
            "vault-generation.json",
            "closed-at",
            "tusk-home",
            "state.duckdb",
            "state.duckdb.tmp/model.pt",
            "state.duckdb/x",
        ),
        *("journal/00000000000000000001.journal", "journal/00000000000000000007.journal"),
        *("journal/20261129000000000000.journal", "journal/core.log", "run/p-0123456789abcdef/deep/model.pt"),
        *("run/c-0123456789abcdef.sock", "drivers/main.c", "drivers/sub/x", "drivers/mine.json/x"),
    ],
)
def test_what_only_has_a_name_of_ours_is_somebodys_work(tmp_path: Path, name: str):  # S1
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "theirs.json").write_text("{}")
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(MINE)
    tmp_path.chmod(0o755)
    before = picture(tmp_path)
    with pytest.raises(errors.StorageError, match=f"is not a state folder of tusk: it holds {name.split('/')[0]}"):
        Places(tmp_path).prepare()
    assert picture(tmp_path) == before


@pytest.mark.parametrize("name", ["__init__.py", "run/exp/", "run/theirs.sock", "core.json@", "thesis.tex"])
def test_what_is_empty_or_a_link_is_somebodys_work_by_its_name(tmp_path: Path, name: str):  # S1
    """Each alone: the empty file of a package, an empty folder, a socket, a link where no core opens one, a journal's link."""
    path = tmp_path / name.rstrip("/@")
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        if name.endswith("/"):
            path.mkdir()
        elif name.endswith("@"):
            path.symlink_to(tmp_path / "nowhere")
        elif name.endswith(".sock"):
            listener.bind(os.path.relpath(path))
        else:
            path.touch()
    if name == "thesis.tex":  # beside somebody else's journal
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "00000000000000000001.journal").write_bytes(home.SEGMENT_MARK)
        (tmp_path / "journal").symlink_to(tmp_path / "other")
    with pytest.raises(errors.StorageError, match="is not a state folder of tusk: it holds"):
        Places(tmp_path).prepare()


def test_the_mark_is_not_written_through_a_link(tmp_path: Path):  # S2
    (tmp_path / "tusk-home").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text(MINE)
    home.mark(tmp_path)
    assert (tmp_path / "victim").read_text() == MINE


def test_a_first_start_that_was_broken_off_and_what_is_put_there_by_hand_are_taken(tmp_path: Path):
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "mine.json").write_text('{"name": "mine", "command": ["/opt/mine"]}')
    for name in ("vault.json", "keyring.json"):
        (tmp_path / name).write_text("[1, 2]")
    for name in ("run", "journal"):
        (tmp_path / name).mkdir()
    for name in ("tusk-home", "core.lock", "start.lock", "core.log", "journal/00000000000000000001.journal"):
        (tmp_path / name).touch(0o600)
    Places(tmp_path).prepare()
    home.mark(tmp_path)
    (tmp_path / "core.log").write_text(MINE)
    (tmp_path / "notes.txt").write_text(MINE)
    Places(tmp_path).prepare()
    assert stat.S_IMODE((tmp_path / "tusk-home").stat().st_mode) == 0o600


def test_the_first_core_marks_the_folder_and_a_foreign_segment_is_named_at_once(tusk_home: TuskHome):  # S1, R14
    client = Client(Places(tusk_home.path), source="t")
    client.call(control.ListRuns())
    assert (tusk_home / "tusk-home").read_bytes().startswith(home.MARK_BEGINS)
    client.call(control.StopCore())
    wait_until(lambda: not processes_of(tusk_home), 30.0, "the core has ended")
    theirs = tusk_home / "journal" / "20261129000000000000.journal"
    theirs.write_text(MINE)
    theirs.chmod(0o600)
    with pytest.raises(errors.CoreError, match=rf"{theirs} is named as a part of the journal, and is none"):
        client.call(control.ListRuns())
    assert theirs.read_text() == MINE


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(
    "name", ["run", "journal", "core.log", "core.lock", "state.lock", "core.err", "core.crash", "state.duckdb"]
)
def test_a_link_is_refused_before_anything_is_made(tmp_path: Path, name: str, marked: bool):  # S2
    if marked:
        home.mark(tmp_path)
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    before = picture(tmp_path)
    with pytest.raises(errors.StorageError, match=f"{tmp_path / name} is a link"):
        Client(Places(tmp_path), source="t").call(control.ListRuns())
    assert picture(tmp_path) == before


@pytest.mark.parametrize(("mode", "closed"), [(0o755, 0o700), (0o777, 0o700), (0o555, 0o500)])
def test_a_folder_that_is_empty_but_for_what_file_managers_leave_is_taken(tmp_path: Path, mode: int, closed: int):
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / "lost+found").mkdir()
    tmp_path.chmod(mode)
    home.claim(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == closed
    assert {one.name for one in tmp_path.iterdir()} == {".DS_Store", "lost+found"}


def test_a_home_that_others_could_only_read_is_closed_and_believed(tmp_path: Path, marker: Path):
    place = Places(tmp_path / "home")
    planted(place.home, marker)
    place.home.chmod(0o755)
    place.prepare()
    assert stat.S_IMODE(place.home.stat().st_mode) == 0o700
    Catalog(place).drivers()
    assert marker.exists()


def test_a_folder_that_everybody_uses_and_a_users_own_home_are_refused(tmp_path: Path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(errors.StorageError, match="everybody uses"):
        home.claim(shared)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(errors.StorageError, match="is your home folder"):
        home.claim(tmp_path)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777


@pytest.mark.parametrize("look", [home.claim, home.examine])
def test_another_users_folder_is_no_state_folder(tmp_path: Path, monkeypatch, look: Callable[[Path], None]):
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    given_to_a_stranger(theirs, monkeypatch)
    with pytest.raises(errors.StorageError, match=f"{theirs} belongs to another user .uid {STRANGER}"):
        look(theirs)
    assert list(theirs.iterdir()) == []


@pytest.mark.parametrize("look", [home.claim, home.examine])
def test_another_users_link_is_no_state_folder_wherever_it_leads(
    tmp_path: Path, monkeypatch, look: Callable[[Path], None]
):
    mine, link = tmp_path / "mine", tmp_path / "link"
    (mine / "state").mkdir(parents=True, mode=0o700)
    link.symlink_to(mine / "state")
    home_is(mine, monkeypatch)
    look(link)  # one's own is a wish
    given_to_a_stranger(link, monkeypatch)
    with pytest.raises(errors.StorageError, match=rf"{link} is a link .*another user .uid {STRANGER}"):
        look(link)


def home_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a folder be this user's home as the system has it."""
    monkeypatch.setattr(way, "_is_own_home", lambda found: os.path.samestat(found, folder.stat()))
    monkeypatch.setattr(way, "_home_of", lambda _: folder)


@pytest.mark.parametrize("passed", ["a link", "a folder"])
def test_what_is_passed_on_another_way_into_ones_home_is_judged(tmp_path: Path, monkeypatch, passed: str):
    mine, theirs = tmp_path / "above" / "mine", tmp_path / "theirs"
    (mine / "state").mkdir(parents=True, mode=0o700)
    home_is(mine, monkeypatch)
    given_to_a_stranger(tmp_path / "above", monkeypatch)
    assert way.weakness(mine / "state" / "core.json") is None, "who may rename a home has the account already"
    if passed == "a link":
        theirs.symlink_to(mine)
        there = theirs / "state"
    else:
        theirs.mkdir(mode=0o755)
        (theirs / "link").symlink_to(mine)
        there = theirs / "link" / "state"
    assert way.weakness(there) is None
    given_to_a_stranger(theirs, monkeypatch)
    assert f"uid {STRANGER}" in (way.weakness(there) or "")


def test_in_a_state_folder_a_users_own_files_stay_also_in_run(tusk_home: TuskHome, tmp_path: Path):  # S1
    client = Client(Places(tusk_home.path), source="t")
    client.call(control.ListRuns())
    client.call(control.StopCore())
    wait_until(lambda: not processes_of(tusk_home), 30.0, "the core has ended")
    run, victim = tusk_home / "run", tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.tex").write_text("words")
    for name in ("exp", "p-mymodels", "p-notes"):
        (run / name).mkdir()
        (run / name / "model.pt").write_text("weights")
    (run / "c-notes.sock").write_text("no socket")
    (run / "c-0123456789abcdef.sock").write_text("named like one, and none")
    (run / "p-0123456789abcdef").symlink_to(victim)
    ours = run / "p-fedcba9876543210"
    ours.mkdir()
    (ours / "link").symlink_to(victim)
    left = run / "d-fedcba9876543210.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(left))
    (tusk_home / "notes.txt").write_text("mine")
    before = {path for path in run.rglob("*") if ours not in (path, *path.parents) and path != left}
    client.call(control.ListRuns())
    assert before <= set(run.rglob("*"))
    assert not ours.exists()
    assert not left.exists()
    assert (victim / "thesis.tex").read_text() == "words"
    assert (tusk_home / "notes.txt").read_text() == "mine"


SOMEBODYS = (
    "TABLE mine AS SELECT 1 AS a",
    "VIEW mine AS SELECT 1 AS a",
    "SEQUENCE mine",
    "SCHEMA mine",
    "MACRO mine(a) AS a",
    "TYPE mine AS ENUM ('a')",
)


def test_a_folder_with_a_database_of_the_state_files_name_is_somebodys(tmp_path: Path):
    with duckdb.connect(str(tmp_path / "state.duckdb")) as con:
        con.execute(f"CREATE {SOMEBODYS[0]}")
    tmp_path.chmod(0o755)
    before = picture(tmp_path)
    with pytest.raises(errors.StorageError, match=r"is not a state folder of tusk: it holds state\.duckdb\."):
        Client(Places(tmp_path), source="t").call(control.ListRuns())
    assert picture(tmp_path) == before


@pytest.mark.parametrize("made", SOMEBODYS)
def test_a_database_in_the_place_of_the_state_file_is_not_written_to(tmp_path: Path, made: str):
    with duckdb.connect(str(tmp_path / "state.duckdb")) as con:
        con.execute(f"CREATE {made}")
    before = (tmp_path / "state.duckdb").read_bytes()
    with pytest.raises(errors.StorageError, match="no state file of tusk: it holds mine"):
        statefile.open_file(tmp_path / "state.duckdb")
    assert (tmp_path / "state.duckdb").read_bytes() == before


def given_to_a_group(folder: Path) -> None:
    """Give the rights that Kubernetes puts on a volume with an `fsGroup`, at each start of a pod."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o2770 if path.is_dir() else path.stat().st_mode | 0o660)


def test_rights_that_a_cluster_gives_are_refused_once_with_all_files_and_one_command(tusk_home: TuskHome):
    client = Client(Places(tusk_home.path), source="t")
    client.call(control.ListRuns())
    client.call(control.StopCore())
    wait_until(lambda: not processes_of(tusk_home), 30.0, "the core has ended")
    (tusk_home / "drivers").mkdir(mode=0o700)
    (tusk_home / "drivers" / "mine.json").write_text("{}")
    given_to_a_group(tusk_home.path)
    for refused in (
        lambda: client.call(control.ListRuns()),
        Places(tusk_home.path).prepare,
        Places(tusk_home.path).examine,
    ):
        with pytest.raises(private_files.NotPrivate, match="Others may have changed these files") as failed:
            refused()
        open_ones = {path.relative_to(tusk_home.path) for path in tusk_home.path.rglob("*") if path.is_file()}
        assert all(f"{path} (06" in failed.value.message for path in open_ones - {Path("closed-at")})
        assert "drivers/ is started as a program" in failed.value.hint
    command = re.search(r"(chmod -R go= '.*?')\.", failed.value.hint)[1]
    subprocess.run(command, shell=True, check=True)
    assert client.call(control.ListRuns()).runs == ()


def test_what_no_core_opens_keeps_none_from_starting(tmp_path: Path):
    place = Places(tmp_path / "home")
    place.prepare()
    for name in ("core.json", "vault.json", "drivers.json", "last-driver.json"):
        (place.home / name).write_text("{}")
    given_to_a_group(place.home)
    place.prepare()
    (place.home / "core.lock").touch(0o600)
    given_to_a_group(place.home)
    home.mark(place.home)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.json").touch()
    (elsewhere / "mine.json").chmod(0o666)
    place.drivers.symlink_to(elsewhere)
    (place.home / "keyring.json").symlink_to(elsewhere / "mine.json")
    with pytest.raises(private_files.NotPrivate, match=r"core\.lock \(0660\).*vault\.json \(0664\)") as failed:
        place.prepare()
    assert not re.search("mine|keyring", failed.value.message)  # links have all rights, and `chmod -R` follows none


# --- the folder of the sockets ---


@pytest.fixture
def far_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """A home with a path too long for sockets, and the temporary folder that they go to instead."""
    with short_folder("tusk-t-") as temporary:
        monkeypatch.setattr(socket_folder.tempfile, "gettempdir", lambda: str(temporary))
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        yield tmp_path / ("long" * 30), temporary


def test_a_link_planted_for_the_sockets_is_not_followed_and_another_name_is_taken(far_home, tmp_path: Path):  # S2
    place, temporary = far_home
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (victim / "thesis.tex").write_text("words")
    planted = socket_folder.find(place)
    planted.symlink_to(victim)
    chosen = socket_folder.find(place)
    assert chosen.parent == temporary
    assert chosen != planted
    socket_folder.claim(chosen)
    assert (chosen.lstat().st_mode & 0o7777, planted.is_symlink()) == (0o700, True)
    assert (victim / "thesis.tex").read_text() == "words"
    with pytest.raises(errors.StorageError, match="is a link"):
        socket_folder.claim(planted)


@pytest.mark.parametrize("mood", ["a stranger's", "open to others", "a file"])
def test_what_is_not_ours_for_the_sockets_is_passed_over(far_home, monkeypatch, mood: str):
    place, _ = far_home
    first = socket_folder.find(place)
    if mood == "a file":
        first.touch(mode=0o600)
    else:
        first.mkdir(mode=0o700)
    if mood == "open to others":
        first.chmod(0o755)
    if mood == "a stranger's":
        given_to_a_stranger(first, monkeypatch)
    with pytest.raises(errors.StorageError, match=re.escape(str(first))):
        socket_folder.claim(first)
    assert socket_folder.find(place) != first


def test_the_users_own_runtime_folder_comes_first(far_home, monkeypatch):
    place, temporary = far_home
    runtime = temporary / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert socket_folder.find(place).parent == runtime
    runtime.chmod(0o755)
    assert socket_folder.find(place).parent == temporary


@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
@pytest.mark.parametrize("comma", [False, True], ids=["", "comma"])
def test_any_path_will_do(monkeypatch: pytest.MonkeyPatch, far: bool, comma: bool):  # R2
    odd = "a b ü' %20 #x 名" + ",b" * comma
    with short_folder("tusk-o-") as folder:
        (folder / odd).mkdir()
        place = TuskHome(folder / odd / (("long" * 20) if far else "home"))
        monkeypatch.setenv("TUSK_HOME", str(place))
        monkeypatch.setenv("TMPDIR", str(folder / odd))
        monkeypatch.setattr(socket_folder.tempfile, "tempdir", None)
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        client = Client(Places(place.path), source="t")
        try:
            assert client.call(control.ListRuns()).runs == ()
            where = sockets.socket_path(read_address(place / "core.json").address)
            assert (where.parent == place / "run") is not (far or comma)  # gRPC takes what follows for another address
            assert where.is_socket()
            client.call(control.SaveConnection(session=client.session, name="m", url="sqlite:///:memory:"))
            assert client.run(control.RunRequest(session="", connection="m", sql="SELECT 1")).rows == 1
        finally:
            client.link.forget()
            place.close()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a?b", "question mark"),
        ("a\\b", "backslash"),
        (os.fsdecode(b"bad\xff"), r"bad\\xff has a path that is no UTF-8"),
    ],
    ids=["question mark", "backslash", "no UTF-8"],
)
def test_a_path_that_duckdb_cannot_take_is_refused_at_once(tmp_path: Path, name: str, why: str):
    with pytest.raises(errors.StorageError, match=why) as refused:
        Places(tmp_path / name).prepare()
    assert str(refused.value).encode()
    assert list(tmp_path.iterdir()) == []


# --- the way there, and who listens at its end ---

WAYS = {
    "a stranger's": "belongs to another user",
    "a stranger's, sticky": "belongs to another user",
    "everybody's": "has mode 0777",
    "a group's": "has mode 0775",
    "by a stranger's link": "is a link of another user",
}


def opened_way(folder: Path, mood: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder that others may rename in, and return the path by which it is meant."""
    folder.mkdir()
    if mood == "a group's":
        (other,) = [one for one in grp.getgrall() if one.gr_name == "daemon"]  # of an account that is not ours
        owned(folder, monkeypatch, gid=other.gr_gid)
    folder.chmod({"a group's": 0o775, "everybody's": 0o777, "a stranger's, sticky": 0o1777}.get(mood, 0o755))
    if mood.startswith("a stranger's"):
        owned(folder, monkeypatch, uid=STRANGER)
    if mood != "by a stranger's link":
        return folder
    link = folder.with_name(folder.name + "-link")
    link.symlink_to(folder)
    owned(link, monkeypatch, uid=STRANGER)
    return link


@pytest.mark.parametrize("mood", WAYS)
def test_a_state_folder_that_somebody_else_could_replace_is_refused(tmp_path: Path, monkeypatch, mood: str):
    way = opened_way(tmp_path / "way", mood, monkeypatch)
    (tmp_path / "link").symlink_to(way / "below")
    for place in (way / "home", way / "deep" / "home", tmp_path / "link" / "home"):
        with pytest.raises(errors.StorageError, match=f"could be replaced by somebody else's: .*{WAYS[mood]}"):
            home.claim(place)
    assert list(way.iterdir()) == []


def test_a_link_that_goes_up_again_leads_where_the_system_follows_it(tmp_path: Path):
    for name, mode in (("closed", 0o700), ("open", 0o777)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to(Path("closed", "..", "open"))
    assert f"{tmp_path / 'open'} has mode 0777" in way.weakness(tmp_path / "link" / "home")


@pytest.mark.parametrize("mood", WAYS)
@pytest.mark.parametrize("variable", ["TMPDIR", "XDG_RUNTIME_DIR"])
def test_no_socket_lies_where_somebody_else_renames(far_home, monkeypatch, mood: str, variable: str):
    place, temporary = far_home
    way = opened_way(temporary / "way", mood, monkeypatch)
    if variable == "TMPDIR":
        monkeypatch.setattr(socket_folder.tempfile, "gettempdir", lambda: str(way))
    else:
        (way / "runtime").mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(way / "runtime"))
    assert way not in socket_folder.find(place).parents


def test_a_way_of_private_groups_and_sticky_folders_is_taken_and_what_is_missing_is_made_private(tmp_path: Path):
    sticky, private = tmp_path / "sticky", tmp_path / "sticky" / "private"
    sticky.mkdir()
    sticky.chmod(0o1777)
    private.mkdir()
    if os.geteuid() == 0:
        private.chmod(0o775)  # of root's own group
    before = os.umask(0)
    try:
        home.claim(private / "a" / "b" / "home")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(one.stat().st_mode) for one in private.rglob("*")} == {0o700}


LISTENER = """
import os, socket, sys
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({uid}); os.setuid({uid})
server = socket.socket(socket.AF_UNIX); server.bind({path!r}); os.chmod({path!r}, 0o777); server.listen()
print("up", flush=True)
sys.stdin.readline()
server.setblocking(False)
got = b""
try:
    while True:
        link, _ = server.accept(); link.settimeout(1)
        got += link.recv(65536)
except OSError:
    pass
print(len(got), flush=True)
"""


@pytest.mark.parametrize("mood", ["the socket is a stranger's", "only the listener is"])
def test_neither_token_nor_ticket_goes_to_another_accounts_listener(monkeypatch, mood: str):
    """Not as root, the listener is ours and we say that we are somebody else: to the file, or only to its process."""
    stranger_id = STRANGER
    if os.geteuid() != 0 and mood == "the socket is a stranger's":
        stranger_id = os.geteuid()
        monkeypatch.setattr(belongings, "user_id", lambda: os.geteuid() + 1)
    elif os.geteuid() != 0:
        monkeypatch.setattr(sockets, "_listener", lambda *_: STRANGER)
    with short_folder("tusk-l-") as folder:
        folder.chmod(0o777)
        path = folder / "c-0123456789abcdef.sock"
        words = [sys.executable, "-c", LISTENER.format(uid=STRANGER, path=str(path))]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stranger:
            assert stranger.stdout.readline() == "up\n"
            if mood == "only the listener is":
                owned(path, monkeypatch, uid=os.geteuid(), gid=os.getegid())
            address = sockets.address_of(path)
            for call in (
                lambda: Peer(address, "secret").call(control.Ping(), timeout_s=5.0),
                lambda: Drivers().at(flight.Location(address)),
            ):
                with pytest.raises(
                    errors.StorageError, match=rf"another user's \(uid {stranger_id}\), so nothing was sent"
                ):
                    call()
            received, _ = stranger.communicate("\n", timeout=30)
        assert received == "0\n"


@pytest.mark.parametrize("mood", ["a file", "sticky", "a home", "a project", "below a file"])
def test_core_status_says_that_none_will_start(tmp_path: Path, project: Path, mood: str):
    (tmp_path / "file").write_text("")
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    places = {"a file": tmp_path / "file", "sticky": sticky, "a home": tmp_path, "a project": project,
              "below a file": tmp_path / "file" / "home"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from tusk_jupyter.cli import main; main()", "core", "status"],
        env=os.environ | {"TUSK_HOME": str(places[mood]), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"none can be started: {'' if mood == 'a project' else 'The state folder '}{places[mood]}" in done.stderr
    assert done.returncode != 0
    places_free = Places(tmp_path / "free" / "home")
    places_free.examine()
    assert not places_free.home.parent.exists()


# --- what is believed and executed ---


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "executed"


def planted(folder: Path, marker: Path) -> None:
    """Put a driver that leaves a mark where drivers are looked for, and where the one used last is noted."""
    folder.mkdir(exist_ok=True)
    command = ["/bin/sh", "-c", f"touch '{marker}'"]
    (folder / "drivers").mkdir()
    (folder / "drivers" / "evil.json").write_text(json.dumps({"name": "evil", "command": command}))
    said = {"name": "evil", "command": command, "fingerprint": ""}
    (folder / "last-driver.json").write_text(json.dumps(said))
    for path in folder.rglob("*.json"):
        path.chmod(0o600)


def test_what_lay_in_an_open_home_is_not_executed_until_its_owner_says_so(tmp_path: Path, marker: Path):  # S10
    place = Places(tmp_path / "home")
    planted(place.home, marker)
    place.home.chmod(0o777)
    place.prepare()
    assert stat.S_IMODE(place.home.stat().st_mode) == 0o700
    assert head_start.begin(place) is None
    (evil,) = (one for one in Catalog(place).drivers() if one.name == "evil")
    assert evil.manifest is None
    assert "when others could write into" in evil.problem
    assert not marker.exists()
    wait_until(_clock_moves(tmp_path), 5.0, "the file system's clock has gone on")
    (place.drivers / "evil.json").chmod(0o600)
    Catalog(place).drivers()
    assert marker.exists()


def _clock_moves(folder: Path) -> Callable[[], bool]:
    """Return what says whether a file system's clock, which ticks a hundred times a second, has gone on."""

    def touched() -> int:
        (folder / "tick").write_text("")
        return (folder / "tick").stat().st_mtime_ns

    first = touched()
    return lambda: touched() > first


@pytest.mark.parametrize(
    "mood", ["a stranger's", "others may write", "a link", "others may write the folder", "the folder is a link"]
)
def test_a_driver_that_somebody_else_could_have_put_there_is_not_executed(
    tmp_path: Path, marker: Path, monkeypatch, mood: str
):  # S10
    place = Places(tmp_path / "home")
    planted(place.home, marker)
    place.prepare()
    path = place.drivers / "evil.json"
    if mood == "others may write":
        path.chmod(0o666)
        place.last_driver.chmod(0o666)
    elif mood == "others may write the folder":
        place.drivers.chmod(0o777)
        place.last_driver.chmod(0o666)
    elif mood == "the folder is a link":
        place.drivers.rename(tmp_path / "theirs")
        place.drivers.symlink_to(tmp_path / "theirs")
        place.last_driver.chmod(0o666)
    elif mood == "a link":
        for one in (path, place.last_driver):
            one.rename(tmp_path / one.name)
            one.symlink_to(tmp_path / one.name)
    else:
        given_to_a_stranger(path, monkeypatch)
        given_to_a_stranger(place.last_driver, monkeypatch)
    assert head_start.begin(place) is None
    (evil,) = (one for one in Catalog(place).drivers() if one.name == "evil")
    assert evil.manifest is None
    assert re.search(r"is a link" if "link" in mood else r"is not used", evil.problem)
    assert not marker.exists()


def test_what_drivers_said_of_themselves_is_asked_anew_where_others_could_write_it(tmp_path: Path):  # S10
    place = Places(tmp_path / "home")
    place.prepare()
    manifest = Catalog(place).named("sqlite").manifest
    said = json.loads(place.driver_cache.read_text())
    said["sqlite"]["manifest"]["schemes"] = ["evil"]
    for mode, believed in ((0o600, True), (0o666, False)):
        place.driver_cache.write_text(json.dumps(said))
        place.driver_cache.chmod(mode)
        assert (Catalog(place).named("sqlite").manifest != manifest) is believed


@pytest.mark.parametrize("mood", ["a stranger's", "others may read", "a link", "a fifo", "a folder", "too deep"])
def test_an_address_that_the_core_did_not_write_leads_nowhere(tmp_path: Path, monkeypatch, mood: str):
    path = tmp_path / "core.json"
    said = {"address": "grpc+unix:///evil", "token": "t", "pid": 1, "version": "0", "protocol": 1}
    path.write_text(json.dumps(said))
    path.chmod(0o600)
    assert read_address(path) is not None
    if mood == "a stranger's":
        given_to_a_stranger(path, monkeypatch)
    elif mood == "others may read":
        path.chmod(0o644)
    elif mood == "too deep":
        path.write_text("[" * 50_000)
    else:
        path.rename(tmp_path / "other")
        if mood == "a link":
            path.symlink_to(tmp_path / "other")
        elif mood == "a fifo":
            os.mkfifo(path)
        else:
            path.mkdir()
    assert read_address(path) is None


RANDOM = (b"", b"\xff", b"{", b"[]", b"null", b"\x00" * 9, b'{"name": 1, "command": [1], "fingerprint": ""}', b"[" * 70_000,
          b'{"name": "x", "command": [], "fingerprint": ""}', b'{"name": "x", "command": ["/\\u0000"], "fingerprint": ""}',
          b'{"name": "x", "command": ["\\ud800"], "fingerprint": "\\ud800"}', b'{"name": "\xe4"}')  # fmt: skip


@pytest.mark.parametrize("content", RANDOM, ids=range(len(RANDOM)))
def test_a_cache_that_cannot_be_read_is_no_cache(tmp_path: Path, content: bytes):  # R17
    place = Places(tmp_path / "home")
    place.prepare()
    private_files.write_private(place.last_driver, content)
    private_files.write_private(place.driver_cache, content)
    assert head_start.begin(place) is None
    assert "sqlite" in {one.name for one in Catalog(place).drivers() if one.manifest}
    head_start.remember(place, "sqlite", ("a",), "b")
    assert json.loads(place.last_driver.read_text())["command"] == ["a"]


def test_another_environments_driver_is_not_adopted(tmp_path: Path):  # R18
    from tusk_jupyter.launch.spares import Spares

    with short_folder("tusk-a-") as folder:
        place = Places(folder / "h")
        place.prepare()
        driver = Catalog(place).named("sqlite")
        for command, fingerprint in (
            ((*driver.command[:1], "-X", "utf8", *driver.command[1:]), driver.fingerprint),
            (driver.command, "of another version"),
            (driver.command, driver.fingerprint),
        ):
            head_start.remember(place, "sqlite", command, fingerprint)
            spares = Spares(Catalog(place), on_exit=lambda _: None)
            started = head_start.begin(place)
            spares.adopt(started)
            same = (command, fingerprint) == (driver.command, driver.fingerprint)
            assert [one.pid for one in spares.processes] == ([started.child.process.pid] if same else [])
            spares.close()
            started.child.abandon()
            assert started.child.exit_code(10.0) is not None


def test_every_file_of_ours_is_opened_without_waiting(tmp_path: Path):  # S15: a FIFO, a socket, a device, a folder
    path, listener = tmp_path / "vault.json", socket.socket(socket.AF_UNIX)
    makers = {
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "device": lambda: path.symlink_to("/dev/zero"),
        "socket": lambda: listener.bind(str(path)),
    }
    for name, make in makers.items():
        make()
        for reading in (private_files.read_private, private_files.read_unchanged):
            with pytest.raises((errors.StorageError, OSError)):
                reading(path, max_bytes=10)
        if name == "folder":
            path.rmdir()
        else:
            path.unlink()
    listener.close()


def test_a_removed_tree_takes_no_link_with_it(tmp_path: Path):
    victim = tmp_path / "victim"
    (victim / "deep").mkdir(parents=True)
    folder = tmp_path / "p-0123456789abcdef"
    folder.mkdir()
    (folder / "link").symlink_to(victim)
    belongings.remove_working_folder(folder)
    assert not folder.exists()
    assert (victim / "deep").is_dir()
    (tmp_path / "p-0123456789abcdef").symlink_to(victim)
    belongings.remove_working_folder(folder)
    assert (victim / "deep").is_dir()


def test_only_what_is_ours_by_name_by_kind_and_by_owner_is_removed(tmp_path: Path, monkeypatch):  # S1
    """Each that stays lacks one of the three."""
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    for name in ("core.log", "theirs.log", "core.err"):
        (tmp_path / name).touch()
    os.mkfifo("core.crash")
    for name in ("c-0123456789abcdef.sock", "theirs.sock"):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(name)
    for name in ("p-0123456789abcdef", "p-fedcba9876543210"):
        (tmp_path / name).mkdir()
    given_to_a_stranger(tmp_path / "core.err", monkeypatch)
    given_to_a_stranger(tmp_path / "p-fedcba9876543210", monkeypatch)
    for one in list(tmp_path.iterdir()):
        belongings.discard(one)
        belongings.remove_working_folder(one)
    left = {one.name for one in tmp_path.iterdir()}
    assert left == {"theirs.log", "core.err", "core.crash", "theirs.sock", "p-fedcba9876543210"}


def test_a_relative_state_folder_is_refused(monkeypatch):
    monkeypatch.setenv("TUSK_HOME", "state")
    with pytest.raises(errors.StorageError, match="a relative path: each folder"):
        Places.of_environment()


def test_a_state_folder_in_the_home_of_nobody_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setenv("TUSK_HOME", "~nobody9/state")
    with pytest.raises(errors.StorageError, match=r"TUSK_HOME: .* the home folder of nobody9, which is not known"):
        Places.of_environment()

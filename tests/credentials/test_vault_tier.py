"""Where the vault's key comes from, who may read its file, and what a crash leaves. # R-16, C-09, QB-47"""

from __future__ import annotations

import base64
import os
import random
import signal
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tusk_jupyter.errors import CredentialError, UsageError
from tusk_jupyter.tiers.vault import FILE_NAME, VaultTier

RAW = bytes(range(32))
REF = f"conn:{uuid.uuid4()}:password"


def vault(folder: Path, **environ: str) -> VaultTier:
    return VaultTier(folder / FILE_NAME, {"PATH": os.environ["PATH"], **environ})


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A folder with a vault that opens with `RAW`."""
    vault(tmp_path, TUSK_MASTER_KEY=RAW.hex()).store(REF, "kept")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        RAW.hex(),
        RAW.hex().upper(),
        base64.b64encode(RAW).decode(),
        base64.b64encode(RAW).decode().rstrip("="),
        base64.urlsafe_b64encode(RAW).decode(),
        f"  {RAW.hex()}\n",
    ],
)
def test_a_master_key_in_any_of_its_forms(sealed: Path, text: str) -> None:
    assert vault(sealed, TUSK_MASTER_KEY=text).get(REF) == "kept"


@pytest.mark.parametrize(
    "text", ["short", "zz" * 32, RAW.hex()[:-2], RAW.hex() + "00", "ä" * 43, "correct horse battery"]
)
def test_what_is_no_key_is_refused_without_being_repeated(sealed: Path, text: str) -> None:
    tier = vault(sealed, TUSK_MASTER_KEY=text)
    with pytest.raises(CredentialError, match="TUSK_MASTER_KEY holds no key") as caught:
        tier.get(REF)
    assert text not in str(caught.value)
    found = tier.viable()
    assert (found.usable, found.retryable) == (False, True)


def test_a_key_file(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    key_file = tmp_path_factory.mktemp("keys") / "key"
    key_file.touch(0o600)
    key_file.write_text(RAW.hex() + "\n")
    tier = vault(sealed, TUSK_MASTER_KEY_FILE=str(key_file))
    assert tier.get(REF) == "kept"
    assert tier.warning is None


def test_a_key_file_beside_the_vault_works_with_a_warning(sealed: Path) -> None:
    key_file = sealed / "key"
    key_file.touch(0o600)
    key_file.write_text(RAW.hex())
    tier = vault(sealed, TUSK_MASTER_KEY_FILE=str(key_file))
    assert tier.get(REF) == "kept"
    assert "beside the vault" in (tier.warning or "")
    assert "beside the vault" in tier.viable().reason


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_file_that_others_can_touch_is_refused(sealed: Path, tmp_path: Path, mode: int) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(RAW.hex())
    key_file.chmod(mode)
    with pytest.raises(CredentialError, match=f"{mode:04o}") as caught:
        vault(sealed, TUSK_MASTER_KEY_FILE=str(key_file)).get(REF)
    assert "chmod 600" in (caught.value.hint or "")


def test_a_missing_key_file_is_named(sealed: Path) -> None:
    with pytest.raises(CredentialError, match="/nonexistent/key"):
        vault(sealed, TUSK_MASTER_KEY_FILE="/nonexistent/key").get(REF)
    with pytest.raises(CredentialError, match="TUSK_MASTER_KEY_FILE: '~nobody-here/key' begins at the home"):
        vault(sealed, TUSK_MASTER_KEY_FILE="~nobody-here/key").get(REF)


def test_a_key_command(sealed: Path) -> None:
    assert vault(sealed, TUSK_MASTER_KEY_COMMAND=f"printf '{RAW.hex()}\\nmore\\n'").get(REF) == "kept"


def test_a_key_command_that_fails_is_retried_next_time(sealed: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ready"
    tier = vault(sealed, TUSK_MASTER_KEY_COMMAND=f"test -e {marker} && echo {RAW.hex()} || {{ echo no >&2; exit 7; }}")
    with pytest.raises(CredentialError, match="TUSK_MASTER_KEY_COMMAND failed with exit status 7"):
        tier.get(REF)
    marker.touch()
    assert tier.get(REF) == "kept"


def test_a_key_command_that_gave_another_key_is_asked_again(sealed: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("00" * 32)
    tier = vault(sealed, TUSK_MASTER_KEY_COMMAND=f"cat {key}")
    with pytest.raises(CredentialError, match="not its key"):
        tier.get(REF)
    key.write_text(RAW.hex())
    assert tier.get(REF) == "kept"


def test_two_sources_of_the_key_are_refused_by_name(sealed: Path) -> None:
    with pytest.raises(CredentialError, match="TUSK_MASTER_KEY and TUSK_MASTER_KEY_COMMAND are both set"):
        vault(sealed, TUSK_MASTER_KEY=RAW.hex(), TUSK_MASTER_KEY_COMMAND="true").get(REF)


def test_without_a_key_it_says_which_ways_there_are(sealed: Path, tmp_path: Path) -> None:
    tier = vault(sealed)
    with pytest.raises(CredentialError, match="locked") as caught:
        tier.get(REF)
    for way in ("TUSK_MASTER_KEY", "TUSK_MASTER_KEY_FILE", "TUSK_MASTER_KEY_COMMAND", "tusk credentials unlock"):
        assert way in (caught.value.hint or "")
    empty = vault(tmp_path / "none").viable()
    assert (empty.usable, empty.retryable) == (False, False)
    assert "tusk credentials unlock" in empty.reason


def test_a_locked_vault_knows_what_it_does_not_hold(sealed: Path) -> None:
    """So a connection that never was in it can be removed without its passphrase."""
    tier = vault(sealed)
    assert tier.delete(f"conn:{uuid.uuid4()}:password") is False
    with pytest.raises(CredentialError, match="locked"):
        tier.delete(REF)


def test_a_passphrase_does_not_open_a_vault_with_a_master_key(sealed: Path) -> None:
    with pytest.raises(CredentialError, match="master key"):
        vault(sealed).unlock("some passphrase")


def test_a_new_vault_takes_the_master_key_that_is_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="TUSK_MASTER_KEY"):
        vault(tmp_path, TUSK_MASTER_KEY=RAW.hex()).unlock("some passphrase")


def test_a_new_passphrase_has_eight_characters_or_more(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="8 characters"):
        vault(tmp_path).unlock("1234567")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777])
def test_a_vault_that_others_can_touch_is_refused(sealed: Path, mode: int) -> None:
    path = sealed / FILE_NAME
    path.chmod(mode)
    tier = vault(sealed, TUSK_MASTER_KEY=RAW.hex())
    before = path.read_bytes()
    for call in (lambda: tier.get(REF), lambda: tier.store(REF, "new"), lambda: tier.delete(REF)):
        with pytest.raises(CredentialError, match=f"{mode:04o}") as caught:
            call()
        assert "chmod 600" in (caught.value.hint or "")
    assert path.read_bytes() == before
    assert not tier.viable().usable


def test_a_vault_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(CredentialError):
        vault(tmp_path, TUSK_MASTER_KEY=RAW.hex()).get(REF)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_it_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        tier = vault(tmp_path / "made", TUSK_MASTER_KEY=RAW.hex())
        tier.store(REF, "kept")
        tier.store(REF, "again")
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "made" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_old_vault(sealed: Path) -> None:
    """A limit on the size of files stands for the disk. # C-01"""
    script = (
        "import resource, signal, sys; from pathlib import Path;"
        "from tusk_jupyter.tiers.vault import VaultTier; from tusk_jupyter.errors import CredentialError;"
        f"tier = VaultTier(Path({str(sealed / FILE_NAME)!r}), {{'TUSK_MASTER_KEY': {RAW.hex()!r}}});"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512));\n"
        f"try: tier.store({REF!r}, 'x' * 4096)\n"
        "except CredentialError as exc: print(exc.message)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "could not be written" in told.stdout
    assert vault(sealed, TUSK_MASTER_KEY=RAW.hex()).get(REF) == "kept"
    assert [each.name for each in sealed.iterdir()] == [FILE_NAME]


def test_the_folder_is_synced_after_the_rename(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-06"""
    happened = []
    sync, replace_file = os.fsync, Path.replace

    def noted(descriptor: int) -> None:
        happened.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Path, "replace", lambda a, b: (happened.append("rename"), replace_file(a, b)))
    vault(sealed, TUSK_MASTER_KEY=RAW.hex()).store(REF, "new")
    assert happened == ["sync file", "rename", "sync folder"]


@pytest.mark.parametrize("kills", [12, pytest.param(100, marks=pytest.mark.soak)])
def test_a_killed_writer_leaves_the_old_or_the_new_vault(tmp_path: Path, kills: int) -> None:
    """kill -9 at random instants: what was acknowledged is there, and a started store at most one ahead. # R-22"""
    script = (
        "import sys; from pathlib import Path; from tusk_jupyter.tiers.vault import VaultTier\n"
        f"tier = VaultTier(Path({str(tmp_path / FILE_NAME)!r}), {{'TUSK_MASTER_KEY': {RAW.hex()!r}}})\n"
        f"number = int(tier.get({REF!r}) or 0)\n"
        "while True:\n"
        "    number += 1\n"
        f"    tier.store({REF!r}, str(number)); print(number, flush=True)\n"
    )
    chance = random.Random(7)
    acknowledged = 0
    for _ in range(kills):
        writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        try:
            writer.wait(chance.random() * 0.05)
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
        left, _ = writer.communicate()
        acknowledged = max([acknowledged, *map(int, left.split())])
        found = int(vault(tmp_path, TUSK_MASTER_KEY=RAW.hex()).get(REF) or 0)
        assert found in (acknowledged, acknowledged + 1)
    assert {each.name for each in tmp_path.iterdir()} <= {FILE_NAME, FILE_NAME + ".new"}
    vault(tmp_path, TUSK_MASTER_KEY=RAW.hex()).store(REF, "last")
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]

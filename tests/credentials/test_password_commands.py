"""Commands of the user's own that print a password. # R-11, C-07"""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from services import wait_until

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.tiers import Credentials
from tusk_jupyter.tiers.commands import run_secret_command


def run(command: str, limit_s: float = 20.0, **environ: str) -> str:
    return run_secret_command(
        command, environ={"PATH": os.environ["PATH"], **environ}, purpose="password command", limit_s=limit_s
    )


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("printf 'plain'", "plain"),
        ("printf 'first\\nsecond\\n'", "first"),
        ("printf 'windows\\r\\n'", "windows"),
        ("printf '  spaces  \\n'", "  spaces  "),
        ("printf 'd\\303\\266ner\\n'", "döner"),
        ("echo a | tr a b", "b"),
        ("printf '%s' \"$FROM_CORE\"", "of the core"),
    ],
)
def test_the_first_line_is_the_password(command: str, answer: str) -> None:
    assert run(command, FROM_CORE="of the core") == answer


def test_much_output_and_many_messages_do_not_block_it() -> None:
    assert run("echo first; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2") == "first"


def test_a_failure_shows_its_messages_and_never_its_output() -> None:
    with pytest.raises(CredentialError, match="exit status 3") as caught:
        run("echo canary-out; echo 'vault is sealed' >&2; exit 3")
    assert caught.value.detail == "vault is sealed"
    assert "canary-out" not in f"{caught.value} {caught.value.detail} {caught.value.hint}"


@pytest.mark.parametrize(
    "command",
    [
        "echo Geheim-17 >&2; exit 1",
        "echo Geheim; echo 'cannot store Geheim here' >&2; exit 1",
        "set -x; : Geheim; exit 1",
        "echo 'the item holds Geheim-17, and that is no key' >&2; exit 1",
        "echo 'error: password=Geheim' >&2; exit 1",
        "echo 'https://u:Geheim@h failed' >&2; exit 1",
        "echo Geheim17xyz >&2",
        "echo Geheim >&2; exit 1",
        "printf 'Ge\\nGeheim\\n'; echo 'cannot store Geheim here' >&2; exit 1",
        "echo 'the item holds GeheimAbC and no key' >&2; exit 1",
        "echo 'the item holds heim17 and no key' >&2; exit 1",
    ],
)
def test_a_secret_among_its_messages_is_not_shown(command: str, tmp_path: Path) -> None:
    script = tmp_path / "get"
    script.write_text(command)
    with pytest.raises(CredentialError) as caught:
        run(f"sh {script}")
    assert "heim" not in f"{caught.value} {caught.value.detail} {caught.value.hint}"


@pytest.mark.parametrize(
    "message",
    [
        "[ERROR] You are not currently signed in. Please run `op signin --help` for instructions",
        "gpg: decryption failed: No secret key",
        "Error: db/prod is not in the password store.",
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: denied",
        "/bin/sh: 1: no-such-program: not found",
    ],
)
def test_a_sentence_among_its_messages_is_shown(message: str) -> None:
    with pytest.raises(CredentialError) as caught:
        run(f"echo '{message}' >&2; exit 1")
    assert caught.value.detail == message


@pytest.mark.parametrize("command", ["true", "echo", "printf '\\nsecond line'", "printf '\\377\\376'", "exit 0"])
def test_no_password_is_an_error(command: str) -> None:
    with pytest.raises(CredentialError, match="printed"):
        run(command)


def test_an_unknown_program_says_so() -> None:
    with pytest.raises(CredentialError, match="exit status 127") as caught:
        run("no-such-program-here --password")
    assert "no-such-program-here" in (caught.value.detail or "")


def test_it_cannot_read_what_the_core_reads() -> None:
    assert run("cat; echo end") == "end"


def test_one_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(CredentialError, match=r"did not end within 0\.5 s"):
        run(f"sleep 1000 & echo $! > {note}; echo canary; wait", limit_s=0.5)
    child = int(note.read_text())
    wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_an_agent_that_it_leaves_behind_does_not_hold_it(tmp_path: Path) -> None:
    """As gpg-agent does for `pass`; here one that keeps the pipe open."""
    note = tmp_path / "pid"
    assert run(f"sleep 1000 & echo $! > {note}; echo the password") == "the password"
    psutil.Process(int(note.read_text())).kill()


def test_credentials_run_it_in_the_core_s_environment(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path, {"PATH": os.environ["PATH"], "VAULT_TOKEN": "of the core"})
    assert credentials.run_password_command('echo "$VAULT_TOKEN"') == "of the core"

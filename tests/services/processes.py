"""A server process in a private folder, under a guardian."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from services.waiting import wait_until

START_S = 90.0
"""How long a server may take to answer; a loaded two-core machine needs up to 20 s for a first MariaDB."""


class MissingProgram(RuntimeError):
    """A server's program is not installed. The tests fail with this; they are never skipped."""


def find_program(name: str, *, package: str, folders: Sequence[str] = ()) -> Path:
    """Return the path of a server's program.

    Args:
        name: of the executable.
        package: Debian package that holds it, for the message.
        folders: glob patterns looked in before PATH; the highest version number wins.

    Raises:
        MissingProgram: it is not there; says how to install it.
    """
    found = [
        path / name for pattern in folders for path in Path("/").glob(pattern.lstrip("/")) if (path / name).exists()
    ]
    if found:
        return max(found, key=_version)
    for path in (shutil.which(name), f"/usr/sbin/{name}", f"/usr/local/sbin/{name}"):
        if path and Path(path).exists():
            return Path(path)
    raise MissingProgram(
        f"The tests need the program {name!r} and it is not installed. "
        f"Run `make test-system`, or install it yourself (Debian, Ubuntu: `apt-get install {package}`)."
    )


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parts if part.isdigit())


def server_user(*preferred: str) -> pwd.struct_passwd | None:
    """Return the user a server runs as: None for oneself, another one when we are root (PostgreSQL refuses root)."""
    if os.geteuid() != 0:
        return None
    for name in (*preferred, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise MissingProgram("As root the test servers run as another user, and there is not even `nobody` here.")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server's folder and process. `close()` is idempotent and leaves neither.

    The folder lies right below the temporary folder because a Unix socket's path has at most 107 bytes.
    """

    def __init__(self, name: str, *, user: pwd.struct_passwd | None, stop_signal: int = signal.SIGTERM) -> None:
        self.name = name
        self.user = user
        self.stop_signal = stop_signal
        self.folder = Path(tempfile.mkdtemp(prefix=f"tusk-{name}-", dir=short_temporary_folder()))
        self._guardian: subprocess.Popen[bytes] | None = None
        self.own(self.folder)

    def own(self, path: Path) -> Path:
        """Give a file or folder to the server's user, and to nobody else."""
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def run(self, command: Sequence[str | Path]) -> None:
        """Run a preparing command as the server's user and wait for it.

        Raises:
            RuntimeError: it failed; with its output.
        """
        switch = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        done = subprocess.run(
            [str(part) for part in command], cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            check=False, **switch,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed with {done.returncode}:\n{done.stdout}\n{done.stderr}")

    def start(self, command: Sequence[str | Path], ready: Callable[[], bool]) -> None:
        """Start the server and wait until it is ready.

        Raises:
            RuntimeError: it ended instead; with its log.
        """
        order = {
            "folder": str(self.folder), "command": [str(part) for part in command],
            "stop_signal": int(self.stop_signal),
            "uid": self.user.pw_uid if self.user else None, "gid": self.user.pw_gid if self.user else None,
        }  # fmt: skip
        guardian = Path(__file__).with_name("guardian.py")
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", str(guardian), json.dumps(order)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
            # It outlives the home of the test that happens to be the first to want it.
            env={name: value for name, value in os.environ.items() if not name.startswith("TUSK_")},
        )  # fmt: skip
        try:
            wait_until(lambda: self._exited() or ready(), START_S)
        except AssertionError:
            raise RuntimeError(f"{self.name} did not answer within {START_S:g} s; its log:\n{self.log()}") from None
        if self._exited():
            raise RuntimeError(f"{self.name} ended at its start; its log:\n{self.log()}")

    def _exited(self) -> bool:
        return (self.folder / "exited").exists()

    def log(self) -> str:
        """Return what the server wrote so far."""
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """End the server and remove its folder."""
        guardian, self._guardian = self._guardian, None
        if guardian and guardian.stdin:
            guardian.stdin.close()
            guardian.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


def short_temporary_folder() -> str:
    """Return where private folders go: a Unix socket's path has at most 107 bytes, and macOS's own choice takes 49."""
    folder = tempfile.gettempdir()
    return folder if len(folder) < 40 else "/tmp"

"""Where things lie: one state folder, everything else below it.

`TUSK_HOME` moves it whole. Sockets are the exception when the folder's path is too long for one: AF_UNIX takes 104 bytes on
macOS and 108 on Linux. Then they go to a folder of this user in the temporary directory, named after the state folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tusk_jupyter.errors import StorageError

LONGEST_SOCKET = 104
_NAME_ROOM = len("/d-0123456789abcdef.sock")


@dataclass(frozen=True, slots=True)
class Places:
    """The state folder and what is in it."""

    home: Path

    @classmethod
    def of_environment(cls) -> Places:
        """Return the places of `TUSK_HOME`, or of the platform's data folder for this user."""
        told = os.environ.get("TUSK_HOME")
        home = Path(told).expanduser() if told else Path(platformdirs.user_data_dir("tusk-jupyter", appauthor=False))
        return cls(home.absolute())

    @property
    def address_file(self) -> Path:
        """Where the running core says how to reach it; holds its token, so 0600."""
        return self.home / "core.json"

    @property
    def core_lock(self) -> Path:
        """Held by the core for as long as it lives."""
        return self.home / "core.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one client that starts a core."""
        return self.home / "start.lock"

    @property
    def log_file(self) -> Path:
        """The core's diagnostic log: ids, sizes and codes only."""
        return self.home / "core.log"

    @property
    def drivers(self) -> Path:
        """Manifests of the user's own drivers."""
        return self.home / "drivers"

    @property
    def driver_cache(self) -> Path:
        """What drivers said of themselves, so that a start need not ask them again."""
        return self.home / "drivers.json"

    @property
    def last_driver(self) -> Path:
        """Which driver was used last, for a head start."""
        return self.home / "last-driver.json"

    @property
    def run(self) -> Path:
        """Folder of the sockets."""
        near = self.home / "run"
        if len(os.fsencode(near)) + _NAME_ROOM <= LONGEST_SOCKET:
            return near
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tusk-{_user()}-{name}"

    def prepare(self) -> None:
        """Make the folders, for this user alone.

        Raises:
            StorageError: one cannot be made, or belongs to somebody else.
        """
        for folder in (self.home, self.run):
            _own_folder(folder)


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _own_folder(folder: Path) -> None:
    """Make `folder` 0700; a link or another user's folder planted in its place is refused (R-15)."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as exc:
        raise StorageError(
            f"The state folder {folder} cannot be made: {exc.strerror}.",
            hint="Set TUSK_HOME to a folder that you may write to.",
        ) from exc
    if not hasattr(os, "getuid"):
        return
    if stat.S_ISLNK(found.st_mode) and folder.name == "run":
        raise StorageError(f"{folder} is a link; sockets are only made in a real folder.", hint="Remove the link.")
    if folder.stat().st_uid != os.getuid():
        raise StorageError(f"{folder} belongs to another user.", hint="Set TUSK_HOME to a folder of your own.")
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)

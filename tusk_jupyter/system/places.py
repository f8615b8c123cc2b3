"""Where things lie: one state folder, everything else below it; `TUSK_HOME` moves it whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tusk_jupyter.errors import StorageError, UsageError
from tusk_jupyter.system.working_folder import expanded


@dataclass(frozen=True, slots=True)
class Places:
    """The state folder and what is in it."""

    home: Path

    @classmethod
    def of_environment(cls) -> Places:
        """Return the places of `TUSK_HOME`, or of the platform's data folder for this user.

        Raises:
            StorageError: `TUSK_HOME` is a relative path, or begins at a home that is not known.
        """
        told = os.environ.get("TUSK_HOME")
        try:
            named = expanded(told) if told else Path(platformdirs.user_data_dir("tusk-jupyter", appauthor=False))
        except UsageError as exc:
            raise StorageError(f"TUSK_HOME: {exc.message}", hint="Set TUSK_HOME to an absolute path.") from None
        if told and not named.is_absolute():
            raise StorageError(
                f"TUSK_HOME is {told!r}, a relative path: each folder that a program starts in would have its own state.",
                hint="Set TUSK_HOME to an absolute path.",
            )
        return cls(named)

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
    def words_file(self) -> Path:
        """What the core's libraries write to its standard error."""
        return self.home / "core.err"

    @property
    def crash_file(self) -> Path:
        """The stacks of a core that crashed, for the log of the next one."""
        return self.home / "core.crash"

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
        """Folder of the sockets: in the state folder, or where a socket's path is short enough and nobody else writes.

        Raises:
            StorageError: there is no such place.
        """
        from tusk_jupyter.system import socket_folder  # here as below: a client whose core is up needs none of it

        return socket_folder.find(self.home)

    def prepare(self) -> None:
        """See that the state folder and the folder of the sockets are there, and are this user's alone.

        Raises:
            StorageError: one cannot be made, belongs to somebody else, or holds what is not ours.
        """
        from tusk_jupyter.system import home, socket_folder

        home.claim(self.home)
        socket_folder.claim(self.run)

    def examine(self) -> None:
        """See whether `prepare` would do; nothing is made or changed.

        Raises:
            StorageError: as `prepare`.
        """
        from tusk_jupyter.system import home, socket_folder

        home.examine(self.home)
        socket_folder.find(self.home)

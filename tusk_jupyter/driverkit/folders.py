"""The folder in which relative paths of the user's SQL begin: the notebook's, which the client sends with each run.

It is for engines that open files in this process. A working directory is the process's own, while a process may serve
notebooks in several folders. As long as they are all in one, that one is the working directory. Otherwise it is a folder
that has been removed: the system itself then neither opens nor makes anything under a relative path (ENOENT, for root
too), so no path can mean a file of another notebook's folder, nor end in a private folder that goes with the process.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tusk_jupyter import errors

PATIENCE_S = 10.0
"""How long a run waits for statements of another folder that have relative paths open, before it is refused."""

_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session's relative paths lead."""

    folder: str | None
    """The notebook's folder; None where the client named none."""
    problem: str | None = None
    """Why they lead nowhere; None where they begin at `folder`."""
    shared: bool = False
    """Whether that is because notebooks in other folders use this process, too."""

    def hint(self, usual: str | None) -> str | None:
        """Return what to do about a file that was not found."""
        if self.problem is not None:
            return f"{self.problem} Write the absolute path."
        return (
            f"Check the path; a relative one begins at the notebook's folder, {self.folder}." if self.folder else usual
        )


_beginning_at = functools.lru_cache(maxsize=64)(Place)
"""Kept from run to run, as most name the same folder."""

NOWHERE = Place(None, "The program that asked named no folder, so a relative path leads nowhere.")


class Folders:
    """The working directory of this process, and who wants which; thread-safe."""

    def __init__(self) -> None:
        """Begin with the directory that the process was started in, which nobody asked for."""
        self._wanted: dict[object, str] = {}
        self._held: set[object] = set()
        self._now: str | None = None
        self._here: tuple[int, int] | None = None
        """Identity of the working directory: its name may lead to another one by now, made after this one was removed."""
        self._moved = False
        self._changed = threading.Condition()

    def enter(self, session: object, folder: str | None, *, holds: bool, stopped: threading.Event) -> Place:
        """Make `folder` the working directory for a statement, or nothing where others need another; then `leave`.

        Args:
            session: who asks; known until `forget`.
            folder: absolute; "" when it is gone, None when the client named none.
            holds: the statement may open relative paths for as long as it runs, so the directory must stay.
            stopped: ends the wait for others.

        Raises:
            TimeoutExceeded: a statement of another folder holds the directory.
            Cancelled: `stopped` was set.
        """
        with self._changed:
            if folder is None:
                self._wanted.pop(session, None)
            else:
                self._wanted[session] = folder
            target = self._agreed(session, stopped)
            if target is None:
                self._leave_for_nowhere()
                place = self._shared(folder) if self._wanted else NOWHERE
            else:
                place = self._go(target, folder)
            if holds:
                self._held.add(session)
            return place

    def leave(self, session: object) -> None:
        """End the session's statement; idempotent."""
        if session in self._held:
            with self._changed:
                self._held.discard(session)
                self._changed.notify_all()

    def forget(self, session: object) -> None:
        """Ask for nothing more; the directory is given back with the next statement of another session."""
        with self._changed:
            self._wanted.pop(session, None)
            self._held.discard(session)
            self._changed.notify_all()

    def _agreed(self, session: object, stopped: threading.Event) -> str | None:
        """Return the folder that all want, None where there is no such one; waits for statements that need another.

        What is wanted may change during the wait, so it is asked for behind it.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            wanted = set(self._wanted.values())
            target = wanted.pop() if len(wanted) == 1 else None
            if not self._moved or self._now in (None, target) or not self._held - {session}:
                return target
            if stopped.is_set():
                raise errors.Cancelled("The wait for another notebook was cancelled.", scenario="cancelled_by_user")
            if time.monotonic() >= deadline:
                raise errors.TimeoutExceeded(
                    f"Another notebook, in {self._now}, uses this file too, and its statement has relative paths open.",
                    hint="Run the cell again when that has ended (`%tusk running`), or give that notebook absolute paths.",
                    scenario="session_busy",
                )
            self._changed.wait(_LOOK_S)

    def _shared(self, folder: str | None) -> Place:
        others = ", ".join(sorted(one or "(gone)" for one in set(self._wanted.values()) - {folder}))
        return Place(
            folder,
            f"Notebooks in other folders ({others}) use this file too: a relative path leads nowhere.",
            shared=True,
        )

    def _go(self, target: str, folder: str | None) -> Place:
        try:
            if not target:
                raise FileNotFoundError
            if not (self._now == target and _identity(target) == self._here):
                os.chdir(target)
                self._here = _identity(".")
            self._now, self._moved = target, True
        except OSError as exc:
            self._leave_for_nowhere()
            return Place(folder, _problem(target, exc))
        return _beginning_at(target if folder is None else folder)

    def _leave_for_nowhere(self) -> None:
        if self._now is None and self._moved:
            return
        nowhere = Path(tempfile.mkdtemp(prefix="nowhere-"))
        os.chdir(nowhere)
        with contextlib.suppress(OSError):  # Windows removes no directory that is in use; it stays empty
            nowhere.rmdir()
        self._now, self._moved = None, True


def _identity(folder: str) -> tuple[int, int]:
    found = os.stat(folder)  # noqa: PTH116  # on the way of every run
    return found.st_dev, found.st_ino


def _problem(folder: str, exc: OSError) -> str:
    if not folder or isinstance(exc, FileNotFoundError | NotADirectoryError):
        return f"The notebook's folder{f' {folder}' if folder else ''} is gone, so a relative path leads nowhere."
    return f"The notebook's folder {folder} cannot be entered ({exc.strerror}), so a relative path leads nowhere."


FOLDERS = Folders()
"""This process's."""

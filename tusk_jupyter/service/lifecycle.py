"""The life of a core process: alone, reachable, ticking, gone.

Being alone is a lock on a file in the state folder that the system releases with the process, however it ends; a second core
finds it held and leaves without a word. Being reachable is `core.json`, written when everything stands, so that a client that
can read it can call.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from tusk_jupyter import errors
from tusk_jupyter.launch import head_start
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.errors import to_extra_info
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import belongings, hardening, home, open_files, processes, socket_folder, sockets
from tusk_jupyter.system.address import MAX_BYTES, Address, read_address
from tusk_jupyter.system.lean import kept_out
from tusk_jupyter.system.locks import FileLock, unusable
from tusk_jupyter.system.places import Places
from tusk_jupyter.system.private_files import open_own, read_private, write_private
from tusk_jupyter.version import __version__
from tusk_jupyter.visible import visible

if TYPE_CHECKING:
    from tusk_jupyter.service.core import Core
    from tusk_jupyter.service.server import CoreServer

TICK_S = 0.2
ALONE_AFTER_S = 0.1
AGAIN_S = 1.0
"""Between attempts to be found again, where that is not possible."""
CRASH_BYTES = 64 * 1024
"""Of the stacks that a crashed core has left."""

_LOG = logging.getLogger(__name__)


def run(*, report: bool = False) -> int:
    """Be the core of `TUSK_HOME` until told to stop or idle for too long; return at once if there is one.

    Args:
        report: whether a client waits, on our output, to hear why there is no core.

    Returns:
        The exit code.
    """
    processes.keep_heap_small(trims=True)
    processes.begin_quickly()
    processes.keep_files_private()
    processes.answer_promptly()
    open_files.take_all_allowed()
    hardening.harden()
    try:
        _begin(report=report)
    except errors.TuskError as exc:
        _say(exc, report=report)
        return 1
    except OSError as exc:
        _say(
            open_files.told(exc)
            or unusable(Path(str(exc.filename)) if exc.filename else Places.of_environment().home, exc),
            report=report,
        )
        return 1
    except Exception as exc:  # noqa: BLE001  # or whoever waits for this core would not learn why there is none
        _LOG.exception("start")
        problem = f"{type(exc).__name__}: {exc}"
        _say(errors.CoreError(problem, hint="This is a fault of tusk's: please report it."), report=report)
        return 1
    return 0


def _begin(*, report: bool) -> None:
    places = Places.of_environment()
    places.prepare()
    home.mark(places.home)
    lock = FileLock(places.core_lock)
    if not _alone(lock):
        return
    stopped = threading.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: stopped.set())
    os.chdir(places.home)
    _log_to(places)
    _note_crashes(places)
    words = _opened(places.words_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    belongings.discard(places.address_file)
    belongings.sweep(places.run)
    try:
        _serve(places, lock, stopped, head_start.begin(places), words if report else None)
    finally:
        with contextlib.suppress(OSError):
            belongings.discard(places.address_file)
        lock.release()


def _say(exc: errors.TuskError, *, report: bool) -> None:
    """Tell why there will be no core: to the client that has started us, or to whoever did so by hand."""
    with contextlib.suppress(OSError):
        if report:
            sys.stdout.buffer.write(b"\n" + to_extra_info(exc) + b"\n")
            sys.stdout.buffer.flush()
        else:
            sys.stderr.write(f"{exc}\n")
            sys.stderr.flush()


def _serve(
    places: Places,
    lock: FileLock,
    stopped: threading.Event,
    early: head_start.HeadStart | None,
    words: int | None,
) -> None:
    """Serve until `stopped`; from when the core is up, what its libraries say goes to `words`, if that is given."""
    with kept_out("numpy"):  # by pyarrow: a core reads no column
        from tusk_jupyter.service.server import CoreServer
    from tusk_jupyter.service.core import Core
    from tusk_jupyter.service.spare_upkeep import keep_spares
    from tusk_jupyter.state.store import Store

    core = Core(places, Store.open(places.home), stop=lambda: threading.Timer(0.05, stopped.set).start())
    if early is not None:
        core.spares.expect(early.name)
        threading.Thread(target=core.spares.adopt, args=(early,), name="head-start", daemon=True).start()
    token = secrets.token_urlsafe(32)
    announcement = _Announcement(
        places, lock, token, lambda: CoreServer(core, sockets.new_address(places.run, "c"), token)
    )
    processes.begun()
    if words is not None:
        for output in (1, 2):
            os.dup2(words, output)
    _LOG.info("core %s up, pid %d", __version__, os.getpid())
    resting = (core.spares, lambda: core.runs.rested_s, stopped)
    threading.Thread(target=keep_spares, args=resting, name="spares", daemon=True).start()
    try:
        _tick(core, stopped, announcement)
    finally:
        announcement.leave()  # or a client that has this core's address would have a run taken in, and lose it
        _go_down(core, announcement.address)
        os._exit(0)  # Flight's threads may still hold attach streams; what had to be saved is saved


def _go_down(core: Core, address: str) -> None:
    """Clean up as far as that is possible: a state folder that was closed to us meanwhile must not keep the process."""
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("address", lambda: belongings.discard(core.places.address_file)),
        ("close", core.close),  # what was acknowledged is in the journal
        ("socket", lambda: sockets.discard(address)),
        ("log", logging.shutdown),
    )
    _LOG.info("core going down")
    for name, step in steps:
        try:
            step()
        except Exception:  # noqa: BLE001  # the process ends in any case
            _LOG.exception(name)


def _alone(lock: FileLock) -> bool:
    """Return whether this is the only core; tries for a moment, since a client that looks holds the lock for as long."""
    deadline = time.monotonic() + ALONE_AFTER_S
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _tick(core: Core, stopped: threading.Event, announcement: _Announcement) -> None:
    while not stopped.wait(TICK_S):
        try:
            announcement.keep()
            core.tick()
            idle_s = float(core.store.preferences.get("idle_core_s"))
        except Exception:  # noqa: BLE001  # logged
            _LOG.exception("tick")  # the next tick comes; a core that stops ticking would never cancel or end
            continue
        if idle_s and core.idle_for() > idle_s:
            _LOG.info("idle for %.0f s", idle_s)
            stopped.set()


_Look = tuple[int, ...] | None
"""What tells one state of a file from another; None where there is none."""


class _Announcement:
    """How to reach this core, in a file, whole or not at all.

    Without it a core that runs cannot be found, and its lock keeps every other from starting. So for as long as this process
    holds the lock of the state folder, whatever else is in the file gives way to the truth, also what was put back from a
    copy; and where the socket was removed, the core listens at another one.
    """

    def __init__(self, places: Places, lock: FileLock, token: str, listen: Callable[[], CoreServer]) -> None:
        """Listen, and write it.

        Args:
            places: where.
            lock: that makes this process the core.
            token: of this start.
            listen: begins to listen at a socket of its own.
        """
        self._places, self._path, self._lock, self._token, self._listen = (
            places,
            places.address_file,
            lock,
            token,
            listen,
        )
        self._servers: list[CoreServer] = []
        """The last one can be reached; those before it have lost their sockets, and their clients stay on them."""
        self._seen: _Look = None
        self._again_at = 0.0
        """Until then nothing is tried: something was not possible, as a folder is in the way or the disk is full."""
        self._problem: type[Exception] | None = None
        """What kept the core from listening anew, and is in the log already."""
        self._open()
        self._write()

    @property
    def address(self) -> str:
        """Where the core listens."""
        return self._servers[-1].address

    def leave(self) -> None:
        """Take nothing in any more."""
        for server in self._servers:
            server.leave()

    def keep(self) -> None:
        """Write it again where it was deleted, damaged or replaced; that of another core stays."""
        found = self._look(self._path)
        lost = self._look(self._socket) != self._bound
        if (found == self._seen and not lost) or time.monotonic() < self._again_at:
            return
        self._again_at = time.monotonic() + AGAIN_S
        if lost and self._lock.is_in_place():
            lost = not self._listens_anew()
        with contextlib.suppress(OSError, errors.StorageError):  # the folder is gone, or closed: tried again
            if read_address(self._path) is None or (self._lock.is_in_place() and not self._is_ours()):
                self._write()
                _LOG.warning("%s was deleted, damaged or replaced, and is written again", self._path)
            else:
                self._seen = found
            if not lost:
                self._again_at = 0.0

    def _listens_anew(self) -> bool:
        try:
            socket_folder.claim(self._places.run)
            self._open()
        except Exception as exc:  # noqa: BLE001  # the core goes on for those that have a link
            if type(exc) is not self._problem:  # once: its words name another socket each time
                self._problem = type(exc)
                _LOG.exception("the core's socket was removed, and it cannot listen at another one; it tries on")
            return False
        self._problem = None
        _LOG.warning("the core's socket was removed; it listens at another one")
        return True

    def _open(self) -> None:
        self._servers.append(self._listen())
        self._socket = sockets.socket_path(self.address)
        self._bound = self._look(self._socket)
        self._said = codec.encode(
            Address(
                address=self.address, token=self._token, pid=os.getpid(), version=__version__, protocol=PROTOCOL_VERSION
            )
        )

    def _is_ours(self) -> bool:
        try:
            return read_private(self._path, max_bytes=MAX_BYTES) == self._said
        except (OSError, errors.StorageError):
            return False

    def _write(self) -> None:
        write_private(self._path, self._said)
        self._seen = self._look(self._path)

    @staticmethod
    def _look(path: Path | None) -> _Look:
        try:
            found = os.stat(path) if path is not None else None  # noqa: PTH116  # five times a second
        except OSError:
            return None
        if found is None:
            return None
        return (
            found.st_ino,
            found.st_mtime_ns,
            found.st_size,
            found.st_mode,
            found.st_uid,
        )  # clients trust a private file


def _note_crashes(places: Places) -> None:
    """Put into the log what the core before this one left when it crashed, and have this one leave as much."""
    fd = _opened(places.crash_file, os.O_RDWR | os.O_CREAT)
    left = os.read(fd, CRASH_BYTES).decode(errors="replace")
    if left:
        _LOG.error("the core before this one crashed:\n%s", left)
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
    faulthandler.enable(fd)  # stays open with the process


def _log_to(places: Places) -> None:
    """Diagnostics: ids, sizes, codes; never SQL, values or secrets (QB-44)."""
    os.close(_opened(places.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    logging.raiseExceptions = False  # a log that cannot be written any more ends nothing, and fills no other file
    handler = RotatingFileHandler(places.log_file, maxBytes=1 << 20, backupCount=2)
    handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class _Lines(logging.Formatter):
    """One entry an unindented line: what was told by others can neither steer a terminal nor look like an entry of ours."""

    def format(self, record: logging.LogRecord) -> str:
        """Return an entry."""
        return visible(super().format(record)).replace("\n", "\n    ")


def _opened(path: Path, flags: int) -> int:
    """Open a file that the core writes.

    Raises:
        StorageError: it cannot be opened, or is not this user's.
    """
    try:
        return open_own(path, flags)
    except OSError as exc:
        raise unusable(path, exc) from exc

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
from tusk_jupyter.system import belongings, hardening, home, open_files, processes, sockets
from tusk_jupyter.system.address import Address, read_address
from tusk_jupyter.system.lean import kept_out
from tusk_jupyter.system.locks import FileLock, unusable
from tusk_jupyter.system.places import Places
from tusk_jupyter.system.private_files import open_own, write_private
from tusk_jupyter.version import __version__
from tusk_jupyter.visible import visible

if TYPE_CHECKING:
    from tusk_jupyter.service.core import Core

TICK_S = 0.2
ALONE_AFTER_S = 0.1
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
        _serve(places, stopped, head_start.begin(places), words if report else None)
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


def _serve(places: Places, stopped: threading.Event, early: head_start.HeadStart | None, words: int | None) -> None:
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
    server = CoreServer(core, sockets.new_address(places.run, "c"), token)
    announcement = _Announcement(places.address_file, server.address, token)
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
        server.leave()  # or a client that has this core's address would have a run taken in, and lose it
        _go_down(core, server.address)
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


class _Announcement:
    """How to reach this core, in a file, whole or not at all.

    Without it a core that runs cannot be found, and its lock keeps every other from starting.
    """

    def __init__(self, path: Path, address: str, token: str) -> None:
        """Write it."""
        self._path = path
        self._said = codec.encode(
            Address(address=address, token=token, pid=os.getpid(), version=__version__, protocol=PROTOCOL_VERSION)
        )
        self._seen: tuple[int, int, int] | None = None
        self._write()

    def keep(self) -> None:
        """Write it again where it was deleted or damaged; that of another core stays."""
        if self._look() == self._seen:
            return
        with contextlib.suppress(OSError, errors.StorageError):  # the folder is gone, or closed: tried again
            if read_address(self._path) is None:
                self._write()
                _LOG.warning("%s was deleted or damaged, and is written again", self._path)
            else:
                self._seen = self._look()

    def _write(self) -> None:
        write_private(self._path, self._said)
        self._seen = self._look()

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116  # five times a second
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


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

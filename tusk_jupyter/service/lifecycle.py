"""The life of a core process: alone, reachable, ticking, gone.

Being alone is a lock on a file in the state folder that the system releases with the process, however it ends; a second core
finds it held and leaves without a word. Being reachable is `core.json`, written when everything stands, so that a client that
can read it can call.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import secrets
import shutil
import signal
import threading
import time
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from tusk_jupyter.launch import head_start
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import hardening, processes, sockets
from tusk_jupyter.system.address import Address
from tusk_jupyter.system.lean import kept_out
from tusk_jupyter.system.locks import FileLock
from tusk_jupyter.system.places import Places
from tusk_jupyter.version import __version__

if TYPE_CHECKING:
    from tusk_jupyter.service.core import Core

TICK_S = 0.2
ALONE_AFTER_S = 0.1
CRASH_BYTES = 64 * 1024
"""Of the stacks that a crashed core has left."""

_LOG = logging.getLogger(__name__)


def run() -> None:
    """Be the core of `TUSK_HOME` until told to stop or idle for too long; return at once if there is one."""
    processes.begin_quickly()
    processes.keep_files_private()
    processes.answer_promptly()
    hardening.harden()
    places = Places.of_environment()
    places.prepare()
    lock = FileLock(places.core_lock)
    if not _alone(lock):
        return
    stopped = threading.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: stopped.set())
    os.chdir(places.home)
    _log_to(places)
    _note_crashes(places)
    _sweep(places)
    try:
        _serve(places, stopped, head_start.begin(places))
    finally:
        places.address_file.unlink(missing_ok=True)
        lock.release()


def _serve(places: Places, stopped: threading.Event, early: head_start.HeadStart | None) -> None:
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
    _announce(places, server.address, token)
    processes.begun()
    _LOG.info("core %s up, pid %d", __version__, os.getpid())
    resting = (core.spares, lambda: core.runs.rested_s, stopped)
    threading.Thread(target=keep_spares, args=resting, name="spares", daemon=True).start()
    try:
        _tick(core, stopped)
    finally:
        _LOG.info("core going down")
        places.address_file.unlink(missing_ok=True)
        try:
            core.close()
        except Exception:  # noqa: BLE001  # what was acknowledged is in the journal
            _LOG.exception("close")
        sockets.discard(server.address)
        logging.shutdown()
        os._exit(0)  # Flight's threads may still hold attach streams; what had to be saved is saved


def _alone(lock: FileLock) -> bool:
    """Return whether this is the only core; tries for a moment, since a client that looks holds the lock for as long."""
    deadline = time.monotonic() + ALONE_AFTER_S
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _tick(core: Core, stopped: threading.Event) -> None:
    while not stopped.wait(TICK_S):
        try:
            core.tick()
            idle_s = float(core.store.preferences.get("idle_core_s"))
        except Exception:  # noqa: BLE001  # logged
            _LOG.exception("tick")  # the next tick comes; a core that stops ticking would never cancel or end
            continue
        if idle_s and core.idle_for() > idle_s:
            _LOG.info("idle for %.0f s", idle_s)
            stopped.set()


def _announce(places: Places, address: str, token: str) -> None:
    """Write how to reach this core, whole or not at all."""
    said = Address(address=address, token=token, pid=os.getpid(), version=__version__, protocol=PROTOCOL_VERSION)
    fresh = places.address_file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as out:
        out.write(codec.encode(said))
    fresh.replace(places.address_file)


def _sweep(places: Places) -> None:
    """Remove sockets and working folders of processes that ended with an earlier core."""
    places.address_file.unlink(missing_ok=True)
    for left in places.run.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _note_crashes(places: Places) -> None:
    """Put into the log what the core before this one left when it crashed, and have this one leave as much."""
    fd = os.open(places.home / "core.crash", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    left = os.read(fd, CRASH_BYTES).decode(errors="replace")
    if left:
        _LOG.error("the core before this one crashed:\n%s", left)
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
    faulthandler.enable(fd)  # stays open with the process


def _log_to(places: Places) -> None:
    """Diagnostics: ids, sizes, codes; never SQL, values or secrets (QB-44)."""
    handler = RotatingFileHandler(places.log_file, maxBytes=1 << 20, backupCount=2)
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )

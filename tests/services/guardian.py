"""Run as a script: starts one server, ends it and removes its folder when standard input closes.

The pipe on standard input is held open by the process that wants the server, and by nobody else. When that process
ends, in whatever way, the kernel closes the pipe; a signal handler or an `atexit` of its own would miss `kill -9`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

PATIENCE_S = 10.0
"""Time between asking a server to end and killing it."""


def main() -> None:
    """Guard the server that the JSON in `argv[1]` describes (see `processes.Server.start`)."""
    order = json.loads(sys.argv[1])
    folder = Path(order["folder"])
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the terminal's Ctrl-C is for the tests; their end is the server's end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    child = start(order, folder)
    threading.Thread(target=note_exit, args=(child, folder), daemon=True).start()
    try:
        sys.stdin.buffer.read()
    finally:
        stop(child, order["stop_signal"])
        shutil.rmtree(folder, ignore_errors=True)


def start(order: dict, folder: Path) -> subprocess.Popen:
    """Start the server as the user it is to run as, with its output in `server.log`."""
    switch = {"user": order["uid"], "group": order["gid"], "extra_groups": []} if order["uid"] is not None else {}
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **switch,
        )


def note_exit(child: subprocess.Popen, folder: Path) -> None:
    """Leave word of a server that ended by itself."""
    code = child.wait()
    with contextlib.suppress(OSError):  # the folder goes when the server was asked to end
        (folder / "exited").write_text(str(code))


def stop(child: subprocess.Popen, stop_signal: int) -> None:
    """Ask the server to end, then kill what is left of it and its descendants."""
    try:
        family = psutil.Process(child.pid).children(recursive=True)  # PostgreSQL's backends are sessions of their own
    except psutil.NoSuchProcess:
        family = []
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(stop_signal)
    try:
        child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
    _, left = psutil.wait_procs(family, timeout=1)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


if __name__ == "__main__":
    main()

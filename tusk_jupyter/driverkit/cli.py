"""The two commands of a driver: `info` prints its manifest, `serve` runs it.

`info` imports no engine, so that listing drivers costs a Python start and no more. `serve` talks over its standard input and
output exactly once each (`Start` in, `Ready` out); after that its standard output is its standard error, and the end of its
standard input is the end of the process: a driver never outlives the core that started it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, BinaryIO

from tusk_jupyter import errors
from tusk_jupyter.driverkit import memory
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.driver import FAREWELL, Ready, Start
from tusk_jupyter.protocol.errors import to_wire
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import processes
from tusk_jupyter.system.hardening import harden
from tusk_jupyter.system.lean import keep_out

if TYPE_CHECKING:
    from tusk_jupyter.driverkit.server import DriverServer
    from tusk_jupyter.driverkit.session import Session

LAST_WORDS_S = 1.0
"""How long a driver whose core has gone may take to stop its statements on the server."""

FINISH_S = 10.0
"""How long a driver that is ended in peace may take to hand out the rest of its results."""


def main(*, package: str, refuse: Sequence[str] = ("pandas",)) -> None:
    """Run the driver in `package`: its `manifest.json`, and the `SESSION` class in its module `session`.

    Args:
        package: the driver's package.
        refuse: packages that this process does without, although they are installed: see `lean`.
    """
    processes.keep_heap_small()
    processes.begin_quickly()
    memory.count_what_is_used()
    keep_out(*refuse)
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command == "info":
        sys.stdout.write(_manifest_text(package))
    elif command == "serve":
        _serve(package)
    else:
        sys.exit(f"usage: python -m {package} info | serve   (serve is started by the core; see drivers/PROTOCOL.md)")


def read_manifest(package: str) -> Manifest:
    """Return the manifest that ships in `package`."""
    return codec.decode(Manifest, _manifest_text(package).encode())


def _manifest_text(package: str) -> str:
    return files(package).joinpath("manifest.json").read_text(encoding="utf-8")


def _serve(package: str) -> None:
    harden()  # before anything secret comes in
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the kernel; a driver is cancelled by its core
    processes.answer_promptly()
    start = codec.decode(Start, sys.stdin.buffer.readline())
    answer = _take_stdout()
    try:
        server = _listen(package, start)
    except errors.TuskError as exc:
        _answer(answer, Ready(protocol=PROTOCOL_VERSION, pid=os.getpid(), error=to_wire(exc)))
        sys.exit(1)
    _answer(answer, Ready(protocol=PROTOCOL_VERSION, pid=os.getpid(), address=server.address))
    processes.begun()
    said = sys.stdin.buffer.read()  # returns when the core closes the pipe, or is gone
    _end(server, in_peace=said.endswith(FAREWELL))


def _take_stdout() -> BinaryIO:
    """Return the standard output and point file descriptor 1 at 2, so that no library's print can break the protocol."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answer


def _answer(out: BinaryIO, ready: Ready) -> None:
    with out:
        out.write(codec.encode(ready) + b"\n")


def _listen(package: str, start: Start) -> DriverServer:
    if start.protocol != PROTOCOL_VERSION:
        raise errors.ProtocolError(
            f"The core speaks driver protocol {start.protocol}, this driver speaks {PROTOCOL_VERSION}.",
            hint="Install a version of the driver that fits the core, then `tusk core stop`.",
        )
    manifest = read_manifest(package)
    session = _load_session(package, manifest)
    from tusk_jupyter.driverkit.server import DriverServer

    return DriverServer(start, session, manifest)


def _load_session(package: str, manifest: Manifest) -> type[Session]:
    try:
        module = importlib.import_module(f"{package}.session")
    except ImportError as exc:
        if exc.name is None or exc.name.split(".")[0] not in manifest.requires:
            raise errors.DriverStartError(f"The driver {manifest.name!r} cannot be loaded: {exc}") from exc
        what = f"'tusk-jupyter[{manifest.extra}]'" if manifest.extra else " ".join(manifest.requires)
        raise errors.DriverStartError(
            f"The driver {manifest.name!r} needs the package {exc.name!r}, which is not installed in {sys.prefix}.",
            hint=f"Install it there with `{sys.executable} -m pip install {what}`, then run the cell again.",
            scenario="missing_dependency",
        ) from exc
    session: type[Session] = module.SESSION
    return session


def _end(server: DriverServer, *, in_peace: bool) -> None:
    """End the process: in peace let results under way go out, otherwise stop what runs on the servers and go at once."""
    work, patience_s = (server.finish, FINISH_S) if in_peace else (server.interrupt_all, LAST_WORDS_S)
    farewell = threading.Thread(target=work, daemon=True)
    with contextlib.suppress(RuntimeError):  # no new threads at interpreter exit
        farewell.start()
        farewell.join(patience_s)
    os._exit(0)

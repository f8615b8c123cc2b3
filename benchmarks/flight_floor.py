"""Three empty Flight calls between two Python processes: a run is made of three, so none here can be faster.

Measured beside `SELECT 1`, because the machine's speed changes within minutes, and this says how fast it was just then.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.flight as flight

from benchmarks.peers import Peer

CALLS = 3


class FlightFloor(Peer):
    """The calls, as a way to get nothing."""

    name = "flight"
    title = "three empty Flight calls"
    engines = ()
    is_floor = True

    def connect(self) -> None:
        """Start the other process and link to it."""
        folder = tempfile.mkdtemp(prefix="tusk-f-")
        address = f"grpc+unix://{folder}/s"
        self.server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.flight_floor", address],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,  # closes with this process, and the other one ends
            stdout=subprocess.PIPE,
        )
        assert self.server.stdout is not None
        self.server.stdout.readline()
        self.client = flight.FlightClient(address)
        super().connect()

    def frame(self, query: str) -> Any:
        """Call."""
        for _ in range(CALLS):
            list(self.client.do_action(flight.Action("nothing", b"{}")))


class _Empty(flight.FlightServerBase):  # type: ignore[misc]
    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        """Answer with nothing."""
        yield flight.Result(b"{}")


def main() -> None:
    """Serve until standard input ends."""
    address = sys.argv[1]
    server = _Empty(address)
    print("ready", flush=True)
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()
    socket = Path(address.removeprefix("grpc+unix://"))
    socket.unlink(missing_ok=True)
    socket.parent.rmdir()
    os._exit(0)


if __name__ == "__main__":
    main()

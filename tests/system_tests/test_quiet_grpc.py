"""gRPC writes no line of its own into a notebook, and nothing of how that is done stays in the user's environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FAILS = """
import os, socket
import pyarrow.flight as flight
from tusk_jupyter.protocol.calls import Peer, PeerLost

before = dict(os.environ)
try:
    Peer("what stood in a damaged core.json", "token")
except PeerLost:
    pass
made = Peer('grpc+unix:///nowhere/socket', 'token')
assert dict(os.environ) == before
taken = socket.create_server(("127.0.0.1", 0))
try:
    flight.FlightServerBase(f"grpc://127.0.0.1:{taken.getsockname()[1]}")
except Exception:
    print("gRPC had something to say")
"""
"""A server at a port that is taken: gRPC logs that as an error, as it does what it finds of its links after a standstill."""


def said(**environment: str) -> str:
    known = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}
    done = subprocess.run(
        [sys.executable, "-c", FAILS], env=known | environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "gRPC had something to say\n"
    return done.stderr


def test_no_line_of_grpc_reaches_standard_error():
    assert said() == ""


@pytest.mark.parametrize("wanted", ["ERROR", "INFO"])
def test_who_asks_for_them_gets_them(wanted):
    assert "E0000" in said(GRPC_VERBOSITY=wanted)

"""Errors that are Flight's own words already go out as they are: what a core that goes down answers, and streams that end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from tusk_jupyter.client.driver_link import FromOverThere, seam
from tusk_jupyter.client.runs import _cut_off
from tusk_jupyter.driverkit.dictionaries import Dictionaries
from tusk_jupyter.driverkit.server import _stream
from tusk_jupyter.protocol import codec, control
from tusk_jupyter.protocol.calls import PeerLost, translated
from tusk_jupyter.service.server import CoreServer


@pytest.fixture
def leaving() -> CoreServer:
    """A core that goes down; it listens nowhere."""
    server: CoreServer = CoreServer.__new__(CoreServer)
    server.leave()
    return server


RUN = control.RunCommand(run=control.RunRequest(session="s", connection="c", sql="SELECT 1"))
ROADS: dict[str, Callable[[CoreServer], object]] = {
    "an action": lambda server: list(
        server.do_action(None, flight.Action(control.ListRuns.ACTION, codec.encode(control.ListRuns())))
    ),
    "a run": lambda server: server.get_flight_info(None, flight.FlightDescriptor.for_command(codec.encode(RUN))),
}


@pytest.mark.parametrize("road", ROADS)
def test_a_core_that_goes_down_answers_as_nobody_would(leaving: CoreServer, road: str):
    with pytest.raises(flight.FlightUnavailableError, match="going down") as caught:
        ROADS[road](leaving)
    assert caught.value.__cause__ is None, "an error that is its own cause has no end"
    assert type(translated(caught.value)) is PeerLost, "so the client goes to the next core"


def test_a_stream_that_flight_ended_keeps_flights_words():
    def batches() -> Iterator[tuple[pa.RecordBatch, bytes | None]]:
        yield pa.record_batch({"a": [1]}), None
        raise flight.FlightCancelledError("gone")

    stream = _stream(batches(), Dictionaries(pa.schema({"a": pa.int64()})))
    next(stream)
    with pytest.raises(flight.FlightCancelledError, match="gone") as caught:
        next(stream)
    assert caught.value.__cause__ is None


@pytest.fixture
def resetting(tmp_path: Path) -> Iterator[Callable[[int], flight.FlightClient]]:
    """A link to a peer that resets each call with an error code of HTTP/2, as gRPC does that can take no more."""
    path = str(tmp_path / "peer.sock")
    links: list[flight.FlightClient] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def link(code: int) -> flight.FlightClient:
            threading.Thread(target=reset_calls, args=(listening, code), daemon=True).start()
            links.append(flight.FlightClient(f"grpc+unix://{path}"))
            return links[-1]

        yield link
        for one in links:
            one.close()


def reset_calls(listening: socket.socket, code: int) -> None:
    def send(kind: int, flags: int, stream: int, body: bytes) -> None:
        link.sendall(len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body)

    link, _ = listening.accept()
    with link, link.makefile("rb") as heard:
        heard.read(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        send(SETTINGS, 0, 0, b"")
        while head := heard.read(9):
            body = heard.read(int.from_bytes(head[:3], "big"))
            kind, is_answer = head[3], head[4] & ACK
            if kind in (SETTINGS, PING) and not is_answer:
                send(kind, ACK, 0, body if kind == PING else b"")
            elif kind == HEADERS:
                send(RST_STREAM, 0, int.from_bytes(head[5:], "big"), code.to_bytes(4, "big"))


HEADERS, RST_STREAM, SETTINGS, PING, ACK = 1, 3, 4, 6, 1
INTERNAL_ERROR, ENHANCE_YOUR_CALM = 2, 11


@pytest.mark.parametrize(
    ("code", "scenario", "words"),
    [
        (ENHANCE_YOUR_CALM, "memory_limit", "ran out of memory or threads"),
        (INTERNAL_ERROR, "link_lost", "link to the driver"),
    ],
)
def test_a_stream_that_broke_says_whether_it_was_for_lack_of_memory(
    resetting: Callable[[int], flight.FlightClient], code: int, scenario: str, words: str
):
    with pytest.raises(FromOverThere) as caught, seam():
        resetting(code).do_get(flight.Ticket(b"t"), flight.FlightCallOptions(timeout=10.0)).read_all()
    error = _cut_off(caught.value.error, completed=False)
    assert (error.scenario, words in error.message) == (scenario, True), error
    assert ("raise `memory_limit_mb` on the connection" in error.hint) == (scenario == "memory_limit")


def test_a_folder_called_memory_is_no_lack_of_it():
    gone = translated(flight.FlightUnavailableError("failed to connect to unix:/home/ann/memory/run/d1.sock"))
    assert _cut_off(gone, completed=False).scenario == "link_lost"

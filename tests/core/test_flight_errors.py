"""Errors that are Flight's own words already go out as they are: what a core that goes down answers, and streams that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from tusk_jupyter import errors
from tusk_jupyter.client.runs import _cut_off
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

    stream = _stream(batches())
    next(stream)
    with pytest.raises(flight.FlightCancelledError, match="gone") as caught:
        next(stream)
    assert caught.value.__cause__ is None


def test_a_stream_that_broke_for_lack_of_memory_says_what_to_do():
    broken = errors.CoreError("Received RST_STREAM with error code: resource exhausted")
    error = _cut_off(broken, completed=False)
    assert error.scenario == "memory_limit"
    assert "raise `memory_limit_mb` on the connection" in error.hint

"""Clients that are killed in the middle of a call: what nobody waits for any more ends, and half of a table is none."""

from __future__ import annotations

import subprocess
import sys
import threading

import pyarrow.flight as flight
import pytest

from tusk_jupyter.errors import QueryError
from tusk_jupyter.protocol import codec, driver
from tusk_jupyter.testing.link import DriverProcess
from tusk_jupyter.testing.remote import ProcessBase

_HALF_AN_UPLOAD = """
import os, sys
import pyarrow as pa, pyarrow.flight as flight
address, ticket = sys.argv[1:]
descriptor = flight.FlightDescriptor.for_command(ticket.encode())
writer, _ = flight.FlightClient(address).do_put(descriptor, pa.schema([("n", pa.int64())]))
for _ in range(5):
    writer.write_batch(pa.record_batch({"n": [1, 2, 3]}))
os._exit(1)
"""
_A_FETCH = """
import sys
import pyarrow.flight as flight
address, ticket = sys.argv[1:]
flight.FlightClient(address).do_get(flight.Ticket(ticket.encode()))
"""
PATIENCE_S = 30.0


class GoneClientsContract(ProcessBase):
    """A client's end, seen from the driver."""

    def test_rows_of_a_client_that_is_killed_are_not_committed(
        self, process: DriverProcess, opened: str, remote_table: str
    ) -> None:
        """Its stream ends as cleanly as one whose rows have all come."""
        self.needs("upload")
        with process.begin_upload(opened, remote_table) as running:
            subprocess.run([sys.executable, "-c", _HALF_AN_UPLOAD, process.ready.address, running.request.ticket])
            assert running.ended.wait(PATIENCE_S)
        assert running.outcome.words[-1] == "failed"
        assert isinstance(process.run(opened, f"SELECT n FROM {remote_table}").error, QueryError)

    def test_statement_of_a_client_that_is_killed_is_stopped(self, process: DriverProcess, opened: str) -> None:
        """It has no rows to send, by which the driver would notice."""
        with process.begin(opened, self.long_statement()) as running:
            client = subprocess.Popen([sys.executable, "-c", _A_FETCH, process.ready.address, running.request.ticket])
            while not running.outcome.events:  # it has begun
                assert client.poll() is None
                running.ended.wait(0.05)
            client.kill()
            client.wait()
            assert running.ended.wait(PATIENCE_S)
        assert running.outcome.events[-1].error is not None
        assert running.outcome.events[-1].error.kind == "cancelled"
        assert process.run(opened, "SELECT 1 AS a").error is None

    def test_who_has_the_ticket_may_end_the_run(self, process: DriverProcess, opened: str) -> None:
        with process.begin(opened, self.long_statement()) as running:
            reader = threading.Thread(target=running.read)
            reader.start()
            stranger = flight.FlightClient(process.ready.address)
            for ticket in ("guessed", running.request.ticket):
                assert reader.is_alive()
                list(stranger.do_action(flight.Action("leave", codec.encode(driver.Leave(ticket=ticket)))))
            reader.join(PATIENCE_S)
            with pytest.raises(flight.FlightUnauthenticatedError):
                list(stranger.do_action(flight.Action("cancel", codec.encode(driver.Cancel(session=opened, run="r")))))
        assert running.outcome.events[-1].event == "failed"
        assert process.run(opened, "SELECT 1 AS a").error is None

"""A driver process's life: start, token, end."""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path
from uuid import uuid4

import pyarrow.flight as flight
import pytest

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import (
    ProtocolError,
    TuskError,
)
from tusk_jupyter.protocol import codec, driver
from tusk_jupyter.protocol.calls import Peer, Request
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.testing.link import DriverProcess
from tusk_jupyter.testing.remote import ProcessBase


class LifeContract(ProcessBase):
    """Start, token, end."""

    def test_ready_says_who_and_where(self, process: DriverProcess) -> None:
        assert process.ready.protocol == PROTOCOL_VERSION
        assert process.ready.pid == process.process.pid
        assert process.ready.address.startswith("grpc")

    def test_another_protocol_version_is_refused_in_words(self) -> None:
        with DriverProcess(self.driver_command(), protocol=PROTOCOL_VERSION + 1) as process:
            assert process.ready.error is not None
            assert process.ready.error.kind == "protocol"
            assert process.process.wait(30) != 0

    def test_it_goes_in_peace_when_told(self) -> None:
        process = DriverProcess(self.driver_command())
        assert process.end() == 0

    def test_it_ends_with_the_core_even_in_mid_statement(self, settings: Settings) -> None:
        process = DriverProcess(self.driver_command())
        process.open(settings, "s")
        with process.begin("s", self.long_statement()) as running, contextlib.suppress(flight.FlightError, OSError):
            threading.Timer(0.5, process.process.stdin.close).start()  # type: ignore[union-attr]
            running.reader().read_all()
        process.end(farewell=False)
        assert process.process.poll() is not None

    def test_interrupt_signal_of_the_terminal_is_not_for_it(self, process: DriverProcess) -> None:
        process.process.send_signal(signal.SIGINT)
        assert process.peer.call(driver.Split(sql="SELECT 1; SELECT 2")).statements[1].start == 10

    @pytest.mark.parametrize("token", ["", "wrong"])
    def test_every_action_needs_the_token(self, process: DriverProcess, settings: Settings, token: str) -> None:
        stranger = Peer(process.ready.address, token)
        for request in self._one_of_each(settings):
            with pytest.raises(ProtocolError):
                next(stranger.stream(request))
        stranger.close()

    def test_unknown_action_is_named(self, process: DriverProcess) -> None:
        with pytest.raises(flight.FlightError) as caught:
            list(process.peer.flight.do_action(flight.Action("frobnicate", b"{}"), process.peer.options()))
        assert "frobnicate" in str(caught.value)

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"sql": 1}', b"\xff\xfe"])
    def test_unreadable_body_is_a_protocol_error(self, process: DriverProcess, body: bytes) -> None:
        with pytest.raises(flight.FlightError) as caught:
            list(process.peer.flight.do_action(flight.Action("split", body), process.peer.options()))
        assert codec.decode(WireError, caught.value.extra_info).kind == "protocol"

    def test_unknown_fields_of_a_newer_core_are_ignored(self, process: DriverProcess) -> None:
        body = b'{"sql": "SELECT 1", "invented_later": {"a": 1}}'
        (answer,) = process.peer.flight.do_action(flight.Action("split", body), process.peer.options())
        assert len(codec.decode(driver.Statements, answer.body.to_pybytes()).statements) == 1

    def test_secrets_stay_out_of_sight(self, process: DriverProcess, settings: Settings) -> None:
        """Neither the command line, nor the environment, nor standard error, nor an answer shows one."""
        canary = f"canary-{uuid4().hex}"
        secrets = dict.fromkeys(self.manifest().secret_fields, canary)
        with contextlib.suppress(TuskError):
            process.open(Settings(config=settings.config, secrets=secrets, connect_timeout_s=3), "canary")
        with contextlib.suppress(TuskError):
            process.peer.call(driver.Close(session="canary"))
        answer = process.peer.call(driver.Test(config=dict(settings.config), secrets=secrets, connect_timeout_s=3))
        assert canary not in repr(answer)
        assert canary not in process.said()
        for place in ("cmdline", "environ"):
            seen = Path(f"/proc/{process.process.pid}/{place}")
            assert not seen.exists() or canary.encode() not in seen.read_bytes()

    @staticmethod
    def _one_of_each(settings: Settings) -> list[Request]:
        config = dict(settings.config)
        return [
            driver.Open(session="x", config=config),
            driver.Test(config=config),
            driver.Split(sql="SELECT 1"),
            driver.Watch(),
            driver.Run(session="x", run="r", ticket="t", sql="SELECT 1"),
            driver.Upload(session="x", run="r", ticket="t", table="t"),
            driver.Cancel(session="x", run="r"),
            driver.KillBackend(config=config, backend="1"),
            driver.FindLocks(config=config, backends=("1",)),
            driver.Tree(session="x"),
            driver.Describe(session="x", path=("t",)),
            driver.Reset(session="x"),
            driver.Close(session="x"),
        ]

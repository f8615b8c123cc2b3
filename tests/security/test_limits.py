"""What strangers and broken programs send: deep nesting, tickets that nobody issued, variables that were told to go."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from services import TuskHome, wait_until
from services.homes import short_folder

from tusk_jupyter import errors
from tusk_jupyter.cli.options import secret_variable_option
from tusk_jupyter.client import Client, boot
from tusk_jupyter.client.link import Link
from tusk_jupyter.driverkit import tickets
from tusk_jupyter.launch.catalog import Catalog
from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.protocol import codec, control, driver
from tusk_jupyter.protocol.calls import PeerLost, Request
from tusk_jupyter.protocol.values import Value, pack, unpack
from tusk_jupyter.system import typed_json
from tusk_jupyter.system.places import Places

DEEP = b"[" * 100_000
DEEP_OBJECT = b'{"a":' * 100_000
MESSAGES = {**control.REQUESTS, **{kind.ACTION: kind for kind in (driver.Open, driver.Run, driver.Cancel, driver.Tree)}}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_deep_nesting_in_a_message_is_an_error_of_ours(name: str):  # S15
    kind = MESSAGES[name]
    field = kind.__struct_fields__[0] if kind.__struct_fields__ else "more"
    bodies = (
        DEEP,
        DEEP_OBJECT,
        b'{"more":' + DEEP,
        f'{{"{field}":'.encode() + DEEP_OBJECT,
        b'{"config":' + DEEP_OBJECT,
    )
    for body in bodies:
        with pytest.raises(errors.ProtocolError):
            codec.decode(kind, body)


def test_deep_nesting_in_a_value_and_in_what_a_page_sends_is_too():
    with pytest.raises(errors.ProtocolError):
        unpack(Value("json", DEEP.decode()))
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    request = typed_json.convert(control.SaveConnection, {"session": "s", "name": "n", "config": {"a": deep}})
    with pytest.raises(errors.ProtocolError):
        codec.encode(request)
    with pytest.raises(errors.UsageError, match="nested so deeply"):
        pack(deep)
    while deep:  # one by one: its own end would be as deep
        deep = deep.pop()  # type: ignore[assignment]


def test_deep_nesting_over_the_wire_leaves_the_core_alive(tusk_home: TuskHome):
    client = Client(Places(tusk_home.path), source="t")
    peer = client.link.peer()
    for name in ("connection.save", "log.read", "core.status"):
        with pytest.raises(flight.FlightError, match="could not be read"):
            list(peer.flight.do_action(flight.Action(name, b'{"config":' + DEEP_OBJECT), peer.options()))
    assert client.call(control.ListRuns()).runs == ()
    client.link.forget()


def test_six_hundred_tickets_that_nobody_issued_do_not_end_a_driver():  # S15
    with short_folder("tusk-t-") as folder:
        places = Places(folder / "h")
        places.prepare()
        process = DriverProcess(Catalog(places).named("sqlite"), places, on_exit=lambda _: None)
        process.cap_memory(1024)
        refused = []

        def guess(number: int) -> None:
            try:
                with flight.FlightClient(process.address) as client:
                    client.do_get(flight.Ticket(f"guess {number}".encode())).read_all()
            except pa.ArrowException as exc:  # refused, or put off by gRPC
                refused.append(str(exc))

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(600)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        assert len(refused) == 600
        assert not process.ended
        assert process.call(driver.Split(sql="SELECT 1")).statements
        process.stop(wait=True)


def test_few_tickets_wait_for_their_runs_and_the_others_are_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tickets, "EARLY_S", 600.0)
    book, refused, guesses = tickets.TicketBook(), [], [f"guess {number}" for number in range(100)]

    def redeem(ticket: str) -> None:
        with pytest.raises(errors.TuskError):
            book.redeem(ticket)
        refused.append(ticket)

    threads = [threading.Thread(target=redeem, args=(ticket,)) for ticket in guesses]
    for one in threads:
        one.start()
    wait_until(lambda: len(refused) == len(guesses) - tickets.WAITING, 60.0, "all but those that may wait are refused")
    for ticket in set(guesses) - set(refused):
        book.refuse(ticket, errors.ProtocolError("No."))
    for one in threads:
        one.join(60)
    assert sorted(refused) == sorted(guesses)


def test_a_variable_with_a_password_leaves_the_environment_of_a_running_core(  # S15
    tusk_home: TuskHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(boot, "withheld", set())
    monkeypatch.setenv("SHOP_PASSWORD", "swordfish")
    monkeypatch.setenv("TUSK_TEST_STAYS", "x")
    client = Client(Places(tusk_home.path), source="t")
    client.call(control.ListRuns())  # as `%load_ext` does: the core has the kernel's environment
    seen = tmp_path / "seen"

    def environment_of_a_password_command() -> str:
        client.call(
            control.SaveConnection(
                session=client.session, name="pg", url="postgresql://ann@127.0.0.1:1/db", test=False, replace=True,
                password_command=f"env > '{seen}'; echo x",
            )
        )  # fmt: skip
        client.call(control.TestConnection(session=client.session, name="pg"))
        return seen.read_text()

    assert "swordfish" in environment_of_a_password_command()
    option = secret_variable_option("--password-env", help="")(lambda **_: None)
    option.__click_params__[0].callback(None, None, "SHOP_PASSWORD")
    for name in ("PATH", "TUSK_TEST_STAYS"):
        option.__click_params__[0].callback(None, None, name)
    after = environment_of_a_password_command()
    assert "swordfish" not in after
    assert f"PATH={os.environ['PATH']}" in after
    assert "TUSK_TEST_STAYS=x" in after
    client.link.forget()


def test_the_next_core_is_told_too_which_variables_hold_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[list[str]] = []

    class Core:
        def __init__(self, *, lost: bool) -> None:
            self.lost = lost
            asked.append([])

        def call(self, request: Request, *, timeout_s: float | None, is_dated: bool = False) -> None:
            asked[-1].append(type(request).__name__)
            if self.lost:
                raise PeerLost("gone")

    link = Link(Places(tmp_path))
    monkeypatch.setattr(boot, "withheld", {"SHOP_PASSWORD"})
    monkeypatch.setattr(link, "_reach", lambda: Core(lost=not asked))
    link.call(control.ListRuns())
    assert asked == [["ForgetVariables"], ["ForgetVariables", "ListRuns"]]


def test_a_variable_that_is_withheld_during_the_call_is_told_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told: list[tuple[str, ...]] = []

    class Core:
        def call(self, request: Request, *, timeout_s: float | None, is_dated: bool = False) -> None:
            if isinstance(request, control.ForgetVariables):
                told.append(request.names)
                boot.withheld.add("LATER_PASSWORD")  # by another thread

    monkeypatch.setattr(boot, "withheld", {"SHOP_PASSWORD"})
    link = Link(Places(tmp_path))
    link._peer, link.epoch = Core(), 1  # type: ignore[assignment]
    for _ in range(3):
        link.call(control.ListRuns())
    assert told == [("SHOP_PASSWORD",), ("LATER_PASSWORD",)]

"""What a driver's process must do, in whatever language it is written."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from tusk_jupyter.driverkit.session import BATCH_ROWS, Settings
from tusk_jupyter.errors import (
    Cancelled,
    ConnectError,
    ProtocolError,
    QueryError,
    TimeoutExceeded,
    TuskError,
    UsageError,
)
from tusk_jupyter.protocol import codec, driver
from tusk_jupyter.protocol.calls import Peer, Request
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.stream import TYPES_KEY
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.testing.base import ContractBase
from tusk_jupyter.testing.hostile import TEXTS
from tusk_jupyter.testing.link import DriverProcess

JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class ProcessBase(ContractBase):
    """A process of the driver, shared by the tests of a class."""

    command: ClassVar[Sequence[str]] = ()
    """How the driver is started, before `info` or `serve`; left empty: python -m PACKAGE."""

    @classmethod
    def driver_command(cls) -> list[str]:
        """Return how the driver is started."""
        return list(cls.command) or [sys.executable, "-m", cls.package]

    @pytest.fixture(scope="class")
    @classmethod
    def process(cls) -> Iterator[DriverProcess]:
        """A driver process that listens."""
        with DriverProcess(cls.driver_command()) as started:
            assert started.ready.error is None, started.ready.error
            yield started

    @pytest.fixture
    def remote_table(self, process: DriverProcess, settings: Settings) -> Iterator[str]:
        """A table name that no one else uses; dropped afterwards by the driver, which may hold a file's lock."""
        name = f"tusk_kit_{uuid4().hex[:12]}"
        yield name
        with process.session(settings) as cleaner:
            process.run(cleaner, self.drop_sql.format(table=name))

    @pytest.fixture
    def opened(self, process: DriverProcess, settings: Settings, remote_table: str) -> Iterator[str]:
        """The id of an open session; closed before its table is dropped."""
        with process.session(settings) as name:
            yield name

    def info(self) -> subprocess.CompletedProcess[bytes]:
        """Run the driver's `info`."""
        return subprocess.run([*self.driver_command(), "info"], capture_output=True, timeout=60, check=False)

    def manifest(self) -> Manifest:
        """Return the manifest, from the package where there is one, as `info` prints it otherwise."""
        return super().manifest() if self.package else codec.decode(Manifest, self.info().stdout)


class ManifestContract(ProcessBase):
    """`info`."""

    def test_info_prints_the_manifest_and_nothing_else(self) -> None:
        said = self.info()
        assert said.returncode == 0, said.stderr.decode()
        assert codec.decode(Manifest, said.stdout) == self.manifest()

    def test_manifest_fits_this_protocol(self) -> None:
        manifest = self.manifest()
        assert manifest.protocol == PROTOCOL_VERSION
        assert manifest.dialect in DIALECTS
        assert manifest.name.isidentifier()
        assert manifest.name == manifest.name.lower()
        assert manifest.title
        assert manifest.version
        assert all(scheme == scheme.lower() and "://" not in scheme for scheme in manifest.schemes)
        assert all(suffix.startswith(".") for suffix in manifest.suffixes)
        assert manifest.schemes or manifest.suffixes, "no URL and no path leads to this driver"

    def test_fields_are_a_json_schema_that_a_form_can_be_drawn_from(self) -> None:
        manifest = self.manifest()
        assert manifest.fields["type"] == "object"
        assert set(manifest.fields.get("required", ())) <= set(manifest.properties)
        assert manifest.locked_file is None or manifest.locked_file in manifest.properties
        for name, spec in manifest.properties.items():
            assert spec["type"] in JSON_TYPES, name
            assert spec.get("title"), f"{name} has no title"
            for value in [spec.get("default"), *spec.get("enum", ())]:
                assert value is None or isinstance(value, JSON_TYPES[spec["type"]]), f"{name}: {value!r}"
            if "enum" in spec and "default" in spec:
                assert spec["default"] in spec["enum"], name
            assert spec.get("minimum", 0) <= spec.get("maximum", 2**63), name

    def test_secret_fields_are_texts_without_a_default(self) -> None:
        manifest = self.manifest()
        for name in manifest.secret_fields:
            assert manifest.properties[name]["type"] == "string"
            assert "default" not in manifest.properties[name]

    def test_settings_of_these_tests_use_declared_fields(self, settings: Settings) -> None:
        manifest = self.manifest()
        assert set(settings.config) <= set(manifest.properties) - set(manifest.secret_fields)
        assert set(settings.secrets) <= set(manifest.secret_fields)

    def test_unknown_command_is_an_error_without_output(self) -> None:
        said = subprocess.run([*self.driver_command(), "frobnicate"], capture_output=True, timeout=60, check=False)
        assert said.returncode != 0
        assert said.stdout == b""


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
            driver.Run(session="x", run="r", ticket="t", sql="SELECT 1"),
            driver.Upload(session="x", run="r", ticket="t", table="t"),
            driver.Cancel(session="x", run="r"),
            driver.KillBackend(config=config, backend="1"),
            driver.Tree(session="x"),
            driver.Describe(session="x", path=("t",)),
            driver.Reset(session="x"),
            driver.Close(session="x"),
        ]


class RunsContract(ProcessBase):
    """Runs over the wire: events, streams, trailers, tickets, cancel."""

    def test_open_says_what_answered(self, process: DriverProcess, settings: Settings) -> None:
        assert process.open(settings, "greeting").server
        process.peer.call(driver.Close(session="greeting"))

    def test_test_tells_a_good_connection(self, process: DriverProcess, settings: Settings) -> None:
        answer = process.peer.call(driver.Test(config=dict(settings.config), secrets=dict(settings.secrets)))
        assert (answer.ok, answer.stage, answer.error) == (True, "done", None)
        assert answer.server

    def test_test_tells_how_far_a_bad_one_came(
        self, process: DriverProcess, refused: Sequence[tuple[Settings, str]]
    ) -> None:
        for settings, scenario in refused:
            answer = process.peer.call(
                driver.Test(
                    config=dict(settings.config),
                    secrets=dict(settings.secrets),
                    read_only=settings.read_only,
                    connect_timeout_s=settings.connect_timeout_s,
                )
            )
            assert not answer.ok
            assert answer.error.scenario == scenario
            assert answer.error.hint
            assert answer.stage in ("name", "tcp", "tls", "sign-in", "database", "file")

    @pytest.fixture
    def refused(self) -> Sequence[tuple[Settings, str]]:
        """Settings that cannot connect, each with the scenario that must be named."""
        return ()

    def test_result_comes_with_types_and_trailer(self, process: DriverProcess, opened: str) -> None:
        outcome = process.run(opened, "SELECT 1 AS a, 'x' AS b")
        (result,) = outcome.results
        assert result.rows == [(1, "x")]
        assert len(codec.decode(list[str], result.schema.metadata[TYPES_KEY])) == 2
        assert result.trailer is not None
        assert result.trailer.transaction == "idle"
        (report,) = result.trailer.statements
        assert (report.index, report.command, report.rows) == (0, "SELECT", 1)

    def test_events_tell_the_runs_life(self, process: DriverProcess, opened: str) -> None:
        outcome = process.run(opened, "SELECT 1 AS a")
        assert outcome.words == ["ready", "started", "finished"]
        assert outcome.events[-1].rows == 1
        assert outcome.events[-1].bytes > 0
        assert outcome.events[-1].alive

    def test_statements_run_in_order_each_with_its_result(
        self, process: DriverProcess, opened: str, remote_table: str
    ) -> None:
        create = self.create_sql.format(table=remote_table)
        outcome = process.run(
            opened,
            f"{create};\nINSERT INTO {remote_table} VALUES (1, 'a'), (2, 'b');\n-- a comment\n;"
            f"SELECT i FROM {remote_table} ORDER BY i;"
            f"SELECT count(*) AS n FROM {remote_table}; DELETE FROM {remote_table}",
        )
        assert outcome.error is None
        assert [result.rows for result in outcome.results] == [[(1,), (2,)], [(2,)]]
        reports = outcome.events[-1].statements
        assert [(r.index, r.command) for r in reports] == list(
            enumerate(["CREATE TABLE", "INSERT", "SELECT", "SELECT", "DELETE"])
        )
        assert [r.rows for r in reports] == [None, None, 2, 1, None]
        assert (reports[1].affected, reports[4].affected) == (2, 2)

    def test_first_error_stops_the_run_and_says_which_statement(self, process: DriverProcess, opened: str) -> None:
        sql = "SELECT 1 AS a; SELECT * FROM tusk_kit_no_such_table; SELECT 3 AS c"
        outcome = process.run(opened, sql)
        assert [result.rows for result in outcome.results] == [[(1,)]]
        assert isinstance(outcome.error, QueryError)
        assert outcome.error.statement == 1
        assert outcome.error.scenario == "undefined_table"
        assert outcome.error.hint
        assert outcome.events[-1].event == "failed"
        assert outcome.events[-1].error is not None
        assert outcome.error.position is None or outcome.error.position > sql.index(";")
        assert process.run(opened, "SELECT 1 AS a").error is None

    def test_parameters_travel_as_data(self, process: DriverProcess, opened: str) -> None:
        self.needs("parameters")
        sent = {f"p{n}": text for n, text in enumerate(TEXTS[:60])}
        outcome = process.run(opened, "SELECT " + ", ".join(f":{name} AS {name}" for name in sent), sent)
        assert outcome.results[0].rows == [tuple(sent.values())]

    def test_missing_parameter_is_named_before_anything_runs(self, process: DriverProcess, opened: str) -> None:
        with pytest.raises(UsageError, match="nowhere"):
            process.run(opened, "SELECT :nowhere AS a")

    @pytest.mark.parametrize("sql", ["", "  \n ", "-- only a comment", "/* */ ; ;"])
    def test_text_without_sql_is_refused(self, process: DriverProcess, opened: str, sql: str) -> None:
        with pytest.raises(UsageError):
            process.run(opened, sql)

    @pytest.mark.parametrize(("limit", "more"), [(5, True), (10, False), (11, False)])
    def test_limit_cuts_and_says_so(self, process: DriverProcess, opened: str, limit: int, more: bool) -> None:
        outcome = process.run(opened, self.rows_sql.format(count=10), limit=limit)
        (result,) = outcome.results
        assert result.rows == [(n,) for n in range(1, min(limit, 10) + 1)]
        assert result.trailer is not None
        assert result.trailer.more is more
        assert process.run(opened, "SELECT 1 AS a").results[0].rows == [(1,)]

    def test_limit_does_not_read_the_rest(self, process: DriverProcess, opened: str) -> None:
        outcome = process.run(opened, self.rows_sql.format(count=2_000_000_000), limit=3)
        assert outcome.results[0].rows == [(1,), (2,), (3,)]

    def test_ticket_works_once(self, process: DriverProcess, opened: str) -> None:
        with process.begin(opened, "SELECT 1 AS a") as running:
            running.read()
            with pytest.raises(flight.FlightError):
                running.reader().read_all()

    def test_unknown_ticket_opens_nothing(self, process: DriverProcess) -> None:
        with pytest.raises(flight.FlightError):
            process.peer.flight.do_get(flight.Ticket(b"guessed")).read_all()

    def test_read_only_run_refuses_writes_and_the_next_may_write(
        self, process: DriverProcess, opened: str, remote_table: str
    ) -> None:
        self.needs("read_only")
        create = self.create_sql.format(table=remote_table)
        refused = process.run(opened, create, read_only=True)
        assert refused.error is not None
        assert refused.error.scenario == "read_only"
        assert process.run(opened, create).error is None

    def test_session_keeps_its_temp_tables_and_transaction(
        self, process: DriverProcess, opened: str, remote_table: str
    ) -> None:
        self.needs("transactions")
        process.run(opened, self.temp_sql.format(table=remote_table))
        outcome = process.run(opened, f"{self.begin_sql}; INSERT INTO {remote_table} VALUES (4)")
        assert outcome.events[-1].transaction == "open"
        assert process.run(opened, f"SELECT i FROM {remote_table}").results[0].rows == [(4,)]
        assert process.run(opened, "ROLLBACK").events[-1].transaction == "idle"
        assert process.run(opened, f"SELECT i FROM {remote_table}").results[0].rows == []

    def test_second_run_of_a_busy_session_is_refused(self, process: DriverProcess, opened: str) -> None:
        with process.begin(opened, "SELECT 1 AS a") as running:
            with pytest.raises(TimeoutExceeded) as caught:
                process.run(opened, "SELECT 2 AS a")
            assert caught.value.scenario == "session_busy"
            running.read()

    def test_cancel_ends_the_run_and_not_the_session(
        self, process: DriverProcess, opened: str, remote_table: str
    ) -> None:
        self.needs("cancel")
        process.run(opened, self.temp_sql.format(table=remote_table))
        with process.begin(opened, self.long_statement()) as running:
            process.peer.call(driver.Cancel(session=opened, run=running.request.run))
            running.read()
        assert isinstance(running.outcome.error, Cancelled)
        assert running.outcome.events[-1].event == "failed"
        assert running.outcome.events[-1].alive
        assert process.run(opened, f"SELECT count(*) AS n FROM {remote_table}").results[0].rows == [(0,)]

    def test_cancel_of_another_run_does_nothing(self, process: DriverProcess, opened: str) -> None:
        process.peer.call(driver.Cancel(session=opened, run="some other run"))
        assert process.run(opened, "SELECT 1 AS a").error is None

    def test_client_that_goes_away_frees_the_session(self, process: DriverProcess, opened: str) -> None:
        with process.begin(opened, self.rows_sql.format(count=200 * BATCH_ROWS)) as running:
            reader = running.reader()
            reader.read_chunk()
            reader.cancel()
            del reader
        assert running.outcome.events[-1].event == "failed"
        assert process.run(opened, "SELECT 1 AS a").results[0].rows == [(1,)]

    def test_sessions_of_one_process_are_apart(
        self, process: DriverProcess, opened: str, remote_table: str, settings: Settings
    ) -> None:
        process.run(opened, self.temp_sql.format(table=remote_table))
        with process.session(settings) as other:
            assert isinstance(process.run(other, f"SELECT i FROM {remote_table}").error, QueryError)

    def test_closed_session_is_unknown(self, process: DriverProcess, settings: Settings) -> None:
        with process.session(settings) as name:
            process.peer.call(driver.Close(session=name))
            process.peer.call(driver.Close(session=name))
            with pytest.raises(ProtocolError):
                process.run(name, "SELECT 1 AS a")

    def test_reset_forgets(self, process: DriverProcess, opened: str, remote_table: str) -> None:
        process.run(opened, self.temp_sql.format(table=remote_table))
        process.peer.call(driver.Reset(session=opened))
        assert isinstance(process.run(opened, f"SELECT i FROM {remote_table}").error, QueryError)

    def test_upload_goes_by_ticket(self, process: DriverProcess, opened: str, remote_table: str) -> None:
        self.needs("upload")
        sent = pa.table({"n": range(2500), "t": [f"row {n}" for n in range(2500)]})
        with process.begin_upload(opened, remote_table) as running:
            trailer = running.write(sent)
        assert trailer.statements[0].affected == 2500
        assert running.outcome.words == ["ready", "started", "finished"]
        sql = f"SELECT count(*) AS c, min(t) AS a FROM {remote_table}"
        assert process.run(opened, sql).results[0].rows == [(2500, "row 0")]

    def test_tree_and_describe_answer(self, process: DriverProcess, opened: str, remote_table: str) -> None:
        self.needs("tree")
        process.run(opened, self.create_sql.format(table=remote_table))
        assert process.peer.call(driver.Tree(session=opened)).nodes
        with pytest.raises((QueryError, UsageError)):
            process.peer.call(driver.Describe(session=opened, path=("no", "such", "thing_at_all")))

    def test_split_counts_characters(self, process: DriverProcess) -> None:
        sql = "SELECT 'é\U0001f600;' AS a; /* ; */ SELECT :b ;"
        found = process.peer.call(driver.Split(sql=sql)).statements
        assert [sql[one.start : one.end] for one in found] == ["SELECT 'é\U0001f600;' AS a", "/* ; */ SELECT :b"]
        assert [one.parameters for one in found] == [(), ("b",)]

    def test_failed_open_is_a_connect_error(
        self, process: DriverProcess, refused: Sequence[tuple[Settings, str]]
    ) -> None:
        for settings, scenario in refused:
            with pytest.raises(ConnectError) as caught:
                process.open(settings, "refused")
            assert caught.value.scenario == scenario


class ProcessContract(ManifestContract, LifeContract, RunsContract):
    """The whole process level; all that a driver in another language needs."""

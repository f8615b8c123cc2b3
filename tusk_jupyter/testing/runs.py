"""Runs over the wire: events, streams, trailers, tickets, cancel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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
    UsageError,
)
from tusk_jupyter.protocol import codec, driver
from tusk_jupyter.protocol.calls import translated
from tusk_jupyter.protocol.stream import TYPES_KEY
from tusk_jupyter.testing.hostile import TEXTS
from tusk_jupyter.testing.link import DriverProcess
from tusk_jupyter.testing.remote import ProcessBase


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
        assert outcome.words == ["finished"]
        assert outcome.events[-1].rows == 1
        assert outcome.events[-1].bytes > 0
        assert outcome.events[-1].alive

    def test_words_of_two_runs_name_their_run(self, process: DriverProcess, opened: str, settings: Settings) -> None:
        with process.session(settings) as other, process.begin(opened, "SELECT 1 AS a") as first:
            with process.begin(other, "SELECT 1 AS a; SELECT 2 AS b") as second:
                second.read()
            assert second.outcome.words == ["finished"]
            assert first.outcome.words == []
            first.read()
        assert [len(one.outcome.events[-1].statements) for one in (first, second)] == [1, 2]

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

    def test_fetch_that_comes_before_its_run_waits_for_it(self, process: DriverProcess, opened: str) -> None:
        self.needs("early_fetch")
        with ThreadPoolExecutor(1) as ahead:
            request = driver.Run(session=opened, run="early", ticket="early", sql="SELECT 1 AS a")
            fetched = ahead.submit(lambda: process.peer.flight.do_get(flight.Ticket(b"early")).read_all())
            process.peer.call(request)
            assert fetched.result().num_rows == 1

    def test_run_that_its_client_left_before_it_came_is_ended(self, process: DriverProcess, opened: str) -> None:
        self.needs("early_fetch")
        list(process.peer.flight.do_action(flight.Action("leave", codec.encode(driver.Leave(ticket="left")))))
        process.peer.call(driver.Run(session=opened, run="left", ticket="left", sql="SELECT 1 AS a"))
        with pytest.raises(flight.FlightError) as heard:
            process.peer.flight.do_get(flight.Ticket(b"left")).read_all()
        assert isinstance(translated(heard.value), Cancelled)

    def test_fetch_of_a_refused_run_hears_why(self, process: DriverProcess, opened: str) -> None:
        self.needs("early_fetch")
        request = driver.Run(session=opened, run="early", ticket="early", sql="-- nothing")
        with pytest.raises(UsageError) as refused:
            process.peer.call(request)
        with pytest.raises(flight.FlightError) as heard:
            process.peer.flight.do_get(flight.Ticket(b"early"))
        assert str(translated(heard.value)) == str(refused.value)

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

    def test_kill_backend_ends_what_another_process_runs(self, process: DriverProcess, settings: Settings) -> None:
        self.needs("kill_backend")
        backend = process.open(settings, "to be killed").backend
        assert backend, "the manifest declares kill_backend, and the session has no backend"
        kill = driver.KillBackend(config=dict(settings.config), secrets=dict(settings.secrets), backend=backend)
        with (
            DriverProcess(self.driver_command()) as other,
            process.begin("to be killed", self.long_statement()) as running,
        ):
            reader = threading.Thread(target=running.read)
            reader.start()
            while reader.is_alive():  # a kill that comes before the statement hits nothing
                other.peer.call(kill)
                reader.join(0.25)
        assert running.outcome.error is not None
        assert running.outcome.events[-1].event == "failed"
        process.peer.call(driver.Close(session="to be killed"))

    def test_who_holds_a_lock_is_told_from_another_process(
        self, process: DriverProcess, opened: str, remote_table: str, settings: Settings
    ) -> None:
        self.needs("lock_waits")
        change = f"UPDATE {remote_table} SET t = 'b'"
        process.run(opened, f"{self.create_sql.format(table=remote_table)}; INSERT INTO {remote_table} VALUES (1, 'a')")
        waiting = process.open(settings, "waits").backend
        assert waiting, "the manifest declares lock_waits, and the session has no backend"
        ask = driver.FindLocks(config=dict(settings.config), secrets=dict(settings.secrets), backends=(waiting,))
        with DriverProcess(self.driver_command()) as other:
            assert other.peer.call(ask).waits == (), "nobody waits yet"
            process.run(opened, f"{self.begin_sql}; {change}")
            with process.begin("waits", change) as running:
                reader = threading.Thread(target=running.read)
                reader.start()
                found: tuple[driver.LockWait, ...] = ()
                while reader.is_alive() and not found:
                    found = other.peer.call(ask).waits
                process.run(opened, "ROLLBACK")
                reader.join()
        assert [one.backend for one in found] == [waiting]
        assert found[0].holders or found[0].hidden, "neither a holder nor why there is none"
        assert running.outcome.error is None
        process.peer.call(driver.Close(session="waits"))

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
        assert running.outcome.words == ["finished"]
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

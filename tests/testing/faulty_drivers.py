"""Drivers that are wrong in one way each, held to the kit by test_kit_finds_faults. Not collected by itself.

Each class names in `caught_by` the tests that must find its fault.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import MappingProxyType

import pyarrow as pa
import pytest

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Changed, Rows, Settings, Transaction
from tusk_jupyter.sqltext.statements import split
from tusk_jupyter.testing.driver import SessionContract
from tusk_jupyter.testing.process import ProcessContract


class Faulty(SessionContract):
    package = "tusk_drivers.duckdb"
    rows_sql = "SELECT i FROM range(1, {count} + 1) AS n(i)"
    fault: type = DuckDBSession

    def session_class(self):
        return self.fault

    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(config={"path": str(tmp_path / "kit.duckdb")})


def rows_of(outcome, change):
    """Return the result with its batches changed."""

    def batches():
        for batch in outcome.batches:
            yield change(batch)

    return replace(outcome, batches=batches())


class PastesParameters(DuckDBSession):
    def execute(self, statement, parameters):
        (pasted,) = split(statement.bind(lambda name, n: f"'{parameters[name]}'"), "duckdb")
        return super().execute(pasted, {})


class TestPastesParameters(Faulty):
    fault = PastesParameters
    caught_by = ('test_hostile_text_is_data["it\'s"]', "test_parameter_of_every_wire_type[null]")


class TruncatesText(DuckDBSession):
    def execute(self, statement, parameters):
        short = {name: value[:255] if isinstance(value, str) else value for name, value in parameters.items()}
        return super().execute(statement, short)


class TestTruncatesText(Faulty):
    fault = TruncatesText
    caught_by = ("test_long_text_is_data",)


class RoundsIntegers(DuckDBSession):
    def execute(self, statement, parameters):
        rounded = {n: int(float(v)) if type(v) is int else v for n, v in parameters.items()}
        return super().execute(statement, rounded)


class TestRoundsIntegers(Faulty):
    fault = RoundsIntegers
    caught_by = ("test_parameter_of_every_wire_type[int]",)


class LosesARow(DuckDBSession):
    def execute(self, statement, parameters):
        outcome = super().execute(statement, parameters)
        return rows_of(outcome, lambda batch: batch.slice(0, 65_000)) if isinstance(outcome, Rows) else outcome


class TestLosesARow(Faulty):
    fault = LosesARow
    caught_by = ("test_no_row_is_lost_or_doubled_between_batches[65536]",)


class RenamesDuplicates(DuckDBSession):
    def execute(self, statement, parameters):
        outcome = super().execute(statement, parameters)
        if isinstance(outcome, Rows):
            names = [
                f"{name}_{n}" if name in outcome.schema.names[:n] else name
                for n, name in enumerate(outcome.schema.names)
            ]
            schema = pa.schema([field.with_name(name) for field, name in zip(outcome.schema, names, strict=True)])
            outcome = replace(rows_of(outcome, lambda batch: batch.rename_columns(names)), schema=schema)
        return outcome


class TestRenamesDuplicates(Faulty):
    fault = RenamesDuplicates
    caught_by = ("test_duplicate_column_names_are_kept",)


class EmptyTextIsNull(DuckDBSession):
    def execute(self, statement, parameters):
        outcome = super().execute(statement, parameters)
        if not isinstance(outcome, Rows):
            return outcome

        def blank(batch):
            columns = [
                pa.array([None if value == "" else value for value in column.to_pylist()], column.type)
                for column in batch.columns
            ]
            return pa.record_batch(columns, schema=batch.schema)

        return rows_of(outcome, blank)


class TestEmptyTextIsNull(Faulty):
    fault = EmptyTextIsNull
    caught_by = ("test_null_is_not_the_empty_text", "test_rows_of_only_empty_text_are_rows")


class ForgetsReadOnly(DuckDBSession):
    def set_read_only(self, on):
        pass


class TestForgetsReadOnly(Faulty):
    fault = ForgetsReadOnly
    caught_by = ("test_read_only_refuses_writes[as set]", "test_mode_of_an_open_transaction_is_not_changed")


class OffByOne(DuckDBSession):
    def execute(self, statement, parameters):
        try:
            return super().execute(statement, parameters)
        except errors.QueryError as exc:
            exc.position = None if exc.position is None else exc.position + 1
            raise


class TestOffByOne(Faulty):
    fault = OffByOne
    caught_by = ("test_error_position_points_at_the_token", "test_error_position_counts_characters")


class NamesNoScenario(DuckDBSession):
    def execute(self, statement, parameters):
        try:
            return super().execute(statement, parameters)
        except errors.QueryError as exc:
            exc.scenario = None
            raise


class TestNamesNoScenario(Faulty):
    fault = NamesNoScenario
    caught_by = ("test_scenario_is_named[SELEC 1-syntax]", "test_broken_rule_of_a_table_is_a_constraint")


class UploadsInPieces(DuckDBSession):
    def upload(self, table, reader, *, append):
        written = 0
        for batch in reader:
            one = pa.RecordBatchReader.from_batches(batch.schema, [batch])
            written += super().upload(table, one, append=append or written > 0)
        return written


class TestUploadsInPieces(Faulty):
    fault = UploadsInPieces
    caught_by = ("test_upload_that_breaks_off_writes_nothing[False]", "test_table_without_rows_has_its_columns")


class AppendsByOrder(DuckDBSession):
    def upload(self, table, reader, *, append):
        if append:
            names = [c.name for c in self.describe(["kit", "main", *table]).columns]
            whole = reader.read_all().rename_columns(names)
            reader = pa.RecordBatchReader.from_batches(whole.schema, whole.to_batches())
        return super().upload(table, reader, append=append)


class TestAppendsByOrder(Faulty):
    fault = AppendsByOrder
    caught_by = ("test_append_goes_by_column_name",)


class DeafToInterrupts(DuckDBSession):
    def interrupt(self):
        pass


class TestDeafToInterrupts(Faulty):
    fault = DeafToInterrupts
    slow_sql = "SELECT count(*) FROM range(3000) a, range(3000) b"
    caught_by = ("test_interrupt_ends_a_statement_and_not_the_session",)


class DiesOfInterrupts(DuckDBSession):
    def execute(self, statement, parameters):
        try:
            return super().execute(statement, parameters)
        except errors.Cancelled:
            self.close()
            raise


class TestDiesOfInterrupts(Faulty):
    fault = DiesOfInterrupts
    caught_by = ("test_interrupt_ends_a_statement_and_not_the_session",)


class ForgetsItsTransaction(DuckDBSession):
    @property
    def transaction(self):
        return Transaction.IDLE


class TestForgetsItsTransaction(Faulty):
    fault = ForgetsItsTransaction
    caught_by = ("test_transaction_ends_as_it_was_told[COMMIT-1]", "test_half_read_result_leaves_the_transaction_open")


class ShowsPasswords(DuckDBSession):
    @classmethod
    def connect(cls, settings):
        if settings.secrets:
            raise errors.ConnectError(
                f"cannot sign in with {settings.secrets}", scenario="bad_password", detail="stage=sign-in"
            )
        return super().connect(settings)


class TestShowsPasswords(Faulty):
    fault = ShowsPasswords
    caught_by = ("test_failed_sign_in_tells_no_secret",)

    @pytest.fixture
    def refused(self):
        return [(Settings(config={}, secrets={"password": "hunter2"}), "bad_password")]


class CountsNothing(DuckDBSession):
    def execute(self, statement, parameters):
        outcome = super().execute(statement, parameters)
        return Changed() if isinstance(outcome, Changed) else outcome


class TestCountsNothing(Faulty):
    fault = CountsNothing
    caught_by = ("test_changed_rows_are_counted",)


class EndsTooEarly(DuckDBSession):
    def execute(self, statement, parameters):
        outcome = super().execute(statement, parameters)
        return replace(outcome, ended=lambda: True) if isinstance(outcome, Rows) else outcome


class TestEndsTooEarly(Faulty):
    fault = EndsTooEarly
    caught_by = ("test_no_row_is_lost_or_doubled_between_batches[65537]",)


class TestClaimsGaps(Faulty):
    gaps = MappingProxyType({"test_select_yields_its_rows": "it does", "test_no_such_test": "a slip of the pen"})
    caught_by = ("test_select_yields_its_rows", "test_every_gap_names_a_test")


class TestTalksTooMuch(ProcessContract):
    """A program that prints before its manifest and does not know `serve`."""

    command = (sys.executable, "-c", "print('hello'); print('{}')")
    caught_by = ("test_info_prints_the_manifest_and_nothing_else", "test_unknown_command_is_an_error_without_output")

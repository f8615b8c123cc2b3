"""Tables written into the database: whole, with their names and values, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tusk_jupyter.driverkit.session import Rows, Session, Transaction
from tusk_jupyter.errors import TuskError
from tusk_jupyter.testing.base import ContractBase, as_rows, reader_of
from tusk_jupyter.testing.hostile import NAMES, TEXTS
from tusk_jupyter.testing.values import same

COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "bool": (pa.bool_(), [True, False]),
    "int": (pa.int64(), [2**63 - 1, -(2**63)]),
    "small": (pa.int16(), [32767, -32768]),
    "float": (pa.float64(), [0.1, -1.7976931348623157e308]),
    "str": (pa.string(), ['it\'s \\ "q" \U0001f600\n', ""]),
    "large": (pa.large_string(), ["x" * 70_000, " "]),
    "bytes": (pa.binary(), [b"\x00\xff'\\", b""]),
    "decimal": (pa.decimal128(38, 10), [Decimal("1234567890123456789012345678.0123456789"), Decimal("-0.0000000001")]),
    "date": (pa.date32(), [date(2024, 2, 29), date(1900, 1, 1)]),
    "datetime": (pa.timestamp("us"), [datetime(2024, 2, 29, 13, 14, 15, 123456), datetime(1970, 1, 2)]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["a", "b"]),
}
"""Arrow types as pandas and polars frames have them; the names are also keys of `stored`."""


class UploadsContract(ContractBase):
    """Create, append, round trip, all or nothing."""

    @pytest.mark.parametrize("kind", COLUMNS)
    def test_values_come_back_as_they_were(self, session: Session, table: str, kind: str) -> None:
        self.needs("upload")
        arrow_type, values = COLUMNS[kind]
        sent = pa.table({"n": pa.array([0, 1, 2], pa.int64()), "v": pa.array([*values, None], arrow_type)})
        assert session.upload([table], reader_of(sent), append=False) == 3
        got = [row[0] for row in self.fetch(session, f"SELECT v FROM {table} ORDER BY n")]
        for value, back in zip(values, got, strict=False):
            assert same(self.expected(kind, value), back), f"{value!r} came back as {back!r}"
        assert got[2] is None

    def test_hostile_texts_come_back_as_they_were(self, session: Session, table: str) -> None:
        self.needs("upload")
        sent = pa.table({"n": range(len(TEXTS)), "v": TEXTS})
        assert session.upload([table], reader_of(sent), append=False) == len(TEXTS)
        assert tuple(row[0] for row in self.fetch(session, f"SELECT v FROM {table} ORDER BY n")) == TEXTS

    def test_hostile_column_names_come_back_as_they_were(self, session: Session, table: str) -> None:
        self.needs("upload")
        sent = pa.table([pa.array([n]) for n in range(len(NAMES))], names=list(NAMES))
        session.upload([table], reader_of(sent), append=False)
        rows = self.select(session, f"SELECT * FROM {table}")
        assert rows.schema.names == list(NAMES)
        assert as_rows(rows) == [tuple(range(len(NAMES)))]

    def test_hostile_table_name(self, session: Session, table: str) -> None:
        self.needs("upload")
        name = f'{table}\'; DROP "x" -- `%s`'
        session.upload([name], reader_of(pa.table({"a": [1]})), append=False)
        try:
            assert self.fetch(session, f"SELECT a FROM {self.quoted(name)}") == [(1,)]
        finally:
            self.change(session, f"DROP TABLE {self.quoted(name)}")

    def test_many_batches(self, session: Session, table: str) -> None:
        self.needs("upload")
        sent = pa.table({"n": range(5_000), "t": [f"row {n}" for n in range(5_000)]})
        assert session.upload([table], reader_of(sent, rows_per_batch=333), append=False) == 5_000
        assert self.fetch(session, f"SELECT count(*) AS c, min(n) AS a, max(n) AS b FROM {table}") == [
            (5_000, 0, 4_999)
        ]

    def test_table_without_rows_has_its_columns(self, session: Session, table: str) -> None:
        self.needs("upload")
        sent = pa.schema([("a", pa.int64()), ("b", pa.string())]).empty_table()
        assert session.upload([table], reader_of(sent), append=False) == 0
        rows = self.select(session, f"SELECT * FROM {table}")
        assert rows.schema.names == ["a", "b"]
        assert as_rows(rows) == []

    def test_append_adds(self, session: Session, table: str) -> None:
        self.needs("upload")
        session.upload([table], reader_of(pa.table({"a": [1]})), append=False)
        assert session.upload([table], reader_of(pa.table({"a": [2, 3]})), append=True) == 2
        assert self.fetch(session, f"SELECT a FROM {table} ORDER BY a") == [(1,), (2,), (3,)]

    def test_append_goes_by_column_name(self, session: Session, table: str) -> None:
        self.needs("upload")
        session.upload([table], reader_of(pa.table({"a": [1], "b": [2]})), append=False)
        session.upload([table], reader_of(pa.table({"b": [20], "a": [10]})), append=True)
        assert self.fetch(session, f"SELECT a, b FROM {table} ORDER BY a") == [(1, 2), (10, 20)]

    def test_create_refuses_an_existing_table(self, session: Session, table: str) -> None:
        self.needs("upload")
        session.upload([table], reader_of(pa.table({"a": [1]})), append=False)
        with pytest.raises(TuskError) as caught:
            session.upload([table], reader_of(pa.table({"a": [9]})), append=False)
        assert table in str(caught.value)
        assert self.fetch(session, f"SELECT a FROM {table}") == [(1,)]

    def test_append_needs_an_existing_table(self, session: Session, table: str) -> None:
        self.needs("upload")
        with pytest.raises(TuskError) as caught:
            session.upload([table], reader_of(pa.table({"a": [1]})), append=True)
        assert caught.value.scenario == "undefined_table"

    @pytest.mark.parametrize("append", [False, True])
    def test_upload_that_breaks_off_writes_nothing(self, session: Session, table: str, append: bool) -> None:
        self.needs("upload")
        if append:
            session.upload([table], reader_of(pa.table({"a": [1]})), append=False)
        with pytest.raises(BrokenSource):
            session.upload([table], _breaking_reader(), append=append)
        assert self.state(session) is Transaction.IDLE
        if append:
            assert self.fetch(session, f"SELECT a FROM {table}") == [(1,)]
        else:
            session.upload([table], reader_of(pa.table({"a": [2]})), append=False)

    def test_upload_in_an_open_transaction_belongs_to_it(self, session: Session, table: str) -> None:
        self.needs("upload")
        self.needs("transactions")
        session.upload([table], reader_of(pa.table({"a": [1]})), append=False)
        self.change(session, self.begin_sql)
        session.upload([table], reader_of(pa.table({"a": [2]})), append=True)
        assert self.state(session) is Transaction.OPEN
        self.change(session, "ROLLBACK")
        assert self.fetch(session, f"SELECT a FROM {table}") == [(1,)]

    def test_result_of_one_query_can_be_uploaded(self, session: Session, table: str) -> None:
        self.needs("upload")
        outcome = self.run(session, self.rows_sql.format(count=1000))
        assert isinstance(outcome, Rows)
        whole = pa.Table.from_batches(list(outcome.batches), outcome.schema)
        assert session.upload([table], reader_of(whole), append=False) == 1000


class BrokenSource(Exception):
    """The source of an upload failed."""


def _breaking_reader() -> pa.RecordBatchReader:
    schema = pa.schema([("a", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([pa.array([7] * 3000)], schema=schema)
        raise BrokenSource("the source failed")

    return pa.RecordBatchReader.from_batches(schema, batches())

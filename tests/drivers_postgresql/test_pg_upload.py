"""Tables written from Arrow: exact values, all or nothing."""

# ruff: noqa: E501 - a golden case is one line

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D

import psycopg
import pyarrow as pa
import pytest
from services import wait_until
from services.proxies import proxy_to

from tusk_drivers.postgresql.literals import writable
from tusk_drivers.postgresql.session import PostgresqlSession
from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import ConnectError, QueryError, UsageError

US, TZ, S = pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.string()
MDN = pa.month_day_nano_interval()


@pytest.fixture
def write(db):
    db.do("DROP TABLE IF EXISTS up")

    def upload(table: pa.Table, *, name=("up",), append=False) -> int:
        reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=2))
        return db.session.upload(list(name), reader, append=append)

    yield upload
    if db.session.transaction is not Transaction.IDLE:
        db.do("ROLLBACK")
    db.do("DROP TABLE IF EXISTS up")


CASES = [
    (pa.bool_(), [True, False], "boolean", None),
    (pa.int8(), [-128, 127], "smallint", None),
    (pa.int16(), [-(2**15), 2**15 - 1], "smallint", None),
    (pa.int32(), [-(2**31), 2**31 - 1], "integer", None),
    (pa.int64(), [-(2**63), 2**63 - 1], "bigint", None),
    (pa.uint8(), [255], "smallint", None),
    (pa.uint16(), [65535], "integer", None),
    (pa.uint32(), [2**32 - 1], "bigint", None),
    (pa.uint64(), [2**64 - 1], "numeric(20,0)", [D(2**64 - 1)]),
    (pa.float32(), [0.5, float("inf"), float("-inf")], "real", None),
    (pa.float64(), [0.1, 5e-324, 1.7976931348623157e308, float("-inf")], "double precision", None),
    (pa.decimal128(12, 2), [D("-9999999999.99"), D("0.10")], "numeric(12,2)", None),
    (pa.decimal256(60, 20), [D("9" * 40 + "." + "9" * 20)], "numeric(60,20)", None),
    (pa.date32(), [date(1, 1, 1), date(9999, 12, 31)], "date", None),
    (pa.date64(), [date(2024, 2, 29)], "date", None),
    (pa.time64("us"), [time(23, 59, 59, 999999)], "time without time zone", None),
    (pa.time32("s"), [time(1, 2, 3)], "time without time zone", None),
    (US, [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)], "timestamp without time zone", None),
    (pa.timestamp("ns"), [1_700_000_000_123_456_000], "timestamp without time zone", [datetime(2023, 11, 14, 22, 13, 20, 123456)]),
    (pa.timestamp("s"), [datetime(2024, 1, 2)], "timestamp without time zone", None),
    (TZ, [datetime(2024, 7, 2, 1, tzinfo=UTC)], "timestamp with time zone", None),
    (pa.timestamp("us", tz="Europe/Berlin"), [datetime(2024, 7, 2, 1, tzinfo=UTC)], "timestamp with time zone", None),
    (pa.duration("us"), [timedelta(days=-1, microseconds=5)], "interval", [pa.MonthDayNano([0, 0, -86399999995000])]),
    (MDN, [pa.MonthDayNano([-14, 3, -5_000_000_000])], "interval", None),
    (S, ["", "a,b", 'q"q', "l\nl", "t\t", "\\N", "\\.", "NULL", "é🐘", " s ", "\r\n"], "text", None),
    (pa.large_string(), ["", "x"], "text", None),
    (pa.string_view(), ["", "x"], "text", None),
    (pa.dictionary(pa.int8(), S), ["a", "b"], "text", None),
    (pa.binary(), [b"", b"\x00\xff\\\n\","], "bytea", None),
    (pa.binary(2), [b"\x00\xff"], "bytea", None),
    (pa.null(), [], "text", None),
    (pa.list_(pa.int64()), [[], [1, None, -3]], "bigint[]", None),
    (pa.list_(S), [["", "NULL", None, 'a,"b\\', "{}", "\n"]], "text[]", None),
    (pa.list_(pa.list_(pa.float64())), [[[0.1], [float("inf")]]], "double precision[]", None),
    (pa.list_(US), [[datetime(2024, 1, 2, 3, 4, 5, 6)]], "timestamp without time zone[]", None),
    (pa.list_(pa.decimal128(5, 2)), [[D("1.10")]], "numeric[]", None),
    (pa.list_(pa.bool_()), [[True, None]], "boolean[]", None),
    (pa.list_(pa.binary()), [[b"\x00", b""]], "bytea[]", None),
    (pa.large_list(pa.int32()), [[1]], "integer[]", None),
    (pa.list_(pa.timestamp("ns")), [[1_000, None]], "timestamp without time zone[]", [[datetime(1970, 1, 1, microsecond=1), None]]),
    (pa.struct([("d", pa.decimal128(38, 30))]), [{"d": D("0.123456789012345678901234567890")}], "jsonb", ['{"d": 0.123456789012345678901234567890}']),
    (pa.struct([("a", pa.int64()), ("b", S)]), [{"a": 1, "b": "x\"y"}], "jsonb", ['{"a": 1, "b": "x\\"y"}']),
]  # fmt: skip


@pytest.mark.parametrize(("arrow", "values", "type_", "back"), CASES, ids=[str(case[0]) for case in CASES])
def test_a_column_is_written_exactly(db, write, arrow, values, type_, back):
    data = pa.table({"n": list(range(len(values) + 1)), "x": pa.array([None, *values], arrow)})
    assert write(data) == len(values) + 1
    table = db.table("SELECT x FROM up ORDER BY n")
    assert db.session.describe(["up"]).columns[1].type == type_.replace("numeric[]", "numeric(5,2)[]")
    assert table["x"].to_pylist() == [None, *(values if back is None else back)]


def test_nan_is_written_as_nan(db, write):
    write(pa.table({"x": pa.array([float("nan"), None], pa.float64())}))
    assert db.rows("SELECT x::text FROM up") == [("NaN",), (None,)]


def test_one_column_keeps_null_and_empty_text(db, write):
    assert write(pa.table({"x": pa.array([None, "", None, "a"], S)})) == 4
    assert db.rows("SELECT x FROM up") == [(None,), ("",), (None,), ("a",)]


def test_names_are_quoted(db, write):
    names = ['a "b"', "select", "Ünï", "", "x;--"]
    with pytest.raises(UsageError, match="name ''"):
        write(pa.table({name: [1] for name in names}))
    names.remove("")
    assert write(pa.table({name: [1] for name in names}), name=("public", 'T "x"')) == 1
    assert [column.name for column in db.session.describe(['T "x"']).columns] == names
    db.do('DROP TABLE "T ""x"""')


def test_an_empty_table_is_made(db, write):
    assert write(pa.table({"x": pa.array([], pa.int32())})) == 0
    assert db.rows("SELECT * FROM up") == []


def test_a_table_that_exists_is_not_replaced(db, write):
    write(pa.table({"x": [1]}))
    with pytest.raises(QueryError, match="already exists"):
        write(pa.table({"x": [2]}))
    assert db.rows("SELECT x FROM up") == [(1,)]


def test_rows_are_appended_by_name(db, write):
    db.do("CREATE TABLE up (a int, b text DEFAULT 'd', c numeric(5,1))")
    assert write(pa.table({"c": [1.5, 2.5], "a": [1, 2]}), append=True) == 2
    assert db.rows("SELECT a, b, c FROM up ORDER BY a") == [(1, "d", D("1.5")), (2, "d", D("2.5"))]
    with pytest.raises(UsageError, match=r"no column 'z'; it has a, b, c"):
        write(pa.table({"z": [1]}), append=True)
    with pytest.raises(QueryError) as caught:
        write(pa.table({"a": [1]}), name=("nowhere",), append=True)
    assert caught.value.scenario == "undefined_table"


@pytest.mark.parametrize("place", ["idle", "open"])
def test_a_refused_row_leaves_nothing_behind(db, write, place):
    db.do("DROP TABLE IF EXISTS before_it")
    db.do("CREATE TABLE up (a int CHECK (a < 5))")
    if place == "open":
        db.do("BEGIN; CREATE TABLE before_it (a int)")
    with pytest.raises(QueryError) as caught:
        write(pa.table({"a": [1, 2, 3, 4, 5]}), append=True)
    assert caught.value.scenario == "constraint"
    assert db.one("SELECT count(*) FROM up") == 0
    if place == "open":
        assert db.session.transaction is Transaction.OPEN
        assert db.one("SELECT count(*) FROM before_it") == 0
        assert write(pa.table({"a": [1]}), append=True) == 1
        db.do("ROLLBACK")
    assert db.one("SELECT count(*) FROM up") == 0
    db.do("DROP TABLE IF EXISTS before_it")


def test_a_source_that_breaks_leaves_nothing_behind(db):
    def batches():
        yield pa.record_batch({"x": [1]})
        raise OSError("the source broke")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("x", pa.int64())]), batches())
    with pytest.raises(OSError, match="source broke"):
        db.session.upload(["up_broken"], reader, append=False)
    assert db.one("SELECT to_regclass('up_broken')") is None


def test_nothing_is_rounded_in_silence(write):
    with pytest.raises(UsageError, match="nanoseconds"):
        write(pa.table({"x": pa.array([1], pa.timestamp("ns"))}))
    with pytest.raises(UsageError, match="nanoseconds"):
        write(pa.table({"x": pa.array([pa.MonthDayNano([0, 0, 1])], MDN)}))


def test_text_with_nul_is_a_clear_error(db, write):
    with pytest.raises((QueryError, UsageError), match=r"0x00|NUL"):
        write(pa.table({"x": ["a\x00b"]}))
    assert db.one("SELECT 1") == 1


@pytest.mark.parametrize("row", [[[]], [[], []], [None], [[1], None], [[1], [2, 3]]], ids=str)
def test_lists_of_lists_that_are_no_rectangle_are_refused(row):
    column = pa.array([[[1, 2]], [], None, row], pa.large_list(pa.large_list(pa.int64())))
    with pytest.raises(UsageError, match="rectangle"):
        writable(column, name="v")
    assert writable(column[:3], name="v").to_pylist() == ['{{"1","2"}}', "{}", None]


def test_nul_is_looked_for_in_the_stretch_that_is_sent():
    column = pa.array(["a long text before", "b", "c\0"], pa.large_string())
    assert writable(column[:2], name="v").to_pylist() == ["a long text before", "b"]
    with pytest.raises(UsageError, match="NUL"):
        writable(column[2:], name="v")


def test_a_type_that_has_no_place_is_refused(write):
    either = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    with pytest.raises(UsageError, match="no column type"):
        write(pa.table({"x": either}))


def test_a_read_only_session_uploads_nothing(settings):
    session = PostgresqlSession.connect(settings(read_only=True))
    table = pa.table({"x": [1]})
    with pytest.raises(QueryError) as caught:
        session.upload(["up"], table.to_reader(), append=False)
    assert caught.value.scenario == "read_only"
    session.close()


def test_the_users_formats_do_not_change_what_is_written(db, write):
    db.do("SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'")
    write(pa.table({"d": pa.array([date(2024, 3, 4)]), "i": pa.array([pa.MonthDayNano([1, -2, 0])], MDN)}))
    assert db.rows("SELECT * FROM up") == [(date(2024, 3, 4), pa.MonthDayNano([1, -2, 0]))]


@pytest.mark.parametrize("cut_after", [0, 5])
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_link_that_is_cut_leaves_nothing_and_the_repeat_works(
    connect, db, postgresql, cut_after, in_transaction
):  # R16
    sent = pa.table({"n": range(50_000), "v": ["x" * 60] * 50_000})
    with proxy_to(postgresql.host, postgresql.port) as proxy:
        talk = connect(port=proxy.port)
        if in_transaction:
            talk.do("BEGIN")

        def batches():
            for index, batch in enumerate(sent.to_batches(max_chunksize=5_000)):
                if index == cut_after:
                    proxy.cut()
                yield batch

        reader = pa.RecordBatchReader.from_batches(sent.schema, batches())
        with pytest.raises(ConnectError, match="Nothing of the upload stays"):
            talk.session.upload(["cut_off"], reader, append=False)
    assert db.one("SELECT to_regclass('cut_off')::text") is None
    db.session.upload(["cut_off"], sent.to_reader(), append=False)
    assert db.one("SELECT count(*) FROM cut_off") == 50_000
    db.do("DROP TABLE cut_off")


@pytest.mark.parametrize("ended_before", [0, 1, 5, 10])
@pytest.mark.parametrize("append", [False, True])
def test_an_upload_that_the_server_ends_has_its_reason(connect, db, admin, ended_before, append):
    sent = pa.table({"n": range(50_000), "v": ["x" * 60] * 50_000})
    talk = connect()
    db.do("CREATE TABLE ended_up (n bigint, v text)" if append else "SELECT 1")

    def batches():
        for index, batch in enumerate([*sent.to_batches(max_chunksize=5_000), sent.slice(0, 1).to_batches()[0]]):
            if index == ended_before:
                admin.do(f"SELECT pg_terminate_backend({talk.session.backend})")
                wait_until(lambda: not admin.rows(f"SELECT 1 FROM pg_stat_activity WHERE pid = {talk.session.backend}"))
            yield batch

    try:
        with pytest.raises(ConnectError) as caught:
            talk.session.upload(["ended_up"], pa.RecordBatchReader.from_batches(sent.schema, batches()), append=append)
        assert "administrator command" in caught.value.message
        assert "all of its transaction, is rolled back" in caught.value.message
        assert (caught.value.code, caught.value.scenario) == ("57P01", "cancelled_by_admin")
    finally:
        db.do("DROP TABLE IF EXISTS ended_up")


def test_memory_that_libpq_does_not_get_amid_an_upload_is_no_word_of_the_server(connect, db, monkeypatch):
    def refused(self, data):
        raise psycopg.OperationalError("sending copy data failed: cannot allocate memory for output buffer")

    monkeypatch.setattr(psycopg.Copy, "write", refused)
    with pytest.raises(MemoryError, match="libpq: cannot allocate memory"):
        connect().session.upload(["refused"], pa.table({"n": [1]}).to_reader(), append=False)
    assert db.one("SELECT to_regclass('refused')::text") is None

"""Tables written by the driver: exact, all or nothing, never in the way of the user's transaction."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from services import wait_until
from services.proxies import proxy_to

from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import ConnectError, QueryError, TuskError, UsageError

# Arrow type, values, the column's type in MySQL, what comes back (None: the same)
COLUMNS = [
    (pa.bool_(), [True, False], "tinyint(1)", [1, 0]),
    (pa.int8(), [-128, 127], "tinyint(4)", None),
    (pa.uint8(), [0, 255], "tinyint(3) unsigned", None),
    (pa.int16(), [-32768, 32767], "smallint(6)", None),
    (pa.uint16(), [0, 65535], "smallint(5) unsigned", None),
    (pa.int32(), [-(2**31), 2**31 - 1], "int(11)", None),
    (pa.uint32(), [0, 2**32 - 1], "int(10) unsigned", None),
    (pa.int64(), [-(2**63), 2**63 - 1], "bigint(20)", None),
    (pa.uint64(), [0, 2**64 - 1], "bigint(20) unsigned", None),
    (pa.float32(), [0.10000000149011612, -3.4028234663852886e38, 16777216.0], "float", None),
    (pa.float64(), [0.1, 5e-324, 1.7976931348623157e308, -1 / 3], "double", None),
    (
        pa.decimal128(38, 10),
        [Decimal("-9999999999999999999999999999.9999999999"), Decimal("1E-10")],
        "decimal(38,10)",
        None,
    ),
    (pa.decimal256(65, 30), [Decimal("9" * 35 + "." + "9" * 30)], "decimal(65,30)", None),
    (pa.string(), ["", "it's \\ \" % 😀\n\0", "NULL", " x "], "longtext", None),
    (pa.large_string(), ["x" * 2_000_000], "longtext", None),
    (pa.string_view(), ["view"], "longtext", None),
    (pa.binary(), [b"", b"\0\xff'\\\xfb"], "longblob", None),
    (pa.binary(2), [b"ab"], "longblob", None),
    (pa.date32(), [date(1, 1, 1), date(9999, 12, 31)], "date", None),
    (pa.timestamp("s"), [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)], "datetime", None),
    (pa.timestamp("ms"), [datetime(2024, 1, 1, 0, 0, 0, 123000)], "datetime(3)", None),
    (
        pa.timestamp("us"),
        [datetime(1, 1, 1, 0, 0, 0, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)],
        "datetime(6)",
        None,
    ),
    (
        pa.timestamp("us", "Europe/Berlin"),
        [datetime(2024, 7, 1, 12, tzinfo=UTC)],
        "datetime(6)",
        [datetime(2024, 7, 1, 12)],
    ),
    (
        pa.time64("us"),
        [time(0, 0), time(23, 59, 59, 999999)],
        "time(6)",
        [timedelta(0), timedelta(days=1, microseconds=-1)],
    ),
    (pa.duration("us"), [timedelta(hours=-838, minutes=-59, seconds=-59), timedelta(microseconds=1)], "time(6)", None),
    (pa.null(), [], "text", None),
    (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"], "longtext", None),
]


@pytest.fixture
def table(client):
    client.run("DROP TABLE IF EXISTS uploaded")
    yield "uploaded"
    client.run("ROLLBACK")
    client.run("DROP TABLE IF EXISTS uploaded")


@pytest.mark.parametrize(("kind", "values", "mysql", "back"), COLUMNS, ids=[str(row[0]) for row in COLUMNS])
def test_values_come_back_exactly(client, table, kind, values, mysql, back):
    rows = [None, *values, None]
    sent = pa.table({"n": list(range(len(rows))), "v": pa.array(rows, kind)})
    assert client.session.upload([table], sent.to_reader(), append=False) == len(rows)
    described = {column.name: column for column in client.session.describe([table]).columns}
    assert described["v"].type == mysql
    assert client.values(f"SELECT v FROM {table} ORDER BY n") == [None, *(values if back is None else back), None]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.float64(), math.nan),
        (pa.float64(), math.inf),
        (pa.timestamp("ns"), 1),
        (pa.duration("s"), 838 * 3600 + 60 * 60),
        (pa.list_(pa.int64()), [1]),
        (pa.struct({"a": pa.int64()}), {"a": 1}),
        (pa.decimal256(70, 0), Decimal(1)),
        (pa.month_day_nano_interval(), (1, 1, 1)),
    ],
)
def test_value_that_mysql_cannot_hold_is_refused_and_no_table_is_left(client, table, kind, value):
    sent = pa.table({"n": [1, 2], "v": pa.array([None, value], kind)})
    with pytest.raises(UsageError, match="'v'"):
        client.session.upload([table], sent.to_reader(), append=False)
    assert table not in client.values("SHOW TABLES")


@pytest.mark.parametrize("name", ["", "ends in a blank ", "a" * 65, "nul\0"])
def test_column_name_that_mysql_refuses(client, table, name):
    with pytest.raises(TuskError):
        client.session.upload([table], pa.table({name: [1]}).to_reader(), append=False)
    assert table not in client.values("SHOW TABLES")


def test_statement_is_never_larger_than_the_server_takes(client, table):
    sent = pa.table({"n": range(300), "v": ["'" * 20_000] * 300})
    assert client.session.upload([table], sent.to_reader(), append=False) == 300
    assert client.values(f"SELECT SUM(LENGTH(v)) FROM {table}") == [6_000_000]


def test_row_that_is_too_large_leaves_nothing(client, table):
    sent = pa.table({"v": ["small", "x" * client.value("SELECT @@max_allowed_packet")]})
    with pytest.raises(UsageError, match="max_allowed_packet"):
        client.session.upload([table], sent.to_reader(max_chunksize=1), append=False)
    assert table not in client.values("SHOW TABLES")


def test_another_databases_table(admin):
    admin.run("CREATE OR REPLACE DATABASE `else where`")
    admin.session.upload(["else where", "t`x"], pa.table({"a": [1]}).to_reader(), append=False)
    assert admin.values("SELECT a FROM `else where`.`t``x`") == [1]
    admin.run("DROP DATABASE `else where`")


def test_new_table_inside_a_transaction_is_refused_and_the_transaction_stays(client, table):
    client.run("START TRANSACTION")
    with pytest.raises(UsageError, match="transaction"):
        client.session.upload([table], pa.table({"a": [1]}).to_reader(), append=False)
    assert client.session.transaction is Transaction.OPEN


def test_append_inside_a_transaction_belongs_to_it(client, connect, table):
    client.session.upload([table], pa.table({"a": [1]}).to_reader(), append=False)
    client.run("START TRANSACTION")
    client.session.upload([table], pa.table({"a": [2]}).to_reader(), append=True)
    assert client.session.transaction is Transaction.OPEN
    assert connect().values(f"SELECT a FROM {table}") == [1]
    client.run("ROLLBACK")
    assert client.values(f"SELECT a FROM {table}") == [1]


def test_failed_append_inside_a_transaction_takes_back_only_itself(client, table):
    client.run(f"CREATE TABLE {table} (a INT PRIMARY KEY) ENGINE=InnoDB")
    client.run("START TRANSACTION")
    client.run(f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(QueryError) as caught:
        client.session.upload([table], pa.table({"a": [2, 3, 1]}).to_reader(max_chunksize=1), append=True)
    assert caught.value.scenario == "constraint"
    assert client.session.transaction is Transaction.OPEN
    client.run("COMMIT")
    assert client.values(f"SELECT a FROM {table}") == [1]


@pytest.mark.parametrize("mode", ["NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", ""])
def test_upload_follows_the_sql_mode(client, table, mode):
    client.run("SET sql_mode = :mode", mode=mode)
    texts = ["\\", "a\\'b", '"', "`", "\n\\n"]
    client.session.upload([table], pa.table({"n": range(5), "v": texts}).to_reader(), append=False)
    assert client.values(f"SELECT v FROM {table} ORDER BY n") == texts


def test_value_that_does_not_fit_an_existing_column_is_an_error_also_without_strict_mode(client, table):
    client.run(f"CREATE TABLE {table} (a TINYINT, b VARCHAR(3)) ENGINE=InnoDB")
    client.run("SET sql_mode = ''")
    for column, value in (("a", 1000), ("b", "too long")):
        with pytest.raises(UsageError, match=f"'{column}' holds .*would change"):
            client.session.upload([table], pa.table({column: [value]}).to_reader(), append=True)
    assert client.values(f"SELECT COUNT(*) FROM {table}") == [0]


# --- a link that is lost on the way ---

ROWS = 40_000
BATCH = 2_000


def _table() -> pa.Table:
    return pa.table({"n": range(ROWS), "v": [f"value {n} {'x' * 60}" for n in range(ROWS)]})


def _batches(cut_after: int, cut):
    """The table's rows; the link is cut before a batch."""
    data = _table()
    for index, batch in enumerate(data.to_batches(max_chunksize=BATCH)):
        if index == cut_after:
            cut()
        yield batch


@pytest.mark.parametrize("cut_after", [0, 1, 7, 19])
@pytest.mark.parametrize("append", [False, True])
def test_a_link_that_is_cut_leaves_nothing_and_the_repeat_works(  # R16
    connect, client, mariadb, table, cut_after, append
):
    if append:
        client.run(f"CREATE TABLE {table} (n BIGINT, v LONGTEXT) ENGINE=InnoDB")
    with proxy_to(mariadb.host, mariadb.port) as proxy:
        talk = connect(port=proxy.port)
        reader = pa.RecordBatchReader.from_batches(_table().schema, _batches(cut_after, proxy.cut))
        with pytest.raises(ConnectError, match="Nothing of the upload stays"):
            talk.session.upload([table], reader, append=append)
    if append:
        assert client.value(f"SELECT count(*) FROM {table}") == 0
    else:
        assert table not in client.values("SHOW TABLES")
    client.session.upload([table], _table().to_reader(), append=append)
    assert client.value(f"SELECT count(*) FROM {table}") == ROWS


def test_a_link_that_is_cut_at_any_byte_leaves_all_or_nothing(connect, client, mariadb, table):  # R16
    """Also while the server makes the table: what the words leave open is then whole."""
    with proxy_to(mariadb.host, mariadb.port) as proxy:
        connect(port=proxy.port).session.upload([table], _table().to_reader(), append=False)
        whole = proxy.passed
    client.run(f"DROP TABLE {table}")
    for _ in range(6):
        at = random.randint(whole * 9 // 10, whole)
        with proxy_to(mariadb.host, mariadb.port) as proxy:
            talk = connect(port=proxy.port)
            proxy.cut_at = at
            try:
                talk.session.upload([table], _table().to_reader(), append=False)
            except ConnectError as exc:
                told = exc.message
            else:
                told = "done"
        wait_until(lambda: not _at_work(client), what="the server has ended what it began")
        there = table in client.values("SHOW TABLES")
        if there:
            assert "whole, or not at all" in told or told == "done", (at, told)
            assert client.value(f"SELECT count(*) FROM {table}") == ROWS
            client.run(f"DROP TABLE {table}")
        else:
            assert told != "done", at


def _at_work(client) -> list[object]:
    return client.values("SELECT id FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE%tusk_upload%'")


def test_a_killed_sessions_upload_leaves_nothing(client, connect, admin, table):  # R16
    talk = connect()
    reader = pa.RecordBatchReader.from_batches(
        _table().schema, _batches(7, lambda: admin.run(f"KILL {talk.session.backend}"))
    )
    with pytest.raises(ConnectError, match="Nothing of the upload stays"):
        talk.session.upload([table], reader, append=False)
    assert table not in client.values("SHOW TABLES")


def test_a_table_that_others_made_meanwhile_is_theirs(client, connect, table):  # R16
    others = connect()
    reader = pa.RecordBatchReader.from_batches(
        _table().schema, _batches(7, lambda: others.run(f"CREATE TABLE {table} AS SELECT 'theirs' AS whose"))
    )
    with pytest.raises(QueryError, match="already exists"):
        client.session.upload([table], reader, append=False)
    assert client.values(f"SELECT whose FROM {table}") == ["theirs"]


def test_a_table_that_is_there_is_refused_before_the_rows_go_up(client, table):
    client.run(f"CREATE TABLE {table} (a INT)")

    def rows():
        yield pa.record_batch({"a": [1]})
        raise AssertionError("the second batch was asked for")

    with pytest.raises(QueryError, match="already exists") as caught:
        client.session.upload(
            [table], pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), rows()), append=False
        )
    assert caught.value.code == "1050"


def test_a_temporary_table_of_the_same_name_takes_no_rows(client, connect, table):
    client.run(f"CREATE TEMPORARY TABLE {table} (a INT)")
    client.session.upload([table], pa.table({"a": [1, 2]}).to_reader(), append=False)
    assert client.values(f"SELECT a FROM {table}") == []
    assert connect().values(f"SELECT a FROM {table} ORDER BY a") == [1, 2]
    client.run(f"DROP TEMPORARY TABLE {table}")


def test_an_account_that_may_make_no_temporary_tables_can_upload(admin, admin_settings, mariadb, connect):
    admin.run("CREATE OR REPLACE DATABASE narrow")
    admin.run("CREATE OR REPLACE USER narrow IDENTIFIED BY 'narrow-8'")
    admin.run("GRANT SELECT, INSERT, CREATE, DROP ON narrow.* TO narrow")
    settings = replace(
        admin_settings,
        config={**admin_settings.config, "user": "narrow", "database": "narrow"},
        secrets={"password": "narrow-8"},
    )
    connect(settings).session.upload(["t"], _table().to_reader(), append=False)
    assert admin.value("SELECT count(*) FROM narrow.t") == ROWS
    with proxy_to(mariadb.host, mariadb.port) as proxy:
        talk = connect(settings, port=proxy.port)
        reader = pa.RecordBatchReader.from_batches(_table().schema, _batches(3, proxy.cut))
        with pytest.raises(ConnectError, match="may be left, empty: drop it"):
            talk.session.upload(["half"], reader, append=False)
    assert admin.value("SELECT count(*) FROM narrow.half") == 0
    admin.run("DROP DATABASE narrow")
    admin.run("DROP USER narrow")


def test_floats_that_are_no_numbers_are_counted_and_the_way_out_is_named(client, table):
    rows = pa.table({"weight": [1.0, float("nan"), float("inf"), float("nan"), -float("inf"), None]})
    with pytest.raises(UsageError, match="'weight' holds 2 x NaN and 2 x infinity") as caught:
        client.session.upload([table], rows.to_reader(), append=False)
    for way_out in ("NULL", "np.isfinite(df['weight'])", "pl.col('weight')", "text"):
        assert way_out in (caught.value.hint or "")

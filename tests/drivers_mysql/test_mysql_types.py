"""What is in the result is what was in the table: every type, by both protocols, and TYPES.md tells the truth."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from golden.mysql import GOLDEN

import tusk_drivers.mysql
from tusk_drivers.mysql.types import _RULES, _Definition

ORDINARY = [row for row in GOLDEN if row[0] not in ("GEOMETRY", "POINT")]


def _filled(client, sql_type: str, literals: list[str]) -> None:
    client.run(
        "CREATE OR REPLACE TEMPORARY TABLE golden (n INT AUTO_INCREMENT PRIMARY KEY, f FLOAT, v " + sql_type + " NULL)"
    )
    for literal in ["NULL", *literals, "NULL"]:
        client.run(f"INSERT INTO golden (v) VALUES ({literal})")


@pytest.mark.parametrize(("sql_type", "arrow", "values"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_golden(client, sql_type, arrow, values):  # T: types
    _filled(client, sql_type, list(values))
    expected = [None, *values.values(), None]
    for columns in ("v", "v, f"):  # with a FLOAT beside it the rows come by the binary protocol
        table = client.table(f"SELECT {columns} FROM golden ORDER BY n")
        assert table.schema.field("v").type == arrow
        assert table.column("v").to_pylist() == expected, columns


@pytest.mark.parametrize(("sql_type", "arrow", "values"), ORDINARY, ids=[row[0] for row in ORDINARY])
def test_parameters_store_the_same(client, sql_type, arrow, values):  # NL-28
    _filled(client, sql_type, [])
    for value in values.values():
        client.run("INSERT INTO golden (v) VALUES (:value)", value=value)
    assert client.values("SELECT v FROM golden WHERE v IS NOT NULL ORDER BY n") == list(values.values())


def test_columns_of_null_and_of_empty_text_keep_their_rows(client):
    assert client.table("SELECT NULL AS a").column(0).to_pylist() == [None]
    assert client.values("SELECT NULL AS a UNION ALL SELECT NULL") == [None, None]
    assert client.values("SELECT '' AS a UNION ALL SELECT NULL UNION ALL SELECT ''") == ["", None, ""]


def test_duplicate_and_empty_column_names_are_kept(client):
    table = client.table("SELECT 1 AS a, 2 AS a, 3 AS ``, 'x' AS `ü 😀`".replace(" 😀", ""))
    assert table.schema.names == ["a", "a", "", "ü"]
    assert [column.to_pylist() for column in table.columns] == [[1], [2], [3], ["x"]]


def test_types_are_named_in_the_databases_words(client):
    client.run(
        "CREATE TEMPORARY TABLE named (a INT UNSIGNED, b TINYINT(1), c DECIMAL(12,2), d DATETIME(6), e VARCHAR(40), f CHAR(3), "
        "g LONGTEXT, h BLOB, i BIT(9), j ENUM('x'), k SET('x'), l VARBINARY(7), m TIMESTAMP NULL, n YEAR, o TINYTEXT, p TEXT)"
    )
    assert list(client.rows("SELECT * FROM named").types) == [
        "int unsigned", "tinyint(1)", "decimal(12,2)", "datetime(6)", "varchar(40)", "char(3)", "longtext", "blob", "bit(9)",
        "enum", "set", "varbinary(7)", "timestamp", "year", "tinytext", "text",
    ]  # fmt: skip


def test_timestamp_follows_the_sessions_time_zone(client):
    client.run("CREATE TEMPORARY TABLE moments (t TIMESTAMP NULL)")
    client.run("SET time_zone = '+00:00'")
    client.run("INSERT INTO moments VALUES ('2024-01-01 12:00:00')")
    client.run("SET time_zone = '+05:30'")
    assert client.value("SELECT t FROM moments") == datetime(2024, 1, 1, 17, 30)


# --- values that their type cannot hold ---


@pytest.fixture
def lenient(client):
    client.run("SET sql_mode = 'ALLOW_INVALID_DATES'")
    return client


@pytest.mark.parametrize("beside", ["", ", f"], ids=["text", "binary"])
@pytest.mark.parametrize(
    ("sql_type", "good", "bad"),
    [
        ("DATE", "2024-05-06", "0000-00-00"),
        ("DATE", "2024-05-06", "2024-00-10"),
        ("DATE", "2024-05-06", "2024-05-00"),
        ("DATE", "2024-05-06", "2023-02-30"),
        ("DATETIME(6)", "2024-05-06 07:08:09.000010", "0000-00-00 00:00:00.000000"),
        ("DATETIME(6)", "2024-05-06 07:08:09.000010", "2024-00-10 11:12:13.141516"),
        ("TIMESTAMP(6)", "2024-05-06 07:08:09.000010", "0000-00-00 00:00:00.000000"),
    ],
)
def test_zero_date_is_shown_as_itself_and_never_as_another(lenient, sql_type, good, bad, beside):
    lenient.run(f"CREATE TEMPORARY TABLE zeros (n INT, v {sql_type} NULL DEFAULT NULL, f FLOAT)")
    lenient.run("INSERT INTO zeros SELECT seq, :good, 0 FROM seq_1_to_70000", good=good)
    lenient.run("INSERT INTO zeros VALUES (70001, :bad, 0), (70002, NULL, 0)", bad=bad)
    rows = lenient.rows(f"SELECT v{beside} FROM zeros ORDER BY n")
    batches = list(rows.batches)
    assert not pa.types.is_string(rows.schema.field("v").type)
    assert pa.types.is_string(batches[-1].schema.field("v").type)
    shown = [value for b in batches for value in b.column(0).cast(pa.string()).to_pylist()]
    assert set(shown[:70_000]) == {good}
    assert shown[70_000:] == [bad, None]
    assert len(rows.notes()) == 1
    assert "v" in rows.notes()[0]


@pytest.mark.parametrize(("digits", "pad"), [(0, ".000000"), (3, "000")])
def test_widened_datetimes_look_alike_in_all_batches(lenient, digits, pad):
    lenient.run(f"CREATE TEMPORARY TABLE zeros (v DATETIME({digits}))")
    lenient.run("INSERT INTO zeros VALUES ('2024-05-06 07:08:09.5'), ('0000-00-00')")
    first = "2024-05-06 07:08:09" if digits == 0 else "2024-05-06 07:08:09.500"
    nothing = "0000-00-00 00:00:00" + (f".{'0' * digits}" if digits else "")
    assert sorted(lenient.values("SELECT v FROM zeros")) == [nothing + pad, first + pad]


def test_text_that_is_not_unicode_goes_on_as_bytes(client):
    as_it_is = "SET STATEMENT character_set_results = NULL FOR "  # for this statement the server converts nothing
    assert client.values(f"{as_it_is}SELECT CONVERT('é' USING latin1) AS v") == [b"\xe9"]


# --- FLOAT ---


def test_float_is_exact_although_the_server_writes_six_digits(client):
    client.run("CREATE TEMPORARY TABLE floats (f FLOAT)")
    client.run("INSERT INTO floats VALUES (16777216)")
    assert client.value("SELECT f FROM floats") == 16777216.0
    assert client.values("WITH q AS (SELECT f FROM floats) SELECT * FROM q") == [16777216.0]


def test_float_that_can_only_come_as_text_is_noted(client):
    client.run("CREATE OR REPLACE PROCEDURE give_float() SELECT CAST(16777216 AS FLOAT) AS f")
    rows = client.rows("CALL give_float()")
    assert [b.column(0).to_pylist() for b in rows.batches] == [[16777200.0]]
    assert "six digits" in rows.notes()[0]


# --- large values ---


@pytest.mark.parametrize(
    "size", [2**24 - 1, 2**24 - 5, 2**24 - 10, 2**24, 2**24 + 3, 2 * (2**24 - 1), 2 * (2**24 - 1) - 9, 40_000_000]
)
def test_rows_of_sixteen_megabytes_and_more(client, size):
    table = client.table(
        f"SELECT 1 AS n, 'before' AS v UNION ALL SELECT 2, REPEAT('x', {size}) UNION ALL SELECT 3, 'after'"
    )
    assert table.column("n").to_pylist() == [1, 2, 3]
    before, large, after = table.column("v").to_pylist()
    assert (before, after) == ("before", "after")
    assert len(large) == size
    assert set(large) == {"x"}


def test_row_of_many_columns(client):
    table = client.table("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1000)))
    assert table.to_pylist() == [{f"c{n}": n for n in range(1000)}]


# --- TYPES.md ---


def _documented() -> dict[str, set[str]]:
    text = (Path(tusk_drivers.mysql.__file__).parent / "TYPES.md").read_text()
    rows = [line.split("|") for line in text.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return {name: set(re.findall(r"`(.+?)`", row[2])) for row in rows for name in re.findall(r"`(.+?)`", row[1])}


@pytest.mark.parametrize(("sql_type", "arrow"), sorted({(row[0], str(row[1])) for row in GOLDEN}))
def test_types_md_has_every_golden_type_as_it_is(sql_type, arrow):
    documented = _documented()
    word = re.sub(r" CHARACTER SET.*| COLLATE.*|\('.*\)", "", sql_type).replace("(7)", "").replace(" ZEROFILL", "")
    spellings = [word, re.sub(r"\(\d+(,\d+)?\)", "(p,s)", word), re.sub(r"\(\d+(,\d+)?\)", "", word)]
    found = next((documented[name] for name in spellings if name in documented), None)
    assert found is not None, f"{sql_type} is not in TYPES.md"
    assert re.sub(r"\d+, \d+", "p, s", arrow) in found


def test_types_md_has_every_type_that_the_driver_reads():
    documented = {name.lower() for name in _documented()}
    names = {
        rule.name(_Definition(code=code, length=9, decimals=0, flags=0, is_binary=False))
        for code, rule in _RULES.items()
    }
    assert {re.sub(r"\(.*", "", name) for name in names} <= {re.sub(r"\(.*", "", name) for name in documented}

"""Values as INSERT statements, loaded into the same engine: equal whatever its session has set, or refused by name.

The golden values are among the forms in `test_types_on_the_wire`.
"""

from __future__ import annotations

import pytest
from golden import postgresql
from golden.inserts import DIALECTS, NUMBERED, exported, wrongs

from tusk_jupyter.errors import UsageError

pytestmark = pytest.mark.home("shared")


AWKWARD: dict[str, list[tuple[str, list[str]]]] = {
    "duckdb": [
        ("VARCHAR[]", ["['a' || chr(10) || 'b', 'it''s', '\"', '\\', 'NULL', '', NULL, '[x, y]', 'a' || chr(0)]", "NULL", "[]"]),
        ("STRUCT(a VARCHAR, \"b'c\" VARCHAR, \"d\"\"e f\" INTEGER)", ["{'a': chr(10), 'b''c': '}', 'd\"e f': 1}", "NULL"]),
        ("BLOB[]", ["['\\x00\\xff'::BLOB, ''::BLOB, NULL]"]),
        ("INTERVAL[]", ["[INTERVAL '14 months -3 days 1 microsecond', INTERVAL '0 days']"]),
        ("INTERVAL", ["INTERVAL '-292 years'", "INTERVAL '2562047 hours'", "INTERVAL '-2562047 hours 0.000001 seconds'"]),
        ("MAP(DATE, BLOB)", ["MAP {DATE '0045-03-15 (BC)': '\\x00'::BLOB}", "MAP {}"]),
        ("MAP(STRUCT(a INTEGER), VARCHAR[])", ["MAP {{'a': 1}: ['x', NULL]}"]),
        ("TIMESTAMP[]", ["[TIMESTAMP '0045-03-15 (BC) 01:02:03.5', TIMESTAMP 'infinity', TIMESTAMP '12000-01-01']"]),
        ("STRUCT(d DATE, t TIMESTAMPTZ)", ["{'d': DATE '0045-03-15 (BC)', 't': TIMESTAMPTZ '0045-03-15 (BC) 01:02:03+00'}"]),
        ("TIMESTAMP", ["TIMESTAMP '0045-03-15 (BC) 01:02:03'", "TIMESTAMP '290000-01-01'"]),
        ("TIMESTAMP_NS", ["TIMESTAMP_NS '1700-01-01 00:00:00.000000001'"]),
        ("TIMESTAMPTZ_NS", ["TIMESTAMP_NS '2024-01-01 00:00:00.000000001'"]),
        ("TUPLE(INTEGER, VARCHAR, DATE[])", ["row(1, 'x', [DATE '2024-01-01'])"]),
        ("TUPLE(INTEGER)[]", ["[row(1)]"]),
        ("UNION(\"a b\" INTEGER, c INTEGER, d BLOB, e VARCHAR[])", ["union_value(c := 7)", "union_value(\"a b\" := 7)",
         "union_value(d := '\\x00'::BLOB)", "union_value(e := ['x' || chr(10)])", "NULL"]),
        ("STRUCT(u UNION(a INTEGER, b INTEGER))", ["{'u': union_value(b := 7)}"]),
        ("UNION(a INTEGER, b VARCHAR)[]", ["[union_value(b := '7')::UNION(a INTEGER, b VARCHAR), NULL]"]),
        ("FLOAT[]", ["['nan'::FLOAT, 'inf'::FLOAT, '-0.0'::FLOAT, 0.1::FLOAT, NULL]"]),
        ("DOUBLE", ["'-nan'::DOUBLE", "1e22", "4.35", "123456789012345680"]),
        ("ENUM('a,b', 'it''s', ')')", ["'a,b'", "'it''s'", "')'"]),
        ("MAP(ENUM('a,b', 'it''s'), STRUCT(x ENUM(')')))", ["MAP {'it''s': {'x': ')'}}"]),
        ("DECIMAL(38,10)[]", ["[1234567890123456789012345678.0123456789]"]),
        ("BIT[]", ["['0101'::BIT]"]), ("TIME", ["'24:00:00'", "'00:00:00.000001'"]), ("HUGEINT", ["1", "'-170141183460469231731687303715884105728'"]),
        ("JSON", ["'{\"a\\n\": \"it''s\"}'", "'null'"]), ("VARCHAR", ["'0044-03-15 BC'", "'1 BC'"]), ("BIGNUM[]", ["['12345678901234567890123'::BIGNUM]"]),
    ],
    "sqlite": [
        ("", ["-0.0", "9e999", "-9e999", "1.0", "5e-324"]), ("REAL", ["9007199254740993", "1", "-0.0"]), ("", ["x'00ff'", "x''"]),
        ("TEXT", ["'a' || char(0) || '''b\\'", "char(0)", "'NULL'", "''"]), ("", ["'1e5'", "'007'", "'0x1'"]), ("BLOB", ["'1e5'", "'007'"]),
        ("INTEGER", ["'abc'", "1"]), ("DATE", ["'-044-03-15'", "'0000-01-01'"]), ("DEC(10,2)", ["0.1", "123.45"]), ("NUMERIC", ["1e300", "0.1"]),
    ],
    "postgresql": [
        ("text[]", [r"""{"it's \\ \"q\"","",NULL,"NULL"," ","{}",",",";"}""", r"""{{"a\nb",NULL},{"\\x","c"}}"""]),
        ("interval", ["2562047:47:16.854775", "-2562047:47:16.854775", "-178000000 years -3 mons +2 days -00:00:00.000001", "-1 day +00:00:01", "-1 mon +2 days"]),
        ("interval[]", ["{-1 mon +2 days -00:00:01,-1 mon +00:00:01}"]), ("xid8[]", ["{18446744073709551615,NULL}"]), ("xid8", ["18446744073709551615"]),
        ("bytea[]", [r'{"\\x5c27",NULL}']), ("bytea", [r"\x5c275c5c"]), ("date[]", ["{0044-03-15 BC,infinity,NULL}"]), ("date", ["0044-03-15 BC"]),
        ("timestamptz", ["0044-03-15 12:00:00+00 BC", "12000-01-01 00:00+00"]), ("timestamptz[]", ["{1880-01-01 00:00:00+00,NULL}"]),
        ("double precision[]", ["{NaN,-Infinity,-0,1e300}"]), ("real", ["NaN", "-0", "0.1"]), ("money[]", ['{"$1,234.50"}']), ("regclass[]", ["{pg_class}"]),
        ("place", [r'("it''s ""q"" \\,",1.5)', "(NULL,)"]), ("place[]", [r'{"(\"a,b\",1)",NULL}']), ("mood[]", ['{"it\'s ok",NULL}']),
        ("box[]", ["{(1,1),(0,0);(2,2),(1,1)}"]), ("point[]", ['{"(1,2)",NULL}']), ("daterange[]", ['{"[2024-01-01,infinity)",empty}']),
        ("jsonb[]", [r'{"{\"a\": \"x\\\\ny\"}",NULL}']), ("json", [r'''{"a": "\\\\ \" it's"}''']), ("uuid[]", ["{00000000-0000-0000-0000-000000000001,NULL}"]),
        ("numeric[]", ["{1.5,NaN,Infinity}"]), ("numeric", ["-0.5", "1" + "0" * 40]), ("bit(3)[]", ["{101,NULL}"]), ("time[]", ["{24:00:00,NULL}"]),
        ("name[]", ["{a,NULL}"]), ('"char"[]', ["{a,NULL}"]), ("inet[]", ["{10.0.0.0/8}"]), ("boolean[]", ["{{t,NULL},{f,t}}"]), ("oid[]", ["{4294967295}"]),
        ("varchar(3)[]", ["{{{abc}},{{NULL}}}"]), ("int4range[]", ['{"[1,3)"}']), ("bigint", ["-9223372036854775808"]), ("text", ["\\'", "E'x", "$$"]),
    ],
    "mysql": [
        ("TEXT", [r"'\\'", r"'it\'s \\\' \"'", r"'a\0b'", r"'\Z\r\n\t'", "'ü\\\\'", "'😀 ''x'''", "'%_'"]), ("JSON", [r"""'{"a": "\\n \\\\"}'"""]),
        ("VARCHAR(20) CHARACTER SET latin1", ["'é\\\\'", "'€'"]), ("DOUBLE", ["-0e0", "4.9406564584124654e-324", "1e22"]), ("FLOAT", ["0.1", "16777217"]),
        ("DATE", ["'0000-00-00'", "'2024-00-10'", "'2024-01-01'"]), ("DATETIME(6)", ["'0000-00-00'", "'2024-00-10 01:02:03.5'"]),
        ("TIMESTAMP", ["'0000-00-00'", "'2024-01-01'"]), ("YEAR", ["0", "1901"]), ("BIT(64)", ["b'1'", "18446744073709551615"]),
        ("BLOB", ["X'5C27'", "X''"]), ("VARBINARY(20) ", ["X'5C0027'"]), ("ENUM('a''b','c\\\\d')", ["'a''b'", "'c\\\\d'"]), ("SET('a','ü')", ["'a,ü'"]),
        ("LINESTRING", ["ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)"]), ("GEOMETRYCOLLECTION", ["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')"]),
        ("TIME(6)", ["'-00:00:00.000001'", "'838:59:59'"]), ("DECIMAL(65,30)", ["-0.000000000000000000000000000001"]), ("INET6", ["'::1'"]), ("UUID", ["UUID()"]),
    ],
}  # fmt: skip
# ruff: noqa: E501 - an awkward case is one line


def selection(name: str, type_: str, literals_: list[str]) -> str:
    """Statements of which the last one selects the literals as one column."""
    if name == "postgresql":
        return postgresql.selected(type_, literals_)
    if name == "duckdb":
        rows = ", ".join(f"({n}, ({one})::{type_})" for n, one in enumerate([*literals_, "NULL"]))
        return f"SELECT x FROM (VALUES {rows}) AS v(n, x) ORDER BY n"
    values = ", ".join(f"({one})" for one in [*literals_, "NULL"])
    make = DIALECTS[name].make.replace("back", "given").format(type_)
    before = "SET sql_mode = 'ALLOW_INVALID_DATES'; " if name == "mysql" else ""
    after = "SET sql_mode = DEFAULT; " if name == "mysql" else ""
    return f"{before}{make}; INSERT INTO given (v) VALUES {values}; {after}{NUMBERED.replace('back', 'given')}"


# What a session that reads an export may have set, and what puts it back.
SETTINGS = {
    "duckdb": ("SET TimeZone = 'America/New_York'", "SET TimeZone = 'UTC'"),
    "sqlite": ("SELECT 1", "SELECT 1"),
    "postgresql": (
        "SET standard_conforming_strings = off; SET IntervalStyle = sql_standard; SET DateStyle = 'SQL, DMY'",
        "RESET standard_conforming_strings; RESET IntervalStyle; RESET DateStyle",
    ),
    "mysql": (
        "SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT')",
        "SET sql_mode = DEFAULT",
    ),
}


BEFORE = {
    "duckdb": "SET TimeZone = 'UTC'",
    "sqlite": "SELECT 1",
    "postgresql": postgresql.OWN_TYPES,
    "mysql": "SELECT 1",
}


@pytest.mark.parametrize("name", list(DIALECTS))
def test_awkward_values_come_back_under_every_setting(request, tmp_path, name):
    under, after = SETTINGS[name]
    engine = request.getfixturevalue(f"{name}_engine")
    engine.run(BEFORE[name])
    wrong = []
    for type_, values in AWKWARD[name]:
        table = engine.run(selection(name, type_, values)).table
        wrong += wrongs(engine, type_, table, tmp_path, under=under, after=f"{after}; ")
    assert not wrong, "\n".join(str(one)[:600] for one in wrong)


@pytest.mark.parametrize(
    ("name", "table"),
    [("duckdb", 'memory.main."a.b\'c""d`e"'), ("sqlite", '"a.b\'c""d`e"'), ("postgresql", 'pg_temp."a.b\'c""d`e"'),
     ("mysql", '`a.b\'c"d``e`')],
)  # fmt: skip
def test_names_with_every_quote_are_themselves(request, tmp_path, name, table):
    engine = request.getfixturevalue(f"{name}_engine")
    table = table.removeprefix("memory.main.")
    mark = "`" if name == "mysql" else '"'
    column = 'it\'s "a" `b`; --\n[x] \\'
    quoted = mark + column.replace(mark, mark * 2) + mark
    result = engine.run(f"SELECT 7 AS {quoted}").table
    assert result.column_names == [column]
    made = f"CREATE {'TEMP' if name != 'mysql' else 'TEMPORARY'} TABLE {table.removeprefix('pg_temp.')} ({quoted} INTEGER); "
    back = engine.run(f"{made}{exported(result, name, tmp_path, name=table)}SELECT * FROM {table}").table
    assert back.to_pydict() == {column: [7]}


def test_zeros_and_zero_dates_are_themselves_under_mysql_s_strictest_mode(mysql_engine, tmp_path):
    mysql_engine.run("CREATE TEMPORARY TABLE back (n INT AUTO_INCREMENT PRIMARY KEY, d DATE NULL)")
    script = exported(
        mysql_engine.run(
            "SET sql_mode = ''; SELECT 0 AS n, CAST('0000-00-00' AS DATE) AS d UNION ALL SELECT 5, NULL"
        ).table,
        "mysql",
        tmp_path,
    )
    strict = "TRADITIONAL,NO_ZERO_DATE,NO_ZERO_IN_DATE"
    back = mysql_engine.run(f"SET sql_mode = '{strict}'; {script}SELECT n, d FROM back; SELECT @@sql_mode AS mode")
    assert strict.split(",")[1] in back.table.column("mode")[0].as_py()
    assert mysql_engine.run("SELECT n, d FROM back ORDER BY n").table.to_pydict() == {
        "n": [0, 5],
        "d": ["0000-00-00", None],
    }


@pytest.mark.parametrize("type_", ["VARIANT", "VARIANT[]", "STRUCT(a INTEGER, b VARIANT)", "MAP(VARCHAR, VARIANT)"])
def test_variants_are_refused_by_the_column_s_name(duckdb_engine, tmp_path, type_):
    value = {"VARIANT": "1", "VARIANT[]": "[1]", "STRUCT(a INTEGER, b VARIANT)": "{'a': 1, 'b': 2}"}.get(
        type_, "MAP {'k': 1}"
    )
    table = duckdb_engine.run(f"SELECT ({value})::{type_} AS things").table
    with pytest.raises(
        UsageError, match="Column 'things' holds VARIANT values, which DuckDB has no literal for"
    ) as caught:
        exported(table, "duckdb", tmp_path)
    assert "Cast the column" in caught.value.hint
    empty = duckdb_engine.run(f"SELECT NULL::{type_} AS things").table
    assert "(NULL)" in exported(empty, "duckdb", tmp_path)

"""Generated values of every type of every engine on their way to the user: none is changed without a word."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psycopg
import pyarrow as pa
import pytest
from golden.compare import same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from read_kinds import KINDS, PG_DROPPED, PG_MADE, Kind, Raw
from test_types_on_the_wire import FORMS
from test_upload_cells import moment

from tusk_jupyter.client import frames

pytestmark = [
    pytest.mark.home("shared"),
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),  # of a strategy for lists of structs of maps
]

MANY = 20_000
COPIES = 4
"""Of so many rows, with which they are more than one batch."""


# --- what the engine's own client makes of the values ---


class PostgreSQLSide:
    """Rows in a table of the server's, written and told by psycopg."""

    def __init__(self, request: pytest.FixtureRequest, engine: Any) -> None:
        self.own = psycopg.connect(request.getfixturevalue("postgresql").dsn, autocommit=True, prepare_threshold=None)
        self.own.execute("SET TimeZone = 'UTC'")
        engine.run("SET TimeZone = 'UTC'")
        self.own.execute(PG_DROPPED)
        self.own.execute(PG_MADE)

    def load(self, kind: Kind, values: list[Any]) -> list[Any]:
        self.own.execute("DROP TABLE IF EXISTS read_values")
        self.own.execute(f"CREATE TABLE read_values (n integer, v {kind.type})")
        with self.own.cursor().copy("COPY read_values FROM STDIN") as copy:
            for n, value in enumerate(values):
                copy.write_row((n, None if value is None else kind.write(value)))
        found = self.own.execute("SELECT v IS NULL, format('%s', v) FROM read_values ORDER BY n").fetchall()
        return [None if row[0] else row[1] for row in found]

    def close(self) -> None:
        self.own.execute("DROP TABLE IF EXISTS read_values")
        self.own.execute(PG_DROPPED)
        self.own.close()


class MariaDBSide:
    """Rows in a table of the server's, written and told by PyMySQL."""

    def __init__(self, request: pytest.FixtureRequest, engine: Any) -> None:
        self.own = request.getfixturevalue("mariadb").connect()
        self.own.cursor().execute("SET sql_mode = 'ALLOW_INVALID_DATES'")

    def load(self, kind: Kind, values: list[Any]) -> list[Any]:
        cursor = self.own.cursor()
        cursor.execute(f"CREATE OR REPLACE TABLE read_values (n INT PRIMARY KEY, v {kind.type} NULL)")
        rows = [(n, None if value is None else kind.write(value)) for n, value in enumerate(values)]
        for start in range(0, len(rows), 1000):
            cursor.executemany("INSERT INTO read_values VALUES (%s, %s)", rows[start : start + 1000])
        if not kind.told:
            return [None] * len(values)
        cursor.execute("SELECT CAST(v AS CHAR) FROM read_values ORDER BY n")
        times = kind.type.startswith(("DATETIME", "TIMESTAMP"))
        return [row[0] and (padded(row[0]) if times else row[0]) for row in cursor.fetchall()]

    def close(self) -> None:
        self.own.cursor().execute("DROP TABLE IF EXISTS read_values")
        self.own.close()


def padded(text: str) -> str:
    """Return a moment with six digits, as a column with zero dates has them all."""
    day, _, fraction = text.partition(".")
    return f"{day}.{fraction:0<6}"


class DuckDBSide:
    """Rows in a table of the driver's; the library of this process tells the values."""

    def __init__(self, request: pytest.FixtureRequest, engine: Any) -> None:
        self.engine, self.own = engine, duckdb.connect()
        self.own.execute("SET TimeZone = 'UTC'")
        engine.run("SET TimeZone = 'UTC'")

    def load(self, kind: Kind, values: list[Any]) -> list[Any]:
        made = f"CREATE OR REPLACE TABLE read_values (n INTEGER, v {kind.type})"
        self.engine.run(made)
        self.own.execute(made)
        for start in range(0, len(values), 500):
            some = enumerate(values[start : start + 500], start)
            rows = ", ".join(f"({n}, {'NULL' if value is None else kind.write(value)})" for n, value in some)
            insert = f"INSERT INTO read_values VALUES {rows}"
            self.engine.run(insert)
            if kind.told:
                self.own.execute(insert)
        found = self.own.execute("SELECT v::VARCHAR FROM read_values ORDER BY n").fetchall() if kind.told else []
        return [row[0] and duckdb_text(row[0], kind.type) for row in found] or [None] * len(values)

    def close(self) -> None:
        self.own.close()


def duckdb_text(text: str, type_: str) -> str:
    """Return DuckDB's own text in our form: BC at its end, zones of times with their minutes."""
    if type_ == "TIMETZ" and re.search(r"[+-]\d\d$", text):
        return f"{text}:00"
    return f"{text.replace(' (BC)', '')} BC" if " (BC)" in text else text


class SQLiteSide:
    """Rows in a table of the file's, written and told by Python's sqlite3."""

    def __init__(self, request: pytest.FixtureRequest, engine: Any) -> None:
        self.own = sqlite3.connect(engine.file, isolation_level=None)
        self.own.text_factory = Raw

    def load(self, kind: Kind, values: list[Any]) -> list[Any]:
        self.own.execute("DROP TABLE IF EXISTS read_values")
        self.own.execute(f"CREATE TABLE read_values (n INTEGER PRIMARY KEY, v {kind.type})")
        self.own.execute("BEGIN")
        for n, value in enumerate(values):
            raw = isinstance(value, Raw)
            given = None if value is None else bytes(value) if isinstance(value, bytes) else kind.write(value)
            given = value if kind.write is str and kind.told and not raw else given
            self.own.execute(f"INSERT INTO read_values VALUES (?, {'CAST(? AS TEXT)' if raw else '?'})", (n, given))
        self.own.execute("COMMIT")
        return [row[0] for row in self.own.execute("SELECT v FROM read_values ORDER BY n")]

    def close(self) -> None:
        self.own.close()


SIDES: dict[str, type[Any]] = {
    "postgresql": PostgreSQLSide,
    "mysql": MariaDBSide,
    "duckdb": DuckDBSide,
    "sqlite": SQLiteSide,
}


# --- whether it is what was read ---


def alike(got: Any, want: Any) -> bool:
    """Return whether a value that came out is the one that was drawn."""
    if isinstance(want, tuple) and isinstance(got, dict) and list(got) == ["key", "value"]:  # polars has no maps
        got = tuple(got.values())
    if isinstance(want, list | tuple) and not isinstance(want, pa.MonthDayNano) and not isinstance(got, str | dict):
        return got is not None and len(got) == len(want) and all(map(alike, got, want))
    if isinstance(got, str) and isinstance(want, list | dict):
        return alike(json.loads(got, parse_float=Decimal), want)
    if isinstance(got, Decimal) and isinstance(want, float):  # from JSON; 32 bits have the shortest text of theirs
        return repr(float(got)) == repr(want) or float(str(np.float32(want))) == float(got)
    if isinstance(want, dict) and isinstance(got, dict):
        return list(got) == list(want) and all(map(alike, got.values(), want.values()))
    return same(got, want)


def as_told(got: Any, told: Any) -> bool:
    """Return whether a value that came out is the one that the engine's own client tells."""
    if isinstance(told, Raw):  # a text of SQLite's
        if isinstance(got, bytes) or got == f"\\x{told.hex()}":  # in a CSV file
            return got in (bytes(told), f"\\x{told.hex()}")
        told = told.decode("utf-8", "surrogateescape")
    if told is None:
        return same(got, None)
    if isinstance(got, str) and got.startswith("\\x") and not isinstance(told, str):  # bytes in a CSV file
        got = bytes.fromhex(got[2:])
    if isinstance(told, str):
        return _as_text(got, told)
    if isinstance(told, bytes):
        return bool(got == told)
    if isinstance(got, str | bytes):
        text = got if isinstance(got, str) else got.decode()
        if text.lower() in ("true", "false"):
            return bool(told == (text.lower() == "true"))
        return text == str(told) or (isinstance(told, float) and repr(float(text)) == repr(told))
    return bool(got == told) if isinstance(told, int) else repr(float(got)) == repr(told)


def _as_text(got: Any, told: str) -> bool:
    if isinstance(got, str):
        return (
            got == told
            or (NUMBER.fullmatch(got) and NUMBER.fullmatch(told) and Decimal(got) == Decimal(told))
            or (MOMENT.fullmatch(told) and got in (told.rstrip("0").rstrip("."), told.removesuffix("+00")))
        )
    if isinstance(got, dt.date):
        return moment(got if isinstance(got, dt.datetime) else dt.datetime(got.year, got.month, got.day)) == moment(
            told
        )
    return same(told, got)


NUMBER = re.compile(r"-?\d+(\.\d+)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?")


def taken_out(table: pa.Table, _: Path) -> list[Any]:
    return frames.to_pandas(table).iloc[:, 0].tolist()


def taken_out_of_polars(table: pa.Table, _: Path) -> list[Any]:
    return frames.to_polars(table).to_series(0).to_list()


QUICK = {"pandas": taken_out, "polars": taken_out_of_polars}
"""Without what a frame shows, which takes ten times as long."""
CUT = {("TIMESTAMP_NS", "polars")}
"""polars has nanoseconds, but the objects that it makes of them have none."""


class Trial:
    """Reads the values of one kind, and counts them."""

    def __init__(self, side: Any, engine: Any, kind: Kind, folder: Path) -> None:
        self.side, self.engine, self.kind, self.folder = side, engine, kind, folder
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._notes = ""

    def read(self, values: list[Any], at_once: int, *, files: bool = True) -> None:
        """Read values in pieces, and the first of them in every form; then all, last those that widen the column."""
        told = self.side.load(self.kind, values)
        kinds: list[pa.DataType] = []
        for start in range(0, len(values), at_once):
            part = slice(start, start + at_once)
            sql = f"SELECT v FROM read_values WHERE n >= {start} AND n < {start + at_once} ORDER BY n"
            result = self.engine.run(sql)
            self._notes = " ".join(result.notes)
            kinds.append(result.table.schema.field(0).type)
            forms = FORMS if files and kinds[-1] not in kinds[:-1] else QUICK
            for form, made in {"wire": lambda table, _: table.column(0).to_pylist(), **forms}.items():
                self._look(
                    form, lambda made=made, table=result.table: made(table, self.folder), values[part], told[part]
                )
            self.seen["noted" if result.notes else "exact"] += len(values[part])
        if len(set(kinds)) > 1:
            self._read_late(values, told, [n for n, kind in enumerate(kinds) if kind != kinds[0]], at_once)

    def _read_late(self, values: list[Any], told: list[Any], late: list[int], at_once: int) -> None:
        """Read more than one batch of what has the first type, and behind it the pieces of other types."""
        pieces = ", ".join(map(str, late))
        where = (
            f"FLOOR(n / {float(at_once)}) IN ({pieces})"
            if self.engine.name != "sqlite"
            else f"n / {at_once} IN ({pieces})"
        )
        copies = " UNION ALL ".join(f"SELECT {n} AS c" for n in range(COPIES))
        sql = f"SELECT v FROM read_values, ({copies}) AS copies ORDER BY CASE WHEN {where} THEN 1 ELSE 0 END, c, n"
        places = [n for n in range(len(values)) if n // at_once not in late] * COPIES
        places += [n for n in range(len(values)) if n // at_once in late] * COPIES
        result = self.engine.run(sql)
        self._notes = " ".join(result.notes)
        self._look("late", result.table.column(0).to_pylist, [values[n] for n in places], [told[n] for n in places])

    def _look(self, form: str, made: Callable[[], list[Any]], values: list[Any], told: list[Any]) -> None:
        if (self.kind.type, form) in CUT:
            return
        got = made()
        if len(got) != len(values):
            self.wrong.append(f"{self.kind.type} {form}: {len(got)} rows of {len(values)}")
            return
        for one, value, text in zip(got, values, told, strict=True):
            if not self._is_right(one, value, text):
                self.wrong.append(f"{self.kind.type} {form}: {value!r} came as {one!r}, is told as {text!r}")
        self.seen[form] += len(values)

    def _is_right(self, got: Any, value: Any, text: Any) -> bool:
        if self.kind.told:
            said = "stand as 2.0" in self._notes and got in (f"{text}.0", f"{text}.0".encode())
            return (said and isinstance(text, int)) or as_told(got, text)
        return alike(got, None if value is None else self.kind.read(value))


def drawn(kind: Kind, examples: int, count: int) -> list[Any]:
    """Return `examples` times `count` values; Hypothesis begins with the simplest ones."""
    found: list[Any] = []

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.one_of(*[kind.values] * 9, st.none()), min_size=count, max_size=count))
    def take(values: list[Any]) -> None:
        found.extend(values)

    take()
    return found


@pytest.fixture
def side(request, engine):
    made = SIDES[engine.name](request, engine)
    yield made
    made.close()


def test_no_value_is_read_otherwise_than_it_is(engine, side, tmp_path):
    """A few values of every third type: to draw them takes the time. `test_types_on_the_wire` has every type and form."""
    wrong = []
    for kind in KINDS[engine.name][::3]:
        trial = Trial(side, engine, kind, tmp_path)
        trial.read(drawn(kind, 3, 12), 36, files=False)
        assert trial.seen["wire"] == 36, kind.type
        wrong += trial.wrong[:3]
    assert not wrong, "\n".join(wrong)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_of_many_values_none_is_read_otherwise_than_it_is(engine, side, tmp_path):
    seen: Counter[str] = Counter()
    for kind in KINDS[engine.name]:
        trial = Trial(side, engine, kind, tmp_path)
        trial.read(drawn(kind, MANY // 100, 100), 500)
        assert not trial.wrong, (len(trial.wrong), "\n".join(trial.wrong[:5]))
        assert trial.seen["wire"] == MANY, kind.type
        seen += trial.seen
    print(engine.name, dict(seen))

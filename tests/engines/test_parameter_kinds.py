"""Values as notebooks have them (numpy, pandas, enums) in conditions, through core and driver: they find the rows meant."""

from __future__ import annotations

import enum

import numpy as np
import pandas as pd
import pytest

from tusk_jupyter import errors


class Colour(str, enum.Enum):  # noqa: UP042  # its str() is "Colour.RED"
    RED = "red"


class Level(int, enum.Enum):
    HIGH = 2


NANOSECOND = "2024-03-01 00:00:00.000000001"
KINDS = {"duckdb": "TIMESTAMP_NS", "sqlite": "TEXT"}
"""Where a column keeps nanoseconds."""


def test_conditions_find_the_rows_that_are_meant(engine):
    engine.run("CREATE TABLE sold (n integer, ts timestamp, colour varchar(9), price double precision)")
    engine.run(
        "INSERT INTO sold VALUES (1, '2024-02-01 00:00:00', 'red', 0.5), (2, '2024-03-01 12:00:00', 'blue', 1.5), "
        "(3, '2024-04-01 00:00:00', 'red', 2.5)"
    )
    asked = [
        ("ts > :v", np.datetime64("2024-03-01", "ns"), [2, 3]),
        ("ts > :v", np.datetime64("2024-03-01T13", "h"), [3]),
        ("ts >= :v", np.array("2024-03-01T12:00", "datetime64[ns]"), [2, 3]),
        ("ts = :v", pd.Timestamp("2024-03-01 12:00"), [2]),
        ("colour = :v", Colour.RED, [1, 3]),
        ("colour = :v", np.str_("blue"), [2]),
        ("n = :v", Level.HIGH, [2]),
        ("n > :v", np.int8(2), [3]),
        ("price = :v", np.longdouble(0.5), [1]),
        ("price > :v", np.float32(0.5), [2, 3]),
    ]
    got = [
        engine.run(f"SELECT n FROM sold WHERE {where} ORDER BY n", parameters={"v": value}).table.column(0).to_pylist()
        for where, value, _ in asked
    ]
    assert got == [rows for _, _, rows in asked]


def test_nanoseconds_are_kept_or_refused(engine):
    engine.run(f"CREATE TABLE ticks (moment {KINDS.get(engine.name, 'timestamp')})")
    for moment in (pd.Timestamp(NANOSECOND), np.datetime64(NANOSECOND, "ns")):
        if engine.name in KINDS:
            engine.run("INSERT INTO ticks VALUES (:at)", parameters={"at": moment})
        else:
            with pytest.raises(
                errors.UsageError, match=r":at has nanoseconds \(.*000000001\), and \w+.* keeps microseconds"
            ):
                engine.run("INSERT INTO ticks VALUES (:at)", parameters={"at": moment})
            with pytest.raises(errors.UsageError, match=":at has nanoseconds"):
                engine.run("SELECT :at", parameters={"at": [[moment]]})
    found = engine.value("SELECT count(*) FROM ticks WHERE moment = :at", parameters={"at": pd.Timestamp("2024-03-01")})
    assert found == 0
    if engine.name in KINDS:
        asked = {"parameters": {"at": np.datetime64(NANOSECOND, "ns")}}
        assert engine.value("SELECT count(*) FROM ticks WHERE moment = :at", **asked) == 2
        text = engine.value("SELECT CAST(moment AS varchar) FROM ticks")
        assert text == NANOSECOND

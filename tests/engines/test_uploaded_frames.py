"""Frames of pandas and polars into every engine, and names of columns: written as they are, or refused by name."""

from __future__ import annotations

from uuid import UUID

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.client.tables import to_arrow, to_frame
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


def upload(engine, table: pa.Table, name: str = "named") -> None:
    engine.client.upload(control.UploadRequest(session="", connection=engine.name, table=name), table)


@pytest.mark.parametrize("names", [("a", "A"), ("",), ("a\0b",)], ids=["twins", "empty", "NUL"])
def test_names_that_duckdb_would_change_are_refused(duckdb_engine, names):
    with pytest.raises(errors.UsageError, match="DuckDB takes no") as caught:
        upload(duckdb_engine, pa.table([pa.array([1])] * len(names), names=list(names)))
    assert repr(names[-1]) in caught.value.message


NO_NAMES = [
    ("a", "b", "a"), ("a", "a"), ("\0",), ("\U0001f986",)
]  # fmt: skip


def test_a_name_that_an_engine_cannot_have_is_refused_in_words(engine):
    for names in NO_NAMES:
        if names == ("\U0001f986",) and engine.name != "mysql":
            continue
        with pytest.raises(errors.UsageError) as caught:
            upload(engine, pa.table([pa.array([1])] * len(names), names=list(names)))
        assert repr(names[-1]) in caught.value.message and caught.value.hint
    if engine.name == "mysql":
        with pytest.raises(errors.UsageError, match="in a name"):
            upload(engine, pa.table({"a": [1]}), "`\U0001f986`")


def test_a_frame_without_columns_is_refused_in_words(engine):
    with pytest.raises(errors.UsageError, match="A table needs a column, and the data has none"):
        upload(engine, pa.table({}))


def test_what_polars_and_uuid_objects_hold_goes_up_and_comes_back(engine):
    enums = pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"]))
    frame = pl.DataFrame(
        {
            "n": [1, 2],
            "c": pl.Series(["x", None], dtype=pl.Categorical),
            "e": enums,
            "b": [b"\0'", None],
            "i": pl.Series([2**100, None], dtype=pl.Int128),
        }
    )
    upload(engine, to_arrow(frame), "from_polars")
    back = engine.run("SELECT c, e, b, i FROM from_polars ORDER BY n").table.to_pydict()
    assert {**back, "i": [None if one is None else int(one) for one in back["i"]]} == {
        "c": ["x", None], "e": ["b", "a"], "b": [b"\0'", None], "i": [2**100, None]
    }  # fmt: skip
    values = pd.DataFrame({"n": [1, 2], "u": pd.Series([UUID(int=7), None], dtype=object)})
    upload(engine, to_arrow(values), "ids")
    assert [one and str(one) for one in engine.run("SELECT u FROM ids ORDER BY n").table.column(0).to_pylist()] == [
        str(UUID(int=7)),
        None,
    ]


def test_a_hugeint_result_goes_back_into_duckdb(duckdb_engine):
    result = duckdb_engine.run("SELECT unnest([1::HUGEINT, -170141183460469231731687303715884105727]) AS h")
    upload(duckdb_engine, to_arrow(to_frame([result.table], "pandas")), "huge")
    assert duckdb_engine.run("SELECT h FROM huge").table.column(0).to_pylist() == [1, -(2**127) + 1]
    assert duckdb_engine.value("SELECT typeof(h) FROM huge LIMIT 1") == "HUGEINT"


QUOTED = {"postgresql": ('"',), "mysql": ("`", '"'), "duckdb": ('"', "`"), "sqlite": ('"', "`", "[")}


def test_a_quoted_name_is_the_table_that_it_names(engine):
    own = "`" if engine.name == "mysql" else '"'
    for quote in QUOTED[engine.name]:
        upload(engine, pa.table({"a": [1]}), f"{quote}My. Table{quote.replace('[', ']')}")
        assert engine.value(f"SELECT a FROM {own}My. Table{own}") == 1
        engine.run(f"DROP TABLE {own}My. Table{own}")
    with pytest.raises(errors.UsageError, match="no table's name"):
        upload(engine, pa.table({"a": [1]}), "'t'")


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (1, pa.date32()),
        (86_400, pa.timestamp("s")),
        (86_400 * 10**6, pa.timestamp("us", "UTC")),
        (None, pa.list_(pa.date32())),
    ],
    ids=str,
)
def test_a_year_that_arrow_takes_for_another_is_refused_or_kept(sqlite_engine, postgresql_engine, days, kind):
    day = 23_956_421  # of the year 67560, which has the last 16 bits of 2024
    table = pa.table({"v": pa.array([[day] if days is None else day * days], kind)})
    with pytest.raises(errors.UsageError, match=r"in the year 67560|outside of the years"):
        upload(sqlite_engine, table, "far")
    postgresql_engine.run("DROP TABLE IF EXISTS far")
    upload(postgresql_engine, table, "far")
    assert "67560-06-15" in str(postgresql_engine.value("SELECT v FROM far"))


def test_text_with_nul_is_refused_by_the_column_s_name_on_postgresql(postgresql_engine):
    for value in ("a\0b", ["x", "a\0b"], {"a": "\0"}):
        with pytest.raises(errors.UsageError, match="column 'v' holds text with the character NUL") as caught:
            upload(postgresql_engine, pa.table({"n": [1], "v": [value]}), "nul")
        assert caught.value.hint

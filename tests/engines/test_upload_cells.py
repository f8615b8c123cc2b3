"""Every Arrow type on its way into every engine, and back: exact, refused or noted, never changed in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upload_cells import EXACT, KINDS, Kind, Noted, Refused, page_table

from tusk_jupyter import errors
from tusk_jupyter.driverkit.upload_columns import plain_type
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")

EPOCH = datetime(1970, 1, 1)
DAYS_OF_400_YEARS = 146_097


def upload(engine, table: pa.Table, *, name: str = "up", append: bool = False):
    return engine.client.upload(
        control.UploadRequest(session="", connection=engine.name, table=name, append=append), table
    )


# --- what a value is, whichever form it comes back in ---


def days_of(text: str) -> int:
    """Return days since 1970 of a date of any year, as the engines write them: `0044-03-15 BC`, `12000-01-01`."""
    bc = "BC" in text
    year, month, day = map(int, text.replace("(BC)", "").replace("BC", "").strip().split("-"))
    year = 1 - year if bc else year
    eras, year = divmod(year - 2000, 400)
    return (date(2000 + year, month, day) - EPOCH.date()).days + eras * DAYS_OF_400_YEARS


def nanoseconds_of(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 10**9 + int(fraction.ljust(9, "0"))


def moment_of(text: str) -> int:
    bc = " BC" if "BC" in text else ""
    text = re.sub(r"(\+00(:00)?|Z|\s*\(?BC\)?)", "", text)
    day, _, clock = text.replace("T", " ").strip().partition(" ")
    return days_of(day + bc) * 86_400 * 10**9 + nanoseconds_of(clock or "00:00:00")


def number(value: Any) -> Any:
    value = int(value) if isinstance(value, bool) else value
    return (
        str(float(value))
        if str(value) in ("nan", "NaN", "inf", "-inf", "Infinity", "-Infinity")
        else Decimal(str(value))
    )


def moment(value: Any) -> int:
    if isinstance(value, str):
        return moment_of(value)
    if isinstance(value, int):
        return value
    naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return (naive - EPOCH) // timedelta(microseconds=1) * 1000 + getattr(value, "nanosecond", 0)


def nested(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: nested(item) for name, item in value.items()}
    if isinstance(value, list):
        return [nested(item) for item in value]
    if isinstance(value, str) and value.startswith('{"'):  # an item of PostgreSQL's jsonb[]
        return nested(json.loads(value))
    return number(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def pairs(value: Any) -> Any:
    return sorted((name, nested(item)) for name, item in (value.items() if isinstance(value, dict) else value))


def length(value: Any) -> int:
    if isinstance(value, str):  # of more than 292 years, as DuckDB and PostgreSQL write it
        if iso := re.fullmatch(r"P0M0DT(-?[0-9.]+)S", value):
            return int(Decimal(iso[1]) * 10**9)
        return nanoseconds_of(value.removeprefix("-")) * (-1 if value.startswith("-") else 1)
    if isinstance(value, pa.MonthDayNano):
        return (value.months * 30 + value.days) * 86_400 * 10**9 + value.nanoseconds
    return value // timedelta(microseconds=1) * 1000 if isinstance(value, timedelta) else value


FAMILIES: dict[str, Callable[[Any], Any]] = {
    "number": number,
    "text": lambda value: value,
    "bytes": bytes,
    "uuid": str,
    "date": lambda value: days_of(value if isinstance(value, str) else value.isoformat()),
    "time": lambda value: (
        value if isinstance(value, int) else length(value) if isinstance(value, timedelta)
        else nanoseconds_of(value if isinstance(value, str) else value.isoformat())
    ),
    "moment": moment,
    "length": length,
    "interval": lambda value: (value.months, value.days, value.nanoseconds),
    "nested": nested,
    "moments": lambda value: [moment(item) for item in value],
    "lengths": lambda value: {name: length(item) for name, item in value.items()},
    "map": pairs,
}  # fmt: skip


def values_of(column: pa.ChunkedArray, family: str) -> list[Any]:
    """Return a column's values in a form that is the same for one that was sent and one that came back."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pa.chunked_array(
            [
                pa.array(piece.dictionary.to_pylist(), kind.value_type).cast(plain_type(kind)).take(piece.indices)
                for piece in column.chunks
            ]
        )
        kind = column.type
    parts = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}.get(getattr(kind, "unit", ""), 1)
    if pa.types.is_date(kind):
        per_day = 1 if pa.types.is_date32(kind) else 86_400_000
        whole = column.cast(pa.int32() if per_day == 1 else pa.int64()).to_pylist()
        return [None if value is None else value // per_day for value in whole]
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind):
        whole = column.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64()).to_pylist()
        return [None if value is None else value * parts for value in whole]
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if family == "moments" and not is_text:
        inner = {"us": 10**3, "ns": 1}[kind.value_type.unit]
        column = column.combine_chunks()
        whole = iter(column.flatten().cast(pa.int64()).to_pylist())
        sizes = pc.list_value_length(column).to_pylist()
        return [None if size is None else [next(whole) * inner for _ in range(size)] for size in sizes]
    values = column.to_pylist()
    if family in ("nested", "moments", "map", "lengths") and is_text:
        values = [None if value is None else json.loads(value, parse_float=Decimal) for value in values]
    return [None if value is None else FAMILIES[family](value) for value in values]


# --- the cells ---


def column_of(kind: Kind) -> pa.Table:
    array = kind.array
    return pa.table({"n": range(len(array)), "v": array})


def test_every_arrow_type_is_exact_refused_or_noted(engine):
    wrong = []
    for kind in KINDS:
        cell, sent = kind.cells[engine.name], column_of(kind)
        try:
            result = upload(engine, sent)
        except errors.TuskError as exc:
            named = re.search("'v'|NUL|0x00|(?i:duplicate)", exc.message)
            if not named or not isinstance(cell, Refused) or not re.search(cell.words, exc.message):
                wrong.append(f"{kind.name}: {type(exc).__name__}: {exc.message}")
            continue
        notes = " ".join(result.notes)
        back = engine.run("SELECT v FROM up ORDER BY n").table.column(0)
        engine.run("DROP TABLE up")
        if isinstance(cell, Refused):
            wrong.append(f"{kind.name}: taken")
        if (isinstance(cell, Noted) and not re.search(cell.words, notes)) or (cell == EXACT and notes):
            wrong.append(f"{kind.name}: notes {notes!r}")
        meant, got = values_of(sent.column("v"), kind.family), values_of(back, kind.family)
        if meant != got:
            wrong.append(f"{kind.name}: {meant} came back as {got} ({back.type})")
    assert not wrong, "\n".join(wrong)


def test_the_table_of_the_page_is_the_one_that_is_tested():
    page = (Path(__file__).parents[2] / "TYPES.md").read_text()
    assert page_table() in page, "TYPES.md differs from tests/engines/upload_cells.py; its table is:\n" + page_table()

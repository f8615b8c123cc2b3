r"""Arrow columns to the text that `COPY ... FROM STDIN (FORMAT csv)` reads.

Most types are written by pyarrow.csv as they are; those which it cannot write, or writes otherwise than PostgreSQL reads,
become text columns here first: bytes, intervals, lists, structs, moments with a zone or outside of the years 1 to 9999.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.driverkit.upload_columns import (
    JSON,
    UNITS,
    UUID,
    check_whole,
    civil,
    extension,
    is_bytes,
    is_list,
    is_nested,
    is_text,
    json_texts,
    leaves,
    moment_texts,
    refused,
    year_outside,
)
from tusk_jupyter.errors import UsageError

ENGINE = "PostgreSQL"
_DAY_S = 86_400


def writable(column: pa.Array, *, name: str) -> pa.Array:
    """Return a column of a plain type as pyarrow.csv may write it.

    Raises:
        UsageError: a value would lose digits, or is none that PostgreSQL's type can hold.
    """
    kind = column.type
    if extension(kind) == JSON:
        return column.storage
    _check_text(column, name)
    if is_list(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind) or pa.types.is_temporal(kind):
        check_whole(column, name, ENGINE)
    elif not is_bytes(kind) and extension(kind) != UUID:
        return column
    return texts(column, name)


def _check_text(column: pa.Array, name: str) -> None:
    """Refuse text with the character NUL in any part of a column.

    Raises:
        UsageError: there is some.
    """
    for leaf in leaves(column) if is_nested(column.type) else [column]:
        if is_text(leaf.type) and _has_nul(leaf):
            way = f"Take it out first, as with `df[{name!r}].str.replace(chr(0), '')`, or send bytes."
            raise refused(name, "text with the character NUL", ENGINE, way=way)


def _has_nul(column: pa.Array) -> bool:
    """Return whether a text of a column of large_string has a NUL; its bytes are looked at first, which is ten times faster."""
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return False
    ends = memoryview(offsets).cast("q")
    start, end = ends[column.offset], ends[column.offset + len(column)]
    if b"\0" not in data.slice(start, end - start).to_pybytes():
        return False
    return bool(pc.any(pc.match_substring(column, "\0")).as_py())  # NULLs may have bytes, too


def texts(column: pa.Array, name: str) -> pa.Array:
    """Return PostgreSQL's text of each value of a plain type, as its input functions read it.

    Raises:
        UsageError: PostgreSQL has none for it.
    """
    kind = column.type
    if is_list(kind):
        return _text_array(_lists(column, name))
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return _text_array(json_texts(column, name, ENGINE))
    if is_bytes(kind):
        return _text_array(None if value is None else "\\x" + value.hex() for value in column.to_pylist())
    if pa.types.is_duration(kind):
        parts = UNITS[kind.unit]
        whole = column.cast(pa.int64()).to_pylist()
        return _text_array(None if value is None else _seconds(value * 1_000_000 // parts) for value in whole)
    if pa.types.is_interval(kind):
        return _text_array(None if value is None else _interval(value) for value in column.to_pylist())
    if pa.types.is_timestamp(kind) or pa.types.is_date32(kind):
        return moment_texts(column) if year_outside(column, 1, 9999) is None else _text_array(_far_moments(column))
    if extension(kind) == UUID:
        return _text_array(None if value is None else str(value) for value in column.to_pylist())
    return column.storage if extension(kind) == JSON else column.cast(pa.large_string())


def _text_array(values: object) -> pa.Array:
    return pa.array(values, pa.large_string())


def _interval(value: pa.MonthDayNano) -> str:
    """Return an interval with a sign for each field: under `sql_standard` the first one counts for those without."""
    return f"{value.months:+d} mons {value.days:+d} days {_seconds(value.nanoseconds // 1000)}"


def _seconds(microseconds: int) -> str:
    sign, rest = ("-", -microseconds) if microseconds < 0 else ("+", microseconds)
    return f"{sign}{rest // 1_000_000}.{rest % 1_000_000:06d} secs"


# --- arrays ---


def _lists(column: pa.Array, name: str) -> Iterator[str | None]:
    inner = column.type.value_type
    _check_even(column, name)
    items = iter(texts(column.flatten(), name).to_pylist())
    nested = is_list(inner)
    for length in pc.list_value_length(column).to_pylist():
        if length is None:
            yield None
        else:
            parts = (next(items) for _ in range(length))
            yield (
                "{"
                + ",".join("NULL" if part is None else part if nested else quoted_element(part) for part in parts)
                + "}"
            )


def quoted_element(text: str) -> str:
    """Return an element of an array's text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _check_even(column: pa.Array, name: str) -> None:
    """Refuse lists in lists that are no rectangle: PostgreSQL has none, and takes `{{},{}}` for `{}`.

    Raises:
        UsageError: there is one.
    """
    if not is_list(column.type.value_type):
        return
    lengths = iter(pc.list_value_length(column.flatten()).to_pylist())
    for count in pc.list_value_length(column).to_pylist():
        inside = {next(lengths) for _ in range(count or 0)}
        if len(inside) > 1 or inside & {0, None}:
            raise UsageError(
                f"The column {name!r} holds lists in a list that are empty, missing or of several lengths; an array of "
                "PostgreSQL is a rectangle. Nothing was written.",
                hint=f"Send them as JSON: `df[{name!r}] = df[{name!r}].map(json.dumps, na_action='ignore')`.",
            )


# --- moments outside of the years 1 to 9999 ---


def _far_moments(column: pa.Array) -> Iterator[str | None]:
    """Yield dates and moments of any year, as PostgreSQL writes them: 0044-03-15 BC, 12000-01-01."""
    kind = column.type
    is_date = pa.types.is_date32(kind)
    parts = 1 if is_date else UNITS[kind.unit]
    zone = "" if is_date or kind.tz is None else "+00"
    for value in column.cast(pa.int32()).to_pylist() if is_date else column.cast(pa.int64()).to_pylist():
        if value is None:
            yield None
            continue
        days, rest = (value, 0) if is_date else divmod(value, _DAY_S * parts)
        year, month, day = civil(days)
        era = "" if year > 0 else " BC"
        text = f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}"
        if not is_date:
            second, fraction = divmod(rest, parts)
            text += f" {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            text += f".{fraction * 1_000_000 // parts:06d}{zone}"
        yield text + era

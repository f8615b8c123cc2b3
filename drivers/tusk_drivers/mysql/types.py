"""The one table of types: what MySQL and MariaDB call it, which Arrow type it becomes, how its values are read.

Three decisions to question. TINYINT(1) stays int8, for MySQL has no boolean and the column may hold 2. TIMESTAMP
comes without a zone: the server sends it as local time of the session's `time_zone` and names no zone with it. A
value that its type cannot hold (0000-00-00, 2024-00-10) never becomes another value: the column goes on as text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from pymysql.charset import charset_by_id
from pymysql.constants import FIELD_TYPE, FLAG

from tusk_drivers.mysql import temporal
from tusk_drivers.mysql.decode import Cells, array_of, array_of_text
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")

BINARY_CHARSET = 63
_MULTIBYTE = {"utf8mb4": 4, "utf8mb3": 3, "utf8": 3}


class Reader(Protocol):
    """Makes an Arrow array of a column's values; raises ArrowInvalid where one does not fit."""

    def __call__(self, cells: Cells, column: Column) -> pa.Array:
        """Return the values as an array of the column's type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a result."""

    name: str
    code: int
    """MySQL's number of the type on the wire."""
    database_type: str
    """The type in the server's words, as `decimal(12,2)`."""
    arrow: pa.DataType
    text: Reader
    """Reads the values of the text protocol."""
    binary: Reader
    """Reads those of the binary protocol (prepared statements)."""
    decimals: int = 0
    unsigned: bool = False
    is_stored: bool = False
    """Whether it is a table's own column, and its name therefore the table's."""

    @property
    def field(self) -> pa.Field:
        """The column in a schema."""
        return pa.field(self.name, self.arrow)

    def widened(self) -> Column:
        """Return the column as the type that holds what this one cannot: text, or binary for text that is not UTF-8."""
        if pa.types.is_string(self.arrow):
            return replace(self, arrow=pa.binary(), text=_bytes, binary=_bytes)
        return replace(self, arrow=pa.string(), text=_as_written, binary=_as_written_from_binary)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """How one wire type is named, typed and read."""

    name: Callable[[_Definition], str]
    arrow: Callable[[_Definition], pa.DataType]
    text: Reader
    binary: Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    """What a column definition packet says, in the units that people use."""

    code: int
    length: int
    """Characters for text, bytes for binary, digits for numbers."""
    decimals: int
    flags: int
    is_binary: bool

    def has(self, flag: int) -> bool:
        return bool(self.flags & flag)


def column_of(packet: Any) -> Column:  # noqa: ANN401 - PyMySQL's stubs leave out its attributes
    """Return the column that a column definition packet describes."""
    definition = _definition(packet)
    rule = _RULES.get(definition.code, _TEXT)
    return Column(
        name=packet.name,
        code=definition.code,
        database_type=rule.name(definition),
        arrow=rule.arrow(definition),
        text=rule.text,
        binary=rule.binary,
        decimals=definition.decimals,
        unsigned=definition.has(FLAG.UNSIGNED),
        is_stored=bool(packet.db and packet.org_name),
    )


def _definition(packet: Any) -> _Definition:  # noqa: ANN401
    is_binary = packet.charsetnr == BINARY_CHARSET
    code, length = packet.type_code, packet.length
    if code in _TEXT_CODES and not is_binary:
        length //= _bytes_per_character(packet.charsetnr)
    if code == FIELD_TYPE.STRING and packet.flags & (FLAG.ENUM | FLAG.SET):
        code = FIELD_TYPE.ENUM if packet.flags & FLAG.ENUM else FIELD_TYPE.SET
    return _Definition(code=code, length=length, decimals=packet.scale, flags=packet.flags, is_binary=is_binary)


def _bytes_per_character(charset: int) -> int:
    try:
        return _MULTIBYTE.get(str(getattr(charset_by_id(charset), "name", "")), 1)
    except KeyError:  # a collation newer than PyMySQL; the session's results are utf8mb4
        return 4


# --- readers of the text protocol ---


def _cast(cells: Cells, column: Column) -> pa.Array:
    return cells.cast(column.arrow)


def _dates(cells: Cells, column: Column) -> pa.Array:
    found = cells.cast(column.arrow)
    day = 1 if column.code in _DATES else temporal.DAY_US
    numbers = found.view(pa.int32() if column.code in _DATES else pa.int64())
    first = pc.min(numbers).as_py()
    if first is not None and first < temporal.YEAR_1 * day:
        raise pa.ArrowInvalid("a date in the year 0000, which Arrow reads and Python has not")
    return found


def _text(cells: Cells, column: Column) -> pa.Array:
    return cells.text()


def _bytes(cells: Cells, column: Column) -> pa.Array:
    return cells.binary()


def _null(cells: Cells, column: Column) -> pa.Array:
    if not cells.mask().all():
        raise pa.ArrowInvalid("a value in a column of NULL")
    return pa.nulls(len(cells))


def _bits(cells: Cells, column: Column) -> pa.Array:
    """Up to 8 bytes, most significant first."""
    sizes = cells.ends - cells.starts
    total = np.zeros(len(cells), np.uint64)
    for place in range(int(sizes.max(initial=0))):
        more = sizes > place
        byte = cells.data[cells.starts + place].astype(np.uint64)
        total = np.where(more, (total << np.uint64(8)) | byte, total)
    return array_of(total, pa.uint64(), cells.nulls).cast(column.arrow)


def _durations(cells: Cells, column: Column) -> pa.Array:
    return temporal.durations(cells)


def _as_written(cells: Cells, column: Column) -> pa.Array:
    """The server's text; times padded to the six digits that Arrow's cast of the earlier rows writes."""
    text = cells.text()
    if column.code not in _DATETIMES:
        return text
    pad = ("" if column.decimals else ".") + "000000"[column.decimals :]
    return array_of_text([None if value is None else value + pad for value in text.to_pylist()])


# --- readers of the binary protocol ---


def _fixed(cells: Cells, column: Column) -> pa.Array:
    kind = np.dtype(_FIXED[column.code]) if column.code in _FLOATS else np.dtype(_integer(column).to_pandas_dtype())
    width = int(cells.ends[0] - cells.starts[0]) if cells.nulls is None else FIXED_WIDTHS[column.code]
    raw = cells.data[cells.starts[:, None] + np.arange(width)]
    values = np.ascontiguousarray(raw).view(np.dtype(f"<{kind.kind}{width}")).reshape(-1)
    return array_of(values, pa.from_numpy_dtype(values.dtype), cells.nulls).cast(column.arrow)


def _integer(column: Column) -> pa.DataType:
    return _INTEGERS[column.code][column.unsigned]


def _binary_dates(cells: Cells, column: Column) -> pa.Array:
    return temporal.binary_dates(cells)


def _binary_datetimes(cells: Cells, column: Column) -> pa.Array:
    return temporal.binary_datetimes(cells)


def _binary_durations(cells: Cells, column: Column) -> pa.Array:
    return temporal.binary_durations(cells)


def _as_written_from_binary(cells: Cells, column: Column) -> pa.Array:
    if column.code not in _DATETIMES | _DATES:
        return cells.text()
    dates = column.code in _DATES
    return array_of_text(temporal.binary_datetime_text(cells, decimals=0 if dates else 6, dates=dates))


# --- names and Arrow types ---

_INTEGERS: dict[int, tuple[pa.DataType, pa.DataType]] = {
    FIELD_TYPE.TINY: (pa.int8(), pa.uint8()),
    FIELD_TYPE.SHORT: (pa.int16(), pa.uint16()),
    FIELD_TYPE.INT24: (pa.int32(), pa.uint32()),
    FIELD_TYPE.LONG: (pa.int32(), pa.uint32()),
    FIELD_TYPE.LONGLONG: (pa.int64(), pa.uint64()),
    FIELD_TYPE.YEAR: (pa.int16(), pa.int16()),
}
_FIXED = {FIELD_TYPE.FLOAT: np.float32, FIELD_TYPE.DOUBLE: np.float64}
_FLOATS = frozenset(_FIXED)
_DATETIMES = frozenset({FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP})
_DATES = frozenset({FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE})
_BLOBS = (FIELD_TYPE.TINY_BLOB, FIELD_TYPE.BLOB, FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB)
_TEXT_CODES = frozenset({FIELD_TYPE.STRING, FIELD_TYPE.VAR_STRING, FIELD_TYPE.VARCHAR, *_BLOBS})
FIXED_WIDTHS: dict[int, int] = {
    FIELD_TYPE.TINY: 1, FIELD_TYPE.SHORT: 2, FIELD_TYPE.YEAR: 2, FIELD_TYPE.INT24: 4, FIELD_TYPE.LONG: 4,
    FIELD_TYPE.LONGLONG: 8, FIELD_TYPE.FLOAT: 4, FIELD_TYPE.DOUBLE: 8,
}  # fmt: skip
"""Bytes of a value in the binary protocol; types that are not here carry their length."""
VECTOR = 242
"""MySQL 9; PyMySQL does not name it."""


def _integer_name(word: str) -> Callable[[_Definition], str]:
    def name(found: _Definition) -> str:
        shown = f"{word}(1)" if word == "tinyint" and found.length == 1 else word
        return shown + " unsigned" * found.has(FLAG.UNSIGNED) + " zerofill" * found.has(FLAG.ZEROFILL)

    return name


def _decimal_digits(found: _Definition) -> tuple[int, int]:
    """Precision and scale; the length counts the point and the sign too."""
    digits = found.length - (found.decimals > 0) - (not found.has(FLAG.UNSIGNED))
    return max(digits, found.decimals, 1), found.decimals


def _decimal_type(found: _Definition) -> pa.DataType:
    digits, decimals = _decimal_digits(found)
    return pa.decimal128(digits, decimals) if digits <= 38 else pa.decimal256(min(digits, 76), decimals)


def _decimal_name(found: _Definition) -> str:
    digits, decimals = _decimal_digits(found)
    return f"decimal({digits},{decimals})" + " unsigned" * found.has(FLAG.UNSIGNED)


def _timed(word: str) -> Callable[[_Definition], str]:
    return lambda found: f"{word}({found.decimals})" if 0 < found.decimals <= 6 else word


def _string_name(found: _Definition) -> str:
    fixed = found.code == FIELD_TYPE.STRING
    words = ("binary", "varbinary") if found.is_binary else ("char", "varchar")
    return f"{words[0 if fixed else 1]}({found.length})"


def _blob_name(found: _Definition) -> str:
    size = next(
        (word for limit, word in ((255, "tiny"), (65_535, ""), (16_777_215, "medium")) if found.length <= limit), "long"
    )
    return size + ("blob" if found.is_binary else "text")


def _string_type(found: _Definition) -> pa.DataType:
    return pa.binary() if found.is_binary else pa.string()


def _read_string(cells: Cells, column: Column) -> pa.Array:
    return cells.binary() if pa.types.is_binary(column.arrow) else cells.text()


def _always(kind: pa.DataType) -> Callable[[_Definition], pa.DataType]:
    return lambda _: kind


def _named(word: str) -> Callable[[_Definition], str]:
    return lambda _: word


def _integer_rule(code: int, word: str) -> _Rule:
    return _Rule(
        name=_integer_name(word),
        arrow=lambda found: _INTEGERS[code][found.has(FLAG.UNSIGNED)],
        text=_cast,
        binary=_fixed,
    )


_TEXT = _Rule(name=_string_name, arrow=_string_type, text=_read_string, binary=_read_string)
_BLOB = _Rule(name=_blob_name, arrow=_string_type, text=_read_string, binary=_read_string)
_DATE = _Rule(name=_named("date"), arrow=_always(pa.date32()), text=_dates, binary=_binary_dates)
_DECIMAL = _Rule(name=_decimal_name, arrow=_decimal_type, text=_cast, binary=_cast)

_RULES: dict[int, _Rule] = {
    FIELD_TYPE.TINY: _integer_rule(FIELD_TYPE.TINY, "tinyint"),
    FIELD_TYPE.SHORT: _integer_rule(FIELD_TYPE.SHORT, "smallint"),
    FIELD_TYPE.INT24: _integer_rule(FIELD_TYPE.INT24, "mediumint"),
    FIELD_TYPE.LONG: _integer_rule(FIELD_TYPE.LONG, "int"),
    FIELD_TYPE.LONGLONG: _integer_rule(FIELD_TYPE.LONGLONG, "bigint"),
    FIELD_TYPE.YEAR: _Rule(name=_named("year"), arrow=_always(pa.int16()), text=_cast, binary=_fixed),
    FIELD_TYPE.FLOAT: _Rule(name=_named("float"), arrow=_always(pa.float32()), text=_cast, binary=_fixed),
    FIELD_TYPE.DOUBLE: _Rule(name=_named("double"), arrow=_always(pa.float64()), text=_cast, binary=_fixed),
    FIELD_TYPE.DECIMAL: _DECIMAL,
    FIELD_TYPE.NEWDECIMAL: _DECIMAL,
    FIELD_TYPE.DATE: _DATE,
    FIELD_TYPE.NEWDATE: _DATE,
    FIELD_TYPE.DATETIME: _Rule(
        name=_timed("datetime"), arrow=_always(pa.timestamp("us")), text=_dates, binary=_binary_datetimes
    ),
    FIELD_TYPE.TIMESTAMP: _Rule(
        name=_timed("timestamp"), arrow=_always(pa.timestamp("us")), text=_dates, binary=_binary_datetimes
    ),
    FIELD_TYPE.TIME: _Rule(
        name=_timed("time"), arrow=_always(pa.duration("us")), text=_durations, binary=_binary_durations
    ),
    FIELD_TYPE.BIT: _Rule(
        name=lambda found: f"bit({found.length})",
        arrow=lambda found: pa.bool_() if found.length == 1 else pa.uint64(),
        text=_bits,
        binary=_bits,
    ),
    FIELD_TYPE.JSON: _Rule(name=_named("json"), arrow=_always(pa.string()), text=_text, binary=_text),
    FIELD_TYPE.ENUM: _Rule(name=_named("enum"), arrow=_always(pa.string()), text=_text, binary=_text),
    FIELD_TYPE.SET: _Rule(name=_named("set"), arrow=_always(pa.string()), text=_text, binary=_text),
    FIELD_TYPE.GEOMETRY: _Rule(name=_named("geometry"), arrow=_always(pa.binary()), text=_bytes, binary=_bytes),
    VECTOR: _Rule(name=_named("vector"), arrow=_always(pa.binary()), text=_bytes, binary=_bytes),
    FIELD_TYPE.NULL: _Rule(name=_named("null"), arrow=_always(pa.null()), text=_null, binary=_null),
    FIELD_TYPE.STRING: _TEXT,
    FIELD_TYPE.VAR_STRING: _TEXT,
    FIELD_TYPE.VARCHAR: _TEXT,
    **dict.fromkeys(_BLOBS, _BLOB),
}

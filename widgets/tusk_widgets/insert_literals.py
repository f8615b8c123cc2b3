"""SQL literals of Arrow columns: for each dialect a table of what is written for which type.

A literal holds under every setting of the session that reads it (what a backslash means, which order of day and month, whether
a minus at the beginning counts for a whole interval), and it is exact, or refused by the column's name. Values are written
column by column, the parts of nested ones as columns of their own.
"""

from __future__ import annotations

import contextlib
import math
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.client import texts
from tusk_jupyter.client.nested_texts import joined_lists, joined_maps
from tusk_jupyter.client.plain_arrays import strings, text, truth
from tusk_jupyter.errors import UsageError
from tusk_widgets.type_names import members, outer

type_of = pa.types


@dataclass(frozen=True, slots=True)
class Column:
    """What literals are of.

    Attributes:
        name: of the result's column, for messages.
        type_name: the database's own name of the type, or of the part's; empty where it is not known.
        dialect: one of `DIALECTS`.
    """

    name: str
    type_name: str
    dialect: str

    def part(self, type_name: str) -> Column:
        """Return a part of a nested column."""
        return replace(self, type_name=type_name)

    def refuse(self, values: str, hint: str = "Filter these rows out, or export another format.") -> UsageError:
        """Return the error for values that the dialect cannot write."""
        return UsageError(
            f"Column {self.name!r} holds {values}, which {TITLES[self.dialect]} has no literal for.", hint=hint
        )


Maker = Callable[[pa.Array, Column], pa.Array]
Rule = tuple[Callable[[pa.DataType, str], bool], Maker]
"""Whether it is for an Arrow type and the outermost word of the database's name, and what makes literals; NULL stays NULL."""

TITLES = {"duckdb": "DuckDB", "sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}
DIALECTS = tuple(TITLES)


def literals(array: pa.Array, column: Column) -> pa.Array:
    """Return values as literals, NULL as `NULL`.

    Raises:
        UsageError: one of them has none.
    """
    return pc.coalesce(_values(array, column), text("NULL"))


def _values(array: pa.Array, column: Column) -> pa.Array:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        array = texts.to_text(array) if kind.extension_name == "arrow.uuid" else array.storage
        return _values(array, column)
    if type_of.is_dictionary(kind):
        return _values(array.cast(kind.value_type), column)
    word = outer(column.type_name)
    make = next(make for test, make in RULES[column.dialect] if test(kind, word))
    return make(array, column).cast(pa.string())


# --- what several dialects have in common ------------------------------------------------------------------------------


def _bare(array: pa.Array, column: Column) -> pa.Array:
    return texts.to_text(array)


def _text(array: pa.Array, column: Column) -> pa.Array:
    """Return the text in which a value is shown, as a literal."""
    return _QUOTES[column.dialect](texts.to_text(array), column)


def _quoted(found: pa.Array, before: str = "'") -> pa.Array:
    doubled = pc.replace_substring(found.cast(pa.string()), "'", "''")
    return pc.binary_join_element_wise(text(before), doubled, text("'"), text(""))


def _where(found: pa.Array, pattern: str, make: Callable[[str], str], others: pa.Array) -> pa.Array:
    """Return `others`, with what `make` makes of the texts that have `pattern` in their places."""
    odd = pc.coalesce(pc.match_substring_regex(found, pattern), pc.is_valid(found))
    if not pc.any(odd).as_py():
        return others
    return pc.replace_with_mask(others, odd, strings([make(one) for one in found.filter(odd).to_pylist()]))


def _hexadecimal(before: str, after: str) -> Maker:
    def made(array: pa.Array, column: Column) -> pa.Array:
        digits = pc.utf8_slice_codeunits(texts.to_text(array), 2)
        return pc.binary_join_element_wise(text(before), digits, text(after), text(""))

    return made


def _numbers(array: pa.Array, column: Column) -> pa.Array:
    """Write floats so that each reads back as itself: with an exponent, as decimals are read otherwise, and all its digits."""
    wide = array.cast(pa.float64())
    if not pc.all(pc.coalesce(pc.is_finite(wide), pc.is_null(wide)), min_count=0).as_py():
        words = [text for text in texts.to_text(wide).to_pylist() if text in ("NaN", "Infinity", "-Infinity")]
        refused = next((word for word in words if word not in _WORDS[column.dialect]), None)
        if refused:
            raise column.refuse(refused)
    made = [None if one is None else _number(one, column.dialect) for one in texts.to_text(wide).to_pylist()]
    return strings(made)


def _number(value: str, dialect: str) -> str:
    if value in _WORDS[dialect]:
        return _WORDS[dialect][value]
    return value if "e" in value else f"{value}e0"


_WORDS: dict[str, dict[str, str]] = {
    "duckdb": {word: f"'{word}'::DOUBLE" for word in ("NaN", "Infinity", "-Infinity")},
    "sqlite": {"Infinity": "9e999", "-Infinity": "-9e999"},
    "mysql": {},
}


def _refused(values: str, hint: str) -> Maker:
    def made(array: pa.Array, column: Column) -> pa.Array:
        if array.null_count < len(array):
            raise column.refuse(values, hint)
        return pa.nulls(len(array), pa.string())

    return made


# --- DuckDB ------------------------------------------------------------------------------------------------------------


def _duckdb_quotes(found: pa.Array, column: Column) -> pa.Array:
    return _where(found, "\x00", _duckdb_nul, _quoted(found))


def _duckdb_nul(value: str) -> str:
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    return "(" + " || chr(0) || ".join(parts) + ")"


def _duckdb_times(array: pa.Array, column: Column) -> pa.Array:
    """Write the era where DuckDB reads it: 0044-03-15 (BC) 12:00:00; instants in UTC, as it reads no seconds of an offset."""
    if type_of.is_timestamp(array.type) and array.type.tz is not None:
        array = array.cast(pa.timestamp(array.type.unit, "UTC"))
    return _quoted(pc.replace_substring_regex(texts.to_text(array), r"^(-?\d+-\d\d-\d\d)(.*) BC$", r"\1 (BC)\2"))


def _duckdb_intervals(array: pa.Array, column: Column) -> pa.Array:
    return strings([None if one is None else _duckdb_interval(one, column) for one in array.to_pylist()])


def _duckdb_interval(value: tuple[int, int, int], column: Column) -> str:
    months, days, nanoseconds = value
    if nanoseconds % 1000:
        raise column.refuse("an interval with nanoseconds")
    return f"'{months} months {days} days {nanoseconds // 1000} microseconds'"


def _duckdb_long_intervals(array: pa.Array, column: Column) -> pa.Array:
    """Write intervals that became text, as one of them has more hours than Arrow keeps."""
    written = array.cast(pa.string()).to_pylist()
    return strings([None if one is None else _duckdb_long_interval(one, column) for one in written])


def _duckdb_long_interval(value: str, column: Column) -> str:
    found = _LONG_INTERVAL.fullmatch(value)
    if found is None:
        raise column.refuse(f"the interval {value!r}")
    microseconds = Decimal(found[3]).scaleb(6)
    return f"'{found[1]} months {found[2]} days {microseconds:f} microseconds'"


_LONG_INTERVAL = re.compile(r"P(-?\d+)M(-?\d+)DT(-?\d+(?:\.\d{1,6})?)S")


def _duckdb_lists(array: pa.Array, column: Column) -> pa.Array:
    (item,) = members(column.type_name) or ("",)
    return joined_lists(array, _parts(column, item), marks=("[", "]"))


def _duckdb_maps(array: pa.Array, column: Column) -> pa.Array:
    key, item = members(column.type_name) or ("", "")
    return joined_maps(array, _parts(column, key), _parts(column, item), marks=("MAP {", "", ": ", "", "}"))


def _duckdb_structs(array: pa.Array, column: Column) -> pa.Array:
    is_tuple = outer(column.type_name) == "TUPLE"
    pieces: list[pa.Array] = [text("row(" if is_tuple else "{")]
    kinds = members(column.type_name) or ("",) * array.type.num_fields
    for field, values, kind in zip(array.type, array.flatten(), kinds, strict=True):
        name = "" if is_tuple else _name(field.name, "'") + ": "
        pieces += [text(f"{', ' if len(pieces) > 1 else ''}{name}"), _parts(column, kind)(values)]
    return _where_valid(array, pc.binary_join_element_wise(*pieces, text(")" if is_tuple else "}"), text("")))


def _duckdb_unions(array: pa.Array, column: Column) -> pa.Array:
    """Write the member that the tag names; the cast says of which union it is."""
    tags, *values = array.flatten()
    written = pa.nulls(len(array), pa.string())
    for field, part, kind in zip(list(array.type)[1:], values, members(column.type_name), strict=True):
        begin = text(f"union_value({_name(field.name)} := ")
        made = pc.binary_join_element_wise(begin, _parts(column, kind)(part), text(f")::{column.type_name}"), text(""))
        is_it = pc.equal(tags.cast(pa.string()), text(field.name))
        written = pc.if_else(pc.coalesce(is_it, truth(False)), made, written)
    return written


def _parts(column: Column, type_name: str) -> Callable[[pa.Array], pa.Array]:
    return lambda values: literals(values, column.part(type_name))


def _where_valid(array: pa.Array, whole: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_valid(array), whole, pa.nulls(len(array), pa.string())) if array.null_count else whole


def _name(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, mark * 2) + mark


# --- SQLite ------------------------------------------------------------------------------------------------------------


def _sqlite_quotes(found: pa.Array, column: Column) -> pa.Array:
    return _where(found, "\x00", lambda value: f"CAST(X'{value.encode().hex()}' AS TEXT)", _quoted(found))


def _sqlite_numbers(array: pa.Array, column: Column) -> pa.Array:
    """Write doubles so that SQLite reads them as they are: 1 in 10,000 of its decimals around 1e6 is off by the last bit."""
    written = _numbers(array, column).to_pylist()
    values = array.cast(pa.float64()).to_pylist()
    for place, read in enumerate(_read_by_sqlite(written)):
        if read is not None and read != values[place]:
            written[place] = _by_bits(values[place])
    return strings(written)


def _read_by_sqlite(numbers: list[str | None]) -> list[float | None]:
    """Return what SQLite makes of literals."""
    read: list[float | None] = []
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for start in range(0, len(numbers), _AT_ONCE):
            rows = ", ".join(f"({number or 'NULL'})" for number in numbers[start : start + _AT_ONCE])
            read += [value for (value,) in connection.execute(f"VALUES {rows}")]
    return read


_AT_ONCE = 400
"""Rows of a VALUES that every SQLite takes."""


def _by_bits(value: float) -> str:
    """Return a double as a whole number and powers of two, each of which is exact."""
    fraction, exponent = math.frexp(value)
    mark, places = "*" if exponent > 53 else "/", abs(exponent - 53)
    return f"({int(fraction * 2**53)}*1.0{f'{mark}{2**32}.0' * (places // 32)}{mark}{2 ** (places % 32)}.0)"


# --- PostgreSQL --------------------------------------------------------------------------------------------------------


def _postgresql_quotes(found: pa.Array, column: Column) -> pa.Array:
    """Write backslashes so that they are themselves under any `standard_conforming_strings`."""
    found = found.cast(pa.string())
    if pc.any(pc.match_substring(found, "\x00")).as_py():
        raise UsageError(
            f"Column {column.name!r} has a text with the character NUL, which PostgreSQL has no place for.",
            hint="Take it out with replace(), or export another format.",
        )
    has_backslash = pc.coalesce(pc.match_substring(found, "\\"), pc.is_valid(found))
    if not pc.any(has_backslash).as_py():
        return _quoted(found)
    return pc.if_else(has_backslash, _quoted(pc.replace_substring(found, "\\", "\\\\"), "E'"), _quoted(found))


def _postgresql_intervals(array: pa.Array, column: Column) -> pa.Array:
    return _postgresql_quotes(_interval_texts(array, column), column)


def _interval_texts(array: pa.Array, column: Column) -> pa.Array:
    return strings([None if one is None else _postgresql_interval(one, column) for one in array.to_pylist()])


def _postgresql_interval(value: tuple[int, int, int], column: Column) -> str:
    """Return an interval with a sign for each field: under the SQL standard's style the first one counts for those without."""
    months, days, nanoseconds = value
    if nanoseconds % 1000:
        raise column.refuse("an interval with nanoseconds")
    seconds, rest = divmod(abs(nanoseconds) // 1000, 1_000_000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:06d}"
    return f"{months:+d} mons {days:+d} days {'-' if nanoseconds < 0 else '+'}{clock}"


def _postgresql_arrays(array: pa.Array, column: Column) -> pa.Array:
    """Write arrays as their text, of which the column makes its type: {1,NULL,"a,b"}."""
    return _postgresql_quotes(_array_texts(array, column, ";" if column.type_name.startswith("box[") else ","), column)


def _array_texts(array: pa.Array, column: Column, between: str) -> pa.Array:
    return joined_lists(array, lambda items: _element_texts(items, column, between), marks=("{", "}"), between=between)


def _element_texts(items: pa.Array, column: Column, between: str) -> pa.Array:
    if _is_list(items.type):
        made = _array_texts(items, column, between)
    elif type_of.is_interval(items.type):
        made = quoted_by_backslash(_interval_texts(items, column))
    elif type_of.is_nested(items.type) or not _is_plain(items.type):
        made = quoted_by_backslash(texts.to_text(items).cast(pa.string()))
    else:
        made = texts.to_text(items)
    return pc.coalesce(made.cast(pa.string()), text("NULL"))


def quoted_by_backslash(found: pa.Array) -> pa.Array:
    """Return the elements of an array's text in quotes."""
    for mark in ("\\", '"'):
        found = pc.replace_substring(found, mark, f"\\{mark}")
    return pc.binary_join_element_wise(text('"'), found, text('"'), text(""))


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        type_of.is_integer(kind) or type_of.is_floating(kind) or type_of.is_boolean(kind) or type_of.is_decimal(kind)
    )


# --- MySQL and MariaDB -------------------------------------------------------------------------------------------------


def _mysql_quotes(found: pa.Array, column: Column) -> pa.Array:
    """Write texts so that they are themselves under any `sql_mode` and character set of the client."""
    found = found.cast(pa.string())
    plain = pc.if_else(
        pc.coalesce(pc.string_is_ascii(found), pc.is_valid(found)), _quoted(found), _quoted(found, "_utf8mb4'")
    )
    return _where(found, r"[\x00\\]", lambda value: f"_utf8mb4 X'{value.encode().hex()}'", plain)


def _mysql_times(array: pa.Array, column: Column) -> pa.Array:
    """Write instants in UTC, which the file sets; they have no offset there."""
    if array.type.tz is not None:
        array = array.cast(pa.timestamp(array.type.unit, "UTC")).cast(pa.timestamp(array.type.unit))
    return _quoted(texts.to_text(array))


# --- the tables --------------------------------------------------------------------------------------------------------


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        type_of.is_nested(kind) and not (type_of.is_struct(kind) or type_of.is_map(kind) or type_of.is_union(kind))
    )


def _typed(test: Callable[[pa.DataType], bool]) -> Callable[[pa.DataType, str], bool]:
    return lambda kind, word: bool(test(kind))


def _named(*words: str) -> Callable[[pa.DataType, str], bool]:
    return lambda kind, word: word in words


def _any(kind: pa.DataType, word: str) -> bool:
    return True


def _is_short_decimal(kind: pa.DataType) -> bool:
    return bool(type_of.is_decimal(kind) and kind.scale >= 0 and max(kind.precision, kind.scale + 1) <= 18)


def _is_moment(kind: pa.DataType, word: str) -> bool:
    """Whether it is a time with a calendar, or one that became text because no calendar has it."""
    return bool(type_of.is_date(kind) or type_of.is_timestamp(kind) or word.startswith(("DATE", "TIMESTAMP")))


_QUOTES: dict[str, Maker] = {
    "duckdb": _duckdb_quotes,
    "sqlite": _sqlite_quotes,
    "postgresql": _postgresql_quotes,
    "mysql": _mysql_quotes,
}
"""Each dialect's way to write a text."""

_NO_VARIANT = "Cast the column to VARCHAR or to the type of its values, or write Parquet by COPY."

RULES: dict[str, tuple[Rule, ...]] = {
    "duckdb": (
        (_named("VARIANT"), _refused("VARIANT values", _NO_VARIANT)),
        (_named("UNION"), _duckdb_unions),
        (_typed(type_of.is_integer), _bare),
        (_typed(type_of.is_boolean), _bare),
        (_typed(_is_short_decimal), _bare),  # longer ones are read as doubles
        (_typed(type_of.is_floating), _numbers),
        (_is_moment, _duckdb_times),
        (_typed(type_of.is_interval), _duckdb_intervals),
        (_named("INTERVAL"), _duckdb_long_intervals),
        (_typed(texts.is_bytes), _hexadecimal("unhex('", "')")),
        (_typed(type_of.is_map), _duckdb_maps),
        (_typed(type_of.is_struct), _duckdb_structs),
        (_typed(_is_list), _duckdb_lists),
        (_any, _text),
    ),
    "sqlite": (
        (_typed(type_of.is_integer), _bare),
        (_typed(type_of.is_boolean), _bare),
        (_typed(type_of.is_floating), _sqlite_numbers),
        (_typed(texts.is_bytes), _hexadecimal("X'", "'")),
        (
            _any,
            _text,
        ),  # decimals too: as a number it would be a double, as a text a NUMERIC column takes it over exactly
    ),
    "postgresql": (
        (_typed(type_of.is_signed_integer), _bare),
        (_typed(type_of.is_boolean), _bare),
        (_typed(type_of.is_decimal), _bare),
        (_typed(type_of.is_interval), _postgresql_intervals),
        (_typed(texts.is_bytes), _hexadecimal("E'\\\\x", "'")),
        (_typed(_is_list), _postgresql_arrays),
        (
            _any,
            _text,
        ),  # unsigned integers, too, which xid8 takes as text alone; doubles, as a number would be a numeric without -0
    ),
    "mysql": (
        (_typed(type_of.is_integer), _bare),
        (_typed(type_of.is_boolean), _bare),
        (_typed(type_of.is_decimal), _bare),
        (_typed(type_of.is_floating), _numbers),
        (_typed(type_of.is_timestamp), _mysql_times),
        (_typed(texts.is_bytes), _hexadecimal("X'", "'")),
        (_any, _text),
    ),
}
"""What is written for which type; the first rule that is for it counts."""

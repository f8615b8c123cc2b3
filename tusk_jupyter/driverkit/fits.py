"""Rows for a table that is there: each value has to fit its column as it is, or the upload is refused.

Engines fit values to narrower columns by themselves, each in its own way: digits are rounded, blanks and fractions of a second
cut. Nobody who appends rows is told of that, so it is found here, before the rows are sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tusk_jupyter.driverkit.upload_columns import (
    JSON,
    UNITS,
    UUID,
    extension,
    is_bytes,
    is_list,
    is_nested,
    is_text,
    json_texts,
    moment_texts,
    year_outside,
)
from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.secret_names import is_secret_parameter
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_FRACTION = re.compile(r"\.([0-9]+)\s*([A-Za-z]*)")
_SMALL_UNIT = re.compile(r"[0-9]\s*(?:ms|us|milli|micro)", re.IGNORECASE)
_ZONE = r"([+-][0-9]{2}(:?[0-9]{2})?|Z)"
_SHOWN = 80
_ENDLESS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A column of a table that is there, as far as it decides which values it keeps as they are."""

    type: str
    """As the engine calls it."""
    kind: str
    """int, decimal, float, bool, text, members, bytes, date, time, moment, interval, json, uuid, list; nested, whose parts the
    driver compares; any, which keeps everything; other, which takes text, in the engine's own spelling of its type; none,
    which takes nothing."""
    low: int = 0
    high: int = 0
    precision: int | None = None
    """Digits of a decimal, or None for as many as there are."""
    scale: int = 0
    bits: int = 64
    length: int | None = None
    """The most characters or bytes."""
    text_bytes: int | None = None
    """The most bytes of a text, where these are counted."""
    whole: bool = False
    """Whether text keeps no blanks at its end, and bytes are filled up to the length."""
    digits: int = 6
    """Digits of a second."""
    fraction: int | None = None
    """Digits behind the point that the engine's own reading of a text keeps."""
    needs_digit: bool = False
    """Whether the engine makes a value of its own of a text that has no digit."""
    nonzero: bool = False
    """Whether the engine puts a number of its own in the place of 0."""
    fills: str = ""
    """What the engine does with NULL, if it does not keep it."""
    zone: bool | None = False
    """Whether moments have a zone; None: those with one are written as UTC."""
    lengths: bool = False
    """Whether a time may be a length of time, as MySQL's."""
    members: tuple[str, ...] = ()
    several: bool = False
    """Whether text may be several members, in their order, with commas between them."""
    item: Place | None = None
    deep: bool = False
    """Whether a list has lists of any depth in it, as PostgreSQL's arrays have."""

    @property
    def is_nested(self) -> bool:
        """Whether its parts, or those of its items, are for the driver to compare."""
        return self.kind == "nested" or (self.item is not None and self.item.is_nested)


def integers(type_: str, bits: int, *, unsigned: bool = False) -> Place:
    """Return a column of integers of so many bits."""
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return Place(type=type_, kind="int", low=low, high=high)


def fitted(
    reader: pa.RecordBatchReader, places: Mapping[str, Place], engine: str, *, filled: Counter[str] | None = None
) -> pa.RecordBatchReader:
    """Return the same rows, each column in the form in which its place in the table keeps it.

    Args:
        reader: the rows.
        places: of the columns, by their names in the rows.
        engine: its name.
        filled: takes the number of NULLs that the engine will not keep, by column, as the rows are read.

    Raises:
        UsageError: a column's type does not go with the table's; when it is read: a value would be changed.
    """
    fits = [_Fit(field, places[field.name], engine) if field.name in places else None for field in reader.schema]
    types = [fit.type if fit else field.type for fit, field in zip(fits, reader.schema, strict=True)]
    schema = pa.schema(list(zip(reader.schema.names, types, strict=True)))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [fit.of(column) if fit else column for fit, column in zip(fits, batch.columns, strict=True)]
            if filled is not None:
                filled.update(
                    {n: c.null_count for n, c in zip(schema.names, columns, strict=True) if _is_filled(places, n)}
                )
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def filled_notes(places: Mapping[str, Place], filled: Counter[str]) -> tuple[str, ...]:
    """Return what is told of NULLs in whose place the engine put something."""
    return tuple(
        f"Column {name!r} {places[name].fills}: that is so of {count:,} NULL{'s' * (count > 1)}."
        for name, count in filled.items()
        if count
    )


def _is_filled(places: Mapping[str, Place], name: str) -> bool:
    return name in places and bool(places[name].fills)


class _Fit:
    """A column on its way into its place."""

    def __init__(self, field: pa.Field, place: Place, engine: str) -> None:
        self._name, self._from, self._place, self._engine = field.name, field.type, place, engine
        self._source = _source(field.type)
        self.type = self._target()
        """The Arrow type in which it is written."""

    def of(self, column: pa.Array) -> pa.Array:
        """Return the values as they are written.

        Raises:
            UsageError: one would be changed.
        """
        if self._source == "null" or self._place.kind in ("any", "uuid", "nested"):
            return column
        fit: Callable[[pa.Array], pa.Array] = getattr(self, f"_{self._place.kind}")
        return fit(column)

    def _target(self) -> pa.DataType:
        place, kind, source = self._place, self._from, self._source
        if source == "null" or place.kind == "any":
            return kind
        if source not in _TAKES[place.kind] and not (source == "length" and place.lengths):
            raise no_type(self._name, kind, place, self._engine)
        if (
            place.kind == "moment"
            and source == "moment"
            and place.zone is not None
            and place.zone != (kind.tz is not None)
        ):
            raise self._no_type()
        if place.kind == "list":
            return pa.large_list(self._item().type)
        if place.kind in ("int", "decimal") and source != "int":
            return self._number_type()
        written = _WRITTEN.get(place.kind)
        return written(place, kind) if written else kind

    def _number_type(self) -> pa.DataType:
        place = self._place
        if place.kind == "decimal":
            if place.precision is None or self._always():
                return self._from
            wide = max(place.precision, place.scale, 1)
            return pa.decimal128(wide, place.scale) if wide <= 38 else pa.decimal256(min(wide, 76), place.scale)
        if place.low < -(2**63) or place.high >= 2**64:
            return pa.decimal256(39, 0)
        return pa.uint64() if place.high >= 2**63 else pa.int64()

    def _always(self) -> bool:
        """Return whether every value of a type of decimals fits."""
        kind, place = self._from, self._place
        if self._source != "decimal" or place.precision is None:
            return False
        return bool(kind.scale <= place.scale and kind.precision - kind.scale <= place.precision - place.scale)

    # --- what is refused ---

    def _no_type(self) -> UsageError:
        return no_type(self._name, self._from, self._place, self._engine)

    def _change(self, values: list[Any]) -> UsageError:
        """Return the error for values that would be changed."""
        text = repr(values[0]) if self._source in ("text", "bytes") else str(values[0])
        text = "a value" if is_secret_parameter(self._name) else text
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        more = f" and {len(values) - 1:,} values more" if len(values) > 1 else ""
        return UsageError(
            f"The column {self._name!r} holds {shown}{more}, which its place in the table, of type {self._place.type}, "
            "would change."
            " Nothing was written.",
            hint="Append to a wider column (`ALTER TABLE`), or change the values first, as you mean it: "
            f"`df[{self._name!r}].round(...)`, `.astype(...)`, `.str.rstrip()`, `.dt.floor('s')`.",
        )

    def _each(self, values: list[Any], fits: Callable[[Any], bool]) -> None:
        if odd := [value for value in values if value is not None and not fits(value)]:
            raise self._change(odd)

    # --- each kind of place ---

    def _int(self, column: pa.Array) -> pa.Array:
        place = self._place
        if self._source == "bool":
            column = column.cast(pa.int64())
            self._each(column.to_pylist(), lambda value: place.low <= value <= place.high)
        if place.nonzero:
            self._each(column.to_pylist(), lambda value: str(value) != "0" and value != 0)
        if self._source == "bool":
            return column.cast(self.type)
        if self._source == "int":
            ends = pc.min_max(column).as_py()
            if ends["min"] is not None and not (place.low <= ends["min"] and ends["max"] <= place.high):
                self._each(column.to_pylist(), lambda value: place.low <= value <= place.high)
            return column
        values = column.to_pylist()
        read = _as_integer if self._source == "text" else _whole
        self._each(values, lambda value: (found := read(value)) is not None and place.low <= found <= place.high)
        return pa.array([None if value is None else read(value) for value in values], self.type)

    def _decimal(self, column: pa.Array) -> pa.Array:
        place = self._place
        if self._always() or (place.precision is None and self._source != "text"):
            return column
        values = _shortest(column) if self._source == "float" else column.to_pylist()
        precision, scale = (place.precision, place.scale) if place.precision else (_ENDLESS, _ENDLESS // 2)
        read = _text_number if self._source == "text" else _as_number

        def fits(value: Any) -> bool:  # noqa: ANN401 - of several types
            number = read(value)
            if number is None or abs(number) >= Decimal(10) ** (precision - scale):
                return False
            return -int(number.normalize().as_tuple().exponent) <= scale

        self._each(values, fits)
        if self.type == self._from:
            return column
        return pa.array([None if value is None else read(value) for value in values], self.type)

    def _float(self, column: pa.Array) -> pa.Array:
        if self._source == "float":
            found = column.cast(self.type)
            changed = pc.and_(pc.not_equal(found.cast(column.type), column), pc.invert(pc.is_nan(column)))
            if pc.any(changed).as_py():
                raise self._change(column.filter(changed).to_pylist())
            return found
        values = column.to_pylist()
        read = _text_number if self._source == "text" else _as_number
        numbers = [None if value is None else read(value) for value in values]
        if (
            bad := next((v for v, n in zip(values, numbers, strict=True) if v is not None and n is None), None)
        ) is not None:
            raise self._change([bad])
        floats = pa.array([None if number is None else float(number) for number in numbers], pa.float64()).cast(
            self.type
        )
        exact = column.to_pylist() if self._source == "int" else None
        back = floats.to_pylist() if exact is not None else _shortest(floats)
        odd = [
            value for value, number, found in zip(values, numbers, back, strict=True)
            if value is not None and (found in ("inf", "-inf") or Decimal(found) != number)
        ]  # fmt: skip
        if odd:
            raise self._change(odd)
        return floats

    def _bool(self, column: pa.Array) -> pa.Array:
        if self._source == "int":
            self._each(column.to_pylist(), lambda value: value in (0, 1))
            return column.cast(pa.bool_())
        return column

    def _text(self, column: pa.Array) -> pa.Array:
        place = self._place
        if is_nested(column.type):
            return column
        if self._source in ("date", "moment", "time"):
            if self._source != "time" and year_outside(column, 0, 9999) is not None:
                raise self._no_type()
            column = moment_texts(column)
        elif self._source == "float":
            column = pa.array([None if value is None else repr(value) for value in column.to_pylist()], self.type)
        elif self._source != "text":
            values = (column.storage if extension(column.type) == JSON else column).to_pylist()
            texts = [None if one is None else f"{one:f}" if isinstance(one, Decimal) else str(one) for one in values]
            column = pa.array(texts, self.type)
        most = place.text_bytes
        if most is not None and (pc.max(pc.binary_length(column)).as_py() or 0) > most:
            self._each(column.to_pylist(), lambda value: len(value.encode()) <= most)
        if place.length is not None and (pc.max(pc.utf8_length(column)).as_py() or 0) > place.length:
            self._each(column.to_pylist(), lambda value: len(value) <= (place.length or 0))
        if place.whole and pc.any(pc.ends_with(column, " ")).as_py():
            self._each(column.to_pylist(), lambda value: not value.endswith(" "))
        return column

    def _members(self, column: pa.Array) -> pa.Array:
        place = self._place
        order = {member: number for number, member in enumerate(place.members)}

        def fits(value: str) -> bool:
            parts = value.split(",") if place.several and value else [] if place.several else [value]
            found = [order.get(part, -1) for part in parts]
            return -1 not in found and found == sorted(set(found))

        self._each(column.to_pylist(), fits)
        return column

    def _bytes(self, column: pa.Array) -> pa.Array:
        length = self._place.length
        if length is not None:
            self._each(column.to_pylist(), lambda v: len(v) == length if self._place.whole else len(v) <= length)
        return column

    def _date(self, column: pa.Array) -> pa.Array:
        if self._source == "text":
            self._each(column.to_pylist(), re.compile(_DATE).fullmatch)  # type: ignore[arg-type] # a match is true
        if self._source == "moment":
            found = column.cast(pa.date32(), safe=False)
            changed = pc.not_equal(found.cast(column.type), column)
            if pc.any(changed).as_py():
                raise self._change(column.filter(changed).cast(pa.string()).to_pylist())
            return found
        return column

    def _time(self, column: pa.Array) -> pa.Array:
        if self._source == "text":
            self._each(column.to_pylist(), re.compile(f"{_CLOCK}{self._fraction()}").fullmatch)  # type: ignore[arg-type]
            return column
        return self._within_digits(column)

    def _moment(self, column: pa.Array) -> pa.Array:
        if self._source == "text":
            zone = _ZONE if self._place.zone else ""
            self._each(column.to_pylist(), re.compile(f"{_DATE}[ T]{_CLOCK}{self._fraction()}{zone}").fullmatch)  # type: ignore[arg-type]
        return self._within_digits(column) if self._source == "moment" else column

    def _interval(self, column: pa.Array) -> pa.Array:
        digits = self._place.digits
        if self._source == "text":
            self._each(column.to_pylist(), lambda text: _has_digits(text, digits))
        elif self._source == "interval" and digits < 6:
            self._each(column.to_pylist(), lambda value: value.nanoseconds % 10 ** (9 - digits) == 0)
        return self._within_digits(column) if self._source == "length" and digits < 6 else column

    def _json(self, column: pa.Array) -> pa.Array:
        return pa.array(json_texts(column, self._name, self._engine), self.type) if is_nested(column.type) else column

    def _other(self, column: pa.Array) -> pa.Array:
        most = self._place.fraction
        if self._source == "text" and self._place.needs_digit:
            self._each(column.to_pylist(), re.compile("[0-9]").search)  # type: ignore[arg-type] # a match is true
        if self._source == "text" and most is not None:
            self._each(column.to_pylist(), lambda text: _has_digits(text, most))
        return column

    def _fraction(self) -> str:
        return rf"(\.[0-9]{{1,{self._place.digits}}})?" if self._place.digits else ""

    def _within_digits(self, column: pa.Array) -> pa.Array:
        finest = UNITS[column.type.unit] // 10**self._place.digits
        if finest > 1:
            whole = column.cast(pa.int32() if pa.types.is_time32(column.type) else pa.int64())
            odd = pc.not_equal(pc.multiply(pc.divide(whole, finest), finest), whole)
            if pc.any(odd).as_py():
                found = column.filter(odd)
                is_length = pa.types.is_duration(column.type)
                texts = found.cast(pa.int64()) if is_length else found.cast(pa.string())
                raise self._change([f"{one} {column.type.unit}" if is_length else one for one in texts.to_pylist()])
        return column

    def _item(self) -> _Fit:
        place, inner = self._place, self._from.value_type
        assert place.item is not None  # noqa: S101 - a list has items
        goes_on = place.deep and is_list(inner) and place.item.kind != "json"
        return _Fit(pa.field(self._name, inner), place if goes_on else place.item, self._engine)

    def _list(self, column: pa.Array) -> pa.Array:
        item = self._item()
        lengths = pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64())
        offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
        mask = column.is_null() if column.null_count else None
        return pa.LargeListArray.from_arrays(offsets, item.of(column.flatten()), type=self.type, mask=mask)


def no_type(name: str, kind: pa.DataType, place: Place, engine: str) -> UsageError:
    """Return the error for a column whose type does not go with the table's."""
    zones = (
        "; `.dt.tz_localize(ZONE)` and `.dt.tz_convert(None)` give and take a zone"
        if pa.types.is_timestamp(kind)
        else ""
    )
    return UsageError(
        f"The column {name!r} has the type {kind}, and its place in the table is {place.type}: {engine} would make other "
        "values of it. Nothing was written.",
        hint=f"Give the frame's column the type of the table's first, as with `df[{name!r}].astype(...)`{zones}.",
    )


_TAKES: dict[str, frozenset[str]] = {
    "int": frozenset({"int", "bool", "decimal", "float", "text"}),
    "decimal": frozenset({"int", "decimal", "float", "text"}),
    "float": frozenset({"int", "decimal", "float", "text"}),
    "bool": frozenset({"bool", "int"}),
    "text": frozenset({"text", "int", "decimal", "float", "date", "time", "moment", "uuid", "json"}),
    "members": frozenset({"text"}),
    "bytes": frozenset({"bytes"}),
    "date": frozenset({"date", "moment", "text"}),
    "time": frozenset({"time", "text"}),
    "moment": frozenset({"moment", "date", "text"}),
    "interval": frozenset({"length", "interval", "text"}),
    "json": frozenset({"json", "text", "list", "struct", "map"}),
    "uuid": frozenset({"uuid", "text"}),
    "list": frozenset({"list"}),
    "nested": frozenset({"struct", "map"}),
    "other": frozenset({"text", "json", "uuid"}),
    "none": frozenset(),
}
_WRITTEN: dict[str, Callable[[Place, pa.DataType], pa.DataType]] = {
    "int": lambda place, kind: kind,
    "float": lambda place, kind: pa.float32() if place.bits == 32 else pa.float64(),
    "bool": lambda place, kind: pa.bool_(),
    "date": lambda place, kind: pa.date32() if pa.types.is_timestamp(kind) else kind,
    "text": lambda place, kind: kind if is_nested(kind) else pa.large_string(),
    "json": lambda place, kind: pa.large_string() if is_nested(kind) else kind,
}


def _source(kind: pa.DataType) -> str:
    """Return what a plain Arrow type is."""
    if extension(kind) in (JSON, UUID):
        return "json" if extension(kind) == JSON else "uuid"
    return next((name for name, check in _SOURCES if check(kind)), "other")


_SOURCES: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("null", pa.types.is_null),
    ("bool", pa.types.is_boolean),
    ("int", pa.types.is_integer),
    ("decimal", pa.types.is_decimal),
    ("float", pa.types.is_floating),
    ("text", is_text),
    ("bytes", is_bytes),
    ("date", pa.types.is_date),
    ("time", pa.types.is_time),
    ("moment", pa.types.is_timestamp),
    ("length", pa.types.is_duration),
    ("interval", pa.types.is_interval),
    ("list", is_list),
    ("struct", pa.types.is_struct),
    ("map", pa.types.is_map),
)


def _shortest(column: pa.Array) -> list[str | None]:
    """Return the shortest text of each float that is read as the same one."""
    return list(column.cast(pa.string()).to_pylist())


def _as_integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _whole(value: Any) -> int | None:  # noqa: ANN401 - a float or a Decimal
    return int(value) if value == value and abs(value) != float("inf") and value == int(value) else None


def _as_number(value: Any) -> Decimal | None:  # noqa: ANN401 - an int, a Decimal, or the text of a float
    return None if value in ("nan", "inf", "-inf") else Decimal(value)


def _has_digits(text: str, most: int) -> bool:
    """Return whether a text has at most so many digits behind its point, and no parts of a second by their names."""
    if most < 6 and _SMALL_UNIT.search(text):
        return False
    return all(
        len(one[1].rstrip("0")) <= most if not one[2] or one[2][0] in "sS" else most >= 6
        for one in _FRACTION.finditer(text)
    )


def _text_number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None

"""One column of a result: its values become Arrow as they are, and its type widens where a value does not fit.

The ladder is NULL, BOOL, INTEGER, REAL, TEXT, BINARY, with DATE and DATETIME beside the numbers. A step up never
changes a value: an integer becomes REAL only where that is exact, numbers become their digits, text its UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tusk_drivers.sqlite import decimals
from tusk_drivers.sqlite.types import TEXT, Kind, kind_for
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")
_NONE = type(None)
_EXACT = 2**53
"""Integers up to here are exact as floats."""
_YEAR_1, _YEAR_10000, _DAY_US = -719_162, 2_932_897, 86_400_000_000
"""In days since 1970."""
_FEW = 1000
"""Values that are looked at before `pyarrow.compute` is imported for it."""
_STEPS: dict[Kind, tuple[Kind, ...]] = {
    Kind.NULL: (),
    Kind.BOOL: (Kind.INTEGER, Kind.REAL, Kind.TEXT, Kind.BINARY),
    Kind.INTEGER: (Kind.REAL, Kind.TEXT, Kind.BINARY),
    Kind.REAL: (Kind.TEXT, Kind.BINARY),
    Kind.DECIMAL: (Kind.TEXT, Kind.BINARY),
    Kind.DATE: (Kind.TEXT, Kind.BINARY),
    Kind.DATETIME: (Kind.TEXT, Kind.BINARY),
    Kind.TEXT: (Kind.BINARY,),
    Kind.BINARY: (),
}
_INTEGERS_AS_REAL = "; the integers among the real numbers before that value stand as 2.0"
_OWN: dict[Kind, set[type]] = {Kind.TEXT: {bytearray}, Kind.BINARY: {bytes}}
"""What a column of such a kind holds by nature; whatever else is in it stands there as text or bytes."""

_WORDS = {
    Kind.INTEGER: "holds integers beside the truth values",
    Kind.REAL: "holds real numbers beside integers",
    Kind.TEXT: "holds values that its type cannot hold, so all of it is text",
    Kind.BINARY: "holds binary values beside others, or text that is not UTF-8, so all of it is binary",
}


class Column:
    """The state of a column while its result is read. Text values come as `bytearray`, blobs as `bytes`."""

    def __init__(self, name: str, declared: str | None) -> None:
        """Begin with what was declared."""
        self.name = name
        self.kind = kind_for(declared or "")
        self.note: str | None = None
        self._declared = declared or ""
        self._decimal = decimals.type_of(self._declared)
        self._sent = False
        self._had_integers = False
        """Whether integers have been sent among real numbers."""
        self._inexact = False
        """An integer beyond 2**53 has been sent: the column cannot become REAL any more."""

    @property
    def arrow_type(self) -> pa.DataType:
        """The type of the arrays that `convert` returns now."""
        return self._decimal if self.kind is Kind.DECIMAL else self.kind.value

    @property
    def type_name(self) -> str:
        """The declared type, else the storage class of the values."""
        names = {Kind.NULL: "NULL", Kind.BINARY: "BLOB"}
        return self._declared or names.get(self.kind, self.kind.name)

    def convert(self, values: Sequence[Any]) -> pa.Array:
        """Return `values` as the column's type, which may become a wider one by that."""
        seen = set(map(type, values))
        seen.discard(_NONE)
        before = self.kind
        array = self._fitted(values, seen)
        widened = self._sent and self.kind is not before and before is not Kind.NULL
        if widened or seen - _OWN.get(self.kind, seen) or (not self._sent and self._gave_up(before)):
            lost = widened and before is Kind.REAL and self._had_integers
            self.note = f"{_WORDS[self.kind]}{_INTEGERS_AS_REAL if lost else ''}"
        self._had_integers = self._had_integers or (self.kind is Kind.REAL and int in seen)
        self._sent = True
        if self.kind is Kind.INTEGER and not self._inexact and seen:
            self._inexact = _reaches_beyond(array, _EXACT)
        return array

    def _gave_up(self, declared: Kind) -> bool:
        """Return whether the first values are none of the declared type's; numbers may stand for a DATE, text for a BLOB."""
        usual = declared in (Kind.NULL, Kind.BINARY, self.kind)
        return self.kind in (Kind.TEXT, Kind.BINARY) and not usual

    def _fitted(self, values: Sequence[Any], seen: set[type]) -> pa.Array:
        for kind in self._candidates(seen):
            if kind is Kind.REAL and self.kind is Kind.INTEGER and self._inexact:
                continue
            try:
                array = self._decimals(values, seen) if kind is Kind.DECIMAL else _make(kind, values, seen)
            except (pa.ArrowInvalid, pa.ArrowTypeError, _Unfit):
                continue
            self.kind = kind
            return array
        raise AssertionError("every value is binary at last")

    def _decimals(self, values: Sequence[Any], seen: set[type]) -> pa.Array:
        _only(seen, int, float)
        assert self._decimal is not None  # noqa: S101 - `kind_for` goes by the same
        return decimals.read(values, self._decimal)

    def _candidates(self, seen: set[type]) -> tuple[Kind, ...]:
        """Return the kinds to try: from the declared one upwards, or by the values where nothing is fixed yet."""
        if self.kind is Kind.NULL or not self._sent:
            by_values = _by_values(seen)
            fits = self.kind is not Kind.NULL and (self.kind is not Kind.BINARY or bytes in seen or not seen)
            return (self.kind, *by_values) if fits else by_values
        return (self.kind, *_STEPS[self.kind])


def steps_between(old: Kind, new: Kind) -> tuple[Kind, ...]:
    """Return the kinds over which values already sent go from `old` to `new`, so that each cast exists and is exact."""
    if old is new:
        return ()
    if new is Kind.BINARY and old not in (Kind.NULL, Kind.TEXT):
        return (*steps_between(old, Kind.TEXT), Kind.BINARY)
    if new is Kind.TEXT and old is Kind.BOOL:  # 1 and 0, not true and false
        return (Kind.INTEGER, Kind.TEXT)
    return (new,)


class _Unfit(Exception):
    """A value is not of the kind tried."""


def _by_values(seen: set[type]) -> tuple[Kind, ...]:
    if not seen:
        return (Kind.NULL,)
    if seen == {int}:
        return (Kind.INTEGER,)
    if seen <= {int, float}:
        return (Kind.REAL, Kind.TEXT)
    return (Kind.BINARY,) if bytes in seen else (Kind.TEXT, Kind.BINARY)


def _reaches_beyond(array: pa.Array, end: int, *, low: int | None = None) -> bool:
    """Return whether one of the integers is above `end` or below `low`, if not given its negative."""
    low = -end if low is None else low
    if len(array) <= _FEW:
        return any(value is not None and not low <= value <= end for value in array.to_pylist())
    ends = pc.min_max(array)
    return bool(ends["max"].as_py() > end or ends["min"].as_py() < low)


def _make(kind: Kind, values: Sequence[Any], seen: set[type]) -> pa.Array:
    if not seen:
        return pa.nulls(len(values), kind.value)
    return _MAKERS[kind](values, seen)


def _only(seen: set[type], *allowed: type) -> None:
    if not seen.issubset(allowed):
        raise _Unfit


def _null(_values: Sequence[Any], _seen: set[type]) -> pa.Array:
    raise _Unfit


def _bool(values: Sequence[Any], seen: set[type]) -> pa.Array:
    _only(seen, int)
    if not set(values) <= {0, 1, None}:
        raise _Unfit
    return pa.array(values, pa.int64()).cast(pa.bool_())


def _integer(values: Sequence[Any], seen: set[type]) -> pa.Array:
    _only(seen, int)  # pyarrow would cut a float's fraction off without a word
    return pa.array(values, pa.int64())


def _real(values: Sequence[Any], seen: set[type]) -> pa.Array:
    _only(seen, int, float)
    try:
        return pa.array(values, pa.float64())
    except pa.ArrowInvalid:  # an integer beyond 2**53; SQLite stores a float such as 1e16 as one
        return pa.array([_as_float(value) if type(value) is int else value for value in values], pa.float64())


def _as_float(value: int) -> float:
    found = float(value)
    if int(found) != value:
        raise _Unfit
    return found


def _date(values: Sequence[Any], seen: set[type]) -> pa.Array:
    _only(seen, bytearray)
    return _dated(pa.array(values, TEXT).cast(pa.date32()), pa.int32(), 1)  # YYYY-MM-DD and nothing else


def _datetime(values: Sequence[Any], seen: set[type]) -> pa.Array:
    _only(seen, bytearray)
    moments = pa.array(values, TEXT).cast(pa.timestamp("us"))  # ISO 8601 without a zone, at most 6 digits of a second
    return _dated(moments, pa.int64(), _DAY_US)


def _dated(array: pa.Array, number: pa.DataType, day: int) -> pa.Array:
    """Return dates or moments, none of them in the year 0000: Arrow reads it, Python has no such year."""
    if _reaches_beyond(array.cast(number), _YEAR_10000 * day, low=_YEAR_1 * day):
        raise _Unfit
    return array


def _text(values: Sequence[Any], seen: set[type]) -> pa.Array:
    if bytes in seen:
        raise _Unfit
    if seen == {bytearray}:
        return pa.array(values, TEXT)  # refuses what is not UTF-8
    return pa.array([value if value is None else _digits(value) for value in values], TEXT)


def _binary(values: Sequence[Any], seen: set[type]) -> pa.Array:
    if seen == {bytes}:
        return pa.array(values, pa.large_binary())
    return pa.array([value if value is None else bytes(_digits(value)) for value in values], pa.large_binary())


def _digits(value: Any) -> bytes | bytearray:  # noqa: ANN401 - any of SQLite's values
    """Return a number as its digits, the shortest that read back as the same; text and blobs as they are."""
    if isinstance(value, bytes | bytearray):
        return value
    if isinstance(value, float):
        word = repr(value)
        return {"inf": b"Infinity", "-inf": b"-Infinity"}.get(word, word.encode())
    return str(value).encode()


_MAKERS = {
    Kind.NULL: _null,
    Kind.BOOL: _bool,
    Kind.INTEGER: _integer,
    Kind.REAL: _real,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.TEXT: _text,
    Kind.BINARY: _binary,
}

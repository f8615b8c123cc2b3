"""How a column of DuckDB's Arrow export becomes exact and plain.

A converter may *widen*: when a value comes that its type cannot hold, its type becomes a wider one for good, and so
does the result's schema. Nothing is ever rounded, clipped or turned into another date instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tusk_drivers.duckdb.buffers import TEXT, fixed_width, validity_of, words_of
from tusk_drivers.duckdb.moments import is_known, moments, trimmed, usual
from tusk_jupyter.system.lean import imported_later

pc = imported_later("pyarrow.compute")

WIDE_INTEGER = pa.decimal256(39, 0)
"""Holds all of HUGEINT and UHUGEINT (39 digits)."""
_DAY_US = 86_400_000_000
_ONES = np.uint64(2**64 - 1)
_NONE = np.uint64(0)


class Converter(ABC):
    """How one column, or one part of a nested one, is made plain."""

    type: pa.DataType
    """Of what `convert` returns; changes when the column widens."""
    note: str | None = None
    """Why it was widened, as "holds infinite dates"."""

    @abstractmethod
    def convert(self, array: pa.Array) -> pa.Array:
        """Return `array` as `type`, widening it first where a value needs that."""


class Plain(Converter):
    """Left as it is."""

    def __init__(self, type_: pa.DataType) -> None:
        self.type = type_

    def convert(self, array: pa.Array) -> pa.Array:
        """Return `array`."""
        return array


class Mapped(Converter):
    """One fixed type, by one function of the array."""

    def __init__(self, type_: pa.DataType, function: Callable[[pa.Array], pa.Array]) -> None:
        self.type = type_
        self._function = function

    def convert(self, array: pa.Array) -> pa.Array:
        """Return the function's result."""
        return self._function(array)


class HugeInteger(Converter):
    """HUGEINT and UHUGEINT: 64-bit integers while all values fit (a SUM of integers is a HUGEINT), then 39 digits."""

    def __init__(self, *, signed: bool) -> None:
        self.type = pa.int64() if signed else pa.uint64()
        self._signed = signed

    def convert(self, array: pa.Array) -> pa.Array:
        """Return 64-bit integers, or decimals from the first value on that needs more."""
        words, validity = words_of(array.storage, np.uint64, 2), validity_of(array.storage)
        low, high = words[:, 0], words[:, 1]
        if self.type != WIDE_INTEGER:
            if (high == self._sign_of(low))[array.storage.is_valid().to_numpy(zero_copy_only=False)].all():
                return fixed_width(self.type, low, validity)
            self.type, self.note = WIDE_INTEGER, "holds integers beyond 64 bits, so all of it is decimal"
        sign = self._sign_of(high)
        return fixed_width(WIDE_INTEGER, np.stack([low, high, sign, sign], axis=1), validity)

    def _sign_of(self, word: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Return what stands above `word` when it is the number's last: all ones below zero."""
        return np.where(self._signed & (word >> np.uint64(63) == 1), _ONES, _NONE)


class Temporal(Converter):
    """DATE and the TIMESTAMPs: text from the first value on that is infinite, before Christ or after the year 9999.

    Python has no dates there, and pandas and polars cannot show theirs, or can and fail as a value is taken out.
    """

    def __init__(self, type_: pa.DataType) -> None:
        self._given = type_
        self.type = self._source = self._shown(type_)
        self._integer = pa.int32() if pa.types.is_date(type_) else pa.int64()
        self._infinity = 2**31 - 1 if pa.types.is_date(type_) else 2**63 - 1
        self._first, self._end = usual(self._source)

    def _shown(self, type_: pa.DataType) -> pa.DataType:
        if pa.types.is_date(type_) or type_.tz is None or is_known(type_.tz):
            return type_
        self.note = f"is in UTC: only DuckDB knows the time zone {type_.tz!r}"
        return pa.timestamp(type_.unit, "UTC")

    def convert(self, array: pa.Array) -> pa.Array:
        """Return `array`, or its text once the column is widened."""
        raw = array.view(self._integer)
        if self.type == self._source:
            found = pc.min_max(raw)
            low, high = found["min"].as_py(), found["max"].as_py()
            if low is None or (low >= self._first and high < self._end):
                return array if self._source == self._given else array.cast(self._source)
            endless = low <= -self._infinity or high >= self._infinity
            what = "infinite dates" if endless else "dates before Christ or after the year 9999"
            self.type, self.note = TEXT, f"holds {what}, so all of it is text"
        above, below = (pc.fill_null(pc.equal(raw, end), False) for end in (self._infinity, -self._infinity))
        finite = pc.if_else(pc.or_(above, below), pa.scalar(None, self._integer), raw).view(self._source)
        text = pc.if_else(above, pa.scalar("infinity", TEXT), moments(finite))
        return pc.if_else(below, pa.scalar("-infinity", TEXT), text)


class TimeOfDay(Converter):
    """TIME and TIME_NS: text from the first 24:00:00 on, which no Arrow time can be, or from the first nanoseconds on.

    Python's times have none: pandas and polars drop them where a value is taken out, or fail.
    """

    def __init__(self, type_: pa.DataType) -> None:
        self.type = self._source = type_
        self._day = _DAY_US * (1000 if type_.unit == "ns" else 1)

    def convert(self, array: pa.Array) -> pa.Array:
        """Return `array`, or its text once the column is widened."""
        raw = array.view(pa.int64())
        if self.type == self._source:
            high = pc.max(raw).as_py()
            if high is None or (high < self._day and self._is_whole(raw)):
                return array
            what = "the time 24:00:00" if high >= self._day else "times with nanoseconds, which Python has not"
            self.type, self.note = TEXT, f"holds {what}, so all of it is text"
        midnight = pc.fill_null(pc.greater_equal(raw, self._day), False)
        usual = trimmed(pc.if_else(midnight, pa.scalar(None, array.type), array).cast(TEXT))
        return pc.if_else(midnight, pa.scalar("24:00:00", TEXT), usual)

    def _is_whole(self, raw: pa.Array) -> bool:
        """Return whether all times are microseconds."""
        if self._source.unit != "ns":
            return True
        return not pc.any(pc.not_equal(pc.multiply(pc.divide(raw, 1000), 1000), raw)).as_py()

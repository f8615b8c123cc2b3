"""From a column's text to Arrow, widening when a value comes that the Arrow type cannot hold.

A reader belongs to one column of one result and remembers what it has seen: `type` only ever widens, so batches that were
handed out before can be cast to it. What cannot be shown exactly becomes text, as the server writes it, and a note says so.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.postgresql.zones import arrow_zone, read_odd_offsets
from tusk_jupyter.errors import QueryError

_YEAR_1, _YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000
"""Their first microseconds, since 1970."""


class Reader:
    """Text as it comes; the base of all readers."""

    def __init__(self, type_: pa.DataType | None = None) -> None:
        """Begin with the type under which the first batch is tried."""
        self.type: pa.DataType = type_ or pa.string()
        self.note: str | None = None
        self.started = False
        """Whether a batch of this type has been handed out."""

    @property
    def csv_type(self) -> pa.DataType | None:
        """The type that pyarrow.csv may parse by itself, or None if the text must come through `read`."""
        return None

    def holds(self, parsed: pa.ChunkedArray) -> bool:
        """Return whether what pyarrow.csv parsed under `csv_type` may go out as it is."""
        return True

    def read(self, text: pa.StringArray) -> pa.Array:
        """Return the column's values; `type` is their type afterwards."""
        return text

    def widen(self, text: pa.StringArray, why: str) -> pa.Array:
        """Give up the type for text."""
        self.type, self.note = pa.string(), f"holds {why}; shown as text"
        return text


class PlainReader(Reader):
    """A type that Arrow parses by itself."""

    WHY = "values outside its Arrow type"

    @property
    def csv_type(self) -> pa.DataType | None:
        """The type itself, until the column has become text."""
        return None if self.type == pa.string() else self.type

    def read(self, text: pa.StringArray) -> pa.Array:
        """Cast, or widen."""
        if self.type == pa.string():
            return text
        try:
            return self.cast(text)
        except pa.ArrowInvalid:
            return self.widen(text, self.WHY)

    def cast(self, text: pa.StringArray) -> pa.Array:
        """Cast the text; raises ArrowInvalid for what the type cannot hold."""
        return pc.cast(text, self.type)


class BoolReader(PlainReader):
    """`t` and `f`."""

    def cast(self, text: pa.StringArray) -> pa.Array:
        """Compare."""
        return pc.equal(text, "t")


class DateReader(PlainReader):
    """Dates: infinity, BC and years beyond 9999 become text."""

    WHY = "dates that are infinite, before Christ or after the year 9999"


class TimestampReader(PlainReader):
    """Timestamps without zone."""

    WHY = "timestamps that are infinite, before Christ or after the year 9999"


class ZonedReader(TimestampReader):
    """Timestamps with zone: instants, shown in the session's zone, or in UTC where nobody else knows its name.

    In the last hours of 9999 by the zone's clock it may be the year 10000 in UTC, in the first of the year 1 the year
    before Christ; pandas and polars cannot show these either.
    """

    def __init__(self, zone: str) -> None:
        """Begin in the session's zone."""
        shown = arrow_zone(zone)
        super().__init__(pa.timestamp("us", tz=shown or "UTC"))
        if shown is None:
            self.note = f"is in UTC: only the server knows the time zone {zone!r}"

    def holds(self, parsed: pa.ChunkedArray) -> bool:
        """Return whether all instants are in the years 1 to 9999 of UTC too."""
        ends = pc.min_max(parsed.cast(pa.int64()))
        low, high = ends["min"].as_py(), ends["max"].as_py()
        return low is None or bool(low >= _YEAR_1 and high < _YEAR_10000)

    def cast(self, text: pa.StringArray) -> pa.Array:
        """Cast; local mean times have offsets with seconds (+00:53:28), which Arrow does not read."""
        try:
            found = pc.cast(text, self.type)
        except pa.ArrowInvalid:
            found = read_odd_offsets(text, self.type)
        if not self.holds(found):
            raise pa.ArrowInvalid("before the year 1 or after 9999 in UTC")
        return found


class TimeReader(PlainReader):
    """Times of day: 24:00:00 becomes text."""

    WHY = "the time 24:00:00"

    def cast(self, text: pa.StringArray) -> pa.Array:
        """Cast by way of a timestamp: Arrow has no direct cast."""
        day = pc.cast(pc.binary_join_element_wise("1970-01-01", text, " "), pa.timestamp("us"))
        return pc.cast(day, self.type)


_ESCAPED = re.compile(rb"\\(\\|[0-7]{3})")


class ByteaReader(Reader):
    r"""Bytes in hex form, `\x6869`; in the escape form, `hi\000`, once the statement itself has set that."""

    def __init__(self) -> None:
        """Begin as binary, and stay so."""
        super().__init__(pa.binary())

    def read(self, text: pa.StringArray) -> pa.Array:
        r"""Decode all values at once: the digits stand one behind the other in the buffer.

        Only the hex form begins with `\x`: in the other one, a backslash is two, or has digits behind.
        """
        if not pc.all(pc.starts_with(text, "\\x"), min_count=0).as_py():
            return pa.array([None if one is None else _bytes(one) for one in text.to_pylist()], pa.binary())
        digits = pc.utf8_slice_codeunits(text, 2)
        lengths = pc.fill_null(pc.divide(pc.binary_length(digits), 2), 0)
        data = bytes.fromhex("".join(part for part in digits.to_pylist() if part))
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(pc.cast(lengths, pa.int32()))])
        valid = digits.is_valid()
        bitmap = valid.buffers()[1] if digits.null_count else None
        return pa.Array.from_buffers(pa.binary(), len(text), [bitmap, offsets.buffers()[1], pa.py_buffer(data)])


def _bytes(value: str) -> bytes:
    if value.startswith("\\x"):
        return bytes.fromhex(value[2:])
    return _ESCAPED.sub(lambda found: b"\\" if found[1] == b"\\" else bytes([int(found[1], 8)]), value.encode())


def refuse_change(type_: pa.DataType, why: str) -> QueryError:
    """Return the error for a value that came too late to widen a type which no reader could cast to text."""
    return QueryError(
        f"A column of type {type_} holds {why}, which came after batches of that type had been handed out.",
        hint="Cast the column to text in the statement, as `column::text`.",
    )

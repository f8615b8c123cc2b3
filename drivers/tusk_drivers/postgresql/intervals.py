"""interval to Arrow's month_day_nano_interval, which keeps months, days and time apart as PostgreSQL does."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.postgresql.readers import Reader, refuse_change

_FORM = (
    r"^(?:(?P<years>[+-]?\d+) years? ?)?(?:(?P<months>[+-]?\d+) mons? ?)?(?:(?P<days>[+-]?\d+) days? ?)?"
    r"(?:(?P<sign>[+-]?)(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<fraction>\d+))?)?$"
)
"""IntervalStyle `postgres`, under which we read."""

_LARGEST_HOURS = 2_562_046
"""Arrow counts the time part in nanoseconds: 2,562,047 hours are the first that do not fit."""


class IntervalReader(Reader):
    """Intervals; infinite ones and those with more than 292 years of hours become text."""

    def __init__(self) -> None:
        """Begin as month_day_nano_interval."""
        super().__init__(pa.month_day_nano_interval())

    def read(self, text: pa.StringArray) -> pa.Array:
        """Take the parts out with one pattern and put them together as Arrow lays them out."""
        if self.type == pa.string() or not len(text):
            return text.cast(self.type) if self.type == pa.string() else pa.array([], self.type)
        parts = pc.extract_regex(text, _FORM)
        if parts.null_count > text.null_count:
            return self._give_up(text)
        hours = _number(parts, "hours")
        if (pc.max(hours).as_py() or 0) > _LARGEST_HOURS:
            return self._give_up(text)
        months = pc.add(pc.multiply(_number(parts, "years"), 12), _number(parts, "months"))
        return _assemble(text, months, _number(parts, "days"), _nanoseconds(parts, hours))

    def _give_up(self, text: pa.StringArray) -> pa.Array:
        why = "intervals that are infinite or have more than 292 years of hours"
        if self.started:
            raise refuse_change(self.type, why)
        return self.widen(text, why)


def _number(parts: pa.StructArray, name: str) -> pa.Array:
    found = pc.ascii_ltrim(parts.field(name), "+")
    return pc.cast(pc.if_else(pc.equal(found, ""), "0", found), pa.int64())


def _nanoseconds(parts: pa.StructArray, hours: pa.Array) -> pa.Array:
    minutes = pc.add(pc.multiply(hours, 60), _number(parts, "minutes"))
    seconds = pc.add(pc.multiply(minutes, 60), _number(parts, "seconds"))
    fraction = pc.cast(pc.utf8_rpad(parts.field("fraction"), 9, "0"), pa.int64())
    total = pc.add(pc.multiply(seconds, 1_000_000_000), fraction)
    return pc.if_else(pc.equal(parts.field("sign"), "-"), pc.negate(total), total)


def _assemble(text: pa.StringArray, months: pa.Array, days: pa.Array, nanoseconds: pa.Array) -> pa.Array:
    """Interleave the parts: two numbers of 32 bits and one of 64 for each interval."""
    values = bytearray(16 * len(text))
    short, long = memoryview(values).cast("i"), memoryview(values).cast("q")
    short[0::4], short[1::4] = _words(months, pa.int32(), "i"), _words(days, pa.int32(), "i")
    long[1::2] = _words(nanoseconds, pa.int64(), "q")
    bitmap = text.is_valid().buffers()[1] if text.null_count else None
    return pa.Array.from_buffers(pa.month_day_nano_interval(), len(text), [bitmap, pa.py_buffer(values)])


def _words(part: pa.Array, type_: pa.DataType, code: Literal["i", "q"]) -> memoryview[int]:
    """Return an array's numbers, with 0 for NULL, as memory of that format."""
    whole = pc.cast(pc.fill_null(part, 0), type_)
    return memoryview(whole.buffers()[1]).cast("b").cast(code)[whole.offset : whole.offset + len(whole)]

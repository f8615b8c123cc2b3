"""interval to Arrow's month_day_nano_interval, which keeps months, days and time apart as PostgreSQL does."""

from __future__ import annotations

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
    import numpy as np  # only a result with intervals needs it

    values = np.zeros(len(text), np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")]))
    for name, part in (("months", months), ("days", days), ("nanoseconds", nanoseconds)):
        values[name] = pc.fill_null(part, 0).to_numpy()
    bitmap = text.is_valid().buffers()[1] if text.null_count else None
    return pa.Array.from_buffers(pa.month_day_nano_interval(), len(text), [bitmap, pa.py_buffer(values)])

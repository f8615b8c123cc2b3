"""TIME as text, and dates and times of the binary protocol: what Arrow's casts do not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tusk_drivers.mysql.decode import Cells, array_of, little_endian

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ZERO = ord("0")
_US = 1_000_000
DAY_US = 86_400 * _US
YEAR_1 = -719_162
"""Its first day, in days since 1970."""


def durations(cells: Cells) -> pa.Array:
    """Return TIME values, '[-]H..HH:MM:SS[.ffffff]', as duration[us].

    Raises:
        pyarrow.ArrowInvalid: a value is none.
    """
    rows = np.flatnonzero(~cells.mask())
    values = np.zeros(len(cells), np.int64)
    sizes = (cells.ends - cells.starts)[rows]
    for size in np.unique(sizes).tolist():  # at most eleven sizes, mostly one
        some = rows[sizes == size]
        values[some] = _durations_of_size(cells.data[cells.starts[some][:, None] + np.arange(size)], size)
    return _masked(values, cells, pa.duration("us"))


def _durations_of_size(text: NDArray[np.uint8], size: int) -> NDArray[np.int64]:
    """Read an array of shape (rows, size); the sign may differ from row to row, the fraction's length may not."""
    dots = np.flatnonzero(text[0] == ord("."))
    whole = int(dots[0]) if dots.size else size
    negative = text[:, 0] == ord("-")
    digits = text.astype(np.int64) - _ZERO
    digits[negative, 0] = 0
    places = [at for at in range(size) if at not in (whole, whole - 3, whole - 6)]
    separators_fit = (text[:, [whole - 3, whole - 6]] == ord(":")).all() and (
        text[:, whole : whole + 1] == ord(".")
    ).all()
    if whole < 7 or not separators_fit or (digits[:, places] < 0).any() or (digits[:, places] > 9).any():
        raise pa.ArrowInvalid("a TIME value could not be read")
    seconds = (
        _number(digits[:, : whole - 6]) * 3600
        + _number(digits[:, whole - 5 : whole - 3]) * 60
        + _number(digits[:, whole - 2 : whole])
    )
    fraction = _number(digits[:, whole + 1 :]) * 10 ** (6 - max(size - whole - 1, 0))
    found: NDArray[np.int64] = np.where(negative, -1, 1) * (seconds * _US + fraction)
    return found


def _number(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    total = np.zeros(len(digits), np.int64)
    for column in digits.T:
        total = total * 10 + column
    return total


def binary_dates(cells: Cells) -> pa.Array:
    """Return DATE values of the binary protocol as date32.

    Raises:
        pyarrow.ArrowInvalid: a value is no day of the calendar.
    """
    days = _days(cells)
    return _masked(days.astype(np.int32), cells, pa.date32())


def binary_datetimes(cells: Cells) -> pa.Array:
    """Return DATETIME and TIMESTAMP values of the binary protocol as timestamp[us].

    Raises:
        pyarrow.ArrowInvalid: a value is no day of the calendar.
    """
    sizes = cells.ends - cells.starts
    values = _days(cells) * DAY_US
    for place, factor in ((4, 3600), (5, 60), (6, 1)):
        values += np.where(sizes >= 7, cells.data[cells.starts + place].astype(np.int64), 0) * (factor * _US)
    values += np.where(sizes >= 11, little_endian(cells.data, cells.starts + 7, 4), 0)
    return _masked(values, cells, pa.timestamp("us"))


def binary_durations(cells: Cells) -> pa.Array:
    """Return TIME values of the binary protocol as duration[us]; an empty value is 00:00:00."""
    sizes, at, data = cells.ends - cells.starts, cells.starts, cells.data
    values = little_endian(data, at + 1, 4) * DAY_US
    for place, factor in ((5, 3600), (6, 60), (7, 1)):
        values += data[at + place].astype(np.int64) * (factor * _US)
    values += np.where(sizes >= 12, little_endian(data, at + 8, 4), 0)
    values = np.where(sizes >= 8, np.where(data[at] == 1, -values, values), 0)
    return _masked(values, cells, pa.duration("us"))


def _days(cells: Cells) -> NDArray[np.int64]:
    """Days since 1970-01-01 of values that begin with a year, a month and a day."""
    there = ~cells.mask()
    year = np.where(there, little_endian(cells.data, cells.starts, 2), 1970)
    month = np.where(there, cells.data[cells.starts + 2].astype(np.int64), 1)
    day = np.where(there, cells.data[cells.starts + 3].astype(np.int64), 1)
    is_date = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    if ((cells.ends - cells.starts)[there] < 4).any() or not is_date.all():
        raise pa.ArrowInvalid("a zero date, or one in the year 0000")
    months = (year - 1970) * 12 + month - 1
    first, following = (
        m.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for m in (months, months + 1)
    )
    if (day > following - first).any():
        raise pa.ArrowInvalid("a day beyond its month")
    days: NDArray[np.int64] = first + day - 1
    return days


def binary_datetime_text(cells: Cells, *, decimals: int, dates: bool) -> list[str | None]:
    """Return dates or datetimes of the binary protocol as the server would write them; for columns with zero dates."""
    found: list[str | None] = []
    raw, mask = cells.data.tobytes(), cells.mask()
    for row, (start, end) in enumerate(zip(cells.starts.tolist(), cells.ends.tolist(), strict=True)):
        part = raw[start:end].ljust(11, b"\0")
        day = f"{int.from_bytes(part[:2], 'little'):04}-{part[2]:02}-{part[3]:02}"
        fraction = f".{int.from_bytes(part[7:11], 'little'):06}"[: decimals + 1 if decimals else 0]
        time = "" if dates else f" {part[4]:02}:{part[5]:02}:{part[6]:02}{fraction}"
        found.append(None if mask[row] else day + time)
    return found


def _masked(values: NDArray[Any], cells: Cells, kind: pa.DataType) -> pa.Array:
    return array_of(values, kind, cells.nulls)

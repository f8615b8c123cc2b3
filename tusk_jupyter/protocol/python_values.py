"""Values of Python, numpy and pandas, reduced to the plain Python types that a parameter may have.

A value counts by what it holds, not by how its class shows it: a member of an Enum is its `value`, and a subclass of str, int,
float, datetime and so on is what its base holds, whatever `__str__` or `isoformat` it has. What has no exact plain value is
refused.
"""

from __future__ import annotations

import enum
import json
import re
from collections import deque
from collections.abc import Callable, Set, ValuesView
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.column_items import items_of

_EPOCH = datetime(1970, 1, 1)
_UNIT = re.compile(r"\[\d*(\w+)\]")
_FINER = frozenset({"ns", "ps", "fs", "as"})
"""numpy's units of time that are finer than what `datetime` holds."""
_BITS = 14_000
"""About 4,200 digits; Python writes no more than 4,300: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits"""
_WRITE = "Write it as text and cast it in the SQL."


class NanoDatetime(datetime):
    """A moment with nanoseconds, of which `datetime` has room for the thousands."""

    nanosecond: int
    """What lies between two microseconds: 0 to 999."""

    @classmethod
    def of(cls, whole: datetime, nanosecond: int) -> Self:
        """Return a moment so many nanoseconds behind `whole`."""
        moment = cls.combine(whole.date(), whole.timetz())
        moment.nanosecond = nanosecond
        return moment

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """Return ISO 8601 with nine digits of a second."""
        whole = super().isoformat(sep, "microseconds" if timespec == "auto" else timespec)
        end = len("2024-03-01T00:00:00.000000")
        return f"{whole[:end]}{self.nanosecond:03d}{whole[end:]}"


def read_datetime(text: str) -> datetime:
    """Return the moment of an ISO 8601 text with up to nine digits of a second.

    Raises:
        ValueError: it is none.
    """
    whole, point, fraction = text.partition(".")
    digits = re.match(r"\d{7,9}", fraction)
    if not point or digits is None:
        return datetime.fromisoformat(text)
    moment = datetime.fromisoformat(f"{whole}.{fraction[:6]}{fraction[digits.end() :]}")
    return NanoDatetime.of(moment, int(digits[0][6:].ljust(3, "0")))


def plain(value: object) -> object:
    """Return a value as None, bool, int, float, str, bytes, Decimal, datetime, date, time, timedelta, UUID, list or dict.

    Lists are plain all through; a dict is left as it is: `json_text` reads it.

    Raises:
        UsageError: no such value is exactly this one.
        RecursionError: lists are nested too deeply.
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return None
    if isinstance(value, enum.Enum):
        return plain(value.value)
    library = type(value).__module__.partition(".")[0]
    if library == "numpy":
        return _of_numpy(value)
    if type(value).__name__ == "MonthDayNano":  # a tuple
        raise UsageError(
            f"A parameter cannot be of type {type(value).__name__}: its months have no number of days.",
            hint="Send a timedelta, or an interval as text (`'14 months 3 days'`) and cast it in the SQL.",
        )
    for kind, reduce in _PLAIN:
        if isinstance(value, kind):
            return reduce(value)
    if library == "pandas" and hasattr(value, "tolist") and type(value).__name__ != "MultiIndex":
        return _of_pandas(value)
    items = items_of(value)
    if items is not None:
        return _list(items)
    raise UsageError(
        f"A parameter cannot be of type {type(value).__name__}.",
        hint="Use None, bool, int, float, str, bytes, Decimal, date, time, datetime, timedelta, UUID, list or dict.",
    )


def json_text(value: dict[Any, Any]) -> str:
    """Return a dict as JSON; dates and UUIDs in it become their text.

    Raises:
        UsageError: JSON has no such value.
        RecursionError: it is nested too deeply.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_in_json)
        _check_keys(value)
        return _str(text)
    except (TypeError, ValueError) as exc:
        raise UsageError(
            f"A dict is sent as JSON, and this one cannot be: {exc}.", hint="Send it as text of your own."
        ) from exc


def _check_keys(value: object) -> None:
    """Refuse keys that JSON, whose keys are texts, would make one of: `{1: "a", "1": "b"}`."""
    if isinstance(value, dict):
        if len({key if isinstance(key, str) else json.dumps(key) for key in value}) < len(value):
            raise ValueError("two of its keys are the same text")
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for item in value:
        _check_keys(item)


def _in_json(value: object) -> object:
    found = plain(value)
    if isinstance(found, date | time):
        return found.isoformat()
    if isinstance(found, UUID):
        return str(found)
    if isinstance(found, bytes | Decimal | timedelta):
        raise UsageError(
            f"A dict is sent as JSON, which has no {type(value).__name__} ({value}).",
            hint="Put it in as `str(value)` or as another number.",
        )
    return found


def _list(values: Any) -> list[object]:  # noqa: ANN401  # anything that can be iterated over
    return [plain(item) for item in values]


def _int(value: int) -> int:
    if value.bit_length() > _BITS:
        raise UsageError(
            "An integer of more than 4,200 digits cannot be sent: no engine has such numbers.", hint="Send it as text."
        )
    return int.__int__(value)


def _str(value: str) -> str:
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise UsageError(
            f"The text holds a character that is no Unicode text (at {exc.start}: {text[exc.start]!a}).",
            hint="It is half of a character, as `errors='surrogateescape'` leaves it; send bytes, or text that was read right.",
        ) from exc
    return text


def _datetime(value: datetime) -> datetime:
    if not 1 <= value.year <= 9999:  # pandas has such
        raise _beyond(value)
    whole = datetime.combine(date(value.year, value.month, value.day), _time(value.timetz()))
    nanosecond = int(getattr(value, "nanosecond", 0))
    return NanoDatetime.of(whole, nanosecond) if nanosecond else whole


def _time_of_day(value: time) -> time:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise UsageError(
            f"The time {value} has the zone {value.tzinfo}, whose offset depends on the day.",
            hint="Send a datetime, or a time with a fixed offset (`datetime.timezone`) or without a zone.",
        )
    return _time(value)


def _time(value: time) -> time:
    return time(value.hour, value.minute, value.second, value.microsecond, value.tzinfo, fold=value.fold)


def _timedelta(value: timedelta) -> timedelta:
    if getattr(value, "nanoseconds", 0):
        raise _too_fine(value)
    return timedelta(value.days, value.seconds, value.microseconds)


_PLAIN: tuple[tuple[Any, Callable[[Any], object]], ...] = (  # datetime is a date, bool an int
    (bool, bool),
    (int, _int),
    (float, float.__float__),
    (str, _str),
    ((bytes, bytearray, memoryview), lambda value: memoryview(value).tobytes()),
    (Decimal, lambda value: Decimal(Decimal.__str__(value))),
    (datetime, _datetime),
    (date, lambda value: date(value.year, value.month, value.day)),
    (time, _time_of_day),
    (timedelta, _timedelta),
    (UUID, lambda value: UUID(int=value.int)),
    ((list, tuple, Set, range, ValuesView, deque), _list),
    (dict, lambda value: value),
)


def _of_pandas(value: Any) -> list[object]:  # noqa: ANN401  # a Series, an Index or an array
    if hasattr(value.dtype, "pyarrow_dtype"):  # its own items have no nanoseconds of a time of day
        return _list(items_of(getattr(value, "array", value).__arrow_array__()) or ())
    items, kind = value.tolist(), getattr(value.dtype, "kind", "O")
    if kind == "f":
        return _list(items)
    return [None if missing else plain(item) for item, missing in zip(items, value.isna(), strict=True)]


# --- numpy, which is not imported for it ---


def _of_numpy(value: Any) -> object:  # noqa: ANN401  # a scalar or an array
    if getattr(value, "ndim", 0):
        return _list(value)
    if hasattr(value, "filled"):  # a masked array without dimensions
        return plain(value.item()) if not value.mask.any() else None
    kind = value.dtype.kind
    if kind in "cV":
        raise UsageError(f"A parameter cannot be of type {type(value).__name__}.", hint="Send its parts one by one.")
    if kind == "M":
        return _moment(value[()])
    if kind == "m":
        return _length(value[()])
    found = value.item()
    if kind == "f" and type(found) is not float:  # longdouble
        found = float(value)
        if found != value and value == value:  # else NaN
            raise UsageError(
                f"The value {value} has more digits than a float.", hint="Send `float(value)` or a Decimal."
            )
    return plain(found)


def _moment(value: Any) -> date | datetime | None:  # noqa: ANN401  # a datetime64
    """Return a datetime64: a date for units from days on, else a moment."""
    if str(value) == "NaT":
        return None
    if _unit(value) not in _FINER:
        if not 1 <= int(value.astype("datetime64[Y]").astype("int64")) + _EPOCH.year <= 9999:
            raise _beyond(value)
        found: date | datetime = value.astype("datetime64[D]" if _unit(value) in "YMWD" else "datetime64[us]").item()
        return found
    microseconds, nanosecond = divmod(_nanoseconds(value, "datetime64[ns]"), 1000)
    whole = _EPOCH + timedelta(microseconds=microseconds)
    return NanoDatetime.of(whole, nanosecond) if nanosecond else whole


def _length(value: Any) -> timedelta | None:  # noqa: ANN401  # a timedelta64
    if str(value) == "NaT":
        return None
    if _unit(value) in _FINER:
        microseconds, nanosecond = divmod(_nanoseconds(value, "timedelta64[ns]"), 1000)
        if nanosecond:
            raise _too_fine(value)
        return timedelta(microseconds=microseconds)
    found = value.item()
    if not isinstance(found, timedelta):
        raise UsageError(
            f"The value {value} has no fixed length, or is longer than SQL's intervals.",
            hint="Months and years have no number of days; send an interval as text and cast it in the SQL.",
        )
    return found


def _unit(value: Any) -> str:  # noqa: ANN401  # of numpy
    found = _UNIT.search(value.dtype.name)
    return found[1] if found else ""


def _nanoseconds(value: Any, name: str) -> int:  # noqa: ANN401  # of numpy
    found = value.astype(name)
    if found != value:
        raise _too_fine(value)
    return int(found.astype("int64"))


def _beyond(value: object) -> UsageError:
    return UsageError(
        f"The value {value} lies outside of the years 1 to 9999, which a parameter can have.", hint=_WRITE
    )


def _too_fine(value: object) -> UsageError:
    return UsageError(
        f"The value {value} is finer than what SQL's types of time hold.",
        hint="Round it first, as `value.round('us')` of pandas does, or write it as text and cast it in the SQL.",
    )

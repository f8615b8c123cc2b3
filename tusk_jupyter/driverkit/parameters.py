"""What a driver's session may be given as parameters: values that its engine would change are refused before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time

from tusk_jupyter.driverkit.session import Session
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.python_values import NanoDatetime


def check_nanoseconds(parameters: Mapping[str, object], session: Session, engine: str) -> None:
    """Refuse moments that are finer than what the session's engine keeps.

    Raises:
        UsageError: there is one; names it.
    """
    if session.keeps_nanoseconds:
        return
    for name, value in parameters.items():
        for item in all_in(value):
            if isinstance(item, NanoDatetime):
                raise UsageError(
                    f"The value of :{name} has nanoseconds ({item.isoformat(' ')}), and {engine} keeps microseconds.",
                    hint="Round it first (`value.round('us')` in pandas, `.astype('datetime64[us]')` in numpy).",
                )


def mixes_zones(value: object) -> bool:
    """Return whether a list has moments, or times of day, of which some have a zone and some have none: no array has both."""
    zoned = {
        (isinstance(one, datetime), one.tzinfo is not None) for one in all_in(value) if isinstance(one, datetime | time)
    }
    return len(zoned) > len({kind for kind, _ in zoned})


def all_in(value: object) -> Iterator[object]:
    """Yield a value, or those of a list of lists."""
    if isinstance(value, list):
        for item in value:
            yield from all_in(item)
    else:
        yield value

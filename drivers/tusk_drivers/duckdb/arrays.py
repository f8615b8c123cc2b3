"""Lists and dicts as values of DuckDB: its Python library makes one type of several items in silence, which changes some."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from tusk_jupyter.driverkit.parameters import all_in, mixes_zones
from tusk_jupyter.errors import UsageError

_DIGITS = 38
_NUMBERS = (bool, int, float, Decimal)


def is_map(value: dict[str, Any]) -> bool:
    """Return whether DuckDB's library takes a dict for a MAP, which it is not."""
    return list(value) == ["key", "value"] and all(isinstance(part, list) for part in value.values())


def check_array(name: str, value: object) -> None:
    """Refuse a list or a dict of which DuckDB would change a part.

    Raises:
        UsageError: there is one.
    """
    for why in _changed(value, top=True):
        raise UsageError(
            f"The value of :{name} {why}.",
            hint=f"Convert its parts to one type first, or send `json.dumps({name})` and cast it: `:{name}::JSON`. "
            f"In `IN (:{name})` a list may mix types.",
        )


def _changed(value: object, *, top: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        if "" in value:
            yield "is a dict with an empty key, and a field of a STRUCT has a name"
        if not top and is_map(value):
            yield "has a dict of two lists named key and value in it, which DuckDB takes for a MAP"
        for part in value.values():
            yield from _changed(part)
    elif isinstance(value, list):
        yield from _mixed([item for item in all_in(value) if item is not None], value)


def _mixed(items: list[Any], value: list[Any]) -> Iterator[str]:
    if len({isinstance(item, list) for item in value if item is not None}) > 1:
        yield "is a list of lists beside single items"
    dicts = [item for item in items if isinstance(item, dict)]
    if any(item.keys() != dicts[0].keys() for item in dicts):
        yield "is a list of dicts with other keys"
    for item in dicts:
        yield from _changed(item)
    families = {_family(item) for item in items}
    if len(families) > 1:
        yield f"is a list with items of several types ({', '.join(sorted(families))})"
    if mixes_zones(items):
        yield "is a list with and without time zones"
    if families == {"number"}:
        yield from _lost(items)


def _family(item: object) -> str:
    if isinstance(item, _NUMBERS):
        return "number"
    return "date" if isinstance(item, date | datetime) else "time" if isinstance(item, time) else type(item).__name__


def _lost(numbers: list[Any]) -> Iterator[str]:
    """Yield what the one type of all numbers would change."""
    if any(type(item) is float for item in numbers):
        for item in numbers:
            if isinstance(item, int | Decimal) and Decimal(repr(float(item))) != item:
                yield f"is a list of floats and {item}, which no float equals"
        return
    parts = [item.as_tuple() for item in numbers if isinstance(item, Decimal) and item.is_finite()]
    parts += [Decimal(item).as_tuple() for item in numbers if isinstance(item, int)] if parts else []
    scale = max((-int(one.exponent) for one in parts), default=0)
    whole = max((len(one.digits) + int(one.exponent) for one in parts), default=0)
    if max(scale, 0) + max(whole, 0) > _DIGITS:
        yield f"is a list of decimals that need more than {_DIGITS} digits together"

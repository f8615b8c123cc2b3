"""A statement's values as SQLite binds them.

What it has no type for becomes the text that its functions read, or is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from tusk_jupyter import errors
from tusk_jupyter.sqltext.statements import Statement

_CONVERTERS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (datetime, lambda value: value.isoformat(" ")),  # before date, which it is too
    (date, lambda value: value.isoformat()),
    (time, lambda value: value.isoformat()),
    (Decimal, str),
    (UUID, str),
    (bool, int),
)
_PLAIN = (int, float, str, bytes, type(None))


def bound(statement: Statement, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the values of the statement's own placeholders.

    Raises:
        UsageError: a value is missing, or SQLite cannot hold it as it is.
    """
    for name in statement.parameters:
        if name not in parameters:
            raise errors.UsageError(f"There is no value for :{name}.", hint=f"Give it with `--param {name}=VALUE`.")
    return {name: _plain(name, parameters[name]) for name in statement.parameters}


def _plain(name: str, value: object) -> object:
    for kind, convert in _CONVERTERS:
        if isinstance(value, kind):
            return convert(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=lambda item: _plain(name, item))
    if isinstance(value, float) and math.isnan(value):
        raise errors.UsageError(
            f"The parameter :{name} is NaN, which SQLite does not have.", hint="Pass None for NULL."
        )
    if not isinstance(value, _PLAIN):
        raise errors.UsageError(
            f"The parameter :{name} is a {type(value).__name__}, which SQLite does not have.",
            hint="Pass a number or text.",
        )
    return value

"""A statement's values, as DuckDB binds them; what it would silently make a float of is refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import duckdb

from tusk_jupyter import errors
from tusk_jupyter.protocol.python_values import NanoDatetime
from tusk_jupyter.sqltext.statements import Statement

_DECIMAL_DIGITS = 38


def bound(statement: Statement, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the values of the statement's own placeholders: DuckDB refuses to be given more.

    Raises:
        UsageError: a value is missing, or is a decimal that DuckDB has no type for.
    """
    for name in statement.parameters:
        if name not in parameters:
            raise errors.UsageError(f"There is no value for :{name}.", hint=f"Give it with `--param {name}=VALUE`.")
        _check(name, parameters[name])
    return {name: _sent(parameters[name]) for name in statement.parameters}


def _sent(value: object) -> object:
    """Return a value as DuckDB takes it: `datetime` has no room for nanoseconds, its TIMESTAMP_NS has."""
    if isinstance(value, list):
        return [_sent(item) for item in value]
    if isinstance(value, NanoDatetime):
        return duckdb.Value(value.isoformat(" "), duckdb.sqltypes.TIMESTAMP_NS)
    return value


def _check(name: str, value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _check(name, item)
    if isinstance(value, NanoDatetime) and value.tzinfo is not None:
        raise errors.UsageError(
            f"The value of :{name} has nanoseconds ({value.isoformat(' ')}), and DuckDB's TIMESTAMPTZ keeps microseconds.",
            hint="Round it first (`value.round('us')` in pandas), or give it without its zone.",
        )
    if isinstance(value, Decimal) and not _fits(value):
        raise errors.UsageError(
            f"The parameter :{name} is {value}; a DuckDB DECIMAL is finite and has at most {_DECIMAL_DIGITS} digits.",
            hint="Pass a float if an approximation will do, or text to be cast in the SQL.",
        )


def _fits(value: Decimal) -> bool:
    """Whether the digits before and behind the point are no more than a DECIMAL has."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # NaN and the infinities have a letter here
        return False
    return max(len(digits) + max(exponent, 0), -exponent) <= _DECIMAL_DIGITS

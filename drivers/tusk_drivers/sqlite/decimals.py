"""Decimals in SQLite, which has none: numbers where these are exact, text where digits would be lost.

A decimal of up to 15 digits comes back from its nearest double (DBL_DIG), an integer of up to 64 bits is one. So such
columns compare, sort and add up as numbers, and are read as the decimals they were. They are declared DEC(p,s), which SQLite
treats as NUMERIC: what others declare as DECIMAL holds whatever doubles they computed, and is read as such.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

DIGITS = 15
_INTEGERS = range(-(2**63), 2**63)
_DECLARED = re.compile(r"DEC\((\d{1,2}), ?(\d{1,2})\)", re.IGNORECASE)


def declared_type(kind: pa.DataType) -> str:
    """Return what to declare for a column of decimals whose values all fit; TEXT where the type has no such form."""
    precision, scale = kind.precision, kind.scale
    if scale < 0:
        precision, scale = precision - scale, 0
    return f"DEC({precision},{scale})" if precision <= 38 else "TEXT"


def type_of(declared: str) -> pa.DataType | None:
    """Return the type of a column that was declared by `declared_type`."""
    match = _DECLARED.fullmatch(declared.strip())
    precision, scale = (int(match[1]), int(match[2])) if match else (0, 0)
    return pa.decimal128(precision, scale) if 0 < precision <= 38 and scale <= precision else None


def always_fits(kind: pa.DataType) -> bool:
    """Return whether every value of a type is exact as a number."""
    return bool(kind.precision <= DIGITS)


def fits(value: Decimal | None) -> bool:
    """Return whether a value is exact as a number of SQLite's."""
    if value is None:
        return True
    return len(value.normalize().as_tuple().digits) <= DIGITS or (value == int(value) and int(value) in _INTEGERS)


def number(value: Decimal | None) -> int | float | None:
    """Return a value that fits as the number to bind."""
    if value is None:
        return None
    whole = int(value)
    return whole if value == whole and whole in _INTEGERS else float(value)


def read(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return integers and doubles as the decimals that they stand for.

    Raises:
        ArrowInvalid: one has more digits than the type, or is none.
    """
    try:
        return pa.array([None if value is None else Decimal(repr(value)) for value in values], kind)
    except InvalidOperation as exc:
        raise pa.ArrowInvalid("no decimal") from exc

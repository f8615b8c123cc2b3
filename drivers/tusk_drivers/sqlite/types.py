"""What a column begins as, by its declared type. TYPES.md is the table for readers.

SQLite takes any value in any column, so this is only where a column starts: `columns.Column` looks at every value and
leaves a type that one of them does not fit.
"""

from __future__ import annotations

import enum
import re

import pyarrow as pa

from tusk_drivers.sqlite import decimals

TEXT = pa.large_string()
"""64-bit offsets, as pandas' own text has."""


class Kind(enum.Enum):
    """What a column holds; each one's Arrow type."""

    NULL = pa.null()
    """Nothing but NULL so far, and nothing declared."""
    BOOL = pa.bool_()
    INTEGER = pa.int64()
    REAL = pa.float64()
    DECIMAL = pa.decimal128(38, 0)
    """What `--persist` declares for decimals; precision and scale are the column's own."""
    DATE = pa.date32()
    DATETIME = pa.timestamp("us")
    TEXT = TEXT
    BINARY = pa.large_binary()


_RULES: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"BOOL(EAN)?", Kind.BOOL),
        (r"DATE", Kind.DATE),
        (r"(DATETIME|TIMESTAMP)( WITHOUT TIME ZONE)?(\(\d\))?", Kind.DATETIME),
        (r".*INT.*", Kind.INTEGER),
        (r".*(CHAR|CLOB|TEXT).*|JSON|UUID|TIME", Kind.TEXT),
        (r".*BLOB.*", Kind.BINARY),
        (r".*(REAL|FLOA|DOUB).*|(DECIMAL|NUMERIC)(\(\d+, ?[1-9]\d*\))", Kind.REAL),
    )
)
"""First match wins; what is not here (NUMERIC without digits, TIMESTAMP WITH TIME ZONE, nothing) goes by its values."""


def kind_for(declared: str) -> Kind:
    """Return the kind a column of this declared type begins as."""
    text = " ".join(declared.upper().split())
    if decimals.type_of(text) is not None:
        return Kind.DECIMAL
    return next((kind for pattern, kind in _RULES if pattern.fullmatch(text)), Kind.NULL)

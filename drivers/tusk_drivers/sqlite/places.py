"""What the columns of a SQLite table keep as it is, from their affinity.

https://sqlite.org/datatype3.html#type_affinity
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from tusk_drivers.sqlite.catalog import quoted
from tusk_jupyter.driverkit.fits import Place, filled_notes, fitted, integers
from tusk_jupyter.driverkit.upload_columns import JSON, extension, is_text, refused

_AS_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?\s*", re.IGNORECASE | re.ASCII)
"""Text that SQLite turns into a number where a column wants numbers."""
_NUMBERS = "is the number of the row, and SQLite puts the next one in the place of NULL"


def places(connection: sqlite3.Connection, table: Sequence[str]) -> dict[str, str]:
    """Return what each column of a table is declared as, by its name in lower case."""
    *schema, name = table
    before = f"{quoted(*schema)}." if schema else ""
    found = connection.execute(f"PRAGMA {before}table_xinfo({quoted(name)})").fetchall()
    return {str(row[1]).lower(): str(row[2]) for row in found}


def numbering(connection: sqlite3.Connection, table: Sequence[str]) -> str | None:
    """Return the column that is the number of the row, in lower case: NULL in it becomes the next number."""
    *schema, name = table
    before = f"{quoted(*schema)}." if schema else ""
    found = connection.execute(f"PRAGMA {before}table_xinfo({quoted(name)})").fetchall()
    keys = [(str(row[1]).lower(), str(row[2]).upper()) for row in found if row[5]]
    return keys[0][0] if len(keys) == 1 and keys[0][1] == "INTEGER" else None


def affinity(declared: str) -> str:
    """Return the affinity of a column."""
    kind = declared.upper()
    for words, found in _WORDS:
        if any(word in kind for word in words):
            return found
    return "NUMERIC" if kind else "BLOB"


_WORDS = (
    (("INT",), "INTEGER"),
    (("CHAR", "CLOB", "TEXT"), "TEXT"),
    (("BLOB",), "BLOB"),
    (("REAL", "FLOA", "DOUB"), "REAL"),
)


def kept(
    reader: pa.RecordBatchReader, declared: Mapping[str, str], numbering: str | None, notes: list[str]
) -> pa.RecordBatchReader:
    """Return the same rows as the columns keep them.

    Args:
        reader: the rows.
        declared: what each column is declared as, by its name in lower case.
        numbering: the column that is the number of the row.
        notes: takes what is told of the rows when they have been read.

    Raises:
        UsageError: when it is read: a value would be changed.
    """
    chosen: dict[str, Place] = {}
    numeric: dict[str, str] = {}
    for field in reader.schema:
        type_ = declared.get(field.name.lower())
        if type_ is None:
            continue
        wants, kind = affinity(type_), field.type
        if field.name.lower() == numbering:
            chosen[field.name] = replace(integers(type_, 64), fills=_NUMBERS)
        elif wants == "TEXT" and _has_text(kind):
            chosen[field.name] = Place(type=type_, kind="text")
        elif wants == "INTEGER" and is_text(kind):
            chosen[field.name] = integers(type_, 64)
        elif wants == "REAL" and (is_text(kind) or pa.types.is_integer(kind)):
            chosen[field.name] = Place(type=type_, kind="float")
        elif wants == "NUMERIC" and (is_text(kind) or extension(kind) == JSON):
            numeric[field.name] = type_
    filled: Counter[str] = Counter()
    fits = fitted(reader, chosen, "SQLite", filled=filled)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from _no_numbers(fits, numeric)
        notes.extend(filled_notes(chosen, filled))

    return pa.RecordBatchReader.from_batches(fits.schema, batches())


def _has_text(kind: pa.DataType) -> bool:
    """Return whether values of a type become text in a column of text, where SQLite's own text may be another one."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _no_numbers(reader: pa.RecordBatchReader, numeric: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows, and refuse text that would become a number."""
    for batch in reader:
        for name, type_ in numeric.items():
            column = batch.column(name)
            values = (column.storage if extension(column.type) == JSON else column).to_pylist()
            odd = next((value for value in values if value is not None and _AS_NUMBER.fullmatch(value)), None)
            if odd is not None:
                raise refused(
                    name,
                    f"the text {odd!r}",
                    f"a column of type {type_}, which makes a number of it,",
                    way="Append to a TEXT column, or turn the column into numbers first.",
                )
        yield batch

"""The columns of a result: what the server describes, and a reader for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from tusk_drivers.postgresql import readers
from tusk_drivers.postgresql.arrays import ArrayReader
from tusk_drivers.postgresql.decimals import NumericReader
from tusk_drivers.postgresql.intervals import IntervalReader
from tusk_drivers.postgresql.types import BY_ARRAY_OID, BY_OID, Form, PgType, Setting, numeric_scale, type_name

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from tusk_drivers.postgresql.catalog_types import TypeNames

_PLAIN = {
    "bool": readers.BoolReader,
    "date32": readers.DateReader,
    "time64[us]": readers.TimeReader,
    "timestamp[us]": readers.TimestampReader,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a result."""

    name: str
    type_name: str
    reader: readers.Reader
    settings: frozenset[Setting]
    """Server settings that its text depends on."""


def columns_of(described: PGresult, *, zone: str, names: TypeNames) -> tuple[Column, ...]:
    """Return the columns that a described statement or a result has.

    Args:
        described: from Describe, or the first rows.
        zone: the session's TimeZone.
        names: looks up types that are not in the table.
    """
    found = range(described.nfields)
    foreign = [oid for oid in map(described.ftype, found) if oid not in BY_OID and oid not in BY_ARRAY_OID]
    known = names.look_up(foreign) if foreign else {}
    return tuple(
        _column(
            (described.fname(index) or b"").decode("utf-8", "replace"),
            described.ftype(index),
            described.fmod(index),
            zone,
            known.get(described.ftype(index)),
        )
        for index in found
    )


def _column(name: str, oid: int, modifier: int, zone: str, foreign: PgType | None) -> Column:
    if entry := BY_OID.get(oid):
        reader, shown = reader_of(entry, modifier, zone), type_name(entry.name, oid, modifier)
    elif entry := BY_ARRAY_OID.get(oid) or (foreign if foreign and foreign.array_oid == oid else None):
        reader = ArrayReader(reader_of(entry, modifier, zone), entry.delimiter)
        shown = f"{type_name(entry.name, entry.oid, modifier)}[]"
    else:
        entry, reader, shown = foreign, readers.Reader(), foreign.name if foreign else f"type {oid}"
    # A composite or a range of one's own may hold anything, so its text may depend on everything.
    needs = frozenset([entry.setting] if entry and entry.setting else ())
    if entry is None or entry.oid not in BY_OID:
        needs = frozenset(Setting)
    return Column(name=name, type_name=shown, reader=reader, settings=needs)


def reader_of(entry: PgType, modifier: int, zone: str) -> readers.Reader:
    """Return a new reader for a type."""
    if entry.form is Form.NUMERIC:
        return NumericReader(numeric_scale(modifier))
    if entry.form is Form.BYTEA:
        return readers.ByteaReader()
    if entry.form is Form.INTERVAL:
        return IntervalReader()
    if entry.form is Form.TEXT:
        return readers.Reader()
    if entry.arrow == "timestamp[us, tz]":
        return readers.ZonedReader(zone)
    return _PLAIN.get(entry.arrow, readers.PlainReader)(pa.type_for_alias(entry.arrow))


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema as the readers have it now."""
    return pa.schema([pa.field(column.name, column.reader.type) for column in columns])


def batch_of(columns: Sequence[Column], texts: Sequence[pa.Array]) -> pa.RecordBatch:
    """Return a batch from each column's text; arrays that are no text have been parsed already."""
    arrays = [
        column.reader.read(text) if text.type == pa.string() else text
        for column, text in zip(columns, texts, strict=True)
    ]
    return as_batch(columns, arrays)


def as_batch(columns: Sequence[Column], arrays: Sequence[pa.Array]) -> pa.RecordBatch:
    """Return a batch of finished arrays, and let the readers know that it goes out."""
    for column in columns:
        column.reader.started = True
    return pa.RecordBatch.from_arrays(list(arrays), schema=schema_of(columns))


def notes_of(columns: Sequence[Column], changed: Mapping[Setting, str] = MappingProxyType({})) -> list[str]:
    """Return what the reader of the data must know, by column.

    Args:
        columns: of the result.
        changed: settings that the statement itself gave other values than ours while its rows came.
    """
    found = []
    for column in columns:
        note = column.reader.note
        for setting in column.settings & changed.keys():
            by = f"the statement itself set {setting.value} to {changed[setting]!r} as it ran"
            if setting is Setting.FLOAT_DIGITS:
                found.append(f"Column {column.name!r} may lack digits of its floats: {by}.")
            elif note and setting is not Setting.BYTEA_OUTPUT:
                note = f"is text: {by}"
        found += [f"Column {column.name!r} {note}."] if note else []
    return found

"""Which converter a column of DuckDB's Arrow export gets, by its Arrow type. TYPES.md is the table for readers.

DuckDB exports under `arrow_lossless_conversion`, so what Arrow has no type for arrives as an extension type named after
DuckDB's own; none of them reaches the client.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from tusk_drivers.duckdb import scalars, variant
from tusk_drivers.duckdb.buffers import TEXT
from tusk_drivers.duckdb.converters import Converter, HugeInteger, Mapped, Plain, Temporal, TimeOfDay
from tusk_drivers.duckdb.intervals import Interval
from tusk_drivers.duckdb.nested import ListOf, MapOf, StructOf, UnionOf

_EXTENSIONS: dict[str, Callable[[], Converter]] = {
    "arrow.bool8": lambda: Mapped(pa.bool_(), lambda array: array.storage.cast(pa.bool_())),
    "arrow.uuid": lambda: Mapped(TEXT, scalars.uuid_text),
    "arrow.json": lambda: Mapped(TEXT, lambda array: array.storage.cast(TEXT)),
    "hugeint": lambda: HugeInteger(signed=True),
    "uhugeint": lambda: HugeInteger(signed=False),
    "bignum": lambda: Mapped(TEXT, scalars.bignum_text),
    "bit": lambda: Mapped(TEXT, scalars.bit_text),
    "time_tz": lambda: Mapped(TEXT, scalars.time_tz_text),
    "geoarrow.wkb": lambda: Mapped(pa.large_binary(), lambda array: array.cast(pa.large_binary())),
    "arrow.parquet.variant": lambda: Mapped(TEXT, variant.json_text),
}


def converter_for(type_: pa.DataType, metadata: dict[bytes, bytes] | None = None) -> Converter:
    """Return the converter for a column, or a part of one, of DuckDB's lossless Arrow export."""
    name = _extension(type_, metadata)
    if name in _EXTENSIONS:
        return _EXTENSIONS[name]()
    if isinstance(type_, pa.BaseExtensionType):
        inner = converter_for(type_.storage_type)
        return Mapped(inner.type, lambda array: inner.convert(array.storage))
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        return Temporal(type_)
    if pa.types.is_time(type_):
        return TimeOfDay(type_)
    if pa.types.is_interval(type_):
        return Interval()
    return _nested(type_)


def _nested(type_: pa.DataType) -> Converter:
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        item = _part(type_.value_type, type_.value_field.metadata)
        return Plain(type_) if isinstance(item, Plain) else ListOf(type_, item)
    if pa.types.is_map(type_):
        parts = _part(type_.key_type, type_.key_field.metadata), _part(type_.item_type, type_.item_field.metadata)
        return Plain(type_) if all(isinstance(part, Plain) for part in parts) else MapOf(type_, *parts)
    if pa.types.is_struct(type_):
        members = [_part(field.type, field.metadata) for field in type_]
        return Plain(type_) if all(isinstance(member, Plain) for member in members) else StructOf(type_, members)
    if pa.types.is_union(type_):
        fields = [type_.field(index) for index in range(type_.num_fields)]
        return UnionOf(type_, [_part(field.type, field.metadata) for field in fields])
    return Plain(type_)


def _part(type_: pa.DataType, metadata: dict[bytes, bytes] | None) -> Converter:
    """Return the converter for a part of a nested column; an ENUM is its words: few readers know dictionaries there."""
    if pa.types.is_dictionary(type_):
        return Mapped(TEXT, lambda array: array.cast(TEXT))
    return converter_for(type_, metadata)


def _extension(type_: pa.DataType, metadata: dict[bytes, bytes] | None) -> str:
    if isinstance(type_, pa.OpaqueType):
        return str(type_.type_name)
    if isinstance(type_, pa.BaseExtensionType):
        return str(type_.extension_name)
    return (metadata or {}).get(b"ARROW:extension:name", b"").decode()

"""Lists, structs and maps as JSON: `[1, null]`, `{"a": "2024-02-29"}`, maps as lists of pairs.

Made column by column of what they hold, never by way of Python's objects, which have no nanoseconds and no year 12000, and
take a hundred times as long. Numbers and truth values stand as they are; what JSON has no form for stands as the text that it
has alone, in quotes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.client.plain_arrays import number, strings, text

type_of = pa.types
ToText = Callable[[pa.Array], pa.Array]


def nested(array: pa.Array, to_text: ToText) -> pa.Array:
    """Return nested values as JSON; NULL stays NULL.

    Args:
        array: lists, structs, maps or unions, nested as they may be.
        to_text: makes the text that a value has alone.
    """
    kind = array.type
    if type_of.is_struct(kind):
        return _structs(array, to_text)
    if type_of.is_map(kind):
        return _maps(array, to_text)
    if type_of.is_union(kind):
        return _unions(array, to_text)
    return _lists(array, to_text)


def _json(array: pa.Array, to_text: ToText) -> pa.Array:
    """Return any values as JSON, NULL as `null`."""
    return pc.coalesce(_values(array, to_text), text("null"))


def _values(array: pa.Array, to_text: ToText) -> pa.Array:
    if isinstance(array.type, pa.BaseExtensionType):
        return quoted(to_text(array)) if array.type.extension_name == "arrow.uuid" else _values(array.storage, to_text)
    kind = array.type
    if type_of.is_dictionary(kind):
        return _values(array.cast(kind.value_type), to_text)
    if type_of.is_nested(kind):
        return nested(array, to_text)
    texts = to_text(array).cast(pa.string())
    if type_of.is_integer(kind) or type_of.is_boolean(kind) or type_of.is_null(kind):
        return texts
    if type_of.is_floating(kind):
        words = pc.match_substring_regex(texts, "[NI]")  # NaN, Infinity
        return pc.if_else(words, quoted(texts), texts)
    return quoted(texts)


def _structs(array: pa.Array, to_text: ToText) -> pa.Array:
    parts: list[Any] = []
    for field, values in zip(array.type, array.flatten(), strict=True):
        name = json.dumps(field.name, ensure_ascii=False)
        parts += [text(f"{', ' if parts else '{'}{name}: "), _json(values, to_text)]
    if not parts:
        return pc.if_else(pc.is_valid(array), text("{}"), pa.nulls(len(array), pa.string()))
    whole = pc.binary_join_element_wise(*parts, text("}"), text(""))
    return pc.if_else(pc.is_valid(array), whole, pa.nulls(len(array), pa.string())) if array.null_count else whole


def _maps(array: pa.Array, to_text: ToText) -> pa.Array:
    def part(values: pa.Array) -> pa.Array:
        return _json(values, to_text)

    return joined_maps(array, part, part, marks=("[", "[", ", ", "]", "]"))


def _lists(array: pa.Array, to_text: ToText) -> pa.Array:
    return joined_lists(array, lambda items: _json(items, to_text), marks=("[", "]"))


def joined_lists(array: pa.Array, make: ToText, *, marks: tuple[str, str], between: str = ", ") -> pa.Array:
    """Return lists as what their items are made of between two marks; NULL stays NULL.

    Args:
        array: lists of any kind.
        make: makes a text of each item, also of NULL.
        marks: before and behind each list.
        between: stands between two items.
    """
    kind = array.type
    if type_of.is_list(kind) or type_of.is_large_list(kind):
        first, last = _ends(array)
        return _joined(array, array.offsets, make(array.values.slice(first, last - first)), marks, between)
    lengths = pc.coalesce(pc.list_value_length(array).cast(pa.int64()), number(0))
    zero = pa.Array.from_buffers(pa.int64(), 1, [None, pa.py_buffer(bytes(8))])
    return _joined(array, pa.concat_arrays([zero, pc.cumulative_sum(lengths)]), make(array.flatten()), marks, between)


def joined_maps(array: pa.Array, key: ToText, item: ToText, *, marks: tuple[str, str, str, str, str]) -> pa.Array:
    """Return maps likewise; the marks are before a map, before, in and behind each pair, and behind a map."""
    first, last = _ends(array)
    keys, items = key(array.keys.slice(first, last - first)), item(array.items.slice(first, last - first))
    pairs = pc.binary_join_element_wise(text(marks[1]), keys, text(marks[2]), items, text(marks[3]), text(""))
    return _joined(array, array.offsets, pairs, (marks[0], marks[4]), ", ")


def _ends(array: pa.Array) -> tuple[int, int]:
    return array.offsets[0].as_py(), array.offsets[-1].as_py()


def _joined(array: pa.Array, offsets: pa.Array, items: pa.Array, marks: tuple[str, str], between: str) -> pa.Array:
    wide = pa.LargeListArray.from_arrays(_from_zero(offsets), items)
    whole = pc.binary_join_element_wise(text(marks[0]), pc.binary_join(wide, text(between)), text(marks[1]), text(""))
    return pc.if_else(pc.is_valid(array), whole, pa.nulls(len(array), pa.string())) if array.null_count else whole


def _from_zero(offsets: pa.Array) -> pa.Array:
    wide = offsets.cast(pa.int64())
    return pc.subtract(wide, wide[0])


def _unions(array: pa.Array, to_text: ToText) -> pa.Array:
    """Return each value as the member that it is; no driver of ours makes unions, so they may take their time."""
    kind = array.type
    places = {code: place for place, code in enumerate(kind.type_codes)}
    members = [_values(array.field(place), to_text).to_pylist() for place in range(kind.num_fields)]
    is_dense = kind.mode == "dense"
    rows = array.offsets.to_pylist() if is_dense else range(len(array))
    return strings([members[places[code]][row] for code, row in zip(array.type_codes.to_pylist(), rows, strict=True)])


def quoted(texts: pa.Array) -> pa.Array:
    """Return texts as JSON's; NULL stays NULL."""
    found = texts.cast(pa.string())
    escaped = found
    for mark, instead in (("\\", "\\\\"), ('"', '\\"')):
        if pc.any(pc.match_substring(escaped, mark)).as_py():
            escaped = pc.replace_substring(escaped, mark, instead)
    whole = pc.binary_join_element_wise(text('"'), escaped, text('"'), text(""))
    odd = pc.coalesce(pc.match_substring_regex(found, r"[\x00-\x1f]"), pc.is_valid(found))
    if not pc.any(odd).as_py():
        return whole
    written = [json.dumps(value, ensure_ascii=False) for value in found.filter(odd).to_pylist()]
    return pc.replace_with_mask(whole, odd, strings(written))


# --- under wider types -------------------------------------------------------------------------------------------------


def changes(old: pa.DataType, new: pa.DataType) -> bool:
    """Return whether both are nested and the JSON of values is another one under the wider type: a decimal stands as "1"."""
    if not (type_of.is_nested(old) and type_of.is_nested(new)):
        return False
    parts = zip(_parts(old), _parts(new), strict=False)
    return any(changes(one, other) or (one != other and _is_bare(one)) for one, other in parts)


def again(texts: pa.Array, old: pa.DataType, new: pa.DataType) -> pa.Array:
    """Return the JSON of nested values of one type as that of a wider one."""
    return strings([None if one is None else _again(_read(one), old, new) for one in texts.to_pylist()])


class _Number(str):
    """As it is written."""

    __slots__ = ()


def _read(written: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(written, parse_int=_Number, parse_float=_Number, object_pairs_hook=list)


def _again(value: Any, old: pa.DataType, new: pa.DataType) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return "null"
    if type_of.is_struct(new):
        named = zip(value, _parts(old), _parts(new), strict=True)
        members = [f"{json.dumps(key, ensure_ascii=False)}: {_again(part, *kinds)}" for (key, part), *kinds in named]
        return "{" + ", ".join(members) + "}"
    if type_of.is_map(new):
        kinds = list(zip(_parts(old), _parts(new), strict=True))
        pairs = [", ".join(_again(part, *both) for part, both in zip(pair, kinds, strict=True)) for pair in value]
        return "[" + ", ".join(f"[{pair}]" for pair in pairs) + "]"
    if type_of.is_nested(new):
        return "[" + ", ".join(_again(part, old.value_type, new.value_type) for part in value) + "]"
    if isinstance(value, _Number) and _is_bare(new):
        return repr(float(value)) if type_of.is_floating(new) and not type_of.is_floating(old) else value
    return json.dumps(value, ensure_ascii=False)


def _parts(kind: pa.DataType) -> list[pa.DataType]:
    if type_of.is_struct(kind):
        return [field.type for field in kind]
    return [kind.key_type, kind.item_type] if type_of.is_map(kind) else [kind.value_type]


def _is_bare(kind: pa.DataType) -> bool:
    return bool(type_of.is_integer(kind) or type_of.is_floating(kind) or type_of.is_boolean(kind))

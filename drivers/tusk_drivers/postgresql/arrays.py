"""Array literals to Arrow lists.

PostgreSQL's array type says nothing of dimensions, so the values decide how deep the lists are nested. One-dimensional
arrays without quotes, by far the most, are split for the whole column at once; the others go value by value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from tusk_drivers.postgresql.readers import Reader, refuse_change

_BOUNDS = re.compile(r"^(?:\[[+-]?\d+:[+-]?\d+\])+=")
_MIXED = "arrays of different numbers of dimensions"

Leaf = str | None
Nested = list["Nested | Leaf"]


class ArrayReader(Reader):
    """Arrays of any element type that has a reader of its own."""

    def __init__(self, element: Reader, delimiter: str) -> None:
        """Begin one-dimensional.

        Args:
            element: reads the elements, and widens for them.
            delimiter: what the element type puts between elements: a comma, for box a semicolon.
        """
        super().__init__(pa.list_(element.type))
        self._element = element
        self._delimiter = delimiter
        self._token = re.compile(rf'"((?:[^"\\]|\\.)*)"|([{{}}{delimiter}])|([^"{{}}{delimiter}]+)', re.DOTALL)
        self._hard = r'["\\=]|\{.*\{'
        self._depth = 0

    def read(self, text: pa.StringArray) -> pa.Array:
        """Return lists; text where dimensions are mixed."""
        if self.type == pa.string():
            return text
        self._element.started = self.started
        hard = pc.any(pc.match_substring_regex(text, self._hard)).as_py()
        lists = self._read_hard(text) if hard or self._depth > 1 else self._read_flat(text)
        if lists is None:
            return self._give_up(text)
        self.type = lists.type
        self.note = self._element.note or self.note
        return lists

    def _read_flat(self, text: pa.StringArray) -> pa.Array:
        inner = pc.utf8_slice_codeunits(text, 1, -1)
        parts = pc.split_pattern(inner, self._delimiter)
        leaves = parts.flatten()
        leaves = leaves.filter(pc.not_equal(leaves, ""))  # what splitting an empty array gives; an empty text is quoted
        lengths = pc.if_else(pc.equal(inner, ""), 0, pc.list_value_length(parts))
        if len(leaves):
            self._depth = 1
        values = self._element.read(pc.if_else(pc.equal(leaves, "NULL"), None, leaves))
        return _lists(lengths, values, valid=text.is_valid())

    def _read_hard(self, text: pa.StringArray) -> pa.Array | None:
        values = [None if value is None else self._parse(value) for value in text.to_pylist()]
        depths = {_depth(value) for value in values if value}
        depths |= {self._depth} if self._depth else set()
        if len(depths) > 1:
            return None
        depth = max(depths, default=1)
        if self.started and depth > 1 and self._depth == 0:
            return None
        self._depth = depth if depths else 0
        return self._nest(values, depth)

    def _nest(self, values: list[Nested | None], depth: int) -> pa.Array:
        lengths = pa.array([None if value is None else len(value) for value in values], pa.int32())
        inner = [item for value in values if value for item in value]
        below = (
            self._element.read(pa.array(inner, pa.string()))
            if depth == 1
            else self._nest([item if isinstance(item, list) else None for item in inner], depth - 1)
        )
        return _lists(lengths, below, valid=lengths.is_valid())

    def _parse(self, literal: str) -> Nested:
        if bounds := _BOUNDS.match(literal):
            self.note = "holds arrays whose lower bounds are not 1; the bounds are not shown"
            literal = literal[bounds.end() :]
        stack: list[Nested] = [[]]
        for quoted, mark, plain in self._tokens(literal):
            if mark == "{":
                stack.append([])
            elif mark == "}":
                done = stack.pop()
                stack[-1].append(done)
            elif plain is not None:
                stack[-1].append(None if plain == "NULL" else plain)
            elif mark is None:
                stack[-1].append(re.sub(r"\\(.)", r"\1", quoted or "", flags=re.DOTALL))
        outermost = stack[0][0]
        return outermost if isinstance(outermost, list) else []

    def _tokens(self, literal: str) -> Iterator[tuple[Leaf, Leaf, Leaf]]:
        for found in self._token.finditer(literal):
            yield found[1], found[2], found[3]

    def _give_up(self, text: pa.StringArray) -> pa.Array:
        if self.started:
            raise refuse_change(self.type, _MIXED)
        return self.widen(text, _MIXED)


def _depth(value: Nested) -> int:
    return 1 + (_depth(value[0]) if value and isinstance(value[0], list) else 0)


def _lists(lengths: pa.Array, values: pa.Array, *, valid: pa.BooleanArray) -> pa.ListArray:
    """Return lists of `lengths`, NULL where not `valid`, over `values`."""
    counts = pc.cast(pc.fill_null(lengths, 0), pa.int32())
    ends = pc.cast(pc.cumulative_sum(counts), pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, values, mask=pc.invert(valid))

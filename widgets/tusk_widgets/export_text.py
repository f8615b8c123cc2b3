"""JSON and Markdown.

JSON is an array of objects, one a line. Numbers keep all their digits, as JSON allows; what JSON has no form for (NaN,
times, bytes) is the text that the grid shows. A name that a result has twice gets a number, since an object has a name
once.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from tusk_jupyter.client import texts

type_of = pa.types


class TextWriter:
    """What the formats here have in common: no state that would need a goodbye."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self.notes: list[str] = []
        self._file = file
        self._schema = schema

    def discard(self) -> None:
        """Nothing is held."""

    def goes_on(self, schema: pa.Schema) -> bool:
        """Never; a result that is here does not widen."""
        return False

    def read_back(self, path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield nothing; see `goes_on`."""
        return iter(())

    def _say(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "surrogatepass"))


class JsonWriter(TextWriter):
    """An array of objects."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        super().__init__(file, schema)
        self._names = [json.dumps(name, ensure_ascii=False) for name in unique(schema.names)]
        if unique(schema.names) != schema.names:
            self.notes.append("Names that stand more than once, or are empty, have a number behind them.")
        self._began = False
        self._say("[")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add an object a row."""
        columns = [json_values(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            pairs = ", ".join(f"{name}: {value}" for name, value in zip(self._names, row, strict=True))
            self._say(f"{',' if self._began else ''}\n{{{pairs}}}")
            self._began = True

    def close(self) -> None:
        """End the array."""
        self._say("\n]\n" if self._began else "]\n")


def json_values(column: pa.Array) -> list[str]:
    """Return values as JSON."""
    kind = column.type
    shown = texts.to_text(column).to_pylist()
    if type_of.is_floating(kind):
        return ["null" if text is None else _json_float(text) for text in shown]
    if type_of.is_nested(kind) or type_of.is_boolean(kind) or _is_number(kind):
        return ["null" if text is None else text for text in shown]  # is JSON already
    return ["null" if text is None else json.dumps(text, ensure_ascii=False) for text in shown]


def _json_float(text: str) -> str:
    return f'"{text}"' if text in ("NaN", "Infinity", "-Infinity") else text


class MarkdownWriter(TextWriter):
    """A table as GitHub reads it; NULL is set in italics, and no value is read as markup."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        super().__init__(file, schema)
        self._say(f"| {' | '.join(map(escaped, schema.names))} |\n")
        self._say(f"| {' | '.join('---:' if _is_number(field.type) else '---' for field in schema)} |\n")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a line a row."""
        columns = [
            ["*NULL*" if text is None else _as_it_is(column.type)(text) for text in texts.to_text(column).to_pylist()]
            for column in batch.columns
        ]
        self._say("".join(f"| {' | '.join(row)} |\n" for row in zip(*columns, strict=True)))

    def close(self) -> None:
        """Nothing is left to write."""


def _as_it_is(kind: pa.DataType) -> Callable[[str], str]:
    """Return how a text of that type is kept from being markup; numbers and times are none."""
    return str if _is_number(kind) or type_of.is_temporal(kind) else escaped


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    plain = re.sub(r"([\\`*_{}\[\]()#+!|~$^-])", r"\\\1", text) if _NOT_PLAIN.search(text) else text
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\r\n|\r|\n", "<br>", plain)


_NOT_PLAIN = re.compile(r"[\\`*_{}\[\]()#!|~$^]|^\s*[-+]\s")


def _is_number(kind: pa.DataType) -> bool:
    return bool(type_of.is_integer(kind) or type_of.is_floating(kind) or type_of.is_decimal(kind))


def unique(names: list[str]) -> list[str]:
    """Give empty names and those that stand more than once a number: a, a_2, column_3."""
    taken = Counter(names)
    made: list[str] = []
    for place, name in enumerate(names):
        new, number = name or f"column_{place + 1}", 1
        while new in made or (new != name and new in taken):
            number += 1
            new = f"{name or 'column'}_{number if name else place + number}"
        made.append(new)
    return made

"""INSERT statements that the connection's own database reads back as the same values.

Text, not parameters: the literals are each dialect's own (`insert_literals`). A value for which the dialect has none is refused
before a wrong one is written.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from tusk_jupyter.client.plain_arrays import text
from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.stream import TYPES_KEY
from tusk_widgets.export_text import TextWriter
from tusk_widgets.insert_literals import DIALECTS, Column, literals

ROWS = 200
"""Of one statement: long enough to be quick, short enough for every server's packet."""

CHARACTERS = 1_000_000
"""Of one statement, unless a single row has more."""

type_of = pa.types


class InsertWriter(TextWriter):
    """A file of statements."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, *, dialect: str, table: str) -> None:
        """Begin with the table's and the columns' names.

        Args:
            file: takes the statements.
            schema: of the rows; its metadata has the database's names of the types.
            dialect: one of `DIALECTS`; others are written as PostgreSQL's, with a note.
            table: to fill; dots part catalog, schema and table, unless a name stands in quotes.

        Raises:
            UsageError: there is no table's name, or a column has no name or the name of another.
        """
        super().__init__(file, schema)
        if not table.strip():
            raise UsageError("INSERT statements need the name of a table.", hint="Write one, as public.flights.")
        _check_names(schema.names)
        self._dialect = dialect if dialect in DIALECTS else "postgresql"
        if dialect not in DIALECTS:
            self.notes.append(f"The literals are PostgreSQL's: {dialect or 'the dialect'} is not known.")
        target = ".".join(self._name(part) for part in _parts(table))
        names = ", ".join(self._name(name) for name in schema.names)
        self._head = f"INSERT INTO {target} ({names}) VALUES\n"
        kinds = _type_names(schema)
        self._columns = [Column(name, kind, self._dialect) for name, kind in zip(schema.names, kinds, strict=True)]
        if self._dialect == "mysql" and any(type_of.is_timestamp(field.type) and field.type.tz for field in schema):
            self._say("SET time_zone = '+00:00';\n")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add statements.

        Raises:
            UsageError: a value has no literal in the dialect.
        """
        head = self._head
        if self._dialect == "mysql" and _needs_mode(batch, self._columns):
            head = head.replace("INSERT INTO", _WITH_MODE, 1)
        values = [literals(values, column) for values, column in zip(batch.columns, self._columns, strict=True)]
        between = [part for value in values for part in (text(", "), value)][1:]
        rows = pc.binary_join_element_wise(text("("), *between, text(")"), text("")).to_pylist()
        while rows:
            ends = itertools.accumulate(map(len, rows[:ROWS]))
            count = max(1, sum(end <= CHARACTERS for end in ends))
            self._say(head + ",\n".join(rows[:count]) + ";\n")
            rows = rows[count:]

    def close(self) -> None:
        """Nothing is left to write."""

    def _name(self, name: str) -> str:
        if "\0" in name:
            raise UsageError(
                f"The name {name!r} has the character NUL, which no database takes in a name.", hint="Name it with AS."
            )
        mark = "`" if self._dialect == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark


_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"
"""Under the usual `sql_mode`, a 0 in an AUTO_INCREMENT column becomes a number of the server's, and zero dates are refused."""

_WITH_MODE = f"/*M! SET STATEMENT sql_mode = '{_MODE}' FOR */ INSERT /*+ SET_VAR(sql_mode = '{_MODE}') */ INTO"
"""For one statement, as MariaDB and as MySQL has it; each takes the other's for a comment."""


def _needs_mode(batch: pa.RecordBatch, columns: list[Column]) -> bool:
    """Return whether a batch has zeros in a column that may be AUTO_INCREMENT, or dates that no calendar has."""
    for values, column in zip(batch.columns, columns, strict=True):
        if type_of.is_integer(values.type) and pc.any(pc.equal(values, pa.scalar(0, values.type))).as_py():
            return True
        if column.type_name.lower().startswith(("date", "timestamp")) and not type_of.is_temporal(values.type):
            return True
    return False


def _type_names(schema: pa.Schema) -> list[str]:
    names = json.loads((schema.metadata or {}).get(TYPES_KEY, b"[]"))
    return [str(name) for name in names] if len(names) == len(schema) else [""] * len(schema)


_PART = re.compile(r'\s*("(?:[^"]|"")+"|`(?:[^`]|``)+`|[^.]*)\s*(?:\.|$)')


def _parts(table: str) -> list[str]:
    """Return the parts of a table's name; one in quotes may have dots in it, and is what stands between them."""
    parts, place = [], 0
    while place < len(table):
        found = _PART.match(table, place)
        if found is None:
            return table.split(".")
        name, mark = found[1], found[1][:1]
        is_quoted = len(name) > 2 and mark in '"`' and name.endswith(mark)
        parts.append(name[1:-1].replace(mark * 2, mark) if is_quoted else name)
        place = found.end()
    return parts


def _check_names(names: list[str]) -> None:
    if "" in names:
        raise UsageError(
            f"Column {names.index('') + 1} has no name, which INSERT statements need.", hint="Name it with AS."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"Two columns are called {twice!r}; a table cannot.", hint="Name one of them with AS.")

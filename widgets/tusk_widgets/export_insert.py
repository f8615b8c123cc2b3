"""INSERT statements that the connection's own database reads back as the same values.

Text, not parameters, so the quoting is each dialect's: what a backslash means, how bytes, infinity and time zones are
written. A value for which the dialect has no literal is refused before a wrong one is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import pyarrow as pa

from tusk_jupyter.client import texts
from tusk_jupyter.errors import UsageError
from tusk_widgets.export_text import TextWriter

ROWS = 200
"""Of one statement: long enough to be quick, short enough for every server's packet."""

type_of = pa.types
Literal = Callable[[str], str]
"""Makes a literal of the text in which a value is shown."""

DIALECTS = ("duckdb", "sqlite", "postgresql", "mysql")


class InsertWriter(TextWriter):
    """A file of statements."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, *, dialect: str, table: str) -> None:
        """Begin with the table's and the columns' names.

        Args:
            file: takes the statements.
            schema: of the rows.
            dialect: one of `DIALECTS`; others are written as PostgreSQL's, with a note.
            table: to fill; dots part catalog, schema and table.

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
        target = ".".join(self._name(part) for part in table.split("."))
        names = ", ".join(self._name(name) for name in schema.names)
        self._head = f"INSERT INTO {target} ({names}) VALUES\n"
        self._literals = [self._literal(field) for field in schema]
        zoned = any(type_of.is_timestamp(field.type) and field.type.tz for field in schema)
        if self._dialect == "mysql" and zoned:
            self._say("SET time_zone = '+00:00';\n")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add statements.

        Raises:
            UsageError: a value has no literal in the dialect.
        """
        columns = [
            ["NULL" if text is None else literal(text) for text in self._texts(column)]
            for literal, column in zip(self._literals, batch.columns, strict=True)
        ]
        rows = [f"({', '.join(row)})" for row in zip(*columns, strict=True)]
        for start in range(0, len(rows), ROWS):
            self._say(self._head + ",\n".join(rows[start : start + ROWS]) + ";\n")

    def close(self) -> None:
        """Nothing is left to write."""

    def _texts(self, column: pa.Array) -> list[str | None]:
        kind = column.type
        if type_of.is_timestamp(kind) and kind.tz and self._dialect == "mysql":
            column = column.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
        texts_of: list[str | None] = texts.to_text(column).to_pylist()
        return texts_of

    def _name(self, name: str) -> str:
        mark = "`" if self._dialect == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def _literal(self, field: pa.Field) -> Literal:
        kind, dialect = field.type, self._dialect
        if type_of.is_integer(kind) or type_of.is_boolean(kind):
            return str
        if type_of.is_decimal(kind):
            # SQLite would read a number as a double; as text, a NUMERIC column takes it over exactly.
            return _quoted if dialect == "sqlite" else str
        if type_of.is_floating(kind):
            return lambda text: _float(text, dialect, field.name)
        if texts.is_bytes(kind):
            return lambda text: _bytes(text.removeprefix("\\x"), dialect)
        return lambda text: _text(text, dialect, field.name)


def _check_names(names: list[str]) -> None:
    if "" in names:
        raise UsageError(
            f"Column {names.index('') + 1} has no name, which INSERT statements need.", hint="Name it with AS."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"Two columns are called {twice!r}; a table cannot.", hint="Name one of them with AS.")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(text: str, dialect: str, column: str) -> str:
    if "\0" in text:
        return _text_with_nul(text, dialect, column)
    return _quoted(text.replace("\\", "\\\\") if dialect == "mysql" else text)


def _text_with_nul(text: str, dialect: str, column: str) -> str:
    if dialect == "postgresql":
        raise UsageError(
            f"Column {column!r} has a text with the character NUL, which PostgreSQL has no place for.",
            hint="Take it out with replace(), or export another format.",
        )
    if dialect == "sqlite":
        return f"CAST(X'{text.encode().hex()}' AS TEXT)"
    if dialect == "mysql":
        return _quoted(text.replace("\\", "\\\\").replace("\0", "\\0"))
    return "(" + " || chr(0) || ".join(_quoted(part) for part in text.split("\0")) + ")"


def _bytes(digits: str, dialect: str) -> str:
    if dialect == "postgresql":
        return f"'\\x{digits}'"
    return f"unhex('{digits}')" if dialect == "duckdb" else f"X'{digits}'"


def _float(text: str, dialect: str, column: str) -> str:
    if dialect == "postgresql":
        return f"'{text}'"  # read as a double at once: as a number it were a numeric first, which has no -0
    if text not in ("NaN", "Infinity", "-Infinity"):
        return text if "e" in text else f"{text}e0"  # else the database reads a decimal first, and may round
    if dialect == "duckdb":
        return f"'{text}'::DOUBLE"
    if dialect == "sqlite" and text != "NaN":
        return text.replace("Infinity", "9e999")
    raise UsageError(
        f"Column {column!r} holds {text}, which {dialect} has no literal for.",
        hint="Filter these rows out, or export another format.",
    )

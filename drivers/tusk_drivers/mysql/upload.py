"""A table written from record batches: multi-row INSERTs of exact literals, all or nothing.

CREATE TABLE is outside of every transaction, so a new table cannot be taken back by whoever lost its link or was killed. The
rows therefore go into a temporary table, which ends with the session however that ends, and one statement of the server's
own makes the table from it: it is there whole or not at all, and whose it was before is never touched. Rows for a table
that exists go in one transaction.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pymysql

from tusk_drivers.mysql.errors import INTERRUPTED, cancelled, from_server, numbered
from tusk_drivers.mysql.literals import column_type, literal_column, zone_notes
from tusk_drivers.mysql.places import places
from tusk_jupyter.driverkit.fits import filled_notes, fitted
from tusk_jupyter.driverkit.gone import NOT_KNOWN
from tusk_jupyter.driverkit.upload_columns import plain_reader
from tusk_jupyter.errors import ConnectError, QueryError, TuskError, UsageError
from tusk_jupyter.protocol.scenarios import TABLE_EXISTS, hint_for

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link
    from tusk_drivers.mysql.turn import Turn

__all__ = ["write", "zone_notes"]
STATEMENT_BYTES = 1 << 20
"""Size of an INSERT; larger ones were not faster, and most servers take 16 MB."""
_MARGIN_BYTES = 1024
SAVEPOINT = "tusk_upload"
_LAST_OF_NAMES = 0xFFFF
_EXISTS, _TRUNCATED = 1050, 1265
_NO_RIGHT = frozenset({1044, 1045, 1142, 1227})
"""The account may make tables, and no temporary ones."""


def write(
    link: Link, turn: Turn, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool
) -> tuple[int, tuple[str, ...]]:
    """Create `table` or append to it, and write the reader's rows; all or nothing. Returns their number, and notes.

    Raises:
        UsageError: a column has no name, or a type that MySQL has none for; a new table inside a transaction.
        QueryError: the server refused.
        Cancelled: `turn` was stopped.
        ConnectError: the link was lost; the message says what is left of the table.
    """
    for part in table:
        _check_characters(part)
    columns = [_quoted(_column_name(field)) for field in reader.schema]
    reader = plain_reader(reader)
    for field in reader.schema:
        column_type(field)
    turn.begin()
    upload = _Upload(link, turn, table, columns)
    try:
        rows = upload.append(reader) if append else upload.create(reader)
    except BaseException as exc:
        stopped = turn.end()
        upload.undo()
        if isinstance(exc, pymysql.MySQLError):
            ended = not link.answers()
            by_kill = stopped and numbered(exc)[0] in INTERRUPTED and not ended
            raise upload.told(cancelled() if by_kill else from_server(exc, ended=ended)) from exc
        if isinstance(exc, ConnectError):
            raise upload.told(exc) from exc
        raise
    turn.end()
    return rows, upload.notes


class _Upload:
    """One table on its way."""

    def __init__(self, link: Link, turn: Turn, table: Sequence[str], columns: Sequence[str]) -> None:
        self._link, self._turn, self._table, self._columns = link, turn, table, columns
        self._name = ".".join(map(_quoted, table))
        self._in_transaction = link.in_transaction
        self._undo: list[str] = []
        """What takes back what was done so far."""
        self.left = "Nothing of the upload stays."
        """What is true of the table when the link is lost now."""
        self.notes: tuple[str, ...] = ()
        """What is told of the rows that were written."""

    # --- a new table ---

    def create(self, reader: pa.RecordBatchReader) -> int:
        if self._in_transaction:
            raise UsageError(
                "A transaction is open, and creating a table would commit it.",
                hint="End it with COMMIT or ROLLBACK first, or append to a table that exists.",
            )
        self._refuse_existing()
        parts = zip(self._columns, reader.schema, strict=True)
        body = f"({', '.join(f'{column} {column_type(field)}' for column, field in parts)}) "
        staged = ".".join(map(_quoted, (*self._table[:-1], f"tusk_upload_{secrets.token_hex(8)}")))
        try:
            self._link.query(f"CREATE TEMPORARY TABLE {staged} {body} ENGINE=InnoDB DEFAULT CHARSET utf8mb4")
        except pymysql.MySQLError as exc:
            if numbered(exc)[0] not in _NO_RIGHT:
                raise
            return self._create_in_place(body, reader)
        self._undo.append(f"DROP TEMPORARY TABLE IF EXISTS {staged}")
        rows = self._insert(staged, reader)
        self.left = f"The table {self._name} is there whole, or not at all: look before you write it again."
        self._link.query(f"CREATE TABLE {self._name} {body} DEFAULT CHARSET utf8mb4 SELECT * FROM {staged}")  # noqa: S608
        self._link.query(f"DROP TEMPORARY TABLE IF EXISTS {staged}")
        return rows

    def _create_in_place(self, body: str, reader: pa.RecordBatchReader) -> int:
        """Write into the table itself, which a link that is lost leaves behind."""
        self.left = f"The table {self._name} may be left, empty: drop it before you write it again."
        self._link.query(f"CREATE TABLE {self._name} {body} DEFAULT CHARSET utf8mb4")
        self._undo = [f"DROP TABLE {self._name}", "ROLLBACK"]
        return self._in_one_transaction(reader)

    def _refuse_existing(self) -> None:
        """Say at once, and not after all rows have gone up, that there is such a table."""
        *database, name = self._table
        where = "%s" if database else "DATABASE()"
        sql = f"SELECT 1 FROM information_schema.tables WHERE table_schema = {where} AND table_name = %s"  # noqa: S608
        if self._link.ask(sql, *database[-1:], name):
            raise QueryError(
                f"Table '{'.'.join(self._table)}' already exists", code=str(_EXISTS), scenario=TABLE_EXISTS
            )

    # --- a table that is there ---

    def append(self, reader: pa.RecordBatchReader) -> int:
        there = places(self._link, self._name)
        chosen = {name: there[name.lower()] for name in reader.schema.names if name.lower() in there}
        filled: Counter[str] = Counter()
        rows = self._append(fitted(reader, chosen, "MySQL", filled=filled))
        self.notes = filled_notes(chosen, filled)
        return rows

    def _append(self, reader: pa.RecordBatchReader) -> int:
        if not self._in_transaction:
            self._undo.append("ROLLBACK")
            return self._in_one_transaction(reader)
        self._link.query(f"SAVEPOINT {SAVEPOINT}")
        self._undo.append(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        rows = self._insert(self._name, reader)
        self._link.query(f"RELEASE SAVEPOINT {SAVEPOINT}")
        return rows

    def _in_one_transaction(self, reader: pa.RecordBatchReader) -> int:
        self._link.query("START TRANSACTION")
        rows = self._insert(self._name, reader)
        self.left = f"The rows are in {self._name} all, or not at all: look before you write them again."
        self._link.query("COMMIT")
        return rows

    # --- both ---

    def _insert(self, name: str, reader: pa.RecordBatchReader) -> int:
        return _insert_all(self._link, self._turn, name, self._columns, reader)

    def undo(self) -> None:
        """Take back what was written; a link that broke did it by itself, but for a table that is not temporary."""
        for command in ["DO 0", *reversed(self._undo)]:  # DO 0 takes a kill that came late
            try:
                self._link.query(command)
            except pymysql.MySQLError as exc:
                if command.startswith("DROP TABLE") and self._link.answers():
                    error = from_server(exc)
                    error.message += f" The table {self._name} could not be dropped and is incomplete."
                    raise error from exc

    def told(self, error: TuskError) -> TuskError:
        """Return an error that says what is left of the table, if it is a lost link's."""
        if isinstance(error, ConnectError):
            error.message = f"{error.message.removesuffix(NOT_KNOWN).rstrip()} {self.left}"
        return error


def _insert_all(link: Link, turn: Turn, name: str, columns: Sequence[str], reader: pa.RecordBatchReader) -> int:
    head = f"INSERT INTO {name} ({', '.join(columns)}) VALUES "  # noqa: S608 - the names are quoted
    most = link.max_packet - len(head.encode()) - _MARGIN_BYTES
    rows = 0
    for batch in reader:
        for values, count in _statements(link, batch, limit=min(STATEMENT_BYTES, most), most=most):
            if turn.stopped:
                raise cancelled()
            if link.query(head + values):
                _refuse_warnings(link)
            rows += count
    return rows


def _refuse_warnings(link: Link) -> None:
    """Raise when the server says that it altered a value: outside strict mode, or blanks at a text's end in every mode."""
    for level, code, text in link.warnings():
        if level != "Note" or code == _TRUNCATED:
            raise QueryError(
                f"A value does not fit the table: {text}.",
                hint=hint_for("constraint"),
                code=str(code),
                scenario="constraint",
            )


def _statements(link: Link, batch: pa.RecordBatch, *, limit: int, most: int) -> Iterator[tuple[str, int]]:
    """Yield the rows as VALUES lists of at most `limit` bytes, or of one row where it is larger.

    Raises:
        UsageError: a row is larger than `most`: the server would break the link.
    """
    literals = [literal_column(link, column, field) for column, field in zip(batch.columns, batch.schema, strict=True)]
    pending: list[str] = []
    size = 0
    for row in zip(*literals, strict=True):
        text = f"({','.join(row)})"
        length = len(text) if text.isascii() else len(text.encode())
        if length > most:
            raise UsageError(
                f"A row takes {length} bytes, and the server takes at most {most} at once (max_allowed_packet).",
                hint="Leave the row out, or let the server's administrator raise max_allowed_packet.",
            )
        if pending and size + length > limit:
            yield ",".join(pending), len(pending)
            pending, size = [], 0
        pending.append(text)
        size += length + 1
    if pending:
        yield ",".join(pending), len(pending)


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _check_characters(name: str) -> None:
    """Refuse characters of which MySQL's names have none.

    Raises:
        UsageError: there is one.
    """
    far = next((sign for sign in name if ord(sign) > _LAST_OF_NAMES), None)
    if far is not None:
        raise UsageError(
            f"MySQL takes no {far!r} in a name ({name!r}): its names have characters of up to U+FFFF.",
            hint="Rename it first.",
        )


def _column_name(field: pa.Field) -> str:
    name: str = field.name
    _check_characters(name)
    if not name or name != name.rstrip() or "\0" in name or len(name) > 64:
        raise UsageError(
            f"MySQL takes no column named {name!r}: 1 to 64 characters, none of them NUL, no space at the end.",
            hint="Rename the column first, as with `df.rename(columns=...)`.",
        )
    return name

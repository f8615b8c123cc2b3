"""A table written from record batches: multi-row INSERTs of exact literals in one transaction.

CREATE TABLE commits whatever is open, so a new table is refused inside a transaction, and one that could not be
filled is dropped again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pymysql

from tusk_drivers.mysql.errors import cancelled, from_server
from tusk_drivers.mysql.literals import column_type, literal_column
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.scenarios import hint_for

if TYPE_CHECKING:
    from tusk_drivers.mysql.link import Link
    from tusk_drivers.mysql.turn import Turn

STATEMENT_BYTES = 1 << 20
"""Size of an INSERT; larger ones were not faster, and most servers take 16 MB."""
_MARGIN_BYTES = 1024
SAVEPOINT = "tusk_upload"


def write(link: Link, turn: Turn, table: Sequence[str], reader: pa.RecordBatchReader, *, append: bool) -> int:
    """Create `table` or append to it, and write the reader's rows; all or nothing.

    Raises:
        UsageError: a column has no name, or a type that MySQL has none for; a new table inside a transaction.
        QueryError: the server refused.
        Cancelled: `turn` was stopped.
    """
    name = ".".join(map(_quoted, table))
    columns = [_quoted(_column_name(field)) for field in reader.schema]
    in_transaction = link.in_transaction
    turn.begin()
    created = False
    try:
        if not append:
            _create(link, name, columns, reader.schema, in_transaction=in_transaction)
            created = True
        link.query(f"SAVEPOINT {SAVEPOINT}" if in_transaction else "START TRANSACTION")
        rows = _insert_all(link, turn, name, columns, reader)
        link.query(f"RELEASE SAVEPOINT {SAVEPOINT}" if in_transaction else "COMMIT")
    except BaseException as exc:
        stopped = turn.end()
        _undo(link, name, created=created, in_transaction=in_transaction)
        if isinstance(exc, pymysql.MySQLError):
            raise (cancelled() if stopped else from_server(exc)) from exc
        raise
    turn.end()
    return rows


def _create(link: Link, name: str, columns: Sequence[str], schema: pa.Schema, *, in_transaction: bool) -> None:
    if in_transaction:
        raise UsageError(
            "A transaction is open, and creating a table would commit it.",
            hint="End it with COMMIT or ROLLBACK first, or append to a table that exists.",
        )
    if not columns:
        raise UsageError("A table needs a column, and the data has none.")
    parts = (f"{column} {column_type(field)}" for column, field in zip(columns, schema, strict=True))
    link.query(f"CREATE TABLE {name} ({', '.join(parts)}) DEFAULT CHARSET utf8mb4")


def _undo(link: Link, name: str, *, created: bool, in_transaction: bool) -> None:
    """Take back what was written; a link that broke did it by itself, but for the table."""
    commands = [f"ROLLBACK TO SAVEPOINT {SAVEPOINT}"] if in_transaction else ["ROLLBACK"]
    if created:
        commands.append(f"DROP TABLE {name}")
    for command in ["DO 0", *commands]:  # DO 0 takes a kill that came late
        try:
            link.query(command)
        except pymysql.MySQLError as exc:
            if command.startswith("DROP"):
                exc.add_note(f"The table {name} could not be dropped and is incomplete.")
                raise from_server(exc) from exc


def _insert_all(link: Link, turn: Turn, name: str, columns: Sequence[str], reader: pa.RecordBatchReader) -> int:
    head = f"INSERT INTO {name} ({', '.join(columns)}) VALUES "  # noqa: S608 - the names are quoted
    most = _max_packet(link) - len(head.encode()) - _MARGIN_BYTES
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
    """Raise when the server says that it altered a value, which it does outside strict mode."""
    for level, code, text in link.warnings():
        if level != "Note":
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


def _max_packet(link: Link) -> int:
    return int(link.ask("SELECT @@max_allowed_packet")[0][0])


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _column_name(field: pa.Field) -> str:
    name: str = field.name
    if not name or name != name.rstrip() or "\0" in name or len(name) > 64:
        raise UsageError(
            f"MySQL takes no column named {name!r}: 1 to 64 characters, none of them NUL, no space at the end.",
            hint="Rename the column first, as with `df.rename(columns=...)`.",
        )
    return name

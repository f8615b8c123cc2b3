"""Plans: the one place where an EXPLAIN is made, so that none ever runs the statement that it explains.

What must not happen is that the text behind EXPLAIN is read as an option of it (`ANALYZE DELETE FROM t`). So it has to begin
with a word that begins a query, by the engine's own lexical rules, and the run is read-only besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.driver import StatementText
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.sqltext.dialects import ANSI, DIALECTS, Dialect
from tusk_jupyter.sqltext.lexer import Kind, tokens
from tusk_widgets.plans import joined
from tusk_widgets.server.handler import Call

if TYPE_CHECKING:
    import pyarrow as pa

TIMEOUT_S = 15.0
MOST_LINES = 10_000

_EXPLAIN = {
    "postgresql": "EXPLAIN (ANALYZE FALSE) ",
    "mysql": "EXPLAIN ",
    "sqlite": "EXPLAIN QUERY PLAN ",
    "duckdb": "EXPLAIN ",
}
_QUERIES = frozenset(
    {"SELECT", "WITH", "VALUES", "TABLE", "FROM", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "PIVOT", "UNPIVOT"}
)


class Explain(Message, frozen=True, kw_only=True):
    """Ask for a plan."""

    connection: str
    sql: str


async def explain(call: Call) -> object:
    """Answer with the plan of one statement, as rows and as one text.

    Raises:
        UsageError: it is not exactly one query. QueryError: the database cannot plan it.
    """
    asked = call.read(Explain)
    client = call.access.client

    def run() -> object:
        split = client.split(asked.sql, asked.connection)
        sql = explaining(asked.sql, split.statements, split.dialect)
        request = control.RunRequest(
            session=client.session,
            connection=asked.connection,
            sql=sql,
            timeout_s=TIMEOUT_S,
            limit=MOST_LINES,
            read_only=True,
            kind="tool",
        )
        try:
            return _reply(client.run(request).table, split.dialect)
        except errors.QueryError as exc:
            if exc.scenario != "read_only":
                raise
            raise errors.UsageError(
                "This engine shows the plan of a statement that changes data only where it may be run.",
                hint="Tusk asks for plans in read-only sessions. Ask for the plan of its SELECT.",
            ) from exc

    return await call.access.slowly(run)


def explaining(sql: str, statements: Sequence[StatementText], dialect: str) -> str:
    """Return the statement that asks for the plan of the one in `sql`.

    Raises:
        UsageError: there is not exactly one, it is no query, or it waits for values.
    """
    if len(statements) != 1:
        raise errors.UsageError(
            f"A plan is for one statement; here are {len(statements)}."
            if statements
            else "Here is no statement to explain."
        )
    one = statements[0]
    text = sql[one.start : one.end]
    if not _begins_query(text, DIALECTS.get(dialect, ANSI)):
        raise errors.UsageError(
            "Only queries have a plan.", hint=f"A statement that begins with one of {', '.join(sorted(_QUERIES))}."
        )
    if one.parameters:
        raise errors.UsageError(
            f"A plan depends on values, and there is none for {', '.join(f':{name}' for name in one.parameters)}.",
            hint="Write values in their place.",
        )
    return _EXPLAIN.get(dialect, "EXPLAIN ") + text


def _begins_query(text: str, dialect: Dialect) -> bool:
    """Whether the first word, behind comments and parentheses, begins a query. MySQL's `/*! code */` is no comment."""
    for token in tokens(text, dialect):
        if token.kind is Kind.WORD:
            return text[token.start : token.end].upper() in _QUERIES
        if token.kind is not Kind.COMMENT and text[token.start] != "(":
            return False
    return False


def _reply(table: pa.Table | None, dialect: str) -> dict[str, object]:
    if table is None:
        return {"columns": [], "rows": [], "text": ""}
    columns = [str(name) for name in table.column_names]
    rows = [
        [None if value is None else str(value) for value in row]
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
    ]
    return {"columns": columns, "rows": rows, "text": joined(columns, rows, dialect)}

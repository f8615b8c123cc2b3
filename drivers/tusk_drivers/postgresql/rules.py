"""Rules that answer an INSERT, UPDATE or DELETE with rows.

psql gets these rows by the simple protocol. The extended one throws away what any but the statement's own query yields
(`PortalRunMulti` in PostgreSQL's tcop/pquery.c), and describes the statement as one without rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus

from tusk_drivers.postgresql.columns import batch_of, columns_of, notes_of
from tusk_drivers.postgresql.source import changed_by
from tusk_jupyter.driverkit.session import BATCH_ROWS, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.pq.abc import PGresult

    from tusk_drivers.postgresql.catalog_types import TypeNames
    from tusk_drivers.postgresql.link import Link

RULED = frozenset({"INSERT", "UPDATE", "DELETE", "WITH"})
"""Commands to which rules apply; SELECT's rules are views."""

_TABLES = """
SELECT DISTINCT pg_catalog.lower(c.relname) FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid
OPERATOR(pg_catalog.=) r.ev_class WHERE r.ev_type OPERATOR(pg_catalog.<>) '1' AND c.relnamespace OPERATOR(pg_catalog.<>)
'pg_catalog'::pg_catalog.regnamespace AND r.ev_action::pg_catalog.text OPERATOR(pg_catalog.~~) '%:commandType 1 %'
"""
"""Names of the tables and views with a rule that may yield rows; `INSERT ... SELECT` in one counts, too, and does no harm.

The rule is read as the catalog has it: its text is made under a lock of its table, which another session may hold."""
_OWN = "pg_settings"
"""The one view of the server's own with such a rule: it sets what an UPDATE of it says."""
_TEXT_OID = 25


def may_answer(link: Link, text: str) -> bool:
    """Return whether the database has such a rule: one may apply to a statement that names only a view on its table.

    The server is asked at a session's first change, and again after a statement of the session with the word RULE in it.
    """
    if link.ruled is None and link.status != TransactionStatus.INERROR:
        (found,) = link.run(_TABLES)
        link.ruled = frozenset((found.get_value(row, 0) or b"").decode() for row in range(found.ntuples))
    return bool(link.ruled) or _OWN in text.lower()


def names_one(link: Link, text: str) -> bool:
    """Return whether the name of a table with such a rule stands in a statement."""
    lowered = text.lower()
    return any(name in lowered for name in (_OWN, *(link.ruled or ())))


def answer(
    link: Link, results: Sequence[PGresult], names: TypeNames, notes: Callable[[], Sequence[str]]
) -> Rows | None:
    """Return the last of the results that has rows; None if none has.

    Args:
        link: knows the session's settings.
        results: all that the server answered, in the text formats that we read.
        names: looks up types that are not in the table.
        notes: further ones.
    """
    tables = [one for one in results if one.status == ExecStatus.TUPLES_OK and one.nfields]
    if not tables:
        return None
    columns = columns_of(tables[-1], zone=link.setting("TimeZone"), names=names)
    transformer = Transformer(link.connection)
    transformer.set_pgresult(tables[-1], set_loaders=False)
    transformer.set_loader_types([_TEXT_OID] * len(columns), Format.TEXT)
    rows = transformer.load_rows(0, tables[-1].ntuples, tuple)
    texts = zip(*rows, strict=True) if rows else ((),) * len(columns)
    batch = batch_of(columns, [pa.array(values, pa.string()) for values in texts])
    affected = next((count for count in map(changed_by, results) if count is not None), None)
    several = [f"The statement gave {len(tables)} results; the last one is shown."] if len(tables) > 1 else []
    return Rows(
        schema=batch.schema,
        batches=iter(pa.Table.from_batches([batch]).to_batches(max_chunksize=BATCH_ROWS)),
        types=[column.type_name for column in columns],
        notes=lambda: [*notes_of(columns), *several, *notes()],
        affected=lambda: affected,
    )

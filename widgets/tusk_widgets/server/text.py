"""SQL as text: `/tusk/format`."""

from __future__ import annotations

from tusk_jupyter.protocol.message import Message
from tusk_widgets.formatting import format_sql
from tusk_widgets.server.handler import Call


class FormatText(Message, frozen=True, kw_only=True):
    """Lay out SQL."""

    sql: str
    dialect: str = "ansi"


async def format_text(call: Call) -> object:
    """Answer with the SQL laid out; with an error when that cannot be done without a change of what it means."""
    asked = call.read(FormatText)
    return {"sql": await call.access.slowly(lambda: format_sql(asked.sql, asked.dialect))}

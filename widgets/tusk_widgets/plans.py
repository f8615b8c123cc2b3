"""Plans as text: what engines draw over lines and columns is read whole, in a fixed width, with its own line breaks."""

from __future__ import annotations

import html
from collections.abc import Sequence

from tusk_jupyter.visible import visible

Rows = Sequence[Sequence[str | None]]

MOST_ROWS = 10_000
"""A plan of more rows is shown as any other result."""
_COMMANDS = ("EXPLAIN", "ANALYZE", "SHOW CREATE")
"""What answers with a text. MariaDB's ANALYZE runs a query and shows its plan."""
_STYLE = "white-space:pre;overflow:auto;max-height:640px;margin:0;line-height:1.25"


def is_plan(command: str, columns: Sequence[str], rows: int) -> bool:
    """Return whether a statement's rows are one text: a plan, or the text that makes a table."""
    made = command == "SHOW" and len(columns) > 1 and columns[1].startswith("Create ")
    return rows <= MOST_ROWS and (made or command.startswith(_COMMANDS))


def plan_html(text: str) -> str:
    """Return a plan as HTML that loads nothing."""
    return f'<pre style="{_STYLE}">{html.escape(text)}</pre>'


def joined(columns: Sequence[str], rows: Rows, dialect: str) -> str:
    """Return a plan as one text, with what a terminal would obey made visible: it holds names and literals of others."""
    return visible(_joined(columns, rows, dialect))


def _joined(columns: Sequence[str], rows: Rows, dialect: str) -> str:
    if dialect == "sqlite" and len(columns) == 4:
        return _outline(rows)
    if dialect == "duckdb" or len(columns) == 1 or _is_drawn(rows):  # DuckDB draws its plan into the last column
        return "\n".join(row[-1] or "" for row in rows)
    return _aligned([list(columns), *([value or "" for value in row] for row in rows)])


def _is_drawn(rows: Rows) -> bool:
    """Whether one row's last column has lines of its own, as SHOW CREATE TABLE has."""
    return len(rows) == 1 and "\n" in (rows[0][-1] or "")


def _outline(rows: Rows) -> str:
    """SQLite's rows name their parents; each is indented below its own."""
    depths: dict[str | None, int] = {}
    lines = []
    for own, parent, _, detail in rows:
        depths[own] = depths.get(parent, -1) + 1
        lines.append("  " * depths[own] + (detail or ""))
    return "\n".join(lines)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )

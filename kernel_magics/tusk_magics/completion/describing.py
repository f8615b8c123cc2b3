"""A table's description as text and as HTML; everything in it comes from a database, so everything is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tusk_jupyter.protocol.control import Connection
from tusk_jupyter.protocol.driver import Description, ForeignKey, IndexDescription, SnapshotColumn
from tusk_jupyter.visible import visible
from tusk_magics.completion.inspection import Subject

MOST = 200
"""Columns shown."""
_STYLE = "text-align:left;padding:0 1em 0 0;white-space:nowrap"


def table_bundle(subject: Subject, description: Description | None) -> dict[str, str]:
    """Return text/plain and text/html for a table.

    Args:
        subject: what was pointed at.
        description: the database's own; None: only the snapshot is known.
    """
    title, head, rows = _title(subject, description), _head(description), list(_rows(subject, description))
    more = len(subject.columns) - MOST
    notes = [*([f"{more:,} more columns"] if more > 0 else []), *_notes(subject, description)]
    plain, html = _plain(title, head, rows, notes), _html(title, head, rows, notes)
    return {"text/plain": visible(plain), "text/html": visible(html)}


def words_bundle(title: str, lines: Sequence[str]) -> dict[str, str]:
    """Return text/plain and text/html for a title with lines below it."""
    title, lines = visible(title), [visible(line) for line in lines]
    html = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return {"text/plain": "\n".join([title, *lines]), "text/html": f"<div><b>{escape(title)}</b>{html}</div>"}


def connection_bundle(connection: Connection) -> dict[str, str]:
    """Return what there is to know of a connection."""
    rules = [
        *([connection.environment] if connection.environment else []),
        *(["read-only"] if connection.read_only else []),
    ]
    return words_bundle(
        f"{connection.name} · connection",
        [f"{connection.driver}: {connection.target}", ", ".join([connection.state, *rules])],
    )


def _title(subject: Subject, description: Description | None) -> str:
    if subject.table is None:
        return f"{subject.name} · subquery"
    name = ".".join(subject.table.path)
    alias = (
        ""
        if subject.name.casefold() in (name.casefold(), subject.table.path[-1].casefold())
        else f" (as {subject.name})"
    )
    return f"{name}{alias} · {description.kind if description else subject.table.kind}"


def _head(description: Description | None) -> tuple[str, ...]:
    return ("column", "type", "null", "key", *(("default", "comment") if description else ()))


def _rows(subject: Subject, description: Description | None) -> Iterator[tuple[str, ...]]:
    """Yield a row per column; the one that was pointed at comes first and has an arrow."""
    keys = {name: key for key in (subject.table.foreign_keys if subject.table else ()) for name in key.columns}
    details = {column.name: column for column in description.columns} if description else {}
    chosen = sorted(subject.columns, key=lambda column: column.name != subject.column)
    for column in chosen[:MOST]:
        mark = "→ " if column.name == subject.column else ""
        known = details.get(column.name)
        row = (mark + column.name, known.type if known else column.type, _null(column), _key(column, keys))
        yield (*row, known.default or "", known.comment or "") if known else (*row, *(("", "") if description else ()))


def _null(column: SnapshotColumn) -> str:
    return "null" if column.nullable and not column.primary_key else "not null" if column.type else ""


def _key(column: SnapshotColumn, keys: dict[str, ForeignKey]) -> str:
    parts = ["primary key"] if column.primary_key else []
    if key := keys.get(column.name):
        target = key.references[key.columns.index(column.name)] if len(key.references) == len(key.columns) else ""
        parts.append(f"→ {key.table[-1]}.{target}".rstrip("."))
    return ", ".join(parts)


def _notes(subject: Subject, description: Description | None) -> Iterator[str]:
    comment = (description.comment if description else None) or (subject.table.comment if subject.table else None)
    if comment:
        yield comment
    for index in description.indexes if description else ():
        yield f"index {index.name} ({', '.join(index.columns)}){_uniqueness(index)}"


def _uniqueness(index: IndexDescription) -> str:
    return ", primary" if index.primary else ", unique" if index.unique else ""


def _plain(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    table = [head, *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return "\n".join([title, "", *lines, *(["", *notes] if notes else [])])


def _html(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    body = "".join(_row(row, "td") for row in rows)
    under = "".join(f"<div>{escape(note)}</div>" for note in notes)
    table = f"<table><thead>{_row(head, 'th')}</thead><tbody>{body}</tbody></table>"
    return f"<div><b>{escape(title)}</b>{table}{under}</div>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f'<{tag} style="{_STYLE}">{escape(cell)}</{tag}>' for cell in cells) + "</tr>"

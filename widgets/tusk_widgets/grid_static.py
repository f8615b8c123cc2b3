"""The first rows of a result as static HTML: what a saved notebook, GitHub, nbconvert and papermill show.

Every name and value is escaped, and nothing is loaded from elsewhere. Values with dollar signs are no formulas: the
classes tell MathJax to leave the table alone.
"""

from __future__ import annotations

import html

from tusk_widgets.export import Facts
from tusk_widgets.grid_data import GridData
from tusk_widgets.grid_types import kind_of, name_of

ROWS = 20
COLUMNS = 40
CHARACTERS = 200

_LINE = "1px solid rgba(128, 128, 128, 0.35)"
_CELL = (
    "padding: 0.2em 0.7em; vertical-align: top; white-space: pre-wrap; unicode-bidi: isolate; border-bottom: " + _LINE
)
_LEFT = f"text-align: left; {_CELL}"
_RIGHT = f"text-align: right; font-variant-numeric: tabular-nums; {_CELL}"
_TYPE = "font-weight: normal; opacity: 0.6; font-size: 85%; display: block"
_NULL = "opacity: 0.5; font-style: italic"
_TABLE = f"border-collapse: collapse; border: none; border-top: {_LINE}; margin: 0"
_IGNORED = 'class="tex2jax_ignore mathjax_ignore"'


def static_html(data: GridData, facts: Facts) -> str:
    """Return the table and the line below it."""
    columns = range(min(COLUMNS, len(data.schema)))
    shown = slice(0, min(ROWS, data.rows))
    fields = [data.schema.field(position) for position in columns]
    styles = [_RIGHT if kind_of(field.type) == "number" else _LEFT for field in fields]
    head = "".join(
        f'<th style="{style}">{html.escape(_clipped(field.name))}<span style="{_TYPE}">'
        f"{html.escape(name_of(field.type))}</span></th>"
        for field, style in zip(fields, styles, strict=True)
    )
    rows = zip(*(texts.to_pylist() for texts in data.texts(columns, shown)), strict=True)
    body = "".join(
        "<tr>" + "".join(_cell(style, text) for style, text in zip(styles, row, strict=True)) + "</tr>" for row in rows
    )
    table = f'<table {_IGNORED} style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f"<div {_IGNORED}>{table}<div>{html.escape(counted(data, facts, shown.stop))}</div></div>"


def counted(data: GridData, facts: Facts, shown: int) -> str:
    """Return how much is shown, how much there is, and whether there may be more."""
    rows, columns = data.rows, len(data.schema)
    text = f"{shown:,} shown of {rows:,} fetched" if shown < rows else f"{rows:,} row{'' if rows == 1 else 's'}"
    if columns > COLUMNS:
        text += f" · {COLUMNS:,} of {columns:,} columns shown"
    if facts.more and facts.limit is not None:
        text += f" · more exist (limit {facts.limit:,})"
    return text


def _cell(style: str, text: str | None) -> str:
    if text is None:
        return f'<td style="{style}"><span style="{_NULL}">NULL</span></td>'
    return f'<td style="{style}">{html.escape(_clipped(text))}</td>'


def _clipped(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"

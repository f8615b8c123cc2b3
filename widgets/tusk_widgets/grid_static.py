"""The first rows of a result as static HTML: what a saved notebook, GitHub, nbconvert and papermill show.

Every name and value is escaped, what would be obeyed in it is made visible, and nothing is loaded from elsewhere. Values with
dollar signs are no formulas: the classes tell MathJax to leave the table alone.
"""

from __future__ import annotations

import html

import pyarrow as pa

from tusk_jupyter.visible import visible
from tusk_widgets.export import Facts
from tusk_widgets.grid_data import GridData
from tusk_widgets.grid_types import kind_of, name_of

ROWS = 20
COLUMNS = 40
CHARACTERS = 200
ONE_LINE = 40
"""Characters of a cell that is never broken into lines."""

_LINE = "1px solid rgba(128,128,128,.35)"
_LEFT = "text-align:left;padding:.2em .7em"  # short, because every cell has it
_RIGHT = "text-align:right;padding:.2em .7em"
_TYPE = "font-weight:normal;opacity:.6;font-size:85%;display:block"
_NULL = "opacity:.5;font-style:italic"
_TABLE = (
    f"border-collapse:collapse;border:none;border-top:{_LINE};margin:0;white-space:pre-wrap;"
    "font-variant-numeric:tabular-nums"
)
_BOX = "max-height:640px;overflow:auto"
"""Twenty rows of one line fit; rows of long texts are scrolled."""
_ROW = f"vertical-align:top;border-bottom:{_LINE}"
_IGNORED = 'class="tex2jax_ignore mathjax_ignore"'


def static_html(data: GridData, facts: Facts) -> str:
    """Return the table and the line below it."""
    columns = range(min(COLUMNS, len(data.schema)))
    shown = slice(0, min(ROWS, data.rows))
    fields = [data.schema.field(position) for position in columns]
    texts = [column.to_pylist() for column in data.shown(columns, shown)]
    styles = [_style(field.type, column) for field, column in zip(fields, texts, strict=True)]
    head = "".join(
        f'<th style="{style}">{_shown(_clipped(field.name))}<span style="{_TYPE}">'
        f"{_shown(name_of(field.type))}</span></th>"
        for field, style in zip(fields, styles, strict=True)
    )
    rows = zip(*texts, strict=True)
    body = "".join(
        f'<tr style="{_ROW}">' + "".join(_cell(style, text) for style, text in zip(styles, row, strict=True)) + "</tr>"
        for row in rows
    )
    table = (
        f'<table {_IGNORED} style="{_TABLE}"><thead><tr style="{_ROW}">{head}</tr></thead><tbody>{body}</tbody></table>'
    )
    table = f'<div style="{_BOX}">{table}</div>'
    return f"<div {_IGNORED}>{table}<div>{html.escape(counted(data, facts, shown.stop))}</div></div>"


def _style(kind: pa.DataType, texts: list[str | None]) -> str:
    """Return the style of a column's cells: numbers to the right, and only long texts in several lines."""
    is_short = all(text is None or len(text) <= ONE_LINE for text in texts)
    return (_RIGHT if kind_of(kind) == "number" else _LEFT) + (";white-space:pre" if is_short else "")


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
    return f'<td style="{style}">{_shown(_clipped(text))}</td>'


def _shown(text: str) -> str:
    return html.escape(visible(text))


def _clipped(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"

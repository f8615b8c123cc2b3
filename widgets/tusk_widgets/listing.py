"""A listing as static HTML: escaped, without a script or a style from elsewhere, so that a saved notebook keeps it."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

from tusk_jupyter.visible import visible

_CELL = "text-align: left; padding: 0.2em 0.8em 0.2em 0; vertical-align: top; white-space: pre-wrap"
_NUMBER = "text-align: right; padding: 0.2em 0.8em 0.2em 0; vertical-align: top; font-variant-numeric: tabular-nums"
_TABLE = "border-collapse: collapse; border: none; margin: 0"


def listing_html(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    *,
    right: Collection[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return a table.

    Args:
        columns: their headings.
        rows: one text per column; None is shown as nothing.
        right: headings of the columns with numbers.
        notes: sentences below it.
    """
    styles = [_NUMBER if name in right else _CELL for name in columns]
    head = "".join(_cell("th", style, name) for style, name in zip(styles, columns, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell("td", style, text) for style, text in zip(styles, row, strict=True)) + "</tr>"
        for row in rows
    )
    below = "".join(f"<div>{html.escape(visible(note))}</div>" for note in notes)
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}'


def _cell(tag: str, style: str, text: str | None) -> str:
    return f'<{tag} style="{style}">{html.escape(visible(text or ""))}</{tag}>'

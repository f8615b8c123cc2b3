"""Where the SQL of a run stands in what the user wrote, so that errors are counted in their own cell."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

_TOKEN = re.compile(r'"(?:[^"\n]|"")*"|`[^`\n]*`|\'(?:[^\'\n]|\'\')*\'|[\w$]+|[^\w\s]')
_WIDTH = 96
"""Characters of a line that are shown; a notebook's output area takes about 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The text that the user sees, and where the submitted SQL begins in it."""

    text: str
    start: int = 0
    name: str = "the cell"
    hidden: tuple[str, ...] = ()
    """Secrets that a template put into it."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What the query log would hide of the SQL: an error is an output, and is saved with the notebook."""
        return (*self.hidden, *_secrets_in(self.text[self.start :]))

    def without_secrets(self, text: str) -> str:
        """Return a message, or a piece of the SQL, with `***` for each of them."""
        from tusk_jupyter.sqltext.hiding import redact_text  # 18 ms, at the first error only

        return redact_text(text, self.secrets)

    def line_and_column(self, position: int) -> tuple[int, int]:
        """Return the 1-based line and column of an offset into the SQL."""
        at = self._at(position)
        before = self.text.rfind("\n", 0, at) + 1
        return self.text.count("\n", 0, at) + 1, at - before + 1

    def excerpt(self, position: int) -> list[str]:
        """Return the line of an offset into the SQL, and below it a line that underlines the token there."""
        at = self._at(position)
        begin = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        line = self.text[begin : end if end >= 0 else len(self.text)].replace("\t", " ").replace("\r", " ")
        number, column = self.line_and_column(position)
        hidden = self.without_secrets(line)
        if hidden != line:
            before = self.without_secrets(line[: column - 1])
            line, column = hidden, _alike(hidden, before) + 1
        match = _TOKEN.match(line, column - 1)
        length = match.end() - match.start() if match else 1
        line, column = _window(line, column - 1)
        marked = line[column : column + length]
        head = f"{number:>5} | "
        pad = " " * (len(head) - 2) + "| " + " " * _cells(line[:column])
        return [head + line, pad + "^" * max(_cells(marked), 1)]

    def _at(self, position: int) -> int:
        return max(0, min(self.start + position, len(self.text)))


@functools.lru_cache(maxsize=1)  # asked for several times for one error
def _secrets_in(sql: str) -> tuple[str, ...]:
    from tusk_jupyter.sqltext.redaction import secrets_in

    return secrets_in(sql, "ansi")


def place_in_cell(raw: str | None, shown: str, sql: str, line_number: int | None = None) -> Place:
    """Return where `sql` stands in a cell.

    Args:
        raw: the cell as its author wrote it, or None where nobody knows.
        shown: the magic's own line, and body, as IPython gave them; ends with `sql`.
        sql: what is submitted.
        line_number: 1-based line of the cell that is running, for a `%sql` that stands there more than once.
    """
    spots = _all_spots(raw, sql) if raw and sql.strip() else []
    if raw is None or not spots:
        return Place(text=shown, start=len(shown) - len(sql))
    on_line = [spot for spot in spots if raw.count("\n", 0, spot) + 1 == line_number]
    # The magic's text ends the cell (`%%sql`) or stands behind a `%sql`; the last spot is right for the first.
    return Place(text=raw, start=(on_line or spots)[-1])


def _all_spots(raw: str, sql: str) -> list[int]:
    spots, at = [], raw.find(sql)
    if at < 0 and (at := raw.find(sql.rstrip())) >= 0:  # IPython ends a cell with a newline of its own
        sql = sql.rstrip()
    while at >= 0:
        spots.append(at)
        at = raw.find(sql, at + 1)
    return spots


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _window(line: str, column: int) -> tuple[str, int]:
    """Return the part of a long line around `column`, and the column in it."""
    if len(line) <= _WIDTH:
        return line, column
    begin = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH))
    cut = line[begin : begin + _WIDTH]
    lead = "…" if begin else ""
    tail = "…" if begin + _WIDTH < len(line) else ""
    return f"{lead}{cut}{tail}", column - begin + len(lead)


def _cells(text: str) -> int:
    """Return how many columns a terminal gives `text`: East Asian wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )

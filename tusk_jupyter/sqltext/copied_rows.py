"""Rows behind `COPY users (name, password) FROM stdin;`, as dumps and psql have them: no SQL, so no lexer reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tusk_jupyter.sqltext.secret_names import is_secret_key

_COPY = re.compile(
    r"\bcopy\s++(?:only\s++)?(?:\"[^\"\n]{1,200}+\"|[\w.$]{1,200}+){1,9}+\s*+(?:\(([^()]{1,4000}+)\)\s*+)?+from\s++stdin\b"
    r"[^;\n]{0,400}+;?+[ \t]*+\r?\n"
    r"((?:(?!\\\.)[^\n]*+(?:\n|\Z))*?)(?=\\\.|\Z)",
    re.IGNORECASE,
)


ROWS = re.compile(r"[ \t]*+\r?\n(?P<rows>(?:(?!\\\.[ \t]*+\r?(?:\n|\Z))[^\n]*+\n)*+)\\\.[ \t]*+\r?(?:\n|\Z)")
"""Rows behind the separator of a COPY, up to the line that ends them."""
_TAKES_ROWS = re.compile(r"\bfrom\s++stdin\b", re.IGNORECASE)


def takes_rows(copy: str) -> bool:
    """Return whether a COPY reads the rows that stand behind it."""
    return _TAKES_ROWS.search(copy) is not None


def pieces(sql: str) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield a text piece by piece: SQL, the rows behind it, and the numbers of their secret columns."""
    done = 0
    for match in _COPY.finditer(sql) if "stdin" in sql.lower() else ():
        names = (match[1] or "").split(",")
        secret = tuple(n for n, name in enumerate(names) if is_secret_key(name.strip(' "\n')))
        if (secret or sql.startswith("\\.", match.end())) and match[2].strip():
            yield sql[done : match.start(2)], match[2], secret
            done = match.end(2)
    yield sql[done:], "", ()


def without_secrets(rows: str, secret: tuple[int, ...]) -> tuple[str, list[str]]:
    """Return rows without what stands in their secret columns, and that; a row that is read by other rules goes as a whole."""
    if not secret:
        return rows, []
    found, shown = [], []
    for row in rows.splitlines(keepends=True):
        plain = row.rstrip("\r\n")
        sign = "\t" if "\t" in plain else ","
        fields = plain.split(sign)
        whole = '"' in plain or len(fields) <= secret[-1]
        for number in () if whole else secret:
            found.append(fields[number])
            fields[number] = "***"
        if whole and plain:
            found += [plain, *fields]
            fields = ["***"]
        shown.append(sign.join(fields) + row[len(plain) :])
    return "".join(shown), found

"""SQL and messages as the query log may keep them: secrets replaced by `***`, everything else as it was.

Two nets: places that the lexer knows (`secret_places`), and shapes inside of literals and comments (`secret_shapes`).
What both do not know is kept: the log is its user's own data, and a log that hides WHERE conditions is of no use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

from tusk_jupyter.sqltext.dialects import ANSI, DIALECTS, Dialect
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.secret_places import secret_tokens
from tusk_jupyter.sqltext.secret_shapes import HIDDEN, find_shapes, hide_shapes

_HINTS = re.compile(
    r"pass|pwd|secret|token|key|identified|credential|crypt|hmac|connection|://|bearer|auth|-u|sig=|user|role|grant"
    r"|AKIA|ASIA|eyJ|gh[pousr]_|github_pat|xox|glpat|sk-",
    re.IGNORECASE,
)
"""A text without any of these has no secret that we know; most have none, and go unread."""
_DOLLARS = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_MAY_HOLD_ONE = (Kind.STRING, Kind.COMMENT, Kind.NAME)
_DEPTH = 4  # code in a dollar-quoted body in a dollar-quoted body ...
_SHORT = 4  # characters; a shorter secret is replaced only where it stands alone, or it would tear words apart


def redact(sql: str, dialect_name: str) -> str:
    """Return `sql` with its secrets replaced by `***`; an unknown dialect is read as ANSI, for a log must not fail."""
    if not _HINTS.search(sql):
        return sql
    return _redact(sql, DIALECTS.get(dialect_name, ANSI), _DEPTH)


def secrets_in(sql: str, dialect_name: str) -> tuple[str, ...]:
    """Return the secrets that stand in `sql`, unquoted: an error message may repeat them out of their place."""
    if not _HINTS.search(sql):
        return ()
    return tuple(dict.fromkeys(filter(None, _secrets(sql, DIALECTS.get(dialect_name, ANSI), _DEPTH))))


def redact_text(text: str, known_secrets: Iterable[str]) -> str:
    """Return a message without secrets.

    Args:
        text: as a database's error message, which may echo SQL.
        known_secrets: hidden wherever they appear, also quoted or percent-encoded: passwords, and `secrets_in` the SQL.
    """
    spellings = {spelling for secret in known_secrets if secret for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        pattern = re.escape(spelling)
        if len(spelling) < _SHORT:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, HIDDEN, text)
    return hide_shapes(text) if _HINTS.search(text) else text


def _redact(sql: str, dialect: Dialect, depth: int) -> str:
    found = tokens(sql, dialect)
    secret = secret_tokens(sql, found)
    parts, at = [], 0
    for index, token in enumerate(found):
        shown = f"'{HIDDEN}'" if index in secret else _shown(sql, token, dialect, depth)
        if shown is not None:
            parts += [sql[at : token.start], shown]
            at = token.end
    return "".join([*parts, sql[at:]])


def _secrets(sql: str, dialect: Dialect, depth: int) -> Iterator[str]:
    found = tokens(sql, dialect)
    secret = secret_tokens(sql, found)
    for index, token in enumerate(found):
        written = sql[token.start : token.end]
        if index in secret:
            yield _unquoted(written)
        elif token.kind in _MAY_HOLD_ONE and _HINTS.search(written):
            body = _body(written) if token.kind is Kind.STRING and depth else None
            yield from _secrets(body, dialect, depth - 1) if body else find_shapes(written)


def _shown(sql: str, token: Token, dialect: Dialect, depth: int) -> str | None:
    """Return what the log shows of a token that is no secret as a whole, or None for the token itself."""
    written = sql[token.start : token.end]
    if token.kind not in _MAY_HOLD_ONE or not _HINTS.search(written):
        return None
    body = _body(written) if token.kind is Kind.STRING and depth else None
    if body:
        written = written.replace(body, _redact(body, dialect, depth - 1))
    return hide_shapes(written)


def _body(literal: str) -> str | None:
    """Return the inside of a dollar-quoted literal, which may be code, or None for another literal."""
    tag = _DOLLARS.match(literal)
    return literal[len(tag[0]) : -len(tag[0])] if tag and len(literal) >= 2 * len(tag[0]) else None


def _unquoted(literal: str) -> str:
    """Return a literal's text, as far as a message could show it."""
    tag = _DOLLARS.match(literal)
    if tag:
        return literal[len(tag[0]) :].removesuffix(tag[0])
    opening = re.match(r"(?:[uU]&|[eEbBxXnN])?(['\"`])", literal)
    if not opening:
        return literal
    sign = opening[1]
    inner = literal[opening.end() :].removesuffix(sign).replace(sign * 2, sign)
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner


def _spellings(secret: str) -> Sequence[str]:
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    return (secret, secret.replace("'", "''"), escaped, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])

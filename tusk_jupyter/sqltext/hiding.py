"""Messages without secrets: what a server, a library or we ourselves say of a run may repeat its literals and values.

A secret is known from the run (`examine` of its SQL, its bound values) and is looked for in every form in which messages
repeat one: quoted, escaped, percent-encoded, as hexadecimal digits, in another case, cut off. What nobody told us is
still hidden where its surroundings give it away (`secret_shapes`).
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from tusk_jupyter.sqltext.quoted_values import hide_quoted_values
from tusk_jupyter.sqltext.redaction import examine, hints_in
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret
from tusk_jupyter.sqltext.secret_shapes import HIDDEN, hide_shapes

_SHORT = 4
"""Characters; a shorter secret is replaced only where it stands alone, or it would tear words apart."""
_CUT = 8
"""Characters of a secret that must stand there before an ellipsis, a quote or an end to be taken for a piece of it."""
_LONGEST_LINE = 4_000
_AFTER_CUT = ("…", "...", "'", '"', "`", "\n", ")", "]")
_BEFORE_CUT = ("…", "...", "\n")
_LIKE_ASCII = str.maketrans("\u0130\u0131\u017f\u212a", "iisk")
"""Signs that a pattern without regard to case takes for these letters."""


def secrets_of(sql: str, dialect: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the secrets of a run: those that stand in its SQL, and bound values by their names and places."""
    found = examine(sql, dialect, values)
    names = found.parameters | {name for name in values if is_meant_as_secret(name)}
    return tuple(dict.fromkeys([*found.secrets, *(text for name in names for text in texts_of(values[name]))]))


def texts_of(value: object) -> Iterator[str]:
    """Yield what a message could show of a bound value: of a list or document, of each part."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from texts_of(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, bytes):
        yield from (value.hex(), base64.b64encode(value).decode(), value.decode("utf-8", "replace"), repr(value)[2:-1])
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def redact_text(text: str, known_secrets: Iterable[str]) -> str:
    """Return a message without secrets.

    Args:
        text: as a database's error message, which may echo SQL.
        known_secrets: hidden wherever they appear, in whatever form.
    """
    text = hide_quoted_values(hide_known(text, known_secrets))
    return hide_shapes(text) if hints_in(text) else text


def hide_known(text: str, known_secrets: Iterable[str]) -> str:
    """Return a text without these secrets, in whatever form they appear."""
    secrets = [secret for secret in known_secrets if secret]
    lower = text.casefold()
    found = {one for secret in secrets for one in _spellings(secret, longest=len(lower)) if one.casefold() in lower}
    for spelling in sorted(found, key=len, reverse=True):
        text = _pattern(spelling).sub(HIDDEN, text)
    folded = _folded(text)
    for secret in secrets:
        if _may_have_piece(folded, secret):
            text = _without_pieces(text, secret)
            folded = _folded(text)
    return text


def _pattern(spelling: str) -> re.Pattern[str]:
    pattern = re.escape(spelling)
    if len(spelling) < _SHORT:
        return re.compile(rf"(?<!\w){pattern}(?!\w)")
    return re.compile(pattern, re.IGNORECASE)


def _spellings(secret: str, *, longest: int) -> Iterator[str]:
    """Yield the forms of a secret, of at most so many characters; a script may have thousands of secrets."""
    yield secret
    if not (secret.isascii() and secret.isalnum()):  # which is written alike in every notation
        escaped = secret.replace("\\", "\\\\")
        yield from (secret.strip(), repr(secret)[1:-1], json.dumps(secret)[1:-1], html.escape(secret))
        yield from (secret.replace(sign, sign * 2) for sign in "'\"`")
        yield from (escaped, escaped.replace("'", "\\'"), escaped.replace('"', '\\"'), escaped.replace("'", "''"))
        yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    if len(secret) >= _SHORT:
        if len(secret) <= longest:
            coded = secret.encode("utf-8", "surrogatepass")
            yield from (coded.hex(), base64.b64encode(coded).decode())
            if len(coded) * 4 <= longest:
                yield "".join(f"\\{byte:03o}" for byte in coded)
        lines = secret.splitlines()
        if len(lines) > 1:  # a key over many lines, of which a message shows one
            yield from (line.strip() for line in lines if len(line.strip()) >= _CUT)


def _folded(text: str) -> str:
    """Return a text in the case in which pieces of secrets are looked for."""
    return text.translate(_LIKE_ASCII).lower()


def _may_have_piece(folded: str, secret: str) -> bool:
    """Return whether a piece of a secret may stand in a text; to look takes a hundredth of the patterns' time."""
    if len(secret) <= _CUT or len(secret) > _LONGEST_LINE:
        return False
    begins, ends = secret[:_CUT], secret[-_CUT:]
    return not (begins + ends).isascii() or begins.lower() in folded or ends.lower() in folded


def _without_pieces(text: str, secret: str) -> str:
    """Hide the beginning of a secret that a message cut off, and the end of one that it left the beginning out of."""
    # Found with a look-ahead, for a secret that repeats itself overlaps its own beginnings; the longest piece wins.
    done = 0
    parts = []
    for match in re.finditer(f"(?={re.escape(secret[:_CUT])})", text, re.IGNORECASE):
        start = match.start()
        end = start + _CUT
        while end < len(text) and end - start < len(secret) and text[end] == secret[end - start]:
            end += 1
        if start >= done and (end == len(text) or text.startswith(_AFTER_CUT, end)):
            parts += [text[done:start], HIDDEN]
            done = end
    text = "".join([*parts, text[done:]])
    hidden_from = len(text)
    for match in reversed(list(re.finditer(f"(?={re.escape(secret[-_CUT:])})", text, re.IGNORECASE))):
        start, end = match.start(), match.start() + _CUT
        while start > 0 and end - start < len(secret) and text[start - 1] == secret[start - 1 - end]:
            start -= 1
        if end <= hidden_from and (start == 0 or text.endswith(_BEFORE_CUT, 0, start)):
            text = text[:start] + HIDDEN + text[end:]
            hidden_from = start
    return text

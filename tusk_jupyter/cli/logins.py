"""Passwords in URLs, and in what people write for one: without its scheme, in Oracle's form, in Go's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from tusk_jupyter.sqltext.secret_names import is_secret_parameter

_COLON = r"(?::|%3[Aa])"
_AT = r"@(?=[\w.\[(/-]|\Z)"
_URL = re.compile(r"(?:[A-Za-z][\w+.-]*:)+//(\S*)")
_WITHOUT_SCHEME = re.compile(r"@?//(\S*)")
_COLONED = re.compile(rf"([^\s/@:'\"=]*?){_COLON}(\S+){_AT}")
_SLASHED = re.compile(rf"(?:jdbc:\w+:\w+:)?@?(?://)?([^\s/@:?'\"=]+)/([^\s@]+){_AT}")
_SLASHED_URL = re.compile(r"([^\s/@:?]+)/([^\s@?]+)@[\w.\[\]-]+[:/]")
_PORT_AND_QUERY = re.compile(r"\d*(?:/[^?]*)?\?.*", re.DOTALL)
_FIELDS = re.compile(r"[?&;]([\w.%-]+)=([^\s&;]+)")
_FOLDERS = frozenset([".", "..", "~"])
_DATABASE_FILE = re.compile(r"@[^/@]*\.(?:duckdb|ddb|db\d?|sqlite3?|s3db)\Z", re.IGNORECASE)
"""`data/sales@2024.duckdb` is a path, and no user, password and host."""


def in_login(word: str) -> Iterator[str]:
    """Yield the passwords of a word that may be a URL, or stand for one."""
    yield from in_url(word)
    plain = word.strip("'\"<>")
    if "://" in plain or plain.startswith("-"):
        return
    if match := _WITHOUT_SCHEME.match(plain):
        yield from _in_authority(match[1])
    if match := _COLONED.match(plain):
        yield match[2]
    match = _SLASHED.match(plain)
    if match and match[1] not in _FOLDERS and not _DATABASE_FILE.search(plain):
        yield match[2]


def in_url(word: str) -> Iterator[str]:
    """Yield the passwords of the complete URLs in a word."""
    for match in _URL.finditer(word):
        yield from _in_authority(match[1])
        if slashed := _SLASHED_URL.match(match[1]):
            yield slashed[2]


def in_urls_of(text: str) -> tuple[str, ...]:
    """Return the passwords of all complete URLs in a text."""
    words = text.split() if "://" in text else []
    return tuple(secret for word in words if "://" in word for secret in in_url(word.rstrip("'\"),;")))


def _in_authority(rest: str) -> Iterator[str]:
    """A password before the last `@`, since people paste passwords with @ and / in them; or among the query's fields."""
    user, *password = re.split(_COLON, rest.rpartition("@")[0], maxsplit=1)
    plain = user.startswith("[") or re.search(r"[/?]", user)
    # Digits and a path up to the query are a port: host:5432/d?mail=a@b
    if password and password[0] and not plain and not _PORT_AND_QUERY.fullmatch(password[0]):
        yield password[0]
    for name, value in _FIELDS.findall(rest):
        if is_secret_parameter(unquote(name)):
            yield value

"""Passwords in URLs, and in what people write for one: without its scheme, in Oracle's form, in Go's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from tusk_jupyter.sqltext.secret_names import is_secret_parameter

_COLON = r"(?::|%3[Aa])"
_AT = r"@(?=[\w.\[(/-]|\Z)"
_URL = re.compile(r"(?:[A-Za-z][\w+.-]*:)+//(\S*)")
_URL_WITH_BLANKS = re.compile(r"(?:[A-Za-z][\w+.-]*:)+//([^\n]*)")
_QUOTED_URL = re.compile(r"(['\"])((?:[A-Za-z][\w+.-]{0,40}:){1,4}//(?:(?!\1)[^\n]){1,2000})\1")
_WITHOUT_SCHEME = re.compile(r"@?//([^\s:]*:[^@\n]*@\S*|\S*)")
_COLONED = re.compile(rf"([^\s/@:'\"=]*?){_COLON}(\S+){_AT}")
_COLONED_WITH_BLANKS = re.compile(r"([^\s/@:'\"=]+):([^/@\s][^/@]*\s[^/@]*)@(?=[\w.\[(-]+(?:[:/]|\Z))")
_PGPASS = re.compile(r"[^\s:/\\]+:(?:\d{1,5}|\*):[^\s:]*:[^\s:]*:(\S+)")
"""A line of `~/.pgpass`: host:port:database:user:password."""
_SLASHED = re.compile(rf"(?:jdbc:\w+:\w+:)?@?(?://)?([^\s/@:?'\"=]+)/([^\s@]+){_AT}")
_SLASHED_URL = re.compile(r"([^\s/@:?]+)/([^\s@?]+)@[\w.\[\]-]+[:/]")
_PORT_AND_QUERY = re.compile(r"\d*(?:/[^?]*)?\?.*", re.DOTALL)
_SEPARATED = re.compile(r"([^\s/@:;,|?=]+)(?:[;,|]|%3[Bb]|%2[Cc]|%7[Cc])([^\s/?=]+)")
"""`u;pw`, `u,pw`: the wrong sign between a user and a password."""
_BEHIND_HOST = re.compile(rf"[^\s/@:]+@(?:[^\s/@:\[\]()]+|\[[^\]]*\]){_COLON}([^\s@]+)")
_PORT = re.compile(r"\d{0,5}(?:[/?#;,:)\s].*)?|[/\\~$<{].*|memory:.*", re.DOTALL)
"""What may stand behind a host and a colon: a port, with what follows it; a path, as scp has it; a template's field."""
_ROLES = re.compile(r"(?:IAM[AR]?|arn):", re.IGNORECASE)
_ENCODED_ROLE = re.compile(r"IAM[AR]?%3A", re.IGNORECASE)
"""Beginnings of users that have a colon of their own: Redshift's, AWS's."""
_FIELDS = re.compile(r"[?&;]([\w.%-]+)=([^\s&;]+)")
USERS = frozenset(["user", "username", "uid", "login"])
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
    if match := _COLONED.match(plain) or _COLONED_WITH_BLANKS.match(plain):
        yield match[2]
    elif not _DATABASE_FILE.search(plain):
        yield from _in_port(plain)
    if match := _PGPASS.fullmatch(plain):
        yield match[1]
    match = _SLASHED.match(plain)
    if match and match[1] not in _FOLDERS and not _DATABASE_FILE.search(plain):
        yield match[2]


def in_url(word: str) -> Iterator[str]:
    """Yield the passwords of the complete URLs in a word."""
    for match in _URL.finditer(word):
        yield from _in_authority(match[1])
        nested = match[1].rfind("://", 0, match[1].rfind("@")) if "@" in match[1] else -1
        if nested > 0:  # a URL as the path of another one
            yield from _in_authority(match[1][nested + 3 :])
        if slashed := _SLASHED_URL.match(match[1]):
            yield slashed[2]
    whole = _URL_WITH_BLANKS.match(word.strip("'\"<> ")) if " " in word.strip() else None
    if whole and not _PORT.fullmatch(re.split(_COLON, whole[1], maxsplit=1)[-1]):
        yield from _in_authority(whole[1])


def in_broken_url(words: Sequence[str]) -> Iterator[str]:
    """Yield what stands where a URL has its port, and is none; with all words up to its `@`, over which it may be spread."""
    for at, word in enumerate(words):
        if not (match := _URL_WITH_BLANKS.match(word.strip("'\"<>"))):
            continue
        authority = match[1]
        if "@" in authority:
            yield from _in_port(authority)
            continue
        host, colon, port = authority.partition(":")
        if not colon or re.search(r"[/?#\[]", host) or _PORT.fullmatch(port):
            continue
        yield port
        last = next((i for i in range(len(words) - 1, at, -1) if "@" in words[i]), at)
        if last > at:
            yield from (port, *words[at + 1 : last], words[last].rpartition("@")[0])
            yield " ".join((port, *words[at + 1 : last + 1])).rpartition("@")[0]


def in_user(name: str) -> Iterator[str]:
    """Yield the password of `u:pw`, as curl takes it, where a user alone is asked for."""
    if _ROLES.match(name):
        return
    _, colon, password = name.partition(":")
    if colon and password:
        yield password
    elif match := _SEPARATED.fullmatch(name):
        yield match[2]


def in_urls_of(text: str) -> tuple[str, ...]:
    """Return the passwords of all complete URLs in a text."""
    words = text.split() if "://" in text else []
    found = [secret for word in words if "://" in word for secret in in_url(word.rstrip("'\"),;"))]
    if "://" in text:
        found += [secret for match in _QUOTED_URL.finditer(text) if " " in match[2] for secret in in_url(match[2])]
    return tuple(dict.fromkeys(found))


def _in_port(word: str) -> Iterator[str]:
    """`u@h:pw`: a password behind the host, where a port stands."""
    if (match := _BEHIND_HOST.match(word)) and not _PORT.fullmatch(match[1]):
        yield match[1].partition("/")[0] or match[1]


def _in_authority(rest: str) -> Iterator[str]:
    """A password before the last `@`, since people paste passwords with @ and / in them; or among the query's fields."""
    before = rest.rpartition("@")[0]
    user, *password = re.split(_COLON, before, maxsplit=1)
    plain = user.startswith("[") or re.search(r"[/?]", user) or _ENCODED_ROLE.match(before)
    # Digits and a path up to the query are a port: host:5432/d?mail=a@b
    if password and password[0] and not plain and not _PORT_AND_QUERY.fullmatch(password[0]):
        yield password[0]
    elif not password and (separated := _SEPARATED.fullmatch(before)):
        yield separated[2]
    for name, value in _FIELDS.findall(rest):
        if is_secret_parameter(unquote(name)):
            yield value
        elif name.lower() in USERS:
            yield from in_user(unquote(value))

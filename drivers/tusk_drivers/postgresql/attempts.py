"""What libpq and psycopg report of a failed sign-in, each thing once.

libpq repeats host and port in front of each try at one address (with encryption, then without), and asks whether the server is
running; psycopg puts the last failure first, then a list of all of them.
"""

from __future__ import annotations

import re

_LIST = "\nMultiple connection attempts failed. All failures were:"
_ENTRY = re.compile(
    r"(?:host: '(?P<host>[^']*)')?(?:, )?(?:port: '(?P<port>[^']*)')?(?:, )?(?:hostaddr: '(?P<address>[^']*)')?: (?P<words>.*)",
    re.DOTALL,
)
_TRY = re.compile(
    r"(?:connection (?:failed|is bad): )?connection to server (?:at|on socket) \"[^\"]*\"[^\n]*? failed: "
)
_QUESTION = re.compile(r"\s*Is the server running[^?]*\?")


def told(words: str) -> str:
    """Return the words of a failed sign-in as one sentence: several hosts or addresses apart where they differ."""
    _, has_list, entries = words.partition(_LIST)
    if not has_list:
        return _once(words)
    found = [match for entry in entries.split("\n- ")[1:] if (match := _ENTRY.fullmatch(entry))]
    if not found:
        return _once(words)
    several_hosts = len({(match["host"], match["port"]) for match in found}) > 1
    places = [_place(match, by_host=several_hosts) for match in found]
    said = [_once(match["words"]) for match in found]
    if len(set(said)) == 1:
        return f"{said[0]} ({', '.join(dict.fromkeys(places))})"
    return "; ".join(dict.fromkeys(f"{place}: {one}" for place, one in zip(places, said, strict=True)))


def _place(match: re.Match[str], *, by_host: bool) -> str:
    name = (match["host"] if by_host else match["address"]) or match["host"] or match["address"] or ""
    port = match["port"] or ""
    return f"{f'[{name}]' if ':' in name else name}{f':{port}' if port else ''}"


def _once(words: str) -> str:
    """Return what was said at one address, each try's words once."""
    tries = (" ".join(_QUESTION.sub("", piece).split()) for piece in _TRY.split(words))
    return "; ".join(dict.fromkeys(one.removeprefix("connection failed: ") for one in tries if one))

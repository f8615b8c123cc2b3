"""A database's own names of nested types, taken apart: `STRUCT(a INTEGER, b DATE[])`, `MAP(VARCHAR, ENUM('a, b'))`, `box[]`."""

from __future__ import annotations

import re

_WORD = re.compile(r"\s*\"?(\w[\w ]*\w|\w+)")
_LIST = re.compile(r"(.*)\[\d*\]", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_NAMED = frozenset({"STRUCT", "UNION"})
"""Types whose members have a name before their type."""


def outer(name: str) -> str:
    """Return the word of a type: LIST for any list, else what stands before its parentheses, in upper case."""
    if _LIST.fullmatch(name):
        return "LIST"
    found = _WORD.match(name)
    return found[1].upper() if found else ""


def members(name: str) -> tuple[str, ...]:
    """Return the names of the types of which a type is made, or nothing for one that is not nested."""
    if found := _LIST.fullmatch(name):
        return (found[1],)
    word, begin = outer(name), name.find("(")
    if begin < 0 or word not in (*_NAMED, "TUPLE", "MAP"):
        return ()
    parts = _parts(name[begin + 1 : name.rfind(")")])
    return tuple(_without_name(part) if word in _NAMED else part for part in parts)


def _parts(text: str) -> list[str]:
    """Cut a text at the commas that stand in no parentheses and no quotes."""
    parts, depth, begin, place = [], 0, 0, 0
    while place < len(text):
        if quoted := _QUOTED.match(text, place):
            place = quoted.end()
            continue
        mark = text[place]
        depth += (mark == "(") - (mark == ")")
        if mark == "," and depth == 0:
            parts.append(text[begin:place].strip())
            begin = place + 1
        place += 1
    return [*parts, text[begin:].strip()]


def _without_name(part: str) -> str:
    quoted = _QUOTED.match(part)
    return part[quoted.end() :].strip() if quoted else part.partition(" ")[2].strip()

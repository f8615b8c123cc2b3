"""Values whose name is a literal beside them: `INSERT INTO cfg (key, value) VALUES ('api_key', 'x')`, `MAP(['token'], ['x'])`.

Tables of settings, JSON documents and maps keep a secret under a name that is data. It is known by that name and by the
place of the value: the column for values beside the one for names, the second list, the comparison with `d ->> 'password'`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tusk_jupyter.sqltext import secret_columns
from tusk_jupyter.sqltext.lexed import REACH, Lexed
from tusk_jupyter.sqltext.lexer import Kind

_WHAT = (
    "CONFIG",
    "SETTING",
    "OPTION",
    "PARAM",
    "PARAMETER",
    "PROPERTY",
    "VARIABLE",
    "ATTRIBUTE",
    "META",
    "ENV",
    "ENTRY",
    "PREF",
)
_TABLES = ("CONFIG", "SETTING", "OPTION", "PARAM", "PROPERT", "PREFERENCE", "VARIABLE", "SECRET", "CREDENTIAL")
_NAME_WORDS = (
    "KEY", "NAME", "K", "CODE", "FIELD", *_WHAT, *(f"{what}_{last}" for what in _WHAT for last in ("KEY", "NAME", "CODE")),
)  # fmt: skip
_VALUE_WORDS = ("VALUE", "VAL", "V", "CONTENT", *(f"{what}_{last}" for what in _WHAT for last in ("VALUE", "VAL")))
_QUOTES = ("{}", '"{}"', "`{}`", "[{}]")
_NAME_COLUMNS = frozenset(form.format(word) for word in _NAME_WORDS for form in _QUOTES)
_VALUE_COLUMNS = frozenset(form.format(word) for word in _VALUE_WORDS for form in _QUOTES)
_OF_TWO_LISTS = frozenset(["MAP", "HSTORE", "JSON_OBJECT", "JSONB_OBJECT", "MAP_FROM_ARRAYS"])
_OF_ENTRIES = frozenset(["MAP_FROM_ENTRIES"])
_EXTRACTS = frozenset(
    """
    JSON_EXTRACT JSON_VALUE JSON_QUERY JSON_EXTRACT_STRING JSON_EXTRACT_PATH JSON_EXTRACT_PATH_TEXT JSONB_EXTRACT_PATH
    JSONB_EXTRACT_PATH_TEXT JSONB_PATH_QUERY_FIRST MAP_EXTRACT MAP_EXTRACT_VALUE ELEMENT_AT STRUCT_EXTRACT ARRAY_EXTRACT
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
_EQUALS = frozenset(["=", "==", "LIKE", "ILIKE"])
_BEGINS_ROW = frozenset(["SELECT", "DISTINCT", "ALL"])
_ENDS_ROW = frozenset(["FROM", "WHERE", "UNION", "ON", "RETURNING", ";"])
_STEPS = 8  # of `d -> 'a' -> 'b' ->> 'password'`


def values(statement: Lexed, keys: Sequence[int]) -> Iterator[int]:
    """Yield the indices of literals that are values of the names that stand as literals at `keys`."""
    names = [key for key in keys if statement.part[key].kind is Kind.STRING]
    if not names:
        return
    for name in names:
        place = _accessed(statement, name)
        if place:
            yield from secret_columns.compared(statement, *place)
    signs = frozenset(statement.signs)
    if not signs.isdisjoint(_OF_TWO_LISTS) or not signs.isdisjoint(_OF_ENTRIES):
        yield from _maps(statement)
    yield from _in_structs(statement, names)
    if "INTO" in signs:
        yield from _without_columns(statement, names)
    if not signs.isdisjoint(_NAME_COLUMNS) and not signs.isdisjoint(_VALUE_COLUMNS):
        yield from _settings(statement, names)


# --- documents ---


def _accessed(statement: Lexed, name: int) -> tuple[int, int] | None:
    """Return where `d['name']`, `d ->> 'name'` or `json_value(d, 'name')` begins and ends, or None for another literal."""
    start, end = name, name
    if statement.sign(name - 1) == "," and statement.sign(name + 1) == ")":
        opening = statement.opening(name + 1)
        return (opening - 1, name + 1) if opening > 0 and statement.sign(opening - 1) in _EXTRACTS else None
    if statement.sign(name - 1) == "[" and statement.sign(name + 1) == "]":
        start, end = name - 1, name + 1
    elif not _is_arrow(statement, name - 1):
        return None
    for _ in range(_STEPS):
        if _is_arrow(statement, start - 1):
            start -= 3
        elif statement.sign(start) == "[" and statement.kind(start - 1) in (Kind.WORD, Kind.NAME, Kind.CLOSE):
            start -= 1
        elif statement.sign(start) == "]":
            start = statement.opening(start)
        else:
            break
    return (start, end) if start >= 0 else None


def _is_arrow(statement: Lexed, index: int) -> bool:
    """Whether `->`, `->>`, `#>` or `#>>` ends at an index."""
    return statement.sign(index) in (">", ">>") and statement.sign(index - 1) in ("-", "#")


# --- maps ---


def _in_structs(statement: Lexed, names: Sequence[int]) -> Iterator[int]:
    """`{'key': 'password', 'value': 'x'}`."""
    for name in names:
        before, behind = statement.sign(name - 2).strip("'\""), statement.sign(name + 2).strip("'\"")
        colons = statement.sign(name - 1) == statement.sign(name + 3) == ":"
        if colons and before in _NAME_COLUMNS and behind in _VALUE_COLUMNS and statement.is_literal(name + 4):
            yield name + 4


def _maps(statement: Lexed) -> Iterator[int]:
    """`MAP(['token'], ['x'])`, `hstore(ARRAY['token'], ARRAY['x'])`, `map_from_entries([('token', 'x')])`."""
    for index, sign in enumerate(statement.signs):
        if statement.sign(index + 1) != "(":
            continue
        if sign in _OF_TWO_LISTS:
            names, end = _elements(statement, index + 2)
            if names and statement.sign(end + 1) == ",":
                secret = {number for at, number in names if statement.part[at].key}
                yield from (at for at, number in _elements(statement, end + 2)[0] if number in secret)
        elif sign in _OF_ENTRIES:
            inside = list(statement.inside(index + 1))
            named = (at for at in inside if statement.part[at].key and statement.sign(at - 1) == "(")
            yield from (at + 2 for at in named if statement.sign(at + 1) == "," and statement.is_literal(at + 2))


def _elements(statement: Lexed, at: int) -> tuple[list[tuple[int, int]], int]:
    """Return the literals of a list that begins at an index, each with its number in it, and the list's end."""
    at += statement.sign(at) == "ARRAY"
    found: list[tuple[int, int]] = []
    if statement.sign(at) != "[":
        return found, at
    number, depth, index = 0, 0, at
    for index in statement.inside(at):
        part = statement.part[index]
        depth += (part.kind is Kind.OPEN) - (part.kind is Kind.CLOSE)
        number += depth == 1 and part.sign == ","
        if part.filled:
            found.append((index, number))
    return found, index + 1


# --- tables of settings ---


def _settings(statement: Lexed, names: Sequence[int]) -> Iterator[int]:
    """`INSERT INTO cfg (key, value) VALUES ('api_key', 'x')`, `UPDATE cfg SET value = 'x' WHERE key = 'api_key'`."""
    lists = list(_lists(statement))
    named, current = False, -1
    for name in names:
        while current + 1 < len(lists) and lists[current + 1][0] < name:
            current += 1
        inserted = current >= 0 and _column_of(statement, name) == lists[current][1]
        if inserted:
            yield from _in_row(statement, name, lists[current][2] - lists[current][1])
        named = named or inserted or _is_named(statement, name)
    if named:
        for index, sign in enumerate(statement.signs):
            if sign in _VALUE_COLUMNS:
                yield from secret_columns.compared(statement, index, index)
                yield from secret_columns.aliased(statement, index)


def _without_columns(statement: Lexed, names: Sequence[int]) -> Iterator[int]:
    """`INSERT INTO settings VALUES ('api_key', 'x')`: in a table of settings the value stands behind its name."""
    into = statement.signs.index("INTO")
    rows = next((n for n in range(into + 2, into + 7) if statement.sign(n) in ("VALUES", "VALUE")), 0)
    table = statement.sign(rows - 1).strip('`"[]').lower()
    if rows and any(what.lower() in table for what in _TABLES):
        for name in names:
            if name > rows and statement.sign(name + 1) == "," and statement.is_literal(name + 2):
                yield name + 2


def _lists(statement: Lexed) -> Iterator[tuple[int, int, int]]:
    """The ends of lists of columns that rows follow, with the numbers of the columns for names and for values."""
    done = -1
    for index, sign in enumerate(statement.signs):
        if index <= done or sign not in _NAME_COLUMNS:
            continue
        opening, done = secret_columns.names_around(statement, index)
        columns = [n for n in range(opening + 1, done) if statement.signs[n] != ","]
        name = next((n for n, at in enumerate(columns) if statement.signs[at] in _NAME_COLUMNS), -1)
        value = next((n for n, at in enumerate(columns) if statement.signs[at] in _VALUE_COLUMNS), -1)
        if statement.sign(opening) == "(" and value >= 0 and secret_columns.rows_behind(statement, done) is not None:
            yield done, name, value


def _column_of(statement: Lexed, index: int) -> int:
    """Return the number of a literal in its row, or -1."""
    depth, column = 0, 0
    for at in range(index - 1, max(-1, index - REACH), -1):
        kind, sign = statement.part[at].kind, statement.signs[at]
        if not depth and (kind is Kind.OPEN or sign in _BEGINS_ROW):
            return column
        depth += (kind is Kind.CLOSE) - (kind is Kind.OPEN)
        column += not depth and sign == ","
    return -1


def _in_row(statement: Lexed, index: int, distance: int) -> Iterator[int]:
    """The literals of the column that stands so many columns behind another one in its row, or before it."""
    step = 1 if distance > 0 else -1
    depth, column = 0, 0
    for at in range(index + step, max(-1, min(len(statement.part), index + step * REACH)), step):
        kind, sign = statement.part[at].kind, statement.signs[at]
        if not depth and (kind is (Kind.CLOSE if step > 0 else Kind.OPEN) or sign in _ENDS_ROW or sign in _BEGINS_ROW):
            return
        depth += (kind in (Kind.OPEN, Kind.CLOSE)) * (1 if (kind is Kind.OPEN) == (step > 0) else -1)
        column += step * (not depth and sign == ",")
        if column == distance and statement.is_given(at):
            yield at


def _is_named(statement: Lexed, name: int) -> bool:
    """Whether a literal is compared with a column for names, or given to it: `key = 'x'`, `'x' AS key`."""
    if statement.sign(name - 1) in ("(", ",") and statement.sign(name - 2) == "IN":
        name -= 1
    before, behind = statement.sign(name - 1), statement.sign(name + 1)
    if before in _EQUALS or before == "IN":
        return statement.sign(name - 2) in _NAME_COLUMNS
    at = name + 1 + (behind in _EQUALS or behind == "AS")
    return statement.sign(at) in _NAME_COLUMNS

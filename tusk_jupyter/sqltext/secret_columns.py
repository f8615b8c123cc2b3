"""Literals that are compared with a secret column, given to it, or named as one.

`'x' = password`, `lower(password) IN ('x')`, `(name, password) = ('ann', 'x')`, `INSERT INTO u (name, password)
SELECT 'ann', 'x'`, `WITH u (name, password) AS (VALUES ('ann', 'x'))`, `SELECT 'x' AS password`; also `password = "x"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tusk_jupyter.sqltext.lexed import REACH, Lexed
from tusk_jupyter.sqltext.lexer import Kind

_COMPARES = frozenset(
    """
    = == <> != <=> < > <= >= ~ ~* !~ !~* ~~ ~~* !~~ ^@ := LIKE ILIKE IN REGEXP RLIKE GLOB MATCH BETWEEN SIMILAR DISTINCT
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
_AROUND = frozenset(["NOT", "IS", "TO", "FROM", "ANY", "ALL", "SOME", "BINARY"])
"""Words beside an operator: IS NOT DISTINCT FROM, SIMILAR TO, = ANY."""
_BOUNDS = frozenset(["SELECT", "DISTINCT", "ALL", "RETURNING", ",", ";", "(", "THEN", "ELSE", "SET"])
"""What an expression with an alias begins behind."""
_SOURCES = frozenset(["FROM", "JOIN", "WITH", "UPDATE", "INTO", "USING", "TABLE"])
"""What `AS` names a table, a view or a CTE behind."""
_ROWS = frozenset(["VALUES", "VALUE", "SELECT", "WITH"])
_ENDS_OF_ROWS = frozenset(["ON", "RETURNING", "WHERE", "AND", "OR", ";", "WHEN", "THEN"])
_ENDS_OF_SELECT = frozenset(["FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT", "GROUP", "HAVING", ";"])
_LIKENING = frozenset(
    """
    COALESCE IFNULL NVL NULLIF STARTS_WITH ENDS_WITH CONTAINS STRCMP GREATEST LEAST FIELD FIND_IN_SET INSTR LOCATE STRPOS
    REGEXP_LIKE REGEXP_MATCHES
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Functions that set their arguments beside each other."""
_CONDITIONS = frozenset(["WHERE", "AND", "OR", "NOT", "WHEN"])
"""Behind these the left side of `=` is compared; behind SET it is a column that takes a value."""
_LONGEST_TYPE = 24
_NO_DEFAULTS = frozenset(
    """
    '' 'UNSET' 'NONE' 'NULL' 'NIL' 'N/A' 'NA' 'EMPTY' 'MISSING' 'UNKNOWN' 'UNDEFINED' 'DISABLED' 'LOCKED' '*' '!' '-' '?'
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Defaults of a column that say that there is no password."""
_VARIABLES = 16  # names before one that are declared with it
_PASSES = 4  # over a statement, for rows in rows: keeps lists in front of lists linear
_NAMES = (Kind.WORD, Kind.NAME)


def values(statement: Lexed, keys: Sequence[int]) -> Iterator[int]:
    """Yield the indices of literals that are values of the columns whose names stand at `keys`."""
    done, left = -1, _PASSES * len(statement.part)
    for key in keys:
        if statement.part[key].kind not in _NAMES:
            continue
        yield from compared(statement, key, key)
        yield from aliased(statement, key)
        yield from _declared(statement, key)
        if key > done:
            opening, done = names_around(statement, key)
            if statement.sign(opening) == "(" and statement.sign(done) == ")":
                found, steps = _of_list(statement, opening, done, left)
                left -= steps
                yield from found


# --- comparisons ---


def compared(statement: Lexed, start: int, end: int) -> Iterator[int]:
    """Both sides of a comparison; a column within a call or a cast counts as the column."""
    start, end = _operand(statement, start, end)
    for _ in range(4):
        yield from _behind(statement, end + 1)
        yield from _before(statement, start - 1)
        if statement.sign(start - 1) == "CASE":
            yield from _cases(statement, end + 1)
        if statement.sign(start - 1) == ",":
            yield from _beside(statement, start - 1)
        opening, closing = _enclosing(statement, start, end)
        if opening < 0:
            return
        if statement.sign(opening - 1) in _LIKENING:
            yield from _literals(statement, opening, closing)
        start, end = _operand(statement, opening, closing)


def _operand(statement: Lexed, start: int, end: int) -> tuple[int, int]:
    """Return where an operand begins and ends: with its qualifiers, its function's name, its casts."""
    if statement.sign(start) == "(" and statement.kind(start - 1) in _NAMES and _is_function(statement, start - 1):
        start -= 1
    while statement.sign(start - 1) == "." and statement.kind(start - 2) in _NAMES:
        start -= 2
    while statement.sign(end + 1) in ("::", "COLLATE"):
        end += 2
        if statement.sign(end + 1) == "(":
            end = max(end, statement.closing(end + 1))
    return start, end


def _is_function(statement: Lexed, index: int) -> bool:
    sign = statement.sign(index)
    return (
        sign not in _COMPARES
        and sign not in _AROUND
        and sign not in _BOUNDS
        and sign not in ("WHERE", "AND", "OR", "ON")
    )


def _enclosing(statement: Lexed, start: int, end: int) -> tuple[int, int]:
    """Return the parentheses around an operand that is alone in them, or the first argument of a call or cast; or -1."""
    if statement.sign(start - 1) != "(":
        return -1, -1
    called = statement.kind(start - 2) in _NAMES and _is_function(statement, start - 2)
    following = statement.sign(end + 1)
    if following != ")" and not (called and following in (",", "AS", "USING")):
        return -1, -1
    closing = statement.closing(start - 1)
    return (start - 1, closing) if closing > 0 else (-1, -1)


def _beside(statement: Lexed, comma: int) -> Iterator[int]:
    """The literals in the call whose later argument begins behind a comma: `field('x', password)`."""
    depth = 0
    for index in range(comma, max(-1, comma - REACH), -1):
        depth += (statement.part[index].kind is Kind.CLOSE) - (statement.part[index].kind is Kind.OPEN)
        if depth < 0:
            if statement.sign(index - 1) in _LIKENING:
                yield from _literals(statement, index, statement.closing(index))
            return


def _behind(statement: Lexed, at: int) -> Iterator[int]:
    """The literals on the right of a comparison that begins at an index."""
    compares = False
    while statement.sign(at) in _COMPARES or statement.sign(at) in _AROUND:
        compares = compares or _compares(statement, at)
        between = statement.sign(at) == "BETWEEN"
        at += 1
        if between and statement.sign(at + 1) == "AND" and statement.is_given(at + 2):
            yield at + 2
    if compares:
        yield from _value(statement, at)


def _compares(statement: Lexed, at: int) -> bool:
    """Whether a comparison stands there; SQLite's `password IS 'x'` is one, COMMENT ON's IS is none."""
    return statement.sign(at) in _COMPARES or (statement.sign(at) == "IS" and statement.sign(0) != "COMMENT")


def _value(statement: Lexed, at: int) -> Iterator[int]:
    """A literal; or all of a parenthesis, a call, an array, a CASE's results."""
    if statement.is_given(at):
        yield at
    elif statement.sign(at) == "CASE":
        yield from _cases(statement, at)
    elif statement.kind(at) is Kind.OPEN or (statement.kind(at) in _NAMES and statement.kind(at + 1) is Kind.OPEN):
        opening = at if statement.kind(at) is Kind.OPEN else at + 1
        listed = opening == at and statement.sign(at + 1) not in _ROWS
        yield from _literals(statement, opening, statement.closing(opening), quoted_too=listed)


def _literals(statement: Lexed, opening: int, closing: int, *, quoted_too: bool = False) -> Iterator[int]:
    """The literals of a parenthesis, but for what a subquery's conditions say of other columns."""
    for index in range(opening + 1, closing):
        if statement.sign(index) in ("FROM", "WHERE"):
            return
        if statement.is_literal(index) or (quoted_too and statement.is_given(index)):
            yield index


def _before(statement: Lexed, at: int) -> Iterator[int]:
    """The literals on the left of a comparison that ends at an index; `'x' IN (password)` has a parenthesis there."""
    if statement.sign(at) == "(" and statement.sign(at - 1) == "IN":
        at -= 1
    compares = False
    while statement.sign(at) in _COMPARES or statement.sign(at) in _AROUND:
        compares = compares or (_compares(statement, at) and statement.sign(at) != ":=")
        at -= 1
    if not compares:
        return
    if statement.is_literal(at) or (statement.sign(at - 1) in _CONDITIONS and statement.is_given(at)):
        yield at
    elif statement.kind(at) is Kind.CLOSE:
        opening = statement.opening(at)
        if opening >= 0:
            yield from _literals(statement, opening, at)


def _cases(statement: Lexed, at: int) -> Iterator[int]:
    """The literals behind WHEN of `CASE password`, behind THEN and ELSE of `password = CASE`."""
    words = ("WHEN",) if statement.sign(at) == "WHEN" else ("THEN", "ELSE")
    for index in range(at, min(len(statement.part), at + REACH)):
        if statement.sign(index) == "END":
            return
        if statement.sign(index) in words and statement.is_given(index + 1):
            yield index + 1


# --- aliases ---


def aliased(statement: Lexed, key: int) -> Iterator[int]:
    """`'x' AS password`, `upper('x') AS password`, `'x' password`, `'x' INTO @password`."""
    before = statement.sign(key - 1)
    if before == "@":
        before, key = statement.sign(key - 2), key - 1
    into = key - 2 if before == "STRICT" else key - 1
    if statement.sign(into) == "INTO" and statement.is_literal(into - 1):
        yield into - 1
    elif statement.is_literal(key - 1) and statement.sign(key - 2) in _BOUNDS:
        yield key - 1
    elif before == "AS":
        yield from _expression_before(statement, key - 2)


def _expression_before(statement: Lexed, at: int) -> Iterator[int]:
    found, depth = [], 0
    for index in range(at, max(-1, at - REACH), -1):
        kind, sign = statement.part[index].kind, statement.signs[index]
        depth += (kind is Kind.CLOSE) - (kind is Kind.OPEN)
        if depth < 0 or (not depth and sign in _BOUNDS and kind is not Kind.OPEN):
            break
        if not depth and sign in _SOURCES:
            return
        if statement.is_literal(index):
            found.append(index)
    yield from found


def _declared(statement: Lexed, key: int) -> Iterator[int]:
    """`password varchar(20) := 'x'`, `DECLARE password text DEFAULT 'x'`, `password text DEFAULT 'x'` of a table."""
    variable = _is_variable(statement, key)
    signs, between = ((":=", "=", "DEFAULT"), (".", "%", ",")) if variable else ((":=", "DEFAULT"), ())
    depth = 0
    for index in range(key + 1, key + _LONGEST_TYPE):
        kind, sign = statement.kind(index), statement.sign(index)
        depth += (kind is Kind.OPEN) - (kind is Kind.CLOSE)
        if sign in signs or (sign == "AS" and statement.sign(index - 1) == "ALWAYS"):
            found = _value(statement, index + 1)
            yield from found if variable else (n for n in found if statement.signs[n] not in _NO_DEFAULTS)
        if (kind not in (*_NAMES, Kind.OPEN, Kind.CLOSE, Kind.NUMBER) and sign not in between) or (
            depth < 0 and not variable
        ):
            return


def _is_variable(statement: Lexed, key: int) -> bool:
    """Whether a name is declared: behind DECLARE, as a later line of its block, as a routine's argument."""
    at = key - 1
    if statement.sign(at) in ("(", ",") and any(statement.sign(n) in ("FUNCTION", "PROCEDURE") for n in range(1, 5)):
        return True
    while key - at < _VARIABLES and statement.sign(at) == "," and statement.kind(at - 1) in _NAMES:
        at -= 2
    return statement.sign(at) in ("DECLARE", "") or statement.sign(0) == "DECLARE"


# --- lists of columns ---


def names_around(statement: Lexed, key: int) -> tuple[int, int]:
    """Return what stands before and behind the names and commas around one: the parentheses of `(a, b, password)`."""
    opening = key - 1
    while opening >= 0 and (statement.part[opening].kind in _NAMES or statement.signs[opening] in (",", ".")):
        opening -= 1
    closing = key + 1
    while closing < len(statement.part) and (
        statement.part[closing].kind in _NAMES or statement.signs[closing] in (",", ".")
    ):
        closing += 1
    return opening, closing


def _of_list(statement: Lexed, opening: int, closing: int, left: int) -> tuple[list[int], int]:
    """The values of a list's secret columns, where rows follow it, or a table stands before it that it names.

    Also the number of lexemes that were read for it, `left` at most: rows may go on to the end, and hold lists again.
    """
    secret, column = set(), 0
    for index in range(opening + 1, closing):
        column += statement.signs[index] == ","
        if statement.part[index].key and statement.sign(index + 1) != ".":
            secret.add(column)
    if statement.sign(opening - 1) == "IN":
        return list(_before(statement, opening - 1)), REACH
    start = rows_behind(statement, closing)
    if start is not None:
        return _rows(statement, start, secret, left)
    table = opening - 1
    table -= statement.kind(table) in _NAMES and statement.sign(table) not in ("AS", "IN")
    table -= statement.sign(table) == "AS"
    begin = statement.opening(table) if statement.sign(table) == ")" else -1
    if begin >= 0 and statement.sign(begin + 1) in _ROWS:
        return _rows(statement, begin + 1, secret, left)
    return [], 0


def rows_behind(statement: Lexed, closing: int) -> int | None:
    """Return where the rows of a list begin that ends at an index, or None."""
    at = closing + 1
    if statement.sign(at) == "AS":
        at += 1
        while statement.sign(at) in ("NOT", "MATERIALIZED"):
            at += 1
        return at + 1 if statement.sign(at) == "(" else at if statement.sign(at) in _ROWS else None
    if statement.sign(at) == "OVERRIDING":
        at += 3
    if statement.sign(at) in _ROWS or statement.sign(at) == "(":
        return at
    compares = at
    while statement.sign(at) in _COMPARES or statement.sign(at) in _AROUND or statement.sign(at) == "ROW":
        at += 1
    return at if at > compares and statement.sign(at) == "(" else None


def _rows(statement: Lexed, start: int, secret: set[int], left: int) -> tuple[list[int], int]:
    """The literals in the secret columns of VALUES, of SELECT, or of a row in parentheses, from an index on."""
    found: list[int] = []
    depth, level, column, index = 0, -1, 0, start
    """`level`: how deep the commas stand that part the columns; -1 between the rows."""
    tuples = statement.sign(start) not in ("SELECT", "WITH")
    alone, listed = statement.sign(start) == "(", statement.sign(start) in ("VALUES", "VALUE", "(")
    for index in range(start, min(len(statement.part), start + left)):
        part, sign = statement.part[index], statement.signs[index]
        if part.kind is Kind.OPEN:
            depth += 1
        elif part.kind is Kind.CLOSE:
            depth -= 1
            level = -1 if depth < level else level
            if depth < 0 or (alone and not depth and statement.sign(index + 1) not in _ENDS_OF_SELECT):
                break
        elif sign == ",":
            column += depth == level
        elif sign in ("SELECT", "VALUES", "VALUE") and (level < 0 or depth <= level):
            tuples, level, column = sign != "SELECT", -1 if sign != "SELECT" else depth, 0
        elif level < 0:
            if not depth and sign in _ENDS_OF_ROWS:
                break
            if tuples and depth:
                level, column = depth, 0
        elif depth == level and not tuples and sign in _ENDS_OF_SELECT:
            level = -1
        if level >= 0 and column in secret and (part.filled or (listed and tuples and statement.is_given(index))):
            found.append(index)
    return found, index - start

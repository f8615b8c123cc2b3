"""Lists as parameters: the members of `x IN (:ids)` on every engine, whatever else a list is there.

Each member is bound by itself, so that it is compared as a single value would be: `IN (:ids)` is `IN (:a, :b, :c)`. An empty
list has no members: `x IN (:ids)` is false then, and `x NOT IN (:ids)` true. Behind a row, as in `(a, b) IN (:pairs)`, each
item is a row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.replaced import Replacement
from tusk_jupyter.sqltext.statements import Placeholder, Statement
from tusk_jupyter.sqltext.surroundings import Literal, Members, Use

COMPARED_LIST = "The value of :{0} is a list, which is an array here: `x IN (:{0})` compares with its items."
"""What to write where a list was compared with a single value, for engines that have arrays."""

_TO_TEXT = tuple(f"CAST AS {kind}" for kind in ("CHAR", "JSON", "NCHAR", "TEXT", "VARCHAR"))
Member = Callable[[str, int, object], str]
"""Gets a list's name, a number that is its own there, and a value; returns what the engine reads in its place."""


def _nothing(width: int) -> str:
    return f"SELECT {', '.join(['NULL'] * width)} WHERE FALSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the engines do differently."""

    name: str
    has_arrays: bool = False
    nothing: Callable[[int], str] = _nothing
    """A query without rows, of so many columns."""
    rows: str = "{}"
    """How rows stand in IN: `VALUES {}` where the engine takes no list of rows."""
    literal: Callable[[Literal, str], str] | None = None
    """Returns what a value behind a type is instead, where the engine takes only a literal there."""


def replacements(
    statement: Statement,
    parameters: Mapping[str, object],
    engine: Engine,
    *,
    single: Callable[[Placeholder], str],
    member: Member,
    whole: Callable[[Placeholder, Members, list[object]], Replacement | None] = lambda *_: None,
) -> Iterator[Replacement]:
    """Yield what stands in place of each placeholder.

    Args:
        statement: has the placeholders.
        parameters: their values, all of them.
        engine: reads the text.
        single: returns the text for one value.
        member: returns the text for one member of a list.
        whole: may replace all of a list that stands in IN alone, IN included.

    Raises:
        UsageError: a list stands where the engine has no use for it, or has items that do not fit.
    """
    lists = [
        (place, place.around.members) for place in statement.placeholders if isinstance(parameters[place.name], list)
    ]
    empty = Counter(found.open for place, found in lists if found and not parameters[place.name])
    gone: Counter[int] = Counter()
    for place in statement.placeholders:
        value, members = parameters[place.name], place.around.members
        if members is None or not isinstance(value, list):
            if isinstance(value, list) and not engine.has_arrays:
                _check_use(place, engine)
            if isinstance(value, dict) and members is not None and not engine.has_arrays:
                raise _no_members(place)
            yield _single(place, single(place), engine)
            continue
        items = _items(place, members, value, engine)
        if members.alone or (empty[members.open] == members.count and not members.index):
            yield whole(place, members, items) or Replacement(
                members.open, members.end, f"({_written(place.name, members, items, engine, member)})"
            )
        elif items:
            yield Replacement(*members.item, _written(place.name, members, items, engine, member))
        elif empty[members.open] < members.count:  # else the first of these empty lists stands for all of them
            yield _removed(members, has_one_before=members.index > gone[members.open])
            gone[members.open] += 1


def _single(place: Placeholder, text: str, engine: Engine) -> Replacement:
    members, literal = place.around.members, place.around.literal
    if members is not None and members.open == place.start:
        return Replacement(place.start, place.end, f"({text})")
    if literal is None or engine.literal is None:
        return Replacement(place.start, place.end, text)
    return Replacement(literal.start, literal.end, engine.literal(literal, text))


def count_or_value(place: Placeholder, value: object, *, all_rows: int) -> object:
    """Return a value of LIMIT or OFFSET as the whole number that it is; other values as they are.

    Other engines take `'5'` and `5.0` for the number, and NULL for no limit.
    """
    if place.around.use is not Use.COUNT:
        return value
    if value is None:
        return 0 if place.around.word == "OFFSET" else all_rows
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return int(value) if isinstance(value, float | Decimal) and value == value // 1 else value


def json_text(name: str, value: object, engine: Engine, other: Callable[[object], object]) -> str:
    """Return the JSON text that an engine gets for a list where it has no array: outside of IN.

    Args:
        name: the parameter's.
        value: its list or dict.
        engine: gets it.
        other: returns what JSON has for an item, or NotImplemented.

    Raises:
        UsageError: the list holds what no JSON text can.
    """
    begin = f"The parameter :{name} cannot be sent to {engine.name}: outside of IN it goes as JSON, which has no"

    def default(item: object) -> object:
        if (found := other(item)) is NotImplemented:
            raise UsageError(
                f"{begin} {type(item).__name__} ({item!r}).", hint="Put it in as text, or as another number."
            )
        return found

    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=default)
    except ValueError as exc:
        raise UsageError(f"{begin} NaN and no infinities.", hint="Put None in their place: null in JSON.") from exc


def _no_members(place: Placeholder) -> UsageError:
    return UsageError(
        f"The value of :{place.name} is a dict, and IN compares with the items of a list.",
        hint=f"Pass its keys with `list({place.name})`, or its values with `list({place.name}.values())`.",
        position=place.start,
    )


def _removed(members: Members, *, has_one_before: bool) -> Replacement:
    before, behind = members.commas
    start, end = members.item
    if has_one_before:
        return Replacement(start if before is None else before, end, "")
    return Replacement(start, end if behind is None else behind + 1, "")


def _items(place: Placeholder, members: Members, value: list[object], engine: Engine) -> list[object]:
    """Return a list's items; beside others, as in `IN (:first, :second)`, a list may be one row.

    Raises:
        UsageError: they are no rows where the left side is one, or rows where it is none.
    """
    rows = [isinstance(item, list) for item in value]
    if members.width == 1:
        if any(rows) and not engine.has_arrays:
            raise UsageError(
                f"The list :{place.name} holds lists, and the value before IN is a single one.",
                hint=f"Write `(a, b) IN (:{place.name})` for rows, or flatten the list.",
                position=place.start,
            )
        return value
    found: list[object] = [value] if value and not members.alone and not any(rows) else value
    if any(not isinstance(item, list) or len(item) != members.width for item in found):
        raise UsageError(
            f"The value before IN has {members.width} columns, and the list :{place.name} has an item with another number.",
            hint=f"Each item must be a tuple of {members.width} values, as in `[(1, 'a'), (2, 'b')]`.",
            position=place.start,
        )
    return found


def _written(name: str, members: Members, items: Sequence[object], engine: Engine, member: Member) -> str:
    """Return the items as the inside of IN's parentheses, or as a part of it."""
    if not items:
        return engine.nothing(members.width)
    if members.width == 1:
        return ", ".join(member(name, number, item) for number, item in enumerate(items))
    numbered = enumerate(value for item in items for value in (item if isinstance(item, list) else [item]))
    texts = [member(name, number, value) for number, value in numbered]
    rows = (", ".join(texts[at : at + members.width]) for at in range(0, len(texts), members.width))
    return (engine.rows if members.alone else "{}").format(", ".join(f"({row})" for row in rows))


def _check_use(place: Placeholder, engine: Engine) -> None:
    """Refuse a list where it would be compared or computed with as its text, which finds nothing.

    Raises:
        UsageError: it stands there.
    """
    around, name = place.around, place.name
    reads_json = around.word.startswith(("JSON", *_TO_TEXT))
    if around.use is Use.ANY:
        raise UsageError(
            f"{engine.name} has no arrays, so {around.word} (:{name}) cannot be.",
            hint=f"Write `IN (:{name})` for `= ANY`, `NOT IN (:{name})` for `<> ALL`: that works on every engine.",
            position=place.start,
        )
    if around.use is Use.OPERAND or (around.use is Use.ARGUMENT and not reads_json):
        raise UsageError(
            f"The value of :{name} is a list, which {engine.name} takes in `IN (:{name})`, and elsewhere only as JSON.",
            hint=f"Write `x IN (:{name})`. Where its JSON text is meant, give that: `json.dumps({name})`.",
            position=place.start,
        )

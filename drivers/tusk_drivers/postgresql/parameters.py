"""Values for `$n`, and the types that they are declared with.

A type is declared where the Python value has one. Text, NULL, JSON and lists of text have none, so that the server finds the
one that fits their place. Where it finds none, or two that differ (`:x IS NULL OR c = :x`, `concat(:x)`), its refusal says for
which `$n`; that one then gets a number of its own, or is declared as text, and the server is asked again.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import DiagnosticField
from psycopg.sql import Literal
from psycopg.types.numeric import Int4, Int8, IntNumeric

from tusk_jupyter.driverkit.lists import COMPARED_LIST, Engine, json_text, replacements
from tusk_jupyter.driverkit.parameters import mixes_zones
from tusk_jupyter.errors import TuskError, UsageError
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.lexer import Kind, tokens
from tusk_jupyter.sqltext.replaced import Replaced, Replacement
from tusk_jupyter.sqltext.statements import Placeholder, Statement
from tusk_jupyter.sqltext.surroundings import Members, Use

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

TEXT_OID, TEXT_LIST_OID, JSON_OID, JSONB_OID, JSON_LIST_OID = 25, 1009, 114, 3802, 199
MOST = 65_535
"""Values that a statement may have in the protocol."""
_ENGINE = Engine(
    name="PostgreSQL",
    has_arrays=True,
    literal=lambda place, value: (
        f"({value} * INTERVAL '1 {place.unit}')" if place.unit else f"CAST({value} AS {place.type})"
    ),
)
_NUMBERED = re.compile(r"\$(\d+)")
_NO_TYPE, _TWO_TYPES, _OTHER_TYPE, _NO_FUNCTION, _MANY_FUNCTIONS = "42P18", "42P08", "42804", "42883", "42725"
_NO_ARRAY_TYPE = "42704"
_ARRAY_TYPE = re.compile(
    r"(?:character varying|bit varying|double precision|time(?:stamp)? with(?:out)? time zone|[\w.]+|(?:\w+\.)?\"[^\"]+\")\[\]"
)
"""The name of a type of arrays in a message, in whichever language it is."""
_NO_CAST = "42846"
_OF_JSON = re.compile(r"\bjsonb?(?:_\w+)?\b.*\[\]|\[\].*\bjsonb?\b")
"""In a refusal: JSON on the one side, an array on the other."""
_Key = tuple[str, object]
"""A value's name, and what tells its numbers apart: None for the one that its uses share."""


class Bound:
    """A statement with its parameters as libpq takes them."""

    def __init__(
        self, connection: psycopg.Connection[Any], statement: Statement, parameters: Mapping[str, object]
    ) -> None:
        """Bind all values.

        Raises:
            UsageError: a value is missing, or cannot be sent.
        """
        for name in statement.parameters:
            if name not in parameters:
                raise UsageError(f"The parameter :{name} has no value.", hint=f"Give it with `--param {name}=...`.")
        self._connection, self._statement, self._parameters = connection, statement, parameters
        self._apart: set[int] = set()
        """Offsets of placeholders that have a number of their own."""
        self._as_text: set[_Key] = set()
        """What the server found no type for."""
        self._of_arrays: dict[int, str] = {}
        """By their offsets, the placeholders of lists behind an array, and its type: there are no arrays of arrays."""
        self._as_json: set[_Key] = set()
        """Lists whose place takes JSON, or that no array can be."""
        self._as_arrays: set[_Key] = set()
        """Lists whose place takes no JSON."""
        self._wide = False
        """Whether lists of integers go as bigint[]."""
        self.guesses = False
        """Whether something was tried that the server's refusal did not ask for."""
        self.values: Sequence[bytes | bytearray | memoryview | None] = ()
        self.types: Sequence[int] = ()
        self.formats: Sequence[int] = ()
        self.sent = Replaced(statement.text)
        self._keys: list[_Key] = []
        if statement.placeholders:
            self._check_statement()
            self._bind()

    def _check_statement(self) -> None:
        """Refuse a `$1` beside `:name`, and PREPARE: the server would take one for the other.

        Raises:
            UsageError: there is one.
        """
        text = self._statement.text
        if self._statement.command == "PREPARE":
            raise UsageError(
                "PREPARE takes no values.", hint="Write `$1` there, and give the value to EXECUTE: `EXECUTE p(:name)`."
            )
        code = tokens(text, dialect_named("postgresql")) if _NUMBERED.search(text) else []
        at = next((one.start for one in code if one.kind is Kind.OPERATOR and _NUMBERED.match(text, one.start)), None)
        if at is not None:
            raise UsageError(
                "A statement has either `$1` or `:name`, not both.", hint="Write `:name` for each value.", position=at
            )

    # --- what the server is told ---

    def _bind(self) -> None:
        numbers: dict[_Key, int] = {}
        plain: list[object] = []

        def numbered(key: _Key, value: object) -> str:
            if key not in numbers:
                numbers[key] = len(numbers) + 1
                plain.append(self._plain(value, key))
            return f"${numbers[key]}"

        def single(place: Placeholder) -> str:
            if (
                self._statement.command == "EXECUTE"
            ):  # what was prepared has types for its values; the server takes no others here
                return self._literal(place.name)
            return numbered(self._key(place), self._parameters[place.name])

        def member(name: str, number: int, value: object) -> str:
            return numbered((name, ("item", number)), value)

        def whole(place: Placeholder, members: Members, items: list[object]) -> Replacement | None:
            if members.width > 1:
                return None if items else self._no_rows(members)
            if place.start in self._of_arrays:
                nothing = f"(SELECT NULL::{self._of_arrays[place.start]} WHERE FALSE)"  # as the server names it
                return None if items else Replacement(members.open, members.end, nothing)
            if len({type(item) for item in items if item is not None}) > 1 or any(isinstance(i, list) for i in items):
                return None
            if mixes_zones(items):
                return None
            sign, words = ("<>", "ALL") if members.negated else ("=", "ANY")
            text = f"OPERATOR({sign}) {words} ({numbered(self._key(place), items)})"  # as IN, it binds closer than `=`
            return Replacement(members.start, members.end, text)

        found = list(
            replacements(self._statement, self._parameters, _ENGINE, single=single, member=member, whole=whole)
        )
        if len(plain) > MOST:
            raise UsageError(
                f"The statement would have {len(plain):,} values, and PostgreSQL takes at most {MOST:,}.",
                hint="Give each list alone as `IN (:ids)`, or write it into a table with `%sql --persist DF`.",
            )
        self.sent, self._keys = self._statement.replaced(found), list(numbers)
        self._dump(plain)

    def _literal(self, name: str) -> str:
        """Return a value as libpq quotes it."""
        try:
            return Literal(self._plain(self._parameters[name], (name, None))).as_string(self._connection)
        except (psycopg.Error, UnicodeError, OverflowError, ValueError) as exc:
            raise UsageError(f"The value of :{name} cannot be sent to PostgreSQL: {exc}.") from exc

    def _key(self, place: Placeholder) -> _Key:
        if place.start in self._apart:
            return place.name, place.start
        if place.around.use is Use.NULL_TEST and _is_untyped(self._parameters[place.name]):
            key = (place.name, Use.NULL_TEST)
            self._as_text.add(key)
            return key
        return place.name, None

    def _no_rows(self, members: Members) -> Replacement | None:
        """Return an empty list of rows that has the types of the left side."""
        if members.left is None or any(
            members.left[0] <= one.start < members.left[1] for one in self._statement.placeholders
        ):
            return None
        left = self._statement.text[slice(*members.left)]
        return Replacement(members.open, members.end, f"(SELECT {left} WHERE FALSE)")

    def _plain(self, value: object, key: _Key) -> object:
        """Return a value for psycopg; whole numbers have the types of literals: from integer on, not from smallint on."""
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False)
        if mixes_zones(value):
            raise UsageError(
                f"The value of :{key[0]} is a list with and without time zones, and an array has one type.",
                hint="Give all of them a zone, or none; in `IN` a list may mix them.",
            )
        if isinstance(value, list):
            if key in self._as_json or (
                _is_only_json(value) and key not in self._as_arrays and not isinstance(key[1], tuple)
            ):
                self._as_json.add(key)
                return json_text(key[0], value, _ENGINE, _in_json)
            _check_shape(key[0], value)
            return _list(value, Int8 if self._wide else Int4)
        return _integer(value, Int4) if type(value) is int else value

    def _dump(self, plain: list[object]) -> None:
        transformer = Transformer(self._connection)
        try:
            self.values = transformer.dump_sequence(plain, [PyFormat.AUTO] * len(plain))
        except (psycopg.Error, UnicodeError, OverflowError, ValueError) as exc:
            raise self._unsent(plain) or UsageError(f"The parameters cannot be sent to PostgreSQL: {exc}.") from exc
        self.formats = transformer.formats or ()
        self.types = [
            self._fallback(key) if not oid and key in self._as_text else oid
            for key, oid in zip(self._keys, transformer.types or (), strict=True)
        ]

    def _unsent(self, plain: list[object]) -> UsageError | None:
        """Return the error for the first value that cannot be sent."""
        for (name, _), value in zip(self._keys, plain, strict=True):
            try:
                Transformer(self._connection).dump_sequence([value], [PyFormat.AUTO])
            except (psycopg.Error, UnicodeError, OverflowError, ValueError) as exc:
                hint = "Text may hold neither NUL nor lone surrogates."
                if "mixed types" in str(exc):
                    hint = f"An array has items of one type; in `IN (:{name})` a list may mix them."
                return UsageError(f"The value of :{name} cannot be sent to PostgreSQL: {exc}.", hint=hint)
        return None

    def _fallback(self, key: _Key) -> int:
        value = self._parameters[key[0]]
        if isinstance(value, dict) or (not isinstance(key[1], tuple) and _is_only_json(value)):
            return JSON_OID
        if not isinstance(value, list) or isinstance(key[1], tuple):
            return TEXT_OID
        return JSON_LIST_OID if any(isinstance(item, dict) for item in _leaves(value)) else TEXT_LIST_OID

    # --- what it says to it ---

    @property
    def is_unsure(self) -> bool:
        """Whether the server may find another type for a value than was meant, or none."""
        return 0 in self.types or self._has_integer_lists or self._has_lists_outside_of_in

    @property
    def _has_lists_outside_of_in(self) -> bool:
        return any(
            isinstance(self._parameters[place.name], list) and place.around.members is None
            for place in self._statement.placeholders
        )

    @property
    def _has_integer_lists(self) -> bool:
        return not self._wide and any(
            isinstance(value, list) and any(type(item) is int for item in value) for value in self._parameters.values()
        )

    def learn(self, failed: PGresult) -> bool:
        """Change numbers and types as the server's refusal asks for; return whether there is something to try."""
        code = (failed.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        message = (failed.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")
        position = failed.error_field(DiagnosticField.STATEMENT_POSITION)
        numbered = _NUMBERED.search(message)
        if code in (_NO_TYPE, _TWO_TYPES) and numbered and int(numbered[1]) <= len(self._keys):
            changed = self._learn_of(self._keys[int(numbered[1]) - 1], int(position) - 1 if position else None)
        elif code == _NO_ARRAY_TYPE:
            changed = self._learn_of_array(message, int(position or 0) - 1)
        elif code in (_OTHER_TYPE, _MANY_FUNCTIONS):
            changed = self._learn_of_arguments() or self._learn_of_json(message)
        elif code == _NO_CAST:
            changed = self._learn_of_json(message)
        else:
            changed = code == _NO_FUNCTION and (self._learn_of_operators() or self._learn_of_json(message))
        self.guesses = self.guesses or (changed and code in (_OTHER_TYPE, _NO_FUNCTION, _MANY_FUNCTIONS, _NO_CAST))
        if changed:
            self._bind()
        return changed

    def _learn_of(self, key: _Key, position: int | None) -> bool:
        uses = [place for place in self._statement.placeholders if self._key(place) == key]
        at = None if position is None else self.sent.original(position)
        for place in uses:
            members = place.around.members
            if at in (place.start, members and members.start) and len(uses) > 1:
                self._apart.add(place.start)
                return True
        if key in self._as_text:
            return False
        self._as_text.add(key)
        return True

    def _learn_of_array(self, message: str, position: int) -> bool:
        """Send a list in IN by its members where the value before it is an array."""
        at, kind = self.sent.original(position), _ARRAY_TYPE.search(message)
        for place in self._statement.placeholders:
            if (
                place.around.members
                and place.around.members.start == at
                and kind
                and place.start not in self._of_arrays
            ):
                self._of_arrays[place.start] = kind[0]
                return True
        return False

    def _learn_of_arguments(self) -> bool:
        """Take untyped arguments of functions for text: `to_json(:x)` takes any type, and the server does not name `$n`."""
        found = [
            place
            for place in self._statement.placeholders
            if place.around.use is Use.ARGUMENT
            and (_is_untyped(self._parameters[place.name]) or _is_only_json(self._parameters[place.name]))
            and place.start not in self._apart
        ]
        self._apart |= {place.start for place in found}
        self._as_text |= {(place.name, place.start) for place in found}
        return bool(found)

    def _learn_of_operators(self) -> bool:
        """Let each use of an untyped value have a type of its own, and lists of integers be bigint[]."""
        changed, self._wide = self._has_integer_lists, True
        untyped = {key for key, oid in zip(self._keys, self.types, strict=True) if not oid and key[1] is None}
        uses = Counter(self._key(place) for place in self._statement.placeholders)
        apart = {
            one.start for one in self._statement.placeholders if self._key(one) in untyped and uses[self._key(one)] > 1
        }
        self._apart |= apart
        return changed or bool(apart)

    def _learn_of_json(self, message: str) -> bool:
        """Take lists for JSON where the server refused an array beside JSON; what it finds for them is looked at then."""
        if _OF_JSON.search(message) is None:
            return False
        found = {key for key in self._lists() if key not in self._as_json | self._as_arrays}
        self._as_json |= found
        return bool(found)

    def _lists(self) -> dict[_Key, int]:
        """Return the lists that are values by themselves, each with its number."""
        return {
            key: index
            for index, key in enumerate(self._keys)
            if isinstance(self._parameters[key[0]], list) and not isinstance(key[1], tuple)
        }

    def learn_of_lists(self, described: PGresult) -> bool:
        """Change the types of lists as the server has them; return whether there is something to try.

        Untyped they fit a list of any type (enum, uuid), which is why they are tried so first; where the server took them for
        one text, they are declared as lists of text. Where it has JSON, a list is JSON: an empty array's `{}` is an object.
        """
        types = {key: described.param_type(index) for key, index in self._lists().items()}
        wanted = {key for key, type_ in types.items() if type_ in (JSON_OID, JSONB_OID)}
        texts = {
            key
            for key, index in self._lists().items()
            if not self.types[index] and key not in self._as_json and types[key] == TEXT_OID
        }
        changed = (wanted ^ self._as_json) | texts
        self._as_text |= texts
        self._as_arrays |= self._as_json - wanted
        self._as_json = wanted
        if changed:
            self._bind()
        return bool(changed)

    def explain(self, error: TuskError) -> None:
        """Put `:name` for the `$n` that the user did not write into an error, and say what may stand where no value may."""
        error.message = self._named(error.message)
        error.detail = error.detail and self._named(error.detail)
        at = error.position
        sent = [one.around.members for one in self._statement.placeholders if one.around.members is not None]
        if error.code == "42601" and (found := next((one for one in sent if one.start == at), None)) is not None:
            word = "NOT" if found.negated else "IN"
            error.message = re.sub(r'"(?:OPERATOR|ANY|ALL)"', f'"{word}"', error.message, count=1)
        if error.code == _NO_FUNCTION and "[]" in error.message:
            uses = (one for one in self._statement.placeholders if one.around.use is Use.OPERAND)
            name = next((one.name for one in uses if isinstance(self._parameters[one.name], list)), None)
            error.hint = COMPARED_LIST.format(name) if name else error.hint
        place = next((one for one in self._statement.placeholders if one.start == at), None)
        if error.code == "42P02" or (error.code == "42601" and place is not None):
            error.hint = (
                "PostgreSQL takes values in queries, in statements that change rows and in CREATE TABLE ... AS, where an "
                "expression may stand. Elsewhere write them out, or let `--jinja` do it."
            )

    def _named(self, text: str) -> str:
        def name(found: re.Match[str]) -> str:
            known = int(found[1]) <= len(self._keys) and found[0] not in self._statement.text
            return f":{self._keys[int(found[1]) - 1][0]}" if known else found[0]

        return _NUMBERED.sub(name, text)


def _is_only_json(value: object) -> bool:
    """Return whether a list can be no array: its items have several types, or lists in it are not all as long."""
    if not isinstance(value, list):
        return False
    kinds = {type(item) for item in _leaves(value)}
    has_lists = any(isinstance(item, list) for item in value)
    return (len(kinds) > 1 and not kinds <= {int, float, Decimal}) or (has_lists and _shape(value) is None)


def _in_json(value: object) -> object:
    """Return what JSON has for an item of a list."""
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else NotImplemented


def _check_shape(name: str, value: object) -> None:
    """Refuse a list of lists that are not all as long: PostgreSQL's arrays are rectangles.

    Raises:
        UsageError: it is such a list.
    """
    if isinstance(value, list) and any(isinstance(item, list) for item in value) and _shape(value) is None:
        raise UsageError(
            f"The lists in :{name} are not all as long, or empty, or one is None; PostgreSQL's arrays are rectangles.",
            hint=f"Pass JSON, and cast it: `json.dumps({name})`, and `:{name}::jsonb` in the SQL.",
        )


def _shape(value: object) -> tuple[int, ...] | None:
    """Return the lengths of a list and of those in it; None if these differ, or one is empty."""
    if not isinstance(value, list):
        return ()
    shapes = {_shape(item) for item in value}
    inner = next(iter(shapes), None)
    return None if len(shapes) != 1 or inner is None else (len(value), *inner)


def _is_untyped(value: object) -> bool:
    if isinstance(value, list):
        return all(item is None or _is_untyped(item) for item in value)
    return value is None or isinstance(value, str | dict)


def _integer(value: int, least: type[Int4 | Int8]) -> Int4 | Int8 | IntNumeric:
    if -(2**31) <= value < 2**31 and least is Int4:
        return Int4(value)
    return Int8(value) if -(2**63) <= value < 2**63 else IntNumeric(value)


def _list(values: list[object], least: type[Int4 | Int8]) -> list[object]:
    """Return a list with items of one type: an array has no others."""
    kinds = {type(item) for item in _leaves(values)}
    as_float = kinds == {int, float} and all(float(item) == item for item in _leaves(values) if type(item) is int)
    convert: dict[type, Any] = {dict: lambda item: json.dumps(item, ensure_ascii=False)}
    if as_float:
        convert[int] = float
    elif kinds == {int, Decimal}:
        convert[int] = Decimal
    elif int in kinds:
        widest = {type(_integer(item, least)) for item in _leaves(values) if type(item) is int}
        convert[int] = next(kind for kind in (IntNumeric, Int8, Int4) if kind in widest)

    def converted(item: object) -> object:
        if isinstance(item, list):
            return [converted(inner) for inner in item]
        return convert[type(item)](item) if type(item) in convert else item

    return [converted(item) for item in values]


def _leaves(values: list[Any]) -> list[Any]:
    return [
        leaf for item in values for leaf in (_leaves(item) if isinstance(item, list) else [item]) if leaf is not None
    ]

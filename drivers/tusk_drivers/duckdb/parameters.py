"""A statement's values, as DuckDB binds them; what it would silently make a float of is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import duckdb

from tusk_drivers.duckdb.arrays import check_array, is_map
from tusk_drivers.duckdb.compared import TEXT, TextList, types_of
from tusk_jupyter import errors
from tusk_jupyter.driverkit.lists import COMPARED_LIST, Engine, replacements
from tusk_jupyter.driverkit.parameters import mixes_zones
from tusk_jupyter.protocol.python_values import NanoDatetime
from tusk_jupyter.sqltext.dialects import dialect_named
from tusk_jupyter.sqltext.lexer import Kind, tokens
from tusk_jupyter.sqltext.replaced import Replaced, Replacement
from tusk_jupyter.sqltext.statements import Placeholder, Statement
from tusk_jupyter.sqltext.surroundings import Members

_DECIMAL_DIGITS = 38


_ENGINE = Engine(
    name="DuckDB",
    has_arrays=True,
    literal=lambda place, value: f"INTERVAL ({value}) {place.unit}" if place.unit else f"CAST({value} AS {place.type})",
)
_OWN = "tusk_item_"
"""What begins our own names."""
_MEMBERS = re.compile(r"\$tusk_item_+(\w+?)_\d+(?:, \$tusk_item_+\1_\d+)*")
_VARIABLE = re.compile(r"getvariable\('(\w+)'\)")
_READ_WHOLE = re.compile(r"\w+")
"""Names that DuckDB reads to their end; one with a combining sign (ö as o and two dots) ends before that."""
_LARGE = 500
"""Members from which on a list goes as an array: DuckDB takes 0.25 ms for each value of a statement."""
_HUGE = 10_000
"""Members from which on texts go as an array though nobody knows the column's type, for one by one would take seconds."""
_TYPED = (bool, int, float, str, date, datetime, time, UUID, bytes)
"""Types whose values keep them in an array."""
OTHER_TYPE = (
    f"A list of {_HUGE:,} texts and more has to be of the column's type here: dates for dates, not their text. "
    "Convert its items, or write `CAST(x AS VARCHAR) IN (:list)`."
)
_NO_VALUE = (
    "DuckDB takes values in queries, in statements that change rows and in CREATE TABLE ... AS, where an expression may stand. "
    "Elsewhere write them out, or let `--jinja` do it."
)
_PREPARES = frozenset({"PREPARE", "CREATE MACRO", "CREATE FUNCTION", "EXECUTE"})
"""Statements in which `$name` is no variable."""


def bound(
    statement: Statement,
    parameters: Mapping[str, object],
    connection: duckdb.DuckDBPyConnection,
    *,
    in_transaction: bool = False,
    may_prepare: bool = True,
) -> tuple[Replaced, dict[str, object]]:
    """Return the text for DuckDB, and the values of its placeholders: DuckDB refuses to be given more.

    Args:
        statement: the user's.
        parameters: its values.
        connection: runs it afterwards, and is asked what the statement's names mean.
        in_transaction: whether a transaction is open, which an error would abort.
        may_prepare: whether the statement may be prepared before it is checked.

    Raises:
        UsageError: a value is missing, or is one that DuckDB has no type for.
    """
    for name in statement.parameters:
        if name not in parameters:
            raise errors.UsageError(f"There is no value for :{name}.", hint=f"Give it with `--param {name}=VALUE`.")
        _check(name, parameters[name])
    has_dollars = "$" in statement.text and statement.command not in _PREPARES
    variables = _variables(statement, connection) if has_dollars else []
    binding = _Binding(statement, parameters, variables, least_texts=_LARGE)
    if not binding.texts:
        return binding.written({}, ""), binding.values
    types = None
    if may_prepare:
        types = types_of(connection, binding.texts, binding.written, in_transaction=in_transaction)
    if types is None:  # single texts are read as the column's type, whatever it is
        binding = _Binding(statement, parameters, variables, least_texts=_HUGE)
    return binding.written(types or {}, ""), binding.values


class _Binding:
    """What stands in place of a statement's placeholders, and the values under our names for them."""

    def __init__(
        self,
        statement: Statement,
        parameters: Mapping[str, object],
        variables: Sequence[Replacement],
        *,
        least_texts: int,
    ) -> None:
        """Replace all of them; a list of texts goes as an array from so many on."""
        self._statement, self._parameters, self._least_texts = statement, parameters, least_texts
        self._prefix = _OWN
        while any(name.startswith(self._prefix) for name in statement.parameters):
            self._prefix = f"{self._prefix}_"
        self.values: dict[str, object] = {}
        self.texts: list[TextList] = []
        """The lists of texts that go as arrays."""
        found = replacements(
            statement, parameters, _ENGINE, single=self._single, member=self._member, whole=self._whole
        )
        self._found = sorted([*found, *variables])

    def written(self, types: Mapping[str, str], other: str = TEXT) -> Replaced:
        """Return the text, with each array of texts cast to its type in `types`, else to `other`, or not if that is empty."""
        cast = {_array(one.name): _array(one.name, types.get(one.name, other)) for one in self.texts}
        return self._statement.replaced([one._replace(text=cast.get(one.text, one.text)) for one in self._found])

    def _single(self, place: Placeholder) -> str:
        value = self._parameters[place.name]
        check_array(place.name, value)
        if isinstance(value, dict) and is_map(value):
            parts = (f"'{part}': {self._member(place.name, at, value[part])}" for at, part in enumerate(value))
            return f"{{{', '.join(parts)}}}"
        number = self._statement.parameters.index(place.name)
        own = place.name if _READ_WHOLE.fullmatch(place.name) else f"{self._prefix}{number}"
        self.values[own] = _sent(value)
        return f"${own}"

    def _member(self, name: str, number: int, value: object) -> str:
        own = f"{self._prefix}{name}_{number}"
        self.values[own] = _sent(value)
        return f"${own}"

    def _whole(self, place: Placeholder, members: Members, items: list[object]) -> Replacement | None:
        kinds = {type(item) for item in items if item is not None}
        least = self._least_texts if kinds == {str} else _LARGE
        if len(items) < least or members.width > 1 or len(kinds) != 1 or not kinds.issubset(_TYPED):
            return None
        if mixes_zones(items):
            return None
        own = f"{self._prefix}{place.name}"
        self.values[own] = items
        if kinds == {str}:
            self.texts.append(TextList(members.open, own))
        return Replacement(members.open, members.end, _array(own))


def _array(name: str, kind: str = "") -> str:
    """Return the inside of an IN that takes an array's items."""
    return f"(SELECT unnest(CAST(${name} AS {kind}[])))" if kind else f"(SELECT unnest(${name}))"


def shown(text: str, sent: Replaced) -> str:
    """Return DuckDB's words and names of columns with the list, or the variable, where our names for its parts stand."""
    if _OWN in text:
        text = _MEMBERS.sub(r"$\1", text)
    if "getvariable(" in text and "getvariable" not in sent.original_text.lower():
        text = _VARIABLE.sub(r"$\1", text)
    return text


def compared_list(message: str, sent: Replaced, values: Mapping[str, object]) -> str | None:
    """Return a hint if DuckDB refuses a value's type and a list stands for itself, outside of IN."""
    for start, end, old_start, old_end in sent.places if "[]" in message else ():
        own = sent.text[start:end].strip()
        if own.startswith("$") and isinstance(values.get(own[1:]), list) and sent.text[:start].rstrip()[-1:] != "(":
            return COMPARED_LIST.format(sent.original_text[old_start:old_end].lstrip(":"))
    return None


def explain(error: errors.TuskError, sent: Replaced) -> None:
    """Say where values may stand, in the error of a statement that takes none at the place of one of the user's."""
    written = next((sent.original_text[begin:end] for *_, begin, end in sent.places if begin == error.position), None)
    if written and error.scenario == "syntax":
        error.message = error.message.replace('near "$"', f'near "{written}"')
        error.hint = _NO_VALUE
    elif "nexpected prepared parameter" in error.message:
        error.hint = _NO_VALUE


def is_array(sent: Replaced) -> bool:
    """Return whether a list in IN goes as an array, whose items DuckDB does not cast to the column's type."""
    return f"unnest(${_OWN}" in sent.text or f"unnest(CAST(${_OWN}" in sent.text


def _variables(statement: Statement, connection: duckdb.DuckDBPyConnection) -> list[Replacement]:
    """Return what stands for the `$name` of SET VARIABLE: beside values, DuckDB takes it for one that is missing."""
    text = statement.text
    code = [token for token in tokens(text, dialect_named("duckdb")) if token.kind is not Kind.COMMENT]
    found = [
        Replacement(sign.start, name.end, text[name.start : name.end])
        for sign, name in pairwise(code)
        if text[sign.start : sign.end] == "$" and name.kind is Kind.WORD and name.start == sign.end
    ]
    if not found:
        return []
    known = {
        str(name).lower()
        for (name,) in connection.execute("SELECT name FROM system.main.duckdb_variables()").fetchall()
    }
    return [one._replace(text=f"getvariable('{one.text}')") for one in found if one.text.lower() in known]


def _sent(value: object) -> object:
    """Return a value as DuckDB takes it: `datetime` has no room for nanoseconds, its TIMESTAMP_NS has."""
    if isinstance(value, list):
        return [_sent(item) for item in value]
    if isinstance(value, NanoDatetime):
        return duckdb.Value(value.isoformat(" "), duckdb.sqltypes.TIMESTAMP_NS)
    return value


def mixed(parameters: Mapping[str, object]) -> list[str]:
    """Return the names of the lists and dicts that have items of several types, which DuckDB may have no common one for."""
    return [name for name, value in parameters.items() if _is_mixed(value)]


def _is_mixed(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_is_mixed, value.values()))
    if not isinstance(value, list):
        return False
    kinds = {type(item) for item in value if item is not None}
    return len(kinds) > 1 or dict in kinds or any(map(_is_mixed, value))


def _check(name: str, value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _check(name, item)
    if isinstance(value, dict):
        for item in value.values():
            _check(name, item)
    if isinstance(value, int) and not -(2**127) <= value < 2**128:
        raise errors.UsageError(
            f"The parameter :{name} is {value}; DuckDB's integers have at most 128 bits.",
            hint=f"Pass a float if an approximation will do, or text to be cast in the SQL, as in `:{name}::BIGNUM`.",
        )
    if isinstance(value, NanoDatetime) and value.tzinfo is not None:
        raise errors.UsageError(
            f"The value of :{name} has nanoseconds ({value.isoformat(' ')}), and DuckDB's TIMESTAMPTZ keeps microseconds.",
            hint="Round it first (`value.round('us')` in pandas), or give it without its zone.",
        )
    if isinstance(value, Decimal) and not _fits(value):
        raise errors.UsageError(
            f"The parameter :{name} is {value}; a DuckDB DECIMAL is finite and has at most {_DECIMAL_DIGITS} digits.",
            hint="Pass a float if an approximation will do, or text to be cast in the SQL.",
        )


def _fits(value: Decimal) -> bool:
    """Whether the digits before and behind the point are no more than a DECIMAL has."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # NaN and the infinities have a letter here
        return False
    return max(len(digits) + max(exponent, 0), -exponent) <= _DECIMAL_DIGITS

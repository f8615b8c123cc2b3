"""Values for `$n`, by psycopg's own rules for what type a Python value has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import PyFormat, Transformer

from tusk_jupyter.errors import UsageError

if TYPE_CHECKING:
    from psycopg.abc import Buffer
    from psycopg.pq.abc import PGresult

TEXT_OID, TEXT_LIST_OID = 25, 1009


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Parameters as libpq takes them."""

    values: Sequence[Buffer | None] = ()
    types: Sequence[int] = ()
    formats: Sequence[int] = ()
    lists: Sequence[int] = ()
    """Indexes of lists that went without a type."""

    def with_text_lists(self, described: PGresult) -> Bound | None:
        """Return the same with lists of text declared as such, where the server took them for one text; else None.

        Untyped they fit a list of any type (enum, uuid), which is why they are tried so first.
        """
        wrong = [index for index in self.lists if described.param_type(index) == TEXT_OID]
        types = [TEXT_LIST_OID if index in wrong else oid for index, oid in enumerate(self.types)]
        return replace(self, types=types, lists=()) if wrong else None


def bind(connection: psycopg.Connection[Any], names: Sequence[str], values: Mapping[str, object]) -> Bound:
    """Return the values of `names`, in order.

    Text goes without a type, so that the server finds the one that fits its place; so does JSON.

    Raises:
        UsageError: a value is missing, or cannot be sent.
    """
    plain = [_plain(name, values) for name in names]
    transformer = Transformer(connection)
    try:
        dumped = transformer.dump_sequence(plain, [PyFormat.AUTO] * len(plain))
    except (psycopg.Error, UnicodeError, OverflowError, ValueError) as exc:
        raise UsageError(
            f"A parameter cannot be sent to PostgreSQL: {exc}", hint="Text may hold neither NUL nor lone surrogates."
        ) from exc
    types = transformer.types or ()
    lists = [index for index, value in enumerate(plain) if isinstance(value, (list, tuple)) and not types[index]]
    return Bound(values=dumped, types=types, formats=transformer.formats or (), lists=lists)


def _plain(name: str, values: Mapping[str, object]) -> object:
    if name not in values:
        raise UsageError(f"The parameter :{name} has no value.", hint=f"Give it with `--param {name}=...`.")
    value = values[name]
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value

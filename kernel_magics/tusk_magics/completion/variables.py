"""The notebook's variables that can stand in SQL or on a magic's line; only their types are looked at."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any

_NO_VALUE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
_TABLES = frozenset(["DataFrame", "LazyFrame", "Table", "RecordBatch"])
_NO_PARAMETER = _TABLES | {"Series", "Index", "ZMQExitAutocall", "ExitAutocall"}
_OWN = frozenset(["In", "Out", "exit", "quit", "get_ipython", "open"])


def _public(namespace: Mapping[str, Any]) -> Iterator[tuple[str, type]]:
    for name, value in list(namespace.items()):  # a running cell may change it
        if not name.startswith("_") and name not in _OWN:
            yield name, type(value)


def parameters(namespace: Mapping[str, Any]) -> list[str]:
    """Return the variables that a `:name` can mean."""
    return sorted(
        name
        for name, kind in _public(namespace)
        if not issubclass(kind, _NO_VALUE) and kind.__name__ not in _NO_PARAMETER
    )


def tables(namespace: Mapping[str, Any]) -> list[str]:
    """Return the variables that can be written into a table."""
    return sorted(name for name, kind in _public(namespace) if kind.__name__ in _TABLES)


def dictionaries(namespace: Mapping[str, Any]) -> list[str]:
    """Return the variables that --params can name."""
    return sorted(name for name, kind in _public(namespace) if issubclass(kind, dict))


def keys(namespace: Mapping[str, Any], name: str) -> list[str]:
    """Return the keys of the dictionary that --params names; nothing for anything else."""
    value = namespace.get(name)
    return [key for key in list(value) if isinstance(key, str)] if type(value) is dict else []

"""Values for the `:name` placeholders of a cell: from --param, then --params, then the notebook's variables.

Which colons are placeholders only the database's own dialect knows, so the names come from the driver's splitter; a
value is never pasted into the text.
"""

from __future__ import annotations

import ast
import difflib
import json
import types
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret
from tusk_magics.options import SqlOptions

_NO_VALUE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
_FRAMES = ("DataFrame", "LazyFrame", "Table", "RecordBatch")


def given_values(options: SqlOptions, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return what --params and --param give; the latter wins.

    Raises:
        UsageError: --params names no dictionary.
    """
    return {**(_dictionary(options.params, namespace) if options.params else {}), **options.param}


def chosen_values(names: Iterable[str], options: SqlOptions, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every placeholder.

    Args:
        names: the placeholders, in order of appearance.
        options: the cell's options.
        namespace: the notebook's variables.

    Raises:
        UsageError: a name has no value, a value is of no use, or --param gives one for which there is no placeholder.
    """
    wanted = list(dict.fromkeys(names))
    spelt = {*wanted, *map(_as_python, wanted)}
    unused = [name for name in options.param if name not in spelt]
    if unused and not options.jinja:
        raise _unused(unused[0], wanted)
    given = given_values(options, namespace)
    return {name: _checked(name, _find(name, given, namespace)) for name in wanted}


def typed_values(options: SqlOptions) -> dict[str, object]:
    """Return the values that stand on the line itself, and in no variable."""
    spelt = options.params if options.params and not options.params.isidentifier() else None
    try:
        return given_values(SqlOptions(param=options.param, params=spelt), {})
    except UsageError:
        return dict(options.param)


def typed_secrets(options: SqlOptions, sql: str) -> dict[str, list[str]]:
    """Return the texts of those values that the query log would hide, by their parameters' names or places."""
    texts = {name: value for name, value in typed_values(options).items() if not isinstance(value, (int, float))}
    texts |= {name: value for name, value in typed_values(options).items() if is_meant_as_secret(name)}
    if not texts:
        return {}
    from tusk_jupyter.sqltext.hiding import texts_of  # 18 ms, for typed texts only
    from tusk_jupyter.sqltext.redaction import examine

    placed = examine(sql, "ansi", texts).parameters
    return {name: list(texts_of(value)) for name, value in texts.items() if name in placed or is_meant_as_secret(name)}


def _find(name: str, given: Mapping[str, Any], namespace: Mapping[str, Any]) -> object:
    for place in (given, namespace):
        for spelling in (name, _as_python(name)):
            if spelling in place:
                return place[spelling]
    public = [key for key in namespace if not key.startswith("_") and key not in ("In", "Out", "exit", "quit")]
    near = difflib.get_close_matches(name, [*given, *public], n=3)
    asked = f"Near it: {', '.join(near)}. " if near else ""
    raise UsageError(
        f"The placeholder :{name} has no value: no --param gives it, and there is no variable `{name}` here.",
        hint=f"{asked}Assign `{name} = ...` in an earlier cell, or add `--param {name}=VALUE`.",
    )


def _as_python(name: str) -> str:
    """Return a name as Python keeps it: `ü` of two characters, as macOS writes it, is that of one."""
    return unicodedata.normalize("NFKC", name)


def _checked(name: str, value: object) -> object:
    """Return `value` if it can stand for one value of SQL."""
    kind = type(value).__name__
    if kind in _FRAMES:
        raise UsageError(
            f"The placeholder :{name} would get `{name}`, which is a {kind}: a parameter is one value, not a table.",
            hint=f"Write it into a table first with `%sql --persist {name}`, or pass one of its columns: that is a list.",
        )
    if isinstance(value, _NO_VALUE):
        what = {"module": "a module", "type": "a class"}.get(kind, "a function")
        raise UsageError(
            f"The placeholder :{name} would get `{name}`, which is {what}, not a value.",
            hint=f"Assign a value to `{name}`, or add `--param {name}=VALUE`.",
        )
    return value


def _unused(name: str, wanted: list[str]) -> UsageError:
    near = difflib.get_close_matches(name, wanted, n=1)
    exists = f"its placeholders are {', '.join(':' + item for item in wanted)}" if wanted else "it has no placeholders"
    return UsageError(
        f"--param gives a value for :{name}, but the SQL does not use it; {exists}.",
        hint=f"Did you mean :{near[0]}?"
        if near
        else f"Leave the option out, or write :{name} where the value belongs.",
    )


def _dictionary(text: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dictionary that --params names or spells out."""
    if text.isidentifier():
        if text not in namespace:
            near = difflib.get_close_matches(text, list(namespace), n=1)
            raise UsageError(
                f"--params names `{text}`, and there is no such variable.",
                hint=f"Did you mean `{near[0]}`?" if near else f"Assign `{text} = {{...}}` in an earlier cell.",
            )
        found = namespace[text]
    else:
        found = _literal(text)
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise UsageError(
            f"--params takes a dictionary with text keys; it was given a {type(found).__name__}.",
            hint='Write it as `--params {"month": 1}` or give the name of such a variable.',
        )
    return dict(found)


def _literal(text: str) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as json_error:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise UsageError(
                f"--params could not be read as a dictionary: {json_error}.",
                hint='Write it as `--params {"month": 1}` or give the name of a dictionary variable.',
            ) from None

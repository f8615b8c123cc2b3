"""The options of `%sql`: one table from which reading, help and did-you-mean are drawn.

A value ends at the first blank outside quotes and brackets, so `--param name='New York'` and `--params {"a": 1}` need
no further quoting, and backslashes in Windows paths stay as they are.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tusk_jupyter.errors import UsageError

FORMATS = ("pandas", "polars", "arrow")
DECIMALS = ("exact", "float")
_QUOTED = re.compile(r"'(?:[^']|'')*+'|\"(?:[^\"]|\"\")*+\"")
"""A text between quotes: as written, since `'C:\\new\\table'` is a path and no tab, but for a doubled quote, as in SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOptions:
    """What the options of one cell say."""

    into: str | None = None
    param: dict[str, object] = field(default_factory=dict)
    params: str | None = None
    """A variable's name, or a dictionary in JSON or Python."""
    jinja: bool = False
    file: str | None = None
    timeout: float | None = None
    """Seconds."""
    limit: int | None = None
    read_only: bool = False
    format: str | None = None
    decimal: Literal["exact", "float"] | None = None
    to: str | None = None
    overwrite: bool = False
    no_log: bool = False
    persist: str | None = None
    append: str | None = None
    help: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how it is written, what it does, how its value is read."""

    name: str
    value: str | None
    help: str
    read: Callable[[str], object] = str

    @property
    def field(self) -> str:
        """Name of the attribute of `SqlOptions`."""
        return self.name.removeprefix("--").replace("-", "_")


def unquote(text: str) -> str:
    """Return `text` without one pair of quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def identifier(text: str) -> str:
    """Return `text` when Python can assign to it.

    Raises:
        UsageError: it is no name, or a keyword.
    """
    if not text.isidentifier() or keyword.iskeyword(text):
        why = "a keyword of Python" if keyword.iskeyword(text) else "not a Python name"
        raise UsageError(
            f"The result cannot be assigned to {text!r}: it is {why}.",
            hint="Use letters, digits and underscores, not beginning with a digit, as `flights_2013`.",
        )
    return text


def _pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError("takes NAME=VALUE, as `--param month=1`")
    if _QUOTED.fullmatch(value):
        quote = value[0]
        return name, value[1:-1].replace(quote * 2, quote)
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError("takes a number of seconds above 0")
    return seconds


def _rows(text: str) -> int:
    plain = text.replace("_", "").replace(",", "")
    if not plain.isascii() or not plain.isdigit():
        raise ValueError("takes a number of rows, 0 or more")
    return int(plain)


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"takes one of {', '.join(choices)}")
        return text

    return read


OPTIONS = (
    Option("--into", "NAME", "assign the result to a Python variable; the same as NAME <<", identifier),
    Option(
        "--param",
        "NAME=VALUE",
        "value for :NAME; a Python literal; text between quotes is taken as written, a doubled quote being one as in SQL; "
        "anything else is text; may be repeated",
        _pair,
    ),
    Option("--params", "DICT", "values for placeholders: a dictionary variable, or JSON", str),
    Option("--jinja", None, "render {{ }} and {% %} from the notebook's variables first"),
    Option("--file", "PATH", "run the SQL of a file", unquote),
    Option("--timeout", "SECONDS", "stop the run after this time", _seconds),
    Option("--limit", "ROWS", "fetch at most this many rows of each result", _rows),
    Option("--read-only", None, "let the server refuse every change"),
    Option("--format", "|".join(FORMATS), "kind of the result (pandas)", _one_of(*FORMATS)),
    Option("--decimal", "|".join(DECIMALS), "keep DECIMAL exact, or make it float (exact)", _one_of(*DECIMALS)),
    Option("--to", "FILE", "stream the result into FILE.parquet, .csv or .arrow", unquote),
    Option("--overwrite", None, "let --to replace an existing file"),
    Option("--no-log", None, "leave this run out of the query log"),
    Option("--persist", "DF [AS TABLE]", "write a DataFrame into a new table", str),
    Option("--append", "DF [AS TABLE]", "append a DataFrame to a table", str),
    Option("--help", None, "show this help"),
)
_BY_NAME = {option.name: option for option in OPTIONS}
_WORD = re.compile(r"--[A-Za-z][\w-]*")
OPTION = re.compile(rf"(?:{'|'.join(_BY_NAME)})(?=[\s=]|\Z)")
"""An option's name, wherever it stands."""


def begins_option(text: str, at: int) -> bool:
    """Return whether an option begins at `at`; two dashes before anything but a letter are a comment of SQL."""
    return _WORD.match(text, at) is not None


def read_option(text: str, at: int, found: dict[str, Any]) -> int:
    """Read the option at `at` into `found` and return the place behind it.

    Raises:
        UsageError: there is no such option, it came twice, or its value is missing or wrong.
    """
    word = _WORD.match(text, at)
    assert word is not None  # noqa: S101 - `begins_option` was asked
    option = _BY_NAME.get(word.group())
    if option is None:
        raise _unknown(word.group())
    end = word.end()
    if option.value is None:
        if text[end : end + 1] == "=":
            raise UsageError(f"{option.name} takes no value.", hint=f"Write `{option.name}` alone: {option.help}.")
        return _store(option, True, found, end)
    raw, end = _value(option, text, end)
    try:
        value = option.read(raw)
    except ValueError as exc:
        given = "" if option.name == "--param" else f"; it was given {raw!r}"  # a value may be a secret
        raise UsageError(f"{option.name} {exc}{given}.", hint=_usage(option)) from None
    return _store(option, value, found, end)


def _value(option: Option, text: str, at: int) -> tuple[str, int]:
    """Return the value that stands behind an option's name and the place behind it."""
    start = at + 1 if text[at : at + 1] == "=" else at + len(text[at:]) - len(text[at:].lstrip(" \t"))
    end = _end_of_value(option, text, start)
    if end == start or (begins_option(text, start) and text[start:end] in _BY_NAME):
        raise UsageError(f"{option.name} needs a value: {option.name} {option.value}.", hint=_usage(option))
    return text[start:end], end


def _end_of_value(option: Option, text: str, at: int) -> int:
    depth, quote = 0, ""
    for place in range(at, len(text)):
        char = text[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char.isspace() and depth <= 0:
            return place
        if char == "\n":
            break
    if quote or depth > 0:
        raise UsageError(
            f"A quote or bracket is not closed in the value of {option.name}.",
            hint="Close it on the same line; a value with an odd quote fits into --params.",
        )
    return len(text)


def _store(option: Option, value: object, found: dict[str, Any], end: int) -> int:
    if option.name == "--param":
        found.setdefault("param", {}).update([value])
        return end
    if option.field in found:
        raise UsageError(f"{option.name} was given twice.", hint=_usage(option))
    found[option.field] = value
    return end


def _usage(option: Option) -> str:
    return f"`{option.name} {option.value}`: {option.help}." if option.value else f"`{option.name}`: {option.help}."


def _unknown(word: str) -> UsageError:
    near = difflib.get_close_matches(word, _BY_NAME, n=1, cutoff=0.5)
    asked = f"Did you mean {near[0]}? " if near else ""
    return UsageError(
        f"There is no option {word}. Known options: {', '.join(_BY_NAME)}.",
        hint=f"{asked}`%sql --help` explains them; a comment of SQL needs a blank behind the two dashes.",
    )

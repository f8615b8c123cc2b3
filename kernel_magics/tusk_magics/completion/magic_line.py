"""What is offered on the lines of `%sql`, `%%sql` and `%tusk`: connections, options and their values, verbs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tusk_jupyter.protocol.control import Connection
from tusk_magics.completion import variables
from tusk_magics.completion.head import Head
from tusk_magics.completion.keywords import statements
from tusk_magics.completion.paths import path_offers
from tusk_magics.completion.ranking import Offer
from tusk_magics.options import OPTIONS, Option

_RESULT_FILES = (".parquet", ".csv", ".arrow")
_PLACEHOLDER = re.compile(r"(?<![:\w]):([^\W\d]\w*)")


def connection_offers(connections: Iterable[Connection], tier: int = 0) -> Iterator[Offer]:
    """Yield the names of connections, the current one first."""
    for connection in sorted(connections, key=lambda item: not item.current):
        yield Offer(connection.name, "connection", connection.name, tier)


def head_offers(
    head: Head, sql: str, connections: Iterable[Connection], namespace: Mapping[str, Any], *, is_cell: bool
) -> Iterator[Offer]:
    """Yield what can stand at the cursor before the SQL.

    Args:
        head: what was read.
        sql: the SQL behind it, for the names of its placeholders.
        connections: all that are configured.
        namespace: the notebook's variables.
        is_cell: whether it is `%%sql`, whose SQL usually begins on the next line.
    """
    prefix = head.word[1] if head.word else ""
    if head.value_of is not None:
        yield from _values(head.value_of, prefix, sql, namespace)
        return
    if not prefix.startswith("-"):
        if head.connection is None or head.connection.startswith(prefix or "\n"):
            yield from connection_offers(connections)
        if not is_cell or prefix:
            lower = not prefix or prefix[0].islower()
            words = (word.lower() if lower else word for word in statements(""))
            yield from (Offer(word, "keyword", word, 2, fuzzy=False) for word in words)
    for option in OPTIONS:
        if option.name not in head.options or option.name == "--param":
            yield Offer(option.name, "option", option.name, 1, fuzzy=False)


def _values(option: Option, prefix: str, sql: str, namespace: Mapping[str, Any]) -> Iterator[Offer]:
    match option.name:
        case "--to":
            yield from path_offers(prefix, _RESULT_FILES)
        case "--file":
            yield from path_offers(prefix, (".sql",))
        case "--persist" | "--append":
            yield from (Offer(name, "variable", name, 0) for name in variables.tables(namespace))
        case "--params":
            yield from (Offer(name, "variable", name, 0) for name in variables.dictionaries(namespace))
        case "--param":
            names = dict.fromkeys(_PLACEHOLDER.findall(sql))
            yield from (Offer(f"{name}=", "parameter", name, 0) for name in names)
        case _ if "|" in (option.value or ""):
            yield from (Offer(word, "value", word, 0) for word in str(option.value).split("|"))


def verb_offers(line: str, connections: Iterable[Connection]) -> Iterator[Offer]:
    """Yield what can stand at the end of `line`, the text between `%tusk` and the cursor."""
    from tusk_jupyter.cli.group import VERBS, Verbs, root

    words = line.split()
    if line and not line[-1].isspace():
        words.pop()
    if not words:
        yield from (Offer(verb, "verb", verb, 0) for verb in VERBS)
        return
    command = root.get_command(None, words[0]) if isinstance(root, Verbs) else None  # type: ignore[arg-type]
    if command is None:
        return
    group = getattr(command, "commands", {})
    if group and len(words) > 1 and words[1] in group:
        command = group[words[1]]
    elif group:
        yield from (Offer(name, "verb", name, 0) for name in group)
    yield from _parameter_offers(command, words, connections)


def _parameter_offers(command: Any, words: list[str], connections: Iterable[Connection]) -> Iterator[Offer]:  # noqa: ANN401
    """Yield values of the option that stands last, or arguments and the options that are not there yet."""
    flags = [(parameter, parameter.opts) for parameter in command.params if parameter.param_type_name == "option"]
    pending = next((p for p, opts in flags if words[-1] in opts and not p.is_flag), None)
    if pending is not None:
        yield from (Offer(choice, "value", choice, 0) for choice in getattr(pending.type, "choices", ()))
        if pending.name == "connection":
            yield from connection_offers(connections)
        return
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    if (
        words[0] in ("use", "test", "disconnect", "duplicate", "remove", "credentials", "schema", "export")
        and arguments
    ):
        yield from connection_offers(connections)
    for _, opts in flags:
        if not any(opt in words for opt in opts):
            yield Offer(opts[-1], "option", opts[-1], 1, fuzzy=False)

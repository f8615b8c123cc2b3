"""Lines of a notebook's cell in which our verbs are called: `%tusk connect ...`, `!PGPASSWORD=x tusk test pg`, `%%sh`.

IPython keeps them whatever a command in them refuses. A shell's line is read as far as people type secrets in one: words of
our verbs, variables given to a command, what is piped or fed into a verb that asks for a secret.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from tusk_jupyter.cli.passwords import as_written, behind_secret_verb, secrets_of_sql_line, typed_secrets, within_word
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret

_MAGIC_LINE = re.compile(r"^[ \t]*%{1,2}(tusk|sql)\b([^\n]*)", re.MULTILINE)
_SHELL_LINE = re.compile(r"^[ \t]*+(?:[\w., ]++=[ \t]*+)?(?:!{1,2}|%(?:sx|system)\b)([^\n]*)", re.MULTILINE)
_ENVIRONMENT_LINE = re.compile(
    r"^[ \t]*+%(?:env|set_env)[ \t]++([A-Za-z_]\w*+)(?:[ \t]*+=|[ \t])[ \t]*+([^\n]*\S)", re.MULTILINE
)
"""`%env PGPASSWORD=x`, `%env PGPASSWORD x`"""
_SHELL_CELL = re.compile(
    r"\A\s*%%(?:!|(?:sh|bash|zsh|ksh|dash|fish|cmd|powershell|sx|system|script)\b)([^\n]*)\n", re.IGNORECASE
)
_OURS = re.compile(r"(?:.*[/\\])?tusk(?:\.exe)?", re.IGNORECASE)
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)\+?=(.+)", re.DOTALL)
_BREAK = re.compile(r"[;&|()]+")
_HERE = re.compile(r"<<-?[ \t]*(['\"]?)(\w+)\1")
_ASKING = (("credentials", "set"), ("credentials", "unlock"))
_SAYING = frozenset(["echo", "printf", "print", "write-output"])
_NO_SECRET = re.compile(r"[$`%\-{].*|", re.DOTALL)
"""A variable, a format, an option, an expression of IPython's: no secret by itself."""
_DEPTH = 2


def secrets_of_lines(text: str) -> tuple[str, ...]:
    """Return the secrets in lines of a cell, or of SQL, that call our verbs: `%tusk credentials set x PASSWORD`."""
    if "tusk" not in text and "%sql" not in text:
        return ()
    found: list[str] = []
    for kind, line in _MAGIC_LINE.findall(text):
        words = _words(line)
        if kind == "tusk":
            found += as_written(line, [*typed_secrets(words), *behind_secret_verb(words)])
        else:
            found += [*secrets_of_sql_line(line.strip()), *(secret for word in words for secret in within_word(word))]
    for name, value in _ENVIRONMENT_LINE.findall(text) if "env" in text else ():
        if is_meant_as_secret(name) and not _NO_SECRET.fullmatch(value):
            found.append(value)
    whole = _SHELL_CELL.match(text)
    if whole:
        found += secrets_of_shell(f"{whole[1]}\n{text[whole.end() :]}")
    else:
        found += secrets_of_shell("\n".join(_SHELL_LINE.findall(text.replace("\\\n", "  "))))
    return tuple(dict.fromkeys(found))


def secrets_of_shell(text: str) -> tuple[str, ...]:
    """Return the secrets in a shell's lines, where one of them calls our command."""
    return tuple(dict.fromkeys(_in_shell(text.replace("\\\n", "  "), _DEPTH)))


def _in_shell(text: str, depth: int) -> Iterator[str]:
    if "tusk" not in text:
        return
    end = fed_until = 0
    for line in text.splitlines(keepends=True):
        end += len(line)
        here = _HERE.search(line) if "<<" in line and "tusk" in line and end > fed_until else None
        if here and _asks(_words(line[: here.start()])):
            fed_until = _end_of_document(text, here[2], end)
            yield from (one.strip() for one in text[end:fed_until].splitlines() if one.strip())
        if "tusk" in line or "=" in line:
            yield from as_written(line, [*_in_line(_words(line), depth)])


def _end_of_document(text: str, word: str, start: int) -> int:
    """Return where the line stands that ends a here-document; a shell takes one without it up to the end."""
    stop = f"{text}\n".find(f"\n{word}\n", start - 1)
    return len(text) if stop < 0 else stop + 1


def _in_line(words: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the secrets of one line: of its commands, its variables, and of what is said to a verb that asks."""
    before: Sequence[str] = ()
    for command in _commands(words):
        ours = next((at for at, word in enumerate(command) if _OURS.fullmatch(word)), None)
        for at, word in enumerate(command):
            match = _ASSIGNED.fullmatch(word) if ours is None or at < ours else None
            if match and is_meant_as_secret(match[1]) and not _NO_SECRET.fullmatch(match[2]):
                yield match[2]
            if depth and " " in word:  # sh -c 'tusk connect ...'
                yield from _in_shell(word, depth - 1)
        if ours is not None:
            yield from _in_ours(command[ours + 1 :])
        if _asks(command) and before and before[0].lower() in _SAYING:
            yield from (word for word in before[1:] if not _NO_SECRET.fullmatch(word))
        before = command


def _in_ours(words: Sequence[str]) -> Iterator[str]:
    fed = words.index("<<<") if "<<<" in words else len(words)
    if _asks(["tusk", *words[:fed]]):
        yield from (word for word in words[fed + 1 :] if not _NO_SECRET.fullmatch(word))
    yield from typed_secrets(words[:fed])
    yield from behind_secret_verb(words[:fed])


def _asks(command: Sequence[str]) -> bool:
    """Whether a command is one of our verbs that reads a secret."""
    ours = next((at for at, word in enumerate(command) if _OURS.fullmatch(word)), None)
    if ours is None:
        return False
    verb = tuple(word for word in command[ours + 1 :] if not word.startswith("-"))[:2]
    return verb in _ASKING or verb[:1] == ("connect",)


def _commands(words: Sequence[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in words:
        if _BREAK.fullmatch(word):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _words(line: str) -> list[str]:
    """Return the words of a line, its separators among them; of one whose quotes are not closed, as far as blanks part them."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
    reader.whitespace_split, reader.commenters = True, ""
    try:
        return list(reader)
    except ValueError:
        return line.split()

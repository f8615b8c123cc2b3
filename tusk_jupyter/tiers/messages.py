"""What may be shown of a failing command's own messages (standard error), in which its secret may stand as well.

A notebook keeps what an error shows. `op: not signed in` helps; a wrapper that prints the secret to the wrong stream, or
`set -x`, does not. So a sentence stays, and of it the words that a person could have written.
"""

from __future__ import annotations

import re

from tusk_jupyter.sqltext.secret_shapes import HIDDEN, hide_shapes

_WORD = re.compile(r"\S+")
_AROUND = ".,:;!?'\"()[]{}<>`*"
_PLAIN = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+|(?:[A-Z][a-z]{2,}){2,4})")
_JOINTS = re.compile(r"[-_./:='’]+")
_SHORT = 3
_TRACE = "+"


def shown_messages(text: str, *, command: str, printed: str) -> str:
    """Return the messages of a command as an error may show them.

    Args:
        text: what the command wrote to standard error.
        command: its own words, which are known anyway.
        printed: what it wrote to standard output, where a secret belongs.
    """
    for line in sorted(filter(None, map(str.strip, printed.splitlines())), key=len, reverse=True):
        text = text.replace(line, HIDDEN)
    known = set(_WORD.findall(command)) | {part for word in _WORD.findall(command) for part in word.split("/")}
    return hide_shapes("\n".join(_line(line, known) for line in text.splitlines()))


def _line(line: str, known: set[str]) -> str:
    """Return a line; one of a single word, or of a shell's trace, may be the secret itself."""
    words = line.split()
    if words and (words[0].startswith(_TRACE) or (len(words) == 1 and words[0] not in known)):
        return HIDDEN
    return _WORD.sub(lambda match: match[0] if _is_plain(match[0], known) else HIDDEN, line)


def _is_plain(word: str, known: set[str]) -> bool:
    core = word.strip(_AROUND)
    if len(core) <= _SHORT or core in known or core == HIDDEN:
        return True
    return all(not part or _PLAIN.fullmatch(part) for part in _JOINTS.split(core))

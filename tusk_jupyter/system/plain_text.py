"""Words on their way out: the act and its value stand whatever the stream can show.

A stream may know no arrow (`PYTHONIOENCODING=latin-1`, cp1252 where Windows redirects), be closed, or have a reader that has
gone. What was done is done then, and must neither end in a traceback nor be lost.
"""

from __future__ import annotations

import codecs
import contextlib
import sys
from typing import TextIO

ERRORS = "tusk-plain"
"""The error handler of codecs that `open` and `reconfigure` take by this name."""

_PLAIN = {
    "→": "->", "←": "<-", "·": "-", "…": "...", "–": "-", "—": "-", "×": "x", "■": "#", "≥": ">=", "≤": "<=",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "«": "<<", "»": ">>", "\u00a0": " ", "−": "-", "│": "|", "─": "-",
}  # fmt: skip


def _replaced(exc: UnicodeError) -> tuple[str, int]:
    if not isinstance(exc, UnicodeEncodeError):
        raise exc
    return "".join(_spelt(char) for char in exc.object[exc.start : exc.end]), exc.end


def _spelt(char: str) -> str:
    return _PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(ERRORS, _replaced)


def fitted(text: str, stream: TextIO | None = None) -> str:
    """Return `text` as a stream (standard output, where none is given) can show it."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, ERRORS).decode(encoding)
    except (LookupError, UnicodeError):
        return text.encode("ascii", ERRORS).decode("ascii")


def say(text: str, *, end: str = "\n") -> None:
    """Print on standard output as far as there is one; nothing is raised but an interrupt."""
    with contextlib.suppress(OSError, ValueError):  # closed; its reader has gone; its disk is full
        print(fitted(text), end=end)  # noqa: T201
        if sys.stdout is not None:
            sys.stdout.flush()


def degrade(*streams: TextIO | None) -> None:
    """Let streams of this process show what they cannot encode in plain characters; for a process that is all ours."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with contextlib.suppress(OSError, ValueError):
                reconfigure(errors=ERRORS)

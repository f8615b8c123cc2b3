"""How an error looks in a notebook: what failed, where in the user's own text, what to do; no Python traceback."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from tusk_jupyter import errors
from tusk_jupyter.cli.stages import detail_lines
from tusk_jupyter.system.plain_text import fitted
from tusk_jupyter.visible import visible
from tusk_magics.place import Place

_TITLES: dict[type[errors.TuskError], str] = {
    errors.UsageError: "Usage error",
    errors.ConnectError: "Connection error",
    errors.SessionLost: "Session lost",
    errors.CredentialError: "Credential error",
    errors.QueryError: "Query error",
    errors.Cancelled: "Cancelled",
    errors.TimeoutExceeded: "Timeout",
    errors.ResultTooLarge: "Result too large",
    errors.DriverNotFound: "Driver not found",
    errors.DriverStartError: "Driver did not start",
    errors.DriverCrashed: "Driver crashed",
    errors.ProtocolError: "Protocol error",
    errors.DriverError: "Driver error",
    errors.VersionMismatch: "Version mismatch",
    errors.CoreError: "Core service error",
    errors.StorageError: "Storage error",
    errors.InternalError: "Internal error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """ANSI colour, or none."""

    on: bool

    def __call__(self, code: str, text: str) -> str:
        """Return `text` in a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text


def show_without_traceback(
    exc: errors.TuskError, place: Place | None, *, statements: int | None = None, colour: bool = True
) -> None:
    """Make IPython show `exc` as text of ours; other callers still get an ordinary exception.

    Args:
        exc: what is about to leave a magic.
        place: where the SQL stands, or None when there was none yet.
        statements: how many statements the SQL has, where that is known.
        colour: whether the frontend shows ANSI colours.
    """
    # In the exception itself: a notebook's output has its words too.
    exc.reword(_without_urls_secrets if place is None else place.without_secrets)
    lines = error_lines(exc, place, statements=statements, paint=Paint(on=colour))
    # IPython asks the exception itself: InteractiveShell.showtraceback.
    exc._render_traceback_ = lambda: lines  # type: ignore[attr-defined]


def _without_urls_secrets(text: str) -> str:
    from tusk_jupyter.sqltext.secret_shapes import hide_urls  # 10 ms, at the first error only

    return hide_urls(text)


def error_lines(
    exc: errors.TuskError, place: Place | None, *, statements: int | None = None, paint: Paint | None = None
) -> list[str]:
    """Return what a reader sees of `exc`, line by line."""
    paint = paint or Paint(on=False)
    title = next((_TITLES[cls] for cls in type(exc).__mro__ if cls in _TITLES), type(exc).__name__)
    message = _clean(exc.message)
    head, rest = (title, message.removeprefix(title)) if message.startswith(title) else (f"{title}: ", message)
    lines = [paint("1;31", head) + rest]
    lines += _where(exc, place, statements, paint)
    lines += [f"{paint('1', head + ':')} {_clean(text)}" for head, text in detail_lines(exc.detail)]
    if exc.hint:
        lines.append(f"{paint('1;32', 'Hint:')} {_clean(exc.hint)}")
    if exc.code:
        lines.append(paint("2", f"Code: {_clean(exc.code)}"))
    return [fitted(line) for line in lines]  # IPython prints them, and would fail at one that its stream cannot encode


def _where(exc: errors.TuskError, place: Place | None, statements: int | None, paint: Paint) -> list[str]:
    words = []
    if place is not None and exc.position is not None:
        line, column = place.line_and_column(exc.position)
        words.append(f"line {line}, column {column} of {place.name}")
    if exc.statement is not None and statements is not None and statements > 1:
        words.append(f"statement {exc.statement + 1} of {statements}; {_before(exc.statement)}")
    lines = [paint("2", "  " + " · ".join(words))] if words else []
    if place is not None and exc.position is not None:
        text, mark = place.excerpt(exc.position)
        lines += ["", _clean(text), paint("1;31", mark), *_unseen(text), ""]
    return lines


_UNSEEN = re.compile("[\xa0\u1680\u2000-\u200f\u2028\u2029\u202a-\u202f\u205f\u2060-\u2064\u3000\ufeff]")


def _unseen(text: str) -> list[str]:
    """Return a line about signs that look like a blank, or like nothing, and are none to an engine."""
    found = dict.fromkeys(_UNSEEN.findall(text.partition("| ")[2]))
    named = ", ".join(f"{unicodedata.name(sign).lower()} (U+{ord(sign):04X})" for sign in found)
    return [f"  This line has a sign that cannot be seen: {named}. Type the blank anew."] if found else []


def _before(index: int) -> str:
    return {0: "none was run before it", 1: "1 was run before it"}.get(index, f"{index} were run before it")


def _clean(text: str) -> str:
    """Return `text` with what a terminal would obey made visible: a server's message is not to move the cursor."""
    return visible(text).rstrip()

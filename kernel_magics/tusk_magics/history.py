"""Taking a password back out of IPython's input history, as far as that can be done from inside."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any

from tusk_jupyter.cli.logins import in_urls_of
from tusk_jupyter.cli.passwords import typed_secrets, without_secrets
from tusk_jupyter.cli.typed_lines import secrets_of_lines
from tusk_jupyter.system.plain_text import say

if TYPE_CHECKING:
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

Clean = Callable[[str], str]
_OURS = re.compile(r"(?:%{1,2}(?:tusk|sql)\b|%config\s+TuskMagics\b)(.*)")
_SETTING = re.compile(r"%config\s+TuskMagics\b(.*)")
STAYS = (
    "It was taken out of this session's input history; delete it from the cell yourself before the notebook is saved."
)


def scrub(shell: InteractiveShell, secrets: Sequence[str]) -> None:
    """Put `***` for each of them, and for every password in a URL, in all that was typed in this session.

    In `In` and `_i*`, in the rows that wait for history.sqlite and those in it, in the terminal's own list.
    """
    _scrub(shell, _cleaner(secrets), only=None)


def scrub_running_cell(shell: InteractiveShell, words: Sequence[str]) -> None:
    """Put `***` for words that may be no secrets: in the cell that is running, and in no other."""
    if any(words) and (history := shell.history_manager) is not None:
        # The last one that was stored; `execution_count` is its number or, since IPython 9.18, the next one's.
        running = len(history.input_hist_raw) - 1
        _scrub(shell, _cleaner([word for word in words if word]), only=running)


def scrub_after(shell: InteractiveShell, cell: str) -> None:
    """Put `***` for the passwords of URLs in a cell that our magics or settings got, or our command, whatever became of it."""
    secrets: list[str] = []
    if "%" in cell and (ours := _OURS.search(cell)):
        text = cell if ours[0].startswith("%%") else "\n".join(match[1] for match in _OURS.finditer(cell))
        secrets += in_urls_of(text)
        for match in _SETTING.finditer(cell):
            secrets += typed_secrets(match[1].strip(" .").split())
    if "tusk" in cell:  # `!tusk connect ...`, `%%sh`: our command refuses it, and knows no history of IPython's
        secrets += secrets_of_lines(cell)
    history = shell.history_manager
    if not secrets or history is None:
        return
    kept = [*history.input_hist_raw[-2:], *history.input_hist_parsed[-2:]]
    if any(secret in text for secret in secrets for text in kept):
        scrub(shell, secrets)
        say(f"Note: a password stands in this cell. {STAYS}")


def _cleaner(secrets: Sequence[str]) -> Clean:
    # IPython keeps a cell as written and as the Python that it became, where a magic's line is a literal.
    escaped = [secret.replace("\\", "\\\\") for secret in secrets if "\\" in secret or "'" in secret]
    spelt = (*secrets, *escaped, *(secret.replace("'", "\\'") for secret in escaped))

    def clean(text: str) -> str:
        return without_secrets(text, (*spelt, *(in_urls_of(text) if "://" in text else ())))

    return clean


def _scrub(shell: InteractiveShell, clean: Clean, *, only: int | None) -> None:
    for name, value in list(shell.user_ns.items()):
        if name.startswith("_i") and isinstance(value, str) and only in (None, _number(name)):
            shell.user_ns[name] = clean(value)
    _scrub_terminal(shell, clean, only=only)
    history = shell.history_manager
    if history is None:
        return
    for kept in (history.input_hist_raw, history.input_hist_parsed):
        _clean(kept, clean, only=only)
    for name in ("_i00",) if only else ("_i", "_ii", "_iii", "_i00"):
        setattr(history, name, clean(getattr(history, name)))
    with history.db_input_cache_lock:
        history.db_input_cache[:] = [
            (number, clean(text), clean(raw)) if only in (None, number) else (number, text, raw)
            for number, text, raw in history.db_input_cache
        ]
    _scrub_file(history, clean, only=only)


def _number(name: str) -> int | None:
    """Return the cell's number in a name such as `_i7`."""
    return int(name[2:]) if name[2:].isdigit() else None


def _clean(kept: MutableSequence[str], clean: Clean, *, only: int | None) -> None:
    """Clean all of a list, or its one entry."""
    for at in range(len(kept)) if only is None else range(only, min(only + 1, len(kept))):
        kept[at] = clean(kept[at])


def _scrub_file(history: HistoryManager, clean: Clean, *, only: int | None) -> None:
    """Overwrite this session's rows of history.sqlite that hold a password."""
    if not history.enabled or not hasattr(history.db, "execute"):
        return
    with history.db:
        history.db.execute("PRAGMA secure_delete=ON")
        rows = history.db.execute(
            "SELECT line, source, source_raw FROM history WHERE session = ?", (history.session_number,)
        ).fetchall()
        for line, source, raw in rows:
            if only in (None, line) and (clean(source) != source or clean(raw) != raw):
                history.db.execute(
                    "UPDATE history SET source = ?, source_raw = ? WHERE session = ? AND line = ?",
                    (clean(source), clean(raw), history.session_number, line),
                )


def _scrub_terminal(shell: InteractiveShell, clean: Clean, *, only: int | None) -> None:
    """Clean what the arrow keys bring back in IPython's terminal; prompt_toolkit has no public way to change it."""
    prompt: Any = getattr(shell, "pt_app", None)
    typed = getattr(getattr(prompt, "history", None), "_loaded_strings", None)
    if isinstance(typed, list):  # the newest first
        typed[: None if only is None else 1] = [clean(text) for text in typed[: None if only is None else 1]]

"""Taking a password back out of IPython's input history, as far as that can be done from inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tusk_jupyter.cli.passwords import secrets_of_urls, without_secrets

if TYPE_CHECKING:
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell


def scrub(shell: InteractiveShell, secrets: Sequence[str]) -> None:
    """Put `***` for each of them, and for every password in a URL.

    In `In` and `_i*`, in the rows that wait for history.sqlite and those in it, in the terminal's own list.
    """

    def clean(text: str) -> str:
        return without_secrets(text, (*secrets, *(secrets_of_urls(text) if "://" in text else ())))

    for name, value in list(shell.user_ns.items()):
        if name.startswith("_i") and isinstance(value, str):
            shell.user_ns[name] = clean(value)
    _scrub_terminal(shell, clean)
    history = shell.history_manager
    if history is None:
        return
    for kept in (history.input_hist_raw, history.input_hist_parsed):
        kept[:] = [clean(text) for text in kept]
    for name in ("_i", "_ii", "_iii", "_i00"):
        setattr(history, name, clean(getattr(history, name)))
    with history.db_input_cache_lock:
        waiting = history.db_input_cache
        waiting[:] = [(number, clean(text), clean(raw)) for number, text, raw in waiting]
    _scrub_file(history, clean)


def _scrub_file(history: HistoryManager, clean: Callable[[str], str]) -> None:
    """Overwrite this session's rows of history.sqlite that hold a password."""
    if not history.enabled or not hasattr(history.db, "execute"):
        return
    with history.db:
        history.db.execute("PRAGMA secure_delete=ON")
        rows = history.db.execute(
            "SELECT line, source, source_raw FROM history WHERE session = ?", (history.session_number,)
        ).fetchall()
        for line, source, raw in rows:
            if clean(source) != source or clean(raw) != raw:
                history.db.execute(
                    "UPDATE history SET source = ?, source_raw = ? WHERE session = ? AND line = ?",
                    (clean(source), clean(raw), history.session_number, line),
                )


def _scrub_terminal(shell: InteractiveShell, clean: Callable[[str], str]) -> None:
    """Clean what the arrow keys bring back in IPython's terminal; prompt_toolkit has no public way to change it."""
    prompt: Any = getattr(shell, "pt_app", None)
    typed = getattr(getattr(prompt, "history", None), "_loaded_strings", None)
    if isinstance(typed, list):
        typed[:] = [clean(text) for text in typed]

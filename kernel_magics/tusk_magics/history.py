"""Taking a password back out of IPython's input history, as far as that can be done from inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tusk_jupyter.cli.passwords import without_passwords

if TYPE_CHECKING:
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell


def scrub(shell: InteractiveShell) -> None:
    """Put `***` for every password in a URL: in `In`, `_i*`, the rows waiting for history.sqlite and those in it."""
    for name, value in list(shell.user_ns.items()):
        if name.startswith("_i") and isinstance(value, str):
            shell.user_ns[name] = without_passwords(value)
    history = shell.history_manager
    if history is None:
        return
    for kept in (history.input_hist_raw, history.input_hist_parsed):
        kept[:] = [without_passwords(text) for text in kept]
    for name in ("_i", "_ii", "_iii", "_i00"):
        setattr(history, name, without_passwords(getattr(history, name)))
    with history.db_input_cache_lock:
        waiting = history.db_input_cache
        waiting[:] = [(number, without_passwords(text), without_passwords(raw)) for number, text, raw in waiting]
    _scrub_file(history)


def _scrub_file(history: HistoryManager) -> None:
    """Overwrite this session's rows of history.sqlite that hold a password."""
    if not history.enabled or not hasattr(history.db, "execute"):
        return
    with history.db:
        history.db.execute("PRAGMA secure_delete=ON")
        rows = history.db.execute(
            "SELECT line, source, source_raw FROM history WHERE session = ? AND source_raw LIKE '%://%'",
            (history.session_number,),
        ).fetchall()
        for line, source, raw in rows:
            history.db.execute(
                "UPDATE history SET source = ?, source_raw = ? WHERE session = ? AND line = ?",
                (without_passwords(source), without_passwords(raw), history.session_number, line),
            )

"""The user's settings: what there is, what each means, and what was chosen."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.scenarios import LEAST_CAP_MB, NO_SUCH_NAME
from tusk_jupyter.state import clock

if TYPE_CHECKING:
    from tusk_jupyter.state.database import Database
    from tusk_jupyter.state.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A preference that there is."""

    name: str
    default: Any
    read: Callable[[str], Any]
    """Makes the value from text; raises ValueError with what it may be."""
    description: str
    unit: str = ""


def _number(least: float, most: float = math.inf) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most or math.isinf(value):
            raise ValueError(f"a number from {least:g}{f' to {most:g}' if math.isfinite(most) else ' on'}")
        return value

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _cap(text: str) -> int:
    value = _whole(0, 1 << 30)(text)
    if 0 < value < LEAST_CAP_MB:
        raise ValueError(f"a whole number from 0 (none) or from {LEAST_CAP_MB} on")
    return value


def _switch(text: str) -> bool:
    words = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
    try:
        return words[text.strip().lower()]
    except KeyError:
        raise ValueError("on or off") from None


KNOWN = {
    known.name: known
    for known in (
        Known(name="timeout_s", default=3600.0, read=_number(0), unit="s",
              description="How long a run may take, where its connection and cell say nothing; 0: no limit."),
        Known(name="memory_limit_mb", default=4096, read=_cap, unit="MB",
              description="Memory cap of a driver process, where its connection says nothing; 0: none."),
        Known(name="connect_timeout_s", default=10.0, read=_number(0.1, 600), unit="s",
              description="How long to wait for a database to answer the sign-in."),
        Known(name="session_wait_s", default=30.0, read=_number(0), unit="s",
              description="How long a run waits while another one of its notebook uses the session."),
        Known(name="lock_question_s", default=3.0, read=_number(0, 3600), unit="s",
              description="After how long without news of a run its server is asked whose lock it waits for; 0: never."),
        Known(name="idle_session_s", default=300.0, read=_number(1), unit="s",
              description="After how long without a run a database session is closed that is known to have nothing in it."),
        Known(name="idle_core_s", default=1800.0, read=_number(1), unit="s",
              description="After how long without a client the core service ends."),
        Known(name="warm_spare", default=True, read=_switch,
              description="Keep one driver process of each recently used driver ready."),
        Known(name="schema_cache_s", default=3600.0, read=_number(1), unit="s",
              description="How long a connection's schema, as completion uses it, is used before it is read again."),
        Known(name="log_keep_days", default=0.0, read=_number(0, 36_500), unit="days",
              description="Delete runs from the query log that are older than that; 0: keep all."),
        Known(name="log_keep_rows", default=0, read=_whole(0, 1 << 40), unit="rows",
              description="Delete the oldest runs from the query log beyond this many; 0: keep all."),
        Known(name="log", default=True, read=_switch,
              description="Write runs into the query log, where their connection and cell say nothing."),
    )
}  # fmt: skip
"""Every preference, by name."""


class Preferences:
    """The preferences; threads may call at once. Served from memory."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Load what was chosen; what this version does not know stays stored and unused."""
        self._journal = journal
        self._lock = threading.Lock()
        rows = database.read("SELECT name, value::VARCHAR FROM preference")
        self._chosen: dict[str, Any] = {name: json.loads(value) for name, value in rows if name in KNOWN}

    def get(self, name: str) -> Any:  # noqa: ANN401 - each has its own type
        """Return a preference's value.

        Raises:
            UsageError: there is none of that name.
        """
        return self._chosen.get(name, _known(name).default)

    def list(self) -> tuple[control.Preference, ...]:
        """Return all, by name."""
        return tuple(self._show(KNOWN[name]) for name in sorted(KNOWN))

    def set(self, name: str, text: str | None) -> control.Preference:
        """Set a preference from text, or back to its default.

        Raises:
            UsageError: there is none of that name, or the text makes no value for it.
            StorageError: it could not be written; nothing is changed.
        """
        known = _known(name)
        value = None if text is None else _read(known, text)
        with self._lock:
            if value is None:
                self._journal.append("preference.unset", {"name": name, "updated_at": clock.now()})
                self._chosen.pop(name, None)
            else:
                body = {"name": name, "value": json.dumps(value), "updated_at": clock.now()}
                self._journal.append("preference.set", body)
                self._chosen[name] = value
        return self._show(known)

    def _show(self, known: Known) -> control.Preference:
        return control.Preference(
            name=known.name,
            value=self.get(known.name),
            default=known.default,
            description=known.description,
            unit=known.unit,
        )


def _known(name: str) -> Known:
    try:
        return KNOWN[name]
    except KeyError:
        raise UsageError(
            f"There is no preference {name!r}.", hint=f"There are {', '.join(sorted(KNOWN))}.", scenario=NO_SUCH_NAME
        ) from None


def _read(known: Known, text: str) -> Any:  # noqa: ANN401 - each has its own type
    try:
        return known.read(text)
    except ValueError as exc:
        raise UsageError(
            f"The preference {known.name} cannot be {text!r}: it is {exc}.", hint=f"{known.description}"
        ) from None

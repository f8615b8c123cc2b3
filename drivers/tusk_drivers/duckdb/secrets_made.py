"""Secrets that sessions made: DuckDB keeps them for the whole process, so none takes away another's while that one is there.

Replacing one is allowed and reported: notebooks on one file commonly begin with the same `CREATE OR REPLACE SECRET`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass

from tusk_drivers.duckdb.contained import Contained
from tusk_drivers.duckdb.words import words
from tusk_jupyter import errors

_BEFORE_NAME = frozenset({"or", "replace", "persistent", "temporary", "temp", "secret", "if", "not", "exists"})


@dataclass(frozen=True, slots=True)
class _Secret:
    name: str
    """In lower case, as DuckDB keeps it."""
    is_dropped: bool
    keeps_old: bool


class Secrets:
    """Who made what, of one instance; thread-safe."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._owners: dict[str, object] = {}
        self._lock = threading.Lock()

    def check(self, session: object, kind: str, sql: str) -> None:
        """Refuse to drop a secret of another session.

        Raises:
            UsageError: nothing was run.
        """
        secret = _secret_of(kind, sql)
        if secret is not None and secret.is_dropped and self._is_others(secret.name, session):
            raise errors.UsageError(
                f"The secret {secret.name} was made by another notebook, which still uses this file and reads with it.",
                hint="`CREATE OR REPLACE SECRET` changes it for all; drop it where it was made.",
            )

    def note_after(self, session: object, inside: Collection[Contained]) -> tuple[str, ...]:
        """Record what a session has made or dropped; return what is to be told about it."""
        notes = []
        for secret in [found for one in inside if (found := _secret_of(one.kind, one.sql)) is not None]:
            is_others = self._is_others(secret.name, session)
            with self._lock:
                if secret.is_dropped:
                    self._owners.pop(secret.name, None)
                elif not (is_others and secret.keeps_old):
                    self._owners[secret.name] = session
            if not secret.is_dropped:
                replaced = " It has replaced one of another notebook." if is_others and not secret.keeps_old else ""
                notes.append(
                    "The secret is the file's: every notebook that has this file open can read with it, until all "
                    f"close it.{replaced}"
                )
        return tuple(notes)

    def forget(self, session: object) -> None:
        """Let anybody drop what the session made: it is gone."""
        with self._lock:
            self._owners = {name: owner for name, owner in self._owners.items() if owner is not session}

    def _is_others(self, name: str, session: object) -> bool:
        with self._lock:
            return self._owners.get(name, session) is not session


def _secret_of(kind: str, sql: str) -> _Secret | None:
    if kind not in ("CREATE", "DROP") or "secret" not in sql.lower():
        return None
    spoken = words(sql)
    if "secret" not in spoken[1:5]:
        return None
    rest = spoken[spoken.index("secret") :]
    while rest and rest[0] in _BEFORE_NAME:
        rest.pop(0)
    name = rest[0] if rest else ""
    if name in ("(", "in"):  # without a name, it has its type's
        kind_written = rest[rest.index("type") + 1 :] if "type" in rest else []
        name = "__default_" + kind_written[0].strip("'") if kind_written else ""
    return _Secret(name, kind == "DROP", "exists" in spoken[:7] and kind == "CREATE")

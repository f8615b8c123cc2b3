"""The lines of the picker: connections in order, the current one on top, and the chosen one that is there no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tusk_jupyter.protocol.control import Connection
from tusk_jupyter.protocol.message import replace


class Choice:
    """What this notebook has chosen. A chosen connection that is removed stays chosen: another one would be a surprise."""

    def __init__(self) -> None:
        """Begin with nothing chosen."""
        self._chosen: Connection | None = None
        self._missing = False

    @property
    def name(self) -> str | None:
        """The chosen connection's name."""
        return self._chosen.name if self._chosen else None

    @property
    def missing(self) -> bool:
        """Whether the chosen connection has been removed."""
        return self._missing

    def lines(self, connections: Sequence[Connection]) -> list[dict[str, Any]]:
        """Return what is drawn, from the core's list as this client sees it."""
        current = next((one for one in connections if one.current), None) or self._found(connections)
        if current is not None:
            self._chosen = current
        self._missing = self._chosen is not None and current is None
        lines = [_line(one, current=one is current) for one in sorted(connections, key=_order) if one is not current]
        top = current or self._chosen
        return [*([_line(top, current=True, missing=self._missing)] if top else []), *lines]

    def _found(self, connections: Sequence[Connection]) -> Connection | None:
        """Return the chosen connection where the core has forgotten the choice, as after its restart, or a new name."""
        chosen = self._chosen
        if chosen is None:
            return None
        return next((one for one in connections if one.id == chosen.id or one.name == chosen.name), None)


def _order(connection: Connection) -> str:
    return connection.name.casefold()


def _line(connection: Connection, *, current: bool, missing: bool = False) -> dict[str, Any]:
    one = replace(connection, state="disconnected") if missing else connection
    return {
        "id": one.id,
        "name": one.name,
        "driver": one.driver,
        "target": one.target,
        "state": one.state,
        "tier": one.credential_tier,
        "secret_lost": one.secret_lost,
        "read_only": one.read_only,
        "environment": one.environment,
        "current": current,
        "missing": missing,
    }

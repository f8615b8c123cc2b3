"""How far a test came, as a row of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from tusk_jupyter.cli.stages import STAGES
from tusk_jupyter.protocol.control import ConnectionTested

Mark = Literal["done", "failed", "open"]

_SERVER = {"name": "Name", "tcp": "TCP", "tls": "TLS", "sign-in": "Sign-in", "database": "Database"}
_SOCKET = {"tcp": "Socket", "sign-in": "Sign-in", "database": "Database"}
_FILE = {"file": "File"}


def steps(tested: ConnectionTested, config: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the steps in their order: done, failed, or not reached.

    Args:
        tested: what the core answered.
        config: the connection's fields, which say whether it goes over the network at all.
    """
    road = _road(config)
    if tested.link.startswith("no TLS"):
        road = {stage: title for stage, title in road.items() if stage != "tls"}
    if not tested.ok and tested.stage not in road and tested.stage in STAGES:
        road = {**road, tested.stage: tested.stage.capitalize()}
    found: list[dict[str, str]] = []
    mark: Mark = "done"
    for stage, title in road.items():
        if not tested.ok and stage == tested.stage:
            found.append({"stage": stage, "title": title, "mark": "failed", "what": STAGES[stage]})
            mark = "open"
        else:
            found.append({"stage": stage, "title": title, "mark": mark, "what": STAGES[stage]})
    if not tested.ok and mark == "done":  # it failed before the first step, as a password command does
        return [{**one, "mark": "open"} for one in found]
    return found


def _road(config: Mapping[str, Any]) -> dict[str, str]:
    if "path" in config:
        return _FILE
    if config.get("unix_socket") or str(config.get("host", "")).startswith(("/", "@")):
        return _SOCKET
    if config.get("sslmode") == "disable":
        return {stage: title for stage, title in _SERVER.items() if stage != "tls"}
    return _SERVER

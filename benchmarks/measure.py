"""Runs measurements in fresh processes, the peers taking turns, and keeps what they answered."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.databases import Database

ROOT = Path(__file__).parents[1]
CHILD_S = 180
"""No measurement takes longer; one that does counts as failed."""


class Failed(Exception):
    """A measurement could not be taken; the message is the last line of what the process said."""


@dataclass(slots=True)
class Series:
    """One way's answers over the rounds."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    failure: str | None = None

    def values(self, name: str) -> list[float]:
        """Return one number from each answer that has it."""
        return [answer[name] for answer in self.answers if name in answer]

    def median(self, name: str) -> float | None:
        """Return the median over the rounds, or None where there is nothing."""
        values = self.values(name)
        return median(values) if values else None


def run_child(order: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Run one measurement in a fresh process.

    Raises:
        Failed: it ended with an error, took too long, or called another machine.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.child"], input=json.dumps(order), capture_output=True, text=True,
            cwd=ROOT, env=environment, timeout=CHILD_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Failed(f"took longer than {CHILD_S} s") from None
    if done.returncode:
        raise Failed(what_failed(done.stderr) or f"exit status {done.returncode}")
    answer = json.loads(done.stdout)
    if answer["outside"]:
        raise Failed(f"called another machine: {', '.join(sorted(set(answer['outside'])))}")
    return answer


def what_failed(text: str) -> str:
    """Return the last line that names an error, or else the last one that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt|Failed|Exceeded)\b", line)]
    return (named or lines or [""])[-1][:300]


def alternate(
    orders: Mapping[str, Mapping[str, Any]], rounds: int, environment: Mapping[str, str]
) -> dict[str, Series]:
    """Take each measurement once a round, each round beginning with another one."""
    series = {name: Series() for name in orders}
    names = list(orders)
    for number in range(rounds):
        for name in rotated(names, number):
            if series[name].failure:
                continue
            try:
                series[name].answers.append(run_child(orders[name], environment))
            except Failed as exc:
                series[name].failure = str(exc)
    return series


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Return the names beginning with another one, so that nobody always comes after the same neighbour."""
    by %= len(names)
    return [*names[by:], *names[:by]]


def order_for(task: str, peer: str, database: Database) -> dict[str, Any]:
    """Return the order for one measurement (see `child.TASKS`)."""
    return {"task": task, "peer": peer, "database": asdict(database)}


def measuring_environment(folder: Path) -> dict[str, str]:
    """Return the environment of all measuring processes: private homes, usage statistics off, UTC."""
    return os.environ | {
        "HOME": str(folder / "home"),
        "IPYTHONDIR": str(folder / "ipython"),
        "TUSK_HOME": str(folder / "tusk"),
        "TUSK_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),  # there is no keyring: passwords go to the vault
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder / 'no-bus'}",
        "PLOOMBER_STATS_ENABLED": "false",
        "PLOOMBER_VERSION_CHECK_DISABLED": "true",
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONWARNINGS": "ignore",
        "TZ": "UTC",
    }

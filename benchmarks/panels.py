"""JupyterLab's panels on a query log of a million runs: over REST, and from the command to the first row on screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Error
from services import lab as lab_service
from services.homes import TuskHome
from services.lab import Lab, Window

from benchmarks import service
from benchmarks.measure import Failed, Series

CONNECTIONS = 50
REQUESTS = 20
FIRST_PAGE = "/tusk/log?limit=100"
LIST = "/tusk/connections"

SECONDS_UNTIL = """async ([command, sought]) => {
  const begun = performance.now();
  void window.jupyterapp.commands.execute(command);
  while (!document.querySelector(sought)) {
    if (performance.now() - begun > 20000) {
      throw new Error(`${sought} was not shown within 20 s of ${command}`);
    }
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
  return (performance.now() - begun) / 1000;
}"""
"""Runs a command of JupyterLab and waits, frame by frame, for what it is to show."""


def measure(environment: Mapping[str, str], folder: Path, rounds: int) -> Series:
    """Time the log's first page and the list of connections, `rounds` times in a fresh window each.

    The home's query log is filled already; connections are added here.
    """
    series = Series()
    try:
        _add_connections(environment)
        with (
            lab_service.running(TuskHome(Path(environment["TUSK_HOME"])), folder, **environment) as lab,
            lab_service.chromium() as browser,
        ):
            for number in range(rounds):
                window = Window.open(lab, browser, folder, workspace=f"bench-{number}")
                series.answers.append(_asked(lab) | _shown(window))
                window.page.context.close()
    except (Failed, RuntimeError, AssertionError, Error) as exc:
        series.failure = str(exc)[:300]
    return series


def _add_connections(environment: Mapping[str, str]) -> None:
    """See that a user's list is a long one.

    Raises:
        Failed: the core does not take one.
    """
    for number in range(CONNECTIONS):
        name = f"warehouse_{number:02}"
        service.tusk(["connect", name, f"sqlite:///{environment['HOME']}/{name}.sqlite"], environment)


def _asked(lab: Lab) -> dict[str, float]:
    """Return the seconds that a request takes, each the median of many."""
    return {
        "log_rest": _median_of(lambda: lab.get(FIRST_PAGE)),
        "connections_rest": _median_of(lambda: lab.get(LIST)),
    }


def _shown(window: Window) -> dict[str, float]:
    """Return the seconds from a command to the first row that a user sees."""
    found = {}
    for name, command, sought in (
        ("connections_shown", "tusk:show-panel", "[data-testid=tusk-tree] [role=treeitem]"),
        ("log_shown", "tusk:open-log", "[data-testid=tusk-log-list] [data-run]"),
    ):
        if window.page.query_selector(sought):
            raise RuntimeError(f"{sought} was shown before {command}")
        found[name] = float(window.page.evaluate(SECONDS_UNTIL, [command, sought]))
    return found


def _median_of(request: Callable[[], object]) -> float:
    times = []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        request()
        times.append(time.perf_counter() - begun)
    return sorted(times)[len(times) // 2]

"""When spares are started: not while somebody's cells run.

The start of a driver takes 0.15 to 0.35 s of a processor, which the cells of a notebook would miss just after its first one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from tusk_jupyter.launch.spares import Spares

_LOG = logging.getLogger(__name__)

EVERY_S = 0.5
REST_S = 1.0
"""Nothing has run for so long: a spare may be started."""

PATIENCE_S = 15.0
"""A core without such a rest has its spares started all the same."""


def keep_spares(spares: Spares, rested_s: Callable[[], float], stopped: threading.Event) -> None:
    """Keep warm spares until `stopped`; runs on a thread of its own, since a start blocks.

    Args:
        spares: what is to be kept.
        rested_s: for how many seconds nothing has run.
        stopped: ends it.
    """
    last = time.monotonic()
    while not stopped.wait(EVERY_S):
        if rested_s() < REST_S and time.monotonic() - last < PATIENCE_S:
            continue
        try:
            spares.refill()
        except Exception:  # noqa: BLE001  # without this thread there would be no spares until the core's end
            _LOG.exception("spares")
        last = time.monotonic()

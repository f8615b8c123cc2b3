"""Waiting for a condition instead of sleeping for a guess."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.01
SLOWEST_POLL_S = 0.05
"""Between looks at what takes seconds: many a condition costs 10 ms of the processor that is waited for."""


def wait_until(condition: Callable[[], T], timeout_s: float = 10.0, what: str | None = None) -> T:
    """Call `condition` until it returns something true, and return that.

    Args:
        condition: called again and again; what it raises is not caught.
        timeout_s: how long to go on.
        what: the condition in words, for the message.

    Raises:
        AssertionError: it was still false after `timeout_s`.
    """
    began = time.monotonic()
    while True:
        if result := condition():
            return result
        waited = time.monotonic() - began
        if waited > timeout_s:
            raise AssertionError(f"not within {timeout_s:g} s: {what or getattr(condition, '__name__', condition)}")
        time.sleep(min(max(POLL_S, waited / 20), SLOWEST_POLL_S))

"""How the work on a text grows with its length: a scan that starts again or a pattern that backtracks shows at small sizes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

SHORT, TIMES = 5_000, 8
"""Characters of the short text, and how many times as long the long one is."""

LEAST_S = 0.001
"""What is shorter says nothing: one fault of a page takes as long."""

MOST = 3 * TIMES
"""One pass takes about `TIMES` as much of the processor, one for each character `TIMES` squared."""

TRIES = 4
"""Another process on the same core can double what a thread needs."""


def assert_one_pass(read: Callable[[str], object], sign: str, *, before: str = "", after: str = "") -> None:
    """Have a short and a long text of one repeated sign read, and compare what each takes of the processor.

    Raises:
        AssertionError: the long one takes more than its length explains, again and again.
    """
    count = max(SHORT // len(sign), 1)
    seen = []
    for number in range(TRIES):  # each text once: nothing can come from a cache
        short = min(_took(read, before + sign * (count + 10 * number + n) + after) for n in range(3))
        long = _took(read, before + sign * (count + number) * TIMES + after)
        seen.append(long / max(short, LEAST_S))
        if seen[-1] <= MOST:
            return
    raise AssertionError(f"{TIMES} times the text took {', '.join(f'{one:.0f}' for one in seen)} times the processor")


def _took(read: Callable[[str], object], text: str) -> float:
    enabled = gc.isenabled()
    gc.disable()  # what other tests left is none of this text
    try:
        began = time.thread_time()
        read(text)
        return time.thread_time() - began
    finally:
        if enabled:
            gc.enable()

"""How much DuckDB may use under the process's cap, so that it spills to disk instead of failing to allocate.

By itself DuckDB takes 80 % of the machine, knows nothing of `memory_limit_mb` (RLIMIT_DATA), and fails when the system
refuses it memory long before that. What its limit does not count is measured in ARCHITECTURE.md: a fifth more for what
its allocator holds, some MB a thread, and what Python, Arrow and gRPC have.
"""

from __future__ import annotations

import os
import re

import duckdb
import psutil

from tusk_jupyter.driverkit.memory import MEBIBYTE, cap_mb, hint

_BATCHES_MB = 64
"""Two batches of a result on their way, joined and plain."""

_THREAD_MB = 24
_PART = 0.8
"""Of what is left, DuckDB's own: its allocator holds a fifth more than DuckDB counts, and vectors are not counted."""

_TIGHT_MB = 1024
_LEAST_MB = 32
_THREAD_NEEDS_MB = 96
"""With less for each of its threads, sorts and aggregates find no room to begin to spill."""

_UNITS = {"bytes": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50}


def budget_mb(threads: int) -> int | None:
    """Return what DuckDB may use with so many threads, in MiB; None when nothing caps the process."""
    cap = cap_mb()
    if cap is None:
        return None
    there = psutil.Process().memory_info()
    room = cap - getattr(there, "data", there.rss) // MEBIBYTE - _BATCHES_MB - _THREAD_MB * threads
    return max(_LEAST_MB, int(room * _PART))


def threads_for(wanted: int) -> int:
    """Return how many threads to run under the cap, of those that there would be."""
    budget = budget_mb(1)
    return wanted if budget is None else max(1, min(wanted, budget // _THREAD_NEEDS_MB))


def settings_under_cap() -> dict[str, int]:
    """Return what an instance is opened with under a tight cap: each of DuckDB's threads has a stack of 8 MB."""
    cap, processors = cap_mb(), os.cpu_count() or 1
    settings = {"async_threads": 2} if cap is not None and cap < _TIGHT_MB else {}
    return settings | ({"threads": threads_for(processors)} if threads_for(processors) < processors else {})


class Limit:
    """The memory limit of one instance: what was wished for, and what the cap allows now."""

    def __init__(self, root: duckdb.DuckDBPyConnection, *, own_threads: bool, own_limit: bool) -> None:
        """Take what the instance was opened with as the wish.

        Args:
            root: a connection of the instance.
            own_threads: the connection says how many threads; otherwise there are as many as the cap has room for.
            own_limit: the connection says what the limit is.
        """
        self._root = root
        self._wish_mb = self._now_mb = _mebibytes(root)
        self._own_threads, self._own_limit = own_threads, own_limit
        self._all_threads = self._threads() if own_threads else os.cpu_count() or 1
        self._cap_mb: int | None = None
        self.fit()

    def fit(self) -> None:
        """Follow the process's cap, which each session may change as it joins."""
        cap = cap_mb()
        if cap == self._cap_mb:
            return
        self._cap_mb = cap
        threads = self._all_threads if self._own_threads else threads_for(self._all_threads)
        if threads != self._threads():
            self._root.execute(f"SET GLOBAL threads = {threads}")
        wanted = min(self._wish_mb, budget_mb(threads) or self._wish_mb)
        if wanted != self._now_mb:
            self._root.execute(f"SET GLOBAL memory_limit = '{wanted}MiB'")
            self._now_mb = wanted

    def _threads(self) -> int:
        (threads,) = self._root.execute("SELECT current_setting('threads')").fetchall()[0]
        return int(threads)

    def hint(self) -> str:
        """Return what to do when the limit is hit."""
        if self._own_limit and self._now_mb == self._wish_mb:
            return (
                f"DuckDB may use {self._now_mb} MB here (the connection's `memory_limit`, "
                f"`--set memory_limit=...` at `%tusk connect`). {hint()}"
            )
        return hint()

    @property
    def about(self) -> str:
        """What to say where the cap made less of the connection's own limit; "" otherwise."""
        if not self._own_limit or self._now_mb == self._wish_mb:
            return ""
        return f", memory_limit lowered to {self._now_mb} MB by the process's cap of {self._cap_mb} MB"


def _mebibytes(connection: duckdb.DuckDBPyConnection) -> int:
    (text,) = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
    found = re.fullmatch(r"([\d.]+) (\w+)", str(text))
    return int(float(found[1]) * _UNITS[found[2].lower()] / MEBIBYTE) if found else 1 << 30

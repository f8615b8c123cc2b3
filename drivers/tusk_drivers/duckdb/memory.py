"""How much DuckDB may use under the process's cap, so that it spills to disk instead of failing to allocate.

By itself DuckDB takes 80 % of the machine, knows nothing of `memory_limit_mb` (RLIMIT_DATA), and fails when the system
refuses it memory long before that. What its limit does not count is measured in ARCHITECTURE.md: a fifth more for what
its allocator holds, some MB a thread, and what Python, Arrow and gRPC have.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re

import _duckdb
import duckdb
import psutil

from tusk_jupyter.driverkit.memory import MEBIBYTE, cap_mb, free_in_heaps_mb, hint, take_large_ones_alone

_BATCHES_MB = 64
"""Two batches of a result on their way, joined and plain."""

_THREAD_MB = 24
_PART = 0.8
"""Of what is left, DuckDB's own: its allocator holds a fifth more than DuckDB counts, and vectors are not counted."""

_TIGHT_MB = 1024
_LEAST_MB = 32
_THREAD_NEEDS_MB = 96
"""With less for each of its threads, sorts and aggregates find no room to begin to spill."""

_CONTROL, _PURGE_ALL = "duckdb_je_mallctl", b"arena.4096.purge"
"""Of jemalloc, https://jemalloc.net/jemalloc.3.html; on macOS and Windows, where nothing is capped, DuckDB has none."""

_THREADS_AND_USE = "SELECT current_setting('threads'), coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory()"
_UNITS = {"bytes": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50}


def budget_mb(threads: int, *, used_mb: int = 0) -> int | None:
    """Return what DuckDB may use with so many threads, in MiB; None when nothing caps the process.

    Args:
        threads: that it runs.
        used_mb: of what the process has, DuckDB's own under its present limit.
    """
    cap = cap_mb()
    if cap is None:
        return None
    there = psutil.Process().memory_info()
    beside = _BATCHES_MB + _THREAD_MB * threads
    taken = getattr(there, "data", there.rss) // MEBIBYTE - used_mb
    return max(_LEAST_MB, int((cap - taken - max(0, beside - free_in_heaps_mb())) * _PART))


def threads_for(wanted: int) -> int:
    """Return how many threads to run under the cap, of those that there would be."""
    budget = budget_mb(1)
    return wanted if budget is None else max(1, min(wanted, budget // _THREAD_NEEDS_MB))


def settings_under_cap() -> dict[str, int]:
    """Return what an instance is opened with under a tight cap: each of DuckDB's threads has a stack of 8 MB."""
    cap, processors = cap_mb(), os.cpu_count() or 1
    settings = {}
    if cap is not None and cap < _TIGHT_MB:
        settings = {"async_threads": 2}
        take_large_ones_alone()
    return settings | ({"threads": threads_for(processors)} if threads_for(processors) < processors else {})


def give_back() -> None:
    """Have DuckDB's allocator return the pages that it keeps for later, 71 to 162 MB of a cap of 512 MB after an error.

    By itself it does so when it is used again ten seconds later. DuckDB has no statement for it but one that joins its threads.
    """
    purge = getattr(ctypes.CDLL(_duckdb.__file__), _CONTROL, None)
    if purge is not None:
        purge(_PURGE_ALL, None, None, None, ctypes.c_size_t(0))


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
        self._take(self._root, budget_mb(threads))

    def fit_what_is_left(self) -> None:
        """Follow what the process has for good after an error: its heaps may have grown, which are DuckDB's no more."""
        with contextlib.suppress(duckdb.Error, MemoryError), self._root.cursor() as asked:  # or closed meanwhile
            threads, used = asked.execute(_THREADS_AND_USE).fetchall()[0]
            self._take(asked, budget_mb(int(threads), used_mb=int(used) // MEBIBYTE))

    def _take(self, connection: duckdb.DuckDBPyConnection, budget: int | None) -> None:
        wanted = min(self._wish_mb, budget or self._wish_mb)
        if wanted != self._now_mb:
            connection.execute(f"SET GLOBAL memory_limit = '{wanted}MiB'")
            self._now_mb = wanted

    def _threads(self) -> int:
        (threads,) = self._root.execute("SELECT system.main.current_setting('threads')").fetchall()[0]
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
    (text,) = connection.execute("SELECT system.main.current_setting('memory_limit')").fetchall()[0]
    found = re.fullmatch(r"([\d.]+) (\w+)", str(text))
    return int(float(found[1]) * _UNITS[found[2].lower()] / MEBIBYTE) if found else 1 << 30

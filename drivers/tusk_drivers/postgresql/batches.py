"""The batches of a result: parsed on a second thread while the next rows are read, and closable at any point."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import pyarrow as pa

from tusk_jupyter.driverkit.session import Rows


def parsed(jobs: Iterator[Callable[[], pa.RecordBatch] | None]) -> Iterator[pa.RecordBatch]:
    """Yield the batches of `jobs`; all but the first are made on a thread while the next rows are read."""
    first = next((job for job in jobs if job is not None), None)
    if first is None:
        return
    yield first()
    following = list(islice(jobs, 1))
    if not following:
        return  # a small result needs no thread
    with ThreadPoolExecutor(1, thread_name_prefix="parse") as pool:
        pending: Future[pa.RecordBatch] | None = None
        for job in chain(following, jobs):
            ready, pending = pending, pool.submit(job) if job else None
            if ready is not None:
                yield ready.result()
            if job is None and pending is not None:
                yield pending.result()
        if pending is not None:
            yield pending.result()


class Batches(Generator[pa.RecordBatch, None, None]):
    """The first batch, then the others. A class, as closing a generator that nobody began runs nothing of it."""

    def __init__(self, first: pa.RecordBatch | None, steps: Generator[pa.RecordBatch, None, None]) -> None:
        self._first, self._steps = first, steps

    def send(self, value: None) -> pa.RecordBatch:
        """Return the next batch."""
        first, self._first = self._first, None
        return first if first is not None else self._steps.send(value)

    def throw(self, *args: Any) -> pa.RecordBatch:  # noqa: ANN401 - as the base class has it
        """Let the statement end with an error; `close` is this with GeneratorExit."""
        self._first = None
        return self._steps.throw(*args)


def without_columns(rows: int, notes: Sequence[str]) -> Rows:
    """Return the result of a SELECT that names no column: rows all the same."""
    batch = pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
    return Rows(schema=batch.schema, batches=iter([batch]), notes=lambda: notes)

"""Where a result's rows come from: the interface of the two roads, `copy` and `rows`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tusk_drivers.postgresql.link import Link
from tusk_jupyter.errors import TuskError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg.pq.abc import PGresult

FIRST_ROWS = 2_048
"""Rows of the first batch: few, so that something is there early."""

CHUNK_ROWS = 16_384
"""Rows of the others: 2-4 MB, which stay in the processor's cache between reading and parsing (0.89 s against 0.95 s with
65,536 for 1,000,000 rows x 12 columns)."""

SKIP_ROWS = 4_096
"""Rows thrown away between two looks at the clock."""

CHUNK_BYTES = 8 * 1024 * 1024
"""A batch of wide rows ends early; so memory stays bounded."""

HAND_OUT_S = 0.2
"""A batch that is not full goes out when the server lets us wait for so long."""


_CHANGING = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE")
"""How the server's tag begins where rows were changed, an EXECUTE's too; `FETCH 2` and `SELECT 2` tell of rows yielded."""


def changed_by(result: PGresult) -> int | None:
    """Return how many rows a statement that yields some has changed; None for one that changes none."""
    return result.command_tuples if (result.command_status or b"").startswith(_CHANGING) else None


class Source(ABC):
    """Rows under way."""

    def __init__(self, link: Link, error: Callable[[PGresult], Exception]) -> None:
        """Prepare; `error` returns that of a failed result, in terms of the statement's text."""
        self._link = link
        self._error = error
        self.started = False
        self.ended = False
        self.affected: int | None = None

    @abstractmethod
    def start(self) -> None:
        """Send the statement."""

    @abstractmethod
    def jobs(self) -> Iterator[Callable[[], pa.RecordBatch] | None]:
        """Yield work that makes a batch each, None where the server lets us wait.

        Raises:
            TuskError: the statement failed; it has been read to its end.
        """

    @abstractmethod
    def skip(self, timeout_s: float) -> None:
        """Throw away some of what arrives, waiting at most `timeout_s` for it; `ended` tells of the end."""

    def _end(self, *, quietly: bool = False) -> None:
        rest = self._link.all_results()
        self.ended = True
        if (failed := self._link.failed(rest)) is not None and not quietly:
            raise self._error(failed)
        self.affected = next((found for found in map(changed_by, rest) if found is not None), self.affected)

    def _fail(self, results: Sequence[PGresult]) -> Exception:
        """Read the command to its end and return its error."""
        failed = self._link.failed(results)
        try:
            failed = failed or self._link.failed(self._link.all_results())
            self._link.all_results()
        except TuskError:  # the server ended the session with that error
            if failed is None:
                raise
        self.ended = True
        if failed is None:
            raise AssertionError("the server neither took the statement nor refused it")
        return self._error(failed)

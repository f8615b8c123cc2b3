"""What rides on a result's record batches.

A run's `DoGet` stream carries one result. The `app_metadata` of its last batch, with rows or empty, is a `Trailer`; a
stream without one was cut off and must not pass for a complete result. An empty batch in front of a large one may have
`coming:BYTES` there instead, so that a reader refuses in time what it has no memory for. The trailer may name a further ticket:

- `next`: a later statement yields rows too, in a stream of its own.
- `widen`: the same result goes on under another schema, because a value came that the first one cannot hold (an infinite
  date, a text in SQLite's INTEGER column). The reader casts what it has to the new types.

Schema metadata `tusk:types` is a JSON list with the database's own name of each column's type.
"""

from __future__ import annotations

from tusk_jupyter.protocol.message import Message

TYPES_KEY = b"tusk:types"

LARGE_BYTES = 16 * 1024 * 1024
"""A batch of so many bytes is announced: one value may have hundreds of megabytes, which Flight takes as a whole."""

_COMING = b"coming:"


def announcement(size: int) -> bytes:
    """Return the metadata that says how many bytes the next batch has."""
    return _COMING + str(size).encode()


def announced(metadata: bytes) -> int | None:
    """Return how many bytes the next batch has, or None where the metadata is none of an announcement."""
    return int(metadata.removeprefix(_COMING)) if metadata.startswith(_COMING) else None


class StatementReport(Message, frozen=True, kw_only=True):
    """What one statement did."""

    index: int
    """0-based among the statements of the run."""
    command: str
    """First words of the statement in upper case, as SELECT or CREATE TABLE."""
    rows: int | None = None
    """Rows that it yielded to the client; None when it yields none by nature."""
    affected: int | None = None
    """Rows that it changed, where the database says so."""
    elapsed_s: float = 0.0


class Trailer(Message, frozen=True, kw_only=True):
    """End of a stream."""

    ticket: str | None = None
    """One-time ticket of the stream that follows, or None at the end of the run."""
    widen: bool = False
    """The stream that follows continues this result under wider types."""
    more: bool = False
    """The limit cut this result off: the database has at least one row more."""
    transaction: str = "idle"
    """idle | open | failed: the session's transaction after the run."""
    statements: tuple[StatementReport, ...] = ()
    """All statements finished so far."""
    notes: tuple[str, ...] = ()
    """What the reader of the data must know, as "column x holds text and numbers; shown as text"."""

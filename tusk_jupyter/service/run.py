"""One run: what is known of it while it lasts, and how it ended."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from tusk_jupyter.launch.ladder import Ladder
from tusk_jupyter.protocol import control, driver
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.service.sessions import Session
from tusk_jupyter.sqltext.effects import Effect
from tusk_jupyter.sqltext.hiding import redact_text
from tusk_jupyter.state import clock
from tusk_jupyter.visible import visible_line

SQL_WIDTH = 60
"""Characters of a run's SQL in a sentence about it."""


@dataclass(slots=True, eq=False)
class Run:
    """A run under way, or just ended."""

    session: Session
    source: str
    cell: str | None
    sql: str
    """Redacted, as in the log."""
    timeout_s: float | None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Literals of the SQL that the log must not show, also when the server's error repeats them."""
    parameters: dict[str, str] = field(default_factory=dict)
    """As in the log: texts, secrets left out."""
    dialect: str = "ansi"
    effect: Effect = Effect.READS
    """What it may leave in its session."""
    single: bool = True
    """Whether it is of one statement: one that ends with its session has left nothing of itself in it."""
    held_before: bool = False
    """Whether its session held something before it."""
    kind: str = "query"
    logged: bool = True
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    accepted: float = field(default_factory=time.monotonic)
    """When its client asked for it: from then on its time counts, that of connecting too."""
    started: float = field(default_factory=time.monotonic)
    """When its driver began to take it in; or had done so, where the log waits for that."""
    started_at: str = field(default_factory=clock.now)
    status: str = "running"
    elapsed_s: float | None = None
    rows: int = 0
    bytes: int = 0
    statement: int = 0
    taken_in: Future[None] | None = None
    """Ends when its driver has taken it in or refused it; None: it was taken in before it was logged."""
    has_turn: bool = False
    """Whether it holds its session's turn."""
    fetched: bool = False
    """Whether its client has come for the data."""
    heard: float = field(default_factory=time.monotonic)
    """When something new was said of it last: that it has begun, rows, another statement."""
    lock_wait: driver.LockWait | None = None
    """What its driver said of a lock that it waits for."""
    waits_for: str = ""
    """A lock that it waits for, with who holds it, for people; see `lock_waits`."""
    way_out: str = ""
    """How that wait ends: sentences."""
    error: WireError | None = None
    ladder: Ladder | None = None
    notices: tuple[str, ...] = ()
    """What its client must hear beside the result."""
    why: str = ""
    """What the ladder was begun for: cancelled | timeout | unfetched | core_stopped."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status == "running"

    @property
    def beginning(self) -> str:
        """The beginning of its SQL on one line, for sentences about it."""
        text = " ".join(visible_line(self.sql).split())
        return text if len(text) <= SQL_WIDTH else f"{text[: SQL_WIDTH - 1]}…"

    def overdue(self, now: float) -> bool:
        """Return whether its statement timeout has passed."""
        return self.timeout_s is not None and now - self.accepted > self.timeout_s

    def left_s(self) -> float | None:
        """Return how much of its time is left; None where it has no limit."""
        return None if self.timeout_s is None else max(self.timeout_s - (time.monotonic() - self.accepted), 0.0)

    @property
    def waited_s(self) -> float:
        """How long it took until its driver could have it: connecting, and the run before it."""
        return self.started - self.accepted

    def state(self) -> control.RunState:
        """Return the run as clients see it."""
        elapsed = self.elapsed_s if self.elapsed_s is not None else time.monotonic() - self.started
        return control.RunState(
            run=self.id,
            connection=self.session.connection.name,
            status=self.status,
            started_at=self.started_at,
            elapsed_s=elapsed,
            rows=self.rows,
            bytes=self.bytes,
            statement=self.statement,
            source=self.source,
            cell=self.cell,
            sql=self.sql,
            error=self.error,
            cancelling=self.running and self.ladder is not None,
            waits_for=self.waits_for if self.running else "",
            way_out=self.way_out if self.running else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, for the log."""

    run: Run
    status: str
    event: driver.RunEvent


def without_secrets(error: WireError, secrets: Sequence[str]) -> WireError:
    """Return an error as every listing may show it; a driver that is none of ours may not have hidden them itself."""
    texts = {name: getattr(error, name) for name in ("message", "detail", "hint")}
    return replace(error, **{name: redact_text(text, secrets) for name, text in texts.items() if text})

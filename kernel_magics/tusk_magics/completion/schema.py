"""What the kernel knows of its connections, without ever waiting for a database.

The core keeps the snapshots; the kernel keeps an index of each that it uses. A keystroke starts a question on another
thread, waits a moment for it, and takes what there is. While the core takes a new snapshot that thread stays with it, so
the next keystroke has it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from tusk_jupyter.client.interrupts import Task
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.driver import Description
from tusk_magics.completion.names import Path, SchemaIndex

PATIENCE_S = 0.02
"""How long a keystroke waits for the core, which answers in 2 ms."""
AGAIN_S = 0.5
"""How long an answer is not asked for again; a run in this kernel ends that at once."""
AFTER_FIRST_S = 0.03
"""Before the first question Flight has to be imported, which holds Python's lock for tens of milliseconds: the keystroke
that found nothing is answered first."""
TAKING_S = 10.0
"""How long one question waits for a snapshot that is being taken."""
QUESTIONS = 6
SOON_S = 0.3
"""How long one keystroke for which there is nothing else waits for a snapshot; JupyterLab waits 1 s for a list."""
DESCRIBE_S = 0.3
"""How long `Shift+Tab` waits for a description."""
KEPT = 200
"""Descriptions kept."""
_LIGHT = "pyarrow.flight"


class Asks(Protocol):
    """The client, as far as it is needed here."""

    session: str

    @property
    def last_connection(self) -> str | None:
        """Its current connection, as far as it knows."""
        ...

    @property
    def last_was_chosen(self) -> bool:
        """Whether that was chosen on purpose."""
        ...

    def call(self, request: Any, *, timeout_s: float | None = 60.0) -> Any:  # noqa: ANN401 - as `Client.call`
        """Send a request to the core."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one connection."""

    connection: str | None = None
    dialect: str = "ansi"
    stamp: str = ""
    index: SchemaIndex | None = None
    pending: bool = False
    """The core is reading the schema, for the first time or anew."""
    failed: bool = False
    """The core could not read the schema, and has none of before."""


@dataclass(slots=True)
class _Question:
    """Something that is asked on another thread."""

    answered: threading.Event = field(default_factory=threading.Event)
    """The core has said what it has; it may still be taking a new snapshot."""
    done: threading.Event = field(default_factory=threading.Event)
    waited: bool = False
    """A keystroke has waited for it: the next ones are answered at once."""


Work = Callable[[threading.Event], None]


class Schemas:
    """The connections of one kernel, and what they hold; thread-safe."""

    def __init__(self, client: Callable[[], Asks]) -> None:
        """Know nothing yet; `client` is called at the first question."""
        self._client = client
        self.arrived: Callable[[], None] = lambda: None
        """Called, on another thread, when a schema's question has ended."""
        self._known: dict[str | None, Known] = {}
        self._connections: tuple[control.Connection, ...] = ()
        self._described: dict[tuple[str | None, Path, str], Description | None] = {}
        self._running: dict[object, _Question] = {}
        self._answered: dict[object, float] = {}
        self._lock = threading.Lock()

    def of(self, connection: str | None, *, patience_s: float = PATIENCE_S) -> Known:
        """Return what is known of a connection; None: the current one."""
        self._ask(("schema", connection), lambda answered: self._fetch(connection, answered), patience_s=patience_s)
        return self._known.get(connection, Known())

    def soon(self, connection: str | None) -> Known:
        """Return what is known of a connection, and wait a little for it while a snapshot is on the way."""
        with self._lock:
            question = self._running.get(("schema", connection))
        if question is not None and not question.waited:
            question.waited = True
            question.done.wait(SOON_S)
        return self._known.get(connection, Known())

    def is_reading(self, connection: str | None) -> bool:
        """Whether a connection's snapshot is on the way."""
        key = ("schema", connection)
        with self._lock:
            if key not in self._running:
                return False
            known = self._known.get(connection)
            # One that was answered without becoming known is none that the core knows, though it is asked for again.
            return known.pending if known else key not in self._answered

    def connections(self) -> tuple[control.Connection, ...]:
        """Return the configured connections, as far as they are known."""
        self._ask("connections", lambda _: self._list())
        return self._connections

    def describe(self, known: Known, path: Path) -> Description | None:
        """Return the database's own description of a table; None when it does not come in time."""
        key = (known.connection, path, known.stamp)
        if key not in self._described:
            self._ask(("describe", key), lambda _: self._describe(key), patience_s=DESCRIBE_S)
        return self._described.get(key)

    def refresh(self) -> None:
        """Ask again for what has been asked for: a run may have changed it."""
        self._answered.clear()
        for connection in list(self._known):
            self._ask(("schema", connection), partial(self._fetch, connection), patience_s=0)

    def _ask(self, key: object, work: Work, patience_s: float = PATIENCE_S) -> None:
        """Do `work` on another thread unless it is under way or was just done; wait for it a moment."""
        with self._lock:
            question = self._running.get(key)
            if question is None:
                if time.monotonic() - self._answered.get(key, -AGAIN_S) < AGAIN_S:
                    return
                question = self._running[key] = _Question()
                Task(partial(self._do, key, question, work, first=_LIGHT not in sys.modules))
        if patience_s > PATIENCE_S:
            question.done.wait(patience_s)
        elif patience_s and _LIGHT in sys.modules:
            question.answered.wait(patience_s)

    def _do(self, key: object, question: _Question, work: Work, *, first: bool) -> None:
        try:
            if first:
                time.sleep(AFTER_FIRST_S)
            work(question.answered)
        finally:  # an error stays in the Task: completion has nothing to say about a core that cannot be reached
            with self._lock:
                self._answered[key] = time.monotonic()
                self._running.pop(key, None)
            question.answered.set()
            question.done.set()
            self.arrived()

    def _fetch(self, connection: str | None, answered: threading.Event) -> None:
        client, wait_s = self._client(), 0.0
        for _ in range(QUESTIONS):
            known = self._known.get(connection, Known())
            reply = client.call(
                control.GetSchema(
                    session=client.session, connection=connection, known=known.stamp, wait_s=wait_s,
                    last_connection=client.last_connection,
                    last_was_chosen=client.last_was_chosen,
                )
            )  # fmt: skip
            self._take(connection, known, reply)
            answered.set()
            if reply.state not in ("taking", "stale"):
                return
            wait_s = TAKING_S

    def _take(self, connection: str | None, known: Known, reply: control.SchemaSnapshot) -> None:
        if reply.snapshot is not None:
            index = SchemaIndex(reply.snapshot, reply.dialect)
            self._known[connection] = Known(reply.connection, reply.dialect, reply.stamp, index)
        elif reply.stamp and reply.stamp == known.stamp and reply.dialect == known.dialect:
            self._known[connection] = replace(known, connection=reply.connection)
        elif reply.connection != known.connection:  # another one has become the current one
            same = next((item for item in self._known.values() if item.connection == reply.connection), None)
            self._known[connection] = same or Known(reply.connection, reply.dialect)
        else:
            self._known[connection] = replace(known, dialect=reply.dialect)
        now = self._known[connection]
        self._known[connection] = replace(
            now,
            pending=reply.state in ("taking", "stale"),
            failed=reply.state == "failed" and now.index is None,
        )

    def _list(self) -> None:
        client = self._client()
        self._connections = client.call(control.ListConnections(session=client.session)).connections

    def _describe(self, key: tuple[str | None, Path, str]) -> None:
        connection, path, _ = key
        if connection is None:
            return
        client = self._client()
        reply = client.call(control.DescribeTable(session=client.session, connection=connection, path=path))
        if len(self._described) >= KEPT:
            self._described.clear()
        self._described[key] = reply.description

"""What the kit has to be told about a driver, and the helpers that its tests share."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from uuid import uuid4

import pyarrow as pa
import pytest

from tusk_jupyter.driverkit.cli import read_manifest
from tusk_jupyter.driverkit.session import Changed, Rows, Session, Settings, Transaction
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.sqltext.statements import Statement, split

INTERRUPT_EVERY_S = 0.25
"""As in the running product: an interrupt that comes a moment too early hits nothing, so it is repeated."""


class ContractBase:
    """Hooks and helpers. An author sets `package`, gives a `settings` fixture, and the rest only where it differs."""

    package: ClassVar[str] = ""
    """Import name of the driver's package: it holds manifest.json and a module `session` with the class `SESSION`."""

    gaps: ClassVar[Mapping[str, str]] = {}
    """Name of a test, or one case of it (`test_x[case]`), to the reason why it cannot hold here. It must then fail."""

    rows_sql: ClassVar[str] = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"
    )
    """Yields the numbers 1 to {count} in this order, as one integer column."""

    slow_sql: ClassVar[str] = ""
    """Runs for a minute at least unless it is interrupted. Empty: counts ten thousand million rows of `rows_sql`."""

    create_sql: ClassVar[str] = "CREATE TABLE {table} (i INTEGER NOT NULL PRIMARY KEY, t TEXT)"
    temp_sql: ClassVar[str] = "CREATE TEMPORARY TABLE {table} (i INTEGER)"
    drop_sql: ClassVar[str] = "DROP TABLE IF EXISTS {table}"
    begin_sql: ClassVar[str] = "BEGIN"

    stored: ClassVar[Mapping[str, Callable[[Any], object]]] = {}
    """Tag of a wire type to what comes back for a value of it, where that is another one: {"bool": int}."""

    # --- fixtures ---

    @pytest.fixture
    def settings(self) -> Settings:
        """Sign-in of a database that the tests may write to; they use tables of their own names in it."""
        raise pytest.UsageError(f"{type(self).__name__} must give a `settings` fixture that returns Settings.")

    @pytest.fixture
    def session(self, settings: Settings) -> Iterator[Session]:
        """An open session."""
        opened = self.session_class().connect(settings)
        yield opened
        opened.close()

    @pytest.fixture
    def table(self, settings: Settings, request: pytest.FixtureRequest) -> Iterator[str]:
        """A table name that no one else uses; dropped once the test's session, which may hold locks, is closed."""
        name = f"tusk_kit_{uuid4().hex[:12]}"
        yield name
        if "session" in request.node.funcargs:
            request.node.funcargs["session"].close()
        cleaner = self.session_class().connect(settings)
        try:
            self.run(cleaner, self.drop_sql.format(table=name))
        finally:
            cleaner.close()

    @pytest.fixture(autouse=True)
    def _declared_gap(self, request: pytest.FixtureRequest) -> None:
        reason = self.gaps.get(request.node.name) or self.gaps.get(request.node.originalname)
        if reason:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))

    # --- the driver ---

    def session_class(self) -> type[Session]:
        """Return the driver's session class."""
        found: type[Session] = importlib.import_module(f"{self.package}.session").SESSION
        return found

    def manifest(self) -> Manifest:
        """Return the driver's manifest."""
        return read_manifest(self.package)

    def needs(self, capability: str) -> None:
        """End the test as an expected failure when the manifest does not declare `capability`."""
        if not getattr(self.manifest().capabilities, capability):
            pytest.xfail(f"the manifest declares no {capability}")

    # --- SQL ---

    def quoted(self, name: str) -> str:
        """Return `name` as a quoted identifier of the dialect."""
        sign = "`" if self.manifest().dialect == "mysql" else '"'
        return f"{sign}{name.replace(sign, sign * 2)}{sign}"

    def statement(self, sql: str) -> Statement:
        """Return the one statement in `sql`, as the product hands it to the session."""
        (found,) = split(sql, self.manifest().dialect)
        return found

    def run(self, session: Session, sql: str, **parameters: object) -> Rows | Changed:
        """Execute one statement; rows are not fetched."""
        return session.execute(self.statement(sql), parameters)

    def change(self, session: Session, sql: str, **parameters: object) -> Changed:
        """Execute one statement that must not yield rows."""
        outcome = self.run(session, sql, **parameters)
        assert isinstance(outcome, Changed), f"{sql!r} yielded rows, expected none"
        return outcome

    def select(self, session: Session, sql: str, **parameters: object) -> Rows:
        """Execute one statement that must yield rows; they are not fetched."""
        outcome = self.run(session, sql, **parameters)
        assert isinstance(outcome, Rows), f"{sql!r} yielded no rows"
        return outcome

    def fetch(self, session: Session, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Execute one statement and return all its rows as Python values."""
        return as_rows(self.select(session, sql, **parameters))

    def expected(self, tag: str, value: object) -> object:
        """Return what comes back for a value of that wire type."""
        return self.stored[tag](value) if tag in self.stored else value

    def state(self, session: Session) -> Transaction:
        """Return the session's transaction."""
        return session.transaction

    def long_statement(self) -> str:
        """Return a statement that runs for a minute at least."""
        return self.slow_sql or f"SELECT count(*) FROM ({self.rows_sql.format(count=10**10)}) AS q"

    def path_of(self, session: Session, table: str, path: Sequence[str] = ()) -> list[str]:
        """Return the path of a table in the tree, found from the root; overwrite it where the tree is large."""
        nodes = session.tree(path)
        for node in nodes:
            if node.kind in ("table", "view") and node.name == table:
                return [*path, node.name]
        inner = [
            self.path_of(session, table, [*path, node.name]) for node in nodes if node.kind in ("catalog", "schema")
        ]
        return next((found for found in inner if found), [])


def as_rows(rows: Rows) -> list[tuple[Any, ...]]:
    """Fetch a result whole; duplicate column names are no obstacle to tuples."""
    columns: list[list[Any]] = [[] for _ in rows.schema]
    for batch in rows.batches:
        for values, column in zip(columns, batch.columns, strict=True):
            values.extend(column.to_pylist())
    return list(zip(*columns, strict=True))


def abandon(rows: Rows) -> None:
    """Close a result before its end, as the product does when a client goes away."""
    if isinstance(rows.batches, Generator):
        rows.batches.close()


@contextlib.contextmanager
def interrupted(session: Session) -> Iterator[None]:
    """Interrupt `session` from another thread, again and again, until the block is left."""
    left = threading.Event()

    def insist() -> None:
        while not left.wait(INTERRUPT_EVERY_S):
            session.interrupt()

    thread = threading.Thread(target=insist)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()


def reader_of(table: pa.Table, *, rows_per_batch: int = 1000) -> pa.RecordBatchReader:
    """Return a reader that hands `table` out in batches."""
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=rows_per_batch))

"""A session's life: opened, kept, reset, interrupted, closed."""

from __future__ import annotations

import pytest

from tusk_jupyter.driverkit.session import BATCH_ROWS, Session, Settings, Transaction
from tusk_jupyter.errors import Cancelled, QueryError, UsageError
from tusk_jupyter.testing.base import ContractBase, abandon, interrupted


class SessionsContract(ContractBase):
    """Life, transactions, read-only mode."""

    def test_server_says_what_it_is(self, session: Session) -> None:
        assert any(sign.isdigit() for sign in session.server), f"{session.server!r} names no version"

    def test_close_is_idempotent(self, session: Session) -> None:
        assert session.is_alive()
        session.close()
        session.close()
        assert not session.is_alive()

    def test_temp_table_sticks_to_its_session(self, session: Session, settings: Settings, table: str) -> None:
        self.change(session, self.temp_sql.format(table=table))
        self.change(session, f"INSERT INTO {table} VALUES (7)")
        assert self.fetch(session, f"SELECT i FROM {table}") == [(7,)]
        other = self.session_class().connect(settings)
        with pytest.raises(QueryError):
            self.fetch(other, f"SELECT i FROM {table}")
        other.close()

    def test_reset_forgets_temp_tables_and_the_transaction(self, session: Session, table: str) -> None:
        self.change(session, self.temp_sql.format(table=table))
        if self.manifest().capabilities.transactions:
            self.change(session, self.begin_sql)
        session.reset()
        assert self.state(session) is Transaction.IDLE
        with pytest.raises(QueryError):
            self.fetch(session, f"SELECT i FROM {table}")

    # --- transactions ---

    def test_a_statement_alone_commits(self, session: Session, settings: Settings, table: str) -> None:
        self.change(session, self.create_sql.format(table=table))
        self.change(session, f"INSERT INTO {table} VALUES (1, 'a')")
        assert self.state(session) is Transaction.IDLE
        session.close()
        again = self.session_class().connect(settings)
        assert self.fetch(again, f"SELECT i FROM {table}") == [(1,)]
        again.close()

    @pytest.mark.parametrize(("end", "kept"), [("COMMIT", 1), ("ROLLBACK", 0)])
    def test_transaction_ends_as_it_was_told(self, session: Session, table: str, end: str, kept: int) -> None:
        self.needs("transactions")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, self.begin_sql)
        assert self.state(session) is Transaction.OPEN
        self.change(session, f"INSERT INTO {table} VALUES (1, 'a')")
        assert self.state(session) is Transaction.OPEN
        self.change(session, end)
        assert self.state(session) is Transaction.IDLE
        assert self.fetch(session, f"SELECT count(*) AS n FROM {table}") == [(kept,)]

    def test_transaction_is_lost_with_its_session(self, session: Session, settings: Settings, table: str) -> None:
        self.needs("transactions")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, self.begin_sql)
        self.change(session, f"INSERT INTO {table} VALUES (1, 'a')")
        session.close()
        again = self.session_class().connect(settings)
        assert self.fetch(again, f"SELECT i FROM {table}") == []
        again.close()

    def test_error_inside_a_transaction_is_told_and_can_be_rolled_back(self, session: Session, table: str) -> None:
        self.needs("transactions")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, self.begin_sql)
        with pytest.raises(QueryError):
            self.fetch(session, f"SELECT nosuchcolumn FROM {table}")
        assert self.state(session) in (Transaction.OPEN, Transaction.FAILED)
        self.change(session, "ROLLBACK")
        assert self.state(session) is Transaction.IDLE
        assert self.fetch(session, "SELECT 1 AS a") == [(1,)]

    # --- read-only ---

    @pytest.mark.parametrize("at_connect", [True, False], ids=["as opened", "as set"])
    def test_read_only_refuses_writes(self, settings: Settings, table: str, at_connect: bool) -> None:
        self.needs("read_only")
        writer = self.session_class().connect(settings)
        self.change(writer, self.create_sql.format(table=table))
        self.change(writer, f"INSERT INTO {table} VALUES (1, 'kept')")
        writer.close()
        session = self._read_only(settings, at_connect=at_connect)
        for sql in (
            f"INSERT INTO {table} VALUES (2, 'x')",
            f"UPDATE {table} SET t = 'x'",
            f"DELETE FROM {table}",
            f"DROP TABLE {table}",
            self.create_sql.format(table=f"{table}_new"),
        ):
            with pytest.raises(QueryError) as caught:
                self.run(session, sql)
            assert caught.value.scenario == "read_only", sql
        assert self.fetch(session, f"SELECT i, t FROM {table}") == [(1, "kept")]
        session.close()

    def test_read_only_can_be_taken_back(self, session: Session, table: str) -> None:
        self.needs("read_only")
        self.change(session, self.create_sql.format(table=table))
        session.set_read_only(True)
        session.set_read_only(False)
        assert self.change(session, f"INSERT INTO {table} VALUES (1, 'a')").affected == 1

    def test_mode_of_an_open_transaction_is_not_changed(self, session: Session) -> None:
        self.needs("read_only")
        self.needs("transactions")
        self.change(session, self.begin_sql)
        with pytest.raises(UsageError):
            session.set_read_only(True)
        self.change(session, "ROLLBACK")

    def _read_only(self, settings: Settings, *, at_connect: bool) -> Session:
        if at_connect:
            strict = Settings(config=settings.config, secrets=settings.secrets, read_only=True)
            return self.session_class().connect(strict)
        session = self.session_class().connect(settings)
        session.set_read_only(True)
        return session


class InterruptsContract(ContractBase):
    """An interrupt from another thread ends the statement, not the session."""

    def test_interrupt_ends_a_statement_and_not_the_session(self, session: Session, table: str) -> None:
        self.needs("cancel")
        self.change(session, self.temp_sql.format(table=table))
        for _ in range(3):
            with interrupted(session), pytest.raises(Cancelled):
                self.fetch(session, self.long_statement())
            assert self.fetch(session, f"SELECT count(*) AS n FROM {table}") == [(0,)]
        assert session.is_alive()

    def test_interrupt_ends_a_result_that_is_being_read(self, session: Session) -> None:
        self.needs("cancel")
        rows = self.select(session, self.rows_sql.format(count=2_000_000_000))
        next(rows.batches)
        with interrupted(session), pytest.raises(Cancelled):
            for _ in rows.batches:
                pass
        assert self.fetch(session, "SELECT 1 AS a") == [(1,)]

    def test_interrupt_inside_a_transaction_leaves_it_to_be_rolled_back(self, session: Session, table: str) -> None:
        self.needs("cancel")
        self.needs("transactions")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, self.begin_sql)
        self.change(session, f"INSERT INTO {table} VALUES (1, 'a')")
        with interrupted(session), pytest.raises(Cancelled):
            self.fetch(session, self.long_statement())
        if self.state(session) is not Transaction.IDLE:
            self.change(session, "ROLLBACK")
        assert self.fetch(session, f"SELECT i FROM {table}") == []

    def test_interrupt_is_harmless_when_nothing_runs(self, session: Session) -> None:
        session.interrupt()
        assert self.fetch(session, "SELECT 1 AS a") == [(1,)]
        rows = self.select(session, self.rows_sql.format(count=BATCH_ROWS))
        abandon(rows)
        session.interrupt()
        assert self.fetch(session, "SELECT 2 AS a") == [(2,)]

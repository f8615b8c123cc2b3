"""What a statement's result must be."""

from __future__ import annotations

from collections.abc import Generator

import pyarrow as pa
import pytest

from tusk_jupyter.driverkit.session import BATCH_ROWS, Session, Transaction
from tusk_jupyter.testing.base import ContractBase, abandon, as_rows


class ResultsContract(ContractBase):
    """Rows, schemas, batches, and what becomes of a result that nobody reads to its end."""

    def test_select_yields_its_rows(self, session: Session) -> None:
        assert self.fetch(session, "SELECT 1 AS a, 'x' AS b") == [(1, "x")]

    def test_schema_stands_before_the_first_batch(self, session: Session) -> None:
        rows = self.select(session, "SELECT 1 AS a, 'x' AS b")
        assert rows.schema.names == ["a", "b"]
        abandon(rows)

    def test_every_column_says_its_type_in_the_databases_words(self, session: Session) -> None:
        rows = self.select(session, "SELECT 1 AS a, 'x' AS b")
        assert len(rows.types) == 2
        assert all(rows.types)
        as_rows(rows)

    def test_null_is_not_the_empty_text(self, session: Session) -> None:
        assert self.fetch(session, "SELECT NULL AS n, '' AS e, 'NULL' AS t") == [(None, "", "NULL")]

    def test_rows_of_only_null_are_rows(self, session: Session) -> None:
        sql = (
            "SELECT a FROM (SELECT NULL AS a, 1 AS i UNION ALL SELECT NULL, 2 UNION ALL SELECT 'x', 3) AS q ORDER BY i"
        )
        assert self.fetch(session, sql) == [(None,), (None,), ("x",)]

    def test_integers_with_null_stay_integers(self, session: Session) -> None:
        sql = "SELECT a FROM (SELECT 9007199254740993 AS a, 1 AS i UNION ALL SELECT NULL, 2) AS q ORDER BY i"
        rows = self.select(session, sql)
        assert pa.types.is_integer(rows.schema.field(0).type)
        assert as_rows(rows) == [(9007199254740993,), (None,)]

    def test_rows_of_only_empty_text_are_rows(self, session: Session) -> None:
        assert self.fetch(session, "SELECT '' AS a UNION ALL SELECT '' UNION ALL SELECT ''") == [("",)] * 3

    def test_duplicate_column_names_are_kept(self, session: Session) -> None:
        rows = self.select(session, "SELECT 1 AS a, 2 AS a, 3 AS b")
        assert rows.schema.names == ["a", "a", "b"]
        assert as_rows(rows) == [(1, 2, 3)]

    def test_empty_result_keeps_its_schema(self, session: Session) -> None:
        rows = self.select(session, "SELECT * FROM (SELECT 1 AS a, 'x' AS b) AS q WHERE a = 0")
        assert rows.schema.names == ["a", "b"]
        assert as_rows(rows) == []

    def test_batches_have_the_results_schema(self, session: Session) -> None:
        rows = self.select(session, self.rows_sql.format(count=10))
        assert all(batch.schema.equals(rows.schema) for batch in rows.batches)

    @pytest.mark.parametrize("count", [1, BATCH_ROWS, BATCH_ROWS + 1, 3 * BATCH_ROWS + 17])
    def test_no_row_is_lost_or_doubled_between_batches(self, session: Session, count: int) -> None:
        rows = self.select(session, self.rows_sql.format(count=count))
        sizes, seen, ended = [], [], []
        for batch in rows.batches:
            sizes.append(batch.num_rows)
            seen.extend(batch.column(0).to_pylist())
            ended.append(rows.ended())
        assert max(sizes) <= BATCH_ROWS
        assert not any(ended[:-1]), "a batch followed one that was called the last"
        assert seen == list(range(1, count + 1))

    def test_notes_and_affected_can_be_asked_after_the_last_batch(self, session: Session) -> None:
        rows = self.select(session, "SELECT 1 AS a")
        as_rows(rows)
        assert list(rows.notes()) == []
        assert rows.affected() is None or isinstance(rows.affected(), int)

    def test_batches_can_be_closed(self, session: Session) -> None:
        rows = self.select(session, "SELECT 1 AS a")
        assert isinstance(rows.batches, Generator)
        as_rows(rows)

    @pytest.mark.parametrize("taken", [0, 1])
    def test_session_goes_on_after_a_half_read_result(self, session: Session, taken: int) -> None:
        rows = self.select(session, self.rows_sql.format(count=4 * BATCH_ROWS))
        for _ in range(taken):
            next(rows.batches)
        abandon(rows)
        assert self.fetch(session, "SELECT 2 AS b") == [(2,)]
        assert self.state(session) is Transaction.IDLE

    def test_half_read_result_leaves_the_transaction_open(self, session: Session, table: str) -> None:
        self.needs("transactions")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, self.begin_sql)
        self.change(session, f"INSERT INTO {table} VALUES (1, 'kept')")
        rows = self.select(session, self.rows_sql.format(count=4 * BATCH_ROWS))
        next(rows.batches)
        abandon(rows)
        assert self.state(session) is Transaction.OPEN
        assert self.fetch(session, f"SELECT t FROM {table}") == [("kept",)]
        self.change(session, "ROLLBACK")
        assert self.fetch(session, f"SELECT t FROM {table}") == []

    def test_ddl_yields_no_rows(self, session: Session, table: str) -> None:
        self.change(session, self.create_sql.format(table=table))

    def test_changed_rows_are_counted(self, session: Session, table: str) -> None:
        self.change(session, self.create_sql.format(table=table))
        assert self.change(session, f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b'), (3, 'c')").affected == 3
        assert self.change(session, f"UPDATE {table} SET t = 'z' WHERE i < 3").affected == 2
        assert self.change(session, f"DELETE FROM {table} WHERE i = 99").affected == 0

    def test_comments_reach_the_server_and_change_nothing(self, session: Session) -> None:
        assert self.fetch(session, "/* lead */ SELECT 1 AS a -- trailing tag") == [(1,)]

    @pytest.mark.parametrize("text", ["a :foo b", "100%", "%s %(x)s", "? $1 {}", "::", "{{ x }}", "-- no comment", ";"])
    def test_signs_inside_a_literal_are_text(self, session: Session, text: str) -> None:
        assert self.fetch(session, f"SELECT '{text}' AS t") == [(text,)]
        assert self.fetch(session, f"SELECT '{text}' AS t, :p AS p", p="bound") == [(text, "bound")]

    def test_long_text_comes_back_whole(self, session: Session) -> None:
        sql = "SELECT " + ", ".join(f"'{'x' * 5000}{n}' AS c{n}" for n in range(40))
        assert [len(value) for value in self.fetch(session, sql)[0]] == [5001 + (n > 9) for n in range(40)]

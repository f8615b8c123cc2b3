"""Rules that answer a change with rows: they are shown, as by psql."""

from __future__ import annotations

from datetime import datetime

import pytest

from tusk_drivers.postgresql.session import PostgresqlSession
from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import QueryError


@pytest.fixture
def ruled(db):
    db.do("CREATE TEMP TABLE stock (id int, made timestamp, price numeric)")
    db.do("INSERT INTO stock VALUES (1, '2024-02-01 12:00', 1.50), (2, '2024-02-02 12:00', 15)")
    db.do(
        "CREATE RULE shown AS ON UPDATE TO stock DO ALSO SELECT made, new.price * 2 AS twice FROM stock WHERE id = old.id"
    )
    db.do("CREATE RULE kept AS ON DELETE TO stock DO INSTEAD SELECT old.id AS kept")
    return db


def test_a_rule_answers_with_rows_as_in_psql(ruled):
    ruled.do("SET datestyle = 'SQL, DMY'")
    assert ruled.rows("UPDATE stock SET price = 20 WHERE id = 2") == [(datetime(2024, 2, 2, 12), 40)]
    assert (ruled.affected, ruled.types) == (1, ["timestamp without time zone", "numeric"])
    assert ruled.one("SHOW datestyle") == "SQL, DMY"
    assert sorted(ruled.rows("DELETE FROM stock")) == [(1,), (2,)]
    assert ruled.rows("DELETE FROM stock WHERE id > 5") == []
    assert ruled.rows("WITH a AS (SELECT 1) DELETE FROM stock WHERE id = 1") == [(1,)]
    assert ruled.one("SELECT count(*) FROM stock") == 2


def test_of_several_answers_the_last_one_is_shown_and_the_others_are_told(ruled):
    ruled.do("CREATE RULE second AS ON DELETE TO stock DO ALSO SELECT 'second' AS word")
    assert ruled.rows("DELETE FROM stock WHERE id = 1") == [("second",)]
    assert ruled.notes == ["The statement gave 2 results; the last one is shown."]


def test_a_statement_with_parameters_has_a_note_in_their_place(ruled):
    assert ruled.do("UPDATE stock SET price = :price WHERE id = 2", price=7) == 1
    assert ruled.notes == [
        "A rule may have answered with rows. They arrive only where the statement has no parameters."
    ]


def test_rules_made_renamed_and_dropped_in_the_session_are_known(db):
    db.do("CREATE TEMP TABLE plain (id int); INSERT INTO plain VALUES (1)")
    assert db.do("UPDATE plain SET id = 2") == 1
    db.do("CREATE RULE shown AS ON UPDATE TO plain DO ALSO SELECT new.id")
    assert db.rows("UPDATE plain SET id = 3") == [(3,)]
    db.do("ALTER TABLE plain RENAME TO other")
    assert db.rows("UPDATE other SET id = 4") == [(4,)]
    db.do("DROP RULE shown ON other")
    assert db.do("UPDATE other SET id = 5") == 1


def test_errors_and_the_users_transaction_are_as_without_a_rule(ruled):
    ruled.do("BEGIN; SAVEPOINT s")
    with pytest.raises(QueryError) as caught:
        ruled.rows("UPDATE stock SET price = 1 / (id - 1) WHERE id = 1")
    assert caught.value.code == "22012"
    assert ruled.session.transaction is Transaction.FAILED
    ruled.do("ROLLBACK TO s")
    assert len(ruled.rows("UPDATE stock SET price = 20 WHERE id = 2")) == 1
    ruled.do("ROLLBACK")
    assert ruled.one("SELECT price FROM stock WHERE id = 2") == 15


def test_a_rule_of_the_table_below_a_view_answers_too(ruled):
    ruled.do("CREATE TEMP VIEW offers AS SELECT * FROM stock")
    assert sorted(ruled.rows("DELETE FROM offers")) == [(1,), (2,)]


def test_the_view_of_settings_answers_as_in_psql(db):
    assert db.rows("UPDATE pg_settings SET setting = 'SQL, DMY' WHERE name = 'DateStyle'") == [("SQL, DMY",)]


def test_other_tables_are_changed_as_ever_beside_rules_that_answer_nothing_and_tables_that_are_locked(db, settings):
    db.do("CREATE TEMP TABLE plain (id int)")
    assert db.do("INSERT INTO plain VALUES (1)") == 1
    assert not db.session._link.ruled  # the server's own view is no reason to send changes by another way
    first, second = (PostgresqlSession.connect(settings(admin=True)) for _ in range(2))
    try:
        one, other = type(db)(first), type(db)(second)
        one.do(
            "CREATE TABLE ruled_and_held (id int); CREATE RULE shown AS ON UPDATE TO ruled_and_held DO ALSO SELECT new.id;"
            "CREATE TABLE free_one (id int); BEGIN; LOCK TABLE ruled_and_held IN ACCESS EXCLUSIVE MODE"
        )
        other.do("SET lock_timeout = '2s'")
        assert other.do("INSERT INTO free_one VALUES (1)") == 1
        one.do("COMMIT; DROP TABLE ruled_and_held, free_one")
    finally:
        first.close()
        second.close()

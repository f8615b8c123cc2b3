"""Lists of 500 texts and more, which go as an array, are compared with dates and UUIDs as shorter ones are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tusk_drivers.duckdb.session import DuckDBSession
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Changed, Rows, Settings
from tusk_jupyter.sqltext.statements import split

COUNT = 600
VALUES = {
    "days": [str(date(2020, 1, 1) + timedelta(days=n)) for n in range(COUNT)],
    "ids": [str(UUID(int=n)) for n in range(COUNT)],
    "words": [f"w{n}" for n in range(COUNT)],
    "digits": [*map(str, range(COUNT - 1)), None],
    "no_days": [*(str(date(2020, 1, 1) + timedelta(days=n)) for n in range(COUNT)), "no day"],
}
MADE = """SELECT DATE '2020-01-01' + n::INTEGER AS d, ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::UUID AS u,
 'w' || n AS w, n FROM range(1000) r(n)"""


@pytest.fixture(scope="module")
def session() -> Iterator[DuckDBSession]:
    opened = DuckDBSession.connect(Settings(config={}))
    for sql in (
        f"CREATE TABLE t AS {MADE}",
        f"CREATE TEMP TABLE own AS {MADE}",
        "CREATE SCHEMA s",
        f"CREATE TABLE s.q AS {MADE}",
    ):
        run(opened, sql)
    yield opened
    opened.close()


def run(session: DuckDBSession, sql: str) -> Any:
    statement = split(sql, "duckdb")[0]
    outcome = session.execute(statement, {name: VALUES[name] for name in statement.parameters})
    if isinstance(outcome, Changed):
        return outcome.affected
    assert isinstance(outcome, Rows)
    return [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("SELECT count(*) FROM t WHERE d IN (:days)", COUNT),
        ("SELECT count(*) FROM t WHERE u NOT IN (:ids)", 1000 - COUNT),
        ("SELECT count(*) FROM t WHERE n IN (:digits)", COUNT - 1),
        ("SELECT count(*) FROM t WHERE w IN (:words) AND d IN (:days) AND (u IN (:ids) OR '😀' IN (:words))", COUNT),
        ("SELECT count(*) FROM t WHERE d::TIMESTAMP IN (:days) AND coalesce(u, u) IN (:ids)", COUNT),
        ("SELECT count(*) FROM own WHERE d IN (:days)", COUNT),
    ],
)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_texts_are_read_as_the_columns_type(session: DuckDBSession, sql: str, count: int, in_transaction: bool) -> None:
    if in_transaction:
        run(session, "BEGIN")
    try:
        assert run(session, sql) == [(count,)]
    finally:
        if in_transaction:
            run(session, "ROLLBACK")


def test_changes_and_names_of_the_chosen_schema(session: DuckDBSession) -> None:
    run(session, "USE s")
    run(session, "BEGIN")
    try:
        assert run(session, "UPDATE q SET n = 0 WHERE d IN (:days)") == COUNT
        assert len(run(session, "DELETE FROM q WHERE u IN (:ids) RETURNING w")) == COUNT
    finally:
        run(session, "ROLLBACK")
        run(session, "USE main")


def test_an_error_is_the_statements_own(session: DuckDBSession) -> None:
    with pytest.raises(errors.QueryError, match='"no day"'):
        run(session, "SELECT count(*) FROM t WHERE d IN (:no_days)")
    with pytest.raises(errors.QueryError, match="nosuch") as caught:
        run(session, "SELECT count(*) FROM t WHERE nosuch IN (:days)")
    assert caught.value.position == len("SELECT count(*) FROM t WHERE ")
    assert "FILTER" in str(run(session, "EXPLAIN SELECT n FROM t WHERE d IN (:days)")).upper()
    assert run(session, "SELECT count(*) FROM duckdb_prepared_statements()") == [(0,)]


def test_a_read_only_session_prepares_nothing_before_it_is_checked(session: DuckDBSession, monkeypatch) -> None:
    monkeypatch.setattr("tusk_drivers.duckdb.parameters.types_of", lambda *_, **__: pytest.fail("prepared"))
    session.set_read_only(True)
    try:
        assert run(session, "SELECT count(*) FROM t WHERE d IN (:days)") == [(COUNT,)]
    finally:
        session.set_read_only(False)

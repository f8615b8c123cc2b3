"""Which statements may commit something before they have ended: what is said of one that was ended in the middle."""

from __future__ import annotations

import pytest

from tusk_jupyter.sqltext.commits import LOOKED_AT, may_commit_itself


@pytest.mark.parametrize(
    ("dialect", "sql", "may"),
    [
        ("postgresql", "INSERT INTO t SELECT f()", False),
        ("postgresql", "COMMIT", False),
        ("postgresql", "SELECT 'CALL p(); VACUUM', concurrently_done FROM t -- CONCURRENTLY", False),
        ("postgresql", "CREATE INDEX i ON t (a)", False),
        ("postgresql", "-- a procedure\nCALL p()", True),
        ("postgresql", "do $$ BEGIN COMMIT; END $$", True),
        ("postgresql", "CREATE INDEX CONCURRENTLY i ON t (a)", True),
        ("postgresql", "VACUUM", True),
        ("postgresql", "DROP DATABASE d", True),
        ("postgresql", "SELECT 1; CALL p()", True),
        ("mysql", "INSERT INTO t VALUES (1)", False),
        ("mysql", "/* x */ WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("mysql", "(SELECT 1)", False),
        ("mysql", "CALL p()", True),
        ("mysql", "ALTER TABLE t ADD b INT", True),
        ("mysql", "INSERT INTO t VALUES (1); DROP TABLE u", True),
        ("mysql", f"INSERT INTO t VALUES ('{'x' * LOOKED_AT}')", False),
        ("somebody's", "SELECT 1", True),
        ("postgresql", "", False),
    ],
)
def test_what_may_commit_before_its_end(dialect: str, sql: str, may: bool):
    assert may_commit_itself(sql, dialect) is may


def test_a_script_of_many_statements_is_read_once():
    """Each statement looked through all of the script's words: 41 s for 2,000 of them, and the core does nothing else then."""
    assert not may_commit_itself("a b;\n" * 10_000, "postgresql")
    assert may_commit_itself("a b;\n" * 10_000 + "CREATE INDEX CONCURRENTLY i ON t (a)", "postgresql")

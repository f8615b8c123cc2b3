r"""What shells take and servers do not is told with what to write here; only where an engine has refused it."""

from __future__ import annotations

import pytest

from tusk_jupyter.sqltext.client_commands import advice

SCHEMA, FILE, TO, USE = "%tusk schema CONNECTION", "--file PATH", "--to FILE", "%tusk use NAME"


@pytest.mark.parametrize(
    ("dialect", "sql", "position", "words"),
    [
        ("postgresql", r"\d", 0, SCHEMA),
        ("postgresql", r"\dt+ sales.*", 0, SCHEMA),
        ("postgresql", r"\df", 0, "catalog"),
        ("postgresql", r"\l", 0, "catalog"),
        ("postgresql", "-- what is there\n\\d orders", 17, SCHEMA),
        ("postgresql", r"\copy t from 'x.csv' csv", 0, "--append FRAME"),
        ("postgresql", r"\i x.sql", 0, FILE),
        ("postgresql", r"\c other", 0, USE),
        ("postgresql", r"SELECT 1 \gx", 9, "Leave it out"),
        ("postgresql", r"\set a 1", 0, ":name"),
        ("postgresql", r"\o x.txt", 0, TO),
        ("postgresql", r"\nosuch", 0, "%sql --help"),
        ("postgresql", "describe orders", 0, SCHEMA),
        ("postgresql", "SHOW TABLES", None, SCHEMA),
        ("mysql", r"SELECT * FROM t\G", 15, "Leave it out"),
        ("mysql", r"\. x.sql", 0, FILE),
        ("mysql", "SOURCE x.sql", 0, FILE),
        ("mysql", "DELIMITER", 0, "is found without it"),
        ("mysql", "tee x.txt", None, TO),
        ("sqlite", ".tables", 0, SCHEMA),
        ("sqlite", ".read x.sql", 0, FILE),
        ("sqlite", ".output x.csv", 0, TO),
        ("sqlite", "show tables", 0, SCHEMA),
        ("duckdb", ".timer on", 0, "how long it took"),
        ("duckdb", "quit", 0, "%tusk disconnect"),
    ],
)
def test_a_shells_command_is_told_with_what_to_write_here(dialect: str, sql: str, position: int | None, words: str):
    told = advice(sql, dialect, position, syntax=sql != "SHOW TABLES")
    assert told is not None
    assert words in told


@pytest.mark.parametrize(
    ("dialect", "sql", "position"),
    [
        ("postgresql", "SELECT 1 FROM WHERE", 14),
        ("postgresql", r"SELECT E'\d' FROM WHERE", 18),
        ("postgresql", "SELECT s.quit FROM s WHERE", 26),
        ("postgresql", "SHOW nosuch", None),
        ("mysql", "SHOW TABELS", 5),
        ("mysql", "DESCRIBE", 8),
        ("mysql", "HELP", None),
        ("duckdb", "USE", 3),
        ("sqlite", "SELECT t..tables", 9),
        ("sqlite", "", 0),
    ],
)
def test_what_is_no_command_of_a_shell_keeps_its_hint(dialect: str, sql: str, position: int | None):
    assert advice(sql, dialect, position, syntax=True) is None


def test_words_that_begin_a_statement_count_only_for_mistakes_of_syntax():
    assert advice("source x", "mysql", 0, syntax=False) is None

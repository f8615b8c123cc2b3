"""The lists of functions against the engines' own catalogs: what a new version adds is decided before it counts as a read."""

import re
import sqlite3

import duckdb
import pytest

from tusk_jupyter.sqltext.effects import Effect, effect_of
from tusk_jupyter.sqltext.own_functions import READING

LEAVING = {
    "duckdb": {
        *("nextval", "currval", "setval", "setseed"),
        *(
            "write_log",
            "enable_logging",
            "disable_logging",
            "truncate_duckdb_logs",
            "enable_profiling",
            "disable_profiling",
        ),
        *("create_external_resource", "deregister_external_resource", "destroy_external_resource"),
        *("register_external_resource", "register_external_resource_type", "checkpoint", "force_checkpoint"),
        *("query", "json_execute_serialized_sql"),
        *("python_map_function", "pandas_scan", "arrow_scan", "arrow_scan_dumb", "python_arrow_scan"),
    },
    "sqlite": {
        *("changes", "total_changes", "last_insert_rowid", "load_extension"),
        *("sqlite_log", "fts3_tokenizer", "fts5", "optimize"),
    },
}
"""What sets a seed, a log or a profile, reads what only its session has, runs SQL of its argument, or takes an address."""
VOLATILE = {
    *(
        "current_connection_id",
        "current_query",
        "current_query_id",
        "current_transaction_id",
        "error",
        "gen_random_uuid",
    ),
    *("random", "sleep_ms", "stats", "uuid", "uuidv4", "uuidv7", "vector_type"),
}
"""DuckDB's functions with side effects, by its catalog, that leave nothing."""


def of_duckdb(condition="true"):
    sql = f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE internal AND function_type <> 'pragma' AND {condition}"
    with duckdb.connect() as connection:
        return named(connection.execute(sql).fetchall())


def of_sqlite():
    connection = sqlite3.connect(":memory:")
    try:
        return named(connection.execute("SELECT DISTINCT name FROM pragma_function_list WHERE builtin").fetchall())
    finally:
        connection.close()


def named(rows):
    """Leave out operators, and what DuckDB puts into its own plans."""
    return {name.lower() for (name,) in rows if re.fullmatch(r"(?!__)[A-Za-z_]\w*", name)}


@pytest.mark.parametrize(("dialect", "catalog"), [("duckdb", of_duckdb), ("sqlite", of_sqlite)])
def test_every_function_of_the_engine_is_decided(dialect, catalog):
    reading = {name.lower() for name in READING[dialect]}
    assert not reading & LEAVING[dialect]
    assert catalog() - reading == catalog() & LEAVING[dialect]


def test_what_has_side_effects_by_duckdb_itself_is_known_to_leave_nothing_or_counts():
    volatile = of_duckdb("(has_side_effects OR stability = 'VOLATILE')")
    assert volatile - VOLATILE == {"nextval", "currval", "setval", "setseed", "write_log"}
    assert volatile >= VOLATILE


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect, names in LEAVING.items() for name in sorted(names)]
)
def test_a_call_of_what_leaves_something_counts(dialect, name):
    assert effect_of(f"SELECT {name}('x')", dialect) is Effect.STATE
    assert effect_of(f"SELECT * FROM {name}('x')", dialect) is Effect.STATE

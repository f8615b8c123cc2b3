"""What a read-only session may run.

The engine does most of it: every statement runs inside BEGIN TRANSACTION READ ONLY, which refuses each write to a
database. It does not refuse what goes elsewhere (COPY TO a file, ATTACH, EXPORT, temp tables, settings of the whole
process), so a statement must also be of a kind that reads. Kinds come from DuckDB's own parser; unknown ones are
refused.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence

import duckdb

from tusk_drivers.duckdb.definitions import EVERYTHING, Definitions
from tusk_drivers.duckdb.instances import OWN_SETTINGS
from tusk_drivers.duckdb.words import called, code, explained, kind_of, texts, words
from tusk_jupyter import errors
from tusk_jupyter.protocol.scenarios import hint_for

_SETTINGS = frozenset(
    {
        "calendar", "default_collation", "default_null_order", "default_order", "enable_progress_bar", "explain_output",
        "ieee_floating_point_ops", "integer_division", "old_implicit_casting", "order_by_non_integer_literal",
        "scalar_subquery_error_on_multiple_rows", "schema", "search_path", "timezone", "variable",
    }
)  # fmt: skip
_PRAGMAS = frozenset(
    {
        "collations", "database_list", "database_size", "extension_versions", "functions", "metadata_info", "platform",
        "show", "show_databases", "show_tables", "show_tables_expanded", "storage_info", "table_info", "user_agent",
        "version",
    }
)  # fmt: skip
_EFFECTS = frozenset(
    {
        "add_parquet_key", "checkpoint", "copy_database", "create_external_resource", "deregister_external_resource",
        "destroy_external_resource", "disable_logging", "disable_profile", "disable_profiling", "enable_logging",
        "enable_profile", "enable_profiling", "force_checkpoint", "import_database", "json_execute_serialized_sql",
        "load_aws_credentials", "mysql_execute", "nextval", "postgres_execute", "query", "register_external_resource",
        "register_external_resource_type", "setval", "truncate_duckdb_logs", "write_log",
    }
)  # fmt: skip
"""Functions that change something beyond the result, or run SQL that this guard cannot see."""
LOADED_BY_WRITERS = (
    "An extension may bring functions that write, so no read-only session installs or loads one. What a session that may write "
    "has loaded on the same file is usable here; or set the connection's `extensions` to `automatic`."
)
_REJECTS = frozenset({"store_rejects", "rejects_table", "rejects_scan"})
"""Options of read_csv that make temp tables, which take the place of tables of that name."""
_ASSIGNS = frozenset({"=", ":=", ":", "=>"})
_READING_CALL = re.compile(
    r"pragma_\w+|duckdb_\w+|read_\w+|range|generate_series|glob|summary|test_all_types|sniff_csv"
)


def check_settings(sql: str, kind: str, *, extensions: str) -> None:
    """Refuse to change what the driver needs as it is, and extensions where the connection says off.

    Raises:
        UsageError: nothing was run.
    """
    if kind == "SET":
        touched = next((word for word in words(sql)[:4] if word in OWN_SETTINGS), None)
        if touched:
            raise errors.UsageError(
                f"The setting {touched} belongs to the driver: results are read through it.",
                hint="Leave the statement out; all types already come out exactly (see TYPES.md).",
            )
    if extensions == "off" and kind in ("LOAD", ""):
        raise errors.UsageError(
            "This connection allows no extensions.", hint="Set the connection's `extensions` to `manual` to allow them."
        )


def check_read_only(connection: duckdb.DuckDBPyConnection, sql: str, parsed: Sequence[duckdb.Statement]) -> None:
    """Refuse a statement that may do more than read.

    Raises:
        QueryError: scenario read_only.
    """
    if len(parsed) > 1:
        raise _refused("several statements at once")
    for statement in parsed:
        _check(connection, kind_of(statement), sql)


def check_sequences(connection: duckdb.DuckDBPyConnection, sql: str, definitions: Definitions) -> None:
    """Refuse what would move a sequence while DuckDB only plans it.

    Raises:
        QueryError: scenario read_only.
    """
    moving = definitions.moving_sequences(connection, _EFFECTS)
    if not moving:
        return
    spoken = set(words(sql))
    if "execute" in spoken:
        spoken.update(word for text in _prepared(connection) for word in words(text))
    spoken |= {word.strip("'") for word in spoken}  # FROM 'view', query_table('view')
    by_text = next((word for word in sorted(spoken) if word == "query_table" or word.startswith("pragma_")), None)
    found = next(iter(sorted(moving & spoken)), by_text)
    if found or moving == EVERYTHING:
        raise _refused(
            f"{found or 'Any statement'}, which may move a sequence through a view or macro of this database,",
            "DuckDB would move it already as it plans the statement. A view or macro that calls nextval(), setval() or query() "
            "cannot be used read-only.",
        )


def planned(connection: duckdb.DuckDBPyConnection, sql: str, kind: str) -> Iterator[str]:
    """Yield the texts whose plans show what the statement runs."""
    if kind in ("SELECT", "RELATION", "EXECUTE"):
        yield sql
    elif kind == "EXPLAIN":
        yield explained(sql, code(sql))
    elif kind == "CALL":
        found = code(sql)
        yield f"FROM {sql[found[0].end :]}"
    elif kind == "SET":
        yield from _assigned(sql)
    elif kind == "MULTI":  # a PIVOT that asks for its columns: EXPLAIN would run that
        yield from _sources(connection, sql)


def no_pragma() -> errors.QueryError:
    """Return the error for a PRAGMA where macros may have taken the names of the functions that it runs."""
    return _refused("PRAGMA", "A view, trigger or macro of this database may run more than it reads. `DESCRIBE` works.")


def _assigned(sql: str) -> Iterator[str]:
    """Yield a query for the value of a SET VARIABLE."""
    found = code(sql)
    spoken = texts(sql, found)
    if _setting(spoken) != "variable":
        return
    at = next((index for index, one in enumerate(spoken) if index > 1 and one in ("=", "to")), None)
    if at is not None:
        yield f"SELECT {sql[found[at].end :]}"


def check_functions(names: Collection[str]) -> None:
    """Refuse functions that a plan shows.

    Raises:
        QueryError: scenario read_only.
    """
    if found := next((name for name in sorted(names) if name in _EFFECTS), None):
        raise _refused(f"{found}(), which a view or macro in this statement runs,")


def _sources(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[str]:
    """Yield a query on each view that the statement may name; refuse a macro, whose arguments are not known here.

    Raises:
        QueryError: scenario read_only.
    """
    named = set(words(sql))
    macros = connection.execute(_MACROS).fetchall()
    if called_one := called(sql, {*(name for (name,) in macros), "query_table"}):
        raise _refused(
            f"A PIVOT with {called_one}()",
            hint="Name the columns, `PIVOT ... ON x IN (...)`: it is then one query.",
        )
    for database, schema, view in connection.execute(_VIEWS).fetchall():
        if view.lower() in named:
            yield "FROM " + ".".join('"' + part.replace('"', '""') + '"' for part in (database, schema, view))


_MACROS = """
    SELECT system.main.lower(function_name) FROM system.main.duckdb_functions()
    WHERE function_type IN ('macro', 'table_macro') AND NOT internal"""
_VIEWS = "SELECT database_name, schema_name, view_name FROM system.main.duckdb_views() WHERE NOT internal"


def _check(connection: duckdb.DuckDBPyConnection, kind: str, sql: str) -> None:
    found = code(sql)
    spoken = texts(sql, found)
    first = spoken[0] if spoken else ""
    if call := called(sql, _EFFECTS):
        raise _refused(f"{call}()")
    if kept := next((one for one, sign in itertools.pairwise(spoken) if one in _REJECTS and sign in _ASSIGNS), None):
        raise _refused(f"{kept}, which makes temp tables,")
    if kind in ("SELECT", "TRANSACTION", "PREPARE", "RELATION"):
        return
    if kind == "EXPLAIN":
        _check_text(connection, explained(sql, found))
    elif kind == "EXECUTE":
        for text in _prepared(connection):
            _check_text(connection, text)
    elif not _harmless(kind, first, spoken):
        raise _refused(first.upper() if first.isalpha() else kind, LOADED_BY_WRITERS if kind == "LOAD" else None)


def _harmless(kind: str, first: str, words: Sequence[str]) -> bool:
    if kind == "SET":
        return first == "use" or _setting(words) in _SETTINGS
    if kind == "PRAGMA":
        return first == "pragma" and len(words) > 1 and words[1] in _PRAGMAS
    if kind == "CALL":
        return first == "call" and len(words) > 1 and _READING_CALL.fullmatch(words[1]) is not None
    if kind == "MULTI":  # PIVOT asks for its columns first; whatever else it is, the read-only transaction stands
        return first in ("pivot", "with", "from", "select", "(")
    return kind == "DROP" and first == "deallocate"


def _check_text(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    check_read_only(connection, sql, connection.extract_statements(sql))


def _prepared(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """All statements this session prepared: which one EXECUTE names is not worth parsing."""
    rows = connection.execute("SELECT statement FROM system.main.duckdb_prepared_statements()").fetchall()
    return [str(row[0]) for row in rows]


def _setting(words: Sequence[str]) -> str:
    rest = [word for word in words[1:] if word not in ("global", "session", "local")]
    if rest[:2] == ["time", "zone"]:
        return "timezone"
    return rest[0] if rest else ""


def _refused(what: str, hint: str | None = None) -> errors.QueryError:
    return errors.QueryError(
        f"{what} is not allowed in a read-only session.",
        hint=hint or hint_for("read_only"),
        code="Read Only",
        scenario="read_only",
    )

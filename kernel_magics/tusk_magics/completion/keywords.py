"""Keywords and types that completion offers, by the place where they may stand; several words are one candidate."""

from __future__ import annotations

_STATEMENTS = (
    "SELECT", "WITH", "INSERT INTO", "UPDATE", "DELETE FROM", "CREATE TABLE", "CREATE VIEW", "CREATE INDEX", "ALTER TABLE",
    "DROP TABLE", "DROP VIEW", "EXPLAIN", "BEGIN", "COMMIT", "ROLLBACK", "VALUES", "SAVEPOINT", "ANALYZE",
)  # fmt: skip
_MORE_STATEMENTS = {
    "duckdb": (
        "FROM", "COPY", "DESCRIBE", "SUMMARIZE", "SHOW TABLES", "PRAGMA", "ATTACH", "DETACH", "USE", "PIVOT", "UNPIVOT",
        "CREATE OR REPLACE TABLE", "CREATE MACRO", "CREATE SCHEMA", "CREATE SEQUENCE", "INSTALL", "LOAD", "SET", "RESET",
        "EXPORT DATABASE", "TRUNCATE", "VACUUM", "CHECKPOINT", "MERGE INTO",
    ),
    "postgresql": (
        "COPY", "MERGE INTO", "TRUNCATE", "CREATE SCHEMA", "CREATE MATERIALIZED VIEW", "REFRESH MATERIALIZED VIEW",
        "CREATE FUNCTION", "CREATE OR REPLACE VIEW", "CREATE SEQUENCE", "CREATE TYPE", "CREATE EXTENSION", "GRANT", "REVOKE",
        "COMMENT ON", "SET", "RESET", "SHOW", "LOCK TABLE", "VACUUM", "CALL", "DO", "LISTEN", "NOTIFY", "TABLE",
    ),
    "mysql": (
        "SHOW TABLES", "SHOW", "DESCRIBE", "REPLACE INTO", "TRUNCATE TABLE", "USE", "SET", "CALL", "CREATE DATABASE",
        "CREATE PROCEDURE", "CREATE FUNCTION", "GRANT", "REVOKE", "LOCK TABLES", "UNLOCK TABLES", "START TRANSACTION",
        "RENAME TABLE",
    ),
    "sqlite": ("PRAGMA", "REPLACE INTO", "ATTACH", "DETACH", "REINDEX", "VACUUM", "CREATE TRIGGER", "RELEASE"),
}  # fmt: skip

_JOINS = ("JOIN", "LEFT JOIN", "INNER JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "NATURAL JOIN")
_SETS = ("UNION ALL", "UNION", "EXCEPT", "INTERSECT")
_TAIL = ("ORDER BY", "LIMIT", "OFFSET", *_SETS)
_COMPARE = ("AND", "OR", "IN", "NOT IN", "LIKE", "NOT LIKE", "BETWEEN", "IS NULL", "IS NOT NULL", "IS DISTINCT FROM")

AFTER: dict[str, tuple[str, ...]] = {
    "SELECT": ("FROM", "AS", "INTO", "WHERE", *_TAIL, "OVER", "FILTER", *_COMPARE, "COLLATE"),
    "FROM": (
        "WHERE", *_JOINS, "AS", "ON", "USING", "GROUP BY", "HAVING", "WINDOW", *_TAIL, "LATERAL", "TABLESAMPLE", "SELECT",
        "SET", "RETURNING",
    ),
    "JOINED": ("ON", "USING", "AS", *_JOINS, "WHERE", "GROUP BY", *_TAIL),
    "ON": ("AND", "OR", *_JOINS, "WHERE", "GROUP BY", "HAVING", *_TAIL, *_COMPARE),
    "WHERE": ("AND", "OR", "GROUP BY", *_COMPARE, "HAVING", *_TAIL, "RETURNING", "ESCAPE", "COLLATE"),
    "GROUP BY": ("HAVING", "WITH ROLLUP", "QUALIFY", "WINDOW", *_TAIL),
    "HAVING": ("AND", "OR", "QUALIFY", *_COMPARE, *_TAIL),
    "ORDER BY": ("ASC", "DESC", "NULLS FIRST", "NULLS LAST", "LIMIT", "OFFSET", "COLLATE"),
    "LIMIT": ("OFFSET", "FOR UPDATE", *_SETS),
    "UPDATE": ("SET", "AS"),
    "SET": ("WHERE", "FROM", "RETURNING", "ORDER BY", "LIMIT", *_COMPARE),
    "INSERT": ("VALUES", "SELECT", "DEFAULT VALUES", "AS", "WITH", "ON CONFLICT", "RETURNING"),
    "VALUES": ("ON CONFLICT", "RETURNING", "ON DUPLICATE KEY UPDATE", "AS"),
    "RETURNING": ("AS",),
    "CONFLICT": ("DO NOTHING", "DO UPDATE SET", "WHERE"),
    "WITH": ("AS", "AS MATERIALIZED", "AS NOT MATERIALIZED"),
    "ALTER": (
        "ADD COLUMN", "DROP COLUMN", "RENAME TO", "RENAME COLUMN", "ALTER COLUMN", "ADD CONSTRAINT", "DROP CONSTRAINT",
        "SET SCHEMA", "TO", "TYPE", "SET DEFAULT", "DROP DEFAULT", "SET NOT NULL", "DROP NOT NULL",
    ),
    "DEFINITION": (
        "PRIMARY KEY", "NOT NULL", "NULL", "UNIQUE", "DEFAULT", "REFERENCES", "CHECK", "CONSTRAINT", "FOREIGN KEY",
        "GENERATED ALWAYS AS", "COLLATE",
    ),
    "WINDOW": ("PARTITION BY", "ORDER BY", "ROWS BETWEEN", "RANGE BETWEEN", "ASC", "DESC", "UNBOUNDED PRECEDING",
               "CURRENT ROW", "UNBOUNDED FOLLOWING", "AND"),
    "MERGE": ("USING", "ON", "AS", "WHEN MATCHED THEN UPDATE SET", "WHEN NOT MATCHED THEN INSERT",
              "WHEN MATCHED THEN DELETE"),
    "OTHER": ("CASCADE", "RESTRICT", "TO", "FROM", "WITH", "AS", "ON"),
}  # fmt: skip
"""What may follow a complete operand or name, by clause."""

_OPERAND = ("CASE", "NOT", "NULL", "TRUE", "FALSE", "EXISTS", "CAST", "CURRENT_DATE", "CURRENT_TIMESTAMP", "INTERVAL")
BEFORE: dict[str, tuple[str, ...]] = {
    "SELECT": ("DISTINCT", "ALL", *_OPERAND, "FROM"),
    "FROM": ("LATERAL", "ONLY", "SELECT", "VALUES"),
    "ORDER BY": _OPERAND,
    "VALUES": ("DEFAULT", *_OPERAND),
    "SET": ("DEFAULT", *_OPERAND),
    "LIMIT": ("ALL",),
    "WINDOW": ("PARTITION BY", "ORDER BY", "ROWS BETWEEN", "RANGE BETWEEN"),
    "ALTER": ("ADD COLUMN", "DROP COLUMN", "RENAME TO"),
    "TABLES": ("IF EXISTS", "ONLY", "TABLE"),
    "DEFINITION": ("PRIMARY KEY", "FOREIGN KEY", "CONSTRAINT", "UNIQUE", "CHECK"),
}
"""What may begin an operand or a name, by clause."""

QUERY_START = ("SELECT", "WITH", "VALUES", "TABLE")
IN_CASE = ("WHEN", "THEN", "ELSE", "END")

_TYPES = (
    "INTEGER", "BIGINT", "SMALLINT", "VARCHAR", "TEXT", "CHAR", "DATE", "TIME", "TIMESTAMP", "BOOLEAN", "NUMERIC", "DECIMAL",
    "REAL", "DOUBLE PRECISION",
)  # fmt: skip
_MORE_TYPES = {
    "postgresql": (
        "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "UUID", "JSONB", "JSON", "BYTEA", "INTERVAL", "INET", "CIDR", "MONEY",
        "SERIAL", "BIGSERIAL", "TSVECTOR", "REGCLASS", "OID", "XML",
    ),
    "duckdb": (
        "DOUBLE", "FLOAT", "HUGEINT", "TINYINT", "UBIGINT", "UINTEGER", "UUID", "JSON", "BLOB", "INTERVAL", "TIMESTAMPTZ",
        "TIMESTAMP_NS", "STRUCT", "MAP", "BIT",
    ),
    "mysql": ("SIGNED", "UNSIGNED", "DATETIME", "DOUBLE", "FLOAT", "TINYINT", "JSON", "BINARY", "BLOB", "LONGTEXT", "ENUM"),
    "sqlite": ("BLOB", "ANY"),
}  # fmt: skip


def statements(dialect: str) -> tuple[str, ...]:
    """Return what can begin a statement."""
    return tuple(dict.fromkeys((*_STATEMENTS, *_MORE_STATEMENTS.get(dialect, ()))))


def types(dialect: str) -> tuple[str, ...]:
    """Return the names of types that a cast is written with."""
    return tuple(dict.fromkeys((*_TYPES, *_MORE_TYPES.get(dialect, ()))))


def before(clause: str, dialect: str) -> tuple[str, ...]:
    """Return what may begin an operand or a name in a clause; only PostgreSQL has `ONLY`, a table without its children."""
    return tuple(word for word in BEFORE[clause] if word != "ONLY" or dialect == "postgresql")


def operands() -> tuple[str, ...]:
    """Return the keywords that begin an operand anywhere."""
    return _OPERAND

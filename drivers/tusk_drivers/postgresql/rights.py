"""What the signed-in user may change: asked for when a read-only connection is tested."""

from __future__ import annotations

from tusk_drivers.postgresql.link import Link

_QUERY = """
SELECT rolsuper,
       EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
               AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
       rolcreaterole OR rolcreatedb OR rolreplication,
       EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname IN
               ('pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend', 'pg_write_all_data')
               AND pg_catalog.pg_has_role(r.oid, 'USAGE'))
FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
_WORDS = (
    "is a superuser",
    "may write to tables",
    "may make roles or databases, or replicate",
    "may write files, run programs, signal sessions or write everywhere",
)


def described(link: Link) -> str:
    """Return the rights in words, "" where the user may only read."""
    found = link.run(_QUERY)[-1]
    has = [found.get_value(0, column) == b"t" for column in range(len(_WORDS))] if found.ntuples else []
    words = [word for word, there in zip(_WORDS, has, strict=False) if there]
    return words[0] if has[:1] == [True] else ", ".join(words)

"""How journal records become rows: the one place that knows both the records' fields and the tables' columns.

A batch is first reduced in memory (a run's end joins its start, the last image of a connection wins) and then written
with one statement per table. Values go in as lists through `unnest`: handing over Arrow tables would make duckdb
import pandas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import StorageError
from tusk_jupyter.state.frame import BLANK, Record

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
Ranges = list[list[int]]
"""First and last number of each range."""
ERASES = {"erases": True}
"""In a record after which nothing may be left of what its thing was before."""

LOG = {
    "seq": "BIGINT", "run": "VARCHAR", "kind": "VARCHAR", "status": "VARCHAR", "session": "VARCHAR",
    "source": "VARCHAR",
    "cell": "VARCHAR", "connection": "VARCHAR", "connection_id": "VARCHAR", "driver": "VARCHAR", "sql": "VARCHAR",
    "started_at": "TIMESTAMP", "elapsed_ms": "DOUBLE", "rows": "BIGINT", "affected": "BIGINT", "statements": "BIGINT",
    "error": "VARCHAR", "code": "VARCHAR", "position": "BIGINT", "parameters": "VARCHAR",
}  # fmt: skip
END = {
    "log": "BIGINT", "status": "VARCHAR", "elapsed_ms": "DOUBLE", "rows": "BIGINT", "affected": "BIGINT",
    "statements": "BIGINT", "error": "VARCHAR", "code": "VARCHAR", "position": "BIGINT",
}  # fmt: skip
CONNECTION = {
    "id": "UUID", "name": "VARCHAR", "driver": "VARCHAR", "config": "JSON", "credential_ref": "VARCHAR",
    "credential_tier": "VARCHAR", "credential_state": "VARCHAR", "password_command": "VARCHAR", "read_only": "BOOLEAN",
    "environment": "VARCHAR", "timeout_s": "DOUBLE", "memory_limit_mb": "BIGINT", "isolation": "VARCHAR",
    "log": "BOOLEAN",
    "fingerprint": "VARCHAR", "created_at": "TIMESTAMP", "updated_at": "TIMESTAMP", "last_used_at": "TIMESTAMP",
    "file_seen": "BOOLEAN",
}  # fmt: skip
PREFERENCE = {"name": "VARCHAR", "value": "JSON", "updated_at": "TIMESTAMP"}
QUERY = {
    "id": "VARCHAR", "name": "VARCHAR", "sql": "VARCHAR", "connection": "VARCHAR", "description": "VARCHAR",
    "created_at": "TIMESTAMP", "updated_at": "TIMESTAMP",
}  # fmt: skip
SESSION = {"id": "VARCHAR", "source": "VARCHAR", "pid": "BIGINT", "started_at": "TIMESTAMP", "ended_at": "TIMESTAMP"}

_GIVE_WAY = ("running", "interrupted")


class Changes:
    """What a batch of records comes down to."""

    def __init__(self, records: Iterable[Record]) -> None:
        """Reduce records, in the order of their numbers.

        Raises:
            StorageError: a record is of a kind that this version does not know.
        """
        self.starts: dict[int, Row] = {}
        self.ends: dict[int, Row] = {}
        self.connections: dict[str, Row | None] = {}
        self.preferences: dict[str, Row | None] = {}
        self.queries: dict[str, Row | None] = {}
        self.sessions: dict[str, Row] = {}
        self.session_ends: dict[str, Row] = {}
        self.deletions: dict[int, Ranges | dict[str, str]] = {}
        """By number: the runs, or the one thing, whose text is yet to be erased."""
        self.scrubbed: list[int] = []
        self.last_seq = 0
        for record in records:
            kind, body = record.load()
            try:
                take = _TAKE[kind]
            except KeyError:
                raise StorageError(
                    f"The journal holds a record of the kind {kind!r}, which this version of tusk does not know.",
                    hint="It was written by a newer version of tusk-jupyter: install that one (or newer).",
                ) from None
            take(self, record.seq, body)
            self.last_seq = record.seq

    def run_start(self, seq: int, body: Row) -> None:
        """A run began."""
        self.starts[seq] = {"seq": seq, "status": "running", **body}

    def run_end(self, seq: int, body: Row) -> None:
        """A run ended; the first end wins, but for `interrupted`, which a core only supposes of what another one left open."""
        start = self.starts.get(body["log"])
        if start is not None:
            if start["status"] in _GIVE_WAY:
                start.update(body)
        elif self.ends.get(body["log"], {"status": "running"})["status"] in _GIVE_WAY:
            self.ends[body["log"]] = body

    def connection_put(self, seq: int, body: Row) -> None:
        """A connection was saved, and perhaps took the place of another, which waits for its secrets to be deleted."""
        for image in (body["after"], body.get("replaced")):
            if image:
                self.connections[image["id"]] = image
        if body.get("erases"):
            self.deletions[seq] = {"connection": body["after"]["id"]}

    def connection_delete(self, seq: int, body: Row) -> None:
        """A connection is gone."""
        self.connections[body["id"]] = None
        if body.get("erases"):
            self.deletions[seq] = {"connection": body["id"]}

    def preference_set(self, seq: int, body: Row) -> None:
        """A preference was set."""
        self.preferences[body["name"]] = body

    def preference_unset(self, seq: int, body: Row) -> None:
        """A preference is back at its default."""
        self.preferences[body["name"]] = None

    def query_put(self, seq: int, body: Row) -> None:
        """A query was saved."""
        self.queries[body["id"]] = body
        if body.get("erases"):
            self.deletions[seq] = {"query": body["id"]}

    def query_delete(self, seq: int, body: Row) -> None:
        """A saved query is gone."""
        self.queries[body["id"]] = None
        if body.get("erases"):
            self.deletions[seq] = {"query": body["id"]}

    def log_delete(self, seq: int, body: Row) -> None:
        """Runs that have ended are to be forgotten; their text is in files that are yet to be rewritten."""
        self.deletions[seq] = body["ranges"]
        for first, last in body["ranges"]:
            self.starts = {seq: row for seq, row in self.starts.items() if not first <= seq <= last}

    def log_scrubbed(self, seq: int, body: Row) -> None:
        """The files were rewritten."""
        self.scrubbed += body["deletions"]

    def blank(self, seq: int, body: Row) -> None:
        """A run whose record was deleted."""

    def session_start(self, seq: int, body: Row) -> None:
        """A client attached."""
        self.sessions[body["id"]] = {"ended_at": None, **body}

    def session_end(self, seq: int, body: Row) -> None:
        """A client went away."""
        start = self.sessions.get(body["id"])
        if start is None:
            self.session_ends[body["id"]] = body
        else:
            start["ended_at"] = body["ended_at"]

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Write all of it into the tables, in the transaction that is open."""
        _insert(con, "query_log", LOG, self.starts.values())
        self._write_ends(con)
        self._write_deletions(con)
        _replace(con, "connection", "id", CONNECTION, self.connections)
        _replace(con, "preference", "name", PREFERENCE, self.preferences)
        _replace(con, "saved_query", "id", QUERY, self.queries)
        _replace(con, "client_session", "id", SESSION, dict(self.sessions))
        for row in self.session_ends.values():
            con.execute(
                "UPDATE client_session SET ended_at = ?::TIMESTAMP WHERE id = ?", [_time(row["ended_at"]), row["id"]]
            )

    def _write_ends(self, con: duckdb.DuckDBPyConnection) -> None:
        if not self.ends:
            return
        news = ", ".join(f"{name} = ending.{name}" for name in END if name != "log")
        con.execute(  # the bounds let the zone maps skip the rest of a million rows
            f"UPDATE query_log SET {news} FROM (SELECT {_unnest(END)}) AS ending"  # noqa: S608
            f" WHERE query_log.seq BETWEEN {min(self.ends)} AND {max(self.ends)}"
            " AND query_log.seq = ending.log AND query_log.status IN ('running', 'interrupted')",
            _columns(END, self.ends.values()),
        )

    def _write_deletions(self, con: duckdb.DuckDBPyConnection) -> None:
        for seq, what in self.deletions.items():
            for first, last in what if isinstance(what, list) else ():
                con.execute("DELETE FROM query_log WHERE seq BETWEEN ? AND ?", [first, last])
            con.execute("INSERT OR REPLACE INTO log_scrub VALUES (?, ?)", [seq, json.dumps(what)])
        if self.scrubbed:
            con.execute("DELETE FROM log_scrub WHERE seq IN (SELECT unnest(?::BIGINT[]))", [self.scrubbed])


_TAKE = {
    "run.start": Changes.run_start,
    "run.end": Changes.run_end,
    "connection.put": Changes.connection_put,
    "connection.delete": Changes.connection_delete,
    "preference.set": Changes.preference_set,
    "preference.unset": Changes.preference_unset,
    "query.put": Changes.query_put,
    "query.delete": Changes.query_delete,
    "log.delete": Changes.log_delete,
    "log.scrubbed": Changes.log_scrubbed,
    BLANK: Changes.blank,
    "session.start": Changes.session_start,
    "session.end": Changes.session_end,
}


def _insert(
    con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: Iterable[Row], *, how: str = ""
) -> None:
    if rows := list(rows):
        names = ", ".join(columns)
        con.execute(f"INSERT {how} INTO {table} ({names}) SELECT {_unnest(columns)}", _columns(columns, rows))


def _replace(
    con: duckdb.DuckDBPyConnection, table: str, key: str, columns: dict[str, str], images: dict[str, Row | None]
) -> None:
    gone = [name for name, image in images.items() if image is None]
    if gone:
        con.execute(f"DELETE FROM {table} WHERE {key}::VARCHAR IN (SELECT unnest(?::VARCHAR[]))", [gone])  # noqa: S608
    _insert(con, table, columns, [image for image in images.values() if image is not None], how="OR REPLACE")


def _unnest(columns: dict[str, str]) -> str:
    return ", ".join(f"unnest(?::{kind}[]) AS {name}" for name, kind in columns.items())


def _columns(columns: dict[str, str], rows: Iterable[Row]) -> list[list[Any]]:
    rows = list(rows)
    return [
        [_time(row.get(name)) if kind == "TIMESTAMP" else row.get(name) for row in rows]
        for name, kind in columns.items()
    ]


def _time(iso: str | None) -> str | None:
    """DuckDB casts our form of a UTC time to TIMESTAMP once the zone's Z is off."""
    return iso.removesuffix("Z") if iso else iso

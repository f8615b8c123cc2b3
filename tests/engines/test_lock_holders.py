"""A run that waits for a lock tells who holds it and how that ends, where its user looks: in the cell and in every listing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest
from engines.conftest import Engine, connect
from services import TuskHome, wait_until
from services.mariadb import MariaDB
from services.postgresql import PostgreSQL

from tusk_jupyter import errors
from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.system.places import Places
from tusk_magics.progress import Progress

TUSK = str(Path(sys.executable).with_name("tusk"))
CHANGE = "UPDATE held SET word = 'mine' WHERE n = 1"
HOLD = "UPDATE held SET word = 'theirs' WHERE n = 1"


@dataclass
class Waiting:
    """A run on a thread of its own, with what its cell shows meanwhile."""

    engine: Engine
    sql: str = CHANGE
    client: Client | None = None
    more: dict[str, object] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    error: errors.TuskError | None = None

    def __enter__(self) -> Waiting:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for run in self.asked().call(control.ListRuns()).runs:
            self.asked().call(control.CancelRun(run=run.run))
        self.thread.join()

    def asked(self) -> Client:
        return self.client or self.engine.client

    def _run(self) -> None:
        request = control.RunRequest(session="", connection=self.engine.name, sql=self.sql, **self.more)
        progress = Progress(kernel=True, shown=True)
        try:
            self.asked().run(request, on_progress=lambda state: self.shown.append(progress.line(state)))
        except errors.TuskError as exc:
            self.error = exc

    def told(self) -> str:
        """Return what the cell shows once it tells of the wait."""
        return wait_until(lambda: next((one for one in self.shown if "waits for" in one), ""), 20.0, "the wait is told")

    def ended(self) -> errors.TuskError | None:
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.error


@pytest.fixture(scope="module")
def first(module_home: TuskHome) -> Iterator[Client]:
    """The notebook that waits; silent runs are asked about soon."""
    yield from _client(module_home, "engines.ipynb")


@pytest.fixture(scope="module")
def second(module_home: TuskHome) -> Iterator[Client]:
    """The notebook that holds the lock."""
    yield from _client(module_home, "second.ipynb")


def _client(home: TuskHome, source: str) -> Iterator[Client]:
    client = Client(Places(Path(str(home))), source=source)
    client.call(control.SetPreference(name="lock_question_s", value="0.4"))
    yield client
    client.link.forget()


@pytest.fixture(autouse=True)
def all_closed(first: Client, second: Client) -> Iterator[None]:
    yield
    for client in (first, second):
        for one in client.call(control.ListConnections(session=client.session)).connections:
            client.disconnect(one.name)


def prepare(client: Client, name: str, url: str, **more: object) -> Engine:
    """Make a table of two rows on a connection."""
    connect(client, name, url, replace=True, **more)
    engine = Engine(name=name, client=client, long="", on_server=None)
    for sql in ("DROP TABLE IF EXISTS held", "CREATE TABLE held (n int primary key, word varchar(20))"):
        engine.run(sql)
    engine.run("INSERT INTO held VALUES (1, 'a'), (2, 'b')")
    client.disconnect(name)
    return engine


@pytest.fixture(scope="module")
def on_postgresql(first: Client, postgresql: PostgreSQL) -> Engine:
    return prepare(first, "pg", postgresql.url, tier="memory")


@pytest.fixture(scope="module")
def on_mariadb(first: Client, mariadb: MariaDB) -> Engine:
    """A MariaDB whose user sees its own sessions only."""
    return prepare(first, "maria", mariadb.url, tier="memory")


@pytest.fixture(scope="module")
def seeing(on_mariadb: Engine, mariadb: MariaDB) -> Engine:
    """The same table, for a user with the right PROCESS."""
    with mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER seer IDENTIFIED BY 'crystal-ball'")
        cursor.execute("GRANT ALL ON tusk.* TO seer")
        cursor.execute("GRANT PROCESS ON *.* TO seer")
    url = f"mysql://seer:crystal-ball@{mariadb.host}:{mariadb.port}/{mariadb.database}"
    connect(on_mariadb.client, "seeing", url, tier="memory", replace=True)
    return replace(on_mariadb, name="seeing")


@pytest.fixture(scope="module")
def on_sqlite(first: Client, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    file = tmp_path_factory.mktemp("locks") / "shop.sqlite"
    engine = prepare(first, "lite", str(file), config={"busy_timeout_s": 60})
    connect(first, "brief", str(file), config={"busy_timeout_s": 1}, replace=True)
    return replace(engine, file=file)


@pytest.fixture(params=["on_postgresql", "seeing", "on_sqlite"])
def table(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(request.param)


def hold(engine: Engine, client: Client, sql: str = HOLD) -> None:
    """Begin a transaction that holds the row, in another notebook."""
    engine.run("BEGIN", client=client)
    engine.run(sql, client=client)


def tusk(*words: str) -> str:
    return subprocess.run([TUSK, *words], capture_output=True, text=True).stdout


def last_run(client: Client) -> str:
    return client.call(control.ReadLog(limit=1, source="second.ipynb")).entries[0].run[:8]


def test_the_cell_names_the_notebook_whose_open_transaction_it_waits_for(table, second):  # L9
    hold(table, second)
    with Waiting(table) as waiting:
        told = waiting.told()
        assert re.search(
            r"waits for a lock of second\.ipynb \(idle in an open transaction since \d\d:\d\d:\d\d; its last run "
            rf"{last_run(second)}: {re.escape(HOLD)}\)",
            told,
        ), told
        assert f"COMMIT or ROLLBACK on {table.name} in second.ipynb ends it." in told
        listed = tusk("running")
        assert "(waits for a lock)" in listed
        assert "waits for a lock of second.ipynb (idle in an open transaction since" in listed
        assert "in second.ipynb ends it." in listed
        (state,) = json.loads(tusk("running", "--json"))
        assert state["waits_for"].startswith("a lock of second.ipynb")
        table.run("ROLLBACK", client=second)
        assert waiting.ended() is None
    assert table.value("SELECT word FROM held WHERE n = 1") == "mine"


def test_a_holder_that_runs_is_named_by_its_run(on_postgresql, second):  # L9
    on_postgresql.run("BEGIN", client=second)
    with Waiting(on_postgresql, sql=f"WITH held AS ({HOLD} RETURNING 1) SELECT pg_sleep(600) FROM held", client=second):
        holder = wait_until(lambda: _under_way(on_postgresql, "pg_sleep"), 10.0, "it runs")
        wait_until(lambda: _locked(on_postgresql), 10.0, "the row is locked")
        with Waiting(on_postgresql) as waiting:
            told = waiting.told()
            assert f"a lock of second.ipynb (its run {holder.run[:8]} is under way since " in told
            assert f"`%tusk cancel {holder.run[:8]}` stops that run; then COMMIT or ROLLBACK in second.ipynb." in told


def _under_way(engine: Engine, sql: str) -> control.RunState | None:
    return next((run for run in engine.client.call(control.ListRuns()).runs if sql in run.sql), None)


def _locked(engine: Engine) -> bool:
    return not engine.run("SELECT 1 FROM held WHERE n = 1 FOR UPDATE SKIP LOCKED").rows


def test_a_chain_of_waits_leads_to_the_transaction_that_is_in_everybodys_way(on_postgresql, second, module_home):
    third = Client(Places(Path(str(module_home))), source="third.ipynb")
    hold(on_postgresql, second)
    with Waiting(on_postgresql, client=third) as behind_it:
        behind_it.told()
        with Waiting(on_postgresql) as waiting:
            told = waiting.told()
            assert "a lock of third.ipynb (its run" in told
            assert "which waits for a lock of second.ipynb (idle in an open transaction" in told
            assert "COMMIT or ROLLBACK on pg in second.ipynb ends it." in told
            assert "%tusk cancel" not in told, "the run that waits is not in the way"
    third.link.forget()


def test_a_holder_of_another_program_is_named_as_the_server_names_it(on_postgresql, postgresql, seeing, mariadb):
    with psycopg.connect(postgresql.admin_dsn, application_name="night-job\x1b") as admin:
        admin.execute("SET search_path = tusk, public")
        admin.execute(HOLD)
        with Waiting(on_postgresql) as waiting:
            told = waiting.told()
        assert re.search(rf"a lock of session {admin.info.backend_pid} of user \S+ \(night-job", told), told
        assert "\x1b" not in told
        assert f"the server's administrator with `SELECT pg_terminate_backend({admin.info.backend_pid})`" in told
    with contextlib.closing(mariadb.connect(admin=True)) as admin, admin.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(HOLD)
        with Waiting(seeing) as waiting:
            told = waiting.told()
        assert f"a lock of session {admin.thread_id()} of user tusk_admin (from 127.0.0.1" in told, told
        assert f"the server's administrator with `KILL {admin.thread_id()}`" in told


def test_a_program_that_locks_a_sqlite_file_is_named(on_sqlite):
    with contextlib.closing(sqlite3.connect(on_sqlite.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Waiting(on_sqlite) as waiting:
            told = waiting.told()
            assert f"process id {os.getpid()}" in told, told
            other.execute("ROLLBACK")
            assert waiting.ended() is None


def test_an_account_that_may_not_see_locks_is_told_so(on_mariadb, second):  # without the right PROCESS
    hold(on_mariadb, second)
    with Waiting(on_mariadb) as waiting:
        told = waiting.told()
        assert "perhaps a lock: some session on this server waits for one" in told, told
        assert "this account lacks the right PROCESS" in told
        assert "second.ipynb (idle in an open transaction" in told, "what the core knows of its own sessions"


def test_a_table_that_is_to_be_altered_waits_for_its_readers_transactions(on_mariadb, second):
    on_mariadb.run("BEGIN", client=second)
    on_mariadb.run("SELECT * FROM held", client=second)
    with Waiting(on_mariadb, sql="ALTER TABLE held ADD COLUMN more int") as waiting:
        told = waiting.told()
        assert 'a lock (the server says "Waiting for table metadata lock"' in told, told
        assert "second.ipynb (idle in an open transaction" in told


LIMITS = {"pg": "SET lock_timeout = '10s'", "seeing": "SET innodb_lock_wait_timeout = 10", "lite": "SELECT 1"}


def test_the_error_of_a_wait_that_was_given_up_says_who_held_the_lock(table, second):  # L9
    given_up = replace(table, name={"lite": "brief"}.get(table.name, table.name))
    given_up.run(LIMITS[table.name])
    hold(table, second)
    with pytest.raises(errors.QueryError) as caught:
        given_up.run(CHANGE)
    assert caught.value.scenario == "lock_timeout"
    assert "In its way was a lock of second.ipynb (idle in an open transaction since" in caught.value.message
    assert f"COMMIT or ROLLBACK on {table.name} in second.ipynb ends it." in caught.value.hint


def test_a_wait_that_has_ended_is_not_told_any_more(on_postgresql, second):
    hold(on_postgresql, second)
    after = f"{CHANGE}; SELECT pg_sleep(600)"
    with Waiting(on_postgresql, sql=after) as waiting:
        waiting.told()
        on_postgresql.run("COMMIT", client=second)
        wait_until(lambda: "waits for" not in waiting.shown[-1], 15.0, "the wait is told no more")
        (state,) = on_postgresql.client.call(control.ListRuns()).runs
        assert not state.waits_for


def test_a_secret_in_the_holders_sql_is_hidden(on_postgresql, second):
    hold(on_postgresql, second)
    secret = "maple-syrup-41"
    on_postgresql.run(f"SELECT 'password={secret}'", client=second)
    with Waiting(on_postgresql) as waiting:
        assert secret not in waiting.told()
        assert secret not in tusk("running") + tusk("running", "--json")

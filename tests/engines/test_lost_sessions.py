"""A run never meets another session than its notebook counts on: `DELETE FROM orders` must not find the permanent table."""

from __future__ import annotations

import contextlib
import threading

import psutil
import pytest
from services import wait_until

from tusk_jupyter import errors
from tusk_jupyter.client import Client
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.version import PROTOCOL_VERSION

pytestmark = pytest.mark.home("own", spares=False)

NUMBERS = {
    "duckdb": "SELECT range AS i FROM range(100)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99) SELECT i FROM n",
    "postgresql": "SELECT i FROM generate_series(0, 99) i",
    "mysql": "SELECT seq AS i FROM seq_0_to_99",
}
TEMPORARY = {"mysql": "TEMPORARY"}


@pytest.fixture
def orders(engine, second_client):
    """An engine with a permanent table of 100 rows."""
    return with_orders(engine, second_client)


@pytest.fixture
def few_orders(sqlite_engine, second_client):
    """The same on one engine, for what does not depend on it."""
    return with_orders(sqlite_engine, second_client)


def with_orders(engine, second_client):
    cascade = "" if engine.name == "sqlite" else " CASCADE"  # other tests on the same server may have views on it
    run(engine, second_client, f"DROP TABLE IF EXISTS orders{cascade}")
    run(engine, second_client, f"CREATE TABLE orders AS {NUMBERS[engine.name]}")
    return engine


def run(engine, client, sql):
    return engine.run(sql, client=client)


def hide(engine):
    """Put a temp table of three rows before the permanent one."""
    engine.run(f"CREATE {TEMPORARY.get(engine.name, 'TEMP')} TABLE orders AS SELECT * FROM orders WHERE i < 3")
    assert engine.value("SELECT count(*) FROM orders") == 3


def permanent(engine):
    """Count the permanent table's rows, by a client that counts on no session."""
    counter = Client(engine.client.link.places, source="counter.ipynb")
    try:
        return engine.value("SELECT count(*) FROM orders", client=counter)
    finally:
        counter.link.forget()


def core_pid(client):
    return client.call(control.GetCoreStatus(client_version="test", protocol=PROTOCOL_VERSION)).pid


def sessions(client):
    return client.call(control.GetCoreStatus(client_version="test", protocol=PROTOCOL_VERSION)).sessions


def kill_driver(engine, second_client):
    for child in psutil.Process(core_pid(second_client)).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a spare may end by itself meanwhile
            child.kill()
        psutil.wait_procs([child], 10)


def kill_core(engine, second_client):
    process = psutil.Process(core_pid(second_client))
    process.kill()
    wait_until(lambda: not process.is_running(), 10.0, "the core is gone")
    give_password(engine)


def stop_core(engine, second_client):
    process = psutil.Process(core_pid(second_client))
    second_client.call(control.StopCore())
    wait_until(lambda: not process.is_running(), 15.0, "the core has ended")
    give_password(engine)


def give_password(engine):
    """It was in the memory of the core before."""
    if engine.password:
        secret = control.SetCredential(connection=engine.name, kind="password", secret=engine.password, tier="memory")
        engine.client.call(secret)


def edit(engine, second_client):
    listed = engine.client.call(control.GetConnection(session="", name=engine.name)).connection
    engine.client.call(
        control.SaveConnection(
            session=engine.client.session,
            name=engine.name,
            driver=listed.driver,
            config=listed.config,
            replace=True,
            timeout_s=600.0,
        )
    )


WAYS = {
    "signal 9": kill_driver,
    "the core service that had it has ended": kill_core,
    "stopped, or it crashed": stop_core,
    "its connection was changed": edit,
}


def test_a_run_that_would_meet_another_session_is_refused_once_before_it_runs(orders, second_client):
    for words, end in WAYS.items():
        hide(orders)
        end(orders, second_client)
        with pytest.raises(errors.SessionLost, match=words) as caught:
            orders.run("DELETE FROM orders WHERE i > 0")
        assert "None of this was run" in caught.value.message
        assert "temp tables" in caught.value.message
        assert permanent(orders) == 100
        assert orders.value("SELECT count(*) FROM orders") == 100  # told once: this is a new session


def close_idle(engine, second_client):
    """Have the idle ones closed, until one that ran nothing but `SELECT 1` is gone."""
    reader = Client(engine.client.link.places, source="reader.ipynb")
    run(engine, reader, "SELECT 1")
    before = sessions(engine.client)
    second_client.call(control.SetPreference(name="idle_session_s", value="1"))
    wait_until(lambda: sessions(engine.client) < before, 20.0, "the session that only read is closed")
    reader.link.forget()


def test_a_session_with_something_in_it_is_not_closed_for_idling(orders, second_client):
    hide(orders)
    close_idle(orders, second_client)
    assert orders.run("DELETE FROM orders WHERE i >= 0").statements[0].affected == 3
    assert permanent(orders) == 100


HIDDEN = {
    "temp as a literal": ("sqlite", [], "CREATE TABLE 'temp'.orders AS SELECT * FROM main.orders WHERE i < 3"),
    "both names as literals": ("sqlite", [], "CREATE TABLE 'temp' . 'orders' AS SELECT * FROM main.orders WHERE i < 3"),
    "a view": (
        "postgresql",
        [
            "CREATE SCHEMA IF NOT EXISTS hidden",
            "CREATE TABLE hidden.orders AS SELECT i FROM public.orders WHERE i < 3",
            "CREATE OR REPLACE VIEW switch AS SELECT set_config('search_path', 'hidden, public', false)",
        ],
        "SELECT * FROM switch",
    ),
    "a function that another engine has": (
        "postgresql",
        [
            "CREATE OR REPLACE FUNCTION hash(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
            " CREATE TEMP TABLE orders AS SELECT * FROM public.orders WHERE i < 3; RETURN ''; END $$",
        ],
        "SELECT hash('a')",
    ),
    "an operator": (
        "postgresql",
        [
            "CREATE OR REPLACE FUNCTION hidden_by(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
            " CREATE TEMP TABLE orders AS SELECT * FROM public.orders WHERE i < 3; RETURN ''; END $$",
            "DROP OPERATOR IF EXISTS ## (text, text)",
            "CREATE OPERATOR ## (LEFTARG = text, RIGHTARG = text, FUNCTION = hidden_by)",
        ],
        "SELECT 'a' ## 'b'",
    ),
    "a function behind a view": (
        "mysql",
        [
            "CREATE OR REPLACE FUNCTION hide() RETURNS int MODIFIES SQL DATA BEGIN"
            " CREATE TEMPORARY TABLE IF NOT EXISTS orders AS SELECT 1 AS i; RETURN 1; END",
            "CREATE OR REPLACE VIEW switch AS SELECT hide() AS hidden",
        ],
        "SELECT * FROM switch",
    ),
}


@pytest.mark.parametrize("way", HIDDEN)
def test_what_hides_a_table_without_a_word_of_it_counts(way, request, second_client):
    name, before, hiding = HIDDEN[way]
    engine = with_orders(request.getfixturevalue(f"{name}_engine"), second_client)
    for sql in before:
        run(engine, second_client, sql)
    engine.run(hiding)
    assert engine.value("SELECT count(*) FROM orders") in (1, 3)
    close_idle(engine, second_client)
    assert engine.value("SELECT count(*) FROM orders") in (1, 3)
    kill_driver(engine, second_client)
    with pytest.raises(errors.SessionLost):
        engine.run("DELETE FROM orders WHERE i >= 0")
    assert engine.value("SELECT count(*) FROM orders") == 100


SETTINGS = {
    "duckdb": ("SET VARIABLE kept = 42", "SELECT getvariable('kept')"),
    "sqlite": ("ATTACH ':memory:' AS kept", "SELECT count(*) FROM pragma_database_list WHERE name = 'kept'"),
    "postgresql": ("SELECT set_config('my.kept', '42', false)", "SELECT current_setting('my.kept', true)"),
    "mysql": ("SELECT @kept := 42", "SELECT @kept"),
}


def test_a_setting_counts_and_so_does_a_read_of_it(engine, second_client):
    said, asked = SETTINGS[engine.name]
    engine.run(said)
    before = engine.value(asked)
    kill_driver(engine, second_client)
    with pytest.raises(errors.SessionLost):
        engine.run(asked)
    assert engine.value(asked) != before


def test_an_open_transaction_counts(few_orders, second_client):
    few_orders.run("BEGIN")
    few_orders.run("SELECT count(*) FROM orders")
    kill_core(few_orders, second_client)
    with pytest.raises(errors.SessionLost):
        few_orders.run("DELETE FROM orders")
    assert permanent(few_orders) == 100


def test_a_session_that_only_read_is_replaced_with_a_note(sqlite_engine, second_client):
    sqlite_engine.run("BEGIN")
    sqlite_engine.run("SELECT 1 AS one")
    sqlite_engine.run("COMMIT")
    kill_driver(sqlite_engine, second_client)
    result = sqlite_engine.run("SELECT 1 AS one")
    assert (result.rows, result.accepted.session_lost) == (1, True)


READS = {
    "duckdb": [
        "SELECT max(temp), arg_max(temp, lock) FROM w",
        "SELECT list_transform([1], lambda x: x + 1)",
        "PIVOT w ON temp USING sum(lock)",
    ],
    "sqlite": ["SELECT max(temp) FROM w", "SELECT json_set('{}', '$.a', 1)", "SELECT name FROM pragma_table_info('w')"],
}


@pytest.mark.parametrize("name", READS)
def test_columns_and_functions_with_names_of_statements_only_read(name, request, second_client):
    engine = request.getfixturevalue(f"{name}_engine")
    run(engine, second_client, "DROP TABLE IF EXISTS w")
    run(engine, second_client, "CREATE TABLE w AS SELECT 1 AS temp, 2 AS lock")
    for sql in READS[name]:
        engine.run(sql)
    kill_driver(engine, second_client)
    result = engine.run(READS[name][0])
    assert (result.rows, result.accepted.session_lost) == (1, True)


def test_every_run_that_counts_on_the_lost_session_is_refused_also_beside_each_other(few_orders, second_client):
    orders = few_orders
    hide(orders)
    kill_driver(orders, second_client)
    seen = []

    def work():
        try:
            seen.append(orders.run("DELETE FROM orders").statements[0].affected)
        except errors.TuskError as exc:
            seen.append(type(exc).__name__)

    claims = orders.client._held.claims
    gate = threading.Barrier(4)

    def claims_together():
        found = claims()
        gate.wait(10)
        return found

    orders.client._held.claims = claims_together
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == ["SessionLost"] * 4
    assert permanent(orders) == 100


@pytest.mark.parametrize("name", ["postgresql", "mysql"])
def test_a_session_that_the_server_has_ended_is_refused_once(name, request, second_client, client):
    engine = request.getfixturevalue(f"{name}_engine")
    with_orders(engine, second_client)
    for sql in ("DELETE FROM orders", "DELETE FROM orders WHERE i >= :least"):  # handed over early, and not
        hide(engine)
        number = engine.value("SELECT pg_backend_pid()" if name == "postgresql" else "SELECT connection_id()")
        kill = f"SELECT pg_terminate_backend({number})" if name == "postgresql" else f"KILL {number}"
        run(engine, second_client, kill)
        wait_for_the_end_of(engine, request, number)
        with pytest.raises(errors.SessionLost, match=f"on '{name}'"):
            engine.run(sql, parameters={"least": 0})
        assert engine.value("SELECT count(*) FROM orders") == 100


def wait_for_the_end_of(engine, request, number):
    if engine.name == "postgresql":
        import psycopg

        with psycopg.connect(request.getfixturevalue("postgresql").admin_dsn, autocommit=True) as admin:
            asked = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {number}"
            wait_until(lambda: admin.execute(asked).fetchone()[0] == 0, 10.0, "the backend is gone")
        return
    with request.getfixturevalue("mariadb").connect(admin=True) as admin, admin.cursor() as cursor:

        def gone():
            cursor.execute(f"SELECT count(*) FROM information_schema.processlist WHERE id = {number}")
            return cursor.fetchone()[0] == 0

        wait_until(gone, 10.0, "the session is gone")


def test_a_new_kernel_counts_on_nothing(few_orders, second_client):
    orders = few_orders
    hide(orders)
    fresh = Client(orders.client.link.places, source="engines.ipynb")
    result = run(orders, fresh, "SELECT count(*) FROM orders")
    assert (result.table.column(0)[0].as_py(), result.accepted.session_lost) == (100, False)
    fresh.link.forget()


def test_isolation_statement_is_never_refused(sqlite_engine, second_client):
    client = sqlite_engine.client
    save = control.SaveConnection(
        session=client.session, name="strict", url=str(sqlite_engine.file), isolation="statement", test=False
    )
    client.call(save)
    for _ in range(2):
        client.run(control.RunRequest(session="", connection="strict", sql="CREATE TEMP TABLE kept (i integer)"))
        kill_core(sqlite_engine, second_client)

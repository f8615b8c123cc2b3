"""A value that the log hides is in no output: not in an error, a note, a listing, nor in the driver's own words."""

from __future__ import annotations

import contextlib

import pandas as pd
import pytest

import tusk_jupyter as tusk
from tusk_jupyter.errors import TuskError

SECRET = "hunter2-Ünîq'x"
ERRORS = {
    "postgresql": [
        "SELECT cast(:password as int)",
        "SELECT cast(upper(:password) as int)",
        "SELECT cast(quote_literal(:password) as int)",
        "SELECT (:password || repeat('x', 200))::int",
        "SELECT convert_to(:password, 'UTF8')::text::int",
        "DO $$ BEGIN RAISE EXCEPTION 'it is hunter2-Ünîq''x' USING DETAIL = 'hunter2-Ünîq''x', HINT = 'hunter2-Ünîq''x'; END $$"
        " -- password=hunter2-Ünîq'x",
        "SELECT 1; SELECT cast(:password as int)",
        "ALTER USER nobody_here PASSWORD 'hunter2-Ünîq''x' FOO",
        "CREATE ROLE \"hunter2-Ünîq'x\" PASSWORD 'hunter2-Ünîq''x' CREATEROL",
        'SELECT 1 FROM pg_user WHERE passwd = "hunter2-Ünîq\'x"',
        "DO $$ DECLARE pw text = 'hunter2-Ünîq''x'; BEGIN RAISE EXCEPTION 'it is %', pw; END $$",
    ],
    "mysql": [
        "CREATE USER u IDENTIFIEDX BY :password",
        "SELECT :password FOO BAR BAZ",
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = :password",
        "SELECT CAST('2000-01-01' AS DATE) + EXTRACTVALUE(1, CONCAT('~', :password))",
    ],
    "sqlite": [
        "SELECT raise_error(:password)",
        "SELECT json(:password)",
        'SELECT * FROM sqlite_master WHERE pwd = "hunter2-Ünîq\'x" FOO',
        "SELECT * FROM t WHERE password = 'hunter2-Ünîq''x' FOO",
    ],
    "duckdb": [
        "SELECT cast(:password AS INT)",
        "SELECT error(:password)",
        "SELECT strptime(:password, '%Y')",
        "ATTACH '/nowhere/x' AS y (encryption_key \"hunter2-Ünîq'x\")",
    ],
}
NOTES = {
    "postgresql": "DO $$ BEGIN RAISE NOTICE 'it is hunter2-Ünîq''x'; END $$ -- password=hunter2-Ünîq'x",
    "mysql": "SELECT CAST(:password AS SIGNED)",
}


@pytest.fixture(scope="module")
def connections(module_home, postgresql, mariadb):
    tusk.connect("postgresql", None, **_fields(postgresql))
    tusk.connect("mysql", None, **_fields(mariadb))
    tusk.connect("sqlite", None, driver="sqlite", path=":memory:")
    tusk.connect("duckdb", None, driver="duckdb", path=":memory:")


def _fields(server) -> dict[str, object]:
    name = "postgresql" if hasattr(server, "socket_dir") else "mysql"
    return {
        "driver": name, "host": server.host, "port": server.port, "database": server.database, "user": server.admin_user,
        "password": server.admin_password, "tier": "memory",
    }  # fmt: skip


def _used(sql: str) -> dict[str, object]:
    return {"password": SECRET} if ":password" in sql else {}


def _gives_away(text: str) -> bool:
    folded = text.casefold()
    return "hunter2" in folded or SECRET.encode().hex() in folded


@pytest.mark.parametrize(("engine", "sql"), [(engine, sql) for engine, texts in ERRORS.items() for sql in texts])
def test_an_error_does_not_repeat_a_bound_secret(connections, engine, sql):
    with pytest.raises(TuskError) as caught:
        tusk.query(sql, connection=engine, params=_used(sql))
    exc = caught.value
    for text in (str(exc), exc.message, exc.detail or "", exc.hint or "", *map(str, exc.args)):
        assert not _gives_away(text), text


@pytest.mark.parametrize("engine", sorted(NOTES))
def test_a_note_does_not_repeat_a_secret(connections, engine):
    sql = NOTES[engine]
    result = tusk.execute(sql, connection=engine, params=_used(sql))
    assert result.notes
    assert not any(_gives_away(note) for note in result.notes)


def test_listings_and_files_of_the_core_do_not_show_it(connections, module_home):
    """With a value of its own: other tests write theirs into the SQL, in places that give nothing away."""
    canary = "canary7-Wx"
    for engine, texts in ERRORS.items():
        with contextlib.suppress(TuskError):
            tusk.query(next(sql for sql in texts if ":password" in sql), connection=engine, params={"password": canary})
    assert tusk.log(text=":password").entries
    assert canary not in repr(tusk.log(limit=500)) + repr(tusk.running())
    for file in module_home.path.rglob("*"):
        if file.is_file():
            assert canary.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("engine", "sql"),
    [
        ("postgresql", "PREPARE nowhere AS SELECT 1 FROM pg_user WHERE passwd = $1; EXECUTE nowhere('canary9')"),
        ("mysql", "EXECUTE IMMEDIATE 'SELECT 1 FROM nowhere WHERE password = ?' USING 'canary9'"),
        ("sqlite", 'SELECT * FROM sqlite_master WHERE name = "canary9" AND pwd = "canary9"'),
        ("sqlite", "ATTACH ':memory:' AS y KEY canary9"),
    ],
)
def test_the_log_keeps_no_secret_that_fills_a_placeholder_or_lacks_its_quotes(connections, engine, sql):
    with contextlib.suppress(TuskError):
        tusk.query(sql, connection=engine)
    entries = tusk.log(limit=1).entries
    assert "***" in repr(entries)
    assert "canary9" not in repr(entries).replace('name = "canary9"', "")


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite", "duckdb"])
def test_a_taken_key_is_not_quoted_where_its_column_is_a_secrets(connections, engine):
    """The value is in no text of the run: it comes from another table, or from a frame."""
    tusk.execute(
        "DROP TABLE IF EXISTS taken; DROP TABLE IF EXISTS source; CREATE TABLE taken (id int, password varchar(40) UNIQUE);"
        "CREATE TABLE source (v varchar(40)); INSERT INTO source VALUES ('canary8'); INSERT INTO taken SELECT 1, v FROM source",
        connection=engine,
    )
    frame = pd.DataFrame({"id": [3], "password": ["canary8"]})
    for attempt in (
        lambda: tusk.execute("INSERT INTO taken SELECT 2, v FROM source", connection=engine),
        lambda: tusk.execute(
            "INSERT INTO taken SELECT 2, upper(v) FROM source, (SELECT 1 AS n UNION ALL SELECT 2) t", connection=engine
        ),
        lambda: tusk.append(frame, "taken", connection=engine),
    ):
        with pytest.raises(TuskError) as caught:
            attempt()
        exc = caught.value
        assert "canary8" not in f"{exc} {exc.message} {exc.detail} {exc.hint} {exc.args}".lower()
        assert "canary8" not in repr(tusk.log(limit=1).entries).lower()


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite", "duckdb"])
@pytest.mark.parametrize("column", ["password int", "password int, city varchar(9) CHECK (length(city) > 9)"])
def test_a_row_that_is_refused_is_not_quoted_where_a_column_of_the_frame_is_a_secrets(connections, engine, column):
    """Not even from another column: DuckDB names none, PostgreSQL shows the whole row."""
    strict = " STRICT" if engine == "sqlite" else ""
    column = column.replace("varchar(9)", "text") if strict else column
    tusk.execute(f"DROP TABLE IF EXISTS wanted; CREATE TABLE wanted (id int, {column}){strict}", connection=engine)
    frame = pd.DataFrame({"id": [3], "password": ["canary9"] if "city" not in column else [909090]})
    if "city" in column:
        frame["city"] = "canary9"
    with pytest.raises(TuskError) as caught:
        tusk.append(frame, "wanted", connection=engine)
    exc = caught.value
    said = f"{exc} {exc.message} {exc.detail} {exc.hint} {exc.args} {tusk.log(limit=1).entries!r}"
    assert "canary9" not in said
    assert "909090" not in said


def test_a_cast_of_a_secret_column_is_not_quoted(connections):
    tusk.execute("CREATE TABLE said AS SELECT 'canary10' AS password, 'Ulm' AS city", connection="duckdb")
    with pytest.raises(TuskError) as caught:
        tusk.query("SELECT cast(password AS int) FROM said", connection="duckdb")
    assert "canary10" not in f"{caught.value} {caught.value.detail} {tusk.log(limit=1).entries!r}"
    with pytest.raises(TuskError) as caught:
        tusk.query("SELECT cast(city AS int) FROM said", connection="duckdb")
    assert "'Ulm'" in caught.value.message


def test_a_column_without_one_type_is_not_quoted_where_it_is_a_secrets():
    with pytest.raises(TuskError) as caught:
        tusk.append(pd.DataFrame({"password": [1, "canary11"]}), "wanted", connection="duckdb")
    assert "canary11" not in f"{caught.value} {caught.value.__cause__}"
    assert "password" in caught.value.message


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "duckdb"])
def test_a_taken_key_of_another_column_is_quoted(connections, engine):
    name = f"{engine}_plain"
    if engine == "duckdb":  # it names no column, so the other keys of the database count
        tusk.connect(name, None, driver="duckdb", path=":memory:")
    else:
        name = engine
    with pytest.raises(TuskError) as caught:
        tusk.execute(
            "DROP TABLE IF EXISTS places; CREATE TABLE places (city varchar(40) UNIQUE);"
            "INSERT INTO places VALUES ('Ulm'); INSERT INTO places VALUES ('Ulm')",
            connection=name,
        )
    assert "Ulm" in f"{caught.value.message} {caught.value.detail}"

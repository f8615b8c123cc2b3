"""Dumps as the engines' own tools make them, run into an empty database: a second dump of that is the same."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import urllib.parse
from collections.abc import Iterator

import psycopg
import pytest
from engines.conftest import Engine, connect
from services.processes import find_program

from tusk_jupyter import errors

OF_POSTGRESQL = r"""
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'it''s; ok');
CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text DEFAULT 'x;y', b bytea, m app.mood,
    g int GENERATED ALWAYS AS (id * 2) STORED, arr text[], j jsonb);
INSERT INTO app.t (a, b, m, arr, j) SELECT CASE i % 4 WHEN 0 THEN E'it''s;\n"a"\t\\back' WHEN 1 THEN NULL WHEN 2 THEN '\.'
    ELSE 'ä日🦆' END, '\x00ff275c', 'it''s; ok', array['a;b', 'c''d'], '{"a:b": ":x"}' FROM generate_series(1, 9) i;
CREATE TABLE app.part (k int, d date) PARTITION BY RANGE (k);
CREATE TABLE app.part1 PARTITION OF app.part FOR VALUES FROM (0) TO (10);
CREATE TABLE app."empty; ''table" (x int);
INSERT INTO app.part VALUES (1, '2024-01-01'), (2, NULL);
CREATE FUNCTION app.f(x int) RETURNS int LANGUAGE plpgsql AS $fn$
    BEGIN /* ; */ IF x > 1 THEN RETURN 2; END IF; RETURN 1; END; $fn$;
CREATE FUNCTION app.g(x int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN x > 1 THEN 2 END; END;
CREATE FUNCTION app.tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := coalesce(NEW.a, 'z'); RETURN NEW; END $$;
CREATE TRIGGER tr BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.tf();
CREATE VIEW app.v AS SELECT id, CASE WHEN a IS NULL THEN ';' ELSE a END c FROM app.t;
CREATE RULE r AS ON INSERT TO app."empty; ''table" DO ALSO (INSERT INTO app.part VALUES (4, NULL); SELECT 1);
CREATE INDEX ON app.t (lower(a)) WHERE a <> ';';
COMMENT ON TABLE app.t IS 'it''s; a $$ -- comment';
"""
OF_MARIADB = r"""
CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(50) DEFAULT 'x;y', b BLOB, g INT AS (length(a) * 2) STORED,
    e ENUM('a', 'b;c'), j JSON, v VARCHAR(60) AS (upper(a)) VIRTUAL) COMMENT = 'it''s; c';
INSERT INTO t (a, b, e, j) VALUES ('it''s;\n"x"\t\\b', 0x00ff275c80fe, 'b;c', '{"a:b":":x"}'), (NULL, NULL, 'a', NULL),
    ('ä日🦆', 0xc3a9ff, 'a', '[1]');
CREATE TABLE part (k INT, y INT) PARTITION BY RANGE (k) (PARTITION p0 VALUES LESS THAN (10),
    PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO part VALUES (1, 2), (20, 3);
CREATE TABLE audit (m TEXT);
CREATE VIEW v AS SELECT id, concat(a, ';') c FROM t;
CREATE PROCEDURE p(IN x INT) BEGIN DECLARE i INT DEFAULT 0;
    WHILE i < x DO INSERT INTO audit VALUES ('p;'); SET i = i + 1; END WHILE; END;
CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC BEGIN RETURN CASE WHEN x > 1 THEN 2 ELSE 3 END; END;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN INSERT INTO audit VALUES ('t;r');
    SET NEW.a = ifnull(NEW.a, 'z'); END;
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN DELETE FROM audit WHERE 0; DELETE FROM audit WHERE 0; END;
"""
OF_SQLITE = """
CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'x;y', b BLOB, "begin" INT);
INSERT INTO t VALUES (1, 'it''s;' || char(10) || '"x"', x'00ff275c', 1), (2, NULL, NULL, 2), (3, 'ä日🦆', zeroblob(3), 3);
CREATE TABLE "end" (end INT);
CREATE TRIGGER begin AFTER INSERT ON t BEGIN INSERT INTO end VALUES (new.begin); SELECT CASE WHEN 1 THEN 2 END; END;
CREATE VIEW v AS SELECT id, a || ';' c FROM t;
"""


def output_of(*command: object) -> bytes:
    return subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=60).stdout


@pytest.fixture
def two_postgresql(postgresql) -> Iterator[tuple[str, str]]:
    names = ("dump_from", "dump_into")
    with psycopg.connect(postgresql.admin_dsn, autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name} OWNER {postgresql.user}")
        yield names
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_dump_of_pg_dump_makes_the_same_database(client, postgresql, two_postgresql):
    def dump(name: str) -> str:
        pg_dump = find_program("pg_dump", package="postgresql-client")
        text = output_of(pg_dump, re.sub("dbname=\\S+", f"dbname={name}", postgresql.dsn)).decode()
        return re.sub(r"(?m)^\\(un)?restrict .*\n", "", text) if name == "dump_into" else text

    source, target = two_postgresql
    with psycopg.connect(postgresql.dsn, dbname=source, autocommit=True) as connection:
        connection.execute(OF_POSTGRESQL)
    script = dump(source)
    guarded = script if "\\restrict" in script else f"\\restrict k3y\n{script}\n\\unrestrict k3y\n"
    connect(client, "target", postgresql.url.rpartition("/")[0] + f"/{target}", tier="memory", test=False)
    engine = Engine(name="target", client=client, long="", on_server=None)
    engine.run(guarded)
    assert dump(target) == re.sub(r"(?m)^\\(un)?restrict .*\n", "", script)
    with pytest.raises(errors.QueryError) as caught:
        engine.run("SELECT 1;\n\\connect other\nSELECT 2;")
    assert caught.value.statement == 1
    assert "`\\connect` is a command of a shell" in caught.value.hint


def test_rows_of_a_copy_that_are_wrong_are_the_server_s_error(postgresql_engine):
    postgresql_engine.run("CREATE TEMP TABLE c (a int, b text)")
    with pytest.raises(errors.QueryError, match="integer"):
        postgresql_engine.run("COPY c FROM stdin;\n1\tx\nno\ty\n\\.\n")
    assert postgresql_engine.value("SELECT count(*) FROM c") == 0
    many = "".join(f"{i}\tit's; row {i}\n" for i in range(20_000))
    result = postgresql_engine.run(f"COPY c FROM stdin;\n{many}\\.\nCOPY c FROM stdin;\n\\.\n")
    assert [one.affected for one in result.statements] == [20_000, 0]
    assert postgresql_engine.value("SELECT b FROM c WHERE a = 19999") == "it's; row 19999"
    with pytest.raises(errors.UsageError, match="COPY FROM STDIN"):
        postgresql_engine.run("COPY c FROM stdin;\nSELECT 1")


def test_a_dump_of_mariadb_dump_makes_the_same_database(client, mariadb):
    def dump(name: str) -> str:
        program = find_program("mariadb-dump", package="mariadb-client")
        options = ["--no-defaults", f"-P{mariadb.port}", f"-h{mariadb.host}", f"-u{mariadb.admin_user}"]
        kinds = ["--routines", "--events", "--triggers", "--hex-blob", "--skip-dump-date"]
        text = output_of(program, *options, f"-p{mariadb.admin_password}", *kinds, name).decode()
        return text.replace(f"'{name}'", "''").replace(f"Database: {name}", "")

    def run(name: str, sql: str) -> None:
        url = f"mysql://{mariadb.admin_user}:{urllib.parse.quote(mariadb.admin_password)}@{mariadb.host}:{mariadb.port}/{name}"
        connect(client, name, url, tier="memory", test=False)
        Engine(name=name, client=client, long="", on_server=None).run(sql)

    with mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
        try:
            for name in ("dump_from", "dump_into"):
                cursor.execute(f"CREATE DATABASE {name}")
            run("dump_from", OF_MARIADB)
            script = dump("dump_from")
            assert "DELIMITER ;;" in script
            run("dump_into", script)
            assert dump("dump_into") == script
        finally:
            for name in ("dump_from", "dump_into"):
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")


def test_a_dump_of_sqlite_makes_the_same_database(sqlite_engine, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "source.sqlite")) as source:
        source.executescript(OF_SQLITE)
        script = "\n".join(source.iterdump())
    sqlite_engine.run(script)
    sqlite_engine.client.link.forget()
    with contextlib.closing(sqlite3.connect(f"file:{sqlite_engine.file}?mode=ro", uri=True)) as target:
        assert "\n".join(target.iterdump()) == script

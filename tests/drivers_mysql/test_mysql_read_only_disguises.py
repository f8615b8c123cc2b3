"""What no read-only transaction of MariaDB stops does nothing in a read-only session, however it is written.

Every effect is measured; tried as the administrator, whom no missing right stops. Controls show that each effect is one.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from services.waiting import wait_until

from tusk_jupyter.errors import QueryError, TuskError
from tusk_jupyter.sqltext.statements import split

CALLS = ["GET_LOCK('tusk_lock', 0)", "NEXTVAL(counter)", "SETVAL(counter, 100)", "write_in_function()"]
CALL_DISGUISES = [
    "SELECT {e}",
    "DO {e}",
    "SELECT '#', {e}",
    "SELECT '-- ', {e}",
    "SELECT '/*', {e}, '*/'",
    "SELECT '\\'', {e} -- '",
    'SELECT "\\"", {e} -- "',
    'SELECT "\'", {e}, "\'"',
    "SELECT 1 --\u00a0, {e} FROM (SELECT 1 AS `\u00a0`) q",
    "SELECT `a``b`, {e} FROM (SELECT 1 AS `a``b`) q",
    "SELECT /* ' */ {e} # '",
    "SELECT /*!99999 1, */ {e}",
    "SELECT /*!99999 ' */ {e} -- '",
    "SELECT /*!40000 {e} */",
    "SELECT /*M!100000 {e} */",
    "SELECT {name} /* x */ {arguments}",
    "SELECT {name}/*!99999 x*/{arguments}",
    "SELECT `{name}`{arguments}",
    "SET @x = {e}",
    "SHOW TABLES WHERE {e}",
    "VALUES ({e})",
    "WITH q AS (SELECT {e} AS a) SELECT * FROM q",
    "EXPLAIN SELECT * FROM (SELECT {e} AS a) q",
    "ANALYZE SELECT {e}",
    "SELECT CASE WHEN 1 THEN {e} END",
    "(SELECT {e})",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\', {e} -- '; SET sql_mode = DEFAULT",
    'SET sql_mode = \'ANSI_QUOTES\'; SELECT 1 AS "\\", {e} -- "; SET sql_mode = DEFAULT',
    "SET sql_mode = 'ANSI_QUOTES'; SELECT \"{name}\"{arguments}; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT 1 AS ['], {e} AS [']; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT 1 AS [\"], {e} AS [\"]; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT 1 AS [-- ], {e}; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT 1 AS [a]]'b], {e} AS [c']; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT [{name}]{arguments}; SET sql_mode = DEFAULT",
]
FILES = ["INTO OUTFILE '{file}'", "INTO DUMPFILE '{file}'"]
FILE_DISGUISES = [
    "SELECT 1 {e}",
    "SELECT '--' {e}",
    "SELECT '/*', 1 {e} /* */",
    "SELECT '\\'' {e} -- '",
    "SELECT 1 /*!50000 {e} */",
    "SELECT 1 INTO /*!99999 x */ {tail}",
    "SELECT 1 INTO /* ' */ {tail} -- '",
    "TABLE kept {e}",
    "VALUES (1) {e}",
    "WITH q AS (SELECT 1) SELECT * FROM q {e}",
    "SELECT 1 --\u00a0{e} FROM (SELECT 1 AS `\u00a0`) q",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\' {e} -- '; SET sql_mode = DEFAULT",
    'SET sql_mode = \'ANSI_QUOTES\'; SELECT 1 AS "\\" {e} -- "; SET sql_mode = DEFAULT',
    "SET sql_mode = 'MSSQL'; SELECT 1 AS [#] {e}; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT 1 AS [\"] {e} -- \"\n; SET sql_mode = DEFAULT",
    "SET sql_mode = 'MSSQL'; SELECT 1 AS [/*] {e} -- */\n; SET sql_mode = DEFAULT",
]
STATEMENTS = [
    "SET GLOBAL max_connections = 152",
    "SET @@global.max_connections = 152",
    "SET @x = 1, GLOBAL max_connections = 152",
    "KILL {bystander}",
    "INSERT INTO kept VALUES (2)",
    "CREATE TABLE fresh (n INT)",
    "FLUSH STATUS",
    "CREATE TEMPORARY TABLE scratch SELECT 1 n",
    "LOCK TABLES kept WRITE",
    "CREATE USER fresh_user",
]
STATEMENT_DISGUISES = [
    "{e}",
    "/* ' */ {e}",
    "-- x\n{e}",
    "# x\n{e}",
    "/*!50000 {e} */",
    "/*M!100000 {e} */",
    "/*!99999 SELECT */ {e}",
    "/*!99999 SHOW TABLES */ {e}",
    "/*!99999 SET @x=1, */ {e}",
    "BEGIN NOT ATOMIC {e}; END",
    "EXECUTE IMMEDIATE '{e}'",
    "PREPARE p FROM '{e}'; EXECUTE p",
    "SET STATEMENT max_statement_time = 1 FOR {e}",
    "START TRANSACTION READ WRITE; {e}; COMMIT",
    "BEGIN; {e}; COMMIT",
    "SELECT 1; {e}",
]
HARMLESS = [
    "SELECT 'INTO OUTFILE', \"GET_LOCK('a', 1)\"",
    "SELECT 1 -- INTO OUTFILE 'x'",
    "SELECT 1 # SET GLOBAL",
    "SELECT /* /*! GET_LOCK('a', 1) */ 1",
    "SELECT '/*! ... */'",
    "SELECT 1 AS `get_lock(`",
    "SELECT /*!40001 SQL_NO_CACHE */ n FROM kept",
    "SET @global = 1, @statement = 2",
    "SET @role = (SELECT role FROM (SELECT 1 AS role) q)",
    "SELECT IS_USED_LOCK('tusk_lock')",
    "SELECT get_lock FROM (SELECT 1 AS get_lock) q",
    "SELECT table_name FROM information_schema.tables WHERE table_name = 'global'",
    "SELECT 1 AS `[get_lock]('x')`, '[', ']'",
    "SELECT 'LOCK IN SHARE MODE', share FROM (SELECT 1 AS share) q -- FOR UPDATE",
    "SET tx_isolation = 'read-committed', @tx_isolation = 3, @serializable = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
]


def statements() -> Iterator[str]:
    """All texts, with places left for a file and for a session's number."""
    for call, disguise in itertools.product(CALLS, CALL_DISGUISES):
        name, bracket, arguments = call.partition("(")
        yield disguise.replace("{e}", call).replace("{name}", name).replace("{arguments}", bracket + arguments)
    for into, disguise in itertools.product(FILES, FILE_DISGUISES):
        yield disguise.replace("{e}", into).replace("{tail}", into.removeprefix("INTO "))
    for statement, disguise in itertools.product(STATEMENTS, STATEMENT_DISGUISES):
        yield disguise.replace("{e}", statement)


STATE = """
SELECT (SELECT GROUP_CONCAT(n) FROM kept), (SELECT next_not_cached_value FROM counter), @@global.max_connections,
       (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'tusk'), IS_USED_LOCK('tusk_lock'),
       (SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {bystander}),
       (SELECT COUNT(*) FROM mysql.user)
"""


class Bench:
    """The server, and a look at all that the statements would change."""

    def __init__(self, admin, bystander, file: Path) -> None:
        self.admin, self.file, self.bystander = admin, file, bystander.session.backend
        for sql in (
            "DROP TABLE IF EXISTS kept, fresh",
            "CREATE TABLE kept (n INT) ENGINE=InnoDB",
            "INSERT INTO kept VALUES (1)",
            "CREATE OR REPLACE FUNCTION write_in_function() RETURNS INT BEGIN INSERT INTO kept VALUES (2); RETURN 1; END",
            "CREATE OR REPLACE SEQUENCE counter",
            "SET GLOBAL max_connections = 151",
        ):
            admin.run(sql)

    def filled(self, sql: str) -> str:
        return sql.replace("{file}", str(self.file)).replace("{bystander}", self.bystander)

    def state(self) -> tuple[object, ...]:
        found = self.admin.table(self.filled(STATE))
        return (*(column.to_pylist()[0] for column in found.columns), self.file.exists())


@pytest.fixture
def bench(admin, connect) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Bench(admin, connect(), Path(folder) / "written")


def run(client, sql: str) -> None:
    """Run a text as a cell would; each statement may be refused."""
    for statement in split(sql, "mysql"):
        with contextlib.suppress(TuskError):
            list(getattr(client.session.execute(statement, {}), "batches", ()))


def test_no_disguise_lets_an_effect_through(bench, connect, admin_settings):
    reader = connect(admin_settings, read_only=True)
    before = bench.state()
    for sql in statements():
        run(reader, bench.filled(sql))
        with contextlib.suppress(QueryError):
            reader.run("ROLLBACK")
        assert bench.state() == before, sql
    assert reader.value("SELECT 1") == 1


def test_there_are_enough_statements():
    assert len(set(statements())) >= 250


@pytest.mark.parametrize("sql", HARMLESS)
def test_words_that_are_no_code_refuse_nothing(bench, connect, admin_settings, sql):
    list(getattr(connect(admin_settings, read_only=True).run(sql), "batches", ()))


@pytest.mark.parametrize(
    "sql",
    [f"SELECT {CALLS[0]}", f"SELECT {CALLS[1]}", f"SELECT {CALLS[2]}", f"SELECT {CALLS[3]}", f"SELECT 1 {FILES[0]}",
     f"SELECT 1 {FILES[1]}", *STATEMENTS[:6], STATEMENTS[9],
     f"SELECT 1 --\u00a0, {CALLS[0]} FROM (SELECT 1 AS `\u00a0`) q", f"SELECT /*!99999 ' */ {CALLS[0]} -- '",
     f"SELECT '\\'', {CALLS[0]} -- '", "/*!99999 SELECT */ KILL {bystander}", "SELECT GET_LOCK/*!99999 x*/('tusk_lock', 0)",
     "SET sql_mode = 'ANSI_QUOTES'; SELECT \"GET_LOCK\"('tusk_lock', 0)",
     f"SET sql_mode = 'ANSI_QUOTES'; SELECT 1 AS \"\\\", {CALLS[0]} -- \"",
     f"SET sql_mode = 'MSSQL'; SELECT 1 AS ['], {CALLS[0]} AS [']",
     f"SET sql_mode = 'MSSQL'; SELECT 1 AS [a]]'b], {CALLS[0]} AS [c']",
     f"SET sql_mode = 'MSSQL'; SELECT 1 AS [#] {FILES[0]}"],
)  # fmt: skip
def test_each_effect_is_one_where_it_is_allowed(bench, connect, admin_settings, sql):
    """Otherwise the statements above would prove nothing."""
    writer = connect(admin_settings)
    before = bench.state()
    run(writer, bench.filled(sql))
    wait_until(lambda: bench.state() != before, what=sql)  # a session that is killed stays in the list for a moment
    bench.admin.run("DROP USER IF EXISTS fresh_user")
    bench.admin.run("DROP TABLE IF EXISTS fresh")
    bench.admin.run("SET GLOBAL max_connections = 151")


def test_rights_of_the_signed_in_user_are_told(admin, connect, admin_settings):
    assert "all rights" in admin.session.rights()
    for sql in ("CREATE OR REPLACE USER only_reads IDENTIFIED BY 'x'", "GRANT SELECT ON tusk.* TO only_reads"):
        admin.run(sql)
    reader = connect(replace(admin_settings, secrets={"password": "x"}), user="only_reads", read_only=True)
    assert reader.session.rights() == ""
    admin.run("GRANT INSERT ON tusk.* TO only_reads")
    assert reader.session.rights() == "has the rights INSERT"
    admin.run("DROP USER only_reads")

"""What acts outside of a transaction does nothing in a read-only session, however it is written.

Every effect is measured: in the catalog, in files, in what a bystander sees. Tried as superuser, whom no missing right
stops. The controls at the end show that each effect is one, and that each disguise runs.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import wait_until

from tusk_jupyter.driverkit.session import Transaction
from tusk_jupyter.errors import QueryError, TuskError
from tusk_jupyter.sqltext.statements import split

EFFECTS = {
    "dblink_exec": ("public", "('{link}', 'INSERT INTO ro VALUES (2)')"),
    "dblink_connect": ("public", "('{link}')"),
    "pg_file_write": ("pg_catalog", "('{file}', 'x', false)"),
    "lo_export": ("pg_catalog", "(4711, '{file}')"),
    "query_to_xml": ("pg_catalog", "('SELECT pg_advisory_lock(4711)', true, true, '')"),
    "pg_terminate_backend": ("pg_catalog", "({bystander})"),
    "pg_reload_conf": ("pg_catalog", "()"),
    "pg_create_physical_replication_slot": ("pg_catalog", "('tusk_slot', true)"),
    "pg_advisory_lock": ("pg_catalog", "(4711)"),
    "pg_stat_reset_shared": ("pg_catalog", "('archiver')"),
    "setval": ("pg_catalog", "('ro_seq', 100)"),
    "ts_stat": ("pg_catalog", "('SELECT ''a''::tsvector FROM (SELECT pg_advisory_lock(4711)) s')"),
}
"""Functions with their schema and arguments."""

DISGUISES = [
    "SELECT {f}",
    "SELECT '--', {f}",
    "SELECT '/*', {f}, '*/'",
    "SELECT /* a /* b */ c */ {f}",
    "SELECT E'\\'', {f} --'",
    "SELECT E'a'\n'\\'', {f} --'",
    "SELECT 1 -- x\r, {f}",
    "SELECT $a$ ' $a$, {f}, ' '",
    "SELECT $🦆$ ' $🦆$, {f}, ' '",
    "SELECT 1 AS a🦆$$, {f} AS b🦆$$",
    "SELECT U&'\\0027', {f} --'",
    'SELECT "a""b", {f} FROM (SELECT 1 AS "a""b") s',
    'SELECT "{name}"{arguments}',
    "SELECT {schema} . /* ' */ {name} /* ( */ {arguments}",
    'SELECT "{schema}"."{name}" --\n {arguments}',
    'SELECT U&"{escaped}"{arguments}',
    "SELECT U&\"{banged}\" UESCAPE '!' {arguments}",
    "VALUES ({f}::text)",
    "SELECT CASE WHEN true THEN {f}::text END",
    "WITH q AS MATERIALIZED (SELECT {f}) SELECT * FROM q",
    "EXPLAIN ANALYZE SELECT {f}",
    "PREPARE p AS SELECT {f}; EXECUTE p; DEALLOCATE ALL",
    "DECLARE c CURSOR WITH HOLD FOR SELECT {f}; FETCH ALL FROM c; CLOSE ALL",
    "BEGIN; SELECT {f}; COMMIT",
    "DO $$ BEGIN PERFORM {f}; END $$",
    "SET standard_conforming_strings = off; SELECT '\\'', {f} --'; RESET standard_conforming_strings",
    "EXECUTE made_before_{name}",
    "EXPLAIN ANALYZE EXECUTE made_before_{name}",
]

HARMLESS = [
    "SELECT 'dblink_exec(''x'')' AS a",
    "SELECT 1 -- pg_reload_conf()",
    "SELECT /* lo_export(1, 'x') */ 1",
    'SELECT 1 AS "pg_reload_conf()"',
    "SELECT $$pg_file_write('a', 'b', true)$$",
    "SELECT E'\\'pg_terminate_backend(1)'",
    "SELECT 'U&\"x\" UESCAPE'",
    "SELECT 'delete', 'insert into t', 'update'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_get(4711)",
    "SELECT count(*) FROM pg_ls_dir('.')",
    "SELECT set_config('work_mem', '8MB', false)",
    "SELECT * FROM ts_stat('SELECT ''a''::tsvector')",
    "SELECT pg_size_pretty(pg_total_relation_size('ro'))",
    "COMMIT",
    "SELECT dblink_exec FROM (SELECT 1 AS dblink_exec) q",
]

_CUT = "x" * 60  # a cast to name leaves 63 bytes
GIVEN = [
    "SELECT * FROM ts_stat('SELECT ''a''::tsvector FROM (SELECT pg_advisory_'\n'lock(4711)) s')",
    "SELECT * FROM ts_stat('SELECT ''a''::tsvector FROM (SELECT pg_advi' -- it's\n -- so\n'sory_lock(4711)) s')",
    "SELECT * FROM ts_stat(N'SELECT ''a''::tsvector FROM (SELECT pg_'\r'advisory_lock'\n''\n'(4711)) s')",
    "SELECT * FROM ts_stat(E'SELECT ''a''::tsvector FROM (SELECT pg_' -- it's\n'advisory_lock(4711)) s')",
    "SELECT * FROM ts_stat(U&'SELECT ''a''::tsvector FROM (SELECT pg'\n'\\005fadvisory_lock(4711)) s')",
    "SELECT ts_rewrite('a'::tsquery, 'SELECT $$a$$::tsquery, $$b$$::tsquery FROM (SELECT pg_advi'\n'sory_lock(4711)) s')",
    "SELECT * FROM crosstab('SELECT pg_advisory_'\n'lock(4711)::text, 1, 1') AS t(a text, b int)",
    "SELECT * FROM crosstab_of_mine('SELECT pg_advisory_lock(4711)::text, 1, 1') AS t(a text, b int)",
    "SELECT * FROM (SELECT set_config('standard_conforming_strings', 'off', false) OFFSET 0) s, "
    "LATERAL crosstab($$SELECT '\\'', pg_advisory_lock(4711)::text, '1' --', 1, 1$$) AS t(a text, b text)",
    "SELECT * FROM xpath_table('pg_reload_conf /*', '*/ (), $$<a/>$$', 'ro', '/a', 'true') AS t(k boolean, v text)",
    "SELECT * FROM xpath_table('1, $b$', '$b$ || (SELECT pg_reload_conf())::text', 'ro', '/a', 'true') AS t(k int, v text)",
    "SELECT * FROM xpath_table('a', '$$<a/>$$', 'ro', '/a', 'pg_advi'\n'sory_lock(4711) IS NULL') AS t(k int, v text)",
    "SELECT * FROM xpath_table('1; COPY (SELECT 1) TO $${file}$$; SELECT 1', '$$<a/>$$', 'ro', '/a', 'true') "
    "AS t(k int, v text)",
    f"SELECT * FROM xpath_table('a, $$ {_CUT} $$'::name, '$$, pg_reload_conf(), $$ $$', 'ro', '/a', 'true') "
    "AS t(k int, v text)",
    "SELECT * FROM connectby('ro WHERE true OR $a$', '1, pg_advisory_lock /*', '*/ (4711) IS NULL', '$a$ = $$ $$', '1', 0) "
    "AS t(k int, p int, l int, s int)",
]
"""Effects in SQL that a function is given: in pieces, across arguments, in a text whose rules change before it runs."""

HARMLESS_GIVEN = [
    "SELECT * FROM crosstab('SELECT a::text, a, '\n 'a FROM ro') AS t(a text, b int)",
    "SELECT * FROM crosstab($$SELECT a::text, regexp_replace('x', '\\s', ''), a FROM ro$$) AS t(a text, b int)",
    "SELECT * FROM crosstab($$SELECT a::text, 'x', a FROM ro -- it's so\n$$, 'VALUES (''x'')') AS t(a text, b int)",
    "SELECT * FROM xpath_table('a', '$$<a/>$$', 'ro', '/a/*|//b[@c=''d'']', 'a>0 OR ''x'' = ''''') AS t(a int, b text, c text)",
    "SELECT * FROM connectby('ro', 'a', 'a', 'a', '1', 1, '->') AS t(k int, p int, l int, b text, s int)",
    "SELECT ts_rewrite('a & b'::tsquery, 'a'::tsquery, 'c'::tsquery)",
    "SELECT * FROM crosstab_of_years(2000 + 26)",
]

STATE = """
SELECT (SELECT array_agg(a ORDER BY a)::text FROM ro), (SELECT last_value FROM ro_seq), pg_conf_load_time()::text,
       (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
       (SELECT stats_reset::text FROM pg_stat_archiver), (SELECT count(*) FROM pg_largeobject_metadata),
       (SELECT count(*) FROM pg_stat_activity WHERE pid = :bystander),
       (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tusk_linked')
"""


class Bench:
    """A server with what the effects need, and a look at all that they would change."""

    def __init__(self, connect, postgresql, file: Path) -> None:
        self.admin, bystander = connect(admin=True), connect(admin=True)
        self.file, self.bystander = file, int(bystander.session.backend)
        self.link = (
            f"host={postgresql.host} port={postgresql.port} user={postgresql.admin_user} dbname={postgresql.database} "
            f"password={postgresql.admin_password} application_name=tusk_linked"
        )
        self.admin.do(
            "DROP TABLE IF EXISTS ro CASCADE; DROP SEQUENCE IF EXISTS ro_seq; CREATE TABLE ro (a int);"
            "INSERT INTO ro VALUES (1); CREATE SEQUENCE ro_seq; CREATE EXTENSION IF NOT EXISTS dblink;"
            "CREATE EXTENSION IF NOT EXISTS adminpack;"
        )
        if not self.admin.one("SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 4711"):
            self.admin.do("SELECT lo_from_bytea(4711, 'x')")

    def filled(self, disguise: str, name: str) -> str:
        schema, arguments = EFFECTS[name]
        for word, value in {"{link}": self.link, "{file}": str(self.file), "{bystander}": str(self.bystander)}.items():
            arguments = arguments.replace(word, value)
        escaped = "".join(f"\\{ord(letter):04x}" for letter in name)
        values = {
            "{f}": f"{name}{arguments}", "{name}": name, "{schema}": schema, "{arguments}": arguments,
            "{escaped}": escaped, "{banged}": escaped.replace("\\", "!"),
        }  # fmt: skip
        for word, value in values.items():
            disguise = disguise.replace(word, value)
        return disguise

    def state(self) -> tuple[object, ...]:
        return (*self.admin.rows(STATE, bystander=self.bystander), self.file.exists())


def run(talk, sql: str) -> None:
    """Run a text as a cell would, and leave no transaction open; each statement may be refused."""
    for statement in split(sql, "postgresql"):
        with contextlib.suppress(TuskError):
            result = talk.session.execute(statement, {})
            list(getattr(result, "batches", ()))
    if talk.session.transaction is not Transaction.IDLE:
        talk.do("COMMIT" if talk.session.transaction is Transaction.OPEN else "ROLLBACK")


@pytest.fixture
def bench(connect, postgresql) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lie below one that the server's user cannot enter
        Path(folder).chmod(0o777)
        yield Bench(connect, postgresql, Path(folder) / "written")


@pytest.mark.parametrize("name", EFFECTS)
def test_no_disguise_lets_an_effect_through(bench, connect, name):
    reader = connect(admin=True)
    reader.do(bench.filled("PREPARE made_before_{name} AS SELECT {f}", name))
    reader.session.set_read_only(True)
    before = bench.state()
    for disguise in DISGUISES:
        run(reader, bench.filled(disguise, name))
        assert bench.state() == before, disguise
        assert reader.one("SELECT 1") == 1


def test_there_are_enough_statements():
    assert len(EFFECTS) * len(DISGUISES) >= 250


@pytest.mark.parametrize("sql", HARMLESS)
def test_words_that_are_no_call_refuse_nothing(bench, connect, sql):
    reader = connect(admin=True, read_only=True)
    reader.do(sql)


@pytest.fixture
def giving(bench) -> Bench:
    """With the functions that run what they are given, one of them under a name of the user's."""
    bench.admin.do(
        "CREATE EXTENSION IF NOT EXISTS tablefunc; CREATE EXTENSION IF NOT EXISTS xml2;"
        "CREATE OR REPLACE FUNCTION crosstab_of_mine(text) RETURNS setof record AS '$libdir/tablefunc', 'crosstab' "
        "LANGUAGE C STABLE STRICT;"
        "CREATE OR REPLACE FUNCTION crosstab_of_years(int) RETURNS int LANGUAGE sql RETURN $1"
    )
    return bench


@pytest.mark.parametrize("sql", GIVEN)
def test_sql_that_a_function_is_given_is_read_as_it_will_run(giving, connect, sql):
    """Each is refused; and has its effect in a session that may write, or else this would prove nothing."""
    sql = sql.replace("{file}", str(giving.file))
    before = giving.state()
    with pytest.raises(QueryError, match="nothing was sent"):
        connect(admin=True, read_only=True).do(sql)
    assert giving.state() == before
    writer = connect(admin=True)
    run(writer, sql)
    wait_until(lambda: giving.state() != before, what=sql)
    writer.do("RESET ALL; SELECT pg_advisory_unlock_all()")


def test_a_prepared_statement_is_read_as_it_was_when_it_was_prepared(bench, connect):
    reader = connect(admin=True)
    reader.do("SET standard_conforming_strings = off")
    reader.batches("PREPARE hidden AS SELECT '\\'', pg_advisory_lock(4711) --'\n")
    reader.do("SET standard_conforming_strings = on")
    reader.session.set_read_only(True)
    before = bench.state()
    with pytest.raises(QueryError, match="pg_advisory_lock acts outside"):
        reader.do("EXECUTE hidden")
    assert bench.state() == before


def test_sql_that_a_function_is_given_may_read(giving, connect):
    reader = connect(admin=True, read_only=True)
    for sql in HARMLESS_GIVEN:
        reader.do(sql)


@pytest.mark.parametrize("name", sorted(set(EFFECTS) - {"setval"}))
def test_each_effect_is_one_where_it_is_allowed(bench, connect, name):
    """Otherwise the tables above would prove nothing."""
    writer = connect(admin=True)
    before = bench.state()
    try:
        run(writer, bench.filled("SELECT {f}", name))
        wait_until(lambda: bench.state() != before, what=name)  # the server takes its time over a signal
    finally:
        run(
            writer,
            "SELECT pg_drop_replication_slot('tusk_slot') FROM pg_replication_slots WHERE slot_name = 'tusk_slot'",
        )
        run(writer, "SELECT pg_advisory_unlock_all()")


def test_each_disguise_is_taken_by_the_server(connect):
    """With a harmless function in the place of the effect."""
    writer = connect(admin=True)
    writer.do("PREPARE made_before_now AS SELECT now()")
    escaped = "".join(f"\\{ord(letter):04x}" for letter in "now")
    for disguise in DISGUISES:
        if "made_before" in disguise:
            continue
        sql = disguise
        for word, value in {"{f}": "now()", "{name}": "now", "{schema}": "pg_catalog", "{arguments}": "()",
                            "{escaped}": escaped, "{banged}": escaped.replace("\\", "!")}.items():  # fmt: skip
            sql = sql.replace(word, value)
        writer.do(sql)


def test_every_volatile_function_of_the_server_and_its_extensions_is_decided(connect, postgresql):
    from tusk_drivers.postgresql.effects import READS, RUNS_LITERAL, is_refused

    connect(admin=True).do("CREATE DATABASE every_extension")
    admin = connect(admin=True, database="every_extension")
    for name in [row[0] for row in admin.rows("SELECT name::text FROM pg_available_extensions")]:
        with contextlib.suppress(QueryError):  # one that needs a language or a library that is not installed
            admin.do(f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
    found = admin.rows(
        "SELECT DISTINCT p.proname::text FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' "
        "WHERE p.provolatile = 'v' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) "
        "AND (d.objid IS NOT NULL OR p.pronamespace = 'pg_catalog'::regnamespace)"
    )
    names = {row[0] for row in found}
    assert len(names) > 250
    assert sorted(name for name in names if name not in READS | RUNS_LITERAL and not is_refused(name)) == []
    assert sorted(name for name in READS if is_refused(name)) == []


def test_a_function_that_runs_sql_is_taken_with_literals_only(connect):
    reader = connect(admin=True, read_only=True)
    for sql in ("SELECT * FROM ts_stat('SELECT ''a''' || '::tsvector')", "SELECT * FROM ts_stat(:q)"):
        with pytest.raises(QueryError, match="not a plain literal"):
            reader.do(sql, **({"q": "SELECT pg_reload_conf()"} if ":q" in sql else {}))


def test_rights_of_the_signed_in_user_are_told(connect):
    assert connect(admin=True, read_only=True).session.rights() == "is a superuser"
    admin = connect(admin=True)
    admin.do("DROP ROLE IF EXISTS only_reads; CREATE ROLE only_reads LOGIN PASSWORD 'x' IN ROLE pg_read_all_data")
    reader = connect(user="only_reads", password="x", read_only=True)
    assert reader.session.rights() == ""
    admin.do("CREATE TABLE IF NOT EXISTS given (a int); GRANT INSERT ON given TO only_reads")
    assert reader.session.rights() == "may write to tables"
    admin.do("DROP TABLE given")

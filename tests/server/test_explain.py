"""A plan is shown and the statement is not run, whatever its text says."""

from __future__ import annotations

import pytest
from server_process import Jupyter
from services.waiting import wait_until

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.driver import StatementText
from tusk_jupyter.sqltext.statements import split
from tusk_widgets.server.explain import explaining, joined

ENGINES = ("postgresql", "mysql", "sqlite", "duckdb", "ansi")


def asked(sql: str, dialect: str) -> str:
    found = [
        StatementText(start=one.start, end=one.start + len(one.text), parameters=one.parameters)
        for one in split(sql, dialect)
    ]
    return explaining(sql, found, dialect)


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize(
    "sql",
    [
        "ANALYZE DELETE FROM t", "analyze select f()", "(ANALYZE) DELETE FROM t", "(ANALYZE TRUE) SELECT 1",
        "-- c\nANALYZE SELECT 1", "/* c */ (/* d */ ANALYZE, VERBOSE) SELECT 1", "VERBOSE SELECT 1", "EXTENDED SELECT 1",
        "(FORMAT JSON) SELECT 1", "FORMAT=JSON SELECT 1", "EXPLAIN ANALYZE DELETE FROM t", "FOR CONNECTION 5",
        "DROP TABLE t", "CALL p()", "EXECUTE p", "SET x = 1", "DO $$ x $$", "CREATE TABLE t AS SELECT 1", "t",
        "/*!99999 SELECT */ ANALYZE DELETE FROM t", "((", ")", "'SELECT'", "", "   ", "-- nothing", ";;",
        "SELECT 1; DELETE FROM t", "SELECT 1; SELECT 2",
    ],
)  # fmt: skip
def test_only_one_query_is_explained_and_nothing_of_it_is_an_option(sql: str, dialect: str):
    with pytest.raises(UsageError):
        asked(sql, dialect)


@pytest.mark.parametrize("sql", ["/*! ANALYZE */ DELETE FROM t", "/*M!50000 ANALYZE */ SELECT 1", "/*!1 SELECT */ 1"])
def test_a_comment_that_mysql_reads_as_code_is_no_comment(sql: str):
    with pytest.raises(UsageError):
        asked(sql, "mysql")


@pytest.mark.parametrize("dialect", ENGINES)
def test_the_text_of_a_query_is_explained_as_it_is(dialect: str):
    for sql in (
        "SELECT 1",
        "-- why\n(SELECT 1) UNION (SELECT 2)",
        "with x as (select 1) select * from x",
        "DELETE FROM t",
    ):
        begins, _, rest = asked(f"  {sql} ;", dialect).partition(sql)
        assert begins.startswith("EXPLAIN") and "ANALYZE " not in begins.replace("(ANALYZE FALSE)", "") and rest == ""


def test_a_plan_is_not_guessed_for_parameters_without_values():
    with pytest.raises(UsageError, match=":id, :day"):
        asked("SELECT * FROM t WHERE id = :id AND day = :day", "postgresql")


def test_plans_are_one_text():
    assert joined(["QUERY PLAN"], [["a"], [None], ["b"]], "postgresql") == "a\n\nb"
    assert joined(["explain_key", "explain_value"], [["physical_plan", "box"]], "duckdb") == "box"
    rows = [["2", "0", "0", "SCAN a"], ["5", "2", "0", "LIST"], ["7", "5", "0", "SCAN b"], ["9", "0", "0", "SORT"]]
    assert joined(["id", "parent", "notused", "detail"], rows, "sqlite") == "SCAN a\n  LIST\n    SCAN b\nSORT"
    assert joined(["id", "table"], [["1", None], ["10", "t"]], "mysql") == "id  table\n1\n10  t"


@pytest.mark.parametrize(("connection", "word"), [("lake", "Seq Scan"), ("shop", "SCAN planned")])
def test_a_plan_comes_from_the_database_and_is_logged_as_a_tools(jupyter: Jupyter, connection: str, word: str):
    jupyter.run("CREATE TABLE IF NOT EXISTS planned (i INTEGER)", connection)
    plan = jupyter.do("POST", "explain", {"connection": connection, "sql": "SELECT * FROM planned -- why\n;"})
    assert word in plan["text"]
    assert len(plan["rows"][0]) == len(plan["columns"])
    [entry] = wait_until(
        lambda: jupyter.get("log", connection=connection, kind="tool", status="completed", limit=1)["entries"], 20.0
    )
    assert entry["sql"].startswith("EXPLAIN") and entry["source"] == "jupyterlab"
    assert "EXPLAIN" not in str(jupyter.get("log", connection=connection, tools="false", limit=1000))


@pytest.mark.parametrize("connection", ["lake", "shop"])
def test_what_is_explained_is_not_run(jupyter: Jupyter, connection: str):
    jupyter.run("CREATE TABLE IF NOT EXISTS kept (i INTEGER)", connection)
    jupyter.run("INSERT INTO kept VALUES (1)", connection)
    for sql in (
        "DELETE FROM kept",
        "ANALYZE DELETE FROM kept",
        "SELECT 1; DELETE FROM kept",
        "(ANALYZE) DELETE FROM kept",
    ):
        jupyter.ask("POST", "explain", {"connection": connection, "sql": sql})
    assert jupyter.run("SELECT * FROM kept", connection).rows == 1


def test_what_the_database_says_of_a_mistake_is_answered(jupyter: Jupyter):
    answer = jupyter.ask("POST", "explain", {"connection": "lake", "sql": "SELECT nope FROM planned"})
    assert answer.status == 400 and "nope" in answer.error["message"]


def test_a_plan_holds_no_session_of_the_core_open(jupyter: Jupyter):
    jupyter.run("SELECT 1", "lake")
    for _ in range(2):
        jupyter.do("POST", "explain", {"connection": "lake", "sql": "SELECT 1"})
    assert jupyter.get("info")["clients"] == 1  # the notebook


@pytest.mark.parametrize(("engine", "plan_of"), [("postgresql", "Seq Scan on planned"), ("mariadb", "planned")])
def test_servers_plan_queries_and_changes_and_run_neither(
    jupyter: Jupyter, request: pytest.FixtureRequest, engine: str, plan_of: str
):
    server = request.getfixturevalue(engine)
    jupyter.do("POST", "connections", {"name": engine, "url": server.url, "tier": "memory"})
    try:
        jupyter.run("CREATE TABLE planned (i INTEGER)", engine)
        jupyter.run("INSERT INTO planned VALUES (1)", engine)
        for sql in (
            "SELECT * FROM planned",
            "(SELECT i FROM planned)",
            "WITH x AS (SELECT i FROM planned) SELECT * FROM x",
        ):
            assert plan_of in jupyter.do("POST", "explain", {"connection": engine, "sql": sql})["text"]
        answer = jupyter.ask("POST", "explain", {"connection": engine, "sql": "DELETE FROM planned"})
        assert plan_of in answer.json["text"] if engine == "postgresql" else "read-only" in answer.error["hint"]
        assert jupyter.run("SELECT * FROM planned", engine).rows == 1
    finally:
        jupyter.run("DROP TABLE planned", engine)
        jupyter.do("DELETE", f"connections/{engine}")

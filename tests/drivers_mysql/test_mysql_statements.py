"""Statements of every kind, and what a session is like after each: nothing left on the wire."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from tusk_jupyter.driverkit.session import BATCH_ROWS, Changed, Transaction
from tusk_jupyter.errors import QueryError, TimeoutExceeded, UsageError


@pytest.fixture
def people(client):
    client.run("CREATE OR REPLACE TABLE people (id INT PRIMARY KEY, name VARCHAR(40)) ENGINE=InnoDB")
    client.run("INSERT INTO people VALUES (1, 'Ada'), (2, 'Bob')")
    yield client
    client.run("DROP TABLE IF EXISTS people")


# --- kinds ---


@pytest.mark.parametrize(
    ("sql", "affected"),
    [
        ("INSERT INTO people VALUES (3, 'Cy'), (4, 'Di')", 2),
        ("UPDATE people SET name = 'Eve' WHERE id = 1", 1),
        ("UPDATE people SET name = 'Ada' WHERE id = 1", 0),
        ("UPDATE people SET name = 'x' WHERE id = 99", 0),
        ("DELETE FROM people", 2),
        ("REPLACE INTO people VALUES (1, 'Eve')", 2),
        ("INSERT INTO people VALUES (1, 'x') ON DUPLICATE KEY UPDATE name = 'x'", 2),
        ("CREATE TEMPORARY TABLE copied AS SELECT * FROM people", 2),
        ("CREATE TEMPORARY TABLE fresh (n INT)", None),
        ("SET @x = 1", None),
        ("USE tusk", None),
        ("START TRANSACTION", None),
        ("DO 1", None),
        ("SELECT 1 INTO @x", 1),
    ],
)
def test_changed_rows_are_counted_as_the_server_counts(people, sql, affected):
    outcome = people.run(sql)
    assert isinstance(outcome, Changed)
    assert outcome.affected == affected


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW TABLES",
        "DESCRIBE people",
        "EXPLAIN SELECT * FROM people",
        "VALUES (1), (2)",
        "CHECK TABLE people",
        "SHOW CREATE TABLE people",
        "ANALYZE TABLE people",
        "(SELECT 1)",
    ],
)
def test_statements_that_show_something_yield_rows(people, sql):
    rows = people.rows(sql)
    assert sum(batch.num_rows for batch in rows.batches) >= 1
    assert list(rows.notes()) == []


def test_returning_yields_and_counts(people):
    rows = people.rows("INSERT INTO people VALUES (3, 'Cy'), (4, 'Di') RETURNING id, name")
    assert [batch.to_pylist() for batch in rows.batches] == [[{"id": 3, "name": "Cy"}, {"id": 4, "name": "Di"}]]
    assert rows.affected() == 2
    rows = people.rows("DELETE FROM people WHERE id > 2 RETURNING id")
    assert [value for batch in rows.batches for value in batch.column(0).to_pylist()] == [3, 4]
    assert rows.affected() == 2


def test_returning_that_nobody_reads_still_changes(people):
    rows = people.rows("INSERT INTO people SELECT seq, 'x' FROM seq_10_to_300010 RETURNING id")
    next(rows.batches)
    rows.batches.close()
    assert people.value("SELECT COUNT(*) FROM people") == 300_003


# --- procedures ---


def test_call_gives_the_last_of_several_results_and_notes_the_others(client):
    client.run(
        "CREATE OR REPLACE PROCEDURE three() BEGIN SELECT 1 AS a; SELECT 'x' AS b, 2 AS c; SELECT seq FROM seq_1_to_100000; END"
    )
    rows = client.rows("CALL three()")
    assert rows.schema.names == ["seq"]
    assert sum(batch.num_rows for batch in rows.batches) == 100_000
    assert any("3 results" in note for note in rows.notes())
    assert client.value("SELECT 5") == 5


def test_call_without_a_result_is_a_change(people):
    people.run("CREATE OR REPLACE PROCEDURE rename_all() UPDATE people SET name = 'x'")
    assert people.run("CALL rename_all()") == Changed(affected=2, notes=[])


def test_call_that_fails_after_its_first_result_fails(client):
    client.run("CREATE OR REPLACE PROCEDURE half() BEGIN SELECT 1 AS a; SELECT * FROM no_such_table; END")
    with pytest.raises(QueryError) as caught:
        client.run("CALL half()")
    assert caught.value.scenario == "undefined_table"
    assert client.value("SELECT 5") == 5


def test_call_that_is_refused_half_way_leaves_the_wire_clean(client):
    client.run("CREATE OR REPLACE PROCEDURE two() BEGIN SELECT 1 AS a; SELECT 2 AS a; END")
    for _ in range(5):
        client.rows("CALL two()").batches.close()
        assert client.value("SELECT 5") == 5


def test_compound_statement(client):
    rows = client.rows("BEGIN NOT ATOMIC SELECT 1 AS a; SELECT 2 AS b; END")
    assert [batch.to_pylist() for batch in rows.batches] == [[{"b": 2}]]


def test_multi_statement_text_is_refused_by_the_server(client):  # C-20: only the splitter makes statements
    from tusk_jupyter.sqltext.statements import Statement

    text = "SELECT 1; DROP TABLE IF EXISTS people"
    with pytest.raises(QueryError) as caught:
        client.session.execute(Statement(text=text, start=0, command="SELECT"), {})
    assert caught.value.scenario == "syntax"


def test_local_infile_is_off(client, tmp_path):
    (tmp_path / "data.csv").write_text("1\n")
    client.run("CREATE TEMPORARY TABLE loaded (n INT)")
    with pytest.raises(QueryError) as caught:
        client.run(f"LOAD DATA LOCAL INFILE '{tmp_path / 'data.csv'}' INTO TABLE loaded")
    assert "upload" in (caught.value.hint or "").lower() or "--persist" in (caught.value.hint or "")
    assert client.value("SELECT COUNT(*) FROM loaded") == 0


# --- warnings ---


def test_warnings_are_notes(client):
    rows = client.rows("SELECT 1/0 AS a, CAST('x1' AS INT) AS b")
    assert [batch.to_pylist() for batch in rows.batches] == [[{"a": None, "b": 0}]]
    assert [note.split(":")[0] for note in rows.notes()] == ["Warning 1365", "Warning 1292"]


def test_many_warnings_are_counted(client):
    client.run("SET sql_mode = ''")
    client.run("CREATE TEMPORARY TABLE narrow (n TINYINT)")
    changed = client.run("INSERT INTO narrow SELECT seq + 1000 FROM seq_1_to_50")
    assert changed.affected == 50
    assert len(changed.notes) == 4
    assert changed.notes[-1].startswith("47 further warnings")


# --- what a statement before leaves for the next ---


def test_row_count_and_warnings_can_be_asked_for_by_the_user(people):
    people.run("UPDATE people SET name = 'x'")
    assert people.value("SELECT ROW_COUNT()") == 2
    people.rows("SELECT 1/0").batches.close()
    assert people.values("SHOW WARNINGS") != []
    people.run("CREATE TEMPORARY TABLE counted (n INT AUTO_INCREMENT PRIMARY KEY)")
    people.run("INSERT INTO counted VALUES (), ()")
    assert people.value("SELECT LAST_INSERT_ID()") == 1
    list(people.rows("SELECT SQL_CALC_FOUND_ROWS * FROM people LIMIT 1").batches)
    assert people.value("SELECT FOUND_ROWS()") == 2


def test_prepared_statements_are_forgotten(client):
    before = int(client.table("SHOW SESSION STATUS LIKE 'Prepared_stmt_count'").column(1)[0].as_py())
    client.run("CREATE TEMPORARY TABLE floats (f FLOAT)")
    for _ in range(20):
        client.values("SELECT f FROM floats")
        client.values("SELECT * FROM seq_1_to_3")
        client.rows("SELECT f FROM floats, seq_1_to_100000").batches.close()
    after = int(client.table("SHOW SESSION STATUS LIKE 'Prepared_stmt_count'").column(1)[0].as_py())
    assert after <= before


def test_question_mark_is_no_parameter(client):
    with pytest.raises(QueryError) as caught:
        client.run("SELECT ? FROM seq_1_to_2")
    assert caught.value.scenario == "syntax"
    assert client.value("SELECT '?' FROM seq_1_to_1") == "?"


def test_next_statement_closes_a_result_that_nobody_closed(client):
    rows = client.rows("SELECT seq FROM seq_1_to_1000000")
    next(rows.batches)
    assert client.value("SELECT 5") == 5
    assert list(rows.batches) == []


# --- half-read results ---


@pytest.mark.parametrize("taken", [0, 1, 3])
@pytest.mark.parametrize(
    "sql", ["SELECT * FROM seq_1_to_5000000", "SELECT seq, REPEAT('x', 20000), SLEEP(0.01) FROM seq_1_to_10000"]
)
def test_half_read_result_leaves_the_transaction_as_it_was(people, taken, sql):
    people.run("START TRANSACTION")
    people.run("INSERT INTO people VALUES (3, 'Cy')")
    rows = people.rows(sql)
    for _ in range(taken):
        next(rows.batches)
    rows.batches.close()
    assert people.session.transaction is Transaction.OPEN
    assert people.value("SELECT COUNT(*) FROM people") == 3
    people.run("ROLLBACK")
    assert people.value("SELECT COUNT(*) FROM people") == 2


def test_batches_are_bounded_and_the_first_one_does_not_wait_for_the_second(client):
    rows = client.rows("SELECT seq, REPEAT('x', 20000) AS x, IF(seq > 10, SLEEP(30), 0) AS s FROM seq_1_to_100")
    first = next(rows.batches)  # would wait for 30 s were a full block awaited
    assert first.num_rows >= 1
    rows.batches.close()
    sizes = [batch.num_rows for batch in client.rows("SELECT 1 FROM seq_1_to_200000").batches]
    assert sum(sizes) == 200_000
    assert max(sizes) <= BATCH_ROWS


# --- parameters ---


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,PIPES_AS_CONCAT"])
@pytest.mark.parametrize("text", ["\\", "\\'", "' OR 1=1 -- ", "a\\\nb", "%s %(x)s %%", ":other", '"', "\0\x1a"])
def test_escaping_follows_the_sql_mode(client, mode, text):
    client.run("SET sql_mode = :mode", mode=mode)
    assert client.value("SELECT :text", text=text) == text
    assert client.value("SELECT HEX(:text)", text=text) == text.encode().hex().upper()


def test_list_binds_as_a_row(client):
    assert client.values("SELECT seq FROM seq_1_to_9 WHERE seq IN :ids", ids=[2, 4, 99]) == [2, 4]
    assert client.values("SELECT 'it''s' IN :words", words=["it's", None]) == [1]
    assert client.value("SELECT 1 IN :ids", ids=[]) == 0
    assert client.run("SELECT :tags, 1 IN (:tags)", tags=["a", "ä"]).schema.names == [":tags", "1 IN (:tags)"]


def test_missing_parameter_names_itself_and_what_is_given(client):
    with pytest.raises(UsageError, match=r":there.*given: here"):
        client.run("SELECT :there", here=1)


def test_moment_is_compared_in_the_sessions_time_zone(client):
    client.run("SET time_zone = '+05:30'")
    client.run("CREATE TEMPORARY TABLE moments (t TIMESTAMP NULL)")
    client.run("INSERT INTO moments VALUES (:at)", at=datetime(2024, 1, 1, 12, tzinfo=UTC))
    assert client.value("SELECT COUNT(*) FROM moments WHERE t = :at", at=datetime(2024, 1, 1, 12, tzinfo=UTC)) == 1
    assert client.value("SELECT UNIX_TIMESTAMP(t) FROM moments") == 1704110400
    with pytest.raises(UsageError, match="1970"):
        client.run("SELECT :at", at=datetime(1950, 1, 1, tzinfo=UTC))


# --- errors ---


@pytest.mark.parametrize(
    ("sql", "code", "scenario", "token"),
    [
        ("SELEC 1", "1064", "syntax", "SELEC"),
        ("SELECT 1 +", "1064", "syntax", "+"),
        ("SELECT 1\nFROM people\nWHER id = 1", "1064", "syntax", "id"),
        ("SELECT '" + "x" * 200 + "' FRM people WHERE '" + "y" * 200 + "' = 1", "1064", "syntax", "people"),
        ("SELECT * FROM tusk.nobody", "1146", "undefined_table", "tusk.nobody"),
        ("SELECT * FROM no_such_table", "1146", "undefined_table", "no_such_table"),
        ("SELECT id, nope FROM people", "1054", "undefined_column", "nope"),
        ("SELECT 'nope', /* nope */ nope + 1 FROM people", "1054", "undefined_column", "nope + 1"),
        ("INSERT INTO people VALUES (1, 'x')", "1062", "constraint", None),
        ("INSERT INTO people VALUES (NULL, 'x')", "1048", "constraint", None),
        ("SELECT * FROM mysql.user", "1142", "permission", None),
    ],
)
def test_errors_have_code_scenario_and_place(people, sql, code, scenario, token):  # TK-34
    with pytest.raises(QueryError) as caught:
        people.run(sql)
    error = caught.value
    assert (error.code, error.scenario) == (code, scenario)
    if token:
        assert error.position is not None
        assert sql[error.position :].startswith(token)


def test_error_in_mid_stream_is_an_error(client):
    client.run("CREATE TEMPORARY TABLE late (n INT, g VARCHAR(20))")
    client.run("INSERT INTO late SELECT seq, IF(seq = 150000, 'no json', '{}') FROM seq_1_to_150000")
    sql = "SELECT n, IF(g = '{}', 1, (SELECT seq FROM seq_1_to_2)) AS v FROM late"
    rows = client.rows(sql)
    with pytest.raises(QueryError) as caught:
        list(rows.batches)
    assert caught.value.code == "1242"
    assert client.value("SELECT 5") == 5


def test_deadlock_ends_the_transaction_and_is_named(people, connect):
    other = connect()
    for session in (people, other):
        session.run("SET innodb_lock_wait_timeout = 20")
        session.run("START TRANSACTION")
    people.run("UPDATE people SET name = 'a' WHERE id = 1")
    other.run("UPDATE people SET name = 'b' WHERE id = 2")
    failed = []

    def cross(session, key):
        try:
            session.run(f"UPDATE people SET name = 'c' WHERE id = {key}")
        except QueryError as exc:
            failed.append((session, exc))

    threads = [threading.Thread(target=cross, args=pair) for pair in ((people, 2), (other, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((victim, error),) = failed
    assert (error.code, error.scenario) == ("1213", "deadlock")
    assert victim.session.transaction is Transaction.IDLE
    for session in (people, other):
        session.run("ROLLBACK")


def test_reset_forgets_settings_and_keeps_what_signing_in_set(client):
    client.run("SET @x = 1")
    client.run("SET autocommit = 0")
    client.run("CREATE TEMPORARY TABLE scratch (n INT)")
    client.run("START TRANSACTION")
    client.session.reset()
    assert client.session.transaction is Transaction.IDLE
    assert client.value("SELECT @x") is None
    assert client.value("SELECT @@autocommit") == 1
    assert client.value("SELECT @@character_set_client") == "utf8mb4"
    assert client.value("SELECT DATABASE()") == "tusk"


@pytest.mark.parametrize(
    "sql",
    [
        "SET NAMES gbk",
        "SET character_set_client = latin1",
        "SET CHARACTER SET sjis",
        "SET character_set_results = latin1",
        "SET character_set_results = NULL",
        "SET character_set_connection = latin1",
        "SET NAMES utf8",
        "/*!40101 SET NAMES utf8 */",
        "/*!40101 SET character_set_client = utf8mb3 */",
        "EXECUTE IMMEDIATE 'SET NAMES gbk'",
        "BEGIN NOT ATOMIC SET NAMES gbk; END",
    ],
)
def test_character_set_that_would_break_escaping_or_reading_is_undone_with_a_note(client, sql):
    outcome = client.run(sql)
    notes = outcome.notes() if callable(outcome.notes) else outcome.notes
    assert any("keeps to utf8mb4" in note and "was undone" in note for note in notes)
    assert client.value("SELECT :text", text="縗' é 🦆") == "縗' é 🦆"
    assert client.value("SELECT 'é 🦆'") == "é 🦆"


def test_a_set_that_keeps_the_character_set_is_told_nothing(client):
    for sql in ("SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SET @a = 1", "SET @saved = @@character_set_client"):
        assert list(client.run(sql).notes) == []
    assert client.value("SELECT @@collation_connection") == "utf8mb4_bin"


@pytest.mark.parametrize("method", ["tree", "describe", "reset", "upload", "set_read_only", "close"])
def test_session_can_do_anything_while_a_result_is_half_read(people, method):
    import pyarrow as pa

    rows = people.rows("SELECT seq FROM seq_1_to_3000000")
    next(rows.batches)
    match method:
        case "tree":
            assert people.session.tree([])
        case "describe":
            assert people.session.describe(["people"]).columns
        case "reset":
            people.session.reset()
        case "upload":
            people.session.upload(["people"], pa.table({"id": [7]}).to_reader(), append=True)
        case "set_read_only":
            people.session.set_read_only(True)
            people.session.set_read_only(False)
        case "close":
            people.session.close()
            people.session = type(people.session).connect(people.settings)
    assert list(rows.batches) == []
    assert people.value("SELECT 5") == 5


def test_a_query_behind_set_statement_gives_its_rows_or_its_error(client):  # V6
    sets = "SET STATEMENT max_statement_time = {} FOR {}"
    assert client.values(sets.format(10, "SELECT 1 AS a UNION SELECT 2")) == [1, 2]
    assert client.values(sets.format(10, "SELECT seq FROM seq_1_to_100000"))[-1] == 100_000
    with pytest.raises(TimeoutExceeded):
        client.values(sets.format(0.1, "SELECT SLEEP(600)"))
    with pytest.raises(QueryError, match="more than 1 row"):
        client.values(sets.format(10, "SELECT (SELECT seq FROM seq_1_to_2) FROM seq_1_to_3"))
    assert "latin1 was undone" in "".join(client.run("SET NAMES latin1").notes)
    assert client.value("SELECT 1") == 1

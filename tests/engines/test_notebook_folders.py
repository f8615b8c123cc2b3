"""Relative paths in SQL begin at the notebook's folder: what it writes stays there, what it reads is its own."""

from __future__ import annotations

import os
import shutil
import threading

import duckdb
import pytest
from services import processes_of, wait_until

from tusk_jupyter import errors
from tusk_jupyter.protocol import control

pytestmark = pytest.mark.home("shared")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Two folders, each with files of its own; the notebook is in the first."""
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "x.csv").write_text(f"a,b\n1,{name}\n2,{name}\n")
        (folder / "x.json").write_text(f'{{"b": "{name}"}}')
        (folder / f"part-{name}.csv").write_text(f"a,b\n1,{name}\n2,{name}\n")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def there(here):
    return here.parent / "there"


def names(folder):
    return sorted(one.name for one in folder.iterdir())


DUCKDB_WRITES = (
    ("COPY (SELECT 1 AS n) TO 'out.csv'", "out.csv"),
    ("COPY (SELECT 1 AS n) TO './out.parquet'", "out.parquet"),
    ("COPY (SELECT range AS n FROM range(10)) TO 'out' (FORMAT parquet, PER_THREAD_OUTPUT)", "out"),
    ("COPY (SELECT 1 AS n) TO 'hive' (FORMAT csv, PARTITION_BY n, WRITE_PARTITION_COLUMNS)", "hive"),
    ("EXPORT DATABASE 'exported'", "exported"),
    ("ATTACH 'o.duckdb'; CREATE TABLE o.t AS SELECT 1 AS n; CHECKPOINT o", "o.duckdb"),
    ("ATTACH '../here/p.duckdb' AS p; CREATE TABLE p.t AS SELECT 1 AS n; CHECKPOINT p", "p.duckdb"),
)
DUCKDB_READS = (
    "SELECT b FROM 'x.csv' LIMIT 1",
    "SELECT b FROM './x.csv' LIMIT 1",
    "SELECT b FROM '../{name}/x.csv' LIMIT 1",
    "SELECT b FROM 'part-*.csv' LIMIT 1",
    "SELECT b FROM 'x.json'",
    "SELECT trim(string_split(content, ',')[-1], chr(10)) FROM read_text('x.csv')",
    "SET VARIABLE f = 'x.csv'; SELECT b FROM read_csv(getvariable('f')) LIMIT 1",
    "CREATE OR REPLACE TEMP TABLE l (a INTEGER, b VARCHAR); COPY l FROM 'x.csv'; SELECT b FROM l LIMIT 1",
    "CREATE OR REPLACE TEMP VIEW v AS FROM 'x.csv'; SELECT b FROM v LIMIT 1",
    "CREATE OR REPLACE TEMP MACRO m(f) AS TABLE SELECT b FROM read_csv(f); SELECT b FROM m('x.csv') LIMIT 1",
)


@pytest.mark.home("own")
def test_what_duckdb_writes_is_in_the_notebooks_folder_when_its_process_has_ended(duckdb_engine, here):  # V26
    before = names(here)
    duckdb_engine.run("CREATE TABLE t AS SELECT 7 AS n")
    for sql, _ in DUCKDB_WRITES:
        duckdb_engine.run(sql)
    duckdb_engine.client.call(control.StopCore())
    duckdb_engine.client.link.forget()
    wait_until(lambda: not processes_of(duckdb_engine.client.link.places.home), 15.0, "core and driver have ended")
    assert names(here) == sorted([*before, *(name for _, name in DUCKDB_WRITES)])
    with duckdb.connect() as other:
        assert other.sql("SELECT n FROM 'out.csv'").fetchall() == [(1,)]
        assert other.sql("ATTACH 'o.duckdb'; SELECT n FROM o.t").fetchall() == [(1,)]
        assert other.sql("IMPORT DATABASE 'exported'; SELECT n FROM t").fetchall() == [(7,)]


def test_what_duckdb_reads_is_the_notebooks_own(duckdb_engine, here):
    for sql in DUCKDB_READS:
        assert duckdb_engine.value(sql.format(name="here")) == "here", sql
    assert duckdb_engine.value("SELECT filename FROM read_csv('x.csv', filename = true)") == "x.csv", (
        "as DuckDB says it"
    )


@pytest.mark.home("own")
def test_sqlite_attaches_and_copies_in_the_notebooks_folder(sqlite_engine, here):  # V26
    sqlite_engine.run("CREATE TABLE t (n); INSERT INTO t VALUES (1); ATTACH 'o.db' AS o; CREATE TABLE o.t (n)")
    sqlite_engine.run("VACUUM INTO 'copy.db'; ATTACH 'file:p.db?mode=rwc' AS p; CREATE TABLE p.t (n)")
    assert {"o.db", "copy.db", "p.db"} <= set(names(here))
    sqlite_engine.client.call(control.StopCore())
    sqlite_engine.client.link.forget()
    wait_until(lambda: {"o.db", "copy.db", "p.db"} <= set(names(here)), 5.0, "all are still there")


def test_a_change_of_folder_counts_from_the_next_run_on(duckdb_engine, sqlite_engine, here, there):
    duckdb_engine.run("COPY (SELECT 1) TO 'a.csv'")
    sqlite_engine.run("VACUUM INTO 'a.db'")
    os.chdir(there)
    duckdb_engine.run("COPY (SELECT 1) TO 'b.csv'")
    sqlite_engine.run("VACUUM INTO 'b.db'")
    assert {"a.csv", "a.db"} <= set(names(here))
    assert {"b.csv", "b.db"} <= set(names(there))
    assert duckdb_engine.value("SELECT b FROM 'x.csv' LIMIT 1") == "there"


def test_notebooks_in_two_folders_on_one_file_each_read_their_own(duckdb_engine, second_client, here, there):  # V26
    def both(sql):
        first = duckdb_engine.value(sql.format(name="here"), folder=str(here))
        second = duckdb_engine.value(sql.format(name="there"), folder=str(there), client=second_client)
        return first, second

    for sql in DUCKDB_READS:
        assert both(sql) == ("here", "there"), sql
    duckdb_engine.run("CREATE VIEW shared AS FROM 'x.csv'", folder=str(here))
    assert both("SELECT b FROM shared LIMIT 1") == ("here", "there")
    wrong = []

    def read(client, folder):
        for _ in range(40):
            if duckdb_engine.value("SELECT max(b) FROM 'part-*.csv'", client=client, folder=str(folder)) != folder.name:
                wrong.append(folder)

    threads = [
        threading.Thread(target=read, args=pair) for pair in ((duckdb_engine.client, here), (second_client, there))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_notebooks_in_two_folders_write_nothing_to_a_wrong_place(duckdb_engine, second_client, here, there, tmp_path):
    duckdb_engine.run("SELECT 1", folder=str(there), client=second_client)
    before = {folder: names(folder) for folder in (here, there, tmp_path)}
    for sql, _ in DUCKDB_WRITES:
        with pytest.raises(errors.QueryError) as caught:
            duckdb_engine.run(sql, folder=str(here))
        assert "absolute path" in caught.value.hint, sql
        assert str(there) in caught.value.hint
    with pytest.raises(errors.QueryError):
        duckdb_engine.run("FROM 'part-there.csv'", folder=str(here))
    assert {folder: names(folder) for folder in (here, there, tmp_path)}.items() >= {
        here: before[here], there: before[there]
    }.items()  # fmt: skip
    duckdb_engine.run(f"COPY (SELECT 1) TO '{here}/absolute.csv'", folder=str(here))
    assert "absolute.csv" in names(here)
    duckdb_engine.run("SELECT 1", folder=str(here), client=second_client)  # the other one came here
    duckdb_engine.run("COPY (SELECT 1) TO 'again.csv'", folder=str(here))
    assert "again.csv" in names(here)


def test_a_search_path_of_the_users_own_stays(duckdb_engine, second_client, here, there):
    duckdb_engine.run(f"SET file_search_path = '{there}'", folder=str(here))
    duckdb_engine.run("SELECT 1", folder=str(there), client=second_client)
    assert duckdb_engine.value("SELECT b FROM 'part-there.csv' LIMIT 1", folder=str(here)) == "there"
    duckdb_engine.run("RESET file_search_path", folder=str(here))
    assert duckdb_engine.value("SELECT b FROM 'part-here.csv' LIMIT 1", folder=str(here)) == "here"


@pytest.mark.parametrize("name", ["a,b", "a[1]", "q'q", "st*r"])
def test_a_folder_with_a_strange_name_reads_no_other(duckdb_engine, second_client, here, there, name):
    odd, twin = here.parent / name, here.parent / "a1"
    for folder in (odd, twin):
        folder.mkdir()
        (folder / "only.csv").write_text(f"b\n{folder.name}\n")
    assert duckdb_engine.value("SELECT b::VARCHAR FROM read_csv('only.csv', delim = ';')", folder=str(odd)) == name
    duckdb_engine.run("SELECT 1", folder=str(there), client=second_client)
    with pytest.raises(errors.QueryError) as caught:
        duckdb_engine.run("FROM 'only.csv'", folder=str(odd))
    assert "absolute path" in caught.value.hint


MADE_HERE = {
    "view": ("CREATE OR REPLACE VIEW far AS FROM '{path}'", "SELECT b FROM far LIMIT 1"),
    "macro": ("CREATE OR REPLACE MACRO fars() AS TABLE FROM '{path}'", "SELECT b FROM fars() LIMIT 1"),
    "variable": ("SELECT 1", "SET VARIABLE f = '{path}'; SELECT b FROM read_csv(getvariable('f')) LIMIT 1"),
}


@pytest.mark.parametrize("path", ["part-h*.csv", "part-here.csv"])
@pytest.mark.parametrize("kind", MADE_HERE)
def test_a_relative_path_of_another_notebooks_view_is_told_with_the_folder_of_this_one(
    duckdb_engine, here, there, kind, path
):
    make, read = (one.format(path=path) for one in MADE_HERE[kind])
    duckdb_engine.run(make)
    assert duckdb_engine.value(read) == "here"
    with pytest.raises(errors.QueryError) as caught:
        duckdb_engine.run(read, folder=str(there))
    assert path in caught.value.message
    assert f"{path} is a relative path in a view, a macro or a variable" in caught.value.hint
    assert f"here {there}." in caught.value.hint
    assert "Write the absolute path there" in caught.value.hint
    make, read = (one.format(path=here / path) for one in MADE_HERE[kind])
    duckdb_engine.run(make)
    assert duckdb_engine.value(read, folder=str(there)) == "here"
    with pytest.raises(errors.QueryError) as caught:
        duckdb_engine.run("FROM '/no/such/x.csv'")
    assert caught.value.hint == "Check the path.", "it is not relative to any folder"


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_folder_that_is_gone_is_said(kind, here, request):
    engine = request.getfixturevalue(f"{kind}_engine")
    write = {"duckdb": "COPY (SELECT 1) TO 'o.csv'", "sqlite": "VACUUM INTO 'o.db'"}[kind]
    engine.run("SELECT 1")
    shutil.rmtree(here)
    with pytest.raises(errors.QueryError) as caught:
        engine.run(write)
    assert "is gone" in caught.value.hint
    here.mkdir()
    os.chdir(here)
    engine.run(write)
    assert len(names(here)) == 1, "a folder made anew is another one, under the same name"
    os.chdir(here.parent)


def test_a_run_without_a_folder_writes_nowhere(duckdb_engine):
    with pytest.raises(errors.QueryError) as caught:
        duckdb_engine.run("COPY (SELECT 1) TO 'o.csv'", kind="tool")
    assert "absolute path" in caught.value.hint


def test_a_statement_with_files_keeps_its_folder_and_others_wait_or_are_told(duckdb_engine, second_client, here, there):
    busy = f"COPY ({duckdb_engine.long}) TO 'o.csv'"

    def write():
        with pytest.raises(errors.Cancelled):
            duckdb_engine.run(busy, folder=str(here))

    writer = threading.Thread(target=write)
    writer.start()
    (run,) = wait_until(lambda: duckdb_engine.client.call(control.ListRuns()).runs, 10.0, "it runs")
    told = []

    def read():
        told.append(duckdb_engine.value("SELECT b FROM 'x.csv' LIMIT 1", folder=str(there), client=second_client))

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: len(duckdb_engine.client.call(control.ListRuns()).runs) == 2, 10.0, "the other one waits")
    duckdb_engine.client.call(control.CancelRun(run=run.run))
    writer.join(20)
    reader.join(20)
    assert told == ["there"]

"""Headings are what the user wrote: MySQL gets values as literals, and names columns after the text that it gets."""

from __future__ import annotations

import pytest

from tusk_jupyter.errors import UsageError

VALUES = ["hunter2secret", "hunter2'sec\\ret", "hunter2🦆", " hunter2 ", "hunter2" * 200]


@pytest.mark.parametrize(
    ("sql", "headings"),
    [
        ("SELECT length(:password)", ["length(:password)"]),
        ("SELECT  /* c */ concat( 'a' , :password ), 1 -- c", ["concat( 'a' , :password )", "1"]),
        ("SELECT :password", [":password"]),
        ("SELECT (SELECT :password), :password AS p", ["(SELECT :password)", "p"]),
        ("SELECT * FROM (SELECT upper(:password), 1 AS name) t", ["upper(:password)", "name"]),
        ("SELECT * FROM (SELECT :password UNION ALL SELECT 'x') t", [":password"]),
        ("BEGIN NOT ATOMIC SELECT hex(:password); END", ["hex(:password)"]),
        ("SELECT cast(1.5 AS FLOAT), hex(:password)", ["cast(1.5 AS FLOAT)", "hex(:password)"]),
    ],
)
def test_a_heading_is_what_was_written(client, sql, headings):
    for value in VALUES:
        rows = client.rows(sql, password=value)
        assert rows.schema.names == headings
        assert "hunter2" not in " ".join([*list(rows.batches)[-1].schema.names, *rows.notes()])


def test_no_name_of_a_secret_no_matter_how_the_server_writes_it(client):
    assert "hunter2" not in client.rows("SELECT :password 'x'", password="hunter2secret").schema.names[0]


def test_numbers_are_told_apart_by_their_order(client):
    assert client.rows("SELECT 5, :n, :n+1, -:n", n=5).schema.names == ["5", ":n", ":n+1", "-:n"]


def test_a_tables_column_keeps_its_name_when_a_value_is_the_same(client):
    client.run("CREATE TEMPORARY TABLE kept (password INT, b INT)")
    rows = client.rows("SELECT *, :a FROM kept WHERE :password <> 'x'", password="password", a="b")
    assert rows.schema.names == ["password", "b", ":a"]


@pytest.mark.parametrize("value", ["hunter2secret", b"hunter2secret", 77777])
def test_a_new_table_has_no_column_that_is_named_after_a_secret(client, value):
    client.run(
        "CREATE OR REPLACE TABLE made AS SELECT concat('a', :password), :password AS p, :n AS n", password=value, n=1
    )
    try:
        made = client.table("SELECT * FROM made")
        assert made.schema.names == ["concat('a',?)", "p", "n"] or made.schema.names == ["concat('a', ?)", "p", "n"]
        assert made.column("p").to_pylist() == [value]
        assert made.column("n").to_pylist() == [1]
    finally:
        client.run("DROP TABLE made")


def test_a_view_that_would_keep_a_secret_is_refused(client):
    with pytest.raises(UsageError, match=":password"):
        client.run("CREATE VIEW kept_secret AS SELECT concat('a', :password)", password="hunter2secret")

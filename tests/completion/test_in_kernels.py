"""Completion and inspection over the Jupyter protocol, with real databases behind a real core."""

from __future__ import annotations

import pytest
from services.waiting import wait_until

TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, full_name VARCHAR(60) NOT NULL, city VARCHAR(60));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total DECIMAL(10, 2));
CREATE VIEW big_orders AS SELECT * FROM orders WHERE total > 100;
"""


@pytest.fixture(scope="module", params=["duckdb", "sqlite", "postgresql"])
def shop(request, kernel):
    """The name of a connection whose database holds the shop."""
    name = f"shop_{request.param}"
    url = request.getfixturevalue("postgresql").url if request.param == "postgresql" else f"{name}.{request.param}"
    kernel.run(f"import tusk_jupyter as tusk\nc = tusk.connect({name!r}, {url!r}, tier='memory')")
    kernel.run(f"%%sql {name}\n{TABLES}")
    kernel.eventually(f"%%sql {name}\nSELECT * FROM |", "customers")
    return name


def test_tables_and_columns_of_the_database_are_offered(kernel, shop):
    assert kernel.complete(f"%%sql {shop}\nSELECT * FROM cu|")[0] == "customers"
    assert kernel.complete(f"%%sql {shop}\nSELECT o.| FROM orders o") == ["id", "customer_id", "total"]
    assert kernel.complete(f"x = %sql {shop} SELECT full| FROM customers") == ["full_name"]
    assert kernel.complete(f"%%sql {shop}\nWITH c AS (SELECT city AS town FROM customers) SELECT c.| FROM c") == [
        "town"
    ]


def test_a_join_is_offered_by_its_keys(kernel, shop):
    found = kernel.complete(f"%%sql {shop}\nSELECT * FROM customers c JOIN orders o ON |")
    assert found[0] == "c.id = o.customer_id"
    assert kernel.complete(f"%%sql {shop}\nSELECT * FROM customers c JOIN |")[0] == "orders"


def test_frontends_are_told_what_each_candidate_is(kernel, shop):
    kinds = kernel.kinds(f"%%sql {shop}\nSELECT * FROM |")
    assert (kinds["customers"], kinds["big_orders"]) == ("table", "view")
    kinds = kernel.kinds(f"%%sql {shop}\nSELECT | FROM orders")
    assert (kinds["total"], kinds["DISTINCT"]) == ("column", "keyword")
    assert kernel.kinds(f"%%sql {shop}\nSELECT ab| FROM orders")["abs"] == "function"


def test_the_reply_says_what_is_replaced(kernel, shop):
    text = f"%%sql {shop}\nSELECT 1;\nSELECT o.tot| FROM orders o"
    reply = kernel.reply(text)
    code = text.replace("|", "")
    assert code[reply["cursor_start"] : reply["cursor_end"]] == "tot"


def test_a_new_table_is_offered_after_its_statement_ran(kernel, shop):
    assert "late_arrivals" not in kernel.complete(f"%%sql {shop}\nSELECT * FROM late|")
    kernel.run(f"%%sql {shop}\nCREATE TABLE late_arrivals (minutes INTEGER)")
    kernel.eventually(f"%%sql {shop}\nSELECT * FROM late|", "late_arrivals")
    assert kernel.complete(f"%%sql {shop}\nSELECT min| FROM late_arrivals")[0] == "minutes"
    kernel.run(f"%%sql {shop}\nDROP TABLE late_arrivals")
    wait_until(lambda: "late_arrivals" not in kernel.complete(f"%%sql {shop}\nSELECT * FROM late|"), 30)


def test_nothing_is_offered_in_literals_not_even_python_names(kernel, shop):
    kernel.run("from_python = 1")
    assert kernel.complete(f"%%sql {shop}\nSELECT 'fro|' FROM orders") == []
    assert kernel.complete(f"%%sql {shop}\nSELECT 1 -- fro|") == []


def test_inspection_describes_a_table(kernel, shop):
    found = kernel.inspect(f"%%sql {shop}\nSELECT * FROM cust|omers")
    assert "customers · table" in found["text/plain"]
    assert "full_name" in found["text/plain"]
    assert "primary key" in found["text/plain"]
    assert "<td" in found["text/html"]


def test_inspection_finds_a_columns_table_through_its_alias(kernel, shop):
    found = kernel.inspect(f"%%sql {shop}\nSELECT o.customer_|id FROM orders o")["text/plain"]
    assert "orders (as o)" in found
    assert "→ customer_id" in found
    assert "→ customers.id" in found


def test_inspection_of_functions_and_keywords_shows_nothing(kernel, shop):
    assert kernel.inspect(f"%%sql {shop}\nSELECT su|m(total) FROM orders") == {}
    assert kernel.inspect(f"%%sql {shop}\nSEL|ECT max(total) FROM orders") == {}


def test_a_table_with_a_question_mark_is_described(kernel, shop):
    kernel.run(f"%tusk use {shop}")
    assert "full_name" in wait_until(lambda: (out := kernel.run("customers?")) and "full_name" in out and out, 30)
    assert "not found" in kernel.run("no_such_table_or_object?")
    kernel.run("customers = {'a': 1}")
    assert "dict" in kernel.run("customers?")
    kernel.run("del customers")


def test_connections_and_options_are_offered_on_the_magics_line(kernel, shop):
    wait_until(lambda: shop in kernel.complete("%%sql sho|"), 30)
    assert kernel.complete(f"%%sql {shop} --form|") == ["--format"]
    assert kernel.complete(f"%%sql {shop} --format p|") == ["pandas", "polars"]
    assert shop in kernel.complete("%tusk use sho|")
    assert kernel.complete("%tusk conn|") == ["connect", "connections", "disconnect"]  # what begins so comes first


def test_placeholders_are_completed_from_the_notebook(kernel, shop):
    kernel.run("month_wanted = 3\nimport math")
    assert kernel.complete(f"%%sql {shop}\nSELECT * FROM orders WHERE id = :mon|") == ["month_wanted"]
    assert kernel.complete(f"%%sql {shop} --param monday=1\nSELECT :mond|")[0] == "monday"
    assert "math" not in kernel.complete(f"%%sql {shop}\nSELECT :mat|")


def test_python_is_completed_as_ever(kernel):
    kernel.run("some_long_name = 'text'\ndef takes(one_argument): ...")
    assert kernel.complete("some_lo|") == ["some_long_name"]
    assert "upper" in kernel.complete("some_long_name.up|")
    assert "%sql" in kernel.complete("%sq|")
    assert "one_argument=" in kernel.complete("takes(one_a|")
    assert "SELECT" not in kernel.complete("text = 'SELECT * FROM orders WHERE SEL|'")
    assert "text/plain" in kernel.inspect("some_long|_name")


def test_an_unknown_connection_leaves_keywords(kernel):
    assert kernel.complete("%%sql nowhere\nSEL|") == ["SELECT"]
    assert kernel.complete("%%sql nowhere\nWITH a AS (SELECT 1 AS one) SELECT a.| FROM a") == ["one"]


def test_unloading_takes_completion_out_and_loading_puts_it_back(kernel):
    kernel.run("%unload_ext tusk_jupyter")
    assert "SELECT" not in kernel.complete("%%sql\nSEL|")
    assert kernel.run("from IPython import get_ipython as g\n'do_inspect' in vars(g().kernel)") == "False"
    kernel.run("%load_ext tusk_jupyter\n%reload_ext tusk_jupyter")
    assert kernel.complete("%%sql\nSEL|") == ["SELECT"]

"""The tree and the description of tables."""

from __future__ import annotations

import pytest

from tusk_drivers.postgresql import catalog, snapshot
from tusk_jupyter.errors import QueryError
from tusk_jupyter.protocol.driver import ForeignKey, SnapshotColumn

SET_UP = """
DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS "Odd "" Name" CASCADE; CREATE SCHEMA shop;
CREATE SCHEMA "Odd "" Name"; CREATE TABLE "Odd "" Name"."My ""T"" x" ("a b" int PRIMARY KEY, "Ünï" text);
CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY, line int NOT NULL DEFAULT 1, price numeric(12,2),
    placed timestamptz(3) DEFAULT now(), name varchar(20), gone text, PRIMARY KEY (id, line));
ALTER TABLE shop.orders DROP COLUMN gone; COMMENT ON TABLE shop.orders IS 'What was bought';
COMMENT ON COLUMN shop.orders.price IS 'in euros'; CREATE UNIQUE INDEX orders_name ON shop.orders (lower(name), price);
CREATE VIEW shop.cheap AS SELECT * FROM shop.orders; CREATE MATERIALIZED VIEW shop.sums AS SELECT 1 AS n;
CREATE TABLE shop.parts (day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE shop.parts_2024 PARTITION OF shop.parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE DOMAIN shop.sure AS int NOT NULL; CREATE TABLE shop.domains (d shop.sure)
"""


@pytest.fixture
def shop(db):
    db.do(SET_UP)
    yield db
    db.do('DROP SCHEMA shop CASCADE; DROP SCHEMA "Odd "" Name" CASCADE')


def test_the_tree_goes_from_schemas_to_columns(shop):
    session = shop.session
    schemas = [node.name for node in session.tree([])]
    assert schemas[0] == "public"
    assert {"shop", 'Odd " Name'} <= set(schemas)
    assert not {"pg_catalog", "information_schema", "pg_toast"} & set(schemas)
    assert [(node.name, node.kind) for node in session.tree(["shop"])] == [
        ("cheap", "view"), ("domains", "table"), ("orders", "table"), ("parts", "table"), ("sums", "view"),
    ]  # fmt: skip
    columns = session.tree(["shop", "orders"])
    assert [(node.name, node.type, node.nullable, node.primary_key) for node in columns] == [
        ("id", "bigint", False, True), ("line", "integer", False, True), ("price", "numeric(12,2)", True, False),
        ("placed", "timestamp(3) with time zone", True, False), ("name", "character varying(20)", True, False),
    ]  # fmt: skip


def test_schemas_on_the_search_path_come_first(shop):
    shop.do("SET search_path = shop, public")
    assert [node.name for node in shop.session.tree([])][:2] == ["shop", "public"]


def test_a_table_is_described(shop):
    found = shop.session.describe(["shop", "orders"])
    assert (found.kind, found.comment) == ("table", "What was bought")
    assert [column.default for column in found.columns] == [None, "1", None, "now()", None]
    assert [column.comment for column in found.columns][2] == "in euros"
    assert [(index.name, index.columns, index.unique, index.primary) for index in found.indexes] == [
        ("orders_pkey", ("id", "line"), True, True), ("orders_name", ("lower(name::text)", "price"), True, False),
    ]  # fmt: skip
    assert shop.session.describe(["shop", "sums"]).kind == "view"
    assert shop.session.describe(["shop", "domains"]).columns[0].nullable is False


def test_names_are_taken_exactly(shop):
    assert [column.name for column in shop.session.describe(['Odd " Name', 'My "T" x']).columns] == ["a b", "Ünï"]
    assert shop.session.tree(['Odd " Name'])[0].name == 'My "T" x'


def test_a_single_name_is_found_along_the_search_path(shop):
    shop.do("SET search_path = pg_catalog")  # public may hold another test's orders
    with pytest.raises(QueryError) as caught:
        shop.session.describe(["orders"])
    assert caught.value.scenario == "undefined_table"
    shop.do("SET search_path = shop; CREATE TEMP TABLE own (a int)")
    assert len(shop.session.describe(["orders"]).columns) == 5
    assert shop.session.describe(["own"]).columns[0].name == "a"


def test_a_foreign_table_is_a_table(admin):
    admin.do("CREATE EXTENSION IF NOT EXISTS file_fdw; CREATE SERVER IF NOT EXISTS files FOREIGN DATA WRAPPER file_fdw")
    admin.do("CREATE FOREIGN TABLE IF NOT EXISTS far (a int) SERVER files OPTIONS (filename '/dev/null')")
    assert ("far", "table") in [(node.name, node.kind) for node in admin.session.tree(["public"])]
    assert admin.session.describe(["far"]).kind == "table"
    admin.do("DROP SERVER files CASCADE")


def test_a_failed_transaction_is_said_and_an_open_one_is_seen(shop):
    shop.do("BEGIN; CREATE TABLE shop.fresh (a int)")
    assert "fresh" in [node.name for node in shop.session.tree(["shop"])]
    with pytest.raises(QueryError):
        shop.do("SELECT 1/0")
    with pytest.raises(QueryError) as caught:
        shop.session.tree([])
    assert caught.value.scenario == "transaction_failed"
    shop.do("ROLLBACK")


def test_a_thousand_tables_are_listed(db):
    each = "DO $$ BEGIN FOR n IN 1..1000 LOOP EXECUTE format('{} many.t%s {}', n); END LOOP; END $$"
    db.do("CREATE SCHEMA many;" + each.format("CREATE TABLE", "(a int)"))
    try:
        assert len(db.session.tree(["many"])) == 1000
    finally:
        db.do(each.format("DROP TABLE", "") + "; DROP SCHEMA many")


def test_a_snapshot_has_tables_columns_keys_and_the_functions_that_people_call(shop):
    shop.do(
        "CREATE TABLE shop.notes (at int, line int, id bigint, note text, "
        "FOREIGN KEY (id, line) REFERENCES shop.orders (id, line)); CREATE TABLE shop.nothing (); "
        "CREATE FUNCTION shop.twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1'; SET search_path = shop, public"
    )
    found = shop.session.snapshot()
    tables = {one.path: one for one in found.tables}
    assert [path for path in tables if path[0] == "shop"] == [
        ("shop", name) for name in ("cheap", "domains", "notes", "nothing", "orders", "parts", "sums")
    ]
    assert {one.kind for one in tables.values() if one.path[-1] in ("cheap", "sums")} == {"view"}
    assert tables["shop", "nothing"].columns == ()
    orders = tables["shop", "orders"]
    assert orders.comment == "What was bought"
    assert orders.columns[:3] == (
        SnapshotColumn(name="id", type="bigint", nullable=False, primary_key=True),
        SnapshotColumn(name="line", type="integer", nullable=False, primary_key=True),
        SnapshotColumn(name="price", type="numeric(12,2)", nullable=True),
    )
    assert not tables["shop", "domains"].columns[0].nullable
    assert tables["shop", "notes"].foreign_keys == (
        ForeignKey(columns=("id", "line"), table=("shop", "orders"), references=("id", "line")),
    )
    assert found.search_path == (("shop",), ("public",))
    assert {"twice", "lower", "count", "row_number", "date_trunc", "now", "starts_with", "array_append"} <= set(
        found.functions
    )
    assert not {"int4eq", "textout", "btint4cmp", "int4_avg_accum", "RI_FKey_check_ins"} & set(found.functions)


def test_a_snapshot_takes_as_many_queries_for_many_tables_as_for_few(shop, monkeypatch):
    asked = []
    monkeypatch.setattr(snapshot, "ask", lambda *words: asked.append(words) or catalog.ask(*words))
    shop.session.snapshot()
    few = len(asked)
    shop.do("; ".join(f"CREATE TABLE shop.t{n} (a int)" for n in range(30)))
    assert len(shop.session.snapshot().tables) > 30
    assert len(asked) == 2 * few <= 10

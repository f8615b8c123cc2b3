"""The tree and the descriptions of tables."""

from __future__ import annotations

import pytest

from tusk_drivers.mysql.link import Link
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.driver import ForeignKey, SnapshotColumn

STRANGE = [
    "it's",
    "back`tick",
    "per%cent",
    "tab\tname",
    "dot.name",
    "ünïcödé",
    'double"quote',
    "a" * 64,
    "select",
    "x; DROP TABLE y",
]


@pytest.fixture
def shop(client):
    client.run("DROP VIEW IF EXISTS cheap")
    client.run("DROP TABLE IF EXISTS items, makers")
    client.run("CREATE TABLE makers (id INT PRIMARY KEY) ENGINE=InnoDB")
    client.run(
        "CREATE TABLE items (a INT, b VARCHAR(20) NOT NULL DEFAULT 'x' COMMENT 'its \\'name\\'', id INT AUTO_INCREMENT, "
        "price DECIMAL(12,2) UNSIGNED DEFAULT 1.50, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, nothing INT DEFAULT NULL, "
        "PRIMARY KEY (id, a), UNIQUE KEY named (b), KEY two (price, at), "
        "FOREIGN KEY maker (a) REFERENCES makers (id)) ENGINE=InnoDB COMMENT 'all items'"
    )
    client.run("CREATE VIEW cheap AS SELECT id, price FROM items WHERE price < 2")
    yield client
    client.run("DROP VIEW cheap")
    client.run("DROP TABLE items, makers")


def test_root_lists_databases_with_the_servers_own_last(admin):
    nodes = admin.session.tree([])
    assert {node.kind for node in nodes} == {"schema"}
    names = [node.name for node in nodes]
    assert names.index("tusk") < names.index("information_schema") < names.index("mysql")


def test_database_lists_tables_and_views(shop):
    kinds = {node.name: node.kind for node in shop.session.tree(["tusk"])}
    assert (kinds["items"], kinds["cheap"]) == ("table", "view")
    assert {node.kind for node in shop.session.tree(["information_schema"])} == {"view"}


def test_table_lists_columns(shop):
    nodes = {node.name: node for node in shop.session.tree(["tusk", "items"])}
    assert list(nodes) == ["a", "b", "id", "price", "at", "nothing"]
    assert nodes["b"].type == "varchar(20)"
    assert (nodes["b"].nullable, nodes["nothing"].nullable) == (False, True)
    assert [name for name, node in nodes.items() if node.primary_key] == ["a", "id"]


def test_describe_tells_defaults_comments_and_indexes(shop):
    found = shop.session.describe(["tusk", "items"])
    columns = {column.name: column for column in found.columns}
    assert (found.kind, found.comment) == ("table", "all items")
    assert columns["b"].comment == "its 'name'"
    assert columns["b"].default == "'x'"
    assert columns["nothing"].default is None
    assert columns["id"].default == "auto_increment"
    assert (columns["price"].type, columns["price"].default) == ("decimal(12,2) unsigned", "1.50")
    assert [(i.name, i.columns, i.unique, i.primary) for i in found.indexes] == [
        ("PRIMARY", ("id", "a"), True, True),
        ("maker", ("a",), False, False),
        ("named", ("b",), True, False),
        ("two", ("price", "at"), False, False),
    ]


def test_describe_of_a_view(shop):
    found = shop.session.describe(["cheap"])
    assert (found.kind, found.indexes) == ("view", ())
    assert [column.name for column in found.columns] == ["id", "price"]


@pytest.mark.parametrize(
    ("path", "scenario"), [(["tusk", "nothing_here"], "undefined_table"), (["nothing_here"], "undefined_table")]
)
def test_describe_of_nothing(client, path, scenario):
    with pytest.raises(QueryError) as caught:
        client.session.describe(path)
    assert caught.value.scenario == scenario
    assert "nothing_here" in caught.value.message


def test_tree_of_nothing(client):
    with pytest.raises(QueryError) as caught:
        client.session.tree(["nothing_here"])
    assert caught.value.scenario == "no_such_database"
    with pytest.raises(QueryError):
        client.session.tree(["tusk", "nothing_here"])
    with pytest.raises(UsageError):
        client.session.tree(["tusk", "items", "a"])
    with pytest.raises(UsageError):
        client.session.describe([])


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names(client, name):
    quoted = f"`{name.replace('`', '``')}`"
    client.run(f"CREATE TABLE {quoted} ({quoted} INT)")
    try:
        assert name in [node.name for node in client.session.tree(["tusk"])]
        assert [node.name for node in client.session.tree(["tusk", name])] == [name]
        assert [column.name for column in client.session.describe(["tusk", name]).columns] == [name]
        assert client.table(f"SELECT * FROM {quoted}").schema.names == [name]
    finally:
        client.run(f"DROP TABLE {quoted}")


def test_thousand_tables(admin):
    admin.run("CREATE OR REPLACE DATABASE many")
    try:
        admin.run(
            "BEGIN NOT ATOMIC FOR i IN 1..1000 DO "
            "EXECUTE IMMEDIATE CONCAT('CREATE TABLE many.t', i, ' (n INT) ENGINE=MEMORY'); END FOR; END"
        )
        assert len(admin.session.tree(["many"])) == 1000
        assert len(admin.session.tree(["many", "t500"])) == 1
    finally:
        admin.run("DROP DATABASE many")


def test_a_snapshot_has_tables_columns_keys_and_functions_and_not_the_servers_own_databases(shop):
    found = shop.session.snapshot()
    ((database,),) = found.search_path
    tables = {one.path: one for one in found.tables}
    assert not {path[0] for path in tables} & {"mysql", "information_schema", "performance_schema", "sys"}
    items = tables[database, "items"]
    assert (items.kind, items.comment, tables[database, "cheap"].kind) == ("table", "all items", "view")
    assert items.columns[0] == SnapshotColumn(name="a", type="int(11)", nullable=False, primary_key=True)
    assert [column.name for column in items.columns if column.nullable] == ["price", "at", "nothing"]
    assert items.foreign_keys == (
        ForeignKey(columns=("a",), table=(database, "makers"), references=("id",)),
    )  # fmt: skip
    assert {"concat", "date_format", "group_concat"} <= set(found.functions)


def test_a_snapshot_takes_as_many_queries_for_many_tables_as_for_few(shop, monkeypatch):
    asked = []
    real = Link.ask
    monkeypatch.setattr(Link, "ask", lambda *words: asked.append(words) or real(*words))
    shop.session.snapshot()
    few = len(asked)
    try:
        for n in range(20):
            shop.run(f"CREATE TABLE many_{n} (a INT)")
        shop.session.snapshot()
    finally:
        shop.run(f"DROP TABLE IF EXISTS {', '.join(f'many_{n}' for n in range(20))}")
    assert len(asked) == 2 * few <= 14

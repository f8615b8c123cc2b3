"""The tree of a connection and the description of its tables."""

from __future__ import annotations

import pytest

from tusk_jupyter.driverkit.session import Session
from tusk_jupyter.errors import QueryError
from tusk_jupyter.testing.base import ContractBase

KINDS = ("catalog", "schema", "table", "view", "column")


class SchemaContract(ContractBase):
    """Tree and describe."""

    def test_tree_leads_to_a_table_and_its_columns(self, session: Session, table: str) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        columns = session.tree(self.path_of(session, table))
        assert [(node.name, node.kind) for node in columns] == [("i", "column"), ("t", "column")]
        assert all(node.type for node in columns)

    def test_tree_knows_only_the_protocols_kinds(self, session: Session) -> None:
        self.needs("tree")
        for node in session.tree([]):
            assert node.kind in KINDS

    def test_tree_tells_views_from_tables(self, session: Session, table: str) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, f"CREATE VIEW {table}_view AS SELECT i FROM {table}")
        try:
            path = self.path_of(session, f"{table}_view")
            kinds = {node.name: node.kind for node in session.tree(path[:-1])}
            assert (kinds[table], kinds[f"{table}_view"]) == ("table", "view")
        finally:
            self.change(session, f"DROP VIEW {table}_view")

    def test_describe_tells_columns_and_key(self, session: Session, table: str) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        found = session.describe(self.path_of(session, table))
        assert found.kind == "table"
        assert [(c.name, c.nullable, c.primary_key) for c in found.columns] == [("i", False, True), ("t", True, False)]
        assert all(column.type for column in found.columns)

    def test_describe_of_nothing_says_so(self, session: Session, table: str) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        path = self.path_of(session, table)
        with pytest.raises(QueryError) as caught:
            session.describe([*path[:-1], f"{table}_missing"])
        assert caught.value.scenario == "undefined_table"
        assert f"{table}_missing" in caught.value.message

    def test_a_snapshot_has_what_the_tree_has(self, session: Session, table: str) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        path = self.path_of(session, table)
        self.change(session, f"CREATE VIEW {table}_view AS SELECT i FROM {table}")
        try:
            tables = {one.path: one for one in session.snapshot().tables}
            found, view = tables[tuple(path)], tables[(*path[:-1], f"{table}_view")]
            assert (found.kind, view.kind, [column.name for column in view.columns]) == ("table", "view", ["i"])
            for column, node in zip(found.columns, session.tree(path), strict=True):
                assert (column.name, column.type, column.nullable, column.primary_key) == (
                    node.name, node.type, node.nullable, node.primary_key,
                )  # fmt: skip
        finally:
            self.change(session, f"DROP VIEW {table}_view")

    def test_a_snapshots_search_path_leads_to_the_tables_that_need_no_schema(
        self, session: Session, table: str
    ) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        found = session.snapshot()
        if found.search_path:
            assert tuple(self.path_of(session, table)[:-1]) in found.search_path

    def test_hostile_names_can_be_described(self, session: Session, table: str) -> None:
        self.needs("tree")
        self.change(session, self.create_sql.format(table=table))
        path = self.path_of(session, table)
        name = f'{table}\'; "x" `%s` -- '
        self.change(session, f"CREATE TABLE {self.quoted(name)} ({self.quoted('it' + chr(39) + 's %s')} INTEGER)")
        try:
            assert name in [node.name for node in session.tree(path[:-1])]
            assert [node.name for node in session.tree([*path[:-1], name])] == ["it's %s"]
            assert [column.name for column in session.describe([*path[:-1], name]).columns] == ["it's %s"]
            (found,) = (one for one in session.snapshot().tables if one.path == (*path[:-1], name))
            assert [column.name for column in found.columns] == ["it's %s"]
        finally:
            self.change(session, f"DROP TABLE {self.quoted(name)}")

"""A small shop in each dialect, as a driver's snapshot would tell it."""

from __future__ import annotations

from tusk_jupyter.protocol.driver import ForeignKey, Snapshot, SnapshotColumn, SnapshotTable
from tusk_magics.completion.names import SchemaIndex

HOMES = {
    "postgresql": (("public",), ("audit",)),
    "duckdb": (("lake", "main"), ("other", "main")),
    "mysql": (("shop",), ("audit",)),
    "sqlite": (("main",), ("aux",)),
}
"""The home schema and another one."""
FUNCTIONS = ("abs", "avg", "coalesce", "count", "lower", "max", "min", "now", "round", "sum", "upper")


def columns(*names: str) -> tuple[SnapshotColumn, ...]:
    return tuple(
        SnapshotColumn(name=name.removesuffix("*"), type="INTEGER", primary_key=name.endswith("*")) for name in names
    )


def shop(dialect: str) -> Snapshot:
    """Customers, orders with a key to them, names that need quotes, and a table of another schema."""
    home, other = HOMES[dialect]
    to_customers = ForeignKey(columns=("customer_id",), table=(*home, "customers"), references=("id",))
    to_items = ForeignKey(columns=("order_id", "line"), table=(*home, "order_items"), references=("order_id", "line"))
    tables = (
        SnapshotTable(path=(*home, "customers"), columns=columns("id*", "name", "email", "city")),
        SnapshotTable(
            path=(*home, "orders"),
            columns=columns("id*", "customer_id", "total", "placed_at"),
            foreign_keys=(to_customers,),
        ),
        SnapshotTable(path=(*home, "order_items"), columns=columns("order_id*", "line*", "sku", "quantity")),
        SnapshotTable(
            path=(*home, "returns"), columns=columns("id*", "order_id", "line", "reason"), foreign_keys=(to_items,)
        ),
        SnapshotTable(path=(*home, "Mixed Case"), columns=columns("Order No*", "select", "größe", 'a"b', "plain")),
        SnapshotTable(path=(*home, "order"), columns=columns("group", "Total", "when")),
        SnapshotTable(path=(*home, "città"), columns=columns("nome", "abitanti")),
        SnapshotTable(path=(*home, "big_orders"), kind="view", columns=columns("id", "total")),
        SnapshotTable(path=(*other, "events"), columns=columns("event_id*", "happened_at", "actor")),
        SnapshotTable(path=(*other, "customers"), columns=columns("legacy_id*")),
    )
    return Snapshot(tables=tables, search_path=(home,), functions=FUNCTIONS)


INDEXES = {dialect: SchemaIndex(shop(dialect), dialect) for dialect in HOMES}

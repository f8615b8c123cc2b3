"""How a table is shown; nothing that a database says is ever markup."""

from __future__ import annotations

import re

from tusk_jupyter.protocol.driver import (
    ColumnDescription,
    Description,
    ForeignKey,
    IndexDescription,
    SnapshotColumn,
    SnapshotTable,
)
from tusk_magics.completion.describing import MOST, table_bundle
from tusk_magics.completion.inspection import Subject

ATTACK = '<img src=x onerror="alert(1)">'


def table(*names: str, **more: object) -> SnapshotTable:
    columns = tuple(SnapshotColumn(name=name, type="INTEGER") for name in names)
    return SnapshotTable(path=("main", "t"), columns=columns, **more)  # type: ignore[arg-type]


def test_everything_is_in_the_text():
    found = table("id", "c_id", foreign_keys=(ForeignKey(columns=("c_id",), table=("main", "c"), references=("id",)),))
    description = Description(
        kind="table",
        columns=(
            ColumnDescription(name="id", type="BIGINT", nullable=False, primary_key=True, comment="the key"),
            ColumnDescription(name="c_id", type="INTEGER", nullable=True, default="7"),
        ),
        indexes=(IndexDescription(name="t_c", columns=("c_id", "id"), unique=True),),
        comment="all of them",
    )
    text = table_bundle(Subject("t", found, found.columns), description)["text/plain"]
    for words in ("main.t · table", "BIGINT", "the key", "7", "→ c.id", "all of them", "index t_c (c_id, id), unique"):
        assert words in text


def test_without_the_database_the_snapshot_speaks():
    found = table("id", "c_id", comment="from the snapshot")
    text = table_bundle(Subject("t", found, found.columns, "c_id"), None)["text/plain"]
    assert re.search(r"→ c_id +INTEGER", text)
    assert "from the snapshot" in text
    assert "default" not in text


def test_a_comment_from_a_database_steers_no_terminal():
    found = table("id\x1b[2J")
    comments = Description(
        kind="table",
        columns=(
            ColumnDescription(name="id\x1b[2J", type="BIGINT", nullable=False, comment="x\x1b]52;c;ZXZpbA==\x07"),
        ),
        comment="a\u202etxt.exe",
    )
    shown = table_bundle(Subject("t", found, found.columns), comments)
    for text in shown.values():
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert "␛[2J" in text


def test_markup_from_a_database_stays_text():
    found = SnapshotTable(
        path=(ATTACK, ATTACK),
        columns=(SnapshotColumn(name=ATTACK, type=ATTACK),),
        foreign_keys=(ForeignKey(columns=(ATTACK,), table=(ATTACK,), references=(ATTACK,)),),
    )
    description = Description(
        kind=ATTACK,
        columns=(ColumnDescription(name=ATTACK, type=ATTACK, nullable=True, default=ATTACK, comment=ATTACK),),
        indexes=(IndexDescription(name=ATTACK, columns=(ATTACK,)),),
        comment=ATTACK,
    )
    html = table_bundle(Subject(ATTACK, found, found.columns, ATTACK), description)["text/html"]
    assert "<img" not in html
    assert html.count("&lt;img") >= 10


def test_a_very_wide_table_is_cut_and_says_so():
    found = table(*(f"c{number}" for number in range(MOST + 50)))
    subject = Subject("t", found, found.columns, f"c{MOST + 40}")
    text = table_bundle(subject, None)["text/plain"]
    assert "50 more columns" in text
    assert f"→ c{MOST + 40}" in text

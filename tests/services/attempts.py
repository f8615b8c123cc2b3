"""Attempts at a session that is to let nothing through: SQL in disguises, and what it could have changed."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from tusk_jupyter.driverkit.session import Rows, Session
from tusk_jupyter.errors import TuskError
from tusk_jupyter.sqltext.statements import split


def disguised(plain: Iterable[str], disguises: Sequence[str]) -> list[str]:
    """Each statement plain, which is the first disguise, and in two of the others, which take turns."""
    turn = itertools.cycle(disguises[1:])
    return [form.replace("{}", sql) for sql in plain for form in (disguises[0], next(turn), next(turn))]


def run(session: Session, sql: str) -> list[tuple[object, ...]]:
    """Run all statements of a text; return the rows of the last that has some."""
    rows: list[tuple[object, ...]] = []
    for statement in split(sql, session.dialect):
        outcome = session.execute(statement, {})
        if isinstance(outcome, Rows):
            rows = [tuple(row.values()) for batch in outcome.batches for row in batch.to_pylist()]
    return rows


def looked_at(session: Session, sql: str) -> object:
    """What a query answers; that it fails is an answer, too."""
    try:
        return run(session, sql)
    except TuskError as exc:
        return exc.code


def on_disk(*folders: Path) -> dict[str, str]:
    """All files with what is in them."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for folder in folders
        for path in folder.rglob("*")
    }

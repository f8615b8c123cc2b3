"""A script's statements are cut as they are asked for."""

from __future__ import annotations

import pytest

from tusk_jupyter.driverkit.runs import Run
from tusk_jupyter.driverkit.words import Words
from tusk_jupyter.sqltext.script import Script
from tusk_jupyter.sqltext.statements import cut, split

SQL = "SELECT 1; SELECT 2;; SELECT 3 -- the last one"


def counted(statements, found):
    for one in statements:
        found.append(one)
        yield one


def test_no_more_is_cut_than_is_asked_for():
    found = []
    script = Script(counted(cut(SQL, "ansi"), found))
    assert found == []
    assert script.has(0)
    assert len(found) == 1
    assert script[1].text == "SELECT 2"
    assert len(found) == 2
    assert not script.has(3)
    assert len(script) == 3
    assert tuple(script) == split(SQL, "ansi")
    with pytest.raises(IndexError):
        script[3]


def test_the_first_statement_runs_before_the_others_are_cut():
    found, ran = [], []

    class Recording:
        dialect, transaction, lock_wait = "ansi", None, None

        def execute(self, statement, parameters):
            ran.append((statement.text, len(found)))
            raise RuntimeError

    run = Run("r", Recording(), Script(counted(cut(SQL, "ansi"), found)), {}, limit=None, words=Words())
    with pytest.raises(Exception):  # noqa: B017 - that it ends, and not how, is what the session above is made for
        next(run._results())
    assert ran == [("SELECT 1", 1)]

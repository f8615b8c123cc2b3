"""What is left of a run whose driver process has ended: whatever goes wrong on the way, the run has an end."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol.driver import Killed
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.service import aftermath

ERROR = WireError(kind=aftermath.CRASHED, message="The driver process ended.")
SESSION: Any = None


@pytest.mark.parametrize(
    "problem", [errors.ConnectError("No way in."), RuntimeError("can't start new thread"), OSError(24, "full")]
)
def test_a_look_at_the_server_that_fails_is_told_as_that(problem: Exception) -> None:
    def look(_: object) -> NoReturn:
        raise problem

    told = aftermath.added_to(ERROR, SESSION, look)
    assert told is not None
    assert "could not be confirmed" in told.message


def test_what_the_server_said_is_told() -> None:
    told = aftermath.added_to(ERROR, SESSION, lambda _: Killed(outcome="rolled_back"))
    assert told is not None
    assert "nothing of the statement stays" in told.message


def test_of_a_script_only_the_statement_under_way_is_known_to_have_left_nothing() -> None:
    told = aftermath.added_to(ERROR, SESSION, lambda _: Killed(outcome="rolled_back"), of_script=True)
    assert told is not None
    assert "nothing of that one stays" in told.message
    assert "before it in this run had committed stands" in told.message
    assert "can be run again" not in (told.hint or "")
    assert "Check in the database" in (told.hint or "")


def test_of_a_statement_that_commits_itself_the_servers_word_is_about_the_last_part() -> None:
    told = aftermath.added_to(ERROR, SESSION, lambda _: Killed(outcome="rolled_back"), commits_itself=True)
    assert told is not None
    assert "what it had committed itself by then stands" in told.message
    assert "nothing of the statement stays" not in told.message

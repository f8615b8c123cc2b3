"""The words for a run's end follow what was seen of it; over real links: engines/test_outcomes.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tusk_jupyter.protocol.driver import RunEvent
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.service.outcomes import outcome

ENDED = "The server ended the session: terminating connection. It is rolled back."


def run(why: str) -> Any:
    return SimpleNamespace(why=why, timeout_s=1.0, waited_s=0.0, kind="query", secrets=())


def failed(error: WireError) -> RunEvent:
    return RunEvent(run="r", event="failed", alive=False, error=error)


@pytest.mark.parametrize(("why", "kind"), [("timeout", "timeout"), ("user", "cancelled")])
def test_where_the_server_ended_the_session_its_reason_is_told_as_what_was_seen(why: str, kind: str) -> None:
    said = WireError(kind="connection", message=ENDED, code="57P01", scenario="cancelled_by_admin")
    status, told = outcome(run(why), failed(said), has_server=True)
    assert told is not None
    assert (status, told.kind) == (kind, kind)
    assert told.message.endswith(f". {ENDED}")
    assert "not known" not in told.message
    assert "confirmed" not in told.message


@pytest.mark.parametrize(("why", "kind"), [("timeout", "timeout"), ("user", "cancelled")])
def test_where_the_link_was_lost_without_a_reason_the_outcome_is_not_known(why: str, kind: str) -> None:
    said = WireError(kind="connection", message="The link to the server was lost.", scenario="link_lost")
    status, told = outcome(run(why), failed(said), has_server=True)
    assert told is not None
    assert status == kind
    assert "Its outcome is not known" in told.message


def test_a_run_that_had_to_wait_for_its_session_says_so() -> None:
    late = run("timeout")
    late.waited_s = 0.7
    _, told = outcome(late, failed(WireError(kind="cancelled", message="Stopped.", code="57014")), has_server=True)
    assert told is not None
    assert "longer than its 1 s (0.7 s of it until its session was there for it)" in told.message

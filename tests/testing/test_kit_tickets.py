"""Refusals are heard by whoever comes for them, and those that nobody comes for are few."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from tusk_jupyter.driverkit import tickets
from tusk_jupyter.driverkit.tickets import EARLY_S, USED, TicketBook
from tusk_jupyter.errors import UsageError


def test_refusals_that_nobody_comes_for_are_bounded() -> None:
    book = TicketBook()
    for number in range(USED + 100):
        book.refuse(str(number), UsageError(f"no {number}"))
    assert len(book._runs) == USED
    with pytest.raises(UsageError, match=f"no {USED + 99}"):
        book.redeem(str(USED + 99))


def test_a_refusal_is_heard_though_another_notebooks_run_came_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client is on the way: it would wait 5 s for a run that will never come, and hear that nobody knows its ticket."""
    book, other = TicketBook(), SimpleNamespace(ended=False)
    book.refuse("mine", UsageError("The session is busy."))
    book.register("others", other)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is busy"):
        book.redeem("mine")
    book.refuse("nobody's", UsageError("The session is busy."))
    monkeypatch.setattr(tickets, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + EARLY_S))
    book.register("next", other)  # type: ignore[arg-type]
    assert set(book._runs) == {"others", "next"}

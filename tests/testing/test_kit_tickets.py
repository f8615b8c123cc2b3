"""Refused runs that nobody comes for are few."""

from __future__ import annotations

import pytest

from tusk_jupyter.driverkit.tickets import USED, TicketBook
from tusk_jupyter.errors import UsageError


def test_refusals_that_nobody_comes_for_are_bounded() -> None:
    book = TicketBook()
    for number in range(USED + 100):
        book.refuse(str(number), UsageError(f"no {number}"))
    assert len(book._runs) == USED
    with pytest.raises(UsageError, match=f"no {USED + 99}"):
        book.redeem(str(USED + 99))

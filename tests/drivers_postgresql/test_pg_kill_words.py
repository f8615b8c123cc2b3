"""What keeps a session from being ended is told as what it is."""

from __future__ import annotations

import psycopg
import pytest

from tusk_drivers.postgresql.kill import _explained
from tusk_jupyter.errors import QueryError


@pytest.mark.parametrize(
    ("error", "scenario"),
    [
        (psycopg.errors.InsufficientPrivilege("must be a superuser"), "permission"),
        (psycopg.OperationalError("server closed the connection unexpectedly"), None),
    ],
)
def test_only_a_lack_of_rights_is_told_as_one(error: psycopg.Error, scenario: str | None) -> None:
    with pytest.raises(QueryError) as caught, _explained("42"):
        raise error
    assert (caught.value.scenario, str(error) in caught.value.message) == (scenario, True)

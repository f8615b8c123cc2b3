"""What becomes of an error: a status that says whose it is, an answer that nobody takes for a whole one, nothing in the log."""

from __future__ import annotations

from http.client import IncompleteRead

import pytest
from security.canary import Canary
from server_process import TOKEN, Jupyter

from tusk_jupyter import errors
from tusk_widgets.server.handler import status_of

SIGNED = {"Authorization": f"token {TOKEN}"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UsageError("x"), 400), (errors.QueryError("x"), 400), (errors.CredentialError("x"), 400),
        (errors.UsageError("x", scenario="no_connection"), 404), (errors.UsageError("x", scenario="no_such_name"), 404),
        (errors.DriverNotFound("x"), 404), (errors.UsageError("x", scenario="name_taken"), 409),
        (errors.CoreError("x"), 503), (errors.VersionMismatch("x"), 503), (errors.InternalError("x"), 500),
    ],
)  # fmt: skip
def test_an_error_has_the_status_of_what_the_asker_can_do(error: errors.TuskError, status: int):
    assert status_of(error) == status


def test_a_download_that_breaks_off_is_no_whole_file(jupyter: Jupyter):
    with jupyter.opened("POST", "/broken/cut-off", {}, SIGNED) as response, pytest.raises(IncompleteRead):
        response.read()


def test_a_bug_of_ours_is_logged_by_its_place_and_not_by_its_words(jupyter: Jupyter, canary: Canary):
    with jupyter.opened("POST", "/broken/bug", {"password": canary.password}, SIGNED) as response:
        body = response.read()
    assert (response.status, canary.hits("answer", body)) == (500, [])
    assert b"RuntimeError" in body and b"in _bug" in jupyter.log
    assert canary.hits("log of Jupyter", jupyter.log) == []

"""A transaction that an error or a stop has aborted is told as such, and its COMMIT is an error: nothing was committed."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.scenarios import HINTS

pytestmark = pytest.mark.home("shared")

ABORTED = HINTS["transaction_failed"]
DUPLICATE = "INSERT INTO kept VALUES (1)"
ENDS = {
    "postgresql": ["COMMIT", "END", "/* a */ commit WORK; SELECT 1", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'x'"],
    "duckdb": ["COMMIT", "END", "/* a */ commit TRANSACTION; SELECT 1"],
}
CHANGES_FOR_MINUTES = {
    "postgresql": "INSERT INTO kept SELECT 5 FROM pg_sleep(600)",
    "duckdb": (
        "INSERT INTO kept SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c "
        "WHERE a.range + b.range > c.range"
    ),
}


@pytest.fixture(params=["postgresql", "duckdb"])
def aborting(request):
    """An engine whose errors abort the open transaction, with an empty table that has a key."""
    return with_table(request.getfixturevalue(f"{request.param}_engine"))


@pytest.fixture(params=["sqlite", "mysql"])
def keeping(request):
    """One whose errors take back their own statement only."""
    return with_table(request.getfixturevalue(f"{request.param}_engine"))


def with_table(engine):
    engine.run("DROP TABLE IF EXISTS kept; CREATE TABLE kept (i integer PRIMARY KEY)")
    return engine


def rows(engine):
    return engine.value("SELECT count(*) FROM kept")


def refused(engine, sql, kind=errors.QueryError, **more):
    with pytest.raises(kind) as caught:
        engine.run(sql, **more)
    return caught.value


def last(engine):
    return engine.client.call(control.ReadLog(limit=1, connection=engine.name)).entries[0]


def test_the_commit_of_an_aborted_transaction_is_an_error(aborting):
    for end in ENDS[aborting.name]:
        assert "rolled back" not in str(aborting.run("BEGIN; INSERT INTO kept VALUES (1)").notes)
        said = refused(aborting, DUPLICATE)
        assert said.scenario == "constraint"
        assert said.hint.endswith(ABORTED)
        assert refused(aborting, "SELECT 1").hint == ABORTED  # once
        said = refused(aborting, end)
        assert said.scenario == "not_committed", end
        assert said.message.startswith("Nothing was committed")
        assert ("the next transaction" in said.message) == ("CHAIN" in end)
        assert last(aborting).status == "failed"
        if "CHAIN" in end:
            aborting.run("ROLLBACK")
        assert rows(aborting) == 0


def test_within_a_script_too_and_a_rollback_is_none(aborting):
    said = refused(aborting, f"BEGIN; INSERT INTO kept VALUES (1); {DUPLICATE}; COMMIT")
    assert said.statement == 2
    assert said.hint.endswith(ABORTED)
    said = refused(aborting, "INSERT INTO kept VALUES (2); COMMIT")
    assert said.scenario == "transaction_failed"
    aborting.run("ABORT")
    assert ABORTED not in refused(aborting, "SELECT nosuch").hint, "there is no transaction"
    aborting.run("BEGIN; INSERT INTO kept VALUES (3); COMMIT")
    assert rows(aborting) == 1


def test_of_a_transaction_that_stays_open_behind_an_error_nothing_is_said(keeping):
    keeping.run("BEGIN; INSERT INTO kept VALUES (1)")
    assert "aborted" not in refused(keeping, DUPLICATE).hint
    keeping.run("COMMIT")
    assert rows(keeping) == 1


def test_a_stop_says_that_it_has_aborted_the_transaction(aborting):
    change = CHANGES_FOR_MINUTES[aborting.name]
    aborting.run("BEGIN; INSERT INTO kept VALUES (8)")
    said = refused(aborting, change, errors.TimeoutExceeded, timeout_s=1)
    assert said.hint.endswith(ABORTED)
    assert refused(aborting, "COMMIT").scenario == "not_committed"

    aborting.run("BEGIN; INSERT INTO kept VALUES (8)")
    said = aborting.cancelled(change)
    assert said.hint == f"{HINTS['cancelled_by_user']} {ABORTED}"
    assert refused(aborting, "COMMIT").scenario == "not_committed"
    assert rows(aborting) == 0


def test_an_upload_that_fails_tells_why_and_whether_the_transaction_is_aborted(aborting):
    aborting.run("BEGIN; INSERT INTO kept VALUES (8)")
    request = control.UploadRequest(session="", connection=aborting.name, table="kept", append=True)
    with pytest.raises(errors.QueryError) as caught:
        aborting.client.upload(request, pa.table({"i": pa.array([5, 5], pa.int32())}))
    assert "duplicate key" in caught.value.message.lower()
    assert caught.value.scenario == "constraint"
    if aborting.name == "duckdb":  # it has no savepoints
        assert caught.value.hint.endswith(ABORTED)
        assert refused(aborting, "COMMIT").scenario == "not_committed"
    else:
        assert "aborted" not in caught.value.hint
        aborting.run("COMMIT")
    assert rows(aborting) == (aborting.name == "postgresql")


def test_a_session_that_its_statement_has_ended_is_told_so_and_nothing_of_a_rollback(mysql_engine):
    engine = with_table(mysql_engine)
    engine.run("SET @a = 1; BEGIN; INSERT INTO kept VALUES (1)")
    engine.run("COMMIT RELEASE")
    with pytest.raises(errors.SessionLost, match="an earlier run ended it: COMMIT RELEASE") as caught:
        engine.run("SELECT @a")
    assert "rolled back" not in caught.value.message
    assert "what had not been committed" in caught.value.message
    assert rows(engine) == 1

"""The benchmarks say plainly what was missed, what failed and what was not measured."""

from __future__ import annotations

import pytest

from benchmarks import report
from benchmarks.kernels import Interrupted
from benchmarks.measure import Series, rotated, what_failed
from benchmarks.results import Results, latency_ms, targets


def series(*seconds: float, **more: float) -> Series:
    return Series([{"seconds": value, "dtypes": ["int32"], "processes": {}, **more} for value in seconds])


@pytest.fixture
def results() -> Results:
    results = Results(rows=1_000_000, rounds=3, engines=())
    results.bulk["postgresql"] = {
        "tusk": series(1.0, 1.2, 9.0, peak=500, frame=200),
        "jupysql": series(4.8, 6.0, 4.0, peak=900, frame=100),
        "floor": series(0.6, 0.7, 0.6),
        "connectorx": Series(failure="ModuleNotFoundError: connectorx"),
    }
    return results


def verdicts(results: Results) -> dict[str, tuple[str, bool | None]]:
    return {target.name: (target.measured, target.met) for target in targets(results)}


def test_a_target_is_held_against_the_ratio_of_medians(results):
    found = verdicts(results)
    assert found["postgresql: 1,000,000 rows, faster than jupysql"] == ("4.00x", True)
    assert found["postgresql: against the COPY binary floor"] == ("2.00x", False)
    assert found["postgresql: kernel's peak memory against the final frame"] == ("2.50x", True)


def test_a_peer_that_failed_leaves_its_targets_unmeasured_and_its_reason_in_the_report(results):
    results.bulk["postgresql"]["jupysql"] = Series(failure="OperationalError: gone")
    assert verdicts(results)["postgresql: 1,000,000 rows, faster than jupysql"] == ("not measured", None)
    text = report.write(results)
    assert "OperationalError: gone" in text
    assert "ModuleNotFoundError: connectorx" in text


def test_an_interrupt_that_lost_the_session_is_missed_however_fast_it_was(results):
    results.interrupts["sqlite"] = {"tusk": Interrupted([0.1], "the session was lost: its temporary table is gone")}
    measured, met = verdicts(results)["sqlite: interrupt returns, query gone, session works"]
    assert met is False
    assert "session was lost" in measured


def test_missed_targets_stand_out(results):
    text = report.write(results)
    assert "| postgresql: against the COPY binary floor | ≤ 1.9x | 2.00x | **missed** |" in text
    assert "2 met, 1 missed, 0 not measured." in text


def test_latency_is_taken_over_all_rounds():
    both = Series([{"times": [0.001] * 99}, {"times": [0.003]}])
    assert latency_ms(both) == (1.0, 1.0)
    assert latency_ms(Series()) is None


def test_every_round_begins_with_another_one():
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_the_reason_of_a_failure_is_the_error_and_not_the_chatter_after_it():
    assert what_failed("Traceback\nValueError: no\nClosing native\n") == "ValueError: no"
    assert what_failed("\nlast words\n") == "last words"
    assert what_failed("") == ""


def test_completion_is_held_against_its_slowest_place_and_its_slowest_first_keystroke(results):
    answer = {"cold": [0.001, 0.41, 0.06], "times": {"FROM |": [0.02, 0.03, 0.04], "c.|": [0.001, 0.002, 0.003]}}
    results.completion = Series([answer])
    found = verdicts(results)
    assert found["completion with 2,000 tables x 20 columns: a keystroke in the schema"] == ("30.0 ms", True)
    waits, others = (
        "the keystroke that waits for the schema, slowest",
        "the other keystrokes before it is there, slowest",
    )
    assert found[f"completion with 2,000 tables x 20 columns: {waits}"] == ("410.0 ms", False)
    assert found[f"completion with 2,000 tables x 20 columns: {others}"] == ("60.0 ms", False)
    results.completion = Series([answer | {"cold": [0.3]}])
    assert verdicts(results)[f"completion with 2,000 tables x 20 columns: {waits}"] == ("300.0 ms", True)
    assert verdicts(results)[f"completion with 2,000 tables x 20 columns: {others}"] == ("0.0 ms", True)
    assert "| completion, 2,000 tables x 20 columns: `FROM \\|` | 30.0 ms |" in report.write(results)


def test_a_panel_is_held_against_what_a_user_waits_and_one_that_did_not_open_is_not_met(results):
    times = {"log_rest": 0.01, "log_shown": 0.3, "connections_rest": 0.01, "connections_shown": 0.05}
    results.panels = Series([times])
    shown = "query log of 1,000,000 runs: from opening the panel to its first row on screen"
    assert verdicts(results)[shown] == ("300.0 ms", False)
    assert verdicts(results)["list of connections: from opening the panel to its first row on screen"][1] is True
    results.panels = Series(failure="no row within 20 s")
    assert verdicts(results)[shown] == ("not measured", None)
    assert "no row within 20 s" in report.write(results)

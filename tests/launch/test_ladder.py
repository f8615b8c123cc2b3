"""The plan for ending a run: each rung once, in order, when its time has come."""

from tusk_jupyter.launch.ladder import AFTER_S, Ladder, Rung


def test_asking_comes_at_once_and_the_harder_rungs_one_by_one():
    ladder = Ladder(began=100.0)
    assert ladder.due(100.0) == [Rung.ASK]
    assert ladder.due(101.9) == []
    assert ladder.due(102.0) == [Rung.KILL_BACKEND]
    assert ladder.due(104.1) == [Rung.TERMINATE]
    assert ladder.due(106.0) == [Rung.KILL]
    assert ladder.due(1e9) == []


def test_rungs_that_were_missed_come_together_and_in_order():
    assert Ladder(began=0.0).due(1e9) == list(Rung)


def test_every_rung_has_its_time_and_they_grow():
    times = [AFTER_S[rung] for rung in Rung]
    assert times == sorted(times)
    assert times[0] == 0.0

"""One run's time is written in one way: in the cell's footer, in `%tusk log` and `%tusk running`, and in the log panel."""

from services.typescript import in_typescript

from tusk_jupyter.cli.times import duration

WRITTEN = {
    0.2: "0 ms", 34.4: "34 ms", 250: "250 ms", 999.4: "999 ms", 999.6: "1.00 s", 6_877: "6.88 s", 9_994: "9.99 s",
    9_996: "10.0 s", 12_340: "12.3 s", 59_940: "59.9 s", 59_960: "1 min 0 s", 119_700: "1 min 59 s", 125_000: "2 min 5 s",
    3_599_900: "59 min 59 s", 3_720_000: "1 h 2 min",
}  # fmt: skip


def test_a_duration_is_written_in_the_same_way_everywhere():
    assert [duration(milliseconds) for milliseconds in WRITTEN] == list(WRITTEN.values())
    assert in_typescript("log/format", "a.map(one => m.duration(one))", list(WRITTEN)) == list(WRITTEN.values())
    assert duration(None) == ""

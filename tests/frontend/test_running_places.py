"""A Cancel below the pointer stays that of its run."""

import pytest
from services.typescript import in_typescript

LISTED = """m.placed(a[0].map(run => ({ run })), a[1].map(run => ({ run })), a[2])
  .map(one => one.run + (one.hasEnded ? '!' : ''))"""


@pytest.mark.parametrize(
    ("shown", "running", "is_held", "listed"),
    [
        ("abc", "bc", True, ["a!", "b", "c"]),
        ("abc", "b", True, ["a!", "b"]),  # below the last one nothing moves
        ("abc", "bcd", True, ["a!", "b", "c", "d"]),
        ("abc", "", True, []),
        ("abc", "bc", False, ["b", "c"]),
        ("", "ab", True, ["a", "b"]),
    ],
)
def test_a_run_that_ends_keeps_its_place_while_the_pointer_is_there(shown, running, is_held, listed):
    assert in_typescript("log/places", LISTED, [list(shown), list(running), is_held]) == listed

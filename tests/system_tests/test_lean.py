"""What is imported or compiled later is as good as what is at once."""

import subprocess
import sys

from tusk_jupyter.system.lean import compiled_later, imported_later


def test_a_module_is_imported_when_something_of_it_is_asked_for_and_no_sooner():
    program = (
        "import sys; from tusk_jupyter.system.lean import imported_later; later = imported_later('colorsys')\n"
        "before = 'colorsys' in sys.modules; print(before, later.rgb_to_hsv(1, 1, 1), 'colorsys' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False (0.0, 0.0, 1) True\n"
    assert imported_later("colorsys").rgb_to_hsv is imported_later("colorsys").rgb_to_hsv


def test_a_pattern_that_is_compiled_later_finds_what_any_finds():
    later = compiled_later(r"(a)\1", 2)
    assert later.sub("x", "bAAb") == "bxb"
    assert (later.search("b"), later.pattern, later.flags & 2) == (None, r"(a)\1", 2)

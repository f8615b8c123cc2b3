"""What the tree says of a connection's sessions: the panel's own, and those of notebooks."""

import pytest
from services.typescript import in_typescript


@pytest.mark.parametrize(
    ("seen", "state", "others", "dot", "words"),
    [
        ("new", "disconnected", [], "disconnected", "not open"),
        ("new", "disconnected", ["/home/ann/late flights.ipynb"], "connected", "open in late flights.ipynb"),
        ("loaded", "connected", ["a/b.ipynb", "cli"], "connected", "open in b.ipynb, cli, this panel"),
        ("new", "connected", [], "connected", "open in this panel"),
        ("loaded", "disconnected", ["b.ipynb"], "connected", "open in b.ipynb, read in this panel"),
        ("loaded", "disconnected", [], "connected", "read in this panel"),
        ("loading", "disconnected", ["b.ipynb"], "connecting", "open in b.ipynb, connecting in this panel"),
        ("failed", "failed", [], "failed", "failed in this panel"),
    ],
)
def test_a_connection_says_where_it_is_open(seen, state, others, dot, words):
    asked = [seen, {"state": state, "others": others}]
    assert in_typescript("tree/sessions", "m.sessionsOf(...a)", asked) == {"state": dot, "words": words}

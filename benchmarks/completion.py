"""`python -m benchmarks.completion`: keystrokes in a database of 2,000 tables x 20 columns.

A real core with a real DuckDB file; the keystrokes go through IPython's completer, as a frontend's do. Two things are
timed: every keystroke from the first one in a fresh process on, while the schema is being fetched and indexed behind it,
and keystrokes at typical places once it is known.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

TABLES = 2_000
COLUMNS = 20
ROUNDS = 30
PLACES = (
    "SELECT * FROM |",
    "SELECT * FROM ord|",
    "SELECT * FROM t0001_customers c JOIN |",
    "SELECT * FROM t0001_customers c JOIN t0002_items i ON |",
    "SELECT am| FROM t0001_customers c JOIN t0002_items i ON c.id = i.customer_id",
    "SELECT c.| FROM t0001_customers c",
    "SELECT fi|",
    "SELECT su| FROM t0002_items",
    "WITH r AS (SELECT * FROM t0003_events) SELECT | FROM r",
)
_PATIENCE_S = 60
_TYPING_S = 0.05
_READING_S = 1.5
"""Between loading the extension and the first key."""


def fill(path: Path) -> None:
    """Make the database."""
    import duckdb

    names = ("orders", "customers", "items", "events")
    shared = ("id", "customer_id", "name", "created_at", "amount")
    columns = ", ".join(f"{name} INTEGER" for name in (*shared, *(f"field_{n}" for n in range(COLUMNS - len(shared)))))
    with duckdb.connect(str(path)) as con:
        con.execute("BEGIN")
        for number in range(TABLES):
            con.execute(f"CREATE TABLE t{number:04}_{names[number % len(names)]} ({columns})")
        con.execute("COMMIT")


def measure(path: str) -> dict[str, Any]:
    """Time keystrokes in this process, which has not completed anything yet."""
    from IPython.core.interactiveshell import InteractiveShell

    import tusk_jupyter

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "tusk_jupyter")
    tusk_jupyter.connect("many", path, replace=True)
    time.sleep(_READING_S)
    cold: list[float] = []
    found = 0
    deadline = time.monotonic() + _PATIENCE_S
    while not found and time.monotonic() < deadline:
        seconds, found = _keystroke(shell, "SELECT * FROM t0001|")
        cold.append(seconds)
        time.sleep(_TYPING_S)
    if not found:
        raise RuntimeError(f"no table was offered within {_PATIENCE_S} s")
    times = {place: [_keystroke(shell, place)[0] for _ in range(ROUNDS)] for place in PLACES}
    return {"cold": cold, "times": times}


def _keystroke(shell: Any, text: str) -> tuple[float, int]:
    """Return the seconds that a completion took, and how many candidates there were."""
    from IPython.core.completer import provisionalcompleter

    code = f"%%sql many\n{text}"
    cursor = code.index("|")
    code = code.replace("|", "")
    with provisionalcompleter():
        start = time.perf_counter()
        found = list(shell.Completer.completions(code, cursor))
        return time.perf_counter() - start, len(found)


def main() -> None:
    """Measure once, in a home of its own."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from services.homes import make_home

    home = make_home()
    os.environ["TUSK_HOME"] = str(home)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "many.duckdb"
            fill(path)
            answer = measure(str(path))
            for place, seconds in answer["times"].items():
                print(f"{1000 * median(seconds):7.1f} ms  {place}")
            print("before the schema was there:", ", ".join(f"{1000 * value:.0f}" for value in answer["cold"]), "ms")
    finally:
        home.close()


if __name__ == "__main__":
    main()

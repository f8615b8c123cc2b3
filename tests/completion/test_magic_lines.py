"""The magics' own lines, in a shell: connections, options and values, files, verbs; and what `Shift+Tab` shows there."""

from __future__ import annotations

import atexit

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.ptutils import IPythonPTCompleter
from prompt_toolkit.document import Document
from traitlets.config import Config

from completion.schemas import shop
from tusk_jupyter.protocol import control
from tusk_magics.completion import registration
from tusk_magics.completion.inspector import SqlInspector
from tusk_magics.completion.matcher import SqlCompleter
from tusk_magics.completion.names import SchemaIndex
from tusk_magics.completion.schema import Known


def connection(name: str, **more: object) -> control.Connection:
    return control.Connection(id=name, name=name, driver="duckdb", config={}, target=f"/data/{name}", **more)  # type: ignore[arg-type]


class Fixed:
    """Schemas that are known."""

    def __init__(self) -> None:
        self.known = Known("lake", "duckdb", "1", SchemaIndex(shop("duckdb"), "duckdb"))
        self.asked_for: list[str | None] = []

    def of(self, name: str | None, **_: object) -> Known:
        self.asked_for.append(name)
        return self.known

    def soon(self, _: str | None) -> Known:
        return self.known

    def is_reading(self, _: str | None) -> bool:
        return False

    def connections(self) -> tuple[control.Connection, ...]:
        return (connection("shop"), connection("lake", current=True), connection("warehouse", environment="production"))

    def describe(self, *_: object) -> None:
        return None

    def refresh(self) -> None:
        pass


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    config = Config()
    config.HistoryManager.hist_file = str(folder / "history.sqlite")
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.user_ns.update(frame=pd.DataFrame({"a": [1]}), wanted={"month": 1, "year": 2}, month=3, pd=pd)
    registration.install(shell)
    registration._installed[shell]._schemas = Fixed()
    yield shell
    registration.remove(shell)
    shell.history_manager.end_session()
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


def offered(shell, text: str) -> list[str]:
    cursor = text.index("|")
    code = text[:cursor] + text[cursor + 1 :]
    with provisionalcompleter():
        found = list(shell.Completer.completions(code, cursor))
    return [item.text for item in found]


@pytest.mark.parametrize(
    ("text", "first", "absent"),
    [
        ("%%sql |", ["lake", "shop", "warehouse", "--into"], ["SELECT", "select"]),
        ("%%sql wa|", ["warehouse"], ["--into"]),
        ("%%sql WARE|", ["warehouse"], []),
        ("%%sql lake |", ["--into", "--param"], ["shop"]),
        ("%%sql lake --|", ["--into", "--param"], ["lake"]),
        ("%%sql --limit 5 |", ["lake", "shop"], ["--limit"]),
        ("%%sql lake --fo|", ["--format"], []),
        ("%%sql lake --format |", ["pandas", "polars", "arrow"], ["--into"]),
        ("%%sql lake --format=po|", ["polars"], ["pandas"]),
        ("%%sql lake --decimal f|", ["float"], []),
        ("%%sql --persist |", ["frame"], ["month", "wanted"]),
        ("%%sql --append fr|", ["frame"], []),
        ("%%sql --params |", ["wanted"], ["frame", "month"]),
        ("%%sql --param |\nSELECT :month, :year, a::int", ["month=", "year="], ["int="]),
        ("%%sql --params wanted\nSELECT :ye|", ["year"], []),
        ("%%sql lake --param extra=1\nSELECT :ex|", ["extra"], []),
        ("%%sql lake\nSELECT :|", ["month"], ["pd", "frame"]),
        ("%%sql --into |", [], ["lake"]),
        ("%sql |", ["lake", "shop"], []),
        ("%sql sel|", ["select"], []),
        ("%sql SEL|", ["SELECT"], []),
        ("%sql lake SEL|", ["SELECT"], []),
        ("%sql SELECT | FROM orders", ["id", "customer_id"], []),
        ("found = %sql lake SELECT | FROM orders", ["id", "customer_id"], []),
        ("a, b = %sql SELECT | FROM orders", ["id", "customer_id"], []),
        ("for i in x:\n    %sql lake SELECT o.| FROM orders o", ["id", "customer_id"], []),
        ("%sql SELECT id \\\n  , o.| FROM orders o", ["id", "customer_id"], []),
        ("%%sql lake late <<\nSELECT * FROM |", ["big_orders"], []),
        ("%%sql lake SELECT *\nFROM |", ["big_orders"], []),
        ("%%time\n%%sql lake\nSELECT * FROM |", ["big_orders"], []),
        ("%%capture out\n%%time\n%%sql |", ["lake", "shop"], []),
        ("%time %sql lake SELECT * FROM |", ["big_orders"], []),
        ("\n  %%sql lake\nSELECT * FROM |", ["big_orders"], []),
        ("%%sql lake --jinja\nSELECT {{ mo| }}", [], ["month"]),
        ("%%sql lake --jinja\nSELECT {{ month }}, | FROM orders", ["id"], []),
        ("%tusk |", ["connect", "connections", "test", "use"], []),
        ("%tusk us|", ["use"], []),
        ("%tusk use |", ["lake", "shop", "warehouse"], []),
        ("%tusk test wa|", ["warehouse"], []),
        ("%tusk disconnect |", ["lake", "shop", "warehouse"], []),
        ("%tusk connect x --tier |", ["keyring", "vault", "memory"], []),
        ("%tusk log --connection |", ["lake", "shop"], []),
        ("%tusk log --stat|", ["--status"], []),
        ("%tusk core |", ["status", "stop"], []),
        ("%tusk nonsense |", [], ["connect"]),
    ],
)
def test_what_is_offered_on_the_line(shell, text, first, absent):
    found = offered(shell, text)
    assert found[: len(first)] == first
    assert not set(absent) & set(found)
    assert first or found == []


def test_the_connection_of_the_line_is_the_one_that_is_asked(shell):
    schemas = registration._installed[shell]._schemas
    offered(shell, "%%sql shop --limit 3\nSELECT * FROM |")
    assert schemas.asked_for[-1] == "shop"
    offered(shell, "%%sql\nSELECT * FROM |")
    assert schemas.asked_for[-1] is None


def test_files_are_offered_by_what_they_are_for(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queries").mkdir()
    for name in ("report.sql", "late.parquet", "notes.txt", ".hidden.sql", "queries/two words.sql"):
        (tmp_path / name).write_text("")
    assert offered(shell, "%%sql --file |") == ["queries/", "report.sql"]
    assert offered(shell, "%%sql --to |") == ["queries/", "late.parquet"]
    assert offered(shell, "%%sql --file queries/|") == ['"queries/two words.sql"']
    assert offered(shell, "%%sql --file nowhere/|") == []


@pytest.mark.parametrize(
    "text",
    [
        "mon|",
        "frame.shap|",
        "import jso|",
        "'%sql SEL|'",
        "x % sql|",
        "%time mon|",
        "def f(a):\n    return mon|",
        "%%sq|",
    ],
)
def test_elsewhere_python_completes_as_without_us(shell, text):
    found = offered(shell, text)
    matchers = shell.Completer.custom_matchers
    kept, matchers[:] = list(matchers), []
    try:
        assert offered(shell, text) == found
    finally:
        matchers[:] = kept


def test_a_terminal_gets_the_same_with_the_kind_beside_it(shell):
    text = "%%sql lake\nSELECT * FROM orders WHERE cust"
    document = Document(text, cursor_position=len(text))
    found = list(IPythonPTCompleter(ipy_completer=shell.Completer).get_completions(document, None))
    assert (found[0].text, found[0].start_position, found[0].display_meta_text) == ("customer_id", -4, "column")


def test_a_bug_in_completion_shows_nothing_and_breaks_nothing(shell, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(registration._installed[shell], "_schemas", None)
    monkeypatch.setattr("tusk_magics.completion.schema.Schemas", broken)
    offered(shell, "%%sql lake\nSELECT |")
    assert "month" in offered(shell, "mont|")
    assert "Traceback" not in "".join(capsys.readouterr())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(" \r", 0.0, "%%sql ")
@given(
    st.text(max_size=60),
    st.floats(0, 1),
    st.sampled_from(["", "%%sql ", "%%sql lake\n", "%sql ", "x = %sql ", "%tusk "]),
)
def test_no_cell_makes_completion_or_inspection_raise(text, at, head):
    cell = head + text
    cursor = len(head) + int(at * len(text))
    fixed = Fixed()
    shell = InteractiveShell.instance() if InteractiveShell.initialized() else _Bare()
    found = SqlCompleter(shell, lambda: fixed).complete(cell, cursor)  # type: ignore[arg-type, return-value]
    assert found is None or 0 <= found[0] <= cursor
    SqlInspector(shell, lambda: fixed).inspect(cell, cursor)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(("cell", "cursor"), [("%%sql  (SELECT 1)", 6), ("%sql  (SELECT 1)", 5), ("%%sql  \r", 6)])
def test_in_the_blanks_before_the_sql_the_line_is_completed(shell, cell, cursor):
    found = SqlCompleter(shell, Fixed).complete(cell, cursor)
    assert found is not None
    assert found[0] == cursor
    assert "--limit" in [one.text for one in found[1]]


@pytest.mark.parametrize("cursor", [7, 8])
def test_inside_an_assignment_nothing_is_offered(shell, cursor):
    assert SqlCompleter(shell, Fixed).complete("%sql x << (SELECT 1)", cursor) == (cursor, [])


class _Bare:
    """A shell without anything but variables."""

    user_ns: dict[str, object] = {"month": 1}  # noqa: RUF012


def inspected(shell, text: str) -> dict[str, str] | None:
    cursor = text.index("|")
    return registration._installed[shell].inspector.inspect(text[:cursor] + text[cursor + 1 :], cursor)


def test_options_and_connections_are_explained(shell):
    assert "at most this many rows" in inspected(shell, "%%sql lake --lim|it 5\nSELECT 1")["text/plain"]
    assert "/data/warehouse" in inspected(shell, "%%sql ware|house\nSELECT 1")["text/plain"]
    assert "production" in inspected(shell, "%%sql ware|house\nSELECT 1")["text/plain"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("%%sql\nSELECT * FROM ord|ers", "lake.main.orders · table"),
        ("%%sql\nSELECT * FROM |orders", "lake.main.orders · table"),
        ("%%sql\nSELECT * FROM orders|", "lake.main.orders · table"),
        ("%%sql\nSELECT * FROM lake.main.ord|ers", "lake.main.orders · table"),
        ("%%sql\nSELECT * FROM big_|orders", "lake.main.big_orders · view"),
        ('%%sql\nSELECT * FROM "Mixed| Case"', "lake.main.Mixed Case · table"),
        ("%%sql\nSELECT |o.id FROM orders o", "lake.main.orders (as o) · table"),
        ("%%sql\nSELECT o.tot|al FROM orders o", "lake.main.orders (as o) · table"),
        ("%%sql\nSELECT tot|al FROM orders", "lake.main.orders · table"),
        ("%%sql\nWITH r AS (SELECT id AS k FROM orders) SELECT * FROM |r", "r · subquery"),
        ("%%sql\nSELECT s.|k FROM (SELECT id AS k FROM orders) s", "s · subquery"),
        ("%%sql\nINSERT INTO ord|ers (id) VALUES (1)", "lake.main.orders · table"),
        ("%%sql\nINSERT INTO orders (tot|al) VALUES (1)", "lake.main.orders · table"),
        ("%%sql\nUPDATE orders SET tot|al = 1", "lake.main.orders · table"),
        ("x = %sql SELECT * FROM ord|ers", "lake.main.orders · table"),
        ("%%sql\nSELECT su|m(total) FROM orders", None),
        ("%%sql\nSEL|ECT 1", None),
        ("%%sql\nSELECT 'ord|ers'", None),
        ("%%sql\nSELECT * FROM no_such_ta|ble", None),
    ],
)
def test_what_is_inspected(shell, text, title):
    found = inspected(shell, text)
    assert (found["text/plain"].splitlines()[0] if found else None) == title


def test_python_is_inspected_by_python(shell):
    assert inspected(shell, "mont|h") is None
    assert inspected(shell, "%tusk us|e") is None

"""A result is displayed as a grid or a table, and the value of the cell stays what it was."""

import gc
import json
import weakref

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from test_kernels import PATIENCE_S, QUIET, kernel

from tusk_magics import grid_display

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def notebook(module_home, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("grid"))
        with kernel() as running:
            assert running.run("%tusk connect lake lake.duckdb --environment production").status == "ok"
            running.run("%sql CREATE TABLE t AS SELECT i, 'n' || i AS name FROM range(1000) r(i)")
            yield running


def shown(notebook, code: str, **how) -> dict:
    reply = notebook.run(code, **how)
    assert reply.status == "ok", reply
    return reply.displays[-1]


# the result grid as the cell's display, a DataFrame stays the value
@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_a_result_is_a_grid_with_a_table_and_a_text_to_fall_back_on(notebook, kind):
    bundle = shown(notebook, f"%%sql --format {kind}\nSELECT * FROM t")
    assert bundle[WIDGET]["model_id"]
    assert "20 shown of 1,000 fetched" in bundle["text/html"]
    assert "n19" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert bundle["text/plain"]
    assert shown(notebook, "type(_).__module__.split('.')[0]")["text/plain"] == f"'{kind.replace('arrow', 'pyarrow')}'"


def test_a_plan_is_a_text_whole_with_its_own_lines(notebook):
    notebook.run("%sql CREATE TABLE a_table_whose_name_is_longer_than_fifty_letters_so_that_it_is_cut AS SELECT 1 AS x")
    for sql in ("EXPLAIN", "EXPLAIN ANALYZE"):
        bundle = shown(
            notebook, f"%%sql\n{sql} SELECT * FROM a_table_whose_name_is_longer_than_fifty_letters_so_that_it_is_cut"
        )
        assert WIDGET not in bundle
        assert "a_table_whose_name_is_longer_than_fifty_letters_so_that_it_is_cut" in bundle["text/plain"].replace(
            "│\n│ ", ""
        )
        assert bundle["text/plain"].count("\n") > 4
        assert bundle["text/html"].startswith('<pre style="white-space:pre')
        assert "\n" in bundle["text/html"]
    assert shown(notebook, "type(_).__name__")["text/plain"] == "'DataFrame'"


def test_the_output_says_what_it_is_for_jupyterlab(notebook):
    message = notebook.client.execute("%%sql --limit 5\nSELECT * FROM t")
    metadata = {}
    while not metadata:
        got = notebook.client.get_iopub_msg(timeout=PATIENCE_S)
        if got["parent_header"].get("msg_id") == message and got["msg_type"] == "execute_result":
            metadata = got["content"]["metadata"]["tusk"]
    notebook.client.get_shell_msg(timeout=PATIENCE_S)
    assert len(metadata.pop("run")) > 10
    assert metadata == {"connection": "lake", "environment": "production", "rows": 5, "more": True}


def test_the_browser_s_questions_are_answered_by_the_kernel(notebook):
    model = shown(notebook, "%%sql\nSELECT * FROM t ORDER BY i DESC")[WIDGET]["model_id"]
    content = {
        "comm_id": model,
        "data": {"method": "custom", "content": {"id": "x-1", "ask": "cell", "row": 0, "column": 1}},
    }
    session = notebook.client.session
    notebook.client.shell_channel.send(session.msg("comm_msg", content))
    while True:
        got = notebook.client.get_iopub_msg(timeout=PATIENCE_S)
        if got["msg_type"] == "comm_msg" and got["content"]["comm_id"] == model:
            break
    answer = got["content"]["data"]["content"]
    assert (answer["id"], answer["text"]) == ("x-1", "n999")


def test_settings_choose_the_table_or_the_frame_s_own_display(notebook):
    try:
        notebook.run("%config TuskMagics.display = 'table'")
        table = shown(notebook, "%%sql\nSELECT * FROM t")
        assert WIDGET not in table
        assert "20 shown of 1,000 fetched" in table["text/html"]
        notebook.run("%config TuskMagics.display = 'plain'")
        plain = shown(notebook, "%%sql\nSELECT * FROM t")
        assert WIDGET not in plain
        assert "dataframe" in plain["text/html"]
    finally:
        notebook.run("%config TuskMagics.display = 'grid'")


def test_where_nobody_looks_there_is_a_table_and_no_widget(notebook):
    assert WIDGET not in shown(notebook, "%%sql\nSELECT * FROM t", watched=False)


def test_without_widgets_there_is_the_table_and_no_error(notebook):
    notebook.run("import sys; from tusk_widgets import page")
    try:
        notebook.run("sys.modules['ipywidgets'] = None; page._has.cache_clear()")
        reply = notebook.run("%%sql\nSELECT * FROM t")
        assert reply.status == "ok"
        assert WIDGET not in reply.displays[-1]
        assert "20 shown of 1,000 fetched" in reply.displays[-1]["text/html"]
        assert "Traceback" not in reply.out
    finally:
        notebook.run("del sys.modules['ipywidgets']; page._has.cache_clear()")


def test_other_frames_and_derived_ones_are_shown_as_they_always_were(notebook):
    notebook.run("%sql df << SELECT * FROM t")
    assert WIDGET in shown(notebook, "df")
    for other in ("df.head(3)", "df.copy()", "df.rename(columns={'i': 'j'})", "df[['i']]", "type(df)({'a': [1]})"):
        bundle = shown(notebook, other)
        assert WIDGET not in bundle, other
        assert "dataframe" in bundle["text/html"]


def test_a_result_that_got_another_shape_in_place_is_shown_as_what_it_is(notebook):
    notebook.run("%sql df << SELECT * FROM t")
    bundle = shown(notebook, "df['new'] = 1\ndf")
    assert WIDGET not in bundle
    assert "new" in bundle["text/html"]


def test_the_footer_says_what_the_display_shows(notebook):
    assert notebook.run("%%sql\nSELECT * FROM t").out.startswith("1,000 rows · 2 columns")
    assert notebook.run("%%sql\nSELECT * FROM t", watched=False).out.startswith("Showing 20 of 1,000 rows")


def test_a_hostile_name_and_value_stay_text_in_the_state_of_the_widget(notebook):
    name = "<img src=x onerror=alert(1)>"
    html = shown(notebook, f"%%sql\nSELECT '<script>alert(1)</script>' AS \"{name}\"")["text/html"]
    assert "<img" not in html
    assert "<script" not in html


# nbconvert and papermill; a saved notebook needs no kernel
def test_a_notebook_that_ran_headless_is_read_as_html(notebook):
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%load_ext tusk_jupyter\n%tusk use lake"),
            nbformat.v4.new_code_cell("%%sql\nSELECT * FROM t"),
        ]
    )
    NotebookClient(book, timeout=PATIENCE_S, extra_arguments=QUIET).execute()
    assert "_esm" not in json.dumps(book)
    page, _ = HTMLExporter().from_notebook_node(book)
    assert "20 shown of 1,000 fetched" in page
    assert "n19" in page


# benchmarks: the grid must not slow down `SELECT 1`
def test_nothing_is_imported_or_made_before_somebody_looks(notebook):
    with kernel() as fresh:
        fresh.run("%tusk use lake")
        fresh.run("get_ipython().run_cell_magic('sql', '', 'SELECT 1 AS a'); None")
        heavy = ["anywidget", "ipywidgets", "tusk_widgets.grid_data", "tusk_widgets.export"]
        code = f"import sys; [name for name in {heavy} if name in sys.modules]"
        assert shown(fresh, code)["text/plain"] == "[]"


# --- in a terminal -----------------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_frame_s_own_text(cells):
    value = cells.value("%%sql\nSELECT 42 AS answer")
    data, metadata = cells.shell.display_formatter.format(value)
    assert "answer" in data["text/plain"]
    assert "tusk" in metadata
    assert WIDGET not in data


def test_a_frame_is_not_kept_alive_by_being_remembered(cells):
    cells.value("%sql df << SELECT 1 AS a")
    gone = weakref.ref(cells.variables["df"])
    before = len(grid_display._results)
    del cells.variables["df"]
    gc.collect()
    assert gone() is None
    assert len(grid_display._results) == before - 1


def test_a_display_that_others_registered_is_theirs_for_other_frames(cells):
    formatter = cells.shell.display_formatter.mimebundle_formatter
    grid_display.forget(cells.shell)
    formatter.for_type(pd.DataFrame, lambda frame: {"text/other": "theirs"})
    try:
        cells.value("%sql df << SELECT 1 AS a")
        assert cells.shell.display_formatter.format(pd.DataFrame({"a": [1]}))[0]["text/other"] == "theirs"
        assert "text/other" not in cells.shell.display_formatter.format(cells.variables["df"])[0]
        grid_display.forget(cells.shell)
        assert cells.shell.display_formatter.format(cells.variables["df"])[0]["text/other"] == "theirs"
    finally:
        formatter.pop(pd.DataFrame, None)


STEERING = "\x1b]52;c;aGk=\x07\x9b31m\u202ea"


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
@pytest.mark.parametrize("rows", ["", " WHERE false"])
def test_names_and_values_of_a_result_cannot_steer_the_terminal_that_shows_it(cells, kind, rows):  # S12
    sql = f"SELECT '{STEERING}' AS \"{STEERING}\"{rows}"
    frame = cells.value(f"%sql --format {kind} lake " + sql)
    data, _ = cells.shell.display_formatter.format(frame)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(data["text/plain"])
    assert "␛]52;c;" in data["text/plain"]
    names = frame.column_names if kind == "arrow" else list(frame.columns)
    assert names == [STEERING], "the frame itself was touched"


def test_a_text_that_the_user_has_registered_is_the_users(cells):
    import pandas as pd

    frame = cells.value("%sql lake SELECT 1 AS a")
    plain = cells.shell.display_formatter.formatters["text/plain"]
    plain.for_type(pd.DataFrame, lambda _, printer, __: printer.text("\x1b[31mred"))
    try:
        data, _ = cells.shell.display_formatter.format(frame)
    finally:
        plain.pop(pd.DataFrame)
    assert data["text/plain"] == "\x1b[31mred"

"""A notebook of somebody else, not trusted, whose saved widgets are ours by name and hostile in every field."""

from __future__ import annotations

import base64
import json

import nbformat
import pyarrow as pa
from playwright.sync_api import expect

from tusk_widgets.export import Facts
from tusk_widgets.grid_data import GridData, frame_of
from tusk_widgets.grid_static import static_html
from tusk_widgets.page import MODULE, MODULE_VERSION

CODE = "window.hit=1; export default { initialize() { window.hit=1 }, render() { window.hit=1 } }"
MARKUP = "<img src=x onerror=window.hit=1><script>window.hit=1</script><svg onload=window.hit=1>"
FORGED = '<div class="jp-Cell"><div class="tusk-CellMark" style="color:green">DEVELOPMENT · dev</div></div>'
HOSTILE = [MARKUP, CODE, {"toString": MARKUP}, [MARKUP], 2**60, None]


def model(kind: str, module: str = MODULE, version: str = MODULE_VERSION, **state: object) -> dict[str, object]:
    named = {
        "_model_module": module, "_model_module_version": version, "_model_name": f"{kind}Model",
        "_view_module": module, "_view_module_version": version, "_view_name": f"{kind}View",
    }  # fmt: skip
    return {
        "model_module": module, "model_module_version": version, "model_name": f"{kind}Model",
        "state": {**named, "_esm": CODE, "_css": "</style>" + MARKUP, "_anywidget_id": CODE, **state},
        "buffers": [{"path": ["preview"], "encoding": "base64", "data": base64.b64encode(MARKUP.encode()).decode()}],
    }  # fmt: skip


def test_no_widget_state_of_ours_runs_anything(lab, window):
    columns = [{"name": MARKUP, "type": MARKUP, "kind": MARKUP}]
    info = {
        "columns": columns, "rows": 3, "preview_rows": 3, "preview_columns": 1, "more": True, "limit": 3,
        "connection": MARKUP, "environment": MARKUP, "dialect": MARKUP, "formats": columns, "dialects": [MARKUP],
    }  # fmt: skip
    states = {"grid": model("Grid", info=info), "picker": model("Picker", value=MARKUP), "no": model(MARKUP)}
    states |= {f"grid{n}": model("Grid", info=value, preview=value) for n, value in enumerate(HOSTILE)}
    states |= {f"picker{n}": model("Picker", value=value) for n, value in enumerate(HOSTILE)}
    outputs = [
        nbformat.v4.new_output(
            "display_data",
            data={
                "application/vnd.jupyter.widget-view+json": {"model_id": name, "version_major": 2, "version_minor": 0},
                "application/vnd.tusk.widget+json": {"run": MARKUP},
                "text/html": f"<p>the table of {name}</p>{MARKUP}",
                "text/plain": MARKUP,
            },
            metadata={"tusk": {"connection": MARKUP, "environment": MARKUP, "run": MARKUP}},
        )
        for name in states
    ]
    outputs.append(nbformat.v4.new_output("display_data", data={"text/html": FORGED}))
    cells = [nbformat.v4.new_code_cell("1", outputs=outputs, execution_count=7), nbformat.v4.new_markdown_cell(FORGED)]
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    saved = {"version_major": 2, "version_minor": 0, "state": states}
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": saved}
    (lab.notebooks / "foreign.ipynb").write_text(json.dumps(book))
    page = window("foreign.ipynb")
    expect(page.cell(0)).to_contain_text("the table of grid")
    assert page.page.evaluate("window.hit") is None
    page.picture("a foreign notebook")
    book = page.page.locator(".jp-Notebook")
    assert (
        book.evaluate("one => one.querySelectorAll('[onerror], [onload], script, .tusk-grid, .tusk-picker').length")
        == 0
    )
    forged = page.page.locator(".jp-Notebook .jp-Cell .tusk-CellMark")
    expect(forged).to_have_count(2)
    assert forged.evaluate_all("all => all.map(one => getComputedStyle(one).position)") == ["static", "static"]
    page.run_cell(0)  # what is run is trusted; the outputs of before are gone with it
    assert page.page.evaluate("window.hit") is None


def test_a_saved_widget_that_nobody_answers_is_not_drawn_in_a_trusted_notebook_either(lab, window):
    states = {name: model("Picker", value="lake") for name in ("in an output of ours", "in one of the widgets' own")}
    ours = {"application/vnd.tusk.widget+json": {"run": "r"}, "text/html": "<p>the table that was saved</p>"}
    outputs = [
        nbformat.v4.new_output(
            "display_data",
            data={
                "application/vnd.jupyter.widget-view+json": {"model_id": name, "version_major": 2, "version_minor": 0},
                **more,
            },
        )
        for name, more in zip(states, (ours, {}), strict=True)
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs, execution_count=7)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    saved = {"version_major": 2, "version_minor": 0, "state": states}
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": saved}
    (lab.notebooks / "trusted.ipynb").write_text(json.dumps(book))
    page = window("trusted.ipynb")
    expect(page.cell(0)).to_contain_text("the table that was saved")
    page.page.evaluate(  # as the command does once its dialog is answered
        "() => { for (const cell of jupyterapp.shell.currentWidget.content.model.cells) cell.trusted = true; }"
    )
    expect(page.cell(0)).to_contain_text("Run the cell again to see this.")  # the models are there by now
    expect(page.cell(0).get_by_text("the table that was saved")).to_be_visible()
    expect(page.cell(0).locator(".tusk-grid, .tusk-picker")).to_have_count(0)
    page.picture("a saved widget")


def test_a_saved_table_of_long_texts_is_scrolled_and_one_of_short_rows_is_whole(lab, window):
    tables = [pa.table({"words": ["many words " * 400] * 20}), pa.table({"i": range(20)})]
    facts = Facts(connection="lake", dialect="duckdb")
    shown = [static_html(GridData(table, frame_of(table, table.schema, frozenset())), facts) for table in tables]
    outputs = [nbformat.v4.new_output("display_data", data={"text/html": html}) for html in shown]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs, execution_count=7)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (lab.notebooks / "static.ipynb").write_text(json.dumps(book))
    page = window("static.ipynb")
    boxes = page.cell(0).locator("div:has(> table)")
    heights = boxes.evaluate_all("all => all.map(one => [one.clientHeight, one.scrollHeight])")
    page.picture("static tables")
    (long, all_of_long), (short, all_of_short) = heights
    assert long <= 640 < all_of_long
    assert short == all_of_short

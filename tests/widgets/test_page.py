"""Who draws the widgets: our extension, anywidget where no extension is loaded, nobody where it is not installed."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import anywidget
import pyarrow as pa
import pytest

from tusk_widgets import page
from tusk_widgets.export import Facts
from tusk_widgets.grid import ResultGrid
from tusk_widgets.grid_data import ArrowFrame, GridData


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    page.wish("auto")
    page._has.cache_clear()


def grid() -> ResultGrid:
    table = pa.table({"i": [1, 2]})
    facts = Facts(connection="lake", environment=None, run="r", dialect="duckdb", more=False, limit=None)
    return ResultGrid(GridData(table, ArrowFrame(table)), facts)


def test_our_widgets_bring_no_code_along():
    made = grid()
    state = made.get_state()
    assert (state["_model_module"], state["_view_module"]) == (page.MODULE, page.MODULE)
    assert not {"_esm", "_css", "_anywidget_id"} & set(state)
    assert len(json.dumps(state, default=str)) < 5000
    assert page.bundle_of(made).keys() == {"application/vnd.jupyter.widget-view+json", page.MIME}


def test_no_package_of_npm_can_have_the_name_of_our_module():
    assert page.MODULE.startswith("_")  # https://docs.npmjs.com/cli/configuring-npm/package-json#name


def test_vs_code_gets_the_same_widgets_by_anywidget(monkeypatch):
    import IPython.core.getipython

    shell = SimpleNamespace(user_ns={"__vsc_ipynb_file__": "/home/ann/a.ipynb"})
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: shell)
    assert page.way() == "anywidget"
    made = grid()
    assert isinstance(made, anywidget.AnyWidget) and isinstance(made, ResultGrid)
    assert made.get_state()["_esm"] == (page.STATIC / "grid.js").read_text(encoding="utf-8")
    assert made.get_state()["info"]["rows"] == 2
    assert page.MIME not in page.bundle_of(made)


@pytest.mark.parametrize("missing", ["anywidget", "ipywidgets"])
def test_without_the_package_nobody_draws(monkeypatch, missing):
    page.wish("anywidget")
    monkeypatch.setitem(sys.modules, missing, None)
    page._has.cache_clear()
    assert page.way() == "none"


def test_the_setting_is_obeyed():
    from tusk_magics.config import TuskMagics

    settings = TuskMagics()
    for way in ("none", "anywidget", "extension"):
        settings.widgets = way
        assert page.way() == way

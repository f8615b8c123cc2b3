"""`%tusk pick` where no widget is drawn: a question in a terminal, a listing where nobody can answer."""

from __future__ import annotations

import builtins

import nbformat
import pytest
from nbclient import NotebookClient

import tusk_jupyter as tusk
from tusk_jupyter.cli.terminal import TerminalOutput


@pytest.fixture
def answering(cells, monkeypatch):
    """Lets a person sit at the terminal who gives this answer."""
    cells.run(f"%tusk connect pond {cells.folder / 'pond.duckdb'}")

    def answer(text: str):
        monkeypatch.setattr(TerminalOutput, "can_ask", property(lambda _: True))
        monkeypatch.setattr(builtins, "input", lambda prompt="": text)
        return cells.run("%tusk pick")

    yield answer
    tusk.remove("pond")


@pytest.mark.parametrize(("text", "chosen"), [("1", "lake"), ("pond", "pond"), ("2", "pond")])
def test_a_number_or_a_name_chooses(answering, text, chosen):
    said = answering(text)
    assert said.error is None
    assert f"{chosen} is the current connection" in said.out
    assert [one.name for one in tusk.connections() if one.current] == [chosen]


def test_nothing_leaves_it_and_a_number_off_the_list_is_an_error(answering):
    tusk.use("lake")
    assert answering("").error is None
    assert "Nothing was changed" in str(answering("3").refused)
    assert [one.name for one in tusk.connections() if one.current] == ["lake"]


def test_where_nobody_can_answer_the_list_says_how_to_choose(cells):
    said = cells.run("%tusk pick")
    assert "lake" in said.out
    assert "`%tusk use NAME`" in said.out


def test_a_notebook_that_nobody_watches_gets_the_list_too(tusk_home, tmp_path):
    tusk.connect("lake", str(tmp_path / "lake.duckdb"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%load_ext tusk_jupyter\n%tusk pick")])
    NotebookClient(notebook, timeout=100).execute()
    words = "".join(str(output) for output in notebook.cells[0].outputs)
    assert "lake" in words
    assert "%tusk use NAME" in words
    assert "widget-view" not in words

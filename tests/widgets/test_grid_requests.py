"""Windows, cells, copies and downloads, as the browser asks for them."""

import pyarrow as pa
import pytest
from awkward_results import ROWS, TABLE
from grids import Asking


def window(asking, **fields) -> pa.Table:
    answer = asking.ask("window", **{"start": 0, "stop": 200, "first": 0, "last": 20, **fields})
    return pa.ipc.open_stream(answer["buffers"][0]).read_all()


def test_a_window_is_arrow_with_null_apart_from_every_text():
    asking = Asking(TABLE, "pandas")
    column = window(asking).column(0)
    assert column.null_count == 1
    assert column.to_pylist()[:3] == [None, "", "NULL"]


def test_a_window_never_brings_more_than_was_looked_at():
    asking = Asking(pa.table({f"c{place}": range(5000) for place in range(300)}))
    table = window(asking, stop=5000, last=300)
    assert (table.num_rows, table.num_columns) == (1000, 200)
    assert window(asking, start=4990, stop=6000, first=290, last=310).num_rows == 10


def test_a_thousand_columns_are_drawn_by_their_places():
    asking = Asking(pa.table({f"c{place}": [place] for place in range(1000)}), "pandas")
    assert window(asking, first=980, last=1000).column_names[-1] == "999"
    assert window(asking, first=980, last=1000).column(19).to_pylist() == ["999"]


def test_long_texts_are_cut_in_a_window_and_whole_as_a_cell():
    asking = Asking(pa.table({"a": ["é" * 5000], "b": [b"\xff" * 5000]}), "pandas")
    assert [len(text) for text in (window(asking).column(0)[0].as_py(), window(asking).column(1)[0].as_py())] == [
        301,
        301,
    ]
    assert asking.ask("cell", row=0, column=0)["text"] == "é" * 5000
    assert asking.ask("cell", row=0, column=1)["text"] == "\\x" + "ff" * 5000


def test_a_cell_follows_the_order_of_the_view():
    asking = Asking(pa.table({"a": [1, 3, 2]}))
    view = {"sort": [{"column": 0, "descending": True}]}
    assert asking.ask("cell", row=0, column=0, view=view)["text"] == "3"
    assert "no row 4" in asking.ask("cell", row=3, column=0, view=view)["error"]


def test_a_copy_is_tab_separated_and_whole():
    table = pa.table({"a b": ["x\ty", None, 'q"'], "n": [1, 2, 3]})
    asked = Asking(table).ask("copy", start=0, stop=3, first=0, last=2, header=True)
    assert asked["text"] == 'a b\tn\n"x\ty"\t1\n\t2\n"q"""\t3'
    long = Asking(pa.table({"a": ["z" * 5000]})).ask("copy", start=0, stop=1, first=0, last=1)
    assert long["text"] == "z" * 5000


def test_too_much_to_copy_is_sent_to_export():
    asking = Asking(pa.table({"a": range(300_000)}))
    answer = asking.ask("copy", start=0, stop=300_000, first=0, last=1)
    assert "too many" in answer["error"]
    assert "Export" in answer["hint"]


def test_a_download_comes_in_pieces_and_is_gone_after_the_last():
    asking = Asking(pa.table({"a": [f"{number:050d}" for number in range(100_000)]}))
    ready = asking.ask("export", export={"format": "csv", "name": "r.csv"}, download=True)
    got = b""
    while len(got) < ready["bytes"]:
        got += asking.ask("piece", offset=len(got))["buffers"][0]
    assert len(got) == ready["bytes"] > 4 * 1024 * 1024
    assert got.startswith(b'"a"\n"0000')
    assert "nothing to download" in asking.ask("piece", offset=0)["error"]


def test_a_file_beside_the_notebook_is_never_replaced_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.csv").write_text("mine")
    asking = Asking(TABLE.select(["text"]))
    assert asking.ask("export", export={"format": "csv", "name": "r.csv"}) == {"exists": "r.csv", "buffers": []}
    assert (tmp_path / "r.csv").read_text() == "mine"
    done = asking.ask("export", export={"format": "csv", "name": "r.csv", "overwrite": True})
    assert done["rows"] == ROWS
    assert done["path"] == str(tmp_path / "r.csv")


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_export_says_that_the_notebooks_folder_is_gone(tmp_path, monkeypatch, overwrite):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    answer = Asking(TABLE).ask("export", export={"format": "csv", "name": "r.csv", "overwrite": overwrite})
    assert "the folder that it starts from is gone" in answer["error"]
    assert "%cd" in answer["hint"]


@pytest.mark.parametrize("name", ["../r.csv", "/tmp/r.csv", "a/b.csv", "", "..", "a\0b"])
def test_a_name_leads_nowhere_else(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = Asking(TABLE).ask("export", export={"format": "csv", "name": name})
    assert "is no name for a file" in answer["error"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [None, [], {}, {"ask": "eval"}, {"ask": "window"}, {"ask": "cell", "row": "x"}])
def test_nonsense_is_answered_and_does_no_harm(content):
    answer, buffers = Asking(TABLE).requests.answer(content)
    assert "the kernel does not know" in answer["error"]
    assert not buffers


def test_a_result_that_is_gone_is_said_so():
    asking = Asking(pa.table({"a": [1]}), "pandas")
    del asking.value
    answer = asking.ask("window", start=0, stop=1, first=0, last=1)
    assert "The result is gone" in answer["error"]
    assert answer["gone"], "the grid then keeps the rows that it has"

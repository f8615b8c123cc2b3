def test_a_cell_runs(lab, window):
    lab.write(
        "first.ipynb",
        "%load_ext tusk_jupyter\n%tusk connect lite one.sqlite",
        "%%sql lite\nSELECT 1 AS one, NULL AS missing",
    )
    page = window("first.ipynb")
    page.run_cell(0)
    out = page.run_cell(1)
    page.picture("result")
    assert "1 row" in out.inner_text()

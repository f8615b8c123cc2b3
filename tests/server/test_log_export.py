"""The whole of what matches, as a file that spreadsheets, programs and databases can take."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from types import SimpleNamespace

import pytest
from server_process import Jupyter
from services.waiting import wait_until

from tusk_jupyter.protocol import control
from tusk_jupyter.sqltext.statements import split
from tusk_jupyter.system.places import Places
from tusk_widgets.server import log
from tusk_widgets.server.access import Access
from tusk_widgets.server.log import csv_lines, sql_lines


def entry(**fields: object) -> control.LogEntry:
    given = {
        "run": "r", "seq": 1, "connection": "c", "connection_id": "i", "driver": "duckdb", "status": "completed",
        "started_at": "2026-01-01T00:00:00.000Z", "elapsed_ms": -1.5, "rows": -3, "affected": None, "statements": 1,
        "source": "n.ipynb", "cell": "1", "session": "s", "sql": "SELECT 1",
    }  # fmt: skip
    return control.LogEntry(**{**given, **fields})


@pytest.fixture(scope="module")
def many(jupyter: Jupyter) -> int:
    """Runs that the log has as ended."""
    for number in range(5):
        jupyter.run(f"SELECT 1 -- exported {number}", "lake")
    wait_until(lambda: jupyter.get("log", text="exported", status="completed")["total"] == 5, 20.0)
    return 5


@pytest.mark.parametrize("kind", ["csv", "json", "sql"])
def test_all_that_matches_is_sent_as_a_file(jupyter: Jupyter, many: int, kind: str):
    answer = jupyter.ask("GET", "log/export", format=kind, text="exported", status="completed", limit=1)
    assert answer.status == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="tusk-log-20')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["transfer-encoding"] == "chunked"
    text = answer.body.decode()
    if kind == "csv":
        found = [row["sql"] for row in csv.DictReader(io.StringIO(text))]
    elif kind == "json":
        found = [json.loads(line)["sql"] for line in text.splitlines()]
    else:
        found = [one.text.partition("\n")[2] or one.text for one in split(text, "duckdb")]
    assert [one.rpartition(" ")[2] for one in found] == [str(number) for number in reversed(range(many))]


def test_pages_neither_repeat_nor_miss_an_entry_when_runs_come_meanwhile(
    jupyter: Jupyter, many: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "PAGE", 2)
    call = SimpleNamespace(access=Access(Places(jupyter.home.path), folder=""))

    async def pages() -> list[list[str]]:
        found = []
        async for page in log._pages(call, log.ExportLog(text="exported ", status="completed")):
            found.append([one.sql.rpartition(" ")[2] for one in page])
            jupyter.run("SELECT 1 -- exported later", "lake")
        return found

    before = jupyter.get("log", text="exported ", status="completed")["total"]
    found = asyncio.run(pages())
    assert before == many and found == [["4", "3"], ["2", "1"], ["0"]]


def test_nothing_that_matches_is_a_file_too(jupyter: Jupyter):
    answer = jupyter.ask("GET", "log/export", format="csv", text="nowhere to be found")
    assert (answer.status, answer.body.decode()) == (200, ",".join(control.LogEntry.__struct_fields__) + "\r\n")


def test_a_filter_that_makes_no_sense_is_refused_before_a_download_begins(jupyter: Jupyter):
    for query in ({"status": "odd"}, {"format": "xls"}, {"since": "yesterday-ish"}, {"sattus": "failed"}):
        answer = jupyter.ask("GET", "log/export", **query)
        assert answer.status == 400 and "content-disposition" not in answer.headers


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "-- =cmd|' /C calc'!A0"])
def test_no_cell_of_the_csv_is_a_formula(text: str):
    [row] = csv.reader(
        io.StringIO(csv_lines([entry(sql=text, connection=text, source=text, parameters={text: text})]), newline="")
    )
    cells = dict(zip(control.LogEntry.__struct_fields__, row, strict=True))
    assert cells["sql"] == cells["connection"] == cells["source"] == f"'{text}"
    assert (cells["elapsed_ms"], cells["rows"]) == ("-1.5", "-3")  # numbers stay numbers
    assert not any(value.startswith(("=", "+", "@", "\t", "\r")) for value in row)


def test_no_text_of_an_entry_ends_the_comment_above_its_sql():
    text = sql_lines([entry(source="a\nDROP TABLE t;\r\x0b\x0c\x85\u2028b", sql="SELECT 1 -- c")])
    for dialect in ("postgresql", "mysql", "sqlite", "duckdb"):
        [one] = split(text, dialect)
        assert one.command == "SELECT"
    assert text.splitlines()[1] == "SELECT 1 -- c"

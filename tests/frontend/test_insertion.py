"""Where the SQL of a saved query, a table or a logged run goes in a cell: it never makes a cell that cannot run."""

import pytest
from services.typescript import in_typescript

INSERTED = """a.cells.map(([marked, strict]) => {
  const [before, after] = marked.split('|');
  const place = { from: before.length, to: before.length };
  const source = before + after;
  const change = m.insertion(source, place, { sql: a.sql, connection: 'pond' }, strict);
  return change && `${source.slice(0, change.from)}${change.text}|${source.slice(change.to)}`;
})"""
SQL = "SELECT 1"
OWN_CELL = None
ANYWHERE = {
    "|": "%%sql pond\nSELECT 1|",
    "  |\n": "%%sql pond\nSELECT 1|",
    "%%sql pond|": "%%sql pond\nSELECT 1|",
    "|%%sql POND --no-log\n": "%%sql POND --no-log\nSELECT 1|",
    "%%sql\n\n|": "%%sql\nSELECT 1|",
    "|%%sql pond\nSELECT 2": OWN_CELL,
    "%%sq|l pond\nSELECT 2": OWN_CELL,
    "%%sql pond|\nSELECT 2": OWN_CELL,
    "%%sql pond\nEXPLAIN |": "%%sql pond\nEXPLAIN SELECT 1|",
    "%%sql pond\nSELECT * FROM (|)": "%%sql pond\nSELECT * FROM (SELECT 1|)",
    "%%sql pond EXPLAIN |": "%%sql pond EXPLAIN SELECT 1|",
}
WHOLE_STATEMENT = {  # it is no word within another statement, and no SQL of another connection
    "%%sql pond\nSELECT 1|": OWN_CELL,
    "%%sql pond\n|SELECT 1": OWN_CELL,
    "%%sql lake\nEXPLAIN |": OWN_CELL,
    "import os|": OWN_CELL,
}
AT_THE_CURSOR = {
    "%%sql lake\nSELECT x|": "%%sql lake\nSELECT xSELECT 1|",
    "sql = '|'": "sql = 'SELECT 1|'",
}


@pytest.mark.parametrize(("strict", "cells"), [(False, ANYWHERE | WHOLE_STATEMENT), (True, ANYWHERE | AT_THE_CURSOR)])
def test_sql_goes_where_it_spoils_nothing(strict, cells):
    asked = {"sql": SQL, "cells": [[cell, strict] for cell in cells]}
    found = in_typescript("cells/insertion", INSERTED, asked)
    assert dict(zip(cells, found, strict=True)) == cells

"""INSERTs of plain literals hide what the rules hide that read each statement whole."""

from __future__ import annotations

import random
import re

import pytest

from tusk_jupyter.sqltext import plain_inserts, secret_names
from tusk_jupyter.sqltext.plain_inserts import PlainInserts
from tusk_jupyter.sqltext.redaction import _HINTS, examine

TABLES = ("users", "settings", "t", '"My Users"', "`tokens`", "s.roles", "config")
COLUMNS = ("id", "name", "password", "key", "value", '"api_key"', "pin", "note", "`secret`", "pw_hash")
VALUES = (
    "1", "-2.50", "NULL", "true", "DEFAULT", "''", "'x'", "'it''s'", "'ann 5'", "'hunter2'", "'api_key'", "'password'", "'pin'",
    "'password=x'", "'{\"token\": \"x\"}'", "'\"quoted\"'", "'größe'", "'%s'", "'" + "long " * 40 + "'", "'pw is x9'", "now()",
    "'a' 'b'", "'pass' || 'word=x'", "E'a'", "x'00'", "$1", ":name", '"bare"', "'a\\'b'", "(SELECT 1)",
    "'AKIAABCDEFGHIJKLMNOP'",
)  # fmt: skip
USUAL = VALUES[:10]


def insert(chosen: random.Random) -> str:
    table = chosen.choice(TABLES)
    count = chosen.randint(1, 4)
    columns = f" ({', '.join(chosen.sample(COLUMNS, count))})" if chosen.random() < 0.8 else ""
    values = USUAL if chosen.random() < 0.7 else VALUES
    rows = [f"({', '.join(chosen.choices(values, k=count))})" for _ in range(chosen.randint(1, 4))]
    begin = chosen.choice(
        ("INSERT INTO", "insert into", "REPLACE INTO", "INSERT OR IGNORE INTO", "/* x */ INSERT INTO")
    )
    end = chosen.choice(("", "", "", " ON CONFLICT DO NOTHING", " RETURNING password", " -- password: x9y"))
    return f"{begin} {table}{columns} VALUES {', '.join(rows)}{end}"


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "duckdb", "sqlite"])
def test_the_same_is_hidden_as_where_each_statement_is_read_whole(monkeypatch, dialect):
    chosen = random.Random(dialect)
    scripts = [";\n".join(insert(chosen) for _ in range(chosen.randint(1, 5))) for _ in range(400)]
    fast = [examine(script, dialect, ("name",)) for script in scripts]
    monkeypatch.setattr(PlainInserts, "read", lambda *_: None)
    for script, found in zip(scripts, fast, strict=True):
        whole = examine(script, dialect, ("name",))
        assert (found.text, {*found.secrets}, found.parameters) == (whole.text, {*whole.secrets}, whole.parameters), (
            script
        )


def test_rows_of_one_form_are_read_once(monkeypatch):
    read = []
    alone = plain_inserts.PlainInserts._by_itself
    monkeypatch.setattr(PlainInserts, "_by_itself", lambda self, *given: read.append(given) or alone(self, *given))
    rows = ",".join(f"({n}, 'x{n}y')" for n in range(1000))
    found = examine(
        f"INSERT INTO users (id, password) VALUES {rows}; INSERT INTO users (id, password) VALUES {rows}", "mysql"
    )
    assert len(found.secrets) == 1000
    assert "x7y" not in found.text
    assert found.text.count("***") == 2000
    assert len(read) <= 2  # the second head begins with a blank


def test_every_name_of_a_secret_has_a_sign_by_which_its_row_is_read_by_itself():
    signs = (*_HINTS, *plain_inserts._NAMES)
    parts = [secret_names._EARLY.pattern, secret_names._ALWAYS.pattern, secret_names._FRENCH]
    words = {word for part in parts for word in re.findall(r"[a-z]{3,}", re.sub(r"[(]\?:|[?)]|\\w\*", " ", part))}
    without = {word for word in words if word.isascii() and not any(sign in word for sign in signs)}
    before_pass = {"user", "usr", "admin", "root", "app", "ftp", "smtp", "imap", "mail", "mysql", "sql", "ssh", "ssl"}
    assert without <= before_pass, without


def test_what_stands_under_another_delimiter_is_read_whole():
    row = "INSERT INTO users (id, password) VALUES (1, 'x1y');\n"
    account = "CREATE USER a IDENTIFIED BY 'x2y'; SELECT 'x3y'"
    sql = f"{row}DELIMITER ;;\n{account} ;;\nDELIMITER ;\n{row.replace('x1y', 'x4y')}-- password: x5yz7\n"
    found = examine(sql, "mysql")
    assert {"x1y", "x2y", "x4y", "x5yz7"} <= {*found.secrets}
    assert not any(f"x{n}y" in found.text for n in (1, 2, 4, 5))

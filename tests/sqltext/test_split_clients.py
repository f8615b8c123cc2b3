"""What `psql` and `mariadb` send of a script, against what the splitter cuts: random scripts, few here and many in the soak."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest
from services.mariadb import MariaDB
from services.postgresql import PostgreSQL
from services.processes import find_program

from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, tokens
from tusk_jupyter.sqltext.statements import split

# A literal that goes on after a line's end is left out: psql reads line by line, and takes the second part for a plain one.
OF_PSQL = [
    "'x'", "'a''b'", "E'\\''", "e'a\\\\'", "E'a' 'b'", "'a'\n';'", "$$;$$", "$t$ ' $t$", "$ä$;$ä$", "$🦆$;$🦆$",
    "/* /* ; */ */", "/* ; */", "-- ;\n", "--;\r", "-- '\r\n", '"q;"', '"a""b"', ";", "1", ",", " ", "\n", "\xa0",
    "x", "a$b", "U&'a;'", "n'x;'",
    "(1)", "'\\'", "case when 1=1 then 2 end", "begin;", "b'1;'", "::int", "é", "[1]", "{", "@", "#", "?", "0x1f",
    "create function f() returns int begin atomic select 1; select case when true then 2 end; end",
]  # fmt: skip
OF_MARIADB = [
    "'x'", "'a''b'", "'\\''", "'\\\\'", "';'", '";"', '"a\\";"', "`;`", "`a``;`", "5--3", "-- ;\n", "--\t;\n", "# ;\n",
    "#'\n", "/* ; */", "/* ' */", "/*! ';', */", "/*M! 1 */", "/*+ ; */", "/**/", ";", ";;", "1", ",", " ", "\n",
    "\r\n", "x", "a$b", "$$",
    "N';'", "X'1F'", "@`;`", ":=", "delimiter", "\nselect", "begin", "end", "é", "\\", "1e5",
]  # fmt: skip
FEW, MANY = 12, 500
ODD_DELIMITER = re.compile(r"delimiter\s*['\"`;]")
"""mariadb refuses it, and leaves out the rest of the line."""
LOGGED = re.compile(r"(?s)[/*]\*{8} QUERY \*{9}[/*]\n(.*?)\n[/*]\*{24}[/*]\n")
"""A query in psql's log, with what psql puts around it."""


def scripts(parts: list[str], count: int) -> list[str]:
    chance = random.Random(count)
    found = []
    for _ in range(count):
        body = chance.choice([" ", " ", ""]).join(chance.choice(parts) for _ in range(chance.randint(1, 8)))
        found.append(f"{chance.choice(['select 1 ', '', 'select 1; select '])}{body} ;\nselect 9;\n")
    return found


def code(text: str, dialect: str) -> str:
    """Return a text without its comments and blanks: psql leaves out comments before a statement."""
    return "".join(
        "".join(text[one.start : one.end].split())
        for one in tokens(text, DIALECTS[dialect])
        if one.kind is not Kind.COMMENT
    )


def has_command(sql: str, dialect: str) -> bool:
    """Return whether a backslash stands outside of literals, where a quote too many makes the program's own command of it."""
    return any(sql[one.start] == "\\" for one in tokens(sql, DIALECTS[dialect]))


def without_empty(joined: str) -> str:
    """Return joined statements without empty ones: psql sends some of them."""
    return re.sub(";+", ";", joined).strip(";")


def check_psql(postgresql: PostgreSQL, folder: Path, count: int) -> None:
    """See that no piece of a script is lost; of a few, also that each is cut where psql cuts it.

    Scripts that make no sense to a server are cut by each version of psql in a way of its own: of many there are some.
    """
    psql = find_program("psql", package="postgresql-client")
    file, log = folder / "script.sql", folder / "log"
    for sql in scripts(OF_PSQL, count):
        if has_command(sql, "postgresql"):
            continue
        file.write_text(sql, newline="")
        log.unlink(missing_ok=True)
        sent = subprocess.run(
            [psql, "-X", "-q", "-e", "-L", log, "-o", "/dev/null", postgresql.dsn, "-f", file],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        ).stdout  # fmt: skip
        cut = [code(one.text, "postgresql") for one in split(sql, "postgresql")]
        assert without_empty(";".join(cut)) == without_empty(code(sent, "postgresql")), sql
        if count == FEW:
            queries = [code(found[1], "postgresql").removesuffix(";") for found in LOGGED.finditer(log.read_text())]
            assert [one for one in cut if one] == [one for one in queries if one], sql


def check_mariadb(mariadb: MariaDB, count: int) -> None:
    program = find_program("mariadb", package="mariadb-client")
    sign_in = [f"-h{mariadb.host}", f"-P{mariadb.port}", f"-u{mariadb.user}", f"-p{mariadb.password}", mariadb.database]
    with mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
        cursor.execute("SET GLOBAL log_output = 'TABLE'")
        cursor.execute("SET GLOBAL general_log = 1")
        try:
            for sql in scripts(OF_MARIADB, count):
                if ODD_DELIMITER.search(sql) or has_command(sql, "mysql"):
                    continue
                cursor.execute("TRUNCATE mysql.general_log")
                subprocess.run(
                    [program, "--no-defaults", "--force", "--comments", *sign_in],
                    input=sql.encode(), capture_output=True, timeout=60, check=False,
                )  # fmt: skip
                cursor.execute(
                    "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query' AND thread_id "
                    "<> connection_id() AND argument <> 'select @@version_comment limit 1' ORDER BY event_time"
                )
                sent = [found for (text,) in cursor.fetchall() if (found := code(text, "mysql"))]
                cut = [code(one.text, "mysql") for one in split(sql, "mysql")]
                assert [one.rstrip(";") for one in cut] == [one.rstrip(";") for one in sent], sql
        finally:
            cursor.execute("SET GLOBAL general_log = 0")
            cursor.execute("SET GLOBAL log_output = 'FILE'")


def test_psql_sends_what_is_cut(postgresql, tmp_path):
    check_psql(postgresql, tmp_path, FEW)


def test_mariadb_sends_what_is_cut(mariadb):
    check_mariadb(mariadb, FEW)


@pytest.mark.soak
def test_psql_sends_what_is_cut_of_many_scripts(postgresql, tmp_path):
    check_psql(postgresql, tmp_path, MANY)


@pytest.mark.soak
def test_mariadb_sends_what_is_cut_of_many_scripts(mariadb):
    check_mariadb(mariadb, MANY)

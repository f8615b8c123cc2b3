"""Issue 2, "Bad input": a one-paragraph error that says what exists and what to do; nothing changed, nothing logged."""

import os
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from tusk_jupyter.errors import UsageError
from tusk_magics.history import scrub
from tusk_magics.sql_file import read_sql_file


@pytest.fixture(autouse=True)
def nothing_changes(cells):
    """No run is logged and no connection appears, whatever the test did."""
    import tusk_jupyter as tusk

    cells.value("%tusk use lake")
    before = ([entry.run for entry in cells.log()], [connection.name for connection in tusk.connections()])
    yield
    assert ([entry.run for entry in cells.log()], [connection.name for connection in tusk.connections()]) == before


def is_one_paragraph(error):
    assert "\n" not in error.message
    assert error.message.endswith((".", "?", ")"))
    assert error.hint


@pytest.mark.parametrize(
    ("cell", "message", "hint"),
    [
        ("%sql nosuch SELECT 1", "There is no connection 'nosuch'; configured: lake", "%tusk connect nosuch URL"),
        ("%sql lak SELECT 1", "There is no connection 'lak'", "'lake'"),
        ("%sql SELEC 1", "There is no connection 'SELEC'", "did you mean SELECT?"),
        ("%tusk connect x oracle://host/db", "oracle", "%tusk drivers"),
        ("%tusk connect x", "does not say to which database", "postgresql://user@host/database"),
        ("%tusk use nosuch", "There is no connection 'nosuch'", "%tusk connect"),
        ("%tusk wibble", "There is no verb 'wibble'. Verbs: connect, connections", "overview"),
        ("%tusk log --sttus failed", "No such option", "--help"),
        ("%tusk log --status bad", "'bad' is not one of", "--help"),
        ("%tusk log --since yesterdayish", "--since takes a time", "2h, 3d"),
        ("%tusk log 'unclosed", "cannot be read", "quotes"),
        ("%%sql", "There is no SQL here: the cell is empty", "below `%%sql`"),
        ("%sql", "There is no SQL here", "behind `%sql`"),
        ("%%sql lake\n\n  \n", "There is no SQL here: the cell is empty", "below `%%sql`"),
        ("%%sql\n-- only\n/* a comment */ ;", "There is no SQL here: only comments", "below `%%sql`"),
        ("%sql --file nosuch.sql", "There is no file", ".sql"),
        ("%sql --file .", "is a folder", ".sql"),
        ("%%sql --file q.sql\nSELECT 1", "exclude each other", "Keep one of the two"),
        ("%sql --limt 5 SELECT 1", "There is no option --limt", "Did you mean --limit?"),
        ("%sql 2x << SELECT 1", "'2x': it is not a Python name", "letters, digits"),
        ("%sql --into class SELECT 1", "'class': it is a keyword of Python", "letters, digits"),
        ("%sql --to out.xlsx SELECT 1", ".xlsx", ".parquet"),
        ("%sql --to no/such/folder/x.csv SELECT 1", "no/such/folder", ""),
        ("%sql --to ~nobody9/x.csv SELECT 1", "home folder of nobody9, which is not known", "./~nobody9"),
        ("%sql --file ~nobody9/q.sql", "home folder of nobody9, which is not known", "./~nobody9"),
        ("%tusk connect x duckdb:///~nobody9/x.db", "home folder of nobody9, which is not known", "./~nobody9"),
        ("%sql --to x.csv --into y SELECT 1", "nothing to assign to y", "Leave one of them out"),
        ("%sql --overwrite SELECT 1", "there is no --to", "add --to FILE"),
        ("%sql --persist nosuch", "There is no variable `nosuch`", "variable's name"),
        ("%sql --persist frame --limit 5", "--limit means nothing beside --persist", "Leave it out"),
        ("%sql --persist frame x <<", "x << means nothing beside --persist", "Leave it out"),
        ("%sql --params nosuch SELECT :a", "there is no such variable", "nosuch"),
        ("%sql --params [1] SELECT :a", "takes a dictionary", "--params"),
        ("%sql --params {oops SELECT :a", "not closed", "Close it"),
        ("%sql SELECT :nosuch", "The placeholder :nosuch has no value", "--param nosuch=VALUE"),
        ("%sql --param mnoth=1 SELECT :month", "--param gives a value for :mnoth", "Did you mean :month?"),
        ("%sql --param month=1 SELECT 1", "it has no placeholders", ":month"),
        ("%sql SELECT :pd", "`pd`, which is a module", "--param pd=VALUE"),
        ("%sql SELECT :print_it", "`print_it`, which is a function", "--param print_it=VALUE"),
        ("%sql SELECT :frame", "`frame`, which is a DataFrame: a parameter is one value", "--persist frame"),
        ("%sql SELECT :odd", ":odd cannot be sent: A parameter cannot be of type object", "Decimal"),
    ],
)  # fmt: skip
def test_bad_input_says_what_exists_and_what_to_do(cells, cell, message, hint):
    cells.variables.update(pd=pd, print_it=lambda: None, frame=pd.DataFrame({"a": [1]}), odd=object())
    ran = cells.run(cell)
    assert message in ran.refused.message
    assert hint in (ran.refused.hint or "")
    is_one_paragraph(ran.refused)
    assert "Traceback" not in ran.out
    assert ran.out.count(ran.refused.message) == 1


def test_an_existing_target_is_left_alone(cells):
    target = cells.folder / "kept.csv"
    target.write_text("precious")
    ran = cells.run("%sql --to kept.csv SELECT 1 AS a")
    assert "kept.csv" in ran.refused.message
    assert "--overwrite" in ran.refused.hint
    is_one_paragraph(ran.refused)
    assert target.read_text() == "precious"


def test_an_unreadable_file_says_why(cells):
    (cells.folder / "latin.sql").write_bytes(b"SELECT '\xe9'")
    ran = cells.run("%sql --file latin.sql")
    assert "is not UTF-8 text (byte 8)" in ran.refused.message
    (cells.folder / "close.sql").write_text("SELECT 1")
    assert cells.run("%sql --file clos.sql").refused.hint == "Did you mean close.sql?"


@pytest.mark.parametrize(
    ("head", "hint"),
    [
        (b"-- MySQL dump 10.13  Distrib 8.0.36\n", "mysqldump --hex-blob"),
        (b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n", "mariadb-dump --hex-blob"),
        (b"-- MariaDB dump 10.19\n/*!40101 SET NAMES latin1 */;\n", "--default-character-set=utf8mb4"),
        (b"-- PostgreSQL database dump\nSET client_encoding = 'LATIN1';\n", "pg_dump --encoding=UTF8"),
        (b"SELECT ", "save it as UTF-8"),
    ],
)
def test_a_dump_with_other_bytes_is_told_how_to_be_made(head, hint, tmp_path):
    """Saved as UTF-8 by an editor, the bytes of its BLOBs would be others."""
    (tmp_path / "dump.sql").write_bytes(head + b"INSERT INTO t VALUES ('\xff');\n")
    with pytest.raises(UsageError, match="is not UTF-8 text") as caught:
        read_sql_file(str(tmp_path / "dump.sql"))
    assert hint in caught.value.hint


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_file_that_may_never_end_is_not_read(cells, kind):
    path = cells.folder / "pipe.sql" if kind == "pipe" else Path("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    ran = cells.run(f"%sql --file {path}")
    assert ran.refused.message == f"{path} is no regular file."
    is_one_paragraph(ran.refused)


def test_a_file_of_comments_is_named(cells):
    (cells.folder / "empty.sql").write_text("-- nothing\n")
    assert "empty.sql holds no SQL: only comments" in cells.run("%sql --file empty.sql").refused.message


# DESIGN section 7, B-13: it would stay in In, history.sqlite and tracebacks
@pytest.mark.parametrize(
    "cell",
    [
        "%tusk connect pg postgresql://ann:Geheim-17@db/x",
        "%tusk connect pg 'postgresql://ann:Geheim-17@x@db/x?a=b'",
        "%tusk connect pg postgresql://db/x?user=ann&password=Geheim-17",
        "%sql postgresql://ann:Geheim-17@db/x SELECT 1",
        "%%sql postgresql://ann:Geheim-17@db/x\nSELECT 1",
        "%tusk connect pg postgresql://ann@db/x --set password=Geheim-17",
        "%tusk connect pg postgresql://ann@db/x --password Geheim-17",
        "%tusk connect pg postgresql://ann@db/x -p Geheim-17",
        "%tusk connect pg postgresql://ann@db/x -pGeheim-17",
        "%tusk connect pg 'host=db user=ann password=Geheim-17'",
        "%tusk connect pg ann:Geheim-17@db/x",
        "%tusk connect pg postgresql://ann:12/34Geheim-17@db",
        "%tusk credentials set pg Geheim-17",
        "%tusk connect pg 'host=db password=Geheim-17",
        "%tusk PGPASSWORD=Geheim-17 connect pg postgresql://ann@db/x",
        "%tusk queries save q \"ALTER USER a PASSWORD 'Geheim-17'\"",
        "%sql ann:Geheim-17@db/x SELECT 1",
        "%tusk connect pg //ann:Geheim-17@db/x",
        "%tusk connect pg :Geheim-17@db/x",
        "%tusk connect pg @//ann/Geheim-17@db:1521/x",
        "%tusk connect pg ann/Geheim-17@db/x",
        "%tusk test //ann:Geheim-17@db",
        "%tusk credentials unlock Geheim-17",
        "%tusk set password Geheim-17",
        "%tusk connect pg postgresql://ann@db/x --set pasword=Geheim-17",
        "%%tusk connect pg postgresql://ann:Geheim-17@db/x",
        "%%tusk connect pg\npostgresql://ann:Geheim-17@db/x",
        "%%tusk credentials unlock Geheim-17",
        '%tusk connect pg "postgresql://ann:two Geheim-17@db/x"',
        "%tusk connect pg 'postgresql://ann:Geheim-17 two words@db/x' --read-only",
        "%tusk connect pg postgresql://ann:two Geheim-17@db/x",
        "%tusk connect pg postgresql://ann:'two Geheim-17'@db/x",
        "%tusk connect pg postgresql://ann:Ge\\heim-17Geheim\\ 17@db/x",
        "%sql postgresql://ann:two Geheim-17@db/x SELECT 1",
        "%tusk connect pg 'host=db password=two Geheim-17 three user=ann'",
        "%tusk connect pg 'Server=db;Password=two Geheim-17;Database=x'",
        '%tusk connect pg "mysql -u root -pGeheim-17 -h db x"',
        '%tusk connect pg "mysql -u root --password Geheim-17 -h db x"',
        "%tusk connect pg ann@db:Geheim-17",
        "%tusk connect pg ann@db.example.org:Geheim-17/x",
        "%tusk connect pg postgresql://ann@db:Geheim-17/x",
        "%tusk connect pg postgresql://db:Geheim-17/x",
        "%tusk connect pg 'user: ann, password: Geheim-17'",
        "%tusk connect pg 'IDENTIFIED BY Geheim-17'",
        "%tusk connect pg 'user ann password Geheim-17'",
        "%tusk connect pg 'postgresql://ann;Geheim-17@db/x'",
        "%tusk connect pg postgresql://ann;Geheim-17@db/x",
        "%tusk connect pg //ann,Geheim-17@db/x",
        "%tusk connect pg postgresql://ann%3BGeheim-17@db/x",
        "%tusk connect pg postgresql://db/x?user=ann:Geheim-17",
        "%tusk connect pg --driver postgresql --host db --user ann:Geheim-17",
        "%tusk connect pg --driver postgresql --host db --user=ann:Geheim-17",
        "%tusk connect pg --driver postgresql --host db --set user=ann:Geheim-17",
        "%tusk credentials set pg=Geheim-17",
        "%tusk credentials set pg:Geheim-17",
        "%%sql lake\nSELECT 1\n%tusk credentials set pgx Geheim-17",
        "%%sql lake\nSELECT 1;\n  %tusk connect pg ann:Geheim-17@db/x",
        "%%sql lake\nSELECT 1\n!tusk credential set pgx Geheim-17",
        "%%sql lake\n%sql lake --password Geheim-17 SELECT 1",
        "%%sql lake\nSELECT 1\n!PGPASSWORD=Geheim-17 tusk test pgx",
        "%%sql lake password=Geheim-17\nSELECT 1",
        "%%sql lake host=h password=Geheim-17\nSELECT 1",
        "%tusk info --password Geheim-17",
        "%tusk log --password Geheim-17",
        "%tusk log --text x --pasword Geheim-17",
        "%tusk running --password Geheim-17",
        "%tusk core status --password Geheim-17",
        "%tusk schema pg --password Geheim-17",
        "%tusk doctor -pGeheim-17",
        "%tusk drivers --token=Geheim-17",
        "%tusk connect z sqlite:////nosuch/postgresql://ann:Geheim-17@h/d.sqlite",
    ],
)
def test_a_password_on_a_magic_line_is_refused_and_taken_out_of_the_history(cells, cell):
    ran = cells.run(cell)
    assert "does not belong on a magic line" in ran.refused.message
    assert "--password-env" in ran.refused.hint
    assert "delete it from the cell" in ran.refused.hint
    assert not [text for text in (*kept(cells), ran.out, repr(ran.error)) if "Geheim" in text]


def kept(cells):
    """All that this session keeps of its cells."""
    history = cells.shell.history_manager
    history.writeout_cache()
    seen = [*cells.variables["In"], *history.input_hist_raw, *history.input_hist_parsed]
    seen += [value for name, value in cells.variables.items() if name.startswith("_i") and isinstance(value, str)]
    with sqlite3.connect(history.hist_file) as database:
        seen += [part for row in database.execute("SELECT source, source_raw FROM history") for part in row]
    database.close()
    return seen


@pytest.mark.parametrize(
    "cell",
    [
        "%sql --connection postgresql://ann:Geheim-19@db/x SELECT 1",
        "%sql --connect postgresql://ann:Geheim-19@db/x",
        "%sql --limit 5 --connection=postgresql://ann:Geheim-19@db/x SELECT 1",
        "%sql nosuch --frobnicate mysql://ann:Geheim-19@db/x SELECT 1",
        """%sql --connection_arguments '{"password":"Geheim-19"}' SELECT 1""",
        """%sql --params '{"password": "Geheim-19"' SELECT :password""",
        "%sql --param password SELECT 1 -- postgresql://ann:Geheim-19@db/x",
        "x = %sql nosuch SELECT 'postgresql://ann:Geheim-19@db/x'",
        "%%sql nosuch\nSELECT 'postgresql://ann:Geheim-19@db/x'",
        "%sql nosuch CREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql nosuch x << CREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql --limit 5 nosuch CREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql --limt 5 CREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql class << CREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql --persist frame CREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql CREAT SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "y = %sql nosuch PRAGMA key='Geheim-19'",
        "%sql nosuch ATTACH 'postgres:host=h user=u password=Geheim-19' AS x",
        "%%sql nosuch\nCREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%%sql nosuch CREATE SECRET s\n(TYPE s3, SECRET 'Geheim-19')",
        "%%sql nosuch x <<\nCREATE USER a IDENTIFIED BY 'Geheim-19'",
        "%%sql --persist frame\nCREATE SECRET s (TYPE s3, SECRET 'Geheim-19')",
        "%sql lake --file postgresql://ann:Geheim-19@h/d",
        "%sql --file 'x/password=Geheim-19/y.sql'",
        "%config TuskMagics.connection='postgresql://ann:Geheim-19@db/x'",
        "%config TuskMagics.password='Geheim-19'",
        "%tusk frobnicate postgresql://ann@db/x?password=Geheim-19",
        "%tusk connect pg ./x.duckdb Geheim-19",
        "%tusk connect pg ./x.duckdb --tier Geheim-19",
        "%tusk connect pg ./x.duckdb --frobnicate Geheim-19",
        "%tusk connect pg ./x.duckdb --password-env Geheim19",
        "%tusk connect pg ./x.duckdb --set Geheim-19",
        "%tusk credentials Geheim-19",
        "%tusk set Geheim-19",
        "%tusk use lake Geheim-19",
        "%tusk credential set lake Geheim-19",
        "%tusk creds set lake Geheim-19",
        "%tusk credentials pasword lake Geheim-19",
        "%tusk password Geheim-19",
        "%tusk passwd lake Geheim-19",
        "%tusk login ann Geheim-19",
        "%tusk unlock Geheim-19",
        "%tusk unlock 'two Geheim-19'",
        "%tusk frobnicate lake Geheim-19",
        "%tusk connect x db -U ann -W Geheim-19",
        "%tusk connect x db -U ann -WGeheim-19",
        "%tusk connect x db --dbname x --pw_of_mine=Geheim-19",
        "%tusk connect x ann:Geheim-19",
        "%tusk connect x --password-env Geheim19",
        "%tusk connect x ./x.duckdb --url-env Geheim19",
        "%tusk connect x ./x.duckdb --frobnicate 1 --password-env Geheim19",
        "%tusk credentials set nosuch --password-env Geheim19",
        "%tusk credentials set nosuch --kind Geheim19",
        "%tusk credentials set lake --kind Geheim19 --password-env HOME",
        "%tusk credentials unlock=Geheim-19",
        "%tusk test lake:Geheim-19",
        "%tusk duplicate lake lake2=Geheim-19",
        "%%tusk credentials set lake\nGeheim-19",
        "%%tusk connect pg postgresql://ann@db/x\nGeheim-19",
        "%%tusk credential set lake\n\nGeheim-19\n",
    ],
)  # fmt: skip
def test_what_may_be_a_password_is_taken_out_of_the_history(cells, cell):
    ran = cells.run(cell)
    assert not [text for text in (*kept(cells), ran.out, repr(ran.error)) if "Geheim" in text]


def test_what_ipython_itself_refuses_is_taken_out_of_the_history(cells):
    cells.run("%config TuskMagics postgresql://ann:Geheim-19@db/x")  # its message repeats the line, ours do not
    assert not [text for text in kept(cells) if "Geheim" in text]


@pytest.mark.parametrize(
    "cell",
    ["!tusk credentials set nosuch Geheim-19", "x = !tusk passwd nosuch Geheim-19", "1\n!tusk connect x ann:Geheim-19@db/x",
     "!PGPASSWORD=Geheim-19 tusk test pg", "!MYSQL_PWD=Geheim-19 tusk test my", "!export PGPASSWORD=Geheim-19; tusk test pg",
     "!env PGPASSWORD=Geheim-19 tusk test pg", "!echo Geheim-19 | tusk credentials set pg",
     "!time tusk connect a --password Geheim-19",
     "!PGPASSWORD='two Geheim-19' tusk test pg", "!tusk credentials set pg <<< Geheim-19",
     "!printf '%s' Geheim-19|tusk connect a b",
     "!cd x && /usr/bin/tusk credentials set pg Geheim-19", "!sh -c 'tusk connect a --password Geheim-19'",
     "!tusk connect a \\\n --password Geheim-19", "!tusk info --password Geheim-19", "x = %sx tusk passwd a Geheim-19",
     "%%sh\ntusk credentials set pg Geheim-19", "%%bash\nset -e\ntusk connect a b --password Geheim-19",
     "%%script bash\ntusk connect a postgresql://ann:Geheim-19@db/x", "%%bash\nexport PGPASSWORD=Geheim-19\ntusk test pg",
     "%%sh\ntusk credentials set pg <<X\nGeheim-19\nX\n"],
)  # fmt: skip
def test_what_our_command_refuses_is_taken_out_of_the_history(cells, monkeypatch, cell):
    monkeypatch.setattr(cells.shell, "system", lambda line: None)  # the command itself has its own tests
    monkeypatch.setattr(cells.shell, "getoutput", lambda line, *_, **__: [])
    for name in ("sh", "bash", "script"):
        monkeypatch.setitem(cells.shell.magics_manager.magics["cell"], name, lambda line, cell: None)
    assert "stands in this cell" in cells.run(cell).out
    assert not [text for text in kept(cells) if "Geheim" in text]


@pytest.mark.parametrize(
    "cell",
    ["!echo walrus | tusk log --text walrus", "!WALRUS=walrus tusk test pg", "!PGPASSWORD=$walrus tusk test pg",
     "%%sh\npassword=walrus\necho walrus", "!tusk log --text password=walrus", "!echo walrus; tusk credentials list",
     "%%bash\ntusk test walrus && tusk use walrus"],
)  # fmt: skip
def test_a_command_without_a_password_stays_in_the_history(cells, monkeypatch, cell):
    monkeypatch.setattr(cells.shell, "system", lambda line: None)
    for name in ("sh", "bash"):
        monkeypatch.setitem(cells.shell.magics_manager.magics["cell"], name, lambda line, cell: None)
    cells.run(cell)
    assert cells.shell.history_manager.input_hist_raw[-1].strip() == cell


def test_a_word_that_only_may_be_a_password_is_taken_out_of_its_own_cell(cells):
    cells.run("animal = 'walrus-7'")
    cells.run("%tusk connect pg ./x.duckdb --tier walrus-7")
    assert "animal = 'walrus-7'" in cells.variables["In"]
    assert any("connect pg ./x.duckdb --tier ***" in text for text in cells.variables["In"])


@pytest.mark.parametrize(
    "cell",
    ["%tusk conect walrus ./walrus.dukdb --read-only", "%tusk schem lake walrus", "%tusk connect walrus ./walrus.dukdb",
     "%%tusk log\n-- walrus", "%tusk connect walrus db:5432", "%tusk connect walrus ./walrus --driver nosuch"],
)  # fmt: skip
def test_a_slip_that_holds_no_password_stays_in_the_history(cells, cell):
    assert cells.run(cell).refused
    assert cells.shell.history_manager.input_hist_raw[-1].strip() == cell


def test_what_is_already_in_the_history_file_is_overwritten(cells):
    cells.run("x = 'mysql://ann:Geheim-18@db/x'")
    history = cells.shell.history_manager
    history.writeout_cache()
    scrub(cells.shell, ())
    with sqlite3.connect(history.hist_file) as database:
        kept = [part for row in database.execute("SELECT source, source_raw FROM history") for part in row]
    database.close()
    assert "x = 'mysql://ann:***@db/x'" in kept
    assert not [text for text in kept if "Geheim" in text]


def test_a_password_in_a_field_is_refused(cells):
    ran = cells.run("%tusk connect pg postgresql://ann@db/x --set password=Geheim-17")
    assert "does not belong" in ran.refused.message
    assert "Geheim" not in ran.out


@pytest.mark.parametrize(
    "cell",
    ["%tusk connect pg Geheim-17", "%tusk connect pg postgresql://ann@db/x Geheim-17",
     "%tusk Geheim-17", "%tusk connect pg postgresql://ann@db/x --set Geheim-17",
     "%tusk connect pg postgresql://ann@db/x --password-env geheim_17"],
)  # fmt: skip
def test_a_word_that_may_be_a_password_is_not_repeated(cells, cell):
    ran = cells.run(cell)
    assert "geheim" not in f"{ran.out} {ran.refused} {ran.refused.hint}".lower()


def test_a_missing_environment_variable_is_named(cells):
    os.environ.pop("NO_SUCH_PASSWORD", None)
    ran = cells.run("%tusk connect pg postgresql://ann@127.0.0.1:1/x --password-env NO_SUCH_PASSWORD")
    assert "NO_SUCH_PASSWORD" in ran.refused.message
    assert "not set" in ran.refused.message


def test_a_connection_that_does_not_answer_is_not_stored(cells):
    ran = cells.run("%tusk connect pg postgresql://ann@127.0.0.1:1/x --password-command 'echo x'")
    assert type(ran.refused).__name__ == "ConnectError"
    assert ran.refused.hint


def test_a_frame_that_no_table_can_hold_is_refused(cells):
    cells.variables["df"] = pd.DataFrame({"a": [1, "x"]})
    ran = cells.run("%sql --persist df AS planes")
    assert "The column 'a' of `df` has values of no one type: 1 is a int, 'x' a str" in ran.refused.message
    cells.variables["df"] = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert "two columns called 'a'" in cells.run("%sql --persist df AS planes").refused.message
    cells.variables["df"] = [1, 2]
    assert "is a list, not a table" in cells.run("%sql --persist df AS planes").refused.message

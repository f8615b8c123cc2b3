"""A password that is typed where it would stay is found in every form, and ordinary lines are not taken for one."""

from __future__ import annotations

import shlex

import pytest
from services.growth import assert_one_pass

from tusk_jupyter.cli.group import run_verb
from tusk_jupyter.cli.passwords import secrets_of_refused_line, secrets_of_sql_line, typed_secrets, without_secrets
from tusk_jupyter.cli.refusals import WordsRefused
from tusk_jupyter.cli.typed_lines import secrets_of_lines
from tusk_jupyter.errors import TuskError, UsageError
from tusk_magics.output import NotebookOutput

TYPED = """
connect a postgresql://u:Geheim17@h/d
connect a postgresql://u:12/34Geheim17@h
connect a postgresql://u:12/34Geheim17@h/d
connect a postgresql://u:Ge/he?im#Geheim17@h/d
connect a postgresql://u:p@Geheim17@h/d
connect a postgresql+psycopg://u:Geheim17@h:5432/d
connect a mysql://:Geheim17@h/d
connect a u:Geheim17@h/d
connect a u:12/34Geheim17@h
connect a u:Geheim17@localhost:3306
connect a postgresql://h/d?user=u&password=Geheim17
connect a postgresql://h/d?sslpassword=Geheim17
connect a postgresql://h/d?p%61ssword=Geheim17
connect a --url postgresql://u:Geheim17@h/d
connect a --url=postgresql://u:Geheim17@h/d
connect a 'host=h user=u password=Geheim17'
connect a "host=h password='Geheim17'"
connect a host=h password=Geheim17
connect a 'host=h password = Geheim17'
connect a jdbc:postgresql://h/d?user=u&password=Geheim17
connect a 'jdbc:sqlserver://h;user=u;password=Geheim17'
connect a jdbc:oracle:thin:scott/Geheim17@//h:1521/x
connect a 'Server=h;Database=d;User Id=u;Pwd=Geheim17;'
connect a postgresql://u@h/d --set password=Geheim17
connect a postgresql://u@h/d --set=password=Geheim17
connect a postgresql://u@h/d --set sslpassword=Geheim17
connect a postgresql://u@h/d --password Geheim17
connect a postgresql://u@h/d --password=Geheim17
connect a postgresql://u@h/d --passwd Geheim17
connect a postgresql://u@h/d --pass=Geheim17
connect a postgresql://u@h/d -p Geheim17
connect a postgresql://u@h/d -pGeheim17
connect a postgresql://u@h/d --token Geheim17
connect a postgresql://u@h/d --password-env Geheim-17-Geheim17
connect a mysql://u@h/d -pGeheim17
PGPASSWORD=Geheim17 connect a postgresql://u@h/d
MYSQL_PWD=Geheim17 test a
credentials set a Geheim17
credentials set a --tier vault Geheim17
credentials set a Geheim17 --tier vault
credentials set a --password Geheim17
credentials set a password=Geheim17
mysql -pGeheim17
test a --password Geheim17
queries save x "ALTER USER a PASSWORD 'Geheim17'"
connect a //u:Geheim17@h/d
connect a //u:Ge/he@Geheim17@h:5432/d
connect a :Geheim17@h/d
connect a @//u/Geheim17@h:1521/d
connect a //u/Geheim17@h:1521/d
connect a @u/Geheim17@h
connect a u/Geheim17@h/d
connect a u/Geheim17@//h:1521/d
connect a u/Geheim17@h:1521
connect a oracle://u/Geheim17@h:1521/d
connect a u:Geheim17@tcp(h:3306)/d
connect a u:Geheim17@/d
connect a u%3AGeheim17@h/d
connect a postgresql://u%3AGeheim17@h/d
connect a --url=//u:Geheim17@h/d
connect a '"//u:Geheim17@h/d"'
test //u:Geheim17@h
test :Geheim17@h
test u/Geheim17@h
use //u:Geheim17@h
schema postgresql://u:Geheim17@h/d
schema postgresql://h/d?p%61ssword=Geheim17
connect a h?p%61ssword=Geheim17
credentials unlock Geheim17
credentials unlock --passphrase-env X Geheim17
credentials delete a Geheim17
connect a postgresql://u@h/d --set pasword=Geheim17
connect a postgresql://u@h/d --set=passowrd=Geheim17
connect a postgresql://u@h/d --pasword Geheim17
connect a postgresql://u@h/d --passwrd=Geheim17
connect a 'host=h paswd=Geheim17'
connect a --set '{"password": "Geheim17"}'
set password Geheim17
connect a "postgresql://u:two Geheim17@h/d"
connect a "u:two Geheim17@h/d"
connect a --url "//u:two Geheim17@h/d"
connect a --url="postgresql://u:two Geheim17@h/d"
connect a "psql postgresql://u:Geheim17@h/d"
connect a "psql -h h -U u -W Geheim17"
connect a "sqlcmd -S h -U u -P Geheim17"
connect a "curl -u u:Geheim17 h"
connect a h:5432:d:u:Geheim17
connect a '{user: u, password: Geheim17}'
connect a 'password is Geheim17'
connect a postgresql://u|Geheim17@h/d
credentials set a/Geheim17
credentials set "a Geheim17"
""".strip().splitlines()
ORDINARY = """
connect a postgresql://u@h/d
connect a postgresql://u@h:5432/d?options=a:b@c
connect a postgresql://h:5432/d?mail=a@b
connect a postgresql://[::1]:5432/d?mail=a@b
connect a postgresql://u@h1:5432,h2:5433/d
connect a postgresql://u@h/d --set sslmode=require --set application_name=x
connect a mysql://u@h/d --password-env SHOP_PASSWORD
connect a mysql://u@h/d --password-command 'pass show shop' --no-password
connect a --url-env DATABASE_URL --tier memory
connect a --driver postgresql --host h --port 5432 --user u --database d
connect a "postgresql://h/d"  --read-only
connect a "postgresql://h:5432/my db"
connect a "postgresql://h:5432/d?application_name=my app" --environment production
connect a "postgresql://AAD Admins@h/d"
connect a postgresql://h1:5432,h2:5433/d
connect a postgresql://u@h1,h2/d
connect a postgresql://u@h1:5432,h2:5433/d
connect a postgresql://u@[::1]:5432/d
connect a postgresql://u@h:5432?sslmode=require
connect a postgresql://IAM%3Aann@h/d
connect a --driver postgresql --host h --user IAM:ann
connect a --driver postgresql --host h --user 'cn=ann,ou=people'
connect a --driver postgresql --host h --user 'CORP\\ann'
connect a --driver mysql --host h --user ann@tenant
connect a jdbc:sqlserver://h:1433;databaseName=d;user=u
connect lake "./My Passwords 2024.duckdb"
connect lake "./Token Sales/secret plans.duckdb"
connect lake "/data/q1: sales.duckdb"
connect lake ann@server:/data/x.duckdb
connect lake duckdb:///C:/data/x.duckdb
connect lake sqlite://:memory:
connect lake :memory:
connect lake "C:/my data/a@b c.duckdb"
connect a "psql -h h -p 5432 -U u d"
connect a "mysql -h h -P 3306 -u u d"
connect a postgresql://u@h/d --password-command 'aws secretsmanager get-secret-value --secret-id=prod/db'
connect a postgresql://u@h/d --password-command 'gcloud secrets versions access latest --secret=db'
connect a "postgresql://u@h:5432/my db?options=-c search_path=a,b"
connect a --driver postgresql --host h --set 'application_name=my user: test'
connect a "Server=h,1433;Database=d;User Id=u;Integrated Security=true"
connect a postgresql://u@h:$PORT/d
connect a postgresql://u@h/d --password-command 'mysql_pass -p prod'
connect a postgresql://u@h/d --password-command 'vault kv get -field password secret/db'
connect a postgresql://u@h/d --password-command 'security find-generic-password -w -s shop'
connect a postgresql://u@h/d --password-command 'bw get password shop'
connect lake ./my:odd@file.duckdb
connect lake C:\\data\\x.duckdb
connect lake data/sales@2024.duckdb
connect lake ../data/mail@work.db
connect lake ~/a@b/x.duckdb
connect a postgresql://h/my@db
connect a postgresql://h/d?path=a/b@c
connect a postgresql://u@h/d --set passfile=~/.pgpass --set socket=/tmp/x
connect a postgresql://u@h/d --password-command 'op read op://vault/item/password'
credentials set a
credentials set a --kind password --password-env X --tier vault
credentials unlock --passphrase-env X
log --text password=x --since 2d
log --text --password
log --connection password
schema a --limit 5
log --text 'u:p@h'
queries save x "SELECT password FROM users WHERE a = 'b'"
queries save x "SELECT 1" --description 'token=none'
schema a users
test a
use a
set display grid
pick
""".strip().splitlines()


@pytest.mark.parametrize("line", TYPED)
def test_a_typed_secret_is_found(line):
    found = typed_secrets(shlex.split(line))
    assert found
    assert "Geheim17" not in _without(line, found)


def _without(line: str, found: tuple[str, ...]) -> str:
    return without_secrets(line, found)


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_holds_none(line):
    assert typed_secrets(shlex.split(line)) == ()


@pytest.mark.parametrize(
    "line",
    ["postgresql://u:Geheim17@h/d SELECT 1", "u:Geheim17@h/d SELECT 1", "--password Geheim17 SELECT 1", "a --password=Geheim17",
     "a -p Geheim17 SELECT 1", "password=Geheim17 SELECT 1", "//u:Geheim17@h/d SELECT 1", "u/Geheim17@h/d SELECT 1",
     "--pasword Geheim17 SELECT 1", "'postgresql://u:Geheim17@h/d' SELECT 1",
     "--limit=5 --url=postgresql://u:Geheim17@h/d SELECT 1", "pg password=Geheim17", "pg host=h password=Geheim17"],
)  # fmt: skip
def test_the_head_of_a_sql_line_is_looked_at(line):
    assert secrets_of_sql_line(line)


@pytest.mark.parametrize(
    "line",
    ["--params '{\"password\": \"Geheim17\"' SELECT :password", "nosuch SELECT AES_DECRYPT(c, 'Geheim17')",
     "nosuch --frobnicate u:Geheim17@h/d SELECT 1", "nosuch SELECT 'postgresql://u:Geheim17@h/d'",
     "--limit 5 nosuch CREATE SECRET s (TYPE s3, SECRET 'Geheim17')", "--param a='x CREATE SECRET s (SECRET 'Geheim17')"],
)  # fmt: skip
def test_all_of_a_refused_sql_line_is_looked_at(line):
    assert "Geheim17" not in _without(line, secrets_of_refused_line(line))


def test_a_secret_is_hidden_whole_and_a_short_one_only_as_a_word():
    assert without_secrets("x Geheim17 y", ("heim", "Geheim17")) == "x *** y"
    assert without_secrets("pw of upward", ("pw",)) == "*** of upward"
    assert without_secrets("a cat", ("a",)) == "*** cat"


@pytest.mark.parametrize(
    "line",
    ["SELECT 'u:p@h'", "a SELECT 1", "SELECT password=:p FROM t", "-- password x", "a --param password=x SELECT :password",
     "--limit 5 SELECT 1", "a x << SELECT 1", "--limit  5  SELECT 'a: b', 'postgresql://h/d x@y'",
      "--to data/a@b.csv SELECT 1", "SELECT a/b@c", "SELECT a:b@c", "SELECT password='x'", "pg SET password='x'",
      "update password='x'", "pg a=1 password", ""],
)  # fmt: skip
def test_sql_is_not_taken_for_a_secret(line):
    assert secrets_of_sql_line(line) == ()


@pytest.mark.parametrize(
    "url",
    ["u:Geheim17@127.0.0.1:1/d", "//u:Geheim17@h/d", "postgresql:/u:Geheim17@h/d", "postgresql:u:Geheim17@h/d",
     "u/Geheim17@//h:1521/svc", "sqlite://u:Geheim17@h/d", "duckdb://u:Geheim17@h/d.duckdb", "u:Geheim17@h/d.db",
     "postgresql://u:x[Geheim17@h/d", "postgresql://u:Geheim17@[::1/d"],
)  # fmt: skip
def test_an_unreadable_url_of_a_variable_is_not_repeated(module_home, monkeypatch, capsys, url):
    monkeypatch.setenv("UU", url)
    words = ["connect", "x", "--url-env", "UU", "--no-password"]
    with pytest.raises(TuskError) as caught:
        run_verb(words, output=NotebookOutput(can_ask=False))
    said = " ".join(
        filter(None, (str(caught.value), caught.value.hint, caught.value.detail, *map(str, caught.value.args)))
    )
    assert "Geheim17" not in said + capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    ["connect a --tier Geheim17", "connect a --tier=Geheim17", "connect a --port", "connect a --timeout Geheim17",
     "connect a --frobnicate Geheim17", "connect a --frobnicate=Geheim17", "connect a ./x.duckdb Geheim17",
     "credentials Geheim17",
     "credentials unlok Geheim17", "credentials set a --tier Geheim17", "connect a ./x.duckdb --set Geheim17",
     "connect a ./x.duckdb --password-env GEHEIM17", "set pasword_x Geheim17", "set Geheim17", "pick Geheim17",
     "test a Geheim17",
     "use a Geheim17", "remove a Geheim17"],
)  # fmt: skip
def test_what_a_verb_does_not_take_is_not_repeated_and_told_to_the_history(module_home, line):
    words = line.split()
    with pytest.raises(UsageError) as caught:
        run_verb(words, output=NotebookOutput(can_ask=False))
    assert "geheim" not in f"{caught.value} {caught.value.hint} {caught.value.detail}".lower()
    if "eheim" in line.lower():
        assert isinstance(caught.value, WordsRefused)
        assert "geheim" not in without_secrets(line, caught.value.words).lower()


@pytest.mark.parametrize(
    "sign", ["tusk credentials set a <<X\n", "!a=1 tusk x; ", "a b ", "!tusk x 'y ", "export pw=$x | tusk\n"]
)
@pytest.mark.parametrize("before", ["", "%%sh tusk\n"])
def test_many_lines_of_a_shell_are_read_in_one_pass(sign, before):
    assert_one_pass(secrets_of_lines, sign, before=before)


@pytest.mark.parametrize(
    "line", ["%env PGPASSWORD=Geheim17", "%set_env MYSQL_PWD = Geheim17", " %env API_TOKEN  Geheim17"]
)
@pytest.mark.parametrize("verb", ["%tusk test pg", "%sql pg SELECT 1"])
def test_a_secret_that_a_cell_puts_into_a_variable_is_seen(line, verb):
    assert secrets_of_lines(f"{line}\n{verb}") == ("Geheim17",)


@pytest.mark.parametrize(
    "line", ["%env PGPASSWORD=$OTHER", "%env PGPASSWORD={pw}", "%env PGPASSWORD", "%env PGHOST=h", "%env"]
)
def test_a_variable_without_a_secret_hides_nothing(line):
    assert secrets_of_lines(f"{line}\n%tusk test pg") == ()


def test_a_name_that_none_could_have_is_not_repeated(module_home):
    with pytest.raises(UsageError) as caught:
        run_verb(["test", "x@Geheim17"], output=NotebookOutput(can_ask=False))
    assert "Geheim17" not in f"{caught.value} {caught.value.hint}"

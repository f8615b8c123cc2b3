"""Passwords that go through the whole product, and 60 ways to fail: they are nowhere afterwards. # R-11, C-07, QB-36

Real servers, a real keyring, a real notebook. The passwords reach the kernel from private files, since what a user
types into a cell is in the cell.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nbformat
import psutil
import psycopg
import pytest
from nbclient import NotebookClient
from psycopg import sql
from security.canary import Canary, Hit, texts_of_duckdb, texts_of_sqlite
from services import TuskHome, processes_of
from services.keyring import SecretService
from services.mariadb import MariaDB
from services.postgresql import PostgreSQL

import tusk_jupyter as tusk
from tusk_jupyter import errors as tusk_errors

TUSK = [sys.executable, "-c", "from tusk_jupyter.cli import main; main()"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A user with a password on each server, a notebook folder, and the canaries."""

    folder: Path
    home: TuskHome
    right: Canary
    """The password of the user."""
    wrong: Canary
    """A password that is refused."""
    spoken: Canary
    """A password inside of SQL."""
    postgresql: PostgreSQL
    mariadb: MariaDB

    @property
    def pg_url(self) -> str:
        return f"postgresql://canary@127.0.0.1:{self.postgresql.port}/{self.postgresql.database}"

    @property
    def my_url(self) -> str:
        return f"mysql://canary@127.0.0.1:{self.mariadb.port}/{self.mariadb.database}"

    def secret_file(self, name: str) -> Path:
        return self.folder.parent / "private" / name

    def all(self) -> tuple[Canary, ...]:
        return self.right, self.wrong, self.spoken


@pytest.fixture
def place(
    tusk_home: TuskHome,
    tmp_path: Path,
    postgresql: PostgreSQL,
    mariadb: MariaDB,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    folders = {name: tmp_path / name for name in ("notebook", "private", "ipython", "temporary")}
    for path in folders.values():
        path.mkdir()
    monkeypatch.setenv("IPYTHONDIR", str(folders["ipython"]))
    monkeypatch.setenv("TMPDIR", str(folders["temporary"]))
    found = Place(
        folder=folders["notebook"],
        home=tusk_home,
        right=Canary.new(),
        wrong=Canary.new(),
        spoken=Canary.new(),
        postgresql=postgresql,
        mariadb=mariadb,
    )
    for name, canary in (("right", found.right), ("wrong", found.wrong), ("spoken", found.spoken)):
        found.secret_file(name).write_text(canary.password)
    with users(found):
        yield found


@contextmanager
def users(place: Place) -> Iterator[None]:
    """The user `canary` on both servers, for a while."""
    with psycopg.connect(place.postgresql.admin_dsn, autocommit=True) as admin:
        password = sql.Literal(place.right.password)
        admin.execute(sql.SQL("CREATE ROLE canary LOGIN CREATEROLE PASSWORD {}").format(password))
    with place.mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
        cursor.execute("CREATE USER canary@'%%' IDENTIFIED BY %s", [place.right.password])
        cursor.execute(f"GRANT SELECT ON {place.mariadb.database}.* TO canary@'%'")
    try:
        yield
    finally:
        with psycopg.connect(place.postgresql.admin_dsn, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'canary'")
            admin.execute("DROP ROLE IF EXISTS canary_made")
            admin.execute("DROP OWNED BY canary")
            admin.execute("DROP ROLE canary")
        with place.mariadb.connect(admin=True) as admin, admin.cursor() as cursor:
            cursor.execute("DROP USER canary@'%'")


def sweep(place: Place, *canaries: Canary, folders: bool = True) -> list[Hit]:
    """Look everywhere while the core runs, then into its database when it has stopped."""
    history = list((place.folder.parent / "ipython").rglob("history.sqlite"))
    running = [*processes_of(place.home), psutil.Process()]
    roots = [Path(place.home)]
    if folders:
        roots += [place.folder.parent / name for name in ("notebook", "ipython", "temporary")]
    hits = [hit for one in canaries for hit in (*one.hits_in_files(*roots), *one.hits_in_processes(running))]
    hits += [hit for one in canaries for path in history for hit in one.hits_in_texts(str(path), texts_of_sqlite(path))]
    core = psutil.Process(tusk.info().pid)
    subprocess.run([*TUSK, "core", "stop"], check=True, capture_output=True)
    core.wait(15)
    state = Path(place.home) / "state.duckdb"
    texts = list(texts_of_duckdb(state))
    assert len(texts) > 20, "the state file was read"
    hits += [hit for one in canaries for hit in one.hits_in_texts(str(state), texts)]
    return hits + [hit for one in canaries for hit in one.hits_in_files(Path(place.home))]


SETUP = """
import os
from pathlib import Path
from urllib.parse import quote
import tusk_jupyter as tusk
def url(password):
    return {pg!r}.replace("canary@", "canary:" + quote(password, safe="") + "@")
os.environ["RIGHT"] = Path({right!r}).read_text()
os.environ["WRONG"] = Path({wrong!r}).read_text()
os.environ.update(URL=url(os.environ["RIGHT"]), WRONG_URL=url(os.environ["WRONG"]))
%load_ext tusk_jupyter
"""
CONNECTING = """
%tusk connect by_env {pg} --password-env RIGHT
%tusk connect by_command {pg} --password-command "cat {right}"
%tusk connect by_url --url-env URL
%tusk connect shop {my} --password-env RIGHT
by_python = tusk.connect("by_python", {pg!r}, password=os.environ["RIGHT"]); by_python
%tusk connect in_vault {pg} --password-env RIGHT --tier vault
%tusk connect in_memory {pg} --password-env RIGHT --tier memory
%tusk connect strict {pg} --password-env RIGHT --isolation statement
%tusk credentials set shop --password-env RIGHT
%tusk credentials set by_env --password-env RIGHT --tier vault
%tusk connect by_env {pg} --password-env RIGHT --replace
%tusk test by_env
%tusk test shop
%tusk connections
%tusk connections --json
%tusk credentials
%tusk credentials --json
%tusk info
%tusk doctor
%tusk drivers
""".strip().splitlines()
WORKING = """
%sql by_env SELECT 1 AS a
%sql by_command SELECT 2 AS a
%sql by_url SELECT 3 AS a
%sql by_python SELECT current_user
%sql in_vault SELECT 4
%sql in_memory SELECT 5
%sql strict SELECT 6
%sql shop SELECT 7
%sql by_env kept << SELECT 8
%sql by_env --to result.parquet SELECT generate_series(1, 1000) AS n
%sql by_env --to result.csv SELECT 1
%sql by_env --no-log SELECT 9
%sql by_env --param x=1 SELECT :x
%sql by_env CREATE TEMP TABLE t AS SELECT 1 AS n
%tusk log
%tusk running
""".strip().splitlines()
FAILING = """
%sql by_env SELEC 1
%sql by_env SELECT * FROM nowhere
%sql by_env SELECT nothing FROM t
%sql by_env SELECT 1 / 0
%sql by_env SELECT 'x'::int
%sql by_env SELECT * FROM pg_authid
%sql by_env SELECT rolpassword FROM pg_authid
%sql by_env --timeout 1 SELECT pg_sleep(30)
%sql by_env --read-only CREATE TABLE made (n int)
%sql by_env SELECT :missing
%sql by_env --unknown-option SELECT 1
%sql by_env --into 1x SELECT 1
%sql by_env --file nowhere.sql
%sql by_env --to result.csv SELECT 2
%sql by_env
%sql by_env -- only a comment
%sql nowhere SELECT 1
%sql by_env --jinja SELECT {{{{ undefined_name }}}}
%sql by_env --persist not_a_frame
%sql by_env BEGIN; SELECT 1/0; SELECT 2
%sql by_env ROLLBACK
%sql by_env SELECT pg_terminate_backend(pg_backend_pid())
%sql by_env SELECT 'again'
%sql shop SELEC 1
%sql shop SELECT * FROM nowhere
%sql shop SELECT * FROM mysql.global_priv
%sql shop --timeout 1 SELECT sleep(30)
%sql shop KILL CONNECTION_ID()
%sql shop SELECT 'again'
%tusk connect refused {pg} --password-env WRONG
%tusk connect refused {my} --password-env WRONG
%tusk connect refused {pg} --password-command "cat {wrong}"
%tusk connect refused {pg} --password-command "cat {wrong}; exit 3"
%tusk connect refused --url-env WRONG_URL
%tusk connect refused postgresql://canary@127.0.0.1:1/db --password-env WRONG
%tusk connect refused postgresql://canary@no.such.host.invalid/db --password-env WRONG
%tusk connect refused mysql://canary@no.such.host.invalid/db --password-env WRONG
%tusk connect refused postgresql://canary@127.0.0.1:99999/db --password-env WRONG
%tusk connect refused {pg}_not_there --password-env RIGHT
%tusk connect refused nonsense://canary@127.0.0.1/db --password-env WRONG
%tusk connect refused {pg}?sslmode=verify-full --password-env RIGHT
%tusk connect refused {pg}?no_such_field=1 --password-env RIGHT
%tusk connect by_env {pg} --password-env RIGHT
%tusk connect select {pg} --password-env RIGHT
%tusk connect refused {pg} --password-env NOT_SET
%tusk connect refused {pg} --password-env RIGHT --tier cloud
%tusk credentials set nowhere --password-env RIGHT
%tusk credentials set by_env --kind nothing --password-env RIGHT
%tusk credentials set by_env --password-env WRONG
%tusk test by_env
%sql by_env SELECT 1
%sql by_env SELECT 'with the wrong password'
%tusk credentials set by_env --password-env RIGHT
%tusk credentials delete in_vault
%sql in_vault SELECT 1
%tusk remove in_memory
%sql in_memory SELECT 1
tusk.query("SELECT nothing", connection="by_python")
tusk.connect("refused", {pg!r}, password=os.environ["WRONG"])
tusk.connect("refused", {pg!r}, secrets={{"password": os.environ["WRONG"]}})
%xmode Verbose
%sql by_env SELEC 1
tusk.query("SELECT nothing", connection="by_python")
tusk.connect("refused", {pg!r}, password=os.environ["WRONG"])
tusk.connect("refused", os.environ["WRONG_URL"])
%tusk connect refused {pg} --password-env WRONG
%tusk connect refused --url-env WRONG_URL
1 / 0
%tusk log
""".strip().splitlines()
SPEAKING = """
word = Path({spoken!r}).read_text().replace("'", "").replace('"', "").replace(chr(92), "");
%sql by_env --jinja CREATE ROLE canary_made PASSWORD '{{{{ word }}}}'
%sql by_env --jinja ALTER ROLE canary_made WITH PASSWORD '{{{{ word }}}}'
%sql by_env --jinja ALTER USER nobody_there WITH ENCRYPTED PASSWORD '{{{{ word }}}}' VALID UNTIL 'infinity'
%sql shop --jinja SET PASSWORD = PASSWORD('{{{{ word }}}}x')
%sql shop --jinja CREATE USER nobody IDENTIFIED BY '{{{{ word }}}}'
%sql shop --jinja CREATE USERR nobody IDENTIFIED BY '{{{{ word }}}}'
%sql by_env --jinja CREATE ROLE another PASSWORD '{{{{ word }}}}' BOGUS
""".strip().splitlines()


def run_notebook(place: Place, *groups: list[str]) -> nbformat.NotebookNode:
    """Execute one cell a line, keep its output in the .ipynb, and give the words for what each did."""
    words = {
        "pg": place.pg_url,
        "my": place.my_url,
        **{name: str(place.secret_file(name)) for name in ("right", "wrong", "spoken")},
    }
    cells = [SETUP.format(**words), *(line.format(**words) for group in groups for line in group)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    client = NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(place.folder)}}
    )
    client.execute()
    nbformat.write(notebook, place.folder / "work.ipynb")
    return notebook


def failed(notebook: nbformat.NotebookNode, text: str) -> bool:
    """Whether the first cell with `text` in it failed."""
    cell = next(cell for cell in notebook.cells if text in cell.source)
    return any(output.output_type == "error" for output in cell.outputs)


def in_terminal(place: Place, *words: str, answer: str | None = None, **environ: str) -> str:
    """Run `tusk` in a terminal of its own, and type an answer when it asks for a secret; returns the screen."""
    leader, follower = os.openpty()
    process = subprocess.Popen(
        [*TUSK, *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=place.folder,
        env={**os.environ, **environ},
        start_new_session=True,
    )
    os.close(follower)
    screen = b""
    with os.fdopen(leader, "r+b", buffering=0) as terminal:
        while True:
            try:
                screen += terminal.read(65_536)
            except OSError:  # Linux's word for a terminal that everybody has left
                break
            if answer is not None and screen.rstrip().endswith(b":"):
                terminal.write(f"{answer}\n".encode())
                answer = None
    assert process.wait(60) == 0, screen.decode()
    return screen.decode()


@pytest.mark.parametrize("tier", ["keyring", "vault", "memory"])
def test_a_password_typed_into_a_terminal(
    secret_service: SecretService, master_key: None, place: Place, tier: str
) -> None:
    screen = in_terminal(place, "connect", "typed", place.pg_url, "--tier", tier, answer=place.right.password)
    assert "typed" in screen
    assert place.right.hits("the screen", screen.encode()) == []
    assert tusk.query("SELECT current_user AS u", connection="typed")["u"][0] == "canary"
    with pytest.raises(tusk_errors.QueryError):
        tusk.query("SELECT nothing", connection="typed")
    assert sweep(place, place.right) == []


def test_a_core_that_is_started_by_connect_does_not_inherit_the_password(
    secret_service: SecretService, place: Place
) -> None:
    word, url = place.right.password, place.pg_url.replace("canary@", f"canary:{quote(place.right.password, safe='')}@")
    in_terminal(place, "connect", "first", place.pg_url, "--password-env", "PGWORD", PGWORD=word)
    assert sweep(place, place.right) == []
    in_terminal(place, "connect", "second", "--url-env", "URL", URL=url)
    assert sweep(place, place.right) == []
    in_terminal(place, "credentials", "set", "first", "--password-env", "PGWORD", PGWORD=word)
    assert sweep(place, place.right) == []


SCAN = """
import sys
from pathlib import Path
import tusk_jupyter as tusk
from tusk_jupyter.errors import TuskError
print(tusk.query("SELECT 1 AS n", connection="kept")["n"][0], flush=True)
for sql in ("SELEC", "SELECT * FROM nowhere", "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 2"):
    try:
        tusk.query(sql, connection="kept")
    except TuskError as exc:
        print(type(exc).__name__, flush=True)
tusk.connections(), tusk.credentials(), tusk.test("kept"), tusk.log(), tusk.doctor()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("tier", ["keyring", "vault", "memory"])
def test_a_process_that_only_uses_a_connection_never_has_its_password(
    secret_service: SecretService, master_key: None, place: Place, tier: str
) -> None:
    """R-13: not in the kernel's memory, in no form; the driver that signs in has it, so the scan is able."""
    tusk.connect("kept", place.pg_url, password=place.right.password, tier=tier)
    user = subprocess.Popen([sys.executable, "-c", SCAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said = list(iter(user.stdout.readline, "ready\n"))
        assert said[0] == "1\n"
        assert place.right.hits_in_memory(user.pid) == []
        drivers = [each for each in processes_of(place.home) if "serve" in each.cmdline()]
        assert any(place.right.hits_in_memory(driver.pid) for driver in drivers)
    finally:
        user.communicate()


@pytest.fixture
def master_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUSK_MASTER_KEY", "5e" * 32)


@pytest.mark.timeout(600)
def test_a_notebook_that_connects_in_every_way_works_and_fails(
    secret_service: SecretService, master_key: None, place: Place
) -> None:
    # The core is started before the kernel knows a password: what is in its environment is its starter's business.
    assert tusk.info().pid
    notebook = run_notebook(place, CONNECTING, WORKING, FAILING, SPEAKING)
    work = [
        line.format(pg=place.pg_url, my=place.my_url, right=place.secret_file("right"))
        for line in (*CONNECTING, *WORKING)
    ]
    assert [line for line in work if failed(notebook, line)] == []
    assert len(notebook.cells) > 100
    assert sweep(place, *place.all()) == []

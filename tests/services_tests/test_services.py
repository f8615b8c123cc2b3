"""The servers that the other tests rely on: reachable in every way they are asked for, and gone afterwards."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pymysql
import pytest
from services import processes_of, wait_until
from services.processes import MissingProgram, find_program

TESTS = Path(__file__).parents[1]


def test_postgresql_takes_the_plain_user_over_tcp_with_a_verified_certificate(postgresql):
    with psycopg.connect(postgresql.dsn, sslmode="verify-full", sslrootcert=postgresql.ca_file) as connection:
        row = connection.execute(
            "SELECT current_user, current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
        assert row.fetchone() == ("tusk", "tusk", True)


def test_postgresql_takes_the_administrator_over_its_socket(postgresql):
    with psycopg.connect(postgresql.admin_dsn, host=postgresql.socket_dir) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)


def test_postgresql_refuses_a_wrong_password_and_logs_connections(postgresql):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgresql.dsn, password="wrong")
    assert "connection received" in postgresql.log()


def test_mariadb_takes_the_plain_user_over_tcp_with_a_verified_certificate(mariadb):
    context = ssl.create_default_context(cafile=mariadb.ca_file)
    connection = pymysql.connect(
        host="localhost", port=mariadb.port, user=mariadb.user, password=mariadb.password, database=mariadb.database,
        ssl=context,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user(), database()")
        assert cursor.fetchone() == ("tusk@%", "tusk")
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        assert cursor.fetchone()[1] != ""


def test_mariadb_takes_the_administrator_over_its_socket(mariadb):
    connection = pymysql.connect(unix_socket=mariadb.socket, user=mariadb.admin_user, password=mariadb.admin_password)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        assert "ALL PRIVILEGES ON *.*" in cursor.fetchone()[0]


HOLD_A_SERVER = """
import time
from services import {0}
with {0}.running() as service:
    print(service.server.folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("service", ["postgresql", "mariadb"])
def test_a_server_ends_with_the_process_that_wanted_it_even_when_that_is_killed(service):
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD_A_SERVER.format(service)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    with owner:
        folder = Path(owner.stdout.readline().strip())
        family = psutil.Process(owner.pid).children(recursive=True)
        assert len(family) >= 2, "a guardian and a server"
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(process.is_running() for process in family), 20, f"{family} have ended")
    wait_until(lambda: not folder.exists(), 5, "its folder is gone")


def test_a_home_ends_its_processes_and_is_removed(tusk_home):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).returncode = 0
    assert len(processes_of(tusk_home)) == 1
    tusk_home.close()
    assert processes_of(tusk_home) == []
    assert not tusk_home.path.exists()


def test_a_process_that_ignores_the_end_of_its_home_is_an_error(tusk_home, monkeypatch):
    monkeypatch.setattr("services.homes.END_S", 0.3)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(AssertionError, match="still there"):
            tusk_home.close()


def test_a_missing_server_program_fails_with_what_to_install():
    with pytest.raises(MissingProgram, match=r"make test-system.*apt-get install postgresql"):
        find_program("no-such-initdb", package="postgresql")


def test_a_private_keyring_is_found_through_the_environment_and_keeps_a_secret(secret_service):
    ask = "import keyring as k; k.set_password('s', 'u', 'p'); print(k.get_password('s', 'u'), k.get_keyring())"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    assert answer.startswith("p keyring.backends.SecretService"), answer


def test_without_asking_for_one_a_home_sees_no_keyring(tusk_home):
    ask = "import keyring; keyring.get_password('s', 'u')"
    refused = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert "NoKeyringError" in refused.stderr

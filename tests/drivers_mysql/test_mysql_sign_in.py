"""Signing in: every failure names its stage and scenario, TLS is as configured, and no password leaves in plain text."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest
from services.certificates import make_certificates
from services.rogues import RogueMySQL, running
from services.strangers import stranger

from tusk_drivers.mysql.session import MysqlSession
from tusk_drivers.mysql.signin import ssl_mode
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.driverkit.trust import Trust
from tusk_jupyter.errors import ConnectError


def _refusal(settings: Settings, **config: object) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        MysqlSession.connect(replace(settings, config={**settings.config, **config}, connect_timeout_s=2.0))
    for secret in settings.secrets.values():
        assert secret not in f"{caught.value!r} {caught.value} {caught.value.detail}"
    return caught.value


@pytest.fixture
def silent_server():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# --- where it stops ---


def test_unknown_host(mysql_settings):
    error = _refusal(mysql_settings, host="no-such-host.invalid", sslmode="prefer")
    assert (error.scenario, error.detail) == ("unknown_host", "stage=name")
    assert "no-such-host.invalid" in error.message


def test_closed_port(mysql_settings):
    error = _refusal(mysql_settings, port=1)
    assert (error.scenario, error.detail) == ("refused", "stage=tcp")


def test_server_that_never_answers(mysql_settings, silent_server):
    error = _refusal(mysql_settings, port=silent_server)
    assert (error.scenario, error.detail) == ("connect_timeout", "stage=tcp")


def test_a_server_that_drips_is_waited_for_no_longer_than_a_silent_one(mysql_settings):
    def drips(link):
        for byte in b"\x4a\0\0\0\x0a8.0.0\0" + bytes(64):
            link.send(bytes([byte]))
            time.sleep(0.1)

    with stranger(drips) as port:
        began = time.monotonic()
        error = _refusal(mysql_settings, port=port)
        assert time.monotonic() - began < 5.0
    assert "tcp" in str(error.detail) or "answers there" in error.message


def test_no_socket_file(mysql_settings, tmp_path):
    error = _refusal(mysql_settings, unix_socket=str(tmp_path / "no.sock"))
    assert (error.scenario, error.detail) == ("refused", "stage=tcp")


def test_wrong_password(mysql_settings):
    error = _refusal(replace(mysql_settings, secrets={"password": "wrong-walnut"}))
    assert (error.scenario, error.detail, error.code) == ("bad_password", "stage=sign-in", "1045")


def test_unknown_database(admin_settings):
    error = _refusal(admin_settings, database="no_such_database")
    assert (error.scenario, error.detail, error.code) == ("no_such_database", "stage=database", "1049")


def test_database_without_the_right(mysql_settings):
    error = _refusal(mysql_settings, database="mysql")
    assert (error.scenario, error.detail, error.code) == ("permission", "stage=database", "1044")


def test_too_many_connections(mysql_settings, admin, connect):
    limit = admin.value("SELECT @@global.max_connections")
    admin.run("SET GLOBAL max_connections = 10")
    try:
        with pytest.raises(ConnectError) as caught:
            for _ in range(20):
                connect()
        assert (caught.value.scenario, caught.value.code) == ("too_many_connections", "1040")
    finally:
        admin.run(f"SET GLOBAL max_connections = {limit}")


def test_server_that_takes_only_tls(mysql_settings, admin):
    admin.run("SET GLOBAL require_secure_transport = ON")
    try:
        error = _refusal(mysql_settings, sslmode="disable")
        assert error.code in ("1045", "3159")  # MariaDB 10.11 says no more than that access is denied
        assert "sslmode=require" in (error.hint or "")
        MysqlSession.connect(mysql_settings).close()
    finally:
        admin.run("SET GLOBAL require_secure_transport = OFF")


# --- TLS ---


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        ({}, "prefer"),
        ({"host": "127.0.0.1"}, "prefer"),
        ({"host": "::1"}, "prefer"),
        ({"host": "db.example.org"}, "require"),
        ({"host": "10.0.0.7"}, "require"),
        ({"host": "db.example.org", "unix_socket": "/run/mysqld.sock"}, "prefer"),
        ({"host": "db.example.org", "sslrootcert": "/ca.pem"}, "verify-full"),
        ({"sslrootcert": "/ca.pem"}, "verify-full"),
        ({"host": "db.example.org", "sslmode": "disable"}, "disable"),
    ],
)
def test_default_of_sslmode_goes_by_the_distance(config, mode):  # C-18
    assert ssl_mode(Settings(config=config)) == mode


@pytest.mark.parametrize(
    ("sslmode", "encrypted"),
    [("disable", False), ("prefer", True), ("require", True), ("verify-ca", True), ("verify-full", True)],
)
def test_link_is_encrypted_as_asked(connect, mariadb, sslmode, encrypted):  # TK-08
    config = {"sslrootcert": mariadb.ca_file} if sslmode.startswith("verify") else {}
    client = connect(sslmode=sslmode, **config)
    assert bool(client.table("SHOW SESSION STATUS LIKE 'Ssl_cipher'").column(1)[0].as_py()) is encrypted
    assert client.values("SELECT seq FROM seq_1_to_300000") == list(range(1, 300_001))


def test_socket_file_needs_no_tls(connect, mariadb):
    client = connect(unix_socket=mariadb.socket)
    assert client.table("SHOW SESSION STATUS LIKE 'Ssl_cipher'").column(1)[0].as_py() == ""


@pytest.mark.parametrize("sslmode", ["verify-ca", "verify-full"])
def test_certificate_of_an_unknown_authority_is_refused(mysql_settings, sslmode):
    error = _refusal(mysql_settings, sslmode=sslmode)
    assert (error.scenario, error.detail) == ("bad_certificate", "stage=tls")


@pytest.fixture
def other_address(mariadb):
    """The same server at 127.0.0.2, which is not in its certificate; for one connection."""
    with socket.create_server(("127.0.0.2", 0)) as server:

        def forward() -> None:
            near, _ = server.accept()
            far = socket.create_connection((mariadb.host, mariadb.port))
            back = threading.Thread(target=pump, args=(far, near))
            back.start()
            pump(near, far)
            back.join()
            near.close()
            far.close()

        def pump(source: socket.socket, target: socket.socket) -> None:
            try:
                while chunk := source.recv(65536):
                    target.sendall(chunk)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                return

        thread = threading.Thread(target=forward)
        thread.start()
        yield {"host": "127.0.0.2", "port": server.getsockname()[1]}
        thread.join()


def test_certificate_of_another_host_is_refused(mysql_settings, mariadb, other_address):
    error = _refusal(mysql_settings, **other_address, sslmode="verify-full", sslrootcert=mariadb.ca_file)
    assert (error.scenario, error.detail) == ("bad_certificate", "stage=tls")


def test_certificate_of_another_host_is_taken_when_only_the_authority_counts(connect, mariadb, other_address):
    client = connect(**other_address, sslmode="verify-ca", sslrootcert=mariadb.ca_file)
    assert client.value("SELECT 1") == 1
    client.session.close()


def test_ca_file_that_is_not_there(mysql_settings, tmp_path):
    error = _refusal(mysql_settings, sslmode="verify-ca", sslrootcert=str(tmp_path / "no.pem"))
    assert error.detail == "stage=tls"
    assert "no.pem" in error.message


def test_ca_file_that_is_none(mysql_settings, tmp_path):
    (tmp_path / "odd.pem").write_text("no certificate")
    assert _refusal(mysql_settings, sslmode="verify-ca", sslrootcert=str(tmp_path / "odd.pem")).detail == "stage=tls"


# --- passwords ---


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "dialog", "mysql_old_password"])
def test_plain_password_is_never_sent_without_tls(plugin, tmp_path):  # NL-40
    """One way of each kind; all of them are in security/test_rogue_servers.py."""
    with running(RogueMySQL(["mysql_native_password", plugin], False, make_certificates(tmp_path))) as rogue:
        settings = Settings(
            config={"host": "127.0.0.1", "port": rogue.port, "user": "u"}, secrets={"password": "plain-walnut"}
        )
        error = _refusal(settings)
    assert b"plain-walnut" not in rogue.received
    assert (error.scenario, error.detail) == ("unverified_server", "stage=sign-in")
    assert plugin in error.message


def test_server_without_tls_is_refused_when_tls_is_demanded(tmp_path):
    with running(RogueMySQL(["mysql_clear_password"], False, make_certificates(tmp_path))) as rogue:
        settings = Settings(
            config={"host": "127.0.0.1", "port": rogue.port, "sslmode": "require"}, secrets={"password": "p-walnut"}
        )
        error = _refusal(settings)
    assert b"p-walnut" not in rogue.received
    assert error.detail == "stage=tls"


def test_public_key_that_is_not_there(mysql_settings, tmp_path):
    error = _refusal(mysql_settings, server_public_key=str(tmp_path / "no.pem"))
    assert "no.pem" in error.message


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({}, Trust.UNVERIFIED),
        ({"sslmode": "disable"}, Trust.PLAIN),
        ({"sslmode": "require"}, Trust.UNVERIFIED),
        ({"sslrootcert": "the server's"}, Trust.VERIFIED),
        ({"sslmode": "verify-ca", "sslrootcert": "the server's"}, Trust.VERIFIED),
        ({"sslrootcert": "system"}, Trust.VERIFIED),
        ({"unix_socket": "the server's"}, Trust.LOCAL),
    ],
)
def test_it_says_what_the_link_proves(connect, mariadb, fields, link, monkeypatch):  # S3
    monkeypatch.setenv("SSL_CERT_FILE", mariadb.ca_file)
    known = {"sslrootcert": mariadb.ca_file, "unix_socket": mariadb.socket}
    config = {name: known[name] if value == "the server's" else value for name, value in fields.items()}
    assert connect(**config).session.link == link


# --- what the session is ---


def test_session_is_as_it_should_be(client, admin):
    session = client.session
    assert session.server.startswith("MariaDB 10.") or session.server.startswith("MariaDB 11.")
    assert client.value("SELECT CONNECTION_ID()") == int(session.backend)
    assert client.value("SELECT @@autocommit") == 1
    assert client.value("SELECT @@character_set_client") == "utf8mb4"
    for variable in ("sql_mode", "time_zone"):  # left as the server has them
        assert client.value(f"SELECT @@session.{variable}") == admin.value(f"SELECT @@global.{variable}")


def test_application_is_told_to_the_server(mysql_settings, admin):
    session = MysqlSession.connect(replace(mysql_settings, application="tusk-jupyter"))
    if admin.value("SELECT @@performance_schema"):
        sql = (
            "SELECT ATTR_VALUE FROM performance_schema.session_connect_attrs "
            "WHERE ATTR_NAME = 'program_name' AND PROCESSLIST_ID = :id"
        )
        assert admin.values(sql, id=int(session.backend)) == ["tusk-jupyter"]
    assert session._link._raw._connect_attrs["program_name"] == "tusk-jupyter"
    session.close()


def test_password_is_not_in_the_representation(mysql_settings):
    assert mysql_settings.secrets["password"] not in repr(mysql_settings)


def test_link_lost_in_the_middle_of_rows(client, admin):
    rows = client.rows("SELECT seq FROM seq_1_to_100000000")
    next(rows.batches)
    admin.run(f"KILL {client.session.backend}")
    with pytest.raises(Exception) as caught:
        list(rows.batches)
    assert caught.value.scenario in ("link_lost", "cancelled_by_admin")
    assert not client.session.is_alive()

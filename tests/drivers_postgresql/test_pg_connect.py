"""Signing in: every failure has its scenario and its stage, and no secret shows.

C-18, TK-04..TK-11, the connect scenarios of REQUIREMENTS section 2.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from services import postgresql as services
from services import wait_until

from tusk_drivers.postgresql.connect import default_sslmode
from tusk_drivers.postgresql.errors import connect_error
from tusk_drivers.postgresql.session import PostgresqlSession
from tusk_jupyter.driverkit.trust import Trust
from tusk_jupyter.errors import ConnectError


def failure(settings, **fields) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        PostgresqlSession.connect(settings(**fields))
    error = caught.value
    for word in (fields.get("password"), settings().secrets["password"]):
        assert not word or word not in f"{error} {error.detail} {error.__cause__} {settings(**fields)!r}"
    return error


def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_it_says_who_answered(db, postgresql):
    assert db.session.server.startswith("PostgreSQL 1")
    assert int(db.session.backend) > 0
    assert db.one("SHOW application_name") == "tusk-jupyter"
    assert db.one("SHOW client_connection_check_interval") == "2s"


@pytest.mark.parametrize(
    ("fields", "scenario", "stage"),
    [
        ({"password": "wr0ng-secret"}, "bad_password", "sign-in"),
        ({"user": "nobody"}, "bad_password", "sign-in"),
        ({"password": ""}, "bad_password", "sign-in"),
        ({"host": "no-such-host.invalid"}, "unknown_host", "name"),
        ({"port": 1}, "refused", "tcp"),
        ({"host": "/nowhere"}, "refused", "tcp"),
        ({"database": "nowhere"}, "no_such_database", "database"),
        ({"sslrootcert": "/nowhere/ca.pem"}, "bad_certificate", "tls"),
    ],
)
def test_a_failed_sign_in_is_told_apart(settings, fields, scenario, stage):
    error = failure(settings, **fields)
    assert (error.scenario, error.detail) == (scenario, f"stage={stage}")  # nothing that the message says again
    assert error.hint
    told = error.message.partition("user '")[2]
    assert "connection to server" not in told and "Is the server running" not in told
    assert told.count("FATAL") <= 1


def test_a_server_that_says_nothing_is_given_up(settings):
    with contextlib.contextmanager(silent_port)() as port:
        error = failure(settings, port=port, timeout_s=2.0)
    assert (error.scenario, (error.detail or "").splitlines()[0]) == ("connect_timeout", "stage=tcp")


def test_a_name_that_does_not_resolve_is_not_waited_for(settings, monkeypatch):
    """The resolver may hang for long; its thread is left alone at the time limit."""
    hanging = threading.Event()

    def hang(*_args: object, **_words: object) -> list[object]:
        hanging.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    error = failure(settings, host="slow.example", timeout_s=0.1)
    hanging.set()
    assert error.scenario == "unknown_host"


def test_no_room_for_one_more_session(settings, admin, postgresql):
    admin.do("ALTER ROLE tusk CONNECTION LIMIT 0")
    try:
        assert failure(settings).scenario == "too_many_connections"
    finally:
        admin.do("ALTER ROLE tusk CONNECTION LIMIT -1")


def test_a_server_that_wants_encryption(settings, postgresql, admin):
    rules = Path(admin.one("SHOW hba_file"))
    plain = rules.read_text()
    rules.write_text("local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
    try:
        admin.do("SELECT pg_reload_conf()")
        wait_until(lambda: not _plain_sign_in(postgresql), what="the server takes only encrypted sign-ins")
        assert failure(settings, sslmode="disable").scenario == "ssl_required"
        PostgresqlSession.connect(settings()).close()  # prefer finds the way
    finally:
        rules.write_text(plain)
        admin.do("SELECT pg_reload_conf()")
        wait_until(lambda: _plain_sign_in(postgresql), what="the server takes plain sign-ins again")


def _plain_sign_in(postgresql) -> bool:
    try:
        psycopg.connect(postgresql.dsn, sslmode="disable").close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_server_without_encryption(settings):
    with services.running(tls=False) as plain:
        fields = {"port": plain.port, "password": plain.password, "host": plain.host}
        error = failure(settings, sslmode="require", **fields)
        assert (error.detail or "").startswith("stage=tls")
        assert "sslmode=prefer" in (error.hint or "")
        PostgresqlSession.connect(settings(**fields)).close()


def test_an_authority_that_is_given_is_checked(connect, settings, postgresql, tmp_path):
    strict = connect(sslrootcert=postgresql.ca_file, host="localhost")
    assert strict.one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True
    from services.certificates import make_certificates

    foreign = make_certificates(tmp_path).ca_file
    assert failure(settings, sslrootcert=str(foreign)).scenario == "bad_certificate"


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({}, Trust.UNVERIFIED),
        ({"sslmode": "disable"}, Trust.PLAIN),
        ({"sslmode": "require"}, Trust.UNVERIFIED),
        ({"sslmode": "require", "channel_binding": "require"}, Trust.VERIFIED),
        ({"host": "localhost", "sslrootcert": "the server's"}, Trust.VERIFIED),
        ({"sslmode": "verify-ca", "sslrootcert": "the server's"}, Trust.VERIFIED),
        ({"host": "localhost", "sslrootcert": "system"}, Trust.VERIFIED),
        ({"host": "the server's"}, Trust.LOCAL),
    ],
)
def test_it_says_what_the_link_proves(connect, postgresql, fields, link, monkeypatch):  # S3
    monkeypatch.setenv("SSL_CERT_FILE", postgresql.ca_file)
    known = {"sslrootcert": postgresql.ca_file, "host": postgresql.socket_dir}
    config = {name: known[name] if value == "the server's" else value for name, value in fields.items()}
    assert connect(**config).session.link == link


def test_clear_text_goes_to_a_verified_server_only(settings, admin, postgresql):  # S3
    """A server of the right kind that asks for the password itself, as LDAP and PAM do."""
    rules = Path(admin.one("SHOW hba_file"))
    known = rules.read_text()
    rules.write_text(f"host all {postgresql.user} 127.0.0.1/32 password\n{known}")
    try:
        admin.do("SELECT pg_reload_conf()")
        wait_until(lambda: _method(postgresql) == "password", what="the server asks for the password itself")
        for fields in ({}, {"sslmode": "disable"}, {"sslmode": "require"}):
            assert failure(settings, **fields).scenario == "unverified_server"
        for fields in ({"sslrootcert": postgresql.ca_file, "host": "localhost"}, {"allow_cleartext_password": True}):
            PostgresqlSession.connect(settings(**fields)).close()
    finally:
        rules.write_text(known)
        admin.do("SELECT pg_reload_conf()")
        wait_until(lambda: _method(postgresql) == "scram", what="the server asks for SCRAM again")


def _method(postgresql) -> str:
    try:
        psycopg.connect(postgresql.dsn, require_auth="scram-sha-256").close()
    except psycopg.OperationalError:
        return "password"
    return "scram"


def test_the_socket_is_a_host(connect, postgresql):
    local = connect(host=postgresql.socket_dir)
    assert local.one("SELECT inet_client_addr()") is None


@pytest.mark.parametrize(
    ("host", "config", "mode"),
    [
        ("localhost", {}, "prefer"),
        ("127.0.0.1", {}, "prefer"),
        ("::1", {}, "prefer"),
        ("/var/run/postgresql", {}, "prefer"),
        ("db.example.com", {}, "require"),
        ("10.0.0.1", {}, "require"),
        ("localhost,db.example.com", {}, "require"),
        ("db.example.com", {"sslrootcert": "ca.pem"}, "verify-full"),
    ],
)
def test_encryption_is_strict_where_it_leaves_the_machine(host, config, mode):
    assert default_sslmode(host, config) == mode


@pytest.mark.parametrize(
    ("words", "scenario"),
    [
        ("FATAL:  the database system is starting up", "shutdown"),
        ("FATAL:  the database system is shutting down", "shutdown"),
        ("FATAL:  sorry, too many clients already", "too_many_connections"),
        ("FATAL:  remaining connection slots are reserved for non-replication superuser connections", "too_many_connections"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", SSL off', "ssl_required"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", SSL encryption', "permission"),
        ("connection timeout expired", "connect_timeout"),
        ('SSL error: certificate verify failed', "bad_certificate"),
    ],
)  # fmt: skip
def test_words_of_servers_that_are_hard_to_bring_about(words, scenario):
    assert connect_error(words, target="x").scenario == scenario


AT = 'connection to server at "127.0.0.1", port 5432 failed: '
QUESTION = "\n\tIs the server running on that host and accepting TCP/IP connections?"
WRONG = 'FATAL:  password authentication failed for user "ann"'


def both(first, second, *, hosts=("db", "db"), addresses=("10.0.0.1", "::1")):
    """Return psycopg's words for two attempts."""
    entries = [
        f"- host: {host!r}, port: '5432', hostaddr: {address!r}: {words}"
        for host, address, words in zip(hosts, addresses, (first, second), strict=True)
    ]
    return "\n".join([second, "Multiple connection attempts failed. All failures were:", *entries])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"connection failed: {AT}{WRONG}\n{AT}{WRONG}", 'FATAL: password authentication failed for user "ann"'),
        (f"connection failed: {AT}Connection refused{QUESTION}", "Connection refused"),
        (
            'connection is bad: connection to server on socket "/run/.s.PGSQL.1" failed: No such file or directory\n'
            "\tIs the server running locally and accepting connections on that socket?",
            "No such file or directory",
        ),
        (
            f"connection failed: {AT}SSL error: tlsv1 alert\n{AT}FATAL:  no pg_hba.conf entry, no encryption",
            "SSL error: tlsv1 alert; FATAL: no pg_hba.conf entry, no encryption",
        ),
        (
            both(*[f"connection failed: {AT}Connection refused{QUESTION}"] * 2),
            "Connection refused (10.0.0.1:5432, [::1]:5432)",
        ),
        (
            both(f"connection failed: {AT}{WRONG}\n{AT}{WRONG}", "connection timeout expired", hosts=("a", "b")),
            'a:5432: FATAL: password authentication failed for user "ann"; b:5432: connection timeout expired',
        ),
        ("connection timeout expired", "connection timeout expired"),
    ],
)
def test_a_failed_sign_in_is_told_once_and_hosts_apart(words, told):
    error = connect_error(words, target="x")
    assert error.message == f"Could not connect to x: {told}"


def test_server_options_are_passed_on(connect):
    assert connect(options="-c search_path=pg_catalog").one("SHOW search_path") == "pg_catalog"


def test_a_long_statement_ends_when_its_client_is_gone(settings, admin):
    """client_connection_check_interval: a killed driver leaves nothing running."""
    lost = PostgresqlSession.connect(settings())
    pid = int(lost.backend or 0)
    lost._link.pg.send_query(b"SELECT pg_sleep(600)")
    lost._link.flush()
    here = "SELECT count(*) FROM pg_stat_activity WHERE pid = :pid AND state = 'active'"
    wait_until(lambda: admin.one(here, pid=pid) == 1, what="the statement runs")
    lost.close()
    wait_until(lambda: admin.one(here, pid=pid) == 0, what="the server noticed")

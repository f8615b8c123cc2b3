"""A private PostgreSQL: SCRAM sign-in, TLS on, a plain user `tusk` that owns the database `tusk`, and a superuser."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from services.certificates import make_certificates
from services.processes import Server, find_program, free_port, server_user

BIN_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
SETTINGS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB",
    "log_connections": "on", "log_disconnections": "on", "logging_collector": "off", "lc_messages": "C",
    "timezone": "UTC", "max_connections": "100", "listen_addresses": "127.0.0.1",
}  # fmt: skip
HBA = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgreSQL:
    """How to reach it. `tusk` is a plain user; the administrator is a superuser."""

    port: int
    socket_dir: str
    ca_file: str
    server: Server
    host: str = "127.0.0.1"
    user: str = "tusk"
    password: str = "walnut p@ss:w/rd%#1"  # characters that a careless URL builder breaks on
    database: str = "tusk"
    admin_user: str = "tusk_admin"
    admin_password: str = "hazel-admin-7"

    @property
    def dsn(self) -> str:
        """Connection text of the plain user, for psycopg."""
        return psycopg.conninfo.make_conninfo(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=self.database
        )

    @property
    def admin_dsn(self) -> str:
        """Connection text of the superuser, in the database `tusk`."""
        return psycopg.conninfo.make_conninfo(self.dsn, user=self.admin_user, password=self.admin_password)

    @property
    def url(self) -> str:
        """URL with the password, percent-encoded."""
        return f"postgresql://{self.user}:{quote(self.password, safe='')}@{self.host}:{self.port}/{self.database}"

    @property
    def url_without_password(self) -> str:
        """URL as one may type it in a notebook."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def log(self) -> str:
        """What the server logged so far."""
        return self.server.log()


@contextmanager
def running(*, tls: bool = True) -> Iterator[PostgreSQL]:
    """Start a PostgreSQL of one's own and end it afterwards.

    Args:
        tls: whether it offers TLS (clients then use it by themselves).

    Raises:
        MissingProgram: PostgreSQL is not installed.
        RuntimeError: it does not start; with its log.
    """
    initdb = find_program("initdb", package="postgresql", folders=BIN_FOLDERS)
    server = Server("pg", user=server_user("postgres"), stop_signal=signal.SIGQUIT)  # at once: nothing is worth keeping
    try:
        postgres = PostgreSQL(
            port=free_port(), socket_dir=str(server.folder), ca_file=str(server.folder / "ca.pem"), server=server
        )
        data = _make_cluster(postgres, initdb, tls)
        server.start([initdb.with_name("postgres"), "-D", data], lambda: _answers(postgres))
        _make_database(postgres)
        yield postgres
    finally:
        server.close()


def _make_cluster(postgres: PostgreSQL, initdb: Path, tls: bool) -> Path:
    folder, own = postgres.server.folder, postgres.server.own
    password_file = folder / "pw"
    password_file.write_text(postgres.admin_password)
    own(password_file)
    data = folder / "data"
    postgres.server.run([
        initdb, "-D", data, "-U", postgres.admin_user, "--pwfile", password_file, "--auth", "scram-sha-256",
        "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
    ])  # fmt: skip
    certificates = make_certificates(folder)
    own(certificates.key_file)
    settings = SETTINGS | {
        "ssl": "on" if tls else "off", "port": str(postgres.port), "unix_socket_directories": postgres.socket_dir,
        "ssl_cert_file": str(certificates.cert_file), "ssl_key_file": str(certificates.key_file),
    }  # fmt: skip
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    (data / "pg_hba.conf").write_text(HBA)
    return data


def _answers(postgres: PostgreSQL) -> bool:
    try:
        with psycopg.connect(postgres.admin_dsn, dbname="postgres", connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _make_database(postgres: PostgreSQL) -> None:
    with psycopg.connect(postgres.admin_dsn, dbname="postgres", autocommit=True) as admin:
        user, database = sql.Identifier(postgres.user), sql.Identifier(postgres.database)
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(user, sql.Literal(postgres.password)))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, user))

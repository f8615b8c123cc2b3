"""A private MariaDB: TLS on, a plain user `tusk` with all rights on the database `tusk`, and an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pymysql

from services.certificates import make_certificates
from services.processes import Server, find_program, free_port, server_user


@dataclass(frozen=True, slots=True, kw_only=True)
class MariaDB:
    """How to reach it: over TCP, or over `socket` with the same passwords."""

    port: int
    socket: str
    ca_file: str
    server: Server
    host: str = "127.0.0.1"
    user: str = "tusk"
    password: str = "walnut p@ss:w/rd%#2"  # characters that a careless URL builder breaks on
    database: str = "tusk"
    admin_user: str = "tusk_admin"
    admin_password: str = "hazel-admin-8"

    @property
    def url(self) -> str:
        """URL with the password, percent-encoded."""
        return f"mysql://{self.user}:{quote(self.password, safe='')}@{self.host}:{self.port}/{self.database}"

    @property
    def url_without_password(self) -> str:
        """URL as one may type it in a notebook."""
        return f"mysql://{self.user}@{self.host}:{self.port}/{self.database}"

    def connect(self, *, admin: bool = False) -> pymysql.connections.Connection:
        """Return a PyMySQL connection in autocommit mode."""
        user, password = (self.admin_user, self.admin_password) if admin else (self.user, self.password)
        return pymysql.connect(
            host=self.host, port=self.port, user=user, password=password, database=self.database, charset="utf8mb4",
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def log(self) -> str:
        """What the server logged so far."""
        return self.server.log()


@contextmanager
def running(*, tls: bool = True) -> Iterator[MariaDB]:
    """Start a MariaDB of one's own and end it afterwards.

    Args:
        tls: whether it offers TLS.

    Raises:
        MissingProgram: MariaDB is not installed.
        RuntimeError: it does not start; with its log.
    """
    mariadbd = find_program("mariadbd", package="mariadb-server")
    install = find_program("mariadb-install-db", package="mariadb-server")
    server = Server("my", user=server_user("mysql"))
    try:
        mariadb = MariaDB(
            port=free_port(), socket=str(server.folder / "s.sock"), ca_file=str(server.folder / "ca.pem"), server=server
        )
        server.run([
            install, "--no-defaults", f"--datadir={server.folder / 'data'}", "--skip-test-db",
            "--auth-root-authentication-method=socket", "--skip-name-resolve",
        ])  # fmt: skip
        server.start([mariadbd, *_options(mariadb, tls)], lambda: _answers(mariadb))
        yield mariadb
    finally:
        server.close()


def _options(mariadb: MariaDB, tls: bool) -> list[str]:
    folder = mariadb.server.folder
    certificates = make_certificates(folder)
    for path in (certificates.key_file, _init_file(mariadb)):
        mariadb.server.own(path)
    with_tls = [
        f"--ssl-ca={certificates.ca_file}",
        f"--ssl-cert={certificates.cert_file}",
        f"--ssl-key={certificates.key_file}",
    ]
    return [
        "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={mariadb.socket}", f"--port={mariadb.port}",
        f"--bind-address={mariadb.host}", f"--init-file={folder / 'init.sql'}", f"--pid-file={folder / 'pid'}",
        f"--tmpdir={folder}", "--skip-name-resolve", "--skip-log-bin", "--character-set-server=utf8mb4",
        "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M", "--max-allowed-packet=64M",
        *(with_tls if tls else ["--skip-ssl"]),
    ]  # fmt: skip


def _init_file(mariadb: MariaDB) -> Path:
    path = mariadb.server.folder / "init.sql"  # one statement a line: the server reads it so
    path.write_text(
        f"CREATE DATABASE IF NOT EXISTS `{mariadb.database}`;\n"
        f"CREATE USER IF NOT EXISTS '{mariadb.user}'@'%' IDENTIFIED BY '{mariadb.password}';\n"
        f"GRANT ALL ON `{mariadb.database}`.* TO '{mariadb.user}'@'%';\n"
        f"CREATE USER IF NOT EXISTS '{mariadb.admin_user}'@'%' IDENTIFIED BY '{mariadb.admin_password}';\n"
        f"GRANT ALL ON *.* TO '{mariadb.admin_user}'@'%' WITH GRANT OPTION;\n"
    )
    return path


def _answers(mariadb: MariaDB) -> bool:
    try:
        mariadb.connect().close()
    except pymysql.err.OperationalError:
        return False
    return True

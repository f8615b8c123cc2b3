"""A sign-in at a port where no such server answers says who does, and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from services.strangers import answers_lines, greets, hangs_up, is_silent, speaks_tls, stranger

from tusk_drivers.mysql.session import MysqlSession
from tusk_drivers.postgresql.session import PostgresqlSession
from tusk_jupyter.driverkit.session import Session, Settings
from tusk_jupyter.errors import ConnectError

DRIVERS: list[type[Session]] = [PostgresqlSession, MysqlSession]
MODES: list[dict[str, object]] = [{}, {"sslmode": "disable"}, {"sslmode": "require"}]


def refusal(driver: type[Session], port: int, **config: object) -> ConnectError:
    settings = Settings(
        config={"host": "127.0.0.1", "port": port, "database": "shop", "user": "ana"},
        secrets={"password": "plain-walnut-7351"},
        connect_timeout_s=2.0,
    )
    with pytest.raises(ConnectError) as caught:
        driver.connect(replace(settings, config={**settings.config, **config}))
    return caught.value


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("mode", MODES)
def test_a_port_that_hangs_up_at_once(driver, mode):
    with stranger(hangs_up) as port:
        error = refusal(driver, port, **mode)
    assert (error.scenario, error.detail) == ("hung_up", "stage=sign-in")
    assert "closed the connection before it had answered" in error.message
    assert "refused" not in error.message
    for cause in ("wrong port", "proxy", "TLS", "shutting down", "check host and port"):
        assert cause in (error.hint or "")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("talk", "who"),
    [
        (greets(b"220 mail.example.org ESMTP\r\n"), "a mail or FTP server"),
        (answers_lines(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "a web server (HTTP)"),
        (answers_lines(b"-ERR wrong number of arguments for 'get' command\r\n"), "Redis"),
        (greets(b"hello\x1b[31m\n"), "`hello.[31m.`"),
    ],
    ids=["mail", "http", "redis", "unknown"],
)
def test_who_answers_there_is_named(driver, talk, who):
    with stranger(talk) as port:
        error = refusal(driver, port)
    assert error.scenario == "other_server"
    assert who in error.message
    assert "check" in (error.hint or "").lower()


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("mode", MODES)
def test_the_first_letter_of_ssh_is_not_taken_for_a_yes_to_tls(driver, mode):
    with stranger(greets(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as port:
        error = refusal(driver, port, **mode)
    assert error.scenario == "other_server"
    assert "an SSH server answers there" in error.message


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_port_that_takes_only_tls(driver, tmp_path):
    with stranger(speaks_tls(tmp_path)) as port:
        error = refusal(driver, port)
    assert error.scenario == "other_server"
    assert "TLS from the first byte" in error.message
    assert "tunnel" in (error.hint or "")


def test_each_server_at_the_other_ones_port(postgresql, mariadb):
    for mode in MODES:
        error = refusal(PostgresqlSession, mariadb.port, **mode)
        assert "MySQL or MariaDB answers there, not PostgreSQL" in error.message
        assert "mysql://" in (error.hint or "")
    error = refusal(MysqlSession, postgresql.port)
    assert "PostgreSQL answers there, not MySQL or MariaDB" in error.message
    assert "postgresql://" in (error.hint or "")


@pytest.mark.parametrize("driver", DRIVERS)
def test_silence_is_a_matter_of_time(driver):
    with stranger(is_silent) as port:
        error = refusal(driver, port)
    assert error.scenario == "connect_timeout"

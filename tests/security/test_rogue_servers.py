"""A server that only pretends to be the right one never gets the password, in clear text or in a form that it can undo."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from services.certificates import Certificates, make_certificates
from services.rogues import KEY, Rogue, RogueMySQL, RoguePostgreSQL, running

from tusk_drivers.mysql.session import MysqlSession
from tusk_drivers.postgresql.session import PostgresqlSession
from tusk_jupyter.driverkit.session import Session, Settings
from tusk_jupyter.errors import ConnectError, ProtocolError, TuskError
from tusk_jupyter.sqltext.statements import split

PASSWORD = "plain-walnut-7351"
(SELECT,) = split("SELECT 1", "mysql")
REMOTE = "db.example.org"

POSTGRESQL = {
    "clear text": [3],
    "MD5, then clear text": [5, 3],
    "SASL, then clear text": [10, 3],
    "SCRAM half way, then clear text": [10, 11, 3],
    "crypt": [4],
    "Kerberos": [2],
    "GSSAPI, then clear text": [7, 3],
    "SSPI": [9],
    "clear text, twice": [3, 3],
}
MYSQL = {
    "greets with clear text": ["mysql_clear_password", "mysql_clear_password"],
    "clear text": ["mysql_native_password", "mysql_clear_password"],
    "PAM": ["mysql_native_password", "dialog"],
    "old": ["mysql_native_password", "mysql_old_password"],
    "SHA-256": ["mysql_native_password", "sha256_password", "key"],
    "greets with SHA-256": ["sha256_password", "key"],
    "greets with SHA-256, switches to it": ["sha256_password", "sha256_password", "key"],
    "caching SHA-2, full": ["caching_sha2_password", "full", "key"],
    "caching SHA-2 by a switch, full": ["mysql_native_password", "caching_sha2_password", "full", "key"],
    "key at once": ["caching_sha2_password", "key"],
    "clear text after caching SHA-2": ["caching_sha2_password", "full", "mysql_clear_password"],
    "unknown": ["auth_gssapi_client", "auth_gssapi_client"],
    "no plug-in named": ["", "mysql_clear_password"],
}
MODES: list[dict[str, object]] = [
    {}, {"host": REMOTE}, {"sslmode": "disable"}, {"sslmode": "prefer"}, {"sslmode": "require"}, {"sslmode": "verify-full"},
]  # fmt: skip
"""Added to an address of this machine; the first two are what is in force where nothing is said."""
CASES = [
    *(pytest.param(PostgresqlSession, RoguePostgreSQL, asks, id=f"postgresql: {name}") for name, asks in POSTGRESQL.items()),
    *(pytest.param(MysqlSession, RogueMySQL, asks, id=f"mysql: {name}") for name, asks in MYSQL.items()),
]  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Signed by an authority that nobody knows."""
    return make_certificates(tmp_path_factory.mktemp("rogue"))


@pytest.fixture
def everywhere_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a name of another machine lead here."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host == REMOTE else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)


def settings_for(rogue: Rogue, **config: object) -> Settings:
    """Return how to reach a rogue server."""
    return Settings(
        config={"host": "127.0.0.1", "port": rogue.port, "database": "shop", "user": "ana", **config},
        secrets={"password": PASSWORD},
        connect_timeout_s=5.0,
    )


def sign_in(session: type[Session], rogue: Rogue, **config: object) -> TuskError:
    """Try to sign in at a rogue server, which must fail."""
    with pytest.raises(TuskError) as caught:
        session.connect(settings_for(rogue, **config))
    assert PASSWORD not in f"{caught.value} {caught.value.detail}"
    return caught.value


@pytest.mark.usefixtures("everywhere_is_here")
@pytest.mark.parametrize(("session", "kind", "asks"), CASES)
def test_no_request_brings_out_the_password(session, kind, asks, certificates):  # S3, NL-40
    for tls in (False, True):
        for mode in MODES:
            with running(kind(asks, tls, certificates)) as rogue:
                error = sign_in(session, rogue, **mode)
            assert not rogue.knows(PASSWORD), (tls, mode)
            assert isinstance(error, ConnectError), (tls, mode, error)


@pytest.mark.parametrize(
    ("session", "kind", "asks"),
    [
        (PostgresqlSession, RoguePostgreSQL, [3]),
        (MysqlSession, RogueMySQL, ["mysql_native_password", "mysql_clear_password"]),
        (MysqlSession, RogueMySQL, ["caching_sha2_password", "full"]),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
def test_refusal_says_why_and_what_to_do_first(session, kind, asks, tls, certificates):
    with running(kind(asks, tls, certificates)) as rogue:
        error = sign_in(session, rogue)
    assert (error.scenario, (error.detail or "").split()[0]) == ("unverified_server", "stage=sign-in")
    assert "not sent" in error.message
    hint = error.hint or ""
    assert hint.index("sslrootcert") < hint.index("allow_cleartext_password"), "the weaker way is advised first"


@pytest.mark.parametrize(
    ("session", "kind", "asks", "tls"),
    [
        (PostgresqlSession, RoguePostgreSQL, [3], False),
        (PostgresqlSession, RoguePostgreSQL, [3], True),
        (MysqlSession, RogueMySQL, ["mysql_native_password", "mysql_clear_password"], False),
        (MysqlSession, RogueMySQL, ["mysql_native_password", "dialog"], True),
        (MysqlSession, RogueMySQL, ["caching_sha2_password", "full", "key"], False),
        (MysqlSession, RogueMySQL, ["sha256_password", "sha256_password", "key"], False),
        (MysqlSession, RogueMySQL, ["caching_sha2_password", "full"], True),
    ],
)
def test_a_connection_may_say_that_it_goes_out_all_the_same(session, kind, asks, tls, certificates):
    """The rogues of these tests would know the password if they were sent it."""
    with running(kind(asks, tls, certificates)) as rogue:
        sign_in(session, rogue, allow_cleartext_password=True)
    assert rogue.knows(PASSWORD)


def test_a_named_key_is_the_one_that_counts(certificates, tmp_path):
    """With the key of the right server, a rogue one gets a text that it cannot read."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key_file = tmp_path / "public_key.pem"
    right = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_file.write_bytes(right.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with running(RogueMySQL(["caching_sha2_password", "full"], False, certificates)) as rogue:
        sign_in(MysqlSession, rogue, server_public_key=str(key_file))
    assert len(rogue.packets[-1]) == 256
    assert not rogue.knows(PASSWORD)
    key_file.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with running(RogueMySQL(["caching_sha2_password", "full"], False, certificates)) as rogue:
        sign_in(MysqlSession, rogue, server_public_key=str(key_file))
    assert rogue.knows(PASSWORD)


@pytest.mark.parametrize(
    ("session", "kind", "asks"),
    [
        (PostgresqlSession, RoguePostgreSQL, [3]),
        (MysqlSession, RogueMySQL, ["mysql_native_password", "mysql_clear_password"]),
        (MysqlSession, RogueMySQL, ["caching_sha2_password", "full"]),
        (MysqlSession, RogueMySQL, ["sha256_password", "sha256_password"]),
    ],
)
def test_a_verified_server_is_given_it(session, kind, asks, certificates, monkeypatch):
    ca_file = str(certificates.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    for authority in (ca_file, "system"):
        with running(kind(asks, True, certificates)) as right:
            sign_in(session, right, host="localhost", sslrootcert=authority)
        assert right.knows(PASSWORD), authority


def test_any_public_authority_signs_for_everybody(certificates, monkeypatch):
    """`verify-ca` with the system's authorities takes whoever has some certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    with running(RogueMySQL(["mysql_native_password", "mysql_clear_password"], True, certificates)) as rogue:
        error = sign_in(MysqlSession, rogue, sslmode="verify-ca")
    assert error.scenario == "unverified_server"
    assert not rogue.knows(PASSWORD)


@pytest.mark.parametrize("ask", [lambda session: session.execute(SELECT, {}), lambda session: session.tree([])])
def test_no_file_is_given_to_a_server_that_asks_for_one(ask, certificates):
    """It may answer any statement with LOAD DATA LOCAL's request, the driver's own ones too."""
    with running(RogueMySQL(["mysql_native_password", "ok", "ok", "file"], False, certificates)) as rogue:
        session = MysqlSession.connect(settings_for(rogue))
        with pytest.raises(ProtocolError, match="does not get one"):
            ask(session)
        assert not session.is_alive()
        session.close()
    assert b"root:" not in rogue.received


def test_no_file_is_given_in_the_middle_of_a_sign_in(certificates):
    with running(RogueMySQL(["mysql_native_password", "file"], False, certificates)) as rogue:
        assert isinstance(sign_in(MysqlSession, rogue), ConnectError)
    assert b"root:" not in rogue.received

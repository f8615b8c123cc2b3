"""What a link proves of the server at its other end, and so whether a password may cross it as it is.

Encryption is not authentication: TLS whose certificate nobody checked hides a password from everybody but from whoever
answered. So a password in clear text, or in a form that the server can undo, goes only over a link whose server is
*verified*, or where the connection's own field `allow_cleartext_password` says so.
"""

from __future__ import annotations

import enum
import ssl
from pathlib import Path

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.errors import ConnectError
from tusk_jupyter.protocol.scenarios import hint_for

SYSTEM = "system"
"""What `sslrootcert` says for the authorities that this machine trusts, as in libpq."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # CentOS
    "/etc/ssl/cert.pem",  # Alpine, macOS, the BSDs
)


class Trust(enum.StrEnum):
    """How far the server is known, in the words that a test of the connection shows."""

    LOCAL = "Unix socket"
    """Only this machine's file permissions decide who answers there."""
    VERIFIED = "TLS, server verified"
    UNVERIFIED = "TLS, server not verified"
    PLAIN = "no TLS, server not verified"

    @property
    def verified(self) -> bool:
        """Whether the other end is the server that is meant."""
        return self in (Trust.LOCAL, Trust.VERIFIED)


def may_send_password(trust: Trust, settings: Settings) -> bool:
    """Return whether a password may be sent in a form that the other end can read."""
    return trust.verified or bool(settings.config.get("allow_cleartext_password"))


def unverified(target: str, trust: Trust | None, asked: str, *, code: str | None = None) -> ConnectError:
    """Return the error for a sign-in that was ended because the server asked for the password itself.

    Args:
        target: where to, for people.
        trust: what the link is; None where that is not known.
        asked: how the server asked, for people.
        code: the client library's own number, if it has one.
    """
    link = f" ({trust})" if trust else ""
    return ConnectError(
        f"{target} asked for the password itself ({asked}), and that it is the right server is not proven{link}: "
        "the password was not sent.",
        hint=hint_for("unverified_server"),
        detail="stage=sign-in",
        code=code,
        scenario="unverified_server",
    )


def system_bundle() -> str | None:
    """Return the PEM file with the authorities that this machine trusts; None leaves it to OpenSSL.

    Wheels bring an OpenSSL of their own, whose compiled-in folder does not exist here (psycopg's: /usr/lib/psycopg-openssl).
    """
    known = ssl.get_default_verify_paths().cafile  # SSL_CERT_FILE, or this Python's own
    return next((path for path in (known, *_BUNDLES) if path and Path(path).is_file()), None)

"""Flight locations: a Unix socket in a 0700 folder, loopback TCP where the platform has none."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

UNIX = "grpc+unix://"
TCP = "grpc+tcp://127.0.0.1"
HAS_UNIX = hasattr(socket, "AF_UNIX")


def new_address(folder: Path, kind: str) -> str:
    """Return a fresh location to listen at; `kind` is one letter that tells cores (c) from drivers (d)."""
    return f"{UNIX}{folder}/{kind}-{secrets.token_hex(8)}.sock" if HAS_UNIX else f"{TCP}:0"


def bound_address(asked: str, port: int) -> str:
    """Return the location to give to clients once the server listens, and close its socket to other users."""
    path = socket_path(asked)
    if path is None:
        return f"{TCP}:{port}"
    path.chmod(0o600)  # gRPC creates it 0755; the folder's 0700 covers the moment between
    return asked


def socket_path(address: str) -> Path | None:
    """Return the socket file of a location, or None for TCP."""
    return Path(address.removeprefix(UNIX)) if address.startswith(UNIX) else None


def discard(address: str) -> None:
    """Remove a socket file whose server has ended."""
    path = socket_path(address)
    if path is not None:
        path.unlink(missing_ok=True)

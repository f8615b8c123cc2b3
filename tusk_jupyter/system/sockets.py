"""Flight locations: a Unix socket in a 0700 folder, loopback TCP where the platform has none.

A location is a URI, so its path is quoted: once for the URI, which Arrow takes apart, and once more for gRPC, which takes what
Arrow makes of it for a URI again. (Tried with `%`, `#`, `?`, blanks, quotes, umlauts and a newline: pyarrow 23, gRPC 1.76.)
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from tusk_jupyter.system import belongings

UNIX = "grpc+unix://"
TCP = "grpc+tcp://127.0.0.1"
HAS_UNIX = hasattr(socket, "AF_UNIX")


def new_address(folder: Path, kind: str) -> str:
    """Return a fresh location to listen at; `kind` is one letter that tells cores (c) from drivers (d)."""
    return address_of(folder / belongings.new_socket_name(kind)) if HAS_UNIX else f"{TCP}:0"


def address_of(path: Path) -> str:
    """Return the location of a socket file."""
    return UNIX + quote_from_bytes(quote_from_bytes(os.fsencode(path), safe="/").encode(), safe="/")


def bound_address(asked: str, port: int) -> str:
    """Return the location to give to clients once the server listens, and close its socket to other users."""
    path = socket_path(asked)
    if path is None:
        return f"{TCP}:{port}"
    path.chmod(0o600)  # gRPC creates it 0755; the folder's 0700 covers the moment between
    return asked


def socket_path(address: str) -> Path | None:
    """Return the socket file of a location, or None for TCP."""
    if not address.startswith(UNIX):
        return None
    return Path(os.fsdecode(unquote_to_bytes(unquote_to_bytes(address.removeprefix(UNIX)))))


def discard(address: str) -> None:
    """Remove a socket file whose server has ended."""
    path = socket_path(address)
    if path is not None:
        belongings.discard(path)

"""Flight locations: a Unix socket in a 0700 folder, loopback TCP where the platform has none.

A location is a URI, so its path is quoted: once for the URI, which Arrow takes apart, and once more for gRPC, which takes what
Arrow makes of it for a URI again. (Tried with `%`, `#`, `?`, blanks, quotes, umlauts and a newline: pyarrow 23, gRPC 1.76.)
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system import belongings

UNIX = "grpc+unix://"
TCP = "grpc+tcp://127.0.0.1"
HAS_UNIX = hasattr(socket, "AF_UNIX")
PROBE_S = 2.0
_LOCAL, _LOCAL_PEERCRED = 0, 1
"""Of macOS and the BSDs; Python has no names for them."""


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


def check_owner(address: str) -> None:
    """See that whoever listens at a location is of this user, before a token or a ticket goes there.

    gRPC shows no descriptor of its own, so this is a connection beside it (0.02 ms). Between the two nobody else can put a
    listener there, for the way to the socket is closed to others (`way`): this is for a way that was opened meanwhile.

    Raises:
        StorageError: somebody else listens there.
        OSError: nobody does.
    """
    path = socket_path(address)
    if path is None or not belongings.HAS_OWNERS:
        return
    found = path.lstat()
    owner = found.st_uid
    if stat.S_ISSOCK(found.st_mode) and owner == belongings.user_id():
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PROBE_S)
            probe.connect(os.fspath(path))
            owner = _listener(probe, owner)
        if owner == belongings.user_id():
            return
    whose = "is not a socket" if not stat.S_ISSOCK(found.st_mode) else f"is another user's (uid {owner})"
    raise StorageError(
        f"{path} {whose}, so nothing was sent to it: somebody else has put it where a process of yours listened.",
        hint=f"Check who may write to {path.parent} and the folders above it. `tusk core stop` ends the core that was there.",
    )


def _listener(probe: socket.socket, otherwise: int) -> int:
    """Return the user of the process that listens at the other end, where the system tells."""
    if hasattr(socket, "SO_PEERCRED"):
        return int(
            struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[1]
        )
    try:
        _, uid = struct.unpack_from("=II", probe.getsockopt(_LOCAL, _LOCAL_PEERCRED, 128))
    except (OSError, struct.error):
        return otherwise
    return int(uid)


def discard(address: str) -> None:
    """Remove a socket file whose server has ended."""
    path = socket_path(address)
    if path is not None:
        belongings.discard(path)

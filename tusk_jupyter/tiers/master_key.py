"""The vault's key on machines where nobody types: from an environment variable, a private file or a command.

A full 256-bit key, used as it is. No derivation is run over it: that only helps short secrets that people remember.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tusk_jupyter.errors import CredentialError, StorageError, UsageError
from tusk_jupyter.system.private_files import read_private
from tusk_jupyter.system.working_folder import expanded
from tusk_jupyter.tiers.commands import run_secret_command
from tusk_jupyter.tiers.sealing import KEY_BYTES

KEY = "TUSK_MASTER_KEY"
FILE = "TUSK_MASTER_KEY_FILE"
COMMAND = "TUSK_MASTER_KEY_COMMAND"
VARIABLES = (KEY, FILE, COMMAND)
FORM = "32 bytes as base64 or hex, as `openssl rand -base64 32` prints them"


@dataclass(slots=True)
class MasterKey:
    """A key and where it came from."""

    key: bytearray
    source: str
    """The variable's name."""
    warning: str | None = None

    def __repr__(self) -> str:
        return f"MasterKey({self.source})"


def source(environ: Mapping[str, str]) -> str | None:
    """Return the variable that names the master key, or None.

    Raises:
        CredentialError: several do; which one would win must not be a guess.
    """
    given = [name for name in VARIABLES if environ.get(name)]
    if len(given) > 1:
        raise CredentialError(f"{' and '.join(given)} are both set.", hint="Keep one of them.")
    return given[0] if given else None


def find(environ: Mapping[str, str], *, vault: Path) -> MasterKey | None:
    """Return the master key that the environment names, or None if it names none.

    Args:
        environ: the core's environment.
        vault: the vault's path; a key file in the same folder gets a warning.

    Raises:
        CredentialError: it names one that cannot be had or is no key.
    """
    name = source(environ)
    if name is None:
        return None
    if name == KEY:
        return MasterKey(_parse(environ[KEY], name), name)
    if name == FILE:
        try:
            path = expanded(environ[FILE])
        except UsageError as exc:
            raise CredentialError(f"{FILE}: {exc.message}", hint=exc.hint) from exc
        return _from_file(path, vault)
    text = run_secret_command(environ[COMMAND], environ=environ, purpose=f"command of {COMMAND}")
    return MasterKey(_parse(text, name), name)


def _from_file(path: Path, vault: Path) -> MasterKey:
    try:
        text = read_private(path, max_bytes=4096).decode("ascii")
    except StorageError as exc:
        raise CredentialError(f"{FILE}: {exc.message}", hint=exc.hint) from exc
    except OSError as exc:
        raise CredentialError(
            f"{FILE} names {path}, which cannot be read: {exc.strerror}.", hint=f"It holds {FORM}."
        ) from exc
    except UnicodeDecodeError:
        text = ""
    warning = None
    if path.resolve().parent == vault.resolve().parent:
        warning = f"the key file {path} lies beside the vault: whoever copies the folder has both"
    return MasterKey(_parse(text, FILE), FILE, warning)


def _parse(text: str, name: str) -> bytearray:
    text = text.strip()
    for decode in (bytes.fromhex, _base64):
        try:
            key = decode(text)
        except ValueError:
            continue
        if len(key) == KEY_BYTES:
            return bytearray(key)
    raise CredentialError(f"{name} holds no key: it must be {FORM}.", hint=f"{len(text)} characters were given.")


def _base64(text: str) -> bytes:
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as exc:
        raise ValueError(str(exc)) from exc

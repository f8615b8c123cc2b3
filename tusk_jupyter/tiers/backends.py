"""Which `keyring` backend may hold a secret: those that are an operating system's own, and no other.

`keyring` itself would take whatever is installed or configured, plaintext files and the null backend included. So its
choice is not asked for; the configured name is read and judged before anything of it is imported.
"""

from __future__ import annotations

import configparser
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import secretstorage
    from keyring.backend import KeyringBackend

REAL = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.libsecret.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.kwallet.DBusKeyringKWallet4",
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
)
ELSEWHERE = {"keyring.backends.macOS": "darwin", "keyring.backends.Windows": "win32"}
"""The platforms of those that are there on one only."""
CHAINER = "keyring.backends.chainer.ChainerBackend"
"""Asks several backends in turn, good and bad; its good ones are found here without it."""


class NoBackend(Exception):
    """There is no OS keyring that may be used; the text says why."""


def choose() -> KeyringBackend:
    """Return the OS keyring's backend. May block on D-Bus.

    Raises:
        NoBackend: none is there, or the configured one is refused.
    """
    name = configured_name()
    if name in (None, CHAINER):
        return _best(REAL)
    if name not in REAL:
        raise NoBackend(f"the configured keyring backend {name} is no OS keyring, so it is not used")
    return _best((str(name),))


def configured_name() -> str | None:
    """Return the backend that the user configured for `keyring`, by environment or by its configuration file."""
    if "PYTHON_KEYRING_BACKEND" in os.environ:
        return os.environ["PYTHON_KEYRING_BACKEND"].strip()
    from keyring.util.platform_ import config_root

    config = configparser.RawConfigParser()
    path = config_root() / "keyringrc.cfg"
    try:
        config.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as exc:
        raise NoBackend(f"keyring's configuration {path} cannot be read: {exc}") from exc
    return config.get("backend", "default-keyring", fallback="").strip() or None


def _best(names: tuple[str, ...]) -> KeyringBackend:
    found: list[tuple[float, KeyringBackend]] = []
    problems = []
    for name in names:
        module, _, attribute = name.rpartition(".")
        if sys.platform != ELSEWHERE.get(module, sys.platform):  # macOS' looks for its libraries with a compiler
            problems.append(f"{module} is for {ELSEWHERE[module]}")
            continue
        try:
            backend = getattr(importlib.import_module(module), attribute)
            found.append((float(backend.priority), backend()))
        except (ImportError, AttributeError, RuntimeError) as exc:  # keyring's way to say "not here"
            problems.append(str(exc))
        except (FileNotFoundError, ConnectionRefusedError) as exc:  # an address that nobody listens at any more
            problems.append(f"DBUS_SESSION_BUS_ADDRESS leads nowhere: {exc.strerror}")
    if not found:
        raise NoBackend(f"no OS keyring here ({problems[0]})")
    return max(found, key=lambda pair: pair[0])[1]


def title(backend: KeyringBackend) -> str:
    """Return a backend's name for people."""
    return {"SecretService": "Secret Service", "macOS": "macOS Keychain", "Windows": "Windows Credential Manager"}.get(
        type(backend).__module__.rpartition(".")[2], type(backend).__module__.rpartition(".")[2]
    )


def is_locked(backend: KeyringBackend) -> bool:
    """Return whether the keyring is known to be locked, without making it ask the user. May block on D-Bus."""
    with _default_collection(backend) as collection:
        return collection is not None and collection.is_locked()


def unlock(backend: KeyringBackend) -> None:
    """Let a locked keyring ask the user to unlock it. May block until that is done.

    `keyring` would do it too, but leaves its D-Bus connection open when the user says no.

    Raises:
        KeyringLocked: it stays locked.
    """
    from keyring.errors import KeyringLocked

    with _default_collection(backend) as collection:
        if collection is not None and collection.is_locked():
            collection.unlock()
            if collection.is_locked():
                raise KeyringLocked


@contextmanager
def _default_collection(backend: KeyringBackend) -> Iterator[secretstorage.Collection | None]:
    """Yield the Secret Service's default collection; None where there is none yet or the keyring is another's."""
    if not type(backend).__module__.endswith(".SecretService"):
        yield None  # the others cannot be asked without a prompt; their calls say it
        return
    import secretstorage
    from secretstorage.exceptions import ItemNotFoundException

    with closing(secretstorage.dbus_init()) as connection:
        try:
            collection = secretstorage.Collection(connection)
        except ItemNotFoundException:  # the first store makes one
            collection = None
        yield collection

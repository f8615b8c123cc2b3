"""Which secrets the OS keyring may hold, written down before it gets them.

A keyring that is away cannot be asked. Without this list, removing a connection meanwhile would either always fail
(also for those that never were in it) or call a secret deleted that comes back with the keyring.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from tusk_jupyter.errors import CredentialError, StorageError
from tusk_jupyter.system import typed_json
from tusk_jupyter.system.private_files import read_private, write_private

MAX_BYTES = 16 * 1024 * 1024


class Ledger:
    """A private file with references; no secret is in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._refs: frozenset[str] | None = None

    def __contains__(self, ref: str) -> bool:
        with self._lock:
            return ref in self._load()

    def add(self, ref: str) -> None:
        """Write down that the keyring is about to get `ref`.

        Raises:
            CredentialError: it cannot be written down.
        """
        with self._lock:
            self._save(self._load() | {ref})

    def discard(self, ref: str) -> None:
        """Write down that the keyring does not hold `ref` any more.

        Raises:
            CredentialError: it cannot be written down.
        """
        with self._lock:
            self._save(self._load() - {ref})

    def _load(self) -> frozenset[str]:
        if self._refs is None:
            try:
                content = read_private(self.path, max_bytes=MAX_BYTES)
                self._refs = typed_json.decode(frozenset[str], content)
            except FileNotFoundError:
                self._refs = frozenset()
            except (StorageError, OSError, msgspec.DecodeError) as exc:
                raise CredentialError(
                    f"The list of what the OS keyring holds cannot be read: {exc}",
                    hint=f"Remove {self.path}; what is in the keyring stays usable.",
                ) from exc
        return self._refs

    def _save(self, refs: frozenset[str]) -> None:
        if refs == self._refs:
            return
        try:
            write_private(self.path, msgspec.json.encode(sorted(refs)))
        except OSError as exc:
            raise CredentialError(f"{self.path} could not be written: {exc.strerror}.") from exc
        self._refs = refs

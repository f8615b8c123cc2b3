"""Secrets that end with the core: for machines with neither a keyring nor a master key."""

from __future__ import annotations

import threading

from tusk_jupyter.tiers.tier import CredentialTier, Viability


class MemoryTier(CredentialTier):
    """Secrets in the core's memory.

    Each is a bytearray that is overwritten when it goes. The text that came in and the text that `get` hands out are
    Python strings, which cannot be overwritten; nothing stronger is claimed.
    """

    name = "memory"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: dict[str, bytearray] = {}

    def __repr__(self) -> str:
        return f"MemoryTier({len(self._secrets)} secrets)"

    def viable(self) -> Viability:
        """Return whether it can be used; see `CredentialTier`."""
        return Viability(True, "kept by the core until it stops, never on disk")

    def store(self, ref: str, secret: str) -> None:
        """Keep a secret; see `CredentialTier`."""
        with self._lock:
            self._wipe(ref)
            self._secrets[ref] = bytearray(secret.encode())

    def get(self, ref: str) -> str | None:
        """Return a secret or None; see `CredentialTier`."""
        with self._lock:
            held = self._secrets.get(ref)
            return None if held is None else held.decode()

    def delete(self, ref: str) -> bool:
        """Remove a secret; see `CredentialTier`."""
        with self._lock:
            return self._wipe(ref)

    def _wipe(self, ref: str) -> bool:
        held = self._secrets.pop(ref, None)
        if held is None:
            return False
        held[:] = bytes(len(held))
        return True

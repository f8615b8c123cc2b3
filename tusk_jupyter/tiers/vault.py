"""Tier 2: a sealed file beside the state, for machines without a keyring.

It is a file of its own, outside the state database: a write-ahead log, a backup or an export of the database would keep
old ciphertexts, and a damaged database must not take the passwords with it. It is read at every call and never cached,
so what is on disk is what counts; only the user's key stays in memory.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tusk_jupyter.errors import CredentialError, StorageError, UsageError
from tusk_jupyter.system.private_files import read_private, write_private
from tusk_jupyter.tiers import master_key, passphrase, vault_file
from tusk_jupyter.tiers.generation import Generation
from tusk_jupyter.tiers.sealing import BrokenSeal, wipe
from tusk_jupyter.tiers.tier import VIABILITY_CACHE_S, CredentialTier, Viability
from tusk_jupyter.tiers.vault_file import Document

FILE_NAME = "vault.json"
WAYS = f"set {', '.join(master_key.VARIABLES[:-1])} or {master_key.VARIABLES[-1]}, or run `tusk credentials unlock`"


class VaultTier(CredentialTier):
    """Secrets in a file that is sealed with the user's key.

    Args:
        path: the file; made at the first store or at the first `unlock`.
        environ: where the master key is looked for.
        noted: where the vault's writes are counted, so that an older copy is known for one; None: nowhere.
    """

    name = "vault"

    def __init__(self, path: Path, environ: Mapping[str, str], *, noted: Generation | None = None) -> None:
        self.path = path
        self._environ = environ
        self._noted = noted
        self._older: str | None = None
        self._lock = threading.RLock()
        self._master: master_key.MasterKey | None = None
        self._derived: tuple[passphrase.Parameters, bytearray] | None = None
        self._known: tuple[float, Viability] | None = None

    def __repr__(self) -> str:
        return f"VaultTier({str(self.path)!r})"

    @property
    def warning(self) -> str | None:
        """What is unwise about where the key is, or odd about the file."""
        found = [self._master.warning if self._master else None, self._older]
        return "; ".join(text for text in found if text) or None

    def viable(self) -> Viability:
        """Return whether it can be used; see `CredentialTier`."""
        with self._lock:
            known = self._known
            if known and time.monotonic() - known[0] < VIABILITY_CACHE_S:
                return known[1]
            found = self._probe()
            self._known = (time.monotonic(), found)
            return found

    def store(self, ref: str, secret: str) -> None:
        """Keep a secret; see `CredentialTier`."""
        with self._lock:
            self._known = None
            document, data_key = self._open_or_create()
            if document.seals >= vault_file.RETIRE_AFTER:
                document, data_key = vault_file.retired(document, data_key, self._user_key(document))
            self._write(vault_file.put(document, data_key, ref, secret), data_key)

    def get(self, ref: str) -> str | None:
        """Return a secret or None; see `CredentialTier`."""
        with self._lock:
            loaded = self._load()
            if loaded is None:
                return None
            document, data_key = self._open(*loaded)
            record = document.find(ref)
            try:
                return vault_file.take(document, data_key, record) if record else None
            finally:
                wipe(data_key)

    def delete(self, ref: str) -> bool:
        """Remove a secret; see `CredentialTier`."""
        with self._lock:
            loaded = self._load()
            if loaded is None or loaded[0].find(ref) is None:
                return False  # references can be read while the vault is locked
            document, data_key = self._open(*loaded)
            self._write(vault_file.without(document, ref), data_key)
            return True

    def unlock(self, given: str) -> None:
        """Take the vault's passphrase; make the vault if there is none.

        Raises:
            CredentialError: it is the wrong one, or the vault opens with a master key.
            UsageError: a new vault's passphrase is too short.
        """
        with self._lock:
            self._known = None
            loaded = self._load()
            if loaded is None:
                self._create_with_passphrase(given)
                return
            document, content = loaded
            if document.derivation is None:
                raise CredentialError("The vault opens with a master key, not with a passphrase.", hint=_capital(WAYS))
            self._derived = (document.derivation, passphrase.derive(given, document.derivation))
            try:
                wipe(self._open(document, content)[1])
            except CredentialError:
                self._forget_key()
                raise

    def _create_with_passphrase(self, given: str) -> None:
        if name := master_key.source(self._environ):
            raise UsageError(f"A new vault would open with {name}, which is set here; it needs no passphrase.")
        if len(given) < passphrase.SHORTEST:
            raise UsageError(f"The vault's passphrase needs {passphrase.SHORTEST} characters or more.")
        parameters = passphrase.Parameters.fresh()
        self._derived = (parameters, passphrase.derive(given, parameters))
        self._write(*vault_file.create(self._derived[1], parameters))

    # --- the file

    def _load(self) -> tuple[Document, bytes] | None:
        try:
            return vault_file.parse(read_private(self.path, max_bytes=vault_file.MAX_BYTES))
        except FileNotFoundError:
            return None
        except StorageError as exc:
            raise CredentialError(f"The vault cannot be used: {exc.message}", hint=exc.hint) from exc
        except OSError as exc:
            raise CredentialError(f"The vault {self.path} cannot be read: {exc.strerror}.") from exc
        except vault_file.Unreadable as exc:
            raise self._damaged(exc) from exc

    def _open(self, document: Document, content: bytes) -> tuple[Document, bytearray]:
        """Return the document, authenticated, with its data key, which the caller wipes or hands on to `_write`."""
        try:
            data_key = vault_file.unwrap(document, self._user_key(document))
        except BrokenSeal:
            where = self._master.source if self._master and not document.derivation else "the passphrase"
            self._forget_key()
            raise CredentialError(
                f"The vault {self.path} does not open: {where} is not its key, or the file was changed.",
                hint=f"Give the key it was made with: {WAYS}.",
            ) from None
        try:
            vault_file.authenticate(content, data_key)
        except vault_file.Unreadable as exc:
            wipe(data_key)
            raise self._damaged(exc) from None
        self._older = self._noted.older(document) if self._noted else None
        return document, data_key

    def _open_or_create(self) -> tuple[Document, bytearray]:
        if loaded := self._load():
            return self._open(*loaded)
        master = self._find_master()
        if master is None:
            raise _locked("There is no vault yet, and no key for one")
        return vault_file.create(master.key, None)

    def _write(self, document: Document, data_key: bytearray) -> None:
        if self._noted is not None:
            document = self._noted.next(document)
        try:
            write_private(self.path, vault_file.to_bytes(document, data_key))
            self._older = None
        except OSError as exc:
            raise CredentialError(f"The vault {self.path} could not be written: {exc.strerror}.") from exc
        finally:
            wipe(data_key)
            self._known = None
        if self._noted is not None:
            with contextlib.suppress(
                OSError, StorageError
            ):  # the vault is written; an older note accuses no copy falsely
                self._noted.note(document)

    def _damaged(self, exc: CredentialError) -> CredentialError:
        return CredentialError(
            f"{exc.message} ({self.path})",
            hint=exc.hint or "It was left as it is. Put a good copy back, or move it away and set the passwords again.",
        )

    # --- the key

    def _user_key(self, document: Document) -> bytearray:
        if document.derivation is None:
            if master := self._find_master():
                return master.key
            raise _locked("The vault is locked: its master key is not set")
        document.derivation.check()
        if self._derived is None or self._derived[0] != document.derivation:
            raise CredentialError(
                "The vault is locked: it opens with a passphrase.", hint="Run `tusk credentials unlock` and try again."
            )
        return self._derived[1]

    def _find_master(self) -> master_key.MasterKey | None:
        if self._master is None:
            self._master = master_key.find(self._environ, vault=self.path)
        return self._master

    def _forget_key(self) -> None:
        """After a key did not fit: a file or a command may give another one next time."""
        if self._master:
            wipe(self._master.key)
        if self._derived:
            wipe(self._derived[1])
        self._master = self._derived = None

    def _probe(self) -> Viability:
        try:
            if not self.path.exists() and self._find_master() is None:
                return Viability(False, f"not set up: {WAYS}")
            document, data_key = self._open_or_create()
        except CredentialError as exc:
            return Viability(False, str(exc).replace("\nHint: ", " ").rstrip("."), retryable=True)
        wipe(data_key)
        opens = "a passphrase" if document.derivation else self._master.source if self._master else ""
        beware = f"; {self.warning}" if self.warning else ""
        return Viability(True, f"{self.path}, opens with {opens}{beware}")


def _locked(message: str) -> CredentialError:
    return CredentialError(f"{message}.", hint=f"{_capital(WAYS)}.")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

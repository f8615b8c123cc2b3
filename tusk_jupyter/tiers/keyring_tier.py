"""Tier 1: the operating system's keyring.

`keyring` is imported at the first use (50 ms), and every call runs on a worker thread with a time limit. What is stored
is read back before it is acknowledged: some backends accept what they cannot return.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.tiers.ledger import Ledger
from tusk_jupyter.tiers.tier import VIABILITY_CACHE_S, CredentialTier, Viability
from tusk_jupyter.tiers.worker import Unanswered, Worker

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "tusk-jupyter"
LIMIT_S = 4.0
"""A healthy keyring answers in 3-30 ms; with this limit every outcome, a hanging D-Bus too, is there within 5 s."""


class KeyringTier(CredentialTier):
    """Secrets in the OS keyring, under the service `tusk-jupyter`.

    Which keyring that is, is said by the environment of this process (`DBUS_SESSION_BUS_ADDRESS`) and by the user's
    configuration of `keyring`; both are looked at anew at every call.

    Args:
        ledger: where it is written down what the keyring may hold.
        limit_s: seconds after which a call is given up.
    """

    name = "keyring"

    def __init__(self, ledger: Path, *, limit_s: float = LIMIT_S) -> None:
        self._ledger = Ledger(ledger)
        self._worker = Worker("tusk-keyring", limit_s=limit_s)
        self._known: tuple[float, Viability] | None = None

    def viable(self) -> Viability:
        """Return whether it can be used; see `CredentialTier`."""
        known = self._known
        if known and time.monotonic() - known[0] < VIABILITY_CACHE_S:
            return known[1]
        found = self._probe()
        self._known = (time.monotonic(), found)
        return found

    def store(self, ref: str, secret: str) -> None:
        """Keep a secret; see `CredentialTier`."""

        def work(backend: KeyringBackend) -> bool:
            backend.set_password(SERVICE, ref, secret)
            return bool(backend.get_password(SERVICE, ref) == secret)

        self._ledger.add(ref)
        if not self._call("store a secret", work):
            raise _unusable("The OS keyring took the secret but does not return it.")

    def get(self, ref: str) -> str | None:
        """Return a secret or None; see `CredentialTier`."""

        def work(backend: KeyringBackend) -> str | None:
            found = backend.get_password(SERVICE, ref)
            return None if found is None else str(found)

        return self._call("read a secret", work)

    def delete(self, ref: str) -> bool:
        """Remove a secret; see `CredentialTier`. One that this keyring never got is no reason to wait for it."""

        def work(backend: KeyringBackend) -> bool:
            found = False
            while backend.get_password(SERVICE, ref) is not None:  # `delete_password` removes one of several
                backend.delete_password(SERVICE, ref)
                found = True
            return found

        try:
            found = self._call("delete a secret", work)
        except CredentialError as exc:
            if ref not in self._ledger:
                return False  # it never got that one, so it need not be asked
            if exc.scenario == "keyring_absent":
                exc.hint = f"Start the keyring and try again. If it is gone for good, remove {self._ledger.path} first."
            raise
        self._ledger.discard(ref)
        return found

    def _probe(self) -> Viability:
        from tusk_jupyter.tiers.backends import NoBackend, choose, is_locked, title

        def work() -> Viability:
            backend = choose()
            if is_locked(backend):
                return Viability(False, f"{title(backend)}: locked; unlock it and try again", retryable=True)
            return Viability(True, title(backend))

        try:
            return self._worker.call(work)
        except NoBackend as exc:
            return Viability(False, str(exc))
        except (Unanswered, TimeoutError):  # jeepney gives a bus 1 s to say hello
            return Viability(False, "the OS keyring does not answer", retryable=True)
        except Exception as exc:  # noqa: BLE001 - whatever a D-Bus library raises, the tier is there and broken
            return Viability(False, f"the OS keyring fails: {_words(exc)}", retryable=True)

    def _call(self, what: str, work: Callable[[KeyringBackend], T]) -> T:
        """Run `work` on the worker, and turn what goes wrong into a CredentialError that says whether to wait."""
        from keyring.errors import KeyringLocked, NoKeyringError

        from tusk_jupyter.tiers.backends import NoBackend, choose, unlock

        def run() -> T:
            backend = choose()
            unlock(backend)
            return work(backend)

        try:
            return self._worker.call(run)
        except (NoBackend, NoKeyringError) as exc:
            raise self._failed(absent(what, str(exc))) from exc
        except KeyringLocked as exc:
            raise self._failed(_unusable(f"Could not {what}: the OS keyring is locked.")) from exc
        except (Unanswered, TimeoutError):  # jeepney gives a bus 1 s to say hello
            raise self._failed(
                _unusable(
                    f"Could not {what}: the OS keyring does not answer.",
                    "It may wait for you to unlock it. Do so and try again, or choose another store: `--tier vault` or "
                    "`--tier memory`.",
                )
            ) from None
        except Exception as exc:  # noqa: BLE001 - whatever a D-Bus library raises
            # `from None`: a D-Bus library's traceback has the secret in its frames.
            raise self._failed(_unusable(f"Could not {what}: the OS keyring failed ({type(exc).__name__}).")) from None

    def _failed(self, error: CredentialError) -> CredentialError:
        self._known = None
        return error


def absent(what: str, reason: str) -> CredentialError:
    """Return the error for a keyring that is not there."""
    return CredentialError(f"Could not {what}: {reason}.", hint=hint_for("keyring_absent"), scenario="keyring_absent")


def _unusable(message: str, hint: str | None = None) -> CredentialError:
    return CredentialError(message, hint=hint or hint_for("keyring_denied"), scenario="keyring_denied")


def _words(exc: BaseException) -> str:
    text = str(exc).strip()
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__

"""AES-256-GCM, with a random nonce for every seal and everything that says what a secret is for as associated data."""

from __future__ import annotations

import os
from dataclasses import dataclass

KEY_BYTES = 32
NONCE_BYTES = 12


class BrokenSeal(Exception):
    """The key is another one, or the sealed bytes or what they are for were changed; GCM cannot tell which."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext with its tag, and its nonce; both may be seen by anyone."""

    nonce: bytes
    ciphertext: bytes


def seal(key: bytes | bytearray, plaintext: bytes | bytearray, *, about: bytes) -> Sealed:
    """Return `plaintext` sealed under a nonce of its own."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return Sealed(nonce, AESGCM(key).encrypt(nonce, plaintext, about))


def unseal(key: bytes | bytearray, sealed: Sealed, *, about: bytes) -> bytearray:
    """Return what was sealed.

    Raises:
        BrokenSeal: key, nonce, ciphertext and `about` do not belong together.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(sealed.nonce) != NONCE_BYTES:
        raise BrokenSeal
    try:
        return bytearray(AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, about))
    except InvalidTag:
        raise BrokenSeal from None


def wipe(secret: bytearray) -> None:
    """Overwrite a secret in memory."""
    secret[:] = bytes(len(secret))

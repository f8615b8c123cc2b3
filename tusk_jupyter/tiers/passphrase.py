"""A key from a passphrase: Argon2id, slow and large on purpose, and never weaker than today's parameters."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.tiers.sealing import KEY_BYTES

MEMORY_KIB = 65_536
PASSES = 3
LANES = 4
SALT_BYTES = 16
SHORTEST = 8
"""Characters of a new passphrase; a lost vault can be tried offline at some ten guesses a second and core."""
MEMORY_CEILING_KIB = 1_048_576
"""A header that asks for more than 1 GiB is there to exhaust the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How a key is derived; stands in the vault's header."""

    salt: bytes
    memory_kib: int = MEMORY_KIB
    passes: int = PASSES
    lanes: int = LANES

    @classmethod
    def fresh(cls) -> Parameters:
        """Return today's parameters with a new salt."""
        return cls(salt=os.urandom(SALT_BYTES))

    def check(self) -> None:
        """Refuse parameters that make guessing cheap, or this machine suffer.

        Raises:
            CredentialError: they do.
        """
        weak = self.memory_kib < MEMORY_KIB or self.passes < PASSES or len(self.salt) < SALT_BYTES or self.lanes < 1
        if weak or self.memory_kib > MEMORY_CEILING_KIB or self.passes > 100 or self.lanes > 64:
            raise CredentialError(
                f"The vault's key derivation (Argon2id, {self.memory_kib} KiB, {self.passes} passes) is outside what "
                f"is accepted: {MEMORY_KIB} KiB and {PASSES} passes or more.",
                hint="The file was changed or comes from elsewhere: put a good copy back, or move it away.",
            )


def derive(passphrase: str, parameters: Parameters) -> bytearray:
    """Return the key of a passphrase (0.12 s, 64 MiB).

    Raises:
        CredentialError: the parameters are refused.
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    parameters.check()
    derivation = Argon2id(
        salt=parameters.salt,
        length=KEY_BYTES,
        iterations=parameters.passes,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )
    return bytearray(derivation.derive(passphrase.encode()))

"""Where secrets live, and how the core gets at them; runs in the core process only.

Three tiers, each viable or able to say why not: the OS keyring, a sealed vault file, the core's memory. The tier of
every secret is recorded by the caller; a read goes to that tier and no other, so an older copy elsewhere can never come
back (one store that falls through tiers at every call would return it). Nothing here imports `keyring` or
`cryptography` before a secret is asked for: a core that starts for SQLite pays nothing.
"""

from tusk_jupyter.tiers.credentials import Credentials, Stored
from tusk_jupyter.tiers.tier import CredentialTier, Viability

__all__ = ["CredentialTier", "Credentials", "Stored", "Viability"]

"""Every tier passes the contract that ships with the package. # R-22"""

from __future__ import annotations

from pathlib import Path

import pytest
from services.keyring import SecretService

from tusk_jupyter.testing.credential_contract import CredentialTierContract
from tusk_jupyter.tiers.keyring_tier import KeyringTier
from tusk_jupyter.tiers.memory import MemoryTier
from tusk_jupyter.tiers.vault import FILE_NAME, VaultTier

KEY = {"TUSK_MASTER_KEY": "5e" * 32}


class TestKeyring(CredentialTierContract):
    @pytest.fixture
    def tier(self, secret_service: SecretService, tmp_path: Path) -> KeyringTier:
        return KeyringTier(tmp_path / "keyring.json")


class TestVaultWithMasterKey(CredentialTierContract):
    @pytest.fixture
    def tier(self, tmp_path: Path) -> VaultTier:
        return VaultTier(tmp_path / FILE_NAME, KEY)


class TestVaultWithPassphrase(CredentialTierContract):
    @pytest.fixture
    def tier(self, tmp_path: Path) -> VaultTier:
        tier = VaultTier(tmp_path / FILE_NAME, {})
        tier.unlock("correct horse battery")
        return tier


class TestMemory(CredentialTierContract):
    @pytest.fixture
    def tier(self) -> MemoryTier:
        return MemoryTier()

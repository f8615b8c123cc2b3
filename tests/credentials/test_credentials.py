"""Which tier a secret goes to, where it is looked for, and what its owner hears. # C-05, C-30..C-33, QB-13..QB-20"""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from services.keyring import SecretService

from tusk_jupyter.errors import CredentialError, UsageError
from tusk_jupyter.tiers import Credentials

KEY = {"TUSK_MASTER_KEY": "a7" * 32}
PASSPHRASE = "correct horse"
A_UUID = "6e6ca78d-3aff-418c-8110-d79070904beb"


@pytest.fixture
def ref() -> str:
    return f"conn:{uuid.uuid4()}:password"


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)


class TestWithAKeyring:
    def test_it_is_the_first_choice_and_needs_no_words(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        credentials = Credentials(tmp_path, KEY)
        stored = credentials.store(ref, "s3cret", None)
        assert (stored.tier, stored.notices) == ("keyring", ())
        assert credentials.get(ref, "keyring") == "s3cret"
        assert secret_service.items(ref) == [b"s3cret"]
        assert files_with(b"s3cret", tmp_path) == []

    def test_a_locked_keyring_is_an_error_and_nothing_is_stored_elsewhere(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        """C-30, C-31"""
        secret_service.lock()
        credentials = Credentials(tmp_path, KEY)
        with pytest.raises(CredentialError, match="locked") as caught:
            credentials.store(ref, "s3cret", None)
        assert caught.value.scenario == "keyring_denied"
        assert "vault" in (caught.value.hint or "")
        assert "memory" in (caught.value.hint or "")
        assert list(tmp_path.iterdir()) == []
        for tier in ("vault", "memory"):
            with pytest.raises(CredentialError):
                credentials.get(ref, tier)

    def test_a_locked_keyring_can_be_passed_over_by_name(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        secret_service.lock()
        stored = Credentials(tmp_path, KEY).store(ref, "s3cret", "vault")
        assert stored.tier == "vault"

    def test_an_older_copy_elsewhere_never_comes_back(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        """C-33: keyring away, store, keyring back: reading gives what was stored last."""
        credentials = Credentials(tmp_path, KEY)
        credentials.store(ref, "old", None)
        secret_service.kill_keyring()
        away = Credentials(tmp_path, KEY).store(ref, "new", None)
        assert away.tier == "vault"
        secret_service.start_keyring()
        back = Credentials(tmp_path, KEY)
        assert back.get(ref, away.tier) == "new"
        assert back.delete(ref) == ("keyring", "vault")
        assert secret_service.items(ref) == []

    def test_an_older_copy_in_a_keyring_that_is_away_is_not_called_deleted(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        """R-27"""
        Credentials(tmp_path, KEY).store(ref, "old", None)
        secret_service.kill_keyring()
        stored = Credentials(tmp_path, KEY).store(ref, "new", None)
        assert any("older copy may still be in the OS keyring" in notice for notice in stored.notices)
        with pytest.raises(CredentialError):
            Credentials(tmp_path, KEY).delete(ref)
        secret_service.start_keyring()
        assert Credentials(tmp_path, KEY).delete(ref) == ("keyring",)

    def test_a_connection_that_never_was_in_it_does_not_wait_for_a_locked_keyring(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        credentials = Credentials(tmp_path, KEY)
        credentials.store(ref, "s3cret", "vault")
        secret_service.lock()
        assert credentials.store(ref, "newer", "vault").notices == ()
        assert credentials.delete(ref) == ("vault",)

    def test_a_damaged_list_of_what_the_keyring_holds_is_named(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        (tmp_path / "keyring.json").touch(0o600)
        with pytest.raises(CredentialError) as caught:
            Credentials(tmp_path, KEY).store(ref, "s3cret", None)
        assert str(tmp_path / "keyring.json") in (caught.value.hint or "")
        assert secret_service.items(ref) == []

    def test_storing_elsewhere_removes_the_older_copy(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        credentials = Credentials(tmp_path, KEY)
        for tier in ("keyring", "vault", "memory", "keyring", "memory", "vault"):
            assert credentials.store(ref, f"in {tier}", tier).notices == ()
            assert credentials.get(ref, tier) == f"in {tier}"
            for other in {"keyring", "vault", "memory"} - {tier}:
                with pytest.raises(CredentialError):
                    credentials.get(ref, other)

    def test_an_older_copy_that_cannot_be_removed_now_is_told(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        credentials = Credentials(tmp_path, KEY)
        credentials.store(ref, "old", "keyring")
        secret_service.lock()
        stored = credentials.store(ref, "new", "vault")
        assert "older copy" in stored.notices[0]
        assert "OS keyring" in stored.notices[0]
        assert credentials.get(ref, "vault") == "new"

    def test_a_locked_keyring_means_not_deleted(self, secret_service: SecretService, tmp_path: Path, ref: str) -> None:
        """QB-20: the copies that can be reached go, and the error says to try again."""
        credentials = Credentials(tmp_path, KEY)
        credentials.store(ref, "s3cret", "keyring")
        secret_service.lock()
        with pytest.raises(CredentialError, match="locked"):
            credentials.delete(ref)
        secret_service.kill_keyring()
        secret_service.start_keyring()
        assert credentials.delete(ref) == ("keyring",)
        assert credentials.delete(ref) == ()

    def test_a_secret_in_a_keyring_that_is_gone_is_not_called_deleted(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        credentials = Credentials(tmp_path, KEY)
        credentials.store(ref, "s3cret", "keyring")
        secret_service.kill_keyring()
        with pytest.raises(CredentialError) as caught:
            credentials.delete(ref)
        assert caught.value.scenario == "keyring_absent"
        assert "gone for good" in (caught.value.hint or "")
        (tmp_path / "keyring.json").unlink()
        assert Credentials(tmp_path, KEY).delete(ref) == ()

    def test_a_secret_that_was_removed_in_the_keyring_itself(
        self, secret_service: SecretService, tmp_path: Path, ref: str
    ) -> None:
        with pytest.raises(CredentialError, match="does not hold it") as caught:
            Credentials(tmp_path, KEY).get(ref, "keyring")
        assert "credentials set" in (caught.value.hint or "")


def files_with(text: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if text in path.read_bytes()]


@pytest.mark.usefixtures("no_keyring")
class TestWithoutAKeyring:
    def test_the_vault_takes_it_and_the_notice_says_why(self, tmp_path: Path, ref: str) -> None:
        """C-30: never silent."""
        stored = Credentials(tmp_path, KEY).store(ref, "s3cret", None)
        assert stored.tier == "vault"
        assert "sealed vault" in stored.notices[0]
        assert "keyring: no OS keyring here" in stored.notices[0]
        assert Credentials(tmp_path, KEY).get(ref, "vault") == "s3cret"

    def test_with_neither_it_is_kept_in_memory_and_the_notice_says_so(self, tmp_path: Path, ref: str) -> None:
        credentials = Credentials(tmp_path, {})
        stored = credentials.store(ref, "s3cret", None)
        assert stored.tier == "memory"
        assert "gone when the core stops" in stored.notices[0]
        assert "keyring:" in stored.notices[0]
        assert "TUSK_MASTER_KEY" in stored.notices[0]
        assert credentials.get(ref, "memory") == "s3cret"
        assert list(tmp_path.iterdir()) == []

    def test_memory_ends_with_the_core(self, tmp_path: Path, ref: str) -> None:
        Credentials(tmp_path, {}).store(ref, "s3cret", "memory")
        with pytest.raises(CredentialError, match="memory only") as caught:
            Credentials(tmp_path, {}).get(ref, "memory")
        assert "credentials set" in (caught.value.hint or "")

    def test_a_vault_that_is_there_and_locked_is_not_passed_over(self, tmp_path: Path, ref: str) -> None:
        Credentials(tmp_path, {}).unlock(PASSPHRASE)
        with pytest.raises(CredentialError, match="locked") as caught:
            Credentials(tmp_path, {}).store(ref, "s3cret", None)
        assert "memory" in (caught.value.hint or "")

    def test_a_mistaken_key_is_not_passed_over(self, tmp_path: Path, ref: str) -> None:
        with pytest.raises(CredentialError, match="TUSK_MASTER_KEY holds no key"):
            Credentials(tmp_path, {"TUSK_MASTER_KEY": "oops"}).store(ref, "s3cret", None)

    def test_a_named_tier_that_is_not_there_lists_the_others(self, tmp_path: Path, ref: str) -> None:
        credentials = Credentials(tmp_path, {})
        with pytest.raises(CredentialError, match="OS keyring cannot be used") as caught:
            credentials.store(ref, "s3cret", "keyring")
        assert caught.value.scenario == "keyring_absent"
        with pytest.raises(CredentialError, match="not set up") as caught:
            credentials.store(ref, "s3cret", "vault")
        assert "memory (" in (caught.value.hint or "")

    def test_a_secret_recorded_in_an_absent_keyring_is_not_looked_for_elsewhere(self, tmp_path: Path, ref: str) -> None:
        credentials = Credentials(tmp_path, KEY)
        credentials.store(ref, "another", "vault")
        with pytest.raises(CredentialError) as caught:
            credentials.get(ref, "keyring")
        assert caught.value.scenario == "keyring_absent"

    def test_unlock_makes_the_vault_and_opens_it_again(self, tmp_path: Path, ref: str) -> None:
        credentials = Credentials(tmp_path, {})
        assert not credentials.tiers()[1].usable
        assert credentials.unlock(PASSPHRASE).usable
        assert credentials.store(ref, "s3cret", None).tier == "vault"
        next_core = Credentials(tmp_path, {})
        with pytest.raises(CredentialError, match="tusk credentials unlock"):
            next_core.get(ref, "vault")
        next_core.unlock(PASSPHRASE)
        assert next_core.get(ref, "vault") == "s3cret"

    def test_a_key_file_beside_the_vault_is_told_at_every_store(self, tmp_path: Path, ref: str) -> None:
        """C-09"""
        key_file = tmp_path / "key"
        key_file.touch(0o600)
        key_file.write_text("a7" * 32)
        stored = Credentials(tmp_path, {"TUSK_MASTER_KEY_FILE": str(key_file)}).store(ref, "s3cret", None)
        assert any("beside the vault" in notice for notice in stored.notices)

    def test_tiers_in_their_order_each_with_a_reason(self, tmp_path: Path) -> None:
        tiers = Credentials(tmp_path, {}).tiers()
        assert [(tier.name, tier.usable) for tier in tiers] == [
            ("keyring", False),
            ("vault", False),
            ("memory", True),
        ]
        assert all(tier.reason for tier in tiers)

    @pytest.mark.parametrize("bad", ["", "conn", "conn:1:password", f"conn:{A_UUID}", f"conn:{A_UUID}:", "x" * 200])
    def test_a_malformed_reference_is_refused(self, tmp_path: Path, bad: str) -> None:
        with pytest.raises(UsageError, match="credential reference"):
            Credentials(tmp_path, KEY).store(bad, "s3cret", None)

    @pytest.mark.parametrize("secret", ["x" * 65_537, "\ud800", "ä" * 40_000])
    def test_a_secret_that_no_tier_can_keep_is_refused(self, tmp_path: Path, ref: str, secret: str) -> None:
        with pytest.raises(UsageError) as caught:
            Credentials(tmp_path, KEY).store(ref, secret, None)
        assert secret not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_unknown_tiers_are_named_with_the_known_ones(self, tmp_path: Path, ref: str) -> None:
        credentials = Credentials(tmp_path, KEY)
        with pytest.raises(UsageError, match="keyring, vault, memory"):
            credentials.store(ref, "s3cret", "cloud")
        with pytest.raises(CredentialError, match="keyring, vault, memory"):
            credentials.get(ref, "cloud")

    def test_its_repr_holds_no_secret(self, tmp_path: Path, ref: str) -> None:
        credentials = Credentials(tmp_path, KEY)
        stored = credentials.store(ref, "canary-77", None)
        assert "canary-77" not in repr(credentials) + repr(vars(credentials)) + repr(stored)
        assert KEY["TUSK_MASTER_KEY"] not in repr(credentials)

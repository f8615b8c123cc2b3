"""An older copy of the vault that was put back is told, and neither refused nor destroyed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tusk_jupyter.tiers.credentials import Credentials

REFS = [f"conn:0000000{n}-0000-4000-8000-000000000000:password" for n in range(3)]
KEY = {"TUSK_MASTER_KEY": "5e" * 32}


def reason(credentials: Credentials) -> str:
    return next(tier.reason for tier in credentials.tiers() if tier.name == "vault")


def test_an_older_copy_is_told_until_the_vault_is_written_again(tmp_path: Path):  # S15
    vault, older = tmp_path / "vault.json", tmp_path / "older"
    credentials = Credentials(tmp_path, KEY)
    credentials.store(REFS[0], "first", "vault")
    shutil.copy2(vault, older)
    credentials.store(REFS[0], "second", "vault")
    assert "older copy" not in reason(Credentials(tmp_path, KEY))
    shutil.copy2(older, vault)
    before = vault.read_bytes()
    fresh = Credentials(tmp_path, KEY)
    assert "older copy" in reason(fresh)
    assert fresh.get(REFS[0], "vault") == "first"
    assert vault.read_bytes() == before
    assert "older copy" in fresh.store(REFS[1], "third", "vault").notices[0]
    assert "older copy" not in reason(Credentials(tmp_path, KEY))
    shutil.copy2(older, vault)
    assert "older copy" in reason(Credentials(tmp_path, KEY))


def test_another_vault_and_one_without_a_note_are_taken_as_they_are(tmp_path: Path):
    Credentials(tmp_path, KEY).store(REFS[0], "first", "vault")
    for note in ("", "[" * 50_000, '{"vault": "another", "generation": 99}'):
        (tmp_path / "vault-generation.json").write_text(note)
        (tmp_path / "vault-generation.json").chmod(0o600)
        assert "older copy" not in reason(Credentials(tmp_path, KEY))

"""The sealed file refuses everything but itself. # R-16, R-23, R-24, R-26, C-01, C-08, QB-46, QB-47"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from argon2.low_level import Type, hash_secret_raw

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.tiers import sealing, vault_file
from tusk_jupyter.tiers.passphrase import Parameters, derive
from tusk_jupyter.tiers.sealing import BrokenSeal
from tusk_jupyter.tiers.vault import FILE_NAME, VaultTier
from tusk_jupyter.tiers.vault_file import Document

KEY = "c3" * 32
ONE = f"conn:{uuid.uuid4()}:password"
OTHER = f"conn:{uuid.uuid4()}:password"


def vault(path: Path, key: str = KEY) -> VaultTier:
    return VaultTier(path / FILE_NAME, {"TUSK_MASTER_KEY": key})


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A vault with two secrets; returns its folder."""
    tier = vault(tmp_path)
    tier.store(ONE, "canary-one")
    tier.store(OTHER, "canary-two")
    return tmp_path


def assert_refused(folder: Path, content: bytes) -> None:
    path = folder / FILE_NAME
    path.write_bytes(content)
    tier = vault(folder)
    for call in (lambda: tier.get(ONE), lambda: tier.store(ONE, "new"), lambda: tier.store("conn:x:y", "new")):
        with pytest.raises(CredentialError) as caught:
            call()
        assert "canary" not in str(caught.value)
    assert path.read_bytes() == content, "a refused file stays as it is"


def test_the_file_is_private_and_holds_no_plaintext(small: Path) -> None:
    path = small / FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"canary" not in path.read_bytes()
    assert [each.name for each in small.iterdir()] == [FILE_NAME]


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    tier = vault(tmp_path)
    tier.store(ONE, "canary-one")
    path = tmp_path / FILE_NAME
    good = path.read_bytes()
    for bit in range(len(good) * 8):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        with pytest.raises(CredentialError) as caught:
            tier.get(ONE)
        assert "canary" not in str(caught.value)
    path.write_bytes(good)
    assert tier.get(ONE) == "canary-one"


def test_every_truncation_is_refused(small: Path) -> None:
    path = small / FILE_NAME
    good = path.read_bytes()
    tier = vault(small)
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(CredentialError):
            tier.get(ONE)


@pytest.mark.parametrize("more", [b"\n", b"{}", b" ", b"\x00"])
def test_what_was_added_is_refused(small: Path, more: bytes) -> None:
    good = (small / FILE_NAME).read_bytes()
    assert_refused(small, good + more)
    assert_refused(small, more + good)


def changed(folder: Path, change: Callable[[dict], None]) -> bytes:
    """The file with another JSON line, and the code it had."""
    body, code, _ = (folder / FILE_NAME).read_bytes().split(b"\n")
    document = json.loads(body)
    change(document)
    return json.dumps(document, separators=(",", ":")).encode() + b"\n" + code + b"\n"


def swap(document: dict) -> None:
    first, second = document["records"]
    first["ref"], second["ref"] = second["ref"], first["ref"]


@pytest.mark.parametrize(
    "change",
    [
        swap,
        lambda document: document["records"].reverse(),
        lambda document: document["records"].pop(),
        lambda document: document["records"][0].update(version=2),
        lambda document: document["records"].append(document["records"][0]),
        lambda document: document.update(seals=0),
        lambda document: document.update(vault=str(uuid.uuid4())),
        lambda document: document.update(unknown=1),
        lambda document: document.pop("format"),
        lambda document: document.update(format="something else"),
        lambda document: document.update(records=None),
        lambda document: document.update(nonce=""),
        lambda document: document.update(wrapped=""),
    ],
)
def test_a_changed_document_is_refused(small: Path, change: Callable[[dict], None]) -> None:
    assert_refused(small, changed(small, change))


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_version_is_refused_by_its_number(small: Path, version: int) -> None:
    content = changed(small, lambda document: document.update(version=version))
    assert_refused(small, content)
    with pytest.raises(CredentialError, match=f"version {version}"):
        vault(small).get(ONE)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\n\n", b"null\n\n", b"[]\n", b"\xff\xfe", b"{" * 100_000, b"0" * 999]
)
def test_what_is_no_vault_is_refused(small: Path, content: bytes) -> None:
    assert_refused(small, content)


def test_the_wrong_key_is_refused_and_the_right_one_still_opens(small: Path) -> None:
    with pytest.raises(CredentialError, match="TUSK_MASTER_KEY is not its key"):
        vault(small, "c4" * 32).get(ONE)
    assert vault(small).get(ONE) == "canary-one"


def test_a_copy_of_another_vault_under_the_same_key_is_another_vault(small: Path, tmp_path: Path) -> None:
    """Its records do not fit into this one, though the user's key is the same."""
    other = tmp_path / "other"
    vault(other).store(ONE, "canary-three")
    mine, theirs = (json.loads((path / FILE_NAME).read_bytes().split(b"\n")[0]) for path in (small, other))
    assert mine["vault"] != theirs["vault"]
    assert mine["wrapped"] != theirs["wrapped"]
    assert_refused(small, changed(small, lambda document: document.update(records=theirs["records"])))


class TestRecords:
    """The seal of each record alone, without the code over the whole file."""

    @pytest.fixture
    def opened(self) -> tuple[Document, bytearray]:
        key = bytearray(b"k" * 32)
        document, data_key = vault_file.create(key, None)
        for ref in (ONE, OTHER):
            document = vault_file.put(document, data_key, ref, f"canary {ref}")
        return document, data_key

    @pytest.mark.parametrize(
        "change",
        [
            {"ref": OTHER},
            {"ref": ONE.replace("password", "token")},
            {"version": 2},
            {"nonce": b"n" * 12},
            {"nonce": b""},
            {"ciphertext": b""},
        ],
    )
    def test_a_record_opens_only_as_what_it_was_sealed_for(self, opened: tuple, change: dict) -> None:
        document, data_key = opened
        record = document.find(ONE)
        assert vault_file.take(document, data_key, record) == f"canary {ONE}"
        with pytest.raises(CredentialError):
            vault_file.take(document, data_key, replace(record, **change))

    def test_an_older_record_does_not_pass_for_the_newer(self, opened: tuple) -> None:
        document, data_key = opened
        newer = vault_file.put(document, data_key, ONE, "second")
        assert newer.find(ONE).version == 2
        with pytest.raises(CredentialError):
            vault_file.take(newer, data_key, replace(document.find(ONE), version=2))

    def test_a_record_of_another_vault_does_not_open(self, opened: tuple) -> None:
        document, data_key = opened
        with pytest.raises(CredentialError):
            vault_file.take(replace(document, vault="another"), data_key, document.find(ONE))

    def test_a_worn_data_key_is_replaced_before_its_limit(self, tmp_path: Path, monkeypatch) -> None:
        """R-24: 2**32 seals are what GCM allows with random nonces; we stop at half."""
        assert vault_file.RETIRE_AFTER < 2**32
        monkeypatch.setattr(vault_file, "RETIRE_AFTER", 3)
        tier = vault(tmp_path)
        keys = []
        for number in range(8):
            tier.store(ONE if number % 2 else OTHER, f"number {number}")
            keys.append(json.loads((tmp_path / FILE_NAME).read_bytes().split(b"\n")[0])["key"])
        assert keys[0] == keys[2] != keys[3]
        assert (tier.get(ONE), tier.get(OTHER)) == ("number 7", "number 6")


class TestSeals:
    def test_what_was_sealed_opens_with_its_key_and_purpose_only(self) -> None:
        sealed = sealing.seal(b"k" * 32, b"text", about=b"purpose")
        assert sealing.unseal(b"k" * 32, sealed, about=b"purpose") == b"text"
        for key, about in ((b"x" * 32, b"purpose"), (b"k" * 32, b"another")):
            with pytest.raises(BrokenSeal):
                sealing.unseal(key, sealed, about=about)

    def test_no_nonce_comes_twice_in_100_000_seals(self) -> None:
        assert distinct_nonces(100_000) == 100_000

    @pytest.mark.soak
    def test_no_nonce_comes_twice_in_1_000_000_seals(self) -> None:
        assert distinct_nonces(1_000_000) == 1_000_000


def distinct_nonces(count: int) -> int:
    return len({sealing.seal(b"k" * 32, b"", about=b"").nonce for _ in range(count)})


class TestPassphrase:
    """R-26, C-08"""

    def test_opens_with_its_passphrase_only(self, tmp_path: Path) -> None:
        VaultTier(tmp_path / FILE_NAME, {}).unlock("correct horse")
        tier = VaultTier(tmp_path / FILE_NAME, {})
        with pytest.raises(CredentialError, match="passphrase"):
            tier.store(ONE, "canary")
        with pytest.raises(CredentialError, match="not its key"):
            tier.unlock("wrong horse!")
        assert not tier.viable().usable
        tier.unlock("correct horse")
        tier.store(ONE, "canary")
        assert tier.get(ONE) == "canary"

    def test_derivation_is_argon2id_with_64_mib_and_three_passes(self, tmp_path: Path) -> None:
        VaultTier(tmp_path / FILE_NAME, {}).unlock("correct horse")
        derivation = json.loads((tmp_path / FILE_NAME).read_bytes().split(b"\n")[0])["derivation"]
        assert (derivation["memory_kib"], derivation["passes"]) == (65_536, 3)

    def test_the_derivation_is_the_published_one(self) -> None:
        """Beside the reference implementation, which Jupyter's own passwords use."""
        salt = b"sixteen bytes ok"
        theirs = hash_secret_raw(
            "pässword".encode(), salt, time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, type=Type.ID
        )
        assert derive("pässword", Parameters(salt=salt)) == theirs

    @pytest.mark.parametrize(
        "weaker",
        [{"memory_kib": 65_535}, {"memory_kib": 8}, {"passes": 2}, {"passes": 0}, {"salt": "AAAA"}, {"lanes": 0},
         {"memory_kib": 2**30}, {"passes": 2**20}, {"memory_kib": -1}],
    )  # fmt: skip
    def test_a_weaker_or_absurd_header_is_refused_before_a_passphrase_is_tried(
        self, tmp_path: Path, weaker: dict
    ) -> None:
        VaultTier(tmp_path / FILE_NAME, {}).unlock("correct horse")
        content = changed(tmp_path, lambda document: document["derivation"].update(weaker))
        (tmp_path / FILE_NAME).write_bytes(content)
        tier = VaultTier(tmp_path / FILE_NAME, {})
        with pytest.raises(CredentialError, match="Argon2id"):
            tier.unlock("correct horse")
        assert not tier.viable().usable

    def test_every_flipped_bit_of_its_header_is_refused(self, tmp_path: Path) -> None:
        """Derivation costs 0.12 s, so the bits of the parameters only; the others are those of the test above."""
        path = tmp_path / FILE_NAME
        VaultTier(path, {}).unlock("correct horse")
        good = path.read_bytes()
        start = good.index(b'"memory_kib"') + 13
        for bit in range(start * 8, (start + 5) * 8):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            path.write_bytes(bad)
            with pytest.raises(CredentialError):
                VaultTier(path, {}).unlock("correct horse")

"""What every credential tier does alike; run it by deriving a test class with a fixture `tier`.

class TestMyTier(CredentialTierContract):
    @pytest.fixture
    def tier(self, tmp_path): return MyTier(tmp_path)
"""

from __future__ import annotations

import string
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest


class Viable(Protocol):
    """See `tusk_jupyter.tiers.Viability`."""

    @property
    def usable(self) -> bool:
        """Whether the tier can be used now."""

    @property
    def reason(self) -> str:
        """What it is, or why not."""


class Tier(Protocol):
    """See `tusk_jupyter.tiers.CredentialTier`."""

    name: str

    def viable(self) -> Viable:
        """Whether it can be used."""

    def store(self, ref: str, secret: str) -> None:
        """Keep a secret."""

    def get(self, ref: str) -> str | None:
        """Return it."""

    def delete(self, ref: str) -> bool:
        """Remove it."""


AWKWARD = {
    "empty": "",
    "spaces": "  leading, inner\tand trailing \n",
    "punctuation": string.punctuation,
    "quotes": "'\"`\\ %s %(x)s {y} $HOME",
    "unicode": "Съешь ещё ξεσκεπάζω 秘密 🔑 e\u0301",
    "nul": "before\x00after",
    "lines": "first\nsecond\r\nthird",
    "digits": "0123456789",
    "hex": "deadbeef" * 8,
    "64 kB": "long" * 16_384,
}


def new_ref(kind: str = "password") -> str:
    """Return a reference that nobody has used."""
    return f"conn:{uuid.uuid4()}:{kind}"


class CredentialTierContract:
    """The facts; `tier` is a fixture with a usable tier that may hold other secrets."""

    def test_says_that_it_is_usable_and_what_it_is(self, tier: Tier) -> None:
        found = tier.viable()
        assert found.usable
        assert found.reason
        assert tier.viable() == found

    def test_has_a_name_of_plain_letters(self, tier: Tier) -> None:
        assert tier.name.isascii()
        assert tier.name.isalpha()

    def test_what_was_never_stored_is_none(self, tier: Tier) -> None:
        assert tier.get(new_ref()) is None

    @pytest.mark.parametrize("secret", AWKWARD.values(), ids=AWKWARD.keys())
    def test_a_secret_comes_back_as_it_was(self, tier: Tier, secret: str) -> None:
        ref = new_ref()
        tier.store(ref, secret)
        assert tier.get(ref) == secret
        assert tier.delete(ref)

    def test_the_last_store_counts(self, tier: Tier) -> None:
        ref = new_ref()
        for secret in ("first", "", "a much longer third one", "4"):
            tier.store(ref, secret)
            assert tier.get(ref) == secret
        assert tier.delete(ref)
        assert tier.get(ref) is None

    def test_connections_and_kinds_do_not_mix(self, tier: Tier) -> None:
        one, other = new_ref(), new_ref()
        kind = one.replace(":password", ":key_passphrase")
        for ref in (one, other, kind):
            tier.store(ref, f"of {ref}")
        assert [tier.get(ref) for ref in (one, other, kind)] == [f"of {ref}" for ref in (one, other, kind)]
        assert tier.delete(one)
        assert [tier.get(ref) for ref in (one, other, kind)] == [None, f"of {other}", f"of {kind}"]

    def test_delete_says_whether_there_was_one(self, tier: Tier) -> None:
        ref = new_ref()
        assert tier.delete(ref) is False
        tier.store(ref, "there")
        assert tier.delete(ref) is True
        assert tier.delete(ref) is False
        assert tier.get(ref) is None

    def test_delete_after_many_stores_leaves_none(self, tier: Tier) -> None:
        ref = new_ref()
        for number in range(5):
            tier.store(ref, f"number {number}")
        assert tier.delete(ref)
        assert tier.get(ref) is None

    def test_can_be_stored_again_after_delete(self, tier: Tier) -> None:
        ref = new_ref()
        tier.store(ref, "old")
        tier.delete(ref)
        tier.store(ref, "new")
        assert tier.get(ref) == "new"

    def test_threads_do_not_disturb_each_other(self, tier: Tier) -> None:
        refs = [new_ref() for _ in range(12)]

        def use(ref: str) -> list[str | None]:
            tier.store(ref, f"of {ref}")
            first = tier.get(ref)
            tier.store(ref, f"newer of {ref}")
            return [first, tier.get(ref)]

        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(use, refs))
        assert seen == [[f"of {ref}", f"newer of {ref}"] for ref in refs]

    def test_its_repr_holds_no_secret(self, tier: Tier) -> None:
        ref = new_ref()
        tier.store(ref, "canary-91d3")
        assert "canary-91d3" not in repr(tier)
        assert "canary-91d3" not in str(tier)

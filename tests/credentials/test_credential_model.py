"""Any order of operations and failures: never an older secret, no copy after a delete. # R-27, C-33

The model knows what was acknowledged. A store that failed may have happened (a keyring that hung may do it late), so a
read may also give what a failed store tried later than the last acknowledged one; never anything older.
"""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from services import wait_until
from services.homes import short_folder
from services.keyring import SecretService, secret_service

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.tiers import Credentials, CredentialTier, Viability
from tusk_jupyter.tiers.keyring_tier import KeyringTier
from tusk_jupyter.tiers.ledger import Ledger

KEY = {"TUSK_MASTER_KEY": "d1" * 32}
REFS = tuple(f"conn:{uuid.UUID(int=number)}:password" for number in range(2))
refs = st.sampled_from(REFS)
choices = st.sampled_from([None, None, "keyring", "vault", "memory"])


class Model(RuleBasedStateMachine):
    """The core's credentials beside what their owner was told."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.home = Path(self.stack.enter_context(TemporaryDirectory()))
        self.number = 0
        self.told: dict[str, tuple[str, str]] = {}  # what was acknowledged: reference to tier and secret
        self.tried: dict[str, set[str]] = {ref: set() for ref in REFS}  # what failed since
        self.deleting: set[str] = set()  # a delete failed half way: what can be reached is gone
        self.deleted: set[str] = set()  # a delete was acknowledged, and nothing was tried since
        self.credentials = self.new_core()

    def new_core(self) -> Credentials:
        return Credentials(self.home, KEY)

    def keyring_works(self) -> bool:
        raise AssertionError("each model says it for its keyring")

    def hangs(self) -> bool:
        """Whether calls are under way that would end with the core's process."""
        return False

    def in_keyring(self, ref: str) -> bool:
        """Whether the keyring has it, as far as it can be looked into."""
        raise AssertionError("each model looks for itself")

    def copies(self, ref: str) -> set[str]:
        tiers = self.credentials._tiers
        found = {name for name in ("vault", "memory") if tiers[name].get(ref) is not None}
        return found | ({"keyring"} if self.in_keyring(ref) else set())

    @rule(ref=refs, choice=choices)
    def store(self, ref: str, choice: str | None) -> None:
        self.number += 1
        self.deleted.discard(ref)
        secret = f"secret {self.number}"
        try:
            stored = self.credentials.store(ref, secret, choice)
        except CredentialError:
            self.tried[ref].add(secret)
            return
        assert choice in (None, stored.tier), "a tier that was asked for is the tier that is used"
        assert stored.tier == "keyring" or choice or stored.notices, "a fall to a lower tier is told"
        self.told[ref], self.tried[ref] = (stored.tier, secret), set()
        self.deleting.discard(ref)

    @rule(ref=refs)
    def get(self, ref: str) -> None:
        if ref not in self.told:
            return
        tier, secret = self.told[ref]
        try:
            found = self.credentials.get(ref, tier)
        except CredentialError:
            assert ref in self.deleting or (tier == "keyring" and not self.keyring_works())
        else:
            assert found == secret or found in self.tried[ref]

    @rule(ref=refs)
    def delete(self, ref: str) -> None:
        try:
            self.credentials.delete(ref)
        except CredentialError:
            assert not self.keyring_works()
            self.deleting.add(ref)
            return
        self.told.pop(ref, None)
        self.tried[ref] = set()
        self.deleted.add(ref)

    @invariant()
    def nothing_is_left_of_what_was_deleted(self) -> None:
        assert [self.copies(ref) for ref in self.deleted] == [set()] * len(self.deleted)

    @rule()
    @precondition(lambda self: not self.hangs())
    def restart_core(self) -> None:
        self.credentials = self.new_core()
        for ref, (tier, _) in list(self.told.items()):
            if tier == "memory":
                del self.told[ref]

    @invariant()
    def no_plaintext_on_disk(self) -> None:
        assert not any(b"secret " in path.read_bytes() for path in self.home.iterdir())

    def teardown(self) -> None:
        self.stack.close()


class ScriptedKeyring(CredentialTier):
    """A keyring that does as the model says, at a thousand times the speed; its outcomes are those of the real one."""

    name = "keyring"

    def __init__(self, ledger: Path, world: ScriptedModel) -> None:
        self.ledger, self.world = Ledger(ledger), world

    def viable(self) -> Viability:
        return Viability(self.world.mood in ("well", "forgetful"), self.world.mood, self.world.mood == "locked")

    def store(self, ref: str, secret: str) -> None:
        self.ledger.add(ref)
        self.check()
        self.world.items[ref] = secret
        if self.world.mood == "forgetful":
            raise CredentialError("stored, and not returned")

    def get(self, ref: str) -> str | None:
        self.check()
        return self.world.items.get(ref)

    def delete(self, ref: str) -> bool:
        if ref not in self.ledger and self.world.mood in ("locked", "absent"):
            return False
        self.check()
        found = self.world.items.pop(ref, None) is not None
        self.ledger.discard(ref)
        return found

    def check(self) -> None:
        if self.world.mood in ("locked", "absent"):
            raise CredentialError(self.world.mood, scenario=f"keyring_{self.world.mood}")


class ScriptedModel(Model):
    """Thousands of orders, with a scripted keyring and the real vault."""

    def __init__(self) -> None:
        self.mood, self.items = "well", {}
        super().__init__()

    def new_core(self) -> Credentials:
        credentials = super().new_core()
        credentials._tiers["keyring"] = ScriptedKeyring(self.home / "keyring.json", self)
        return credentials

    def keyring_works(self) -> bool:
        return self.mood in ("well", "forgetful")

    def in_keyring(self, ref: str) -> bool:
        return ref in self.items

    @rule(mood=st.sampled_from(["well", "locked", "absent", "forgetful"]))
    def change_mood(self, mood: str) -> None:
        self.mood = mood


class RealModel(Model):
    """The same with a real gnome-keyring that is locked, hangs, dies and comes back."""

    service: SecretService

    @initialize()
    def start(self) -> None:
        folder = self.stack.enter_context(short_folder("tusk-k-"))
        self.service = self.stack.enter_context(secret_service(folder))
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", self.service.environ["DBUS_SESSION_BUS_ADDRESS"])
        self.mood = "well"

    mood = "before its start"

    def new_core(self) -> Credentials:
        credentials = super().new_core()
        credentials._tiers["keyring"] = KeyringTier(self.home / "keyring.json", limit_s=1.0)
        return credentials

    def keyring_works(self) -> bool:
        return self.mood == "well"

    def hangs(self) -> bool:
        return self.mood == "hanging"

    def in_keyring(self, ref: str) -> bool:
        return self.mood in ("well", "locked") and self.service.holds(ref)

    @rule()
    @precondition(lambda self: self.mood == "well")
    def lock(self) -> None:
        self.service.lock()
        self.mood = "locked"

    @rule()
    @precondition(lambda self: self.mood == "well")
    def hang(self) -> None:
        self.service.pause_keyring()
        self.mood = "hanging"

    @rule()
    @precondition(lambda self: self.mood in ("well", "locked"))
    def die(self) -> None:
        self.service.kill_keyring()
        self.mood = "dead"

    @rule()
    @precondition(lambda self: self.mood != "well")
    def recover(self) -> None:
        if self.mood == "hanging":
            self.service.resume_keyring()
            worker = self.credentials._tiers["keyring"]._worker
            wait_until(lambda: worker._busy_since is None and worker._jobs.empty())
        else:
            self.service.kill_keyring()
            self.service.start_keyring()
        self.mood = "well"


MANY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def test_any_order_with_a_scripted_keyring() -> None:
    run_state_machine_as_test(ScriptedModel, settings=settings(max_examples=60, stateful_step_count=30, **MANY))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_orders_with_a_scripted_keyring() -> None:
    run_state_machine_as_test(ScriptedModel, settings=settings(max_examples=10_000, stateful_step_count=30, **MANY))


def test_any_order_with_a_real_keyring() -> None:
    run_state_machine_as_test(RealModel, settings=settings(max_examples=12, stateful_step_count=15, **MANY))

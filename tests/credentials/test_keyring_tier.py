"""The OS keyring in every state that one meets, with a real gnome-keyring. # R-22, C-30, C-31, QB-13, QB-52, TK-31"""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from services import wait_until
from services.homes import short_folder
from services.keyring import SecretService, private_environ, silent_bus

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.tiers.keyring_tier import KeyringTier
from tusk_jupyter.tiers.ledger import Ledger
from tusk_jupyter.tiers.worker import Unanswered, Worker

REF = f"conn:{uuid.uuid4()}:password"


@pytest.fixture
def keyring_tier(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., KeyringTier]:
    """Make a tier that has given the keyring `REF` at some time."""
    ledger = tmp_path_factory.mktemp("home") / "keyring.json"
    Ledger(ledger).add(REF)
    return lambda **limits: KeyringTier(ledger, **limits)


@pytest.fixture
def tier(secret_service: SecretService, keyring_tier: Callable[..., KeyringTier]) -> KeyringTier:
    return keyring_tier()


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder in which the user's configuration of `keyring` is looked for."""
    for name, value in private_environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "xdg_config_home" / "python_keyring"
    folder.mkdir()
    return folder


def refusal(tier: KeyringTier) -> Iterator[CredentialError]:
    """Yield the error of each of the three calls."""
    for call in (lambda: tier.store(REF, "s3cret-canary"), lambda: tier.get(REF), lambda: tier.delete(REF)):
        with pytest.raises(CredentialError) as caught:
            call()
        assert "s3cret-canary" not in str(caught.value)
        yield caught.value


def test_another_program_finds_the_secret_under_our_service_name(tier: KeyringTier) -> None:
    tier.store(REF, "here")
    script = f"import keyring; print(keyring.get_password('tusk-jupyter', {REF!r}))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "here"


def test_one_item_however_often_it_is_stored(secret_service: SecretService, tier: KeyringTier) -> None:
    for secret in ("one", "two", "three"):
        tier.store(REF, secret)
    assert secret_service.items(REF) == [b"three"]


def test_delete_takes_every_copy_also_those_of_other_tools(secret_service: SecretService, tier: KeyringTier) -> None:
    """The Secret Service keeps two items apart that differ in an attribute we do not ask for. # C-33"""
    tier.store(REF, "ours")
    secret_service.add_item({"service": "tusk-jupyter", "username": REF, "application": "another tool"}, b"theirs")
    assert len(secret_service.items(REF)) == 2
    assert tier.delete(REF)
    assert secret_service.items(REF) == []


def test_locked_is_not_absent(secret_service: SecretService, tier: KeyringTier) -> None:
    secret_service.lock()
    found = tier.viable()
    assert (found.usable, found.retryable) == (False, True)
    assert "locked" in found.reason
    assert {error.scenario for error in refusal(tier)} == {"keyring_denied"}


def test_locked_in_the_middle(secret_service: SecretService, tier: KeyringTier) -> None:
    """The answer of a moment ago said that it is usable."""
    tier.store(REF, "kept")
    assert tier.viable().usable
    secret_service.lock()
    assert {error.scenario for error in refusal(tier)} == {"keyring_denied"}
    assert not tier.viable().usable


def test_a_keyring_that_never_got_a_secret_need_not_be_asked_to_forget_it(
    secret_service: SecretService, tier: KeyringTier
) -> None:
    """So a connection whose password lies elsewhere can be removed while the keyring is locked or away."""
    secret_service.lock()
    assert tier.delete(f"conn:{uuid.uuid4()}:password") is False
    secret_service.kill_keyring()
    assert tier.delete(f"conn:{uuid.uuid4()}:password") is False


def test_absent_no_message_bus_named(monkeypatch: pytest.MonkeyPatch, keyring_tier: Callable[..., KeyringTier]) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    tier = keyring_tier()
    found = tier.viable()
    assert (found.usable, found.retryable) == (False, False)
    assert {error.scenario for error in refusal(tier)} == {"keyring_absent"}


@pytest.mark.parametrize("address", ["unix:path=/nonexistent/bus", "", "nonsense"])
def test_absent_the_message_bus_is_not_there(
    monkeypatch: pytest.MonkeyPatch, address: str, keyring_tier: Callable[..., KeyringTier]
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    tier = keyring_tier()
    found = tier.viable()
    assert (found.usable, found.retryable) == (False, False)
    assert {error.scenario for error in refusal(tier)} == {"keyring_absent"}


def test_absent_a_message_bus_without_a_keyring(secret_service: SecretService, tier: KeyringTier) -> None:
    secret_service.kill_keyring()
    found = tier.viable()
    assert (found.usable, found.retryable) == (False, False)
    assert "Secret Service" in found.reason
    assert {error.scenario for error in refusal(tier)} == {"keyring_absent"}


def test_the_keyring_dies_and_comes_back(secret_service: SecretService, tier: KeyringTier) -> None:
    tier.store(REF, "kept")
    secret_service.kill_keyring()
    assert {error.scenario for error in refusal(tier)} == {"keyring_absent"}
    secret_service.start_keyring()
    assert tier.get(REF) == "kept"
    assert tier.viable().usable


def test_the_keyring_dies_in_the_middle_of_a_call(secret_service: SecretService, tier: KeyringTier) -> None:
    tier.store(REF, "kept")
    secret_service.pause_keyring()
    caught: list[CredentialError] = []

    def read() -> None:
        with pytest.raises(CredentialError) as raised:
            tier.get(REF)
        caught.append(raised.value)

    reader = threading.Thread(target=read)
    reader.start()
    secret_service.kill_keyring()
    reader.join(20)
    assert caught[0].scenario in ("keyring_denied", "keyring_absent")


def test_a_hanging_keyring_is_given_up_and_works_again_later(
    secret_service: SecretService, keyring_tier: Callable[..., KeyringTier]
) -> None:
    tier = keyring_tier(limit_s=0.5)
    tier.store(REF, "kept")
    secret_service.pause_keyring()
    assert [error.scenario for error in refusal(tier)] == ["keyring_denied"] * 3
    found = tier.viable()
    assert (found.usable, found.retryable) == (False, True)
    assert "does not answer" in found.reason
    secret_service.resume_keyring()
    wait_for_idle(tier)
    tier.store(REF, "newer")
    assert tier.get(REF) == "newer"


def test_a_store_that_was_given_up_is_not_overtaken_by_a_delete(
    secret_service: SecretService, keyring_tier: Callable[..., KeyringTier]
) -> None:
    """What happens late happens before what is asked later. # C-33, R-27"""
    tier = keyring_tier(limit_s=0.5)
    tier.store(REF, "old")
    secret_service.pause_keyring()
    with pytest.raises(CredentialError):
        tier.store(REF, "late")
    with pytest.raises(CredentialError):
        tier.delete(REF)  # says that it did not delete
    secret_service.resume_keyring()
    wait_for_idle(tier)
    assert tier.delete(REF)
    assert secret_service.items(REF) == []


def wait_for_idle(tier: KeyringTier) -> None:
    wait_until(lambda: tier._worker._busy_since is None, what="the call that hung has come back")


def test_a_message_bus_that_never_says_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring_tier: Callable[..., KeyringTier]
) -> None:
    with short_folder("tusk-k-") as folder, silent_bus(folder) as environ:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        tier = keyring_tier(limit_s=2)
        found = tier.viable()
        assert (found.usable, found.retryable) == (False, True)
        assert {error.scenario for error in refusal(tier)} == {"keyring_denied"}


@pytest.mark.parametrize(
    "backend",
    ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "keyrings.alt.file.PlaintextKeyring"],
)
def test_a_backend_that_is_no_os_keyring_is_refused_by_name(
    backend: str,
    secret_service: SecretService,
    monkeypatch: pytest.MonkeyPatch,
    keyring_tier: Callable[..., KeyringTier],
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    tier = keyring_tier()
    assert backend in tier.viable().reason
    assert not tier.viable().retryable
    assert all(backend in error.message for error in refusal(tier))


def test_a_configured_plaintext_backend_is_refused_and_never_imported(
    configuration: Path, tmp_path: Path, keyring_tier: Callable[..., KeyringTier]
) -> None:
    """Its file would be plaintext; the configuration may even bring a search path for it."""
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "plain.py").write_text("raise SystemExit('imported')")
    (configuration / "keyringrc.cfg").write_text(
        f"[backend]\ndefault-keyring=plain.PlaintextKeyring\nkeyring-path={trap}\n"
    )
    found = keyring_tier().viable()
    assert not found.usable
    assert "plain.PlaintextKeyring" in found.reason


def test_a_configured_real_backend_is_used(
    configuration: Path,
    secret_service: SecretService,
    monkeypatch: pytest.MonkeyPatch,
    keyring_tier: Callable[..., KeyringTier],
) -> None:
    (configuration / "keyringrc.cfg").write_text(
        "[backend]\ndefault-keyring = keyring.backends.SecretService.Keyring\n"
    )
    tier = keyring_tier()
    assert tier.viable().reason == "Secret Service"
    tier.store(REF, "kept")
    assert tier.get(REF) == "kept"


def test_a_broken_configuration_is_named(configuration: Path, keyring_tier: Callable[..., KeyringTier]) -> None:
    (configuration / "keyringrc.cfg").write_text("no section at all")
    assert "keyringrc.cfg" in keyring_tier().viable().reason


def test_the_chainer_is_asked_for_its_real_keyring_only(
    secret_service: SecretService, monkeypatch: pytest.MonkeyPatch, keyring_tier: Callable[..., KeyringTier]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    tier = keyring_tier()
    assert tier.viable().reason == "Secret Service"
    tier.store(REF, "kept")
    assert secret_service.items(REF) == [b"kept"]


def test_a_chainer_of_nothing_is_absent(
    monkeypatch: pytest.MonkeyPatch, keyring_tier: Callable[..., KeyringTier]
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    assert not keyring_tier().viable().usable


def test_what_a_keyring_takes_and_does_not_return_was_not_stored(
    tier: KeyringTier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set works, get fails: seen with keyrings that cut long secrets."""
    from keyring.backends.SecretService import Keyring

    real = Keyring.set_password
    monkeypatch.setattr(Keyring, "set_password", lambda self, *names: real(self, *names[:-1], names[-1][:5]))
    with pytest.raises(CredentialError, match="does not return it"):
        tier.store(REF, "longer than that")


def test_the_core_does_not_import_keyring_to_start() -> None:
    script = (
        "import sys; from pathlib import Path; from tusk_jupyter.tiers import Credentials;"
        "Credentials(Path('/nonexistent'), {});"
        "print([name for name in ('keyring', 'secretstorage', 'cryptography', 'duckdb') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="another platform's are others")
def test_no_keyring_of_another_platform_is_looked_for(tmp_path: Path) -> None:
    script = (
        "import sys; from tusk_jupyter.tiers import backends\n"
        "try: backends.choose()\n"
        "except backends.NoBackend: pass\n"
        "print([name for name in ('libsecret', 'macOS', 'Windows') if f'keyring.backends.{name}' in sys.modules])"
    )
    environ = {**private_environ(tmp_path), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path / 'no-bus'}"}
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environ)
    assert told.stdout.strip() == "['libsecret']"


class TestWorker:
    def test_returns_and_raises_what_the_work_does(self) -> None:
        worker = Worker("test", limit_s=5)
        assert worker.call(lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            worker.call(lambda: 1 // 0)
        with pytest.raises(TimeoutError, match="its own"):
            worker.call(lambda: (_ for _ in ()).throw(TimeoutError("its own")))

    def test_what_had_not_begun_when_it_was_given_up_never_happens(self) -> None:
        worker, release, happened = Worker("test", limit_s=0.2), threading.Event(), []
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(worker.call, release.wait)
            wait_until(lambda: worker._busy_since is not None)
            with pytest.raises(Unanswered):  # it waited in the queue
                worker.call(lambda: happened.append("late"))
            assert isinstance(slow.exception(), Unanswered)
        with pytest.raises(Unanswered):  # this one is refused at once
            worker.call(lambda: happened.append("later"))
        release.set()
        wait_until(lambda: worker._busy_since is None)
        assert worker.call(lambda: "next") == "next"
        assert happened == []

"""A real Secret Service: gnome-keyring on a private message bus, in a private home.

The bus has no service folders, so nothing is started behind a test's back: a keyring that was killed stays away.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from services.freezing import freeze
from services.processes import find_program
from services.waiting import wait_until

PASSWORD = "the keyring's own password"
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")  # also when the tests are killed; setpriv is part of util-linux
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>"""


class SecretService:
    """A message bus and, unless stopped, a keyring on it.

    Attributes:
        environ: what a process needs to see this bus and no other keyring.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = private_environ(folder)
        self._bus: subprocess.Popen[str] | None = None
        self._daemon: subprocess.Popen[bytes] | None = None

    def start_bus(self) -> None:
        path = self.folder / "bus"
        config = self.folder / "bus.conf"
        config.write_text(_BUS.format(path=path))
        program = str(find_program("dbus-daemon", package="dbus"))
        self._bus = subprocess.Popen(
            [*DIES_WITH_US, program, f"--config-file={config}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._full(),
            text=True,
        )
        assert self._bus.stdout is not None
        self.environ["DBUS_SESSION_BUS_ADDRESS"] = self._bus.stdout.readline().strip()

    def start_keyring(self) -> None:
        """Start the daemon with its default keyring unlocked (made, the first time)."""
        program = str(find_program("gnome-keyring-daemon", package="gnome-keyring"))
        self._daemon = subprocess.Popen(
            [*DIES_WITH_US, program, "--foreground", "--unlock", "--components=secrets"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._full(),
        )
        assert self._daemon.stdin is not None
        with self._daemon.stdin as stdin:
            stdin.write(PASSWORD.encode())
        self._wait_for_owner()

    def _wait_for_owner(self) -> None:
        """Wait for the daemon's name on the bus: the bus tells when it appears."""
        from jeepney import DBusAddress, MatchRule, new_method_call
        from jeepney.bus_messages import message_bus
        from jeepney.io.blocking import open_dbus_connection

        name = "org.freedesktop.secrets"
        rule = MatchRule(
            type="signal", sender=message_bus.bus_name, interface=message_bus.interface, member="NameOwnerChanged"
        )
        rule.add_arg_condition(0, name)
        with (
            closing(open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"])) as bus,
            bus.filter(rule) as appeared,
        ):
            bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=10)
            if not bus.send_and_get_reply(message_bus.NameHasOwner(name), timeout=10).body[0]:
                bus.recv_until_filtered(appeared, timeout=20)
            ping = DBusAddress("/org/freedesktop/secrets", bus_name=name, interface="org.freedesktop.DBus.Peer")
            bus.send_and_get_reply(new_method_call(ping, "Ping"), timeout=20)
            secrets = DBusAddress("/org/freedesktop/secrets", bus_name=name, interface="org.freedesktop.Secret.Service")
            alias = new_method_call(
                secrets, "ReadAlias", "s", ("default",)
            )  # it answers before it has unlocked its keyring
            wait_until(lambda: bus.send_and_get_reply(alias, timeout=20).body[0] != "/", 20.0, "the default keyring")

    def lock(self) -> None:
        with self._collection() as collection:
            collection.lock()

    def items(self, user: str) -> list[bytes]:
        """Return the secrets stored for a user name, as another program would see them."""
        with self._collection() as collection:
            found = collection.search_items({"service": "tusk-jupyter", "username": user})
            return [item.get_secret() for item in found]

    def holds(self, user: str) -> bool:
        """Return whether there is a secret for a user name; can be asked while the keyring is locked."""
        with self._collection() as collection:
            return any(True for _ in collection.search_items({"service": "tusk-jupyter", "username": user}))

    def add_item(self, attributes: dict[str, str], secret: bytes) -> None:
        """Store a secret as another program would."""
        with self._collection() as collection:
            collection.create_item("of another program", attributes, secret)

    @contextmanager
    def _collection(self) -> Iterator[Any]:
        import secretstorage
        from jeepney.io.blocking import open_dbus_connection

        with closing(open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"])) as bus:
            yield secretstorage.Collection(bus)

    def kill_keyring(self) -> None:
        """The daemon dies as in a crash."""
        if self._daemon:
            self._daemon.kill()
            self._daemon.wait(10)
            self._daemon = None

    def pause_keyring(self) -> None:
        """The daemon hangs: it is there and answers nothing."""
        assert self._daemon
        freeze(self._daemon.pid)

    def resume_keyring(self) -> None:
        assert self._daemon
        self._daemon.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.kill_keyring()
        if self._bus:
            self._bus.terminate()
            self._bus.wait(10)
            assert self._bus.stdout is not None
            self._bus.stdout.close()
            self._bus = None

    def _full(self) -> dict[str, str]:
        return {**os.environ, **self.environ}


def private_environ(folder: Path) -> dict[str, str]:
    """Return variables that keep a process away from this machine's own keyring and its configuration."""
    places = {name: folder / name.lower() for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    places["XDG_RUNTIME_DIR"] = folder / "runtime"
    places["HOME"] = folder / "home"
    for place in places.values():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: str(place) for name, place in places.items()}


@contextmanager
def secret_service(folder: Path) -> Iterator[SecretService]:
    """Run a bus with an unlocked keyring below `folder`, whose path must be short (a socket lies in it)."""
    service = SecretService(folder)
    try:
        service.start_bus()
        service.start_keyring()
        yield service
    finally:
        service.stop()


@contextmanager
def silent_bus(folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment of a message bus that takes connections and never says a word."""
    path = folder / "silent"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(16)
        yield {**private_environ(folder), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"}

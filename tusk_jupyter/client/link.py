"""The link to the core: found, or started, or started again.

Finding it is reading one file; nothing heavy is imported for that, and a core that has to be started boots while this process
imports Flight (0.2 s). Exactly one is started however many clients want one at once: a lock lets one start it, and the core's
own lock would send a second one away.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tusk_jupyter import errors
from tusk_jupyter.client import boot
from tusk_jupyter.protocol.scenarios import RECEIVED_LATE
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import locks, processes
from tusk_jupyter.system.address import Address, read_address
from tusk_jupyter.system.places import Places
from tusk_jupyter.version import __version__

if TYPE_CHECKING:
    from tusk_jupyter.protocol.calls import Peer, Request

START_TIMEOUT_S = 30.0
POLL_S = 0.01
CONNECT_S = 8.0
"""How long a core that is there may take to answer the first call."""

PING_S = 60.0
"""As long as it takes a caller's own patience at least."""

LOST_S = 3.0
"""How long a core may hold its lock while `core.json` leads nowhere: one that runs corrects that file within a second."""

TRIES = 4
"""Starts of a core before giving up: one that meets a core just going down finds its lock held and leaves. Calls too."""


class Link:
    """The way to the core of one state folder; thread-safe."""

    def __init__(self, places: Places) -> None:
        """Name the state folder; nothing is started yet."""
        self.places = places
        self.epoch = 0
        """Counts the cores this link has talked to."""
        self.address: Address | None = None
        """Of the core that was talked to, or tried, last."""
        self._peer: Peer | None = None
        self._forgotten: dict[int, frozenset[str]] = {}
        """Of the present epoch: the variables that its core was told to forget."""
        self._lock = threading.Lock()

    def ping(self) -> Callable[[], None] | None:
        """Return a call that ends as soon as the core shows that it lives; None where none is talked to yet."""
        peer = self._peer
        if peer is None:
            return None
        from tusk_jupyter.protocol.control import Ping

        def ask() -> None:
            with contextlib.suppress(errors.TuskError):  # a core older than `Ping` says so, and one that has gone
                peer.call(Ping(), timeout_s=PING_S)

        return ask

    def call(
        self,
        request: Request,
        *,
        timeout_s: float | None = 60.0,
        is_awaited: Callable[[], bool] = lambda: True,
    ) -> Any:  # noqa: ANN401  # the request's REPLY says which
        """Send a request to the core and return its reply; a core that has gone is started again, once.

        It may have carried the request out before it went; the repetition says so (`protocol.message.Change`).

        Args:
            request: what is asked.
            timeout_s: how long the answer may take.
            is_awaited: whether somebody still waits for the answer: what was reported as failed is not asked for again.

        Raises:
            TuskError: what the core answered; CoreError when none can be started.
        """
        from tusk_jupyter.protocol.calls import PeerLost
        from tusk_jupyter.protocol.message import repeated

        try:
            return self._ask_in_time(request, timeout_s, is_awaited)
        except PeerLost as exc:
            if not is_awaited():
                raise lost(exc) from exc
        try:
            return self._ask_in_time(repeated(request), timeout_s, is_awaited)
        except PeerLost as exc:
            raise lost(exc) from exc

    def _ask_in_time(self, request: Request, timeout_s: float | None, is_awaited: Callable[[], bool]) -> Any:  # noqa: ANN401
        """Ask, and ask again what the core received so late that it did nothing, as long as somebody waits."""
        tries = 1
        while True:
            try:
                return self._ask(request, timeout_s)
            except errors.CoreError as exc:
                if exc.scenario != RECEIVED_LATE or not is_awaited() or tries == TRIES:
                    raise
            tries += 1

    def _ask(self, request: Request, timeout_s: float | None) -> Any:  # noqa: ANN401  # as `call`
        """Send a request to the core that there is now.

        Raises:
            PeerLost: it has gone. TuskError: what it answered.
        """
        from tusk_jupyter.protocol.calls import PeerLost

        epoch = self.epoch  # before the core is looked for: at worst it is told again
        peer = self.peer()
        try:
            self._withhold(peer, epoch)  # each core: the next one may have been started by somebody else
            return peer.call(request, timeout_s=timeout_s, is_dated=True)
        except PeerLost:
            self.forget(peer)
            raise

    def _withhold(self, peer: Peer, epoch: int) -> None:
        """Have the core forget the variables that held a secret given here: it may have been started with them."""
        withheld = frozenset(boot.withheld)  # as it is now: another thread may add to it during the call
        names = withheld - self._forgotten.get(epoch, frozenset())
        if names:
            from tusk_jupyter.protocol.control import ForgetVariables

            peer.call(ForgetVariables(names=tuple(sorted(names))), timeout_s=10.0)
            self._forgotten = {epoch: withheld}

    def stream(self, request: Request, *, starts: bool = True) -> Iterator[Any]:
        """Send a request and yield its replies; repeated only when the core had gone before its first reply.

        Args:
            request: what is asked.
            starts: whether it is worth a core: one that only accompanies other calls would start a core that was just stopped.

        Raises:
            TuskError: what the core answered; CoreError when it has gone.
        """
        from tusk_jupyter.protocol.calls import PeerLost

        for tries_left in (1, 0) if starts else (0,):
            peer = self.peer() if starts else self.connected
            if peer is None:
                return
            begun = False
            try:
                for reply in peer.stream(request):
                    begun = True
                    yield reply
            except PeerLost as exc:
                self.forget(peer)
                if begun or not tries_left:
                    raise lost(exc) from exc
            else:
                return

    @property
    def connected(self) -> Peer | None:
        """The core as it was found last, which may have gone since; None where none was needed, or it has surely gone."""
        return self._peer

    def peer(self) -> Peer:
        """Return the core, started if there is none.

        Raises:
            CoreError: it does not start; VersionMismatch: the one that runs speaks another protocol.
        """
        with self._lock:
            if self._peer is None:
                self._peer = self._reach()
                self.epoch += 1
            return self._peer

    def forget(self, failed: Peer | None = None) -> None:
        """Drop the link; the next call finds or starts a core anew.

        Args:
            failed: the peer that did not answer: a newer one, which another thread has found meanwhile, stays.
        """
        with self._lock:
            if failed is None or self._peer is failed:
                self._peer = None  # not closed: another thread may be in a call on it; the last reference closes it

    def running(self, *, patience_s: float = 0.0) -> Peer | None:
        """Return the core if one runs; never starts one.

        Args:
            patience_s: how long one that runs and cannot be found may take to be found.

        Raises:
            CoreError: one runs and was not found for so long.
        """
        deadline = time.monotonic() + patience_s
        while True:
            address = read_address(self.places.address_file)
            found = self._connect(address) if address and processes.alive(address.pid) else None
            if found is not None or not patience_s or not self.places.core_lock.exists() or not self._held():
                return found
            if time.monotonic() >= deadline:
                raise self._not_found()
            time.sleep(5 * POLL_S)

    def ensure(self) -> None:
        """See that a core runs or is on its way, without waiting for it."""
        if self._peer is None:  # one that has gone meanwhile is found out, and started again, by the call itself
            boot.ensure(self.places)

    def _reach(self) -> Peer:
        address = read_address(self.places.address_file)
        if address is not None:
            peer = self._connect(address) if self._may_talk(address) else None
            if peer is not None:
                return peer
        return self._start()

    def _may_talk(self, address: Address) -> bool:
        """Return whether a core speaks our protocol; an idle one that does not is ended, so that a fitting one is started.

        Raises:
            VersionMismatch: it is in use.
        """
        if address.protocol == PROTOCOL_VERSION or not processes.alive(address.pid):
            return True
        from tusk_jupyter.client import ending, versions

        if not versions.is_installed() or not ending.is_idle(address):
            raise versions.mismatch(address)
        with contextlib.suppress(TimeoutError), locks.held(self.places.start_lock, timeout_s=START_TIMEOUT_S):
            if read_address(self.places.address_file) == address:  # else another client has put a fitting one there
                ending.end_core(self.places)
        return False

    def _connect(self, address: Address) -> Peer | None:
        """Return the core at an address, or None when nobody is there."""
        if address.protocol != PROTOCOL_VERSION:
            if not processes.alive(address.pid):
                return None
            from tusk_jupyter.client import versions

            raise versions.mismatch(address)
        from tusk_jupyter.client.pulse import unanswered
        from tusk_jupyter.protocol.calls import Peer, PeerLost
        from tusk_jupyter.protocol.control import GetCoreStatus

        self.address = address
        try:
            peer = Peer(address.address, address.token)
        except PeerLost:
            return None
        try:
            peer.call(GetCoreStatus(client_version=__version__, protocol=PROTOCOL_VERSION), timeout_s=CONNECT_S)
        except PeerLost:
            peer.close()
            return None
        except errors.TimeoutExceeded as exc:
            peer.close()
            if not processes.alive(address.pid):
                return None
            raise unanswered(address) from exc
        except errors.ProtocolError:  # another core has taken the place of the one in the file
            peer.close()
            return None
        return peer

    def _start(self) -> Peer:
        self.places.prepare()
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            with locks.held(self.places.start_lock, timeout_s=START_TIMEOUT_S):
                found = self._await_core(None, time.monotonic())  # another client may have started it meanwhile
                process: processes.Detached | None = None
                for _ in range(TRIES):
                    if found is None and not _refused(process):
                        process = boot.start(self.places)
                        found = self._await_core(process, deadline)
                return found or self._give_up(process)
        except TimeoutError as exc:
            raise errors.CoreError(
                f"Another process has been starting the core for {START_TIMEOUT_S:.0f} s.",
                hint=f"Look at {self.places.log_file}, then try again.",
            ) from exc

    def _await_core(self, process: processes.Detached | None, deadline: float) -> Peer | None:
        """Return the core as soon as it can be called; None when `deadline` passes or its process ends without one.

        Raises:
            CoreError: there is one, and what leads to it is wrong, which it does not mend.
        """
        led_astray = time.monotonic()
        while True:
            ended = process is not None and process.ended()
            address = read_address(self.places.address_file)
            if address is not None and (peer := self._connect(address)) is not None:
                return peer
            if (ended and not self._held()) or time.monotonic() >= deadline:
                return None
            if not os.path.lexists(self.places.address_file):  # a core that comes or goes has removed it
                led_astray = time.monotonic()
            elif time.monotonic() - led_astray >= LOST_S and self._held():
                raise self._not_found()
            time.sleep(POLL_S)

    def _held(self) -> bool:
        """Return whether some core holds the lock: one on its way up, or one going down."""
        lock = locks.FileLock(self.places.core_lock)
        if lock.try_acquire():
            lock.release()
            return False
        return True

    def _not_found(self) -> errors.CoreError:
        """Return the error for a core that runs, by its lock, and that nobody can reach."""
        path = self.places.address_file
        pids = locks.holders(self.places.core_lock) or ()
        who = f" (process {pids[0]})" if len(pids) == 1 else ""
        folder = f"{path} is a folder: move it away, and the core writes the file anew. " if path.is_dir() else ""
        return errors.CoreError(
            f"The core service of {self.places.home} runs{who}, and cannot be reached: {path.name} does not lead to it.",
            hint=f"{folder}It is on its way up or down, or stopped, or cannot write there. If it does not come back by itself, "
            "`tusk core stop` in a terminal ends it, by force if need be; the next cell starts a new one.",
            scenario="core_unanswered",
        )

    def _give_up(self, process: processes.Detached | None) -> Peer:
        """Raise what kept the core from starting, in its own words if it had any."""
        astray = process is None or process.ended() or os.path.lexists(self.places.address_file)
        if astray and not _refused(process) and self._held():
            raise self._not_found()
        about = f"The core service of {self.places.home} did not start"
        if (said := _refused(process)) is not None:
            raise errors.CoreError(f"{about}: {said.message}", hint=said.hint, detail=said.detail)
        ended = process is not None and process.ended()
        words = process.last_words().decode(errors="replace").strip().splitlines() if process and ended else []
        raise errors.CoreError(
            f"{about}.",
            hint=f"Its diagnostic log is {self.places.log_file}.",
            detail="\n".join(words[-8:]) or None,
        )


def _refused(process: processes.Detached | None) -> errors.TuskError | None:
    """Return what a core that has ended gave as its reason, if it gave one."""
    if process is None or not process.ended():
        return None
    from tusk_jupyter.protocol.errors import from_extra_info

    lines = process.last_words().splitlines()
    return from_extra_info(lines[-1]) if lines else None


def lost_run(seen: BaseException) -> errors.CoreError:
    """Return the error for a core that went away with a run under way: its driver went too, its statement perhaps not."""
    return errors.CoreError(
        "The core service was stopped in the middle of this run. What it was doing may have taken effect on the server.",
        hint="If it changes anything, check what was done before you run it again; a run that only reads can be repeated. "
        "The core starts by itself. Sessions with their temp tables and open transactions are gone.",
        scenario="link_lost",
        detail=getattr(seen, "detail", None) or str(seen),
    )


def lost(seen: BaseException) -> errors.CoreError:
    """Return the error for a core that went away in the middle of a call that ran no SQL, with what was seen in its detail."""
    return errors.CoreError(
        "The core service was stopped in the middle of this call.",
        hint="Run the cell again: the core starts by itself. Sessions with their temp tables and open transactions are gone.",
        scenario="link_lost",
        detail=getattr(seen, "detail", None) or str(seen),
    )

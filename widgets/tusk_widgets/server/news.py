"""What changed in the core, for all long polls of this server at once.

One thread asks the core for as long as anybody waits, and wakes them all: a poll holds no thread, and one whose browser has
gone is dropped at once. Asking never starts a core and, as the core does not count `AwaitChanges` as use, never keeps one
alive: when none runs, polls wait here until `core.json` says that there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from tusk_jupyter import errors
from tusk_jupyter.client.pulse import unanswered
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.calls import Peer, PeerLost, PeerSilent
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import processes
from tusk_jupyter.system.address import Address, read_address
from tusk_jupyter.system.places import Places
from tusk_widgets.server.workers import Workers

FOLLOW_S = 2.0
"""How long one question to the core stays open; it outlives the last waiting browser by this at most."""
PATIENCE_S = 3.0
"""How much later the answer may come; then what pages show is not confirmed, and they say so. A loaded core answers earlier."""
LOOK_S = 0.5
"""How often to look for a core while there is none: reading one small file."""
NONE_S = 2.0
"""How long a poll is held when there is no core: not long, but a page that asks again at once does no harm."""
PAUSE_S = 0.05
NO_CORE = control.Changes(core="", counts={})


class News:
    """The latest counters of the core of one state folder."""

    def __init__(self, places: Places) -> None:
        """Begin without any; the core is not touched before somebody waits."""
        self._places = places
        self._worker = Workers(1)
        self._latest: control.Changes | None = None
        self._error: errors.TuskError | None = None
        self._waiting: set[asyncio.Event] = set()
        self._following: asyncio.Task[None] | None = None
        self._peer: tuple[Address, Peer] | None = None

    async def wait(self, core: str, known: Mapping[str, int], timeout_s: float) -> control.Changes:
        """Return the counters as soon as they differ from what is known, or when the time is up.

        Args:
            core: the core that the asker knows, "" for none.
            known: its counters.
            timeout_s: how long to wait.

        Raises:
            TuskError: what the core answered.
        """
        woken = asyncio.Event()
        began = asyncio.get_running_loop().time()
        self._waiting.add(woken)
        try:
            self._follow()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while not self._differs(core, known):
                        if self._latest is NO_CORE and asyncio.get_running_loop().time() - began > NONE_S:
                            break
                        woken.clear()
                        await woken.wait()
        finally:
            self._waiting.discard(woken)
        if self._error is not None:
            raise self._error
        return self._latest or NO_CORE

    def _differs(self, core: str, known: Mapping[str, int]) -> bool:
        if self._error is not None:
            return True
        latest = self._latest
        if latest is None or latest.core != core:
            return latest is not None
        return any(latest.counts.get(topic, count) != count for topic, count in known.items())

    def _follow(self) -> None:
        if self._following is None or self._following.done():
            self._latest, self._error = None, None  # nobody has listened since
            self._following = asyncio.get_running_loop().create_task(self._keep_asking())

    async def _keep_asking(self) -> None:
        while self._waiting:
            try:
                self._latest = await self._worker.do(self._ask)
            except errors.TuskError as exc:
                self._error = exc
            for one in self._waiting:
                one.set()
            if self._error is not None:
                return
            if self._latest is NO_CORE:
                await asyncio.sleep(LOOK_S)
            else:
                await asyncio.sleep(PAUSE_S)  # those who have what they waited for go; a core that ends answers at once

    def _ask(self) -> control.Changes:
        """Wait for the core's next word; NO_CORE when there is none."""
        peer = self._core()
        if peer is None:
            return NO_CORE
        latest = self._latest or NO_CORE
        question = control.AwaitChanges(
            core=latest.core, known=latest.counts, timeout_s=FOLLOW_S if latest.core else 0.0
        )
        try:
            answer: control.Changes = peer.call(question, timeout_s=question.timeout_s + PATIENCE_S)
        except PeerSilent as exc:
            address, self._peer = self._peer and self._peer[0], None
            raise unanswered(address) from exc
        except PeerLost:
            self._peer = None
            return NO_CORE
        return answer

    def _core(self) -> Peer | None:
        """Return the core that runs, as far as its file says; a handshake would count as use."""
        address = read_address(self._places.address_file)
        if address is None or address.protocol != PROTOCOL_VERSION or not processes.alive(address.pid):
            self._peer = None
            return None
        if self._peer is None or self._peer[0] != address:
            self._peer = None
            with contextlib.suppress(PeerLost):  # it is no address: the core is about to say it anew
                self._peer = (address, Peer(address.address, address.token))
        return self._peer[1] if self._peer else None

"""Trying a connection: a sign-in in a process of its own, and how far it came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tusk_jupyter.launch.process import DriverProcess
from tusk_jupyter.launch.spares import Spares
from tusk_jupyter.protocol import control, driver

MARGIN_S = 5.0


@dataclass(slots=True)
class Trials:
    """Tries connections; nothing is stored."""

    spares: Spares
    connect_timeout_s: Callable[[], float]
    serving: Callable[[str, dict[str, Any]], DriverProcess | None] = lambda name, config: None
    """The process that has a file open which only one process can have, if that is what the configuration names."""

    def attempt(
        self,
        name: str,
        config: dict[str, Any],
        secrets: dict[str, str],
        *,
        read_only: bool = False,
        may_create: bool = True,
    ) -> control.ConnectionTested:
        """Sign in and out again.

        Raises:
            DriverError: the driver cannot be started; a sign-in that fails is an answer.
        """
        # A file that our own process holds is tried there: any other would find it locked, by us.
        holder = self.serving(name, config)
        limit_s = self.connect_timeout_s()
        request = driver.Test(
            config=config, secrets=secrets, read_only=read_only, connect_timeout_s=limit_s, may_create=may_create
        )
        tested: driver.Tested = (
            holder.call(request, timeout_s=limit_s + MARGIN_S)
            if holder
            else self.spares.ask(name, request, timeout_s=limit_s + MARGIN_S)
        )
        return control.ConnectionTested(
            ok=tested.ok,
            stage=tested.stage,
            server=tested.server,
            link=tested.link,
            rights=tested.rights,
            elapsed_s=tested.elapsed_s,
            error=tested.error,
        )

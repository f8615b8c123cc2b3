"""What each message of a view means: one method a kind, from a message to its answer. No widget and no page in here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tusk_jupyter.api._environment import suggestions
from tusk_jupyter.client.boot import withheld
from tusk_jupyter.errors import ProtocolError, TuskError, UsageError
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.errors import WireError, to_wire
from tusk_jupyter.protocol.message import replace
from tusk_jupyter.sqltext.hiding import redact_text
from tusk_jupyter.system.working_folder import working_folder
from tusk_widgets import picker_messages as messages
from tusk_widgets.picker_form import Filled, problems, to_save, to_try
from tusk_widgets.picker_list import Choice
from tusk_widgets.picker_secrets import Held
from tusk_widgets.picker_steps import steps

Call = Callable[[Any], Any]
"""Sends a request to the core and returns its reply."""


class Desk:
    """Answers the views of one picker; thread-safe as far as the core is."""

    def __init__(self, call: Call, session: Callable[[], str], environ: Mapping[str, str] = os.environ) -> None:
        """Name the core, and the client session whose current connection is picked."""
        self._call, self._session, self._environ = call, session, environ
        self.choice = Choice()
        self._listed: tuple[control.Connection, ...] = ()
        self.held = Held()

    # --- the list ---

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the list."""
        return self.choice.lines(self._connections())

    def lines_of(self, found: control.ConnectionList | None) -> list[dict[str, Any]]:
        """Return the lines of what the core listed; where there is no core (None), nothing is connected any more."""
        if found is None:
            self._listed = tuple(replace(one, state="disconnected") for one in self._listed)
        else:
            self._listed = found.connections
        return self.choice.lines(self._listed)

    def pick(self, name: str) -> None:
        """Make a connection this notebook's current one.

        Raises:
            UsageError: there is none of that name.
        """
        self._call(control.UseConnection(session=self._session(), name=name))

    # --- answers ---

    def answer(self, ask: messages.AnyAsk, buffers: list[bytes]) -> dict[str, Any]:
        """Return the answer to a message: `ok` or `error`, and no secret in it."""
        try:
            return {"re": ask.id, "ok": self._answer(ask, buffers)}
        except TuskError as exc:
            return {"re": ask.id, "error": msgspec.to_builtins(self._without_secrets(ask, to_wire(exc)))}
        except Exception as exc:  # noqa: BLE001 # a traceback in the kernel's log would show what was typed
            words = f"The picker met {type(exc).__name__}, which is a bug of ours."
            return {"re": ask.id, "error": msgspec.to_builtins(WireError(kind="internal", message=words))}

    def _answer(self, ask: messages.AnyAsk, buffers: list[bytes]) -> Any:  # noqa: ANN401 - plain values, for JSON
        match ask:
            case messages.Watch():
                return {"lines": self.lines()}
            case messages.Leave(view=view):
                self.held.drop_view(view)
            case messages.Drop(form=form):
                self.held.drop(form)
            case messages.Pick():
                self.pick(self._name_of(ask))
                return {"lines": self.lines()}
            case messages.Catalog():
                return self._catalog()
            case messages.Edit():
                return msgspec.to_builtins(self._details(self._name_of(ask)))
            case messages.Check():
                return self._test(self._name_of(ask))
            case messages.Try():
                return self._try(self._filled(ask.form, ask.typed, buffers))
            case messages.Save():
                return self._save(self._filled(ask.form, ask.typed, buffers), test=ask.test)
            case messages.Duplicate(new_name=new_name):
                name = self._name_of(ask)
                saved = self._call(control.DuplicateConnection(session=self._session(), name=name, new_name=new_name))
                return {"name": saved.connection.name, "notices": saved.notices, "lines": self.lines()}
            case messages.Remove():
                gone = self._call(control.RemoveConnection(session=self._session(), name=self._name_of(ask)))
                return {**msgspec.to_builtins(gone), "lines": self.lines()}
        return {}

    def _name_of(self, ask: messages.OfRow) -> str:
        """Return the name that a row's connection has now: it may have been renamed, and another one have its name.

        Raises:
            UsageError: another connection has taken the place of the one that the row showed.
        """
        known = self._connections() if ask.connection else ()
        there = next((one for one in known if one.id == ask.connection), None)
        if there is not None:
            return there.name
        if any(one.name == ask.name for one in known):
            raise UsageError(
                f"{ask.name} is not the connection any more that the list showed: it was replaced elsewhere. Nothing was done.",
                hint="The list shows it as it is now; do it again if you mean that one.",
            )
        return ask.name

    def _catalog(self) -> dict[str, Any]:
        drivers = self._drivers()
        tiers: control.CredentialList = self._call(control.ListCredentials())
        return {
            "drivers": msgspec.to_builtins(drivers),
            "tiers": msgspec.to_builtins(tiers.tiers),
            "suggestions": msgspec.to_builtins(suggestions(self._environ, drivers)),
        }

    def _test(self, name: str) -> dict[str, Any]:
        session = self._session()
        tested: control.ConnectionTested = self._call(control.TestConnection(session=session, name=name))
        return self._tested(tested, self._details(name).connection.config)

    def _try(self, filled: Filled) -> dict[str, Any]:
        wrong = problems(filled)
        if wrong:
            return {"problems": wrong, "held": self._held(filled)}
        answer = self._tested(
            self._call(to_try(filled, session=self._session(), base=working_folder())), filled.config()
        )
        return {**self._clean(answer, filled), "held": self._held(filled)}

    def _save(self, filled: Filled, *, test: bool) -> dict[str, Any]:
        """Test and store; a new connection is chosen with that, a change leaves the choice as it was."""
        tried = self._try(filled) if test else {"problems": problems(filled), "held": self._held(filled)}
        if tried.get("problems") or tried.get("ok") is False:
            return {**tried, "saved": False}
        saved: control.ConnectionSaved = self._call(to_save(filled, session=self._session(), base=working_folder()))
        self.held.drop(filled.form.id)
        name = saved.connection.name
        if filled.gives_secrets_up:
            self._call(control.DeleteCredential(connection=name))
        if filled.form.original is None:
            self.pick(name)
        return {**tried, "saved": True, "name": name, "notices": saved.notices, "lines": self.lines()}

    # --- what answers are made of ---

    def _filled(self, form: messages.Form, typed: tuple[str, ...], buffers: list[bytes]) -> Filled:
        """Return the form with its secrets, those that came with the message held from now on."""
        if len(typed) != len(buffers):
            raise ProtocolError("The picker's message names other secrets than it brings.")
        self.held.add(form.id, {name: bytes(one).decode() for name, one in zip(typed, buffers, strict=True)})
        withheld.update(one.variable for one in form.secrets.values() if one.source == "environment" and one.variable)
        driver = next((one for one in self._drivers() if one.name == form.driver), None)
        if driver is None or driver.problem:
            raise UsageError(f"The driver {form.driver!r} cannot be used{f': {driver.problem}' if driver else ''}.")
        return Filled(
            form=form,
            driver=driver,
            typed=self.held.of(form.id),
            environ=self._environ,
            details=self._details(form.original) if form.original is not None else None,
            taken=[one.name for one in self._connections()],
        )

    def _tested(self, tested: control.ConnectionTested, config: Mapping[str, Any]) -> dict[str, Any]:
        return {**msgspec.to_builtins(tested), "steps": steps(tested, config)}

    def _held(self, filled: Filled) -> list[str]:
        return sorted(self.held.of(filled.form.id))

    def _clean(self, answer: dict[str, Any], filled: Filled) -> dict[str, Any]:
        secrets = filled.secrets().values()
        error = answer["error"] and {name: _hidden(one, secrets) for name, one in answer["error"].items()}
        if error:
            error["hint"] = _of_the_form(error["hint"])
        return {**answer, "error": error}

    def _without_secrets(self, ask: messages.AnyAsk, wire: WireError) -> WireError:
        if not isinstance(ask, messages.Try | messages.Save):
            return wire
        secrets = self.held.of(ask.form.id).values()
        return replace(
            wire,
            message=_hidden(wire.message, secrets),
            hint=_of_the_form(_hidden(wire.hint, secrets)),
            detail=_hidden(wire.detail, secrets),
        )

    def _connections(self) -> tuple[control.Connection, ...]:
        found: control.ConnectionList = self._call(control.ListConnections(session=self._session()))
        self._listed = found.connections
        return found.connections

    def _details(self, name: str) -> control.ConnectionDetails:
        found: control.ConnectionDetails = self._call(control.GetConnection(session=self._session(), name=name))
        return found

    def _drivers(self) -> tuple[control.DriverInfo, ...]:
        found: control.DriverList = self._call(control.ListDrivers())
        return found.drivers


def _of_the_form(hint: str | None) -> str | None:
    """Name the form where a hint names the command that stores a secret: the connection may not exist yet."""
    return hint and re.sub(r"`%tusk credentials set [^`]*`", "in this form", hint)


def _hidden(text: Any, secrets: Any) -> Any:  # noqa: ANN401 - fields of an error: texts, numbers, None
    return redact_text(text, secrets) if isinstance(text, str) else text

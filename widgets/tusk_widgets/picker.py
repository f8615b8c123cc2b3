"""The connection picker as a notebook widget: `tusk.ConnectionPicker()`, or `%tusk pick`.

Its state is the chosen name and nothing else. What it lists and what is typed travels in messages, which no notebook file
keeps; the kernel does all work, because the current connection is the kernel's.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from typing import Any

import traitlets
from ipywidgets import DOMWidget

from tusk_jupyter.client import get_client
from tusk_jupyter.errors import TuskError
from tusk_jupyter.protocol.control import ListConnections
from tusk_jupyter.protocol.errors import to_wire
from tusk_widgets import picker_messages as messages
from tusk_widgets.page import MIME, MODULE, MODULE_VERSION, way
from tusk_widgets.picker_desk import Desk
from tusk_widgets.picker_watch import Ear, Watch

_SLOW = messages.Try | messages.Save | messages.Check | messages.Duplicate | messages.Remove
"""What may take seconds: answered on a thread, so that the notebook goes on. A pick is none: the next cell uses it."""


class ConnectionPicker(DOMWidget):  # type: ignore[misc] # ipywidgets ships no types
    """A list of the connections, of which one is this notebook's current one; others are added, changed and tested in it.

    Attributes:
        value: the current connection's name, or None; setting it picks that one.
    """

    _model_name = traitlets.Unicode("PickerModel").tag(sync=True)
    _model_module = traitlets.Unicode(MODULE).tag(sync=True)
    _model_module_version = traitlets.Unicode(MODULE_VERSION).tag(sync=True)
    _view_name = traitlets.Unicode("PickerView").tag(sync=True)
    _view_module = traitlets.Unicode(MODULE).tag(sync=True)
    _view_module_version = traitlets.Unicode(MODULE_VERSION).tag(sync=True)
    value = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __new__(cls) -> Any:  # noqa: ANN401 - the class, or that of anywidget
        """Make it for the front end."""
        if cls is ConnectionPicker and way() == "anywidget":
            from tusk_widgets.anywidgets import AnyConnectionPicker

            cls = AnyConnectionPicker
        return super().__new__(cls)

    def __init__(self) -> None:
        """Read what is current.

        Raises:
            CoreError: the core service cannot be reached.
        """
        super().__init__()
        self._desk = Desk(lambda request: get_client().call(request), lambda: get_client().session)
        self._ear = Ear(get_client)
        self._watch = Watch(self._ear, self._follow)
        self._desk.lines()
        self.value = self._desk.choice.name
        self.observe(self._picked, "value")
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        """Say which it is; ipywidgets' own words hold the whole state."""
        return object.__repr__(self)

    def close(self) -> None:
        """End the widget with its thread and forget what was typed."""
        self._watch.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:  # noqa: ANN401 - as IPython calls it
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle  # anywidget gives metadata too
        data["text/plain"] = self._words()
        if self._model_module == MODULE:
            data[MIME] = {}
        return bundle

    def _words(self) -> str:
        """Return what is shown where there are no widgets."""
        now = f"Current connection: {self.value}." if self.value else "No connection is chosen."
        return f"{now} Choose one with `%tusk use NAME`; `%tusk connections` lists them."

    # --- messages ---

    def _hear(self, _widget: object, content: object, buffers: list[Any]) -> None:
        """Answer a view; whatever happens, no traceback with what was typed leaves here."""
        try:
            ask = messages.read(content)
        except TuskError as exc:
            self._refuse(content.get("id") if isinstance(content, dict) else None, exc)
            return
        if isinstance(ask, messages.Watch):
            if not self._watch.heard(ask.view):
                self._answer_again(ask.id)
                return
        elif isinstance(ask, messages.Leave):
            self._watch.left(ask.view)
        raw = [bytes(one) for one in buffers]
        if isinstance(ask, _SLOW):
            context = contextvars.copy_context()  # the thread's words belong to the message that it answers
            threading.Thread(target=context.run, args=(self._answer, ask, raw), name="tusk-pick", daemon=True).start()
        else:
            self._answer(ask, raw)

    def _answer(self, ask: messages.AnyAsk, buffers: list[bytes]) -> None:
        answer = self._desk.answer(ask, buffers)
        if isinstance(answer.get("ok"), dict) and "lines" in answer["ok"]:
            self.value = self._desk.choice.name
            if not isinstance(ask, messages.Watch):
                self.send({"kind": "lines", "lines": answer["ok"]["lines"]})  # to the other views of this widget
        self.send(answer)

    def _answer_again(self, asked: str) -> None:
        """Answer a view that is there still, as it says every minute: no reason to start a core that was stopped."""
        try:
            self.send({"re": asked, "ok": {"lines": self._seen()}})
        except TuskError as exc:
            self._refuse(asked, exc)

    def _refuse(self, asked: object, exc: TuskError) -> None:
        self.send({"re": asked, "error": {"message": to_wire(exc).message, "hint": exc.hint}})

    def _follow(self) -> None:
        """Send the views what changed at the core; it may have been stopped since."""
        with contextlib.suppress(TuskError):  # the next change, or the next question, says what is wrong
            self._show(self._seen())

    def _refresh(self) -> None:
        with contextlib.suppress(TuskError):
            self._show(self._desk.lines())

    def _seen(self) -> list[dict[str, Any]]:
        """Return the list as it can be seen without starting a core."""
        return self._desk.lines_of(self._ear.ask(ListConnections(session=get_client().session)))

    def _show(self, lines: list[dict[str, Any]]) -> None:
        self.value = self._desk.choice.name
        self.send({"kind": "lines", "lines": lines})

    def _picked(self, change: Any) -> None:  # noqa: ANN401 - a traitlets Bunch
        """Pick what `value` was set to; that it follows a pick is no second one."""
        if change.new == self._desk.choice.name:
            return
        try:
            if change.new is not None:
                self._desk.pick(change.new)
                self._refresh()
        finally:
            self.value = self._desk.choice.name

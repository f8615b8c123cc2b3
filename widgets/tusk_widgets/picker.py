"""The connection picker as a notebook widget: `tusk.ConnectionPicker()`, or `%tusk pick`.

Its state is the chosen name and nothing else. What it lists and what is typed travels in messages, which no notebook file
keeps; the kernel does all work, because the current connection is the kernel's.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from tusk_jupyter.client import get_client
from tusk_jupyter.errors import CoreError, TuskError
from tusk_jupyter.protocol.errors import to_wire
from tusk_widgets import picker_messages as messages
from tusk_widgets.picker_desk import Desk
from tusk_widgets.picker_watch import Ear, Watch

STATIC = Path(__file__).parent / "static"
_SLOW = messages.Try | messages.Save | messages.Check | messages.Duplicate | messages.Remove
"""What may take seconds: answered on a thread, so that the notebook goes on. A pick is none: the next cell uses it."""


class ConnectionPicker(anywidget.AnyWidget):
    """A list of the connections, of which one is this notebook's current one; others are added, changed and tested in it.

    Attributes:
        value: the current connection's name, or None; setting it picks that one.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    value = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(self) -> None:
        """Read what is current.

        Raises:
            CoreError: the core service cannot be reached.
        """
        super().__init__()
        self._desk = Desk(lambda request: get_client().call(request), lambda: get_client().session)
        self._watch = Watch(Ear(get_client), self._refresh)
        self._desk.lines()
        self.value = self._desk.choice.name
        self.observe(self._picked, "value")
        self.on_msg(self._hear)

    @traitlets.default("_esm")
    def _read_esm(self) -> str:
        return read_static("picker.js")

    @traitlets.default("_css")
    def _read_css(self) -> str:
        return read_static("picker.css")

    def close(self) -> None:
        """End the widget with its thread and forget what was typed."""
        self._watch.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:  # noqa: ANN401 - as IPython calls it
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/plain"] = self._words()
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
            given = content.get("id") if isinstance(content, dict) else None
            self.send({"re": given, "error": {"message": to_wire(exc).message, "hint": exc.hint}})
            return
        if isinstance(ask, messages.Watch):
            self._watch.heard(ask.view)
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

    def _refresh(self) -> None:
        with contextlib.suppress(TuskError):  # the next change, or the next question, says what is wrong
            lines = self._desk.lines()
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


def is_built() -> bool:
    """Return whether the front end is there, which a fresh checkout does not have."""
    return (STATIC / "picker.js").is_file()


def read_static(name: str) -> str:
    """Return a file of the built front end.

    Raises:
        CoreError: it was not built, as in a fresh checkout.
    """
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except OSError as exc:
        raise CoreError(
            "The notebook widgets are not built.",
            hint="`jlpm build:widgets` in widgets/labextension builds them.",
        ) from exc

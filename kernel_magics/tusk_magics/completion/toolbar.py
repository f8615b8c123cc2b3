"""What a terminal says of a schema that is being read: a line at its bottom, for a menu of one entry inserts it unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class Toolbar:
    """The bottom line of IPython's prompt, where there is one."""

    def __init__(self, shell: InteractiveShell) -> None:
        """Use the prompt of `shell`; a kernel's has none."""
        self._shell = shell
        self._asked: Any = None
        """The text and cursor that the words are about; None: nothing is said."""
        self._before: Any = None
        """What the user's own configuration shows there."""

    def say(self, words: str) -> bool:
        """Show words until the text changes; False where there is no prompt."""
        prompt = getattr(self._shell, "pt_app", None)
        if prompt is None or not prompt.app.is_running:
            return False
        if self._asked is None:
            self._before = prompt.bottom_toolbar
            prompt.default_buffer.on_text_changed += self._text_changed
        self._asked = prompt.default_buffer.document
        prompt.bottom_toolbar = words
        prompt.app.invalidate()
        return True

    def complete_again(self) -> None:
        """From any thread: open the menu now, where nothing was typed since."""
        if self._asked is None:
            return
        prompt: Any = self._shell.pt_app  # type: ignore[attr-defined] # `say` has found one
        asked = self._asked
        if prompt.app.is_running and prompt.app.loop is not None:
            prompt.app.loop.call_soon_threadsafe(self._open, asked)

    def clear(self) -> None:
        """Show what was there before."""
        if self._asked is None:
            return
        prompt: Any = self._shell.pt_app  # type: ignore[attr-defined] # as above
        self._asked = None
        prompt.default_buffer.on_text_changed -= self._text_changed
        prompt.bottom_toolbar = self._before
        prompt.app.invalidate()

    def _text_changed(self, _: object) -> None:
        self.clear()

    def _open(self, asked: Any) -> None:  # noqa: ANN401 - prompt_toolkit is a terminal's alone
        buffer = self._shell.pt_app.default_buffer  # type: ignore[attr-defined] # as above
        if buffer.document == asked and self._asked is not None:
            self.clear()
            buffer.cancel_completion()  # nothing is completed where a menu is open
            buffer.start_completion(select_first=False)

"""Where `%tusk` writes: an HTML table in a notebook, the terminal's own in IPython."""

from __future__ import annotations

import io
from typing import Any

from tusk_jupyter.cli.output import Listing
from tusk_jupyter.cli.terminal import TerminalOutput
from tusk_jupyter.errors import UsageError
from tusk_jupyter.system.plain_text import say
from tusk_jupyter.visible import visible


class ShellOutput(TerminalOutput):
    """IPython in a terminal."""

    def _write(self, text: str) -> None:
        """Print; a terminal that has gone is no error of the user's program."""
        say(text)


class NotebookOutput:
    """A kernel's frontend; questions go through it, without an echo for secrets."""

    prefix = "%tusk"

    def __init__(self, *, can_ask: bool) -> None:
        self._can_ask = can_ask

    @property
    def can_ask(self) -> bool:
        """Whether the frontend takes questions: nbclient and papermill do not."""
        return self._can_ask

    def listing(self, listing: Listing) -> None:
        """Display a table, with aligned text for frontends without HTML."""
        from IPython.display import display

        from tusk_widgets.listing import listing_html

        if not listing.rows:
            return self.say("\n".join([listing.empty, *listing.notes]))
        page = listing_html(listing.columns, listing.rows, right=listing.right, notes=listing.notes)
        bundle: dict[str, Any] = {"text/html": page, "text/plain": _as_text(listing)}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        return None

    def say(self, text: str) -> None:
        """Print a sentence."""
        say(visible(text))

    def ask_secret(self, prompt: str) -> str:
        """Ask in the frontend; ipykernel replaces getpass by its own."""
        import getpass

        try:
            return getpass.getpass(visible(prompt))
        except NotImplementedError as exc:  # ipykernel's StdinNotImplementedError is one
            raise UsageError("This frontend cannot ask for a password.", hint="Use --password-env VARIABLE.") from exc

    def confirm(self, question: str) -> bool:
        """Ask for y or yes."""
        return input(f"{visible(question)} [y/N] ").strip().lower() in ("y", "yes")


def _as_text(listing: Listing) -> str:
    from tusk_jupyter.cli.terminal import print_table

    buffer = io.StringIO()
    print_table(listing, to=buffer, width=200)
    return "\n".join([buffer.getvalue().rstrip("\n"), *map(visible, listing.notes)])

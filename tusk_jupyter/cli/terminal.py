"""Verbs in a terminal: tables by rich, prompts by getpass, errors on standard error."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from typing import TextIO

from tusk_jupyter import errors
from tusk_jupyter.cli.output import Listing, one_line
from tusk_jupyter.cli.passwords import typed_secrets
from tusk_jupyter.cli.refusals import refusal
from tusk_jupyter.cli.stages import detail_lines
from tusk_jupyter.system import plain_text
from tusk_jupyter.visible import visible

IN_SHELL = "It is still in your shell's history: remove it there (bash: `history -d N`), and change the password."
_PIPE_WIDTH = 10_000
"""Columns where standard output is no terminal: whoever reads a pipe wants whole lines."""


class TerminalOutput:
    """Standard output, and the terminal for questions."""

    def __init__(self, *, prefix: str = "tusk") -> None:
        self.prefix = prefix

    @property
    def can_ask(self) -> bool:
        """Whether standard input is a terminal."""
        return sys.stdin is not None and sys.stdin.isatty()

    def listing(self, listing: Listing) -> None:
        """Print a table, or what to do where it is empty."""
        if not listing.rows:
            self.say(listing.empty)
        elif sys.stdout is not None:
            width = None if sys.stdout.isatty() else _PIPE_WIDTH
            table = io.StringIO()
            print_table(listing, to=table, width=width, like=sys.stdout)
            self._write(table.getvalue().removesuffix("\n"))
        for note in listing.notes:
            self.say(note)

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._write(visible(text))

    def _write(self, text: str) -> None:
        """Print what is fit to be shown."""
        try:
            print(plain_text.fitted(text))  # noqa: T201
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise unwritten(exc) from exc

    def ask_secret(self, prompt: str) -> str:
        """Ask on the terminal without an echo."""
        import getpass

        return getpass.getpass(visible(prompt))

    def confirm(self, question: str) -> bool:
        """Ask for y or yes."""
        return input(f"{visible(question)} [y/N] ").strip().lower() in ("y", "yes")


def unwritten(exc: OSError) -> errors.StorageError:
    """Return the error for an answer that is not to be read, as on a full disk; what was asked for is done by then."""
    return errors.StorageError(f"It is done, but standard output could not be written: {exc.strerror or exc}.")


def print_table(listing: Listing, *, to: TextIO, width: int | None, like: TextIO | None = None) -> None:
    """Write a listing as aligned text.

    Args:
        listing: the table.
        to: where it goes.
        width: in columns; None asks the terminal.
        like: the stream that shows it in the end, by which the colours go; `to`, where none is given.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        file=like or to,
        width=width,
        highlight=False,
        color_system="auto" if (like or to).isatty() else None,
        force_jupyter=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in listing.columns:
        table.add_column(Text(one_line(name)), justify="right" if name in listing.right else "left", overflow="fold")
    for row in listing.rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    with console.capture() as capture:
        console.print(table)
    to.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def run_command_line(words: Sequence[str]) -> int:
    """Run `tusk WORDS` and return the exit code."""
    from tusk_jupyter.cli.group import run_verb
    from tusk_jupyter.client import get_client

    plain_text.degrade(sys.stdout, sys.stderr)
    try:
        if typed_secrets(words):
            raise refusal(where="on a command line", stays=IN_SHELL)
        get_client("cli")
        return run_verb(list(words), output=TerminalOutput())
    except errors.Cancelled as exc:
        _print_error(exc)
        return 130
    except errors.UsageError as exc:
        _print_error(exc)
        return 2
    except errors.TuskError as exc:
        _print_error(exc)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:  # `tusk log | head`: the reader has what it wanted
        sys.stderr.close()
        return 0


def flush(status: int) -> int:
    """Write what is still in the streams' buffers; return the exit code that comes of it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, ValueError):  # whoever read the output has gone
        pass
    except OSError as exc:
        _print_error(unwritten(exc))
        status = status or 1
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    return status


def _print_error(exc: errors.TuskError) -> None:
    lines = [f"tusk: {exc.message}"]
    lines += [f"{head}: {text}" for head, text in detail_lines(exc.detail)]
    lines += [f"Hint: {exc.hint.replace('%tusk', 'tusk')}"] if exc.hint else []
    print(visible("\n".join(lines)), file=sys.stderr)  # noqa: T201

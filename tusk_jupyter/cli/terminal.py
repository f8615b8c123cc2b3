"""Verbs in a terminal: tables by rich, prompts by getpass, errors on standard error."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from typing import Any, TextIO, cast

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
        print(plain_text.fitted(text))  # noqa: T201

    def ask_secret(self, prompt: str) -> str:
        """Ask on the terminal without an echo."""
        import getpass

        return getpass.getpass(visible(prompt))

    def confirm(self, question: str) -> bool:
        """Ask for y or yes."""
        return input(f"{visible(question)} [y/N] ").strip().lower() in ("y", "yes")


class Unwritten(errors.StorageError):
    """An answer that is not to be read; what was asked for is done by then."""

    reported = False


class Answer:
    """Standard output of a process that is all ours: whoever writes into it, click too, gets our error, each time the same."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost: Unwritten | None = None

    def write(self, text: str) -> int:
        """Write.

        Raises:
            Unwritten: it is not possible, as on a full disk.
            BrokenPipeError: whoever read it has gone.
        """
        try:
            return self._stream.write(text)
        except OSError as exc:
            raise self._error(exc) from None

    def flush(self) -> None:
        """Write what is still in the buffer; it raises as `write` does."""
        try:
            self._stream.flush()
        except OSError as exc:
            raise self._error(exc) from None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # of the stream
        return getattr(self._stream, name)

    def _error(self, exc: OSError) -> Exception:
        if isinstance(exc, BrokenPipeError):
            return exc
        words = f"It is done, but standard output could not be written: {exc.strerror or exc}."
        self._lost = self._lost or Unwritten(words)
        return self._lost


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

    shown = (like or to).isatty()
    text = io.StringIO()  # of its own: rich writes and flushes whatever stream it is given
    console = Console(
        file=text,
        width=width,
        highlight=False,
        force_terminal=shown,
        color_system="auto" if shown else None,
        force_jupyter=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in listing.columns:
        table.add_column(Text(one_line(name)), justify="right" if name in listing.right else "left", overflow="fold")
    for row in listing.rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    console.print(table)
    to.write("".join(line.rstrip() + "\n" for line in text.getvalue().splitlines()))


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
        _complain("Interrupted.")
        return 130
    except BrokenPipeError:  # `tusk log | head`: the reader has what it wanted
        sys.stderr.close()
        return 0


def run_process() -> int:
    """Run the command line of this process, whose streams are all ours; return the exit code."""
    if sys.stdout is not None:
        sys.stdout = cast(TextIO, Answer(sys.stdout))
    return flush(run_command_line(sys.argv[1:]))


def flush(status: int) -> int:
    """Write what is still in the streams' buffers; return the exit code that comes of it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, ValueError):  # whoever read the output has gone
        pass
    except Unwritten as exc:
        _print_error(exc)
        status = status or 1
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    return status


def _in_terminal(text: str) -> str:
    """Return a message with the words of a terminal: its relative paths begin at the shell's folder."""
    return text.replace("he notebook's folder", "he shell's folder").replace(
        "run the cell again", "run the command again"
    )


def _without_urls_secrets(text: str) -> str:
    if ":/" not in text:
        return text
    from tusk_jupyter.sqltext.secret_shapes import hide_urls  # 10 ms, for the few texts with a URL

    return hide_urls(text)


def _print_error(exc: errors.TuskError) -> None:
    if isinstance(exc, Unwritten):
        if exc.reported:
            return
        exc.reported = True
    exc.reword(_without_urls_secrets)
    lines = [f"tusk: {_in_terminal(exc.message)}"]
    lines += [f"{head}: {text}" for head, text in detail_lines(exc.detail)]
    lines += [f"Hint: {_in_terminal(exc.hint).replace('%tusk', 'tusk')}"] if exc.hint else []
    _complain("\n".join(lines))


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # a full disk, or closed: the exit code remains
        print(visible(text), file=sys.stderr)  # noqa: T201

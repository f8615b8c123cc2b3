"""`%tusk VERB`: the command line's verbs, in a notebook's clothes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from tusk_jupyter.cli.passwords import as_written, typed_secrets
from tusk_jupyter.cli.refusals import NAMES_SECRET_TO_NOBODY, WordsRefused, doubtful, refusal
from tusk_jupyter.errors import TuskError, UsageError
from tusk_jupyter.system import open_files
from tusk_jupyter.system.bare_frames import bare_frames
from tusk_jupyter.system.whole_imports import whole_imports
from tusk_magics.errors import show_without_traceback
from tusk_magics.history import STAYS, scrub, scrub_running_cell
from tusk_magics.notebook import Notebook


@magics_class
class TuskMagic(Magics):
    """Everything but running SQL: connections, credentials, the log."""

    @bare_frames
    @whole_imports()
    @no_var_expand
    @line_cell_magic
    def tusk(self, line: str, cell: str | None = None) -> None:
        """Connections, credentials, the query log: `%tusk` lists the verbs, `%tusk VERB --help` explains one."""
        assert self.shell is not None  # noqa: S101 - registered magics have one
        notebook = Notebook(self.shell)
        try:
            if secrets := [secret for text in (line, *(cell or "").splitlines()) for secret in _typed(text)]:
                scrub(self.shell, secrets)
                raise refusal(where="on a magic line", stays=STAYS)
            if cell is not None:
                raise _takes_no_cell(line, cell)
            with open_files.or_told():
                self._run(split_line(line), notebook)
        except TuskError as exc:
            if refused := _doubtful(exc, line):
                scrub_running_cell(self.shell, refused)
                exc.hint = " ".join(filter(None, (exc.hint, _MAYBE)))
            show_without_traceback(exc, None, colour=notebook.has_colour)
            raise

    def _run(self, words: Sequence[str], notebook: Notebook) -> None:
        from tusk_jupyter.cli.group import run_verb
        from tusk_magics.output import NotebookOutput, ShellOutput
        from tusk_magics.pick import show_picker

        notebook.client()
        if show_picker(words, notebook):
            return
        # A kernel may be asked a question even where a frontend shows no line of progress.
        output = NotebookOutput(can_ask=notebook.is_watched) if notebook.is_kernel else ShellOutput(prefix="%tusk")
        run_verb(list(words), output=output)


_MAYBE = "What was refused was taken out of the input history, in case that it is a password; if so, delete it from the cell."


def _typed(line: str) -> tuple[str, ...]:
    """Return the secrets of a line, also of one whose quotes are not closed."""
    return as_written(line, typed_secrets(_words(line)))


def _words(line: str) -> list[str]:
    try:
        return split_line(line)
    except UsageError:
        return line.split()


def _takes_no_cell(line: str, cell: str) -> WordsRefused:
    """Return the error for `%%tusk`; behind a verb that asks for a password, the body may be the answer."""
    words = _words(line)
    may_be = not words or words[0] not in NAMES_SECRET_TO_NOBODY
    return WordsRefused(
        "`%%tusk` takes no cell: one verb stands on one line.",
        words=[text.strip() for text in cell.splitlines()] if may_be else [],
        hint="Write `%tusk VERB ...`.",
    )


def _doubtful(exc: TuskError, line: str) -> tuple[str, ...]:
    """Return the words of a refused line that may be secrets, as they were written."""
    words = [*exc.words] if isinstance(exc, WordsRefused) else []
    if isinstance(exc, UsageError):
        words += doubtful(_words(line))
    return as_written(line, [word for word in words if word])


def split_line(line: str) -> list[str]:
    """Return the words of a line; quotes group, and backslashes are ordinary on Windows.

    Raises:
        UsageError: a quote is not closed.
    """
    try:
        return shlex.split(line, posix=os.name != "nt")
    except ValueError as exc:
        raise UsageError(
            f"The line cannot be read: {exc}.", hint="Put values with blanks into quotes, and close them."
        ) from None

"""`%sql` and `%%sql`."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand

from tusk_jupyter.cli.passwords import (
    secrets_of_refused_line,
    secrets_of_sql_line,
)
from tusk_jupyter.cli.refusals import refusal
from tusk_jupyter.cli.typed_lines import secrets_of_lines
from tusk_jupyter.errors import Cancelled, TuskError, UsageError
from tusk_jupyter.system import open_files
from tusk_jupyter.system.bare_frames import bare_frames
from tusk_jupyter.system.whole_imports import whole_imports
from tusk_magics.cell_run import CellRun
from tusk_magics.config import TuskMagics
from tusk_magics.errors import show_without_traceback
from tusk_magics.help import help_text
from tusk_magics.history import STAYS, scrub
from tusk_magics.notebook import Notebook


@magics_class
class SqlMagic(Magics):
    """The SQL magic; its defaults are `TuskMagics`."""

    @bare_frames
    @whole_imports()
    @needs_local_scope  # a `%sql` in a function sees the function's variables
    @no_var_expand  # IPython would fill in {x} and $x, both of which mean something in SQL
    @line_cell_magic
    def sql(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> object:
        """Replaced below by the help that is drawn from the options."""
        assert self.shell is not None  # noqa: S101 - registered magics have one
        notebook = Notebook(self.shell)
        variables = ChainMap(local_ns or {}, self.shell.user_ns)
        run = CellRun(shell=self.shell, config=TuskMagics.instance(), notebook=notebook, variables=variables)
        try:
            if secrets := (*secrets_of_sql_line(line), *secrets_of_lines(cell or "")):
                scrub(self.shell, secrets)
                raise refusal(where="on a magic line", stays=STAYS)
            return _not_interrupted(run, line, cell)
        except TuskError as exc:
            if isinstance(exc, UsageError) and (secrets := secrets_of_refused_line(line, cell)):
                scrub(self.shell, secrets)
                from tusk_jupyter.sqltext.hiding import redact_text  # 18 ms, for a cell with a secret only

                exc.reword(lambda text: redact_text(text, secrets))
                exc.hint = " ".join(filter(None, (exc.hint, f"A password stands in the cell. {STAYS}")))
            run.with_advice(exc)
            statements = run.count_statements() if exc.statement is not None else None
            can_import = exc.scenario != open_files.SCENARIO  # a place in the SQL needs modules
            place = run.place if can_import else None
            show_without_traceback(exc, place, statements=statements, colour=notebook.has_colour)
            raise
        finally:
            run.forget_typed_secrets()

    sql.__doc__ = help_text()


def _not_interrupted(run: CellRun, line: str, cell: str | None) -> object:
    """Do it; an interrupt where no run was under way (the client answers for those) is told as such.

    Raises:
        Cancelled: the user broke off.
    """
    try:
        with open_files.or_told():
            return run.do(line, cell)
    except KeyboardInterrupt:
        if run.completed:
            raise Cancelled(
                "Interrupted after the statement had completed: its changes stand, its rows were discarded.",
                scenario="cancelled_by_user",
                hint="`%tusk log` shows it.",
            ) from None
        raise Cancelled("Interrupted; no statement was running then.", scenario="cancelled_by_user") from None

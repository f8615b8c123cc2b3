"""`%sql` and `%%sql`."""

from __future__ import annotations

import re

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from tusk_jupyter.cli.passwords import has_password, refusal
from tusk_jupyter.errors import TuskError
from tusk_magics.cell_run import CellRun
from tusk_magics.config import TuskMagics
from tusk_magics.errors import show_without_traceback
from tusk_magics.help import help_text
from tusk_magics.history import scrub
from tusk_magics.notebook import Notebook

IN_CELL = (
    "It was taken out of this session's input history; delete it from the cell yourself before the notebook is saved."
)
_URL = re.compile(r"\s*[A-Za-z][\w+.-]*://")


@magics_class
class SqlMagic(Magics):
    """The SQL magic; its defaults are `TuskMagics`."""

    @no_var_expand  # IPython would fill in {x} and $x, both of which mean something in SQL
    @line_cell_magic
    def sql(self, line: str, cell: str | None = None) -> object:
        """Replaced below by the help that is drawn from the options."""
        assert self.shell is not None  # noqa: S101 - registered magics have one
        notebook = Notebook(self.shell)
        run = CellRun(shell=self.shell, config=TuskMagics.instance(), notebook=notebook)
        try:
            if _URL.match(line) and has_password(line):
                scrub(self.shell)
                raise refusal(where="on a magic line", stays=IN_CELL)
            return run.do(line, cell)
        except TuskError as exc:
            run.with_advice(exc)
            statements = run.count_statements() if exc.statement is not None else None
            show_without_traceback(exc, run.place, statements=statements, colour=notebook.has_colour)
            raise

    sql.__doc__ = help_text()

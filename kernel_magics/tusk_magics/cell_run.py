"""One `%sql`: from what was written to a value, one step after the other.

The steps up to the request change nothing and log nothing, so whatever is wrong with the input is refused before the
database hears of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tusk_jupyter.errors import QueryError, TuskError, UsageError
from tusk_jupyter.system.plain_text import say
from tusk_jupyter.visible import visible
from tusk_magics import display, grid_display
from tusk_magics.checks import FRAMES, USAGE_HINT, check_options, emptiness, table_variable
from tusk_magics.history import STAYS, scrub_running_cell
from tusk_magics.line import SqlLine, is_blank, misspelt_keyword, parse_sql_line, quoted_name
from tusk_magics.options import SqlOptions
from tusk_magics.parameters import chosen_values, given_values, typed_secrets
from tusk_magics.place import Place, place_in_cell
from tusk_magics.progress import Progress
from tusk_magics.sql_file import read_sql_file

if TYPE_CHECKING:
    import pyarrow as pa
    from IPython.core.interactiveshell import InteractiveShell

    from tusk_jupyter.client import Client
    from tusk_jupyter.client.files import Sink
    from tusk_magics.config import TuskMagics
    from tusk_magics.notebook import Notebook

_NAME = re.compile(r"[\"`\[]?([^\W\d]\w*)")
_PLACEHOLDER = re.compile(r":[^\W\d]")


class CellRun:
    """A run and where its SQL stands, which an error needs to know."""

    def __init__(
        self,
        *,
        shell: InteractiveShell,
        config: TuskMagics,
        notebook: Notebook,
        variables: Mapping[str, Any],
    ) -> None:
        self._shell = shell
        self._variables = variables
        self._config = config
        self._notebook = notebook
        self._connection: str | None = None
        self._options = SqlOptions()
        self._sql = ""
        self._magic = "%%sql"
        self._hidden: tuple[str, ...] = ()
        self.place: Place | None = None
        self.completed = False
        """Whether what was asked for is done, and only to be shown."""

    def do(self, line: str, body: str | None) -> object:
        """Run what was written and return the value of the cell.

        Raises:
            TuskError: whatever was wrong.
        """
        self._magic = "%sql" if body is None else "%%sql"
        parsed = parse_sql_line(line, body)
        self._connection, self._options = parsed.connection, parsed.options
        if parsed.options.help:
            from tusk_magics.help import help_text

            say(help_text())
            return None
        check_options(parsed)
        if parsed.table is not None:
            self._upload(parsed)
            return None
        self._sql = self._text(parsed, line if body is None else f"{line}\n{body}")
        return self._query(parsed, is_cell=body is not None)

    def with_advice(self, exc: TuskError) -> None:
        """Add to the hint what only the reader of the line can know."""
        meant = misspelt_keyword(self._connection) if self._connection and exc.scenario == "no_connection" else None
        frame = self._options.persist or self._options.append
        if frame and exc.scenario == "no_connection" and self._connection:
            flag = "--persist" if self._options.persist else "--append"
            table = f"`%sql {flag} {frame} AS {self._connection}`"
            exc.hint = f"If {self._connection} is the table: {table}. {exc.hint or ''}".rstrip()
        if meant:
            exc.hint = f"If {self._connection} begins your SQL, did you mean {meant}? {exc.hint or ''}".rstrip()
        if exc.scenario == "undefined_table" and (name := self._frame_meant(exc)):
            connection = f"{self._connection} " if self._connection else ""
            exc.hint = (
                f"`{name}` is a {type(self._variables[name]).__name__} of this notebook, and no table of the database: "
                f"`%sql {connection}--persist {name}` writes it into one."
            )
        unnamed = self._connection is None and (isinstance(exc, QueryError) or exc.scenario == "no_connection")
        if unnamed and (name := self._quoted_connection()):
            exc.hint = f"To run on the connection {name}, write its name alone: `{self._magic} {name}`."

    def _frame_meant(self, exc: TuskError) -> str | None:
        """Return the frame of the notebook whose name stands where a table is missing."""
        found = _NAME.match(self._sql, exc.position) if exc.position is not None else None
        words = [found[1]] if found else _NAME.findall(exc.message)
        frames = {
            name.casefold(): name for name, value in list(self._variables.items()) if type(value).__name__ in FRAMES
        }
        return next((frames[word.casefold()] for word in words if word.casefold() in frames), None)

    def forget_typed_secrets(self) -> None:
        """Take the secrets that were typed as values of parameters out of the input history, and tell so."""
        if not (self._options.param or self._options.params):
            return
        found = typed_secrets(self._options, self._sql)
        scrub_running_cell(self._shell, [text for texts in found.values() for text in texts])
        if found:
            name = next(iter(found))
            say(
                f"Note: the value of :{name} stands in this cell. {STAYS} "
                f"Better: `{name} = getpass.getpass()` in a cell of its own, and no --param."
            )

    def _quoted_connection(self) -> str | None:
        """Return the connection whose name the SQL begins with, in quotes or before a sign; None for other SQL."""
        from tusk_jupyter.protocol.control import ListConnections

        named = quoted_name(self._sql)
        if named is None:
            return None
        try:
            client = self._client()
            known = client.call(ListConnections(session=client.session)).connections
        except TuskError:
            return None  # asked while an error is shown, which is the one that matters
        return next((one.name for one in known if one.name.casefold() == named.casefold()), None)

    def count_statements(self) -> int | None:
        """Return how many statements the SQL has, or None where that cannot be found out."""
        if ";" not in self._sql:
            return 1
        try:
            return len(self._client().split(self._sql, self._connection).statements)
        except TuskError:
            return None  # asked while an error is shown, which is the one that matters

    def _client(self) -> Client:
        client = self._notebook.client()
        client.link.ensure()  # a core that is not up boots while this process imports what it needs
        return client

    def _text(self, parsed: SqlLine, written: str) -> str:
        """Return the SQL to submit, and note where it stands."""
        options = parsed.options
        if options.file:
            if parsed.sql.strip():
                raise UsageError(
                    f"--file {options.file} and SQL in the cell exclude each other.",
                    hint="Keep one of the two. A path with blanks goes in quotes.",
                )
            sql = read_sql_file(options.file)
            self.place = Place(text=sql, name=options.file)
        else:
            sql = parsed.sql
            line_number = self._notebook.line_number
            self.place = place_in_cell(self._notebook.cell_text, f"%sql {written}", sql, line_number)
        if is_blank(sql):
            what = f"{options.file} holds" if options.file else "There is"
            raise UsageError(f"{what} no SQL{' here' if not options.file else ''}: {emptiness(sql)}.", hint=USAGE_HINT)
        if options.jinja:
            from tusk_magics.template import render

            values = {**self._variables, **given_values(options, self._variables)}
            sql, self._hidden = render(sql, values)
            self.place = Place(text=sql, name="the rendered SQL", hidden=self._hidden)
            if is_blank(sql):
                raise UsageError("The template rendered to no SQL.", hint="Look at the conditions of its blocks.")
        return sql

    def _query(self, parsed: SqlLine, *, is_cell: bool) -> object:
        client = self._client()
        from tusk_jupyter.client.tables import check_format, to_frame
        from tusk_jupyter.protocol.control import RunRequest
        from tusk_jupyter.protocol.values import Value

        options = parsed.options
        kind = options.format or self._config.format
        check_format(kind)
        # The target and the parameters are checked first: a cell that cannot end well is not begun.
        sink = self._sink(parsed, kind)
        packed: dict[str, Value] = self._parameters(client, parsed)
        limit = options.limit if options.limit is not None else self._config.limit
        request = RunRequest(
            session=client.session,
            connection=parsed.connection,
            sql=self._sql,
            parameters=packed,
            hidden=self._hidden,
            timeout_s=options.timeout or self._config.timeout,
            limit=limit,
            read_only=options.read_only,
            log=not options.no_log,
            cell=self._notebook.cell,
            source=self._notebook.source,
        )
        progress = self._progress()
        try:
            result = client.run(request, sink=sink, on_progress=progress.update)
        except BaseException:
            progress.finish(None)
            raise
        self.completed = True
        # The table is handed over, so that its memory goes as the frame grows.
        nulls = grid_display.nan_is_null(result.table)
        tables, result.table = [result.table], None
        notes, types = list(result.notes), list[Any]()
        value = to_frame(tables, kind, decimal=options.decimal or self._config.decimal, notes=notes, types=types)
        result.notes = tuple(notes)
        self._assign(parsed.into, value)  # before anything is shown of it, which may fail
        grid_display.remember(self._shell, value, result, limit=limit, nulls=nulls, types=types)
        is_shown = is_cell and value is not None and not parsed.into and not grid_display.is_plan(result)
        shown = self._rows_shown(result.rows, kind) if is_shown else None
        self._say(progress, display.summary(result, into=parsed.into, shown=shown, limit=limit))
        return value if parsed.into is None else None

    def _rows_shown(self, rows: int, kind: str) -> int | None:
        """Return how many rows of the value the frontend will show."""
        shown = grid_display.rows_shown(self._shell, rows)
        return display.rows_shown(rows, kind) if shown is None else shown

    def _sink(self, parsed: SqlLine, kind: str) -> Sink | None:
        """Return the file that takes the result; without one, begin to import what makes a frame of it."""
        options = parsed.options
        if not options.to:
            from tusk_jupyter.client.tables import prepare

            prepare(kind)
            return None
        from tusk_jupyter.client.files import sink_for

        return sink_for(options.to, overwrite=options.overwrite)

    def _parameters(self, client: Client, parsed: SqlLine) -> dict[str, Any]:
        """Return the packed value of each placeholder."""
        from tusk_jupyter.api import pack_parameters

        names: tuple[str, ...] = ()
        if _PLACEHOLDER.search(self._sql):
            split = client.split(self._sql, parsed.connection)
            names = tuple(name for statement in split.statements for name in statement.parameters)
        return pack_parameters(chosen_values(names, parsed.options, self._variables))

    def _upload(self, parsed: SqlLine) -> None:
        from tusk_jupyter.client.tables import index_notes, to_arrow
        from tusk_jupyter.protocol.control import UploadRequest

        options, table = parsed.options, parsed.table
        name = options.persist or options.append
        assert name is not None and table is not None  # noqa: S101 - `parse_sql_line` made sure
        frame = table_variable(name, self._variables)
        data: pa.Table = to_arrow(frame, name=f"`{name}`")
        client = self._client()
        request = UploadRequest(
            session=client.session,
            connection=parsed.connection,
            table=table,
            append=options.append is not None,
            timeout_s=options.timeout or self._config.timeout,
            log=not options.no_log,
            cell=self._notebook.cell,
            source=self._notebook.source,
        )
        progress = self._progress()
        try:
            result = client.upload(request, data, on_progress=progress.update)
        except BaseException:
            progress.finish(None)
            raise
        self.completed = True
        result.notes = (*index_notes(frame), *result.notes)
        self._say(progress, display.uploaded(result, rows=data.num_rows, table=table, append=request.append))

    def _progress(self) -> Progress:
        shown = self._config.progress and self._notebook.is_watched
        return Progress(kernel=self._notebook.is_kernel, shown=shown, notebook=self._notebook.is_document)

    def _say(self, progress: Progress, text: str) -> None:
        """Show `text` where the progress line was, or print it."""
        text = visible(text) if self._config.footer else ""
        if not progress.finish(text) and text:
            say(text)

    def _assign(self, name: str | None, value: object) -> None:
        if name is not None:
            self._shell.user_ns[name] = value

"""Inspection in a kernel and in a terminal.

ipykernel's `do_inspect` hands the shell no more than the Python token at the cursor, so it is wrapped on the kernel, where
the whole cell is known: one attribute of one object, which `%unload_ext` takes off again. `table?` becomes `%pinfo table`
in every frontend; that magic is replaced by one that asks for a table where Python has no such object.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tusk_magics.completion.cell import Place, place_at

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tusk_magics.completion.inspection import Subject
    from tusk_magics.completion.schema import Known, Schemas

PATIENCE_S = 0.5
"""How long an inspection waits for the schema; it is no keystroke."""
_MAGICS = ("pinfo", "pinfo2")
_IN_USE = "tusk_jupyter.client.client"


class SqlInspector:
    """Answers inspections in SQL, and passes all others on."""

    def __init__(self, shell: InteractiveShell, schemas: Callable[[], Schemas]) -> None:
        """Inspect for `shell`, with the names that `schemas()` knows."""
        self._shell = shell
        self._schemas = schemas
        self._replaced: dict[str, Any] = {}
        self._kernel_inspect: Any = None

    def install(self) -> None:
        """Hook in."""
        magics = self._shell.magics_manager.magics["line"]
        for name in _MAGICS:
            self._replaced[name] = magics[name]
            magics[name] = self._pinfo(name)
        kernel = getattr(self._shell, "kernel", None)
        if kernel is not None:
            self._kernel_inspect = kernel.do_inspect
            kernel.do_inspect = self._do_inspect

    def remove(self) -> None:
        """Take everything out again."""
        self._shell.magics_manager.magics["line"].update(self._replaced)
        kernel = getattr(self._shell, "kernel", None)
        if kernel is not None:
            vars(kernel).pop("do_inspect", None)

    def inspect(self, cell: str, cursor: int) -> dict[str, str] | None:
        """Return what the cell's SQL has at the cursor, {} for nothing; None where the cursor is in Python."""
        place = place_at(cell, cursor)
        if place is None or place.magic != "sql":
            return None
        return self._at(place) or {}

    def _at(self, place: Place) -> dict[str, str] | None:
        from tusk_magics.completion.head import read_head
        from tusk_magics.completion.inspection import subject_at

        head = read_head(place.text, place.cursor)
        if head.word is not None:
            return self._on_line(place.text, head.word[0])
        known = self._schemas().of(head.connection, patience_s=PATIENCE_S)
        sql, cursor = place.text[head.sql_start :], place.cursor - head.sql_start
        subject = subject_at(sql, cursor, known.index, known.dialect)
        return self._bundle(known, subject) if subject is not None else None

    def _on_line(self, text: str, start: int) -> dict[str, str] | None:
        from tusk_magics.completion.describing import connection_bundle, words_bundle
        from tusk_magics.options import OPTIONS

        word = text[start:].split(maxsplit=1)[0].partition("=")[0] if text[start:].strip() else ""
        for option in OPTIONS:
            if option.name == word:
                return words_bundle(f"{option.name} {option.value or ''}".strip(), [option.help])
        connection = next((item for item in self._schemas().connections() if item.name == word), None)
        return connection_bundle(connection) if connection is not None else None

    def _bundle(self, known: Known, subject: Subject) -> dict[str, str]:
        from tusk_magics.completion.describing import table_bundle

        path = subject.table.path if subject.table is not None else ()
        return table_bundle(subject, self._schemas().describe(known, path) if path else None)

    def _do_inspect(self, code: str, cursor_pos: int, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - ipykernel's
        try:
            found = self.inspect(code, cursor_pos)
        except Exception:  # noqa: BLE001 - an inspection that fails shows nothing
            found = {}
        if found is None:
            return self._kernel_inspect(code, cursor_pos, *arguments, **named)
        return {"status": "ok", "found": bool(found), "data": found, "metadata": {}}

    def _pinfo(self, name: str) -> Any:  # noqa: ANN401 - a magic
        def pinfo(line: str = "", namespaces: Any = None) -> Any:  # noqa: ANN401 - as IPython's
            """Describe an object, or else the table of that name on the current connection."""
            found = None if self._is_python(line) else self._table(line.strip(" ?"))
            if found is not None:
                return self._show(found)
            return self._original(name)(line, **({} if namespaces is None else {"namespaces": namespaces}))

        return pinfo

    def _original(self, name: str) -> Any:  # noqa: ANN401 - a magic
        """Return IPython's own magic; it is loaded at the first use, which looks for it in the table that we changed."""
        magics = self._shell.magics_manager.magics["line"]
        ours = magics[name]
        magics[name] = self._replaced[name]
        try:
            self._replaced[name] = self._shell.find_line_magic(name)  # type: ignore[no-untyped-call]
        finally:
            magics[name] = ours
        return self._replaced[name]

    def _is_python(self, line: str) -> bool:
        name = line.strip(" ?")
        if _IN_USE not in sys.modules:
            return True  # no SQL has run here: there is no current connection
        return not name or name[0] in "%*" or "*" in name or self._shell._object_find(name).found

    def _table(self, name: str) -> dict[str, str] | None:
        """Return the description of a table of the current connection; nothing is asked for before SQL is used here."""
        from tusk_magics.completion.inspection import table_named

        try:
            known = self._schemas().of(None, patience_s=PATIENCE_S)
            subject = table_named(name, known.index, known.dialect) if known.index is not None else None
            return self._bundle(known, subject) if subject is not None else None
        except Exception:  # noqa: BLE001 - IPython then says that there is no such object
            return None

    def _show(self, bundle: dict[str, str]) -> None:
        from IPython.core import page

        page.page({**bundle} if self._shell.enable_html_pager else bundle["text/plain"])

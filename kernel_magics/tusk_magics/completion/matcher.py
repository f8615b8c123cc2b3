"""Completion as IPython's matcher API takes it, suppressing Python's own matchers inside SQL.

IPython calls every matcher for every request, so this one leaves quickly where the cursor is in Python, and nothing that
goes wrong in it reaches the user. ipykernel passes each candidate's type on as `_jupyter_types_experimental`, by which
Lab and VS Code choose an icon; the terminal shows it beside the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from tusk_magics.completion.cell import Place, place_at
from tusk_magics.completion.toolbar import Toolbar

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tusk_magics.completion.head import Head
    from tusk_magics.completion.ranking import Candidate
    from tusk_magics.completion.schema import Known, Schemas

IDENTIFIER = "tusk_jupyter.sql"
READING = "reading the schema…"
FAILED = "the schema cannot be read"
"""Shown where a candidate's kind is: frontends insert what they show as its name. JupyterLab's extension knows READING
(`cells/completion.ts`) and asks again when the schema is there."""
_FIRST = 1_000.0  # before all others, whose work is then not done


class Silence(Sequence[SimpleCompletion]):
    """Completions that yield nothing but count as some: IPython suppresses the others only for a matcher that has any."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[SimpleCompletion]:
        return iter(())

    @overload
    def __getitem__(self, index: int) -> SimpleCompletion: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SimpleCompletion]: ...
    def __getitem__(self, index: int | slice) -> SimpleCompletion | Sequence[SimpleCompletion]:
        """Nothing is there."""
        raise IndexError(index)


class SqlCompleter:
    """Completes `%%sql` cells, `%sql` and `%tusk` lines of one shell."""

    def __init__(self, shell: InteractiveShell, schemas: Callable[[], Schemas]) -> None:
        """Complete for `shell`, with the names that `schemas()` knows."""
        self._shell = shell
        self._schemas = schemas
        self.toolbar = Toolbar(shell)
        # IPython reads a matcher's attributes and its priority; a bound method cannot carry them, a function can.
        self.matcher = context_matcher(identifier=IDENTIFIER, priority=_FIRST)(lambda context: self._match(context))

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        try:
            found = self.complete(context.full_text, offset)
        except Exception:  # noqa: BLE001 - a traceback at a keystroke would be worse than no candidate
            found = None
        if found is None:
            return SimpleMatcherResult(completions=[])
        start, chosen = found
        return SimpleMatcherResult(
            completions=[SimpleCompletion(text=item.text, type=item.kind) for item in chosen] or Silence(),
            matched_fragment=context.full_text[start:offset],
            suppress=True,
            ordered=True,
        )

    def complete(self, cell: str, offset: int) -> tuple[int, list[Candidate]] | None:
        """Return where the replaced text begins and what can stand there; None where the cursor is in Python."""
        place = place_at(cell, offset)
        if place is None:
            return None
        start, chosen = self._tusk(place) if place.magic == "tusk" else self._sql(place)
        return place.start + start, chosen

    def _tusk(self, place: Place) -> tuple[int, list[Candidate]]:
        from tusk_magics.completion.magic_line import verb_offers
        from tusk_magics.completion.ranking import ranked

        before = place.text[: place.cursor]
        word = "" if before[-1:].isspace() else before.split()[-1]
        return place.cursor - len(word), ranked(verb_offers(before, self._schemas().connections()), word)

    def _sql(self, place: Place) -> tuple[int, list[Candidate]]:
        from tusk_magics.completion.head import read_head

        head = read_head(place.text, place.cursor)
        if head.word is not None:
            return self._head(place, head)
        if place.cursor < head.sql_start:  # in `x <<`, say
            return place.cursor, []
        return self._statement(place, head)

    def _head(self, place: Place, head: Head) -> tuple[int, list[Candidate]]:
        from tusk_magics.completion.magic_line import head_offers
        from tusk_magics.completion.ranking import ranked

        assert head.word is not None  # noqa: S101 - asked by the caller
        start, prefix = head.word
        sql = place.text[head.sql_start :]
        offers = head_offers(head, sql, self._schemas().connections(), self._shell.user_ns, is_cell=place.is_cell)
        return start, ranked(offers, prefix)

    def _statement(self, place: Place, head: Head) -> tuple[int, list[Candidate]]:
        from tusk_magics.completion import variables
        from tusk_magics.completion.candidates import candidates
        from tusk_magics.completion.context import context_at, needs_schema

        known = self._schemas().of(head.connection)
        sql, cursor = place.text[head.sql_start :], place.cursor - head.sql_start
        if "--jinja" in head.options and _in_expression(sql, cursor):
            return place.cursor, []
        context = context_at(sql, cursor, known.dialect)
        if context is None:
            return place.cursor, []
        names = [*head.given, *variables.keys(self._shell.user_ns, head.options.get("--params", ""))]
        names += variables.parameters(self._shell.user_ns) if context.typed.parameter else []
        chosen = candidates(context, known.index, known.dialect, parameters=dict.fromkeys(names))
        if (known.index is None or not chosen) and needs_schema(context):
            before, known = known, known if chosen else self._schemas().soon(head.connection)
            if known.stamp != before.stamp:
                return self._statement(place, head)
            chosen = self._note(head.connection, known, sql[context.typed.start : cursor]) + chosen
        return head.sql_start + context.typed.start, chosen

    def _note(self, connection: str | None, known: Known, typed: str) -> list[Candidate]:
        """Return what says, instead of a kind, why there are no names; it stands for what is typed already."""
        from tusk_magics.completion.ranking import Candidate

        if known.failed:
            words = FAILED
        elif self._schemas().is_reading(connection):
            words = READING
        else:
            return []
        return [] if self.toolbar.say(words) else [Candidate(typed, words)]


def _in_expression(sql: str, cursor: int) -> bool:
    """Whether the cursor is in `{{ }}` or `{% %}`, which is no SQL."""
    return any(sql.rfind(begin, 0, cursor) > sql.rfind(end, 0, cursor) for begin, end in (("{{", "}}"), ("{%", "%}")))

"""The query log: one entry, deletion, and the whole of what matches as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

import msgspec

from tusk_jupyter import errors
from tusk_jupyter.protocol import control
from tusk_jupyter.protocol.message import fields_of, replace
from tusk_jupyter.protocol.scenarios import NO_SUCH_NAME
from tusk_widgets.server.handler import Call

PAGE = 1_000
"""Entries that are in memory at a time."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


class ExportLog(control.ReadLog, frozen=True, kw_only=True):
    """What to export. All that matches: `limit`, `offset` and `before` are the export's own."""

    format: str = "csv"
    """csv | json (one object a line) | sql."""


async def one_run(call: Call) -> object:
    """Answer with one entry, by its run's id or the beginning of it.

    Raises:
        UsageError: there is none, or several begin so.
    """
    run = call.names["run"]
    asked = call.read(control.ReadLog, limit=2, count=False)
    page: control.LogPage = await call.access.ask(asked)
    found = [one for one in page.entries if one.run == run] or page.entries
    if not found:
        raise errors.UsageError(f"The query log has no run {run!r}.", scenario=NO_SUCH_NAME)
    if len(found) > 1:
        raise errors.UsageError(f"Several runs begin with {run!r}.", hint="Give more of the id.")
    return found[0]


async def delete_log(call: Call) -> object:
    """Delete what the body names.

    Raises:
        UsageError: it does not say what, or says it twice.
    """
    asked = call.read(control.DeleteLog)
    if sum((bool(asked.runs), asked.until is not None, asked.everything)) != 1:
        raise errors.UsageError("Say what to delete: either `runs`, or `until`, or `everything`.")
    return await call.access.ask(asked)


async def export_log(call: Call) -> None:
    """Stream all entries that match as a file, newest first, page by page.

    Raises:
        UsageError: the filters or the format make no sense; nothing was sent.
    """
    asked = call.read(ExportLog)
    try:
        content_type, suffix, head, lines = _FORMATS[asked.format]
    except KeyError:
        raise errors.UsageError(
            f"The log is not exported as {asked.format!r}; there are {', '.join(_FORMATS)}."
        ) from None
    handler = call.handler
    pages = _pages(call, asked)
    first = await anext(pages)  # what the core refuses is refused before the download begins
    handler.set_header("Content-Type", content_type)
    handler.set_header("Content-Disposition", f'attachment; filename="tusk-log-{datetime.now(UTC):%Y-%m-%d}.{suffix}"')
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.write(head + lines(first))
    await handler.flush()
    async for page in pages:
        handler.write(lines(page))
        await handler.flush()  # waits for the browser: no more than a page lies in memory
    await handler.finish(set_content_type=content_type)


async def _pages(call: Call, asked: ExportLog) -> AsyncIterator[Sequence[control.LogEntry]]:
    """Yield what matches, one page at least; entries that come meanwhile have larger numbers and are no part of it."""
    given = {name: value for name, value in fields_of(asked).items() if name != "format"}
    request = replace(control.ReadLog(**given), limit=PAGE, offset=0, before=None, count=False)
    while True:
        page: control.LogPage = await call.access.ask(request)
        yield page.entries
        if len(page.entries) < PAGE:
            return
        request = replace(request, before=page.entries[-1].seq)


def csv_lines(entries: Sequence[control.LogEntry]) -> str:
    """Return entries as lines of CSV; a text that a spreadsheet would run as a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    for entry in entries:
        writer.writerow([_cell(value) for value in fields_of(entry).values()])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dict):
        value = msgspec.json.encode(value).decode()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def json_lines(entries: Sequence[control.LogEntry]) -> str:
    """Return one JSON object a line."""
    return "".join(msgspec.json.encode(entry).decode() + "\n" for entry in entries)


def sql_lines(entries: Sequence[control.LogEntry]) -> str:
    """Return the statements, each below a comment that says when and where it ran."""
    return "".join(
        f"-- {_one_line(f'{one.started_at} {one.connection} ({one.driver}) {one.status} {one.source}')}\n{one.sql}\n;\n\n"
        for one in entries
    )


def _one_line(text: str) -> str:
    """Nothing that data holds may end the comment."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


_COLUMNS = ",".join(control.LogEntry.__struct_fields__) + "\r\n"
_Lines = Callable[[Sequence[control.LogEntry]], str]
_FORMATS: dict[str, tuple[str, str, str, _Lines]] = {
    "csv": ("text/csv; charset=utf-8", "csv", _COLUMNS, csv_lines),
    "json": ("application/x-ndjson", "jsonl", "", json_lines),
    "sql": ("application/sql; charset=utf-8", "sql", "", sql_lines),
}
"""By name: content type, file name ending, first line, and how entries are written."""

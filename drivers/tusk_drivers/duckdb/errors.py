"""DuckDB's errors as ours.

The instance runs with `errors_as_json`, so an error carries its type, subtype and the offset of its place as fields,
and nothing is read out of its prose but what no field says. An error inside a result's stream comes through Arrow as an
OSError with the same JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import duckdb

from tusk_jupyter import errors
from tusk_jupyter.driverkit.memory import says_so
from tusk_jupyter.protocol.scenarios import hint_for
from tusk_jupyter.sqltext.names import place_of_name

ENGINE_ERRORS = (duckdb.Error, OSError, UnicodeEncodeError)
"""What a call into DuckDB or its Arrow stream raises; pyarrow's errors of a stream are OSErrors."""

_JSON = '{"exception_type"'
_PLAIN = re.compile(r"^(?:([A-Z][A-Za-z -]*?) Error: )?(.*)$", re.DOTALL)
_EXTENSION = re.compile(
    r"[Ee]xtension \"?([\w./-]+?)\"? (?:not found|is an existing)|requires the extension (\w+)|in the (\w+) extension"
)

_ADVICE = (
    "\n\nDid you mean",
    "\nDid you mean",
    "\nCandidate bindings",
    "\n\nPlease try installing",
    "\n\nPossible solutions",
)
_NAMED = re.compile(r'(?:with name|Referenced (?:column|table)) "?([^"\s]+?)"? (?:does not exist|not found|is not)')
_NO_TABLE = re.compile(r"(?:Table|View) with name .* does not exist", re.DOTALL)
_SUBTYPES = {
    "COLUMN_NOT_FOUND": "undefined_column",
    "SYNTAX_ERROR": "syntax",
    "ENTRY_ALREADY_EXISTS": "table_exists",
}
_OUT_OF_MEMORY = "Out of Memory"
_FROM_BELOW = frozenset({"INTERNAL", "FATAL", "IO", "UNKNOWN TYPE", "EXECUTOR", "ERROR"})
"""Types under which DuckDB tells what a library or the system said; a user's own words (`error('...')`) come under others."""

_TYPES = {
    "Parser": "syntax",
    "Syntax": "syntax",
    "Constraint": "constraint",
    _OUT_OF_MEMORY: "memory_limit",
    "Permission": "permission",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What DuckDB says of an error."""

    kind: str
    """Its exception type, as "Binder" or "Out of Memory"."""
    message: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def byte_position(self) -> int | None:
        """Offset into the statement's UTF-8 text, or None."""
        place = self.fields.get("position")
        return int(place) if isinstance(place, str) and place.isdigit() else None


def report_of(exc: BaseException) -> Report:
    """Return what `exc` says, from its JSON, or from its words where the user switched JSON off."""
    text = str(exc)
    if (fields := _fields(text)) is not None:
        return Report(str(fields["exception_type"]), _without_json(str(fields["exception_message"])), fields)
    plain = _PLAIN.match(text.split("\n\nLINE ")[0])
    kind = (plain and plain[1]) or type(exc).__name__.removesuffix("Exception")
    return Report(kind, plain[2] if plain else text)


def _fields(text: str) -> dict[str, Any] | None:
    """Return the fields of an error in a text: there may be something before them, and behind those of an internal one."""
    at = text.find(_JSON)
    if at < 0:
        return None
    try:
        fields, _ = json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        return None
    return fields if "exception_message" in fields else None


def _without_json(message: str) -> str:
    """Return a message that quotes the error before it, as each one after an internal error does, without its fields."""
    fields = _fields(message)
    return message if fields is None else message[: message.find(_JSON)] + str(fields["exception_message"])


def cancelled() -> errors.Cancelled:
    """Return the error of a statement that was stopped."""
    return errors.Cancelled("The statement was cancelled.", scenario="cancelled_by_user", code="Interrupt")


def translate(exc: BaseException, sql: str = "") -> errors.TuskError:
    """Return `exc` as the error to raise.

    Args:
        exc: from DuckDB or from the Arrow stream of its result.
        sql: the text that ran; `position` in the returned error counts characters in it.
    """
    report = report_of(exc)
    if report.kind.upper() == "INTERRUPT" or isinstance(exc, duckdb.InterruptException):
        return cancelled()
    if _ran_out(exc, report):
        report = Report(_OUT_OF_MEMORY, f"There was not enough memory: {report.message}")
    scenario = _scenario(report)
    message, advice = _split_advice(report.message)
    return errors.QueryError(
        message,
        hint=_hint(report, scenario) or advice or hint_for(scenario),
        position=_place(sql, report),
        code=report.kind,
        scenario=scenario,
    )


def _ran_out(exc: BaseException, report: Report) -> bool:
    """Return whether memory was refused: to DuckDB by its limit or by the system, or to Arrow in the stream of a result."""
    if report.kind == _OUT_OF_MEMORY or isinstance(exc, MemoryError):
        return True
    below = report.kind.upper() in _FROM_BELOW or not (report.fields or isinstance(exc, duckdb.Error))
    return below and says_so(report.message)


def _scenario(report: Report) -> str | None:
    if named := _SUBTYPES.get(str(report.fields.get("error_subtype"))) or _TYPES.get(report.kind):
        return named
    text = report.message
    if report.kind == "Catalog" and _NO_TABLE.match(text):
        return "undefined_table"
    if report.kind == "Binder" and text.startswith("Referenced column"):
        return "undefined_column"
    if report.kind in ("TransactionContext", "Transaction"):
        if "aborted" in text:
            return "transaction_failed"
        if "read-only" in text:
            return "read_only"
        return "deadlock" if "onflict" in text else None
    if "read-only mode" in text or "read-only transaction" in text:
        return "read_only"
    if report.kind == "IO":
        if report.fields.get("errno") == "28" or "No space left" in text:
            return "disk_full"
        if report.fields.get("errno") == "2" or "No files found" in text or "working directory" in text:
            return "no_such_file"
        return "file_locked" if "Could not set lock" in text else None
    return "missing_dependency" if _EXTENSION.search(text) else None


_OWN_RELATIONS = ("pragma_", "duckdb_", "sqlite_", "pg_")
"""Views of DuckDB's own, which it finds near any name where the database is empty."""

_OF_OWN_RELATIONS = re.compile(r'Did you mean "(?:[\w.]+\.)?(?:pragma_|duckdb_|sqlite_|pg_)[^"]*"\?\Z')


def _hint(report: Report, scenario: str | None) -> str | None:
    """A better hint than the table's, from what DuckDB itself names."""
    if report.kind.upper() in ("INTERNAL", "FATAL"):
        return "This is a fault within DuckDB, and the session on it has ended. Run the cell again for a new one."
    if found := _EXTENSION.search(report.message):
        name = next(filter(None, found.groups())).rpartition("/")[2].removesuffix(".duckdb_extension")
        if report.message.startswith("Failed to download"):
            return (
                "The extension comes from the address in the message: check that this machine can reach it (proxy, firewall), "
                f"or fetch the file elsewhere, unpack it, and `INSTALL '/path/to/{name}.duckdb_extension'`."
            )
        return (
            f"Run `INSTALL {name}; LOAD {name};` first (this fetches it from the network), or set the connection's "
            "`extensions` to `automatic`."
        )
    if scenario == "deadlock":  # nobody waits in DuckDB: who comes second is refused
        return (
            "Another transaction has changed the same rows or definitions meanwhile: run it again, with all that was in its "
            "transaction."
        )
    near = [name.strip() for name in str(report.fields.get("candidates") or "").split(",")]
    meant = [name for name in near if name and not name.rpartition(".")[2].startswith(_OWN_RELATIONS)]
    if scenario in ("undefined_table", "undefined_column") and meant:
        return f"Did you mean {', '.join(meant[:3])}?"
    return None


def _split_advice(message: str) -> tuple[str, str | None]:
    """Return DuckDB's message without its advice, which is told as a hint, and without its excerpt of the SQL."""
    head = message.split("\n\nLINE ")[0].strip()
    for mark in _ADVICE:
        first, found, rest = head.partition(mark)
        if found:
            advice = " ".join((mark.strip() + rest).split())
            return first.strip(), None if _OF_OWN_RELATIONS.match(advice) else advice
    return head, None


def _place(sql: str, report: Report) -> int | None:
    """Return the offset in characters; where DuckDB gives none, that of the first use of the name it mentions."""
    if report.byte_position is not None:
        return len(sql.encode()[: report.byte_position].decode(errors="replace"))
    found = _NAMED.search(report.message)
    name = str(report.fields.get("name") or (found[1] if found else "")).lower()
    return place_of_name(sql, name, "duckdb") if name else None

r"""What `%sql` and `%%sql` were given, as a pure function of text.

The SQL is the raw rest of the text and is never taken apart: no shell quoting, no expansion, no stripping. Only what
stands *before* it is read, in any order: a connection's name, options, and `NAME <<`. SQL cannot begin with `NAME <<`, so
the sign is an assignment there and a shift operator everywhere else.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass, field
from typing import Any

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_magics.options import OPTION, SqlOptions, begins_option, identifier, read_option

_BLANK = re.compile(r"\s*")
_BLANK_IN_LINE = re.compile(r"[ \t]*")
_ASSIGN = re.compile(r"([^\s<]+)\s*<<(?!<)")
_CONNECTION = re.compile(r"[^\s'\"(),;]+(?=\s|$)")
_KEYWORD = re.compile(r"[A-Za-z]+(?=[^\w.-]|-\d|\Z)")
"""A word before what no connection's name holds: `select*from t`."""
_COMMENT = re.compile(r"\s+|;|--[^\n]*|#[^\n]*|/\*(?!M?!).*?\*/", re.DOTALL)
_QUOTED_NAME = re.compile(r"\s*(?:(['\"(])(?P<quoted>[\w.-]+)['\")]|(?P<signed>[\w.-]+))[;,]*(?=\s|$)")
_TABLE_PART = r"""(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|(?:(?!--|/\*)[^\s.;"`\[\]])+)"""
_TABLE_NAME = re.compile(rf"{_TABLE_PART}(?:\s*\.\s*{_TABLE_PART})*")
_TABLE = re.compile(r"as\s+(\S.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLine:
    """A `%sql` line or `%%sql` cell, read."""

    connection: str | None = None
    options: SqlOptions = field(default_factory=SqlOptions)
    into: str | None = None
    sql: str = ""
    """Exactly as written."""
    table: str | None = None
    """Of `--persist DF AS TABLE`."""


def parse_sql_line(line: str, body: str | None = None) -> SqlLine:
    """Read the text behind `%sql` or `%%sql`.

    Args:
        line: the rest of the magic's own line.
        body: the lines below it; None for a line magic.

    Raises:
        UsageError: an option is unknown or has a wrong value, a name cannot be assigned to, a URL stands for a name.
    """
    head = _Head()
    at = head.read(line)
    rest = line[at:]
    _refuse_options_behind(rest)
    sql = rest if body is None else f"{rest}\n{body}" if rest.strip() else body
    if head.into is None:
        into, start = _assignment(sql, _BLANK.match(sql).end())  # type: ignore[union-attr] # matches always
        head.into, sql = (into, sql[start:]) if into else (None, sql)
    options = SqlOptions(**head.found)
    if head.into and options.into:
        raise UsageError(
            f"The result has two names: {head.into} << and --into {options.into}.", hint="Leave one of them out."
        )
    parsed = SqlLine(connection=head.connection, options=options, into=head.into or options.into, sql=sql)
    return _with_table(parsed) if options.persist or options.append else parsed


def misspelt_keyword(word: str) -> str | None:
    """Return the keyword that `word` was probably meant to be, or None: `SELEC` was read as a connection's name."""
    near = difflib.get_close_matches(word.casefold(), STATEMENT_KEYWORDS, n=1, cutoff=0.8)
    return near[0].upper() if near else None


def quoted_name(sql: str) -> str | None:
    """Return what may be meant as a connection's name at the begin of `sql`, in quotes or before a sign: `'prod'`, `prod;`."""
    match = _QUOTED_NAME.match(sql)
    return match["quoted"] or match["signed"] if match else None


def is_blank(sql: str) -> bool:
    """Return whether `sql` is only blanks, comments and semicolons; `/*! ... */` is code to MySQL."""
    at = 0
    while at < len(sql):
        match = _COMMENT.match(sql, at)
        if match is None:
            return False
        at = match.end()
    return True


def _refuse_options_behind(sql: str) -> None:
    """Refuse an option behind the SQL of the magic's own line: `DELETE FROM t --read-only` would delete, the option a comment.

    Raises:
        UsageError: there is one, however the engine reads backslashes and dollars before it.
    """
    places = {found.start(): found[0] for found in OPTION.finditer(sql)}
    if not places:
        return
    from tusk_jupyter.sqltext.dialects import dialect_named  # for the few lines that need them
    from tusk_jupyter.sqltext.lexer import Kind, tokens

    for name in ("sqlite", "postgresql", "mysql"):
        rules = dataclasses.replace(dialect_named(name), dashes_need_blank=False)
        places = {t.start: places[t.start] for t in tokens(sql, rules) if t.kind is Kind.COMMENT and t.start in places}
    if word := next(iter(places.values()), None):
        raise UsageError(
            f"`{word}` stands behind the SQL, where it would be a comment of SQL.",
            hint=f"Options stand before the SQL: `%sql {word} ... SELECT ...`. A comment has a blank behind the dashes.",
        )


class _Head:
    """What stands before the SQL."""

    def __init__(self) -> None:
        self.connection: str | None = None
        self.into: str | None = None
        self.found: dict[str, Any] = {}

    def read(self, line: str) -> int:
        """Read up to the SQL and return where it begins."""
        at = 0
        while True:
            at = _BLANK_IN_LINE.match(line, at).end()  # type: ignore[union-attr] # matches always
            if begins_option(line, at):
                at = read_option(line, at, self.found)
                continue
            if self.into is None:
                self.into, at = _assignment(line, at)
                if self.into:
                    continue
            name = self._name(line, at)
            if name is None:
                return at
            self.connection = name
            at += len(name)

    def _name(self, line: str, at: int) -> str | None:
        """Return the connection's name at `at`, or None when the SQL begins there."""
        word = _CONNECTION.match(line, at)
        if word is None or self.connection is not None:
            return None
        text = word.group()
        keyword = _KEYWORD.match(text)
        if (keyword and keyword[0].casefold() in STATEMENT_KEYWORDS) or text.startswith(("--", "/*", "#")):
            return None
        if self.found.keys() & {"persist", "append"} and text.casefold() == "as":
            return None
        if "://" in text:
            raise url_for_name()
        return text


def url_for_name() -> UsageError:
    """Return the error for a URL in place of a connection's name; it does not repeat the URL."""
    return UsageError(
        "`%sql` takes the name of a configured connection, not a URL.",
        hint="Add it once with `%tusk connect NAME URL` (the password is asked for), then use `%%sql NAME`.",
    )


def _assignment(text: str, at: int) -> tuple[str | None, int]:
    """Return the NAME of `NAME <<` at `at` and the place of what follows, or None and `at`."""
    match = _ASSIGN.match(text, at)
    if match is None or match.group(1).casefold() in STATEMENT_KEYWORDS or not re.match(r"[\w-]", match.group(1)):
        return None, at
    end = match.end()
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    return identifier(match.group(1)), end


def _table_name(text: str, flag: str) -> str:
    """Return a table's name as it is written, without what follows: comments, a semicolon."""
    match = _TABLE_NAME.match(text)
    rest = text[match.end() :] if match else text
    if match is None or not is_blank(rest):
        raise UsageError(
            f"Behind `{flag} AS` one table's name is expected, not {text.splitlines()[0]!r}.",
            hint=f'A name with blanks or signs goes in quotes: `%sql {flag} AS "My table"`.',
        )
    return match.group()


def _with_table(parsed: SqlLine) -> SqlLine:
    """Read `AS TABLE` behind --persist or --append."""
    options, rest = parsed.options, parsed.sql.strip()
    if options.persist and options.append:
        raise UsageError(
            "--persist and --append exclude each other.", hint="--persist makes the table, --append adds to it."
        )
    flag, frame = ("--persist", options.persist) if options.persist else ("--append", options.append)
    match = _TABLE.fullmatch(rest)
    if rest and match is None:
        raise UsageError(
            f"{flag} takes no SQL; behind `{flag} {frame}` stood {rest.splitlines()[0]!r}.",
            hint=f"Write `%sql {flag} {frame}` or `%sql {flag} {frame} AS TABLE`.",
        )
    table = _table_name(match.group(1), f"{flag} {frame}") if match else frame
    return SqlLine(connection=parsed.connection, options=options, into=parsed.into, sql="", table=table)

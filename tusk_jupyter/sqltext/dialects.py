"""The lexical rules in which SQL engines differ, as data.

Only what decides where a literal, a comment or a statement ends is here: no grammar. A rule that an engine can switch
at run time (MySQL's ANSI_QUOTES and NO_BACKSLASH_ESCAPES, PostgreSQL's standard_conforming_strings) has its default;
whoever must know better (a guard of read-only sessions) reads a text by `dataclasses.replace(dialect, ...)`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tusk_jupyter.errors import UsageError


class Body(enum.StrEnum):
    """How a statement may hold other statements between BEGIN and END."""

    NONE = "none"
    ATOMIC = "atomic"
    """Only `BEGIN ATOMIC ... END` of a function or procedure (PostgreSQL 14)."""
    TRIGGER = "trigger"
    """Only a trigger's `BEGIN ... END` (SQLite)."""
    ROUTINE = "routine"
    """Routines, triggers and events with nested blocks, IF, CASE and loops (MySQL, MariaDB, the SQL standard's PSM)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Lexical rules of one engine."""

    name: str
    nested_comments: bool = False
    """`/* a /* b */ c */` is one comment."""
    hash_comments: bool = False
    """`#` begins a comment that lasts to the end of the line."""
    dashes_need_blank: bool = False
    """`--` begins a comment only before a blank or the end: `5--3` is 8."""
    cr_ends_comments: bool = False
    """A carriage return ends a `--` comment, as a line feed does."""
    code_comments: bool = False
    """`/*! ... */` and `/*M! ... */` are code."""
    backslash_escapes: bool = False
    """Every literal takes `\\'` as a quote."""
    escape_strings: bool = False
    """`E'...'` takes backslash escapes, other literals do not."""
    double_quoted_strings: bool = False
    """`"..."` is a literal, not a name."""
    names_take_all_unicode: bool = False
    """Every character beyond ASCII is a letter, no-break spaces and signs included."""
    unicode_blanks: bool = False
    """... but for Unicode's blanks, which are blanks."""
    backtick_names: bool = False
    bracket_names: bool = False
    """`[...]` is a name; otherwise brackets are subscripts and arrays."""
    mode_bracket_names: bool = False
    """`[...]` is a name, with `]]` for `]`, in a mode of the server (MariaDB's MSSQL), and no SQL at all in every other one."""
    dollar_quotes: bool = False
    """`$$...$$` and `$tag$...$tag$`."""
    body: Body = Body.NONE
    delimiter_lines: bool = False
    """The client's `DELIMITER //` lines change the separator."""
    psql_lines: bool = False
    r"""A script may hold lines of its client: `\connect shop`, and rows behind `COPY t FROM stdin;` up to `\.`."""
    rules_in_parentheses: bool = False
    """`CREATE RULE ... DO (a; b)` holds separators between parentheses."""


ANSI = Dialect(name="ansi", backtick_names=True, body=Body.ROUTINE)
"""What most engines share; for drivers of engines that are not in the table."""

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        ANSI,
        Dialect(
            name="postgresql",
            nested_comments=True,
            cr_ends_comments=True,
            names_take_all_unicode=True,
            escape_strings=True,
            dollar_quotes=True,
            body=Body.ATOMIC,
            psql_lines=True,
            rules_in_parentheses=True,
        ),
        Dialect(
            name="mysql",
            hash_comments=True,
            dashes_need_blank=True,
            code_comments=True,
            names_take_all_unicode=True,
            backslash_escapes=True,
            double_quoted_strings=True,
            backtick_names=True,
            mode_bracket_names=True,
            body=Body.ROUTINE,
            delimiter_lines=True,
        ),
        Dialect(name="sqlite", names_take_all_unicode=True, backtick_names=True, bracket_names=True, body=Body.TRIGGER),
        Dialect(
            name="duckdb",
            nested_comments=True,
            cr_ends_comments=True,
            names_take_all_unicode=True,
            unicode_blanks=True,
            escape_strings=True,
            backtick_names=True,
            dollar_quotes=True,
        ),
    )
}
"""Every known dialect by the name that a driver's manifest gives."""


def dialect_named(name: str) -> Dialect:
    """Return the rules of a dialect.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        raise UsageError(
            f"Unknown SQL dialect {name!r}; known: {', '.join(sorted(DIALECTS))}.",
            hint="A driver for an engine that is not listed declares `ansi`, or the one its engine resembles.",
        ) from None

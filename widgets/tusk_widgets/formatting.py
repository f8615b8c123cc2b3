"""SQL laid out for reading.

sqlglot decides where lines begin and how far they are indented; every sign that is no blank stays as it was written. For what
sqlglot prints is its own SQL: `:name` becomes `%(name)s`, a VARCHAR a TEXT, `now()` a CURRENT_TIMESTAMP, and with them types
and column names. So its lines are laid over the tokens of the text (`layout`), only well-known keywords change their case, and
the result must have the same tokens, comments included, by the engine's own lexical rules; or nothing is changed.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.dialects import Dialect, dialect_named
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_widgets.layout import KEYWORDS, lay_out

LONGEST = 100_000
"""Characters; sqlglot needs some seconds for them."""

_SQLGLOTS_NAME = {"ansi": "", "postgresql": "postgres"}
_JINJA = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_JINJA_BLOCK = re.compile(r"\{[%#]")


def format_sql(sql: str, dialect: str) -> str:
    """Return SQL with lines and indents for reading.

    Args:
        sql: one or more statements; `:name` placeholders, `{{ jinja }}` values and comments stay.
        dialect: a name of `sqltext.dialects`.

    Raises:
        UsageError: it cannot be parsed, or not be laid out for certain without a change of what it means.
    """
    rules = dialect_named(dialect)
    if len(sql) > LONGEST:
        raise UsageError(f"The text has {len(sql):,} characters; at most {LONGEST:,} are formatted.")
    if _JINJA_BLOCK.search(sql):
        raise UsageError("SQL with Jinja blocks is not formatted: what they make of it is only known when it runs.")
    values = _JINJA.findall(sql)
    text = _with_names(sql)
    if not text.strip():
        return sql
    _check_order(text, tokens(text, rules))
    result = lay_out(text, _printed(text, dialect), rules)
    if _essence(result, rules) != _essence(text, rules):
        raise UsageError(
            "This SQL cannot be laid out for certain without a change of what it means; nothing was changed."
        )
    for number, value in enumerate(values):
        result = result.replace(_name(number), value)
    return result


def _with_names(sql: str) -> str:
    """Return the text with a name in the place of each `{{ value }}`."""
    if _name(0)[:-2] in sql:
        raise UsageError(f"SQL that holds {_name(0)[:-2]!r} is not formatted.")
    numbers = iter(range(len(sql)))
    return _JINJA.sub(lambda _: _name(next(numbers)), sql)


def _name(number: int) -> str:
    return f"tusk_jinja_{number}_"


def _check_order(sql: str, found: Sequence[Token]) -> None:
    """Refuse text whose order sqlglot does not keep: `FROM t SELECT a`, and a client's own lines."""
    fronts: list[bool] = [False]
    fresh = True
    for token in found:
        word = sql[token.start : token.end].upper()
        if token.kind is Kind.DIRECTIVE:
            raise UsageError("SQL with DELIMITER lines is not formatted.")
        if token.kind is Kind.COMMENT:
            continue
        if token.kind is Kind.SEPARATOR:
            fronts = [False]
        elif token.kind is Kind.OPEN:
            fronts.append(False)
        elif token.kind is Kind.CLOSE and len(fronts) > 1:
            fronts.pop()
        elif word == "FROM" and fresh:
            fronts[-1] = True
        elif word == "SELECT" and fronts[-1]:
            raise UsageError("A query that has FROM before SELECT is not formatted.")
        fresh = token.kind in (Kind.SEPARATOR, Kind.OPEN)


def _printed(sql: str, dialect: str) -> str:
    """Return what sqlglot makes of SQL.

    Raises:
        UsageError: it cannot parse it.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

    name = _SQLGLOTS_NAME.get(dialect, dialect)
    try:
        with _silent():
            parsed = [one for one in sqlglot.parse(sql, read=name, error_level=ErrorLevel.IMMEDIATE) if one is not None]
            if any(one.find(exp.Command) for one in parsed):
                raise UsageError("sqlglot cannot parse this kind of statement, so it is not formatted.")
            return ";\n\n".join(
                one.sql(dialect=name, pretty=True, comments=False, unsupported_level=ErrorLevel.IGNORE)
                for one in parsed
            )
    except ParseError as exc:
        found = exc.errors[0] if exc.errors else {}
        place = f" at line {found['line']}, column {found['col']}" if found.get("line") else ""
        reason = str(found.get("description") or "unknown syntax").partition(" but got")[0].rstrip(".")
        raise UsageError(f"sqlglot cannot parse this{place}: {reason}.") from None
    except SqlglotError:
        raise UsageError("sqlglot cannot read this: a quote or a comment has no end.") from None
    except RecursionError:
        raise UsageError("sqlglot cannot parse this: it is nested too deeply.") from None


@contextmanager
def _silent() -> Iterator[None]:
    """Keep sqlglot's warnings of this thread out of the log: they quote the SQL, which may hold a password."""
    logger = logging.getLogger("sqlglot")
    this = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != this

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def _essence(sql: str, dialect: Dialect) -> list[tuple[Kind, str]]:
    """Return what must not change."""
    return [(token.kind, _word(sql, token)) for token in tokens(sql, dialect)]


def _word(sql: str, token: Token) -> str:
    text = sql[token.start : token.end]
    if token.kind is Kind.COMMENT:
        return text.rstrip()
    return text.upper() if token.kind is Kind.WORD and text.upper() in KEYWORDS else text

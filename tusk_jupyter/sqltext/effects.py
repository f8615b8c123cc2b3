"""What SQL leaves behind in its session: whether the session can be replaced by a fresh one without anybody missing it.

Decision to question: what is not known to leave nothing counts as state; a session that is kept for nothing costs an idle
connection, one that is given up for nothing costs a table: `DELETE FROM orders` then meets the permanent one. What is known
differs by engine:

- SQLite and DuckDB have no stored functions that write: relations are reads, and so is a call of the engine's own functions
  (`own_functions`). A user's macro may call DuckDB's `nextval` or `setseed`, so that a name which is not known is state.
- MySQL and MariaDB have them: a view may call one. So a relation is state; their own functions stand before anybody's of
  the same name, but only where the parenthesis follows at once.
- PostgreSQL resolves every function, operator and type by the search path and the arguments, so that anybody's may stand
  before the built-in one: only literals are known. So it is for every engine that is not in the table.

No server lists all that a session holds, so that nobody can ask it instead: PostgreSQL shows no settings of a user's own
(`app.tenant`, by which row-level security decides), MariaDB 10.11 no temp tables.
"""

from __future__ import annotations

import enum
import functools
import operator
import re
from collections.abc import Iterator, Sequence

from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.sqltext.lexer import Kind, Token, tokens
from tusk_jupyter.sqltext.own_functions import READING

LONGEST = 65_536
"""Characters that are looked through; a longer text counts as state, for reading it would cost as much as running it."""


REMEMBERED = 1_000
_NAMES_AND_NUMBERS = re.compile(r"select[\w\s,.()*<>=+;]*", re.IGNORECASE)


class Effect(enum.IntFlag):
    """What a text does beyond reading."""

    READS = 0
    TRANSACTION = 1
    """It begins or ends transactions: what that leaves in the session is what the driver tells of its transaction."""
    SHARED = 2
    """It makes or drops tables, views or indexes that every session of the database sees."""
    STATE = 4
    """Temp tables, settings, a current schema, prepared statements, locks, the last id: or nobody knows."""


def effect_of(sql: str, dialect_name: str) -> Effect:
    """Return what `sql` does beyond reading; everything that is not known counts as state."""
    if len(sql) <= REMEMBERED and _NAMES_AND_NUMBERS.fullmatch(sql):
        return _remembered(sql, dialect_name)
    return _effect_of(sql, dialect_name)


def _effect_of(sql: str, dialect_name: str) -> Effect:
    if not _BEGINS_HARMLESSLY.match(sql) or len(sql) > LONGEST or dialect_name not in DIALECTS:
        return Effect.STATE
    found = [one for one in tokens(sql, DIALECTS[dialect_name]) if one.kind is not Kind.COMMENT]
    effects = (_of_statement(sql, part, dialect_name) for part in _parts(found))
    return functools.reduce(operator.or_, effects, Effect.READS)


_remembered = functools.lru_cache(maxsize=256)(_effect_of)
"""Cells are run again and again. No text with a literal, a comment or a setting is kept, in which a secret could be."""


def calls_of_others(sql: str, dialect_name: str) -> frozenset[str]:
    """Return the names, in upper case, that one statement calls and that are none of its engine's own functions that read.

    Where nothing is known of an engine's functions, all that it calls.
    """
    part = [token for token in tokens(sql, DIALECTS[dialect_name]) if token.kind is not Kind.COMMENT]
    words = [_word(sql, token) for token in part]
    own = READING.get(dialect_name, frozenset())
    found = {name for name in _called(sql, part, words) if name not in own}
    qualified = (
        words[at]
        for at in range(1, len(part) - 1)
        if words[at] and _text(sql, part[at - 1]) == "." and _text(sql, part[at + 1]) == "("
    )
    return frozenset(found.union(qualified))


def _parts(found: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the tokens between separators; what holds statements within itself is state before it matters where it ends."""
    start = 0
    for index, token in enumerate(found):
        if token.kind in (Kind.SEPARATOR, Kind.DIRECTIVE):
            if index > start:
                yield found[start:index]
            start = index + 1
    if start < len(found):
        yield found[start:]


def _of_statement(sql: str, part: Sequence[Token], dialect_name: str) -> Effect:
    words = [_word(sql, token) for token in part]
    named = [word for word in words if word]
    first = named[0] if named else ""
    if first in _TRANSACTION and _is_control(words):
        return Effect.TRANSACTION
    if dialect_name not in READING:
        is_known = (first == "SHOW" and dialect_name == "postgresql") or _is_of_literals(sql, part)
        return Effect.READS if is_known else Effect.STATE
    if dialect_name == "mysql":
        return Effect.READS if _reads_nothing_of_anybody(sql, part, words) else Effect.STATE
    if first == "EXPLAIN":
        explained = part[_end_of_explain(words) :]
        return _of_statement(sql, explained, dialect_name) if explained else Effect.STATE
    return _of_embedded(sql, part, words, dialect_name)


def _of_embedded(sql: str, part: Sequence[Token], words: Sequence[str], dialect_name: str) -> Effect:
    """Return what a statement does on an engine without stored functions that write.

    Only where a statement begins are SET, LOAD, ATTACH and the like what they are: elsewhere they are names of columns.
    """
    named = [word for word in words if word]
    first = named[0] if named else ""
    if first == "PRAGMA":
        return _of_pragma(sql, part, words, dialect_name)
    shared = first in _CHANGES_FOR_ALL and _object(named) in _OBJECTS
    if not (shared or first in _READS) or ("WITH" in named and _changes_rows(part, words)):
        return Effect.STATE
    if any(name not in READING[dialect_name] for name in _called(sql, part, words)):
        return Effect.STATE
    if shared:
        return Effect.SHARED if _is_plainly_named(sql, part, words) else Effect.STATE
    return Effect.READS


def _end_of_explain(words: Sequence[str]) -> int:
    """Return where the statement behind EXPLAIN begins."""
    at = words.index("EXPLAIN") + 1
    while at < len(words) and words[at] in _OF_EXPLAIN:
        at += 1
    if words[at : at + 1] == [""] and not _OF_EXPLAIN.isdisjoint(
        words[at + 1 : at + 2]
    ):  # EXPLAIN (ANALYZE, FORMAT json)
        at += 1
        while at < len(words) and (words[at] in _OF_EXPLAIN or not words[at] or words[at - 1] in _OF_EXPLAIN):
            at += 1
    return at


def _changes_rows(part: Sequence[Token], words: Sequence[str]) -> bool:
    """Return whether a statement with WITH inserts, updates, deletes or copies: in one of its queries, or behind them."""
    return any(
        words[at] in _CHANGES_ROWS
        and part[at - 1].kind in (Kind.OPEN, Kind.CLOSE)
        and part[at].kind is Kind.WORD
        and part[at + 1].kind in (Kind.WORD, Kind.NAME, Kind.STRING, Kind.OPEN)
        for at in range(1, len(part) - 1)
    )


def _is_of_literals(sql: str, part: Sequence[Token]) -> bool:
    """Return whether a statement has nothing but literals: no relation, function, operator or type that may be anybody's."""
    for at, token in enumerate(part):
        word = _text(sql, token).upper()
        if token.kind in (Kind.WORD, Kind.NAME):
            known = word in _AROUND_LITERALS or (at == 0 and word == "EXPLAIN")
            if not known and not _is_plain_alias(sql, part, at):
                return False
        elif token.kind in (Kind.OPERATOR, Kind.OPEN, Kind.CLOSE, Kind.COLON) and word not in (",", "(", ")"):
            return False
        elif token.kind is Kind.STRING and "\\" in word:
            return False  # where it ends is a setting of the server
    return True


def _is_plain_alias(sql: str, part: Sequence[Token], at: int) -> bool:
    """Return whether a name is that of a column and no more: no type of a literal, no function, no part of a longer name."""
    following = part[at + 1].kind if at + 1 < len(part) else None
    ends = following in (None, Kind.OPERATOR, Kind.WORD, Kind.CLOSE) and not _is_dotted(sql, part, at)
    return ends and at > 0 and _text(sql, part[at - 1]).upper() == "AS"


def _reads_nothing_of_anybody(sql: str, part: Sequence[Token], words: Sequence[str]) -> bool:
    """Return whether a statement of MySQL or MariaDB reads no relation and calls none but the engine's own functions."""
    named = [word for word in words if word]
    first = named[0] if named else ""
    if first not in _READS or (first == "SHOW" and not {"SELECT", "WHERE"}.isdisjoint(named)):
        return False
    if first != "SHOW" and not _BEFORE_RELATIONS.isdisjoint(named):
        return False
    if any(_is_clause(sql, part, words, at) for at in range(len(part))) or _assigns(sql, part):
        return False
    text = sql[part[0].start : part[-1].end]
    if "\\" in text or "/*!" in text or "/*M!" in text:  # settings and the server's version decide what is code
        return False
    for at, token in enumerate(part[:-1]):
        if part[at + 1].kind is not Kind.OPEN or token.kind not in (Kind.WORD, Kind.NAME, Kind.STRING):
            continue
        if token.kind is not Kind.WORD or _is_dotted(sql, part, at):
            return False
        own = words[at] in READING["mysql"] and token.end == part[at + 1].start
        if not own and words[at] not in _RESERVED_BEFORE_PARENTHESES:
            return False
    return True


def _is_clause(sql: str, part: Sequence[Token], words: Sequence[str], at: int) -> bool:
    """Return whether a word begins a clause that leaves something, and is no name: `1 AS next`, `@@session.sql_mode`."""
    if part[at].kind is not Kind.WORD or words[at] not in _LEAVES_STATE:
        return False
    return at == 0 or not (words[at - 1] == "AS" or _text(sql, part[at - 1]).endswith((".", "@")))


def _is_plainly_named(sql: str, part: Sequence[Token], words: Sequence[str]) -> bool:
    """Return whether what a CREATE, ALTER or DROP is about has a name that reads as what it is, and not in the temp schema.

    SQLite takes a literal for a name (`create table 'temp'.orders`), and a name may have escapes in it (`U&"..."`).
    """
    at = next(index for index, word in enumerate(words) if word in _OBJECTS) + 1
    while at < len(part) and part[at].kind is Kind.WORD and words[at] in _MODIFIERS:
        at += 1
    while at < len(part):
        plain = part[at].kind is Kind.WORD or (part[at].kind is Kind.NAME and sql[part[at].start] not in "uU")
        if not plain:
            return False
        if at + 1 == len(part) or _text(sql, part[at + 1]) != ".":
            return True
        if words[at] in _TEMPORARY:
            return False
        at += 2
    return False


def _is_control(words: Sequence[str]) -> bool:
    """Return whether a statement that begins like one controls a transaction, and holds nothing else."""
    return all(
        word in _OF_TRANSACTIONS or before in _NAMES_FOLLOW for before, word in zip(["", *words], words, strict=False)
    )


def _text(sql: str, token: Token) -> str:
    return sql[token.start : token.end]


def _is_dotted(sql: str, part: Sequence[Token], at: int) -> bool:
    """Return whether a name is part of a longer one: `a.b`."""
    around = (part[at - 1] if at else None, part[at + 1] if at + 1 < len(part) else None)
    return any(one is not None and _text(sql, one) == "." for one in around)


def _word(sql: str, token: Token) -> str:
    """Return a word or a quoted name in upper case, "" for anything else."""
    if token.kind is Kind.WORD:
        return sql[token.start : token.end].upper()
    return sql[token.start + 1 : token.end - 1].upper() if token.kind is Kind.NAME else ""


def _object(named: Sequence[str]) -> str:
    """Return what a CREATE, ALTER or DROP is about."""
    return next((word for word in named[1:] if word not in _MODIFIERS), "")


def _of_pragma(sql: str, part: Sequence[Token], words: Sequence[str], dialect_name: str) -> Effect:
    if len(part) > 3 and _text(sql, part[2]) == ".":  # PRAGMA main.user_version
        words = [words[0], *words[3:]]
    name = words[1] if len(words) > 1 else ""
    asks = name in _ASKING_PRAGMAS or (bool(name) and len(words) == 2 and dialect_name == "sqlite")
    return Effect.READS if asks else Effect.STATE


def _assigns(sql: str, part: Sequence[Token]) -> bool:
    """Return whether a statement sets a variable: `@n := 1`."""
    return any(token.kind is Kind.OPERATOR and sql[token.start : token.end] == ":=" for token in part)


def _called(sql: str, part: Sequence[Token], words: Sequence[str]) -> Iterator[str]:
    """Yield what is called as a function: names before a parenthesis that are no keyword, type, alias or column list.

    A name behind a dot is yielded like any: `name.upper()` is a call of DuckDB's own function with a column.
    """
    for at in range(len(part) - 1):
        if part[at].kind not in (Kind.WORD, Kind.NAME) or _text(sql, part[at + 1]) != "(":
            continue
        if words[at] in _BEFORE_PARENTHESES and part[at].kind is Kind.WORD:
            continue
        if at and _is_declared(sql, part, words, at):
            continue
        if words[at].startswith("PRAGMA_") and words[at].removeprefix("PRAGMA_") in _ASKING_PRAGMAS:
            continue
        if not _heads_query(part, words, at):
            yield words[at]


def _is_declared(sql: str, part: Sequence[Token], words: Sequence[str], at: int) -> bool:
    """Return whether a name before a parenthesis is an alias, a type or part of a clause by what stands before it."""
    before, second = words[at - 1], words[at - 2] if at > 1 else ""
    if part[at - 1].kind is Kind.CLOSE or before in _BEFORE_ALIASES or _text(sql, part[at - 1]) == "::":
        return True
    if second in ("FROM", "JOIN") and before and before != "LATERAL":  # FROM t AS a (b), without its AS
        return True
    if words[at] in _SAMPLES:
        return before in ("TABLESAMPLE", "SAMPLE")
    if words[at] == "RENAME":
        return _text(sql, part[at - 1]) == "*"
    return words[0] == "CREATE" and before == "ON"  # CREATE INDEX i ON t (a); elsewhere a condition begins there


def _heads_query(part: Sequence[Token], words: Sequence[str], at: int) -> bool:
    """Return whether a name with columns in parentheses is that of a query: `WITH t (a) AS (...)`."""
    depth = 0
    for index in range(at + 1, len(part)):
        depth += (part[index].kind is Kind.OPEN) - (part[index].kind is Kind.CLOSE)
        if depth > 1:
            return False  # a list of columns holds no call: deep ones would be read to their end at each level
        if not depth:
            follows = index + 1
            while follows < len(part) and words[follows] in _BEFORE_QUERIES:
                follows += 1
            return index + 1 < follows < len(part) and part[follows].kind is Kind.OPEN
    return False


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.upper().split())


_READS = _listed(
    "select values table with from show explain desc describe summarize pivot unpivot pivot_wider pivot_longer"
)
_CHANGES_FOR_ALL = _listed("create alter drop")
_OBJECTS = _listed("table view index")
_MODIFIERS = _listed("or replace unique if not exists materialized unlogged fulltext spatial")
_LEAVES_STATE = _listed(
    """
    into insert update delete merge set call execute prepare deallocate do declare load lock locks sql_calc_found_rows handler
    next nextval
    """
)
"""Words of MySQL and MariaDB that a harmless statement does without, unless they are names."""
_CHANGES_ROWS = _listed("insert update delete merge replace copy truncate")
_TEMPORARY = _listed("temp temporary pg_temp")
_OF_EXPLAIN = _listed("analyze verbose format query plan costs buffers timing summary")
_TRANSACTION = _listed("begin start commit rollback end abort savepoint release")
_OF_TRANSACTIONS = _TRANSACTION | _listed(
    """
    work transaction isolation level read only write serializable repeatable committed uncommitted deferrable not deferred
    immediate exclusive concurrent consistent snapshot with and no chain to
    """
)
_NAMES_FOLLOW = _listed("savepoint to release")
_ASKING_PRAGMAS = _listed(
    """
    table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list foreign_key_check integrity_check
    quick_check database_list database_size collation_list function_list module_list pragma_list compile_options show_tables
    show_tables_expanded show_databases storage_info version platform metadata_info show collations functions user_agent
    extension_versions
    """
)
_BEFORE_PARENTHESES = _listed(
    """
    all and any array as asc between by case cast coalesce conflict cross cube decimal dec desc describe distinct else escape
    except exclude exists explain extract fetch filter for from full group grouping having ilike in inner intersect interval is
    isnull join key lateral left like limit match materialized natural not notnull null nulls numeric of offset on only or order
    outer over partition primary qualify range recursive references regexp replace right rlike rollup row rows select sets
    similar some struct then to top trim try_cast union unique unnest using values varchar character varying char bpchar nchar
    nvarchar varbinary binary bit varbit time timestamp timestamptz timetz double float integer int bigint smallint number
    numeric window when where while with within without analyze verbose costs buffers format check constraint foreign index
    view table columns pivot unpivot try default text tinyint mediumint blob real boolean
    """
)
"""Keywords and types that a parenthesis follows, and functions that are keywords."""
_BEFORE_ALIASES = _listed("as table view index into exists recursive references")
_BEFORE_QUERIES = _listed("as not materialized using key")
_SAMPLES = _listed("reservoir bernoulli system")
_AROUND_LITERALS = _listed("select values as null true false all union analyze")
"""Words of PostgreSQL that no function and no type can have for a name unless it is quoted."""
_BEFORE_RELATIONS = _listed("from join table straight_join")
_RESERVED_BEFORE_PARENTHESES = _listed(
    """
    all and as asc between by case char convert decimal desc distinct div double else exists explain float for group having if
    in int interval is left like limit mod not null on or order regexp repeat replace right rlike select then union using values
    varchar when where with xor
    """
)
"""Words of MySQL and MariaDB that name no function of anybody's unless they are quoted."""

_BEGINS_HARMLESSLY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/|;|\#[^\n]*\n)*+"
    r"(?:select|values|table|with|from|show|explain|desc|describe|summarize|pivot|unpivot|pivot_wider|pivot_longer"
    r"|create|alter|drop|pragma|begin|start|commit|rollback"
    r"|end|abort|savepoint|release)\b",
    re.IGNORECASE,
)
"""A first look that most statements which leave something do not pass, so that their text is not read."""

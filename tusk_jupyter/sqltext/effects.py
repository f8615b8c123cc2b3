"""What SQL leaves behind in its session: whether the session can be replaced by a fresh one without anybody missing it.

Decision to question: what is not known to leave nothing counts as state; a session that is kept for nothing costs an idle
connection, one that is given up for nothing costs a table: `DELETE FROM orders` then meets the permanent one. What is known
differs by engine:

- SQLite and DuckDB have no stored functions: relations are reads, and a list has the functions that leave nothing.
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

LONGEST = 65_536
"""Characters that are looked through; a longer text counts as state, for reading it would cost as much as running it."""


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
    if not _BEGINS_HARMLESSLY.match(sql) or len(sql) > LONGEST or dialect_name not in DIALECTS:
        return Effect.STATE
    found = [one for one in tokens(sql, DIALECTS[dialect_name]) if one.kind is not Kind.COMMENT]
    effects = (_of_statement(sql, part, dialect_name) for part in _parts(found))
    return functools.reduce(operator.or_, effects, Effect.READS)


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
    if dialect_name not in _FUNCTIONS:
        is_known = (first == "SHOW" and dialect_name == "postgresql") or _is_of_literals(sql, part)
        return Effect.READS if is_known else Effect.STATE
    if not _LEAVES_STATE.isdisjoint(named) or _assigns(sql, part):
        return Effect.STATE
    if dialect_name == "mysql":
        return Effect.READS if _reads_nothing_of_anybody(sql, part, words) else Effect.STATE
    return _of_embedded(sql, part, words, dialect_name)


def _of_embedded(sql: str, part: Sequence[Token], words: Sequence[str], dialect_name: str) -> Effect:
    """Return what a statement does on an engine without stored functions."""
    named = [word for word in words if word]
    first = named[0] if named else ""
    if first == "PRAGMA":
        return _of_pragma(words, dialect_name)
    shared = first in _CHANGES_FOR_ALL and _object(named) in _OBJECTS
    if not (shared or first in _READS) or any(
        name not in _FUNCTIONS[dialect_name] for name in _called(sql, part, words)
    ):
        return Effect.STATE
    if shared:
        return Effect.SHARED if _is_plainly_named(sql, part, words) else Effect.STATE
    return Effect.READS


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
    text = sql[part[0].start : part[-1].end]
    if "\\" in text or "/*!" in text or "/*M!" in text:  # settings and the server's version decide what is code
        return False
    for at, token in enumerate(part[:-1]):
        if part[at + 1].kind is not Kind.OPEN or token.kind not in (Kind.WORD, Kind.NAME, Kind.STRING):
            continue
        if token.kind is not Kind.WORD or _is_dotted(sql, part, at):
            return False
        own = words[at] in _FUNCTIONS["mysql"] and token.end == part[at + 1].start
        if not own and words[at] not in _RESERVED_BEFORE_PARENTHESES:
            return False
    return True


def _is_plainly_named(sql: str, part: Sequence[Token], words: Sequence[str]) -> bool:
    """Return whether what a CREATE, ALTER or DROP is about has a name that reads as what it is.

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


def _of_pragma(words: Sequence[str], dialect_name: str) -> Effect:
    named = [word for word in words[1:] if word]
    asks = bool(named) and (named[0] in _ASKING_PRAGMAS or (len(words) == 2 and dialect_name == "sqlite"))
    return Effect.READS if asks else Effect.STATE


def _assigns(sql: str, part: Sequence[Token]) -> bool:
    """Return whether a statement sets a variable: `@n := 1`."""
    return any(token.kind is Kind.OPERATOR and sql[token.start : token.end] == ":=" for token in part)


def _called(sql: str, part: Sequence[Token], words: Sequence[str]) -> Iterator[str]:
    """Yield what is called as a function: names before a parenthesis that are no keyword, type or alias.

    A name with a schema before it, or in quotes, is yielded as "": it may be anybody's.
    """
    creates = "CREATE" in words[:1]
    for at in range(len(part) - 1):
        if part[at + 1].kind is not Kind.OPEN or part[at].kind not in (Kind.WORD, Kind.NAME):
            continue
        before = part[at - 1] if at else None
        if words[at] in _BEFORE_PARENTHESES and part[at].kind is Kind.WORD:
            continue
        if before is not None and (before.kind is Kind.CLOSE or words[at - 1] in _BEFORE_ALIASES):
            continue
        if creates and words[at - 1] == "ON":  # CREATE INDEX i ON t (a); elsewhere a condition begins there
            continue
        yield "" if part[at].kind is Kind.NAME or _is_dotted(sql, part, at) else words[at]


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.upper().split())


_READS = _listed("select values table with from show explain desc describe summarize")
_CHANGES_FOR_ALL = _listed("create alter drop")
_OBJECTS = _listed("table view index")
_MODIFIERS = _listed("or replace unique if not exists materialized unlogged fulltext spatial")
_LEAVES_STATE = _listed(
    """
    into insert update delete merge upsert temp temporary pg_temp set call execute prepare deallocate do declare refresh attach
    detach use load install copy export import lock locks listen notify sql_calc_found_rows global session reset discard
    handler next nextval
    """
)
"""Words that a harmless statement does without, wherever they stand (EXPLAIN ANALYZE, WITH x AS (DELETE ...), SELECT INTO)."""
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
    show_tables_expanded show_databases storage_info version platform metadata_info
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
    view table
    """
)
"""Keywords and types that a parenthesis follows, and functions that are keywords."""
_BEFORE_ALIASES = _listed("as table view index into exists recursive references")
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
_FUNCTIONS = {
    "duckdb": _listed(
        """
        abs acos age any_value approx_count_distinct array_agg array_append array_length array_position
        array_to_string ascii asin atan atan2 avg bin bit_and bit_count bit_length bit_or bool_and bool_or ceil
        ceiling char_length character_length chr concat concat_ws cos cot count cume_dist current_database
        current_date current_schema current_setting current_user date_add date_diff date_part date_sub date_trunc
        datediff day dayname dayofmonth dayofweek dayofyear decode degrees dense_rank encode epoch epoch_ms exp first
        first_value floor format format_type gcd gen_random_uuid generate_series generate_subscripts getvariable glob
        greatest group_concat hash hex hour if instr isfinite json json_array json_array_length json_each json_extract
        json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object json_object
        json_tree json_type json_valid json_value lag last last_day last_value lcase lead least len length list
        list_aggregate list_contains list_value ln log log10 log2 lower lpad ltrim make_date make_time make_timestamp
        map max md5 median microsecond min minute mod mode month monthname now nth_value ntile nullif obj_description
        octet_length ord overlay parquet_schema percent_rank pg_get_constraintdef pg_get_expr pg_get_viewdef
        pg_size_pretty pg_sleep pg_typeof pi position pow power printf quantile quantile_cont quantile_disc quarter
        radians random range rank read_csv read_csv_auto read_json read_json_auto read_ndjson read_parquet
        regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array
        regexp_split_to_table repeat replace reverse round row_number row_to_json rpad rtrim second session_user sha1
        sha256 sign sin split_part sqrt stddev stddev_pop stddev_samp strftime string_agg string_split string_to_array
        strpos strptime struct_extract struct_pack substr substring sum tan to_base64 to_days to_hex to_json
        to_timestamp translate trim trunc try_strptime typeof ucase unhex unicode upper user uuid var_pop var_samp
        variance version week weekday weekofyear year yearweek
        """
    ),
    "mysql": _listed(
        """
        abs acos adddate ascii asin atan avg bin bit_count bit_length cast ceil ceiling char_length character_length
        coalesce concat concat_ws connection_id conv cos cot count curdate current_user curtime database date_format
        datediff dayname dayofmonth dayofweek dayofyear degrees elt exp extract field find_in_set floor from_days
        from_unixtime greatest hex hour ifnull instr json_array json_extract json_object json_unquote json_valid lcase
        least length ln locate log log10 log2 lower lpad ltrim max md5 mid min minute month monthname now nullif oct
        ord pi pow power quarter quote radians rand reverse round rpad rtrim second sha sha1 sha2 sign sin sleep space
        sqrt str_to_date strcmp substr substring substring_index sum sysdate tan time_format time_to_sec timediff
        to_base64 to_days trim truncate ucase unhex unix_timestamp upper user utc_date utc_timestamp uuid version week
        weekday year yearweek
        """
    ),
    "sqlite": _listed(
        """
        abs acos asin atan atan2 avg ceil ceiling coalesce cos count cume_dist current_date current_time
        current_timestamp date datetime degrees dense_rank exp first_value floor format glob group_concat hex ifnull
        iif instr json json_array json_array_length json_each json_extract json_group_array json_group_object
        json_object json_tree json_type json_valid julianday lag last_value lead length ln log log10 log2 lower ltrim
        max min mod nth_value ntile nullif percent_rank pi pow power printf quote radians random rank replace round
        row_number rtrim sign sin sqlite_version sqrt strftime substr substring sum tan total trim trunc typeof
        unicode unixepoch upper zeroblob
        """
    ),
}
"""Functions of each engine that read and leave nothing."""

_BEGINS_HARMLESSLY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/|;|\#[^\n]*\n)*+"
    r"(?:select|values|table|with|from|show|explain|desc|describe|summarize|create|alter|drop|pragma|begin|start|commit|rollback"
    r"|end|abort|savepoint|release)\b",
    re.IGNORECASE,
)
"""A first look that most statements which leave something do not pass, so that their text is not read."""

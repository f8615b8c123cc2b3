"""What SQL leaves behind in its session: whether the session can be replaced by a fresh one without anybody missing it.

Decision to question: what is not known to leave nothing counts as state. A function that is not on the list may be anybody's
own and call `set_config`, make a temp table or take a lock; a session that is kept for nothing costs an idle connection, one
that is given up for nothing costs a table: `DELETE FROM orders` then meets the permanent one.
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
    if first in ("BEGIN", "START"):
        return Effect.STATE
    if first == "PRAGMA":
        return _of_pragma(words, dialect_name)
    shared = first in _CHANGES_FOR_ALL and _object(named) in _OBJECTS
    if not (shared or first in _READS) or not _LEAVES_STATE.isdisjoint(named) or _assigns(sql, part):
        return Effect.STATE
    if any(name not in _FUNCTIONS for name in _called(part, words)):
        return Effect.STATE
    return Effect.SHARED if shared else Effect.READS


def _is_control(words: Sequence[str]) -> bool:
    """Return whether a statement that begins like one controls a transaction, and holds nothing else."""
    return all(
        word in _OF_TRANSACTIONS or before in _NAMES_FOLLOW for before, word in zip(["", *words], words, strict=False)
    )


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


def _called(part: Sequence[Token], words: Sequence[str]) -> Iterator[str]:
    """Yield what is called as a function: names before a parenthesis that are no keyword, type or alias.

    A name with a schema before it, or in quotes, is yielded as "": it may be anybody's.
    """
    for at in range(len(part) - 1):
        if not words[at] or part[at + 1].kind is not Kind.OPEN or part[at].kind not in (Kind.WORD, Kind.NAME):
            continue
        before = part[at - 1] if at else None
        if words[at] in _BEFORE_PARENTHESES and part[at].kind is Kind.WORD:
            continue
        if before is not None and (before.kind is Kind.CLOSE or words[at - 1] in _BEFORE_ALIASES):
            continue
        qualified = before is not None and before.kind is Kind.OPERATOR and before.end == part[at].start and at > 1
        yield "" if part[at].kind is Kind.NAME or (qualified and bool(words[at - 2])) else words[at]


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
    handler next_value nextval
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
_BEFORE_ALIASES = _listed("as table view index on into exists recursive references")
_FUNCTIONS = _listed(
    """
    abs acos age any_value approx_count_distinct array_agg array_append array_length array_position array_to_string ascii asin
    atan atan2 avg bin bit_and bit_count bit_length bit_or bool_and bool_or btrim ceil ceiling char_length character_length chr
    coalesce concat concat_ws convert cos cot count cume_dist curdate current_database current_date current_schema
    current_setting current_time current_timestamp current_user curtime database date date_add date_diff date_format date_part
    date_sub date_trunc datediff datetime datename day dayname dayofmonth dayofweek dayofyear decode degrees dense_rank div
    elt encode epoch epoch_ms every exp field find_in_set first first_value floor format format_type from_days from_unixtime
    gcd generate_series generate_subscripts getvariable glob greatest group_concat hash hex hour if ifnull iif initcap instr
    isfinite isnull json json_agg json_array json_array_length json_build_array json_build_object json_each json_extract
    json_extract_path json_extract_string json_extract_path_text json_group_array json_group_object json_length json_object
    json_object_agg json_objectagg json_arrayagg json_tree json_type json_unquote json_valid json_value jsonb_agg
    jsonb_array_elements jsonb_build_object jsonb_each jsonb_object_keys julianday lag last last_day last_value lcase lead least
    len length list list_agg list_aggregate list_contains list_value ln locate log log10 log2 lower lpad ltrim make_date
    make_interval make_time make_timestamp map max md5 median microsecond mid min minute mod mode month monthname now nth_value
    ntile nullif num_nulls num_nonnulls obj_description octet_length ord overlay parquet_schema percent_rank percentile_cont
    percentile_disc pg_backend_pid pg_column_size pg_database_size pg_get_constraintdef pg_get_expr pg_get_functiondef
    pg_get_indexdef pg_get_viewdef pg_relation_size pg_size_pretty pg_sleep pg_table_size pg_total_relation_size pg_typeof pi
    position pow power printf quantile quantile_cont quantile_disc quarter quote quote_ident quote_literal radians rand random
    range rank read_csv read_csv_auto read_json read_json_auto read_ndjson read_parquet regexp_count regexp_extract
    regexp_extract_all regexp_full_match regexp_instr regexp_like regexp_match regexp_matches regexp_replace
    regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse round row_number row_to_json rpad rtrim
    schema sec_to_time second session_user sha1 sha2 sha256 sign sin sleep split_part sqlite_version sqrt stddev stddev_pop
    stddev_samp str_to_date strftime string_agg string_split string_to_array strpos strptime struct_extract struct_pack substr
    substring substring_index sum sysdate tan time_to_sec timediff timestampadd timestampdiff to_base64 to_char to_date to_days
    to_hex to_json to_jsonb to_number to_timestamp total translate trim trunc truncate try_strptime typeof ucase unicode
    unix_timestamp unixepoch unhex upper user utc_timestamp uuid gen_random_uuid var_pop var_samp variance version week weekday
    weekofyear width_bucket year yearweek zeroblob
    """
)
"""Functions of the engines that read and leave nothing; an own function of the same name does not stand before them."""

_BEGINS_HARMLESSLY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/|;|\#[^\n]*\n)*+"
    r"(?:select|values|table|with|from|show|explain|desc|describe|summarize|create|alter|drop|pragma|begin|start|commit|rollback"
    r"|end|abort|savepoint|release)\b",
    re.IGNORECASE,
)
"""A first look that most statements which leave something do not pass, so that their text is not read."""

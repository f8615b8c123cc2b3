"""Words that a name must not be without quotes, by dialect; a test asks the servers whether the lists are complete.

A word is here when it fails as a column in a condition or as a table behind FROM. Words that only MySQL 8 reserves are in
MySQL's list beside MariaDB's.
"""

from __future__ import annotations

_SHARED = frozenset(
    """
    all and as case check collate constraint create default distinct else except foreign from group having
    in intersect into is join limit not null on or order primary references returning select table then to
    union unique using when where
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Reserved in every dialect we know."""

_POSTGRESQL = frozenset(
    """
    analyse analyze any array asc asymmetric authorization binary both cast collation column concurrently
    cross current_catalog current_date current_role current_schema current_time current_timestamp
    current_user deferrable desc do end false fetch for freeze full grant ilike initially inner isnull
    lateral leading left like localtime localtimestamp natural notnull offset only outer overlaps placing
    right session_user similar some symmetric tablesample trailing true user variadic verbose window with
    """.split()  # noqa: SIM905 - one word a line would hide the list
)

_DUCKDB = frozenset(
    """
    analyse analyze anti any array asc asof asymmetric at authorization binary both by cast collation column
    concurrently cross deferrable desc describe do end false fetch for freeze full glob ilike initially
    inner isnull lambda lateral leading left like natural notnull offset only outer overlaps pivot
    pivot_longer pivot_wider placing positional qualify right semi show similar some summarize symmetric
    tablesample trailing true unpack unpivot variadic verbose window with
    """.split()  # noqa: SIM905 - one word a line would hide the list
)

_SQLITE = frozenset(
    """
    add alter autoincrement between cast commit current_date current_time current_timestamp deferrable
    delete drop escape exists index insert isnull nothing notnull raise set transaction update values
    """.split()  # noqa: SIM905 - one word a line would hide the list
)

_MYSQL = frozenset(
    """
    accessible add alter analyze asc asensitive before between bigint binary blob both by call cascade
    change char character column condition continue convert cross cube cume_dist current_date current_role
    current_time current_timestamp current_user cursor databases day_hour day_microsecond day_minute
    day_second dec decimal declare delayed delete delete_domain_id dense_rank desc describe deterministic
    distinctrow div do_domain_ids double drop dual each elseif empty enclosed escaped exists exit explain
    false fetch first_value float float4 float8 for force fulltext function generated get grant grouping
    groups high_priority hour_microsecond hour_minute hour_second if ignore ignore_domain_ids index infile
    inner inout insensitive insert int int1 int2 int3 int4 int8 integer interval io_after_gtids
    io_before_gtids iterate json_table key keys kill lag last_value lateral lead leading leave left like
    linear lines load localtime localtimestamp lock long longblob longtext loop low_priority master_bind
    master_demote_to_replica master_demote_to_slave master_ssl_verify_server_cert match maxvalue mediumblob
    mediumint mediumtext middleint minute_microsecond minute_second mod modifies natural no_write_to_binlog
    nth_value ntile numeric of offset optimize optimizer_costs optionally out outer outfile over
    page_checksum parse_vcol_expr partition percent_rank portion precision procedure purge range rank read
    read_write reads real recursive ref_system_id regexp release rename repeat replace require resignal
    restrict return revoke right rlike row_number rows schemas second_microsecond sensitive separator set
    show signal smallint spatial specific sql sql_big_result sql_calc_found_rows sql_small_result
    sqlexception sqlstate sqlwarning ssl starting stats_auto_recalc stats_persistent stats_sample_pages
    stored straight_join system terminated tinyblob tinyint tinytext trailing trigger true undo unlock
    unsigned update usage use utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying
    virtual while window with write xor year_month zerofill
    """.split()  # noqa: SIM905 - one word a line would hide the list
)

RESERVED: dict[str, frozenset[str]] = {
    "postgresql": _SHARED | _POSTGRESQL,
    "duckdb": _SHARED | _DUCKDB,
    "sqlite": _SHARED | _SQLITE,
    "mysql": _SHARED | _MYSQL,
}


def reserved(dialect: str) -> frozenset[str]:
    """Return the reserved words of a dialect in lower case; an unknown one has PostgreSQL's, which are the standard's."""
    return RESERVED.get(dialect, RESERVED["postgresql"])

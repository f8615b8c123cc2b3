"""Who a change of a setting reaches, and what a session on a shared file may therefore set.

All sessions on a file share one process, and most of DuckDB's settings are that process's: one notebook's
`SET default_collation` would change the answers of all others. This is the table of every setting with the decision; a
test compares it with `duckdb_settings()`, and at runtime a setting that it does not know may only be set with SESSION,
which DuckDB keeps to the connection. A private database in memory may set what it likes.
"""

from __future__ import annotations

import enum

import duckdb

from tusk_drivers.duckdb.instances import OWN_SETTINGS
from tusk_drivers.duckdb.words import called, code, texts
from tusk_jupyter import errors


class Reach(enum.Enum):
    """Whom a plain `SET` reaches, and what is decided."""

    SESSION = "this session only: allowed"
    SAID = "everybody, unless SESSION is written: that is allowed"
    PROCESS = "everybody, always: refused"
    HARMLESS = "everybody, but changes no result of theirs: allowed"
    OWN = "the driver reads results through it: refused everywhere"


def _table(**names: str) -> dict[str, Reach]:
    return {name: Reach[reach] for reach, listed in names.items() for name in listed.split()}


REACHES = dict.fromkeys(OWN_SETTINGS, Reach.OWN) | _table(
    SESSION="""
        active_grammar_extensions approximate_join_order_threshold asof_loop_join_threshold binary_as_string calendar
        checkpoint_on_detach current_dialect delim_join_as_cte dialect_compatibility_mode disable_parquet_prefetching
        disable_timestamptz_casts dynamic_or_filter_threshold enable_geoparquet_conversion enable_profiling
        enable_progress_bar enable_progress_bar_print error_on_division_by_zero explain_output file_search_path
        home_directory ieee_floating_point_ops ignore_unknown_crs integer_division json_geometry_format
        late_materialization_max_rows legacy_disable_null_type log_query_path max_execution_time
        max_streaming_buffer_size merge_join_threshold nested_loop_join_threshold operator_memory_limit
        order_by_non_integer_literal ordered_aggregate_threshold pandas_analyze_sample parquet_metadata_cache
        parquet_prefetch_column_gap partitioned_write_flush_threshold partitioned_write_max_open_files
        perfect_ht_threshold pivot_filter_threshold pivot_limit prefer_range_joins prefetch_all_parquet_files
        preserve_identifier_case profile_output profiling_coverage profiling_output profiling_renderer_settings
        progress_bar_time regex_match_operator_semantics scalar_subquery_error_on_multiple_rows schema search_path
        streaming_buffer_size timezone tracked_metrics
        """,
    SAID="""
        allocator_background_threads allocator_flush_threshold allow_parser_override_extension
        auto_checkpoint_skip_wal_threshold catalog_error_max_schemas debug_checkpoint_scan_sleep_ms default_collation
        default_null_order default_order default_transaction_invalidation_policy enable_http_metadata_cache
        enable_macro_dependencies enable_optimistic_write enable_optimizer enable_view_dependencies
        immediate_transaction_mode index_scan_max_count index_scan_percentage initial_column_segment_size
        max_expression_depth null_order password preserve_insertion_order read_ahead_depth show_behavior
        table_function_identifier_conversion user username validate_external_file_cache wal_autocheckpoint_entries
        write_buffer_row_group_count
        """,
    PROCESS="""
        access_mode allocator_bulk_deallocation_flush_threshold allow_community_extensions allow_extension_repositories
        allow_extensions_metadata_mismatch allow_persistent_secrets allow_unredacted_secrets allow_unsigned_extensions
        allowed_configs allowed_directories allowed_paths async_threads autoinstall_extension_repository
        autoinstall_known_extensions autoload_known_extensions block_allocator_memory cache_local_files
        current_transaction_invalidation_policy custom_extension_repository custom_user_agent default_block_size
        default_secret_storage disable_database_invalidation disabled_compression_methods disabled_filesystems
        disabled_log_types disabled_optimizers duckdb_api enable_external_access enable_external_file_cache
        enable_fsst_vectors enable_logging enabled_log_types experimental_metadata_reuse extension_directories
        extension_repository_directory external_file_cache_local_max_block_size
        external_file_cache_remote_max_block_size external_file_cache_remote_min_block_size
        external_file_cache_request_sizing external_file_cache_spill external_threads force_column_metadata_reuse
        force_compression fsync_mode geometry_minimum_shredding_size http_client_pool_capacity http_proxy
        http_proxy_password http_proxy_username lock_configuration logging_level logging_mode logging_storage
        max_memory max_temp_directory_size max_vacuum_tasks memory_limit pin_threads redact_http_logs
        scheduler_process_partial secret_directory standard_vector_size storage_block_prefetch
        storage_compatibility_version temp_directory temp_file_encryption variant_minimum_shredding_size
        warnings_as_errors write_buffer_row_group_memory_limit zstd_min_string_length
        """,
    HARMLESS="checkpoint_threshold threads wal_autocheckpoint worker_threads",
)

_FIELDS = {"memory_limit": "memory_limit", "max_memory": "memory_limit", "max_temp_directory_size": "temp_limit"}
"""Settings that the connection has a field for."""

_LOGGING = frozenset({"enable_logging", "disable_logging", "truncate_duckdb_logs"})
"""Functions that begin or end DuckDB's log, which holds the statements of all sessions."""
_LOG_OF_ALL = "DuckDB's log is that of all notebooks that have the file open."
_OTHER_LOGS = "Tusk's own log has what ran: `%tusk log`. DuckDB's can be used in memory (`:memory:`)."
LOG_WAS_ON = (
    f"DuckDB's log was on, and is off again: a view, a macro or a text that a statement ran calls "
    f"enable_logging(). {_LOG_OF_ALL} {_OTHER_LOGS}"
)
"""Not an error: the statement is done, and another session's may have turned it on."""

_SCOPES = frozenset({"global", "session", "local"})


def check_shared(connection: duckdb.DuckDBPyConnection, kind: str, sql: str) -> None:
    """Refuse what would change the results of other sessions on the file.

    Raises:
        UsageError: nothing was run.
    """
    if kind == "SET":
        _check_setting(connection, sql)
    elif "_log" in sql.lower() and (call := called(sql, _LOGGING)):
        raise errors.UsageError(f"{call}() is not allowed on a file: {_LOG_OF_ALL}", hint=_OTHER_LOGS)


def changed_by(sql: str) -> tuple[str, str]:
    """Return the setting that a SET, RESET or PRAGMA names, and the scope that it writes ("" for none)."""
    words = texts(sql, code(sql)[:6])
    rest = words[1:]
    scope = rest.pop(0) if rest and rest[0] in _SCOPES else ""
    if rest[:2] == ["time", "zone"]:
        return "timezone", scope
    return (rest[0] if rest else ""), scope


def _check_setting(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    words = texts(sql, code(sql)[:3])
    name, scope = changed_by(sql)
    if words[:1] == ["use"] or (name == "variable" and not scope):
        return  # both are the connection's
    reach = REACHES.get(name)
    if scope in ("session", "local") or reach is Reach.HARMLESS:
        return  # DuckDB refuses where it cannot
    if reach is Reach.SESSION and scope == "":
        return
    if reach is None and not _known(connection, name):
        return  # DuckDB says what there is
    raise _refused(name, reach, "RESET" if words[0] == "reset" else "SET")


def _known(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM system.main.duckdb_settings() WHERE system.main.lower(name) = $1", [name])
    return bool(found.fetchall())


def _refused(name: str, reach: Reach | None, verb: str) -> errors.UsageError:
    if name in _FIELDS:
        hint = f"Set it for all on the connection: `%tusk connect NAME FILE --set {_FIELDS[name]}=VALUE --replace`."
    elif reach is Reach.PROCESS:
        hint = "A private database in memory (`:memory:`) may set it; it can ATTACH other files than this one."
    else:
        hint = f"Write `{verb} SESSION {name}{' = ...' if verb == 'SET' else ''}`, which changes it for this notebook only."
    return errors.UsageError(
        f"{verb} {name} is not allowed on a file here: it would change results in all notebooks that have the file open.",
        hint=hint,
    )

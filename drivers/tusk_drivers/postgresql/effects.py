"""What PostgreSQL's own functions do beyond the transaction: every volatile one is decided here, by name.

A read-only transaction stops what changes tables. It does not stop a function that signals a process, writes a file,
keeps a lock, moves a replication slot or opens a second connection: those are refused. A test compares these tables
with the catalog of a fresh server and of every extension that it ships. Functions of users are not in a table of ours:
what they do, only the rights of the signed-in user decide.
"""

from __future__ import annotations

import re

READS = frozenset(
    """
    amvalidate bernoulli brinhandler bthandler clock_timestamp current_query currtid2 currval cursor_to_xml
    cursor_to_xmlschema dsnowball_init dsnowball_lexize gen_random_uuid ginhandler gisthandler hashhandler
    heap_tableam_handler lastval lo_close lo_get lo_lseek lo_lseek64 lo_open lo_tell lo_tell64 loread
    pg_blocking_pids pg_collation_actual_version pg_control_checkpoint pg_control_init pg_control_recovery
    pg_control_system pg_current_logfile pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn
    pg_database_collation_actual_version pg_database_size pg_export_snapshot pg_get_backend_memory_contexts
    pg_get_multixact_members pg_get_shmem_allocations pg_get_wal_replay_pause_state pg_get_wal_resource_managers
    pg_hba_file_rules pg_ident_file_mappings pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused
    pg_isolation_test_session_is_blocked pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_lock_status pg_logical_slot_peek_binary_changes
    pg_logical_slot_peek_changes pg_ls_archive_statusdir pg_ls_dir pg_ls_logdir pg_ls_logicalmapdir
    pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_tmpdir pg_ls_waldir pg_notification_queue_usage
    pg_partition_ancestors pg_partition_tree pg_prepared_xact pg_read_binary_file pg_read_file pg_read_file_old
    pg_relation_size pg_replication_origin_progress pg_replication_origin_session_is_setup
    pg_replication_origin_session_progress pg_safe_snapshot_blocking_pids pg_sequence_last_value
    pg_show_all_file_settings pg_show_replication_origin_status pg_sleep pg_sleep_for pg_sleep_until
    pg_stat_clear_snapshot pg_stat_file pg_stat_force_next_flush pg_stat_get_recovery_prefetch
    pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls
    pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans
    pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated
    pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated
    pg_stat_have_stats pg_table_size pg_tablespace_size pg_total_relation_size pg_xact_commit_timestamp
    pg_xact_commit_timestamp_origin pg_xact_status random set_config setseed spghandler system timeofday txid_status
    bt_index_check bt_index_parent_check verify_heapam blhandler
    dblink_build_sql_delete dblink_build_sql_insert dblink_build_sql_update dblink_current_query dblink_error_message
    dblink_fdw_validator dblink_get_connections dblink_get_pkey dintdict_init dintdict_lexize dxsyn_init dxsyn_lexize
    file_fdw_handler file_fdw_validator int_agg_final_array int_agg_state pg_old_snapshot_time_mapping
    brin_metapage_info brin_page_items brin_page_type brin_revmap_data bt_metap bt_page_items bt_page_stats
    fsm_page_contents get_raw_page gin_leafpage_items gin_metapage_info gin_page_opaque_info gist_page_items
    gist_page_items_bytea gist_page_opaque_info hash_bitmap_info hash_metapage_info hash_page_items hash_page_stats
    hash_page_type heap_page_item_attrs heap_page_items heap_tuple_infomask_flags page_checksum page_header
    tuple_data_split pg_buffercache_pages pg_freespace pg_logdir_ls pg_stat_statements pg_stat_statements_info
    set_limit pg_check_frozen pg_check_visible pg_visibility pg_visibility_map pg_visibility_map_summary
    pg_get_wal_record_info pg_get_wal_records_info pg_get_wal_records_info_till_end_of_wal pg_get_wal_stats
    pg_get_wal_stats_till_end_of_wal gen_random_bytes gen_salt pgp_pub_encrypt pgp_pub_encrypt_bytea pgp_sym_encrypt
    pgp_sym_encrypt_bytea pgrowlocks pg_relpages pgstatginindex pgstathashindex pgstatindex pgstattuple
    pgstattuple_approx plpgsql_call_handler plpgsql_inline_handler plpgsql_validator postgres_fdw_disconnect
    postgres_fdw_disconnect_all postgres_fdw_get_connections postgres_fdw_handler postgres_fdw_validator ssl_cipher
    ssl_client_cert_present ssl_client_dn ssl_client_dn_field ssl_client_serial ssl_extension_info ssl_is_used
    ssl_issuer_dn ssl_issuer_field ssl_version normal_rand system_rows system_time unaccent_init unaccent_lexize
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 xslt_process
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Volatile functions that read, wait, or change no more than the session's own settings."""

_REFUSED = re.compile(
    r"binary_upgrade_\w+|brin_(?:de)?summari[sz]e_\w+|gin_clean_pending_list|heap_force_\w+|autoprewarm_\w+|nextval|setval"
    r"|lo_(?:creat|create|export|from_bytea|import|put|truncate|truncate64|unlink)|lowrite"
    # signals, files, the write-ahead log, locks that outlive the statement
    r"|pg_(?:try_)?advisory_\w+|pg_(?:start_|stop_)?backup(?:_\w+)?|pg_(?:cancel|terminate)_backend|pg_promote"
    r"|pg_(?:reload|rotate|log|switch|notify|nextoid|prewarm|repack|background|buffercache_evict|buffercache_mark)(?:_\w+)?"
    r"|pg_(?:import|create|drop|copy|sync|restore|clear|set|truncate|extension_config|stop_making)_\w+"
    r"|pg_file_(?:write|rename|unlink|sync)|pg_wal_replay_(?:pause|resume|wait)"
    # replication
    r"|pg_logical_emit_message|pg_logical_slot_get_\w+|pg_replication_slot_advance"
    r"|pg_replication_origin_(?:advance|create|drop|session_reset|session_setup|xact_reset|xact_setup)"
    # statistics that others read
    r"|pg_stat\w*_reset(?:_\w+)?|pg_qualstats_reset|pg_wait_sampling_reset_profile"
    # other connections and programs: what these send, no transaction of this session holds
    r"|dblink(?:_(?:cancel_query|close|connect|connect_u|disconnect|exec|fetch|get_notify|get_result|is_busy|open|send_query))?"
    r"|run_command_on_\w+|query_export_to_s3|table_import_from_s3|http_(?:post|put|patch|delete)|oracle_execute"
    # run a text that this guard does not see
    r"|query_to_xml\w*"
)

RUNS_LITERAL = frozenset(
    {
        "connectby", "crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "crosstab_hash", "ts_rewrite", "ts_stat",
        "xpath_table",
    }
)  # fmt: skip
"""They run the SQL that they are given: taken with literals only, which are looked into."""

PASTES: dict[str, frozenset[int]] = {"connectby": frozenset(), "xpath_table": frozenset({3})}
"""Those that paste their arguments into one statement, but for these of them (xpath_table's paths are no SQL)."""


def runs_literal(function: str) -> bool:
    """Return whether a function, named in lower case, runs SQL that it is given, or may do so.

    tablefunc's manual tells users to declare crosstabs of their own names and columns: `crosstab_float8_6_cols`.
    """
    return function in RUNS_LITERAL or function.startswith("crosstab")


def is_refused(function: str) -> bool:
    """Return whether a function, named in lower case, acts outside of the transaction."""
    return _REFUSED.fullmatch(function) is not None and function not in READS

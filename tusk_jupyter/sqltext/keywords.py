"""Words that begin SQL statements: what tells `%sql select ...` from `%sql warehouse select ...`."""

from __future__ import annotations

STATEMENT_KEYWORDS = frozenset(
    """
    abort alter analyse analyze attach audit backup begin bind cache call change check checkpoint checksum clone close
    cluster comment commit connect copy create deallocate declare delete desc describe detach discard do drop end exec
    execute explain export fetch flush force from get grant handler help import insert install kill listen load
    lock merge move next notify open optimize pivot pragma prepare purge reassign refresh reindex release rename repair
    replace reset restore revert revoke rollback savepoint security select set show shutdown signal start stop summarize
    table truncate unbind undrop unlisten unlock unpivot update upsert use vacuum values with xa
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""First words of statements in the dialects we know, in lower case; no connection may be called so."""

"""What drivers report of a transaction that an error has aborted: it cannot be committed any more."""

from __future__ import annotations

import contextlib

from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Session, Transaction
from tusk_jupyter.protocol.scenarios import hint_for, with_abort


def not_committed(command: str, *, chained: bool = False) -> errors.QueryError:
    """Return the error of a COMMIT that the database took as a ROLLBACK, as the transaction was aborted.

    An error and no note: what follows in a script or a notebook counts on what was to be committed.

    Args:
        command: the statement's first word, as END.
        chained: whether the next transaction has begun with it.
    """
    after = " AND CHAIN has begun the next transaction." if chained else ""
    return errors.QueryError(
        f"Nothing was committed: an error before had aborted the transaction, so {command} rolled it back.{after}",
        hint=hint_for("not_committed"),
        scenario="not_committed",
    )


def tell_abort(exc: BaseException | None, session: Session) -> None:
    """Add to an error's hint that the session's open transaction is aborted, if it is."""
    if not isinstance(exc, errors.TuskError):
        return
    with contextlib.suppress(Exception):  # a session that cannot even say is gone, and the error is to be told
        if session.transaction is Transaction.FAILED and session.is_alive():
            exc.hint = with_abort(exc.hint)

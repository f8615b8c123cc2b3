"""Words for a session that has ended, alike in all drivers of servers."""

from __future__ import annotations

from tusk_jupyter.errors import ConnectError
from tusk_jupyter.protocol.scenarios import SESSION_ENDED

NOT_KNOWN = "Whether the statement under way took effect is not known."
ROLLED_BACK = "The statement had not been completed; what it changed, and all of its transaction, is rolled back."
ITS_OWN_COMMITS = (
    "The statement had not been completed: what it had committed itself by then stands, the rest is rolled back."
)
"""Of a procedure or a block with COMMIT, of DDL, VACUUM and the like (`sqltext.commits`)."""


def gone_before(words: str) -> ConnectError:
    """Return the error for a run whose session had ended before it, which `words` explain: nothing of it was executed."""
    return ConnectError(
        f"{words} Nothing of this run was executed.",
        hint=f"Run it again. {SESSION_ENDED}",
        scenario="link_lost",
    )

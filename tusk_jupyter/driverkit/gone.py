"""Words for a session that has ended, alike in all drivers of servers."""

from __future__ import annotations

from tusk_jupyter.errors import ConnectError

NOT_KNOWN = "Whether the statement under way took effect is not known."


def gone_before(words: str) -> ConnectError:
    """Return the error for a run whose session had ended before it, which `words` explain: nothing of it was executed."""
    return ConnectError(
        f"{words} Nothing of this run was executed.",
        hint="Run it again: it opens a new session, without the temp tables and settings of the one before.",
        scenario="link_lost",
    )

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

CHECK_FIRST = f"Check what stands before you run any of it again. {SESSION_ENDED}"
"""Where a script had come some way."""
ENDINGS = ("link_lost", "cancelled_by_admin", "shutdown")
"""Scenarios of a server's session that ended while a statement ran in it."""


class GoneBefore(ConnectError):
    """The session had ended before a statement was sent: nothing of that one was executed.

    Attributes:
        why: it ended, as a sentence.
    """

    def __init__(self, why: str) -> None:
        """Speak of the run's first statement; of a later one only the run knows what was executed before it."""
        super().__init__(
            f"{why} Nothing of this run was executed.", hint=f"Run it again. {SESSION_ENDED}", scenario="link_lost"
        )
        self.why = why

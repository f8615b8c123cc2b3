"""What the signed-in user may change: asked for when a read-only connection is tested."""

from __future__ import annotations

import re

from tusk_drivers.mysql.link import Link

_GRANT = re.compile(r"GRANT (.+?) ON ", re.IGNORECASE)
_COLUMNS = re.compile(r"\([^)]*\)")
_READS = frozenset(
    {
        "USAGE",
        "SELECT",
        "SHOW DATABASES",
        "SHOW VIEW",
        "PROCESS",
        "REPLICATION CLIENT",
        "BINLOG MONITOR",
        "SLAVE MONITOR",
    }
)


def described(link: Link) -> str:
    """Return the rights in words, "" where the user may only read."""
    rights: set[str] = set()
    for (grant,) in link.ask("SHOW GRANTS"):
        if match := _GRANT.match(str(grant)):
            rights |= {part.strip().upper() for part in _COLUMNS.sub("", match[1]).split(",")}
    beyond = sorted(rights - _READS)
    if not beyond:
        return ""
    return "has all rights" if beyond[0].startswith("ALL PRIVILEGES") else f"has the rights {', '.join(beyond[:6])}"

"""How far a sign-in came, in words; drivers put the stage that failed first in an error's detail."""

from __future__ import annotations

STAGES = {
    "name": "finding the host by its name",
    "tcp": "reaching the host and port",
    "tls": "agreeing on encryption",
    "sign-in": "signing in",
    "database": "opening the database",
    "file": "opening the file",
}


def detail_lines(detail: str | None) -> list[tuple[str, str]]:
    """Return an error's detail as headed lines: the stage in words, and what else there is."""
    if not detail:
        return []
    first, _, rest = detail.partition("\n" if "\n" in detail else " ")
    if not first.startswith("stage="):
        return [("Detail", detail)]
    stage = first.removeprefix("stage=")
    more = [("Detail", rest.strip())] if rest.strip() else []
    return [("Failed at", STAGES.get(stage, stage)), *more]

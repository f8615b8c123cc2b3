"""File names behind `--file` and `--to`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tusk_magics.completion.ranking import Offer

MOST = 2_000
"""Entries of a folder that are looked at."""


def path_offers(typed: str, endings: Sequence[str]) -> Iterator[Offer]:
    """Yield folders, and files with one of the endings, that lie where the typed path points."""
    quote = typed[:1] if typed[:1] in ("'", '"') else ""
    given = typed[len(quote) :]
    folder, _, _ = given.rpartition("/")
    prefix = given[: len(folder) + 1] if "/" in given else ""
    try:
        with os.scandir(Path(prefix or ".").expanduser()) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in islice(entries, MOST))
    except (OSError, RuntimeError, ValueError):  # also the home of nobody, and what no path can hold
        return
    for name, is_folder in found:
        hidden = name.startswith(".") and not given[len(prefix) :].startswith(".")
        if hidden or not (is_folder or name.lower().endswith(tuple(endings))):
            continue
        text = f"{prefix}{name}{'/' if is_folder else ''}"
        mark = quote or ('"' if " " in text else "")
        closing = mark if not is_folder else ""
        yield Offer(f"{mark}{text}{closing}", "path", f"{quote}{text}", 0 if is_folder else 1, fuzzy=False)

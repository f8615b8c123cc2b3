"""How often the vault was written, noted outside of it: an older copy that is put back opens as well as the newest.

It is not refused: a copy from a backup may be all that is left. But passwords that were changed or deleted since are the old
ones again, so its owner must hear of it. Whoever puts back the whole state folder puts back this note too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system import typed_json
from tusk_jupyter.system.private_files import read_private, write_private
from tusk_jupyter.tiers.vault_file import Document

MAX_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    vault: str
    generation: int


class Generation:
    """The note beside the vault."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def older(self, document: Document) -> str | None:
        """Return what is odd about an older copy of the vault; None for the newest one, or one of which nothing is noted."""
        noted = self._read()
        if noted is None or noted.vault != document.vault or document.generation >= noted.generation:
            return None
        return (
            f"the vault is an older copy of itself (write {document.generation} of {noted.generation}): "
            "passwords changed or deleted since then are as they were; set them again"
        )

    def next(self, document: Document) -> Document:
        """Return the document with the number of the write that it is about to get."""
        noted = self._read()
        last = noted.generation if noted and noted.vault == document.vault else 0
        return replace(document, generation=max(last, document.generation) + 1)

    def note(self, document: Document) -> None:
        """Note that this write has happened.

        Raises:
            OSError: it cannot be written.
        """
        write_private(self._path, msgspec.json.encode(_Note(vault=document.vault, generation=document.generation)))

    def _read(self) -> _Note | None:
        try:
            return typed_json.decode(_Note, read_private(self._path, max_bytes=MAX_BYTES))
        except (OSError, StorageError, msgspec.DecodeError):
            return None  # then nothing is known

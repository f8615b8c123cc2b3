"""A write-ahead log that another program has removed from beside an open file.

DuckDB writes on into the removed one, and all that was committed since the last checkpoint is gone with the process. A
checkpoint writes it into the file, from memory, and begins a new log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tusk_jupyter import errors


@dataclass(slots=True)
class LostLog:
    """What a run is refused for, once in each session; the sessions stand."""

    path: Path
    """Of the file it belongs to."""
    problem: str = ""
    """Why what it held is not in the file, in DuckDB's words; changes when it is."""
    can_wait: bool = False
    """It is only an open transaction that keeps DuckDB from writing it."""
    kept: Path | None = None
    """Where that is which lay in its place."""

    def error(self) -> errors.ConnectError:
        """Return the error for a run."""
        saved = "What was committed has been written into the file."
        return errors.ConnectError(
            f"{self.path}.wal, the log of {self.path}, was {'replaced' if self.kept else 'removed'} by another program, so "
            f"nothing was run. {f'What it held is not in the file: {self.problem}.' if self.problem else saved}"
            f"{f' What lay in its place is {self.kept}.' if self.kept else ''}",
            hint=self._hint,
            detail="stage=file",
            scenario="no_such_file",
        )

    @property
    def _hint(self) -> str:
        if not self.problem:
            return "Run the cell again. A log belongs to its file while that is open: removing it loses rows."
        if self.can_wait:
            return "End the open transactions on the file, in all notebooks (COMMIT, ROLLBACK): it is written then."
        return "Save what you need before you close the file (`EXPORT DATABASE`, `COPY`): it is in memory only."

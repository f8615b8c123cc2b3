"""Results written to files batch by batch: `--to FILE.parquet|.csv|.arrow`.

A file is written beside its target under a hidden name and takes the target's place in one step at the end, so a run
that fails or is stopped leaves nothing and never harms a file that was there.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

from tusk_jupyter.client.file_rights import made_private, open_up
from tusk_jupyter.errors import InternalError, StorageError, UsageError
from tusk_jupyter.system import open_files
from tusk_jupyter.system.working_folder import absolute, expanded

if TYPE_CHECKING:
    import pyarrow as pa

    from tusk_jupyter.client.file_formats import Writer

ENDINGS = (".parquet", ".csv", ".arrow", ".feather")
_NAME_KEPT = 40
"""Characters of the target's name in its part's: the two together may be longer than a file system takes (255 bytes)."""
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISLNK, "a symbolic link"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A finished file."""

    path: Path
    rows: int
    size_bytes: int
    notes: tuple[str, ...] = ()
    """As "column x is text: Parquet has no type for intervals"."""


class Sink(Protocol):
    """Where the batches of a run's last result go."""

    path: Path
    """The target."""

    def open(self, schema: pa.Schema) -> None:
        """Begin a result; one that was begun before is thrown away."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows of the present schema."""

    def widen(self, schema: pa.Schema) -> None:
        """Go on under a wider schema, to which the rows so far are brought."""

    def commit(self) -> Written | None:
        """Put the file in its place; None when no result was begun."""

    def abort(self) -> None:
        """Leave no trace; again, or after `commit`, is fine."""


class FileSink:
    """The `Sink` for a file; as a context manager it aborts what was not committed."""

    def __init__(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        writer: Callable[[BinaryIO, pa.Schema], Writer] | None = None,
    ) -> None:
        """Look at the target before anything is run.

        Args:
            path: the target; its ending says the format.
            overwrite: whether a file that is there may be replaced.
            writer: makes the file in the place of the format that the ending names; then any ending will do.

        Raises:
            UsageError: the ending is unknown, or `target` refuses it.
        """
        typed = expanded(path)
        self._ending = _ending(typed) if writer is None else ""
        self.path = target(typed, overwrite=overwrite)
        self.rows = 0
        self._overwrite = overwrite
        self._make = writer
        self._part: Path | None = None
        self._file: BinaryIO | None = None
        self._writer: Writer | None = None

    def open(self, schema: pa.Schema) -> None:
        """Begin the file; of several results in a run, the last one is kept.

        Raises:
            StorageError: it cannot be made.
        """
        self.abort()
        self.rows = 0
        with self._storage():
            self._part, self._file, self._writer = self._begin(schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows.

        Raises:
            StorageError: they cannot be written.
        """
        with self._storage():
            self._opened().write(batch)
        self.rows += batch.num_rows

    def widen(self, schema: pa.Schema) -> None:
        """Write what there is anew under a wider schema, in as little memory as the first time.

        Raises:
            StorageError: it cannot be written.
            InternalError: a value does not fit the new schema.
        """
        old = self._opened()
        if old.goes_on(schema):
            return
        with self._storage():
            old.close()
            done, file = self._part, self._file
            self._part, self._file, self._writer = self._begin(schema)
            if done is None or file is None:
                raise InternalError("A file sink was widened before it was opened.")
            try:
                file.close()
                for batch in old.read_back(done, schema):
                    self._writer.write(batch)
            finally:
                done.unlink()

    def commit(self) -> Written | None:
        """Put the file in its place; return None, and make no file, when no result was begun.

        Raises:
            UsageError: meanwhile somebody else made a file of that name, or what is there is no regular file.
            StorageError: it cannot be written.
        """
        writer = self._writer
        if writer is None or self._part is None or self._file is None:
            return None
        with self._storage():
            writer.close()
            self._file.flush()
            if self.path.exists():
                os.fsync(self._file.fileno())  # a power cut must not leave an empty file where a good one was
            size = os.fstat(self._file.fileno()).st_size
            open_up(self._file, replaced=self.path if self._overwrite else None)
            self._file.close()
            self._place(self._part)
        self._part = self._file = self._writer = None
        return Written(path=self.path, rows=self.rows, size_bytes=size, notes=tuple(writer.notes))

    def abort(self) -> None:
        """Leave no trace."""
        if self._writer is not None:
            self._writer.discard()
        if self._file is not None:
            with contextlib.suppress(OSError):  # what its buffer still holds may not fit on the disk
                self._file.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)
        self._part = self._file = self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.abort()

    def _begin(self, schema: pa.Schema) -> tuple[Path, BinaryIO, Writer]:
        from tusk_jupyter.client import file_formats

        part = self.path.with_name(f".{self.path.name[:_NAME_KEPT]}.{secrets.token_hex(4)}.part")
        file = made_private(part)
        try:
            make = self._make or file_formats.WRITERS[self._ending]
            return part, file, make(file, schema)
        except BaseException:
            file.close()
            part.unlink()
            raise

    def _place(self, part: Path) -> None:
        """Rename; without leave to overwrite by a link, which fails when the name is taken."""
        if self._overwrite:
            _refuse_others(self.path)
            part.replace(self.path)
            return
        try:
            os.link(part, self.path)
        except FileExistsError:
            raise _exists(self.path) from None
        except OSError:  # a file system without links
            if self.path.exists():
                raise _exists(self.path) from None
            part.replace(self.path)
        else:
            part.unlink()

    def _opened(self) -> Writer:
        if self._writer is None:
            raise InternalError("A file sink was used before it was opened or after it was closed.")
        return self._writer

    @contextlib.contextmanager
    def _storage(self) -> Iterator[None]:
        """Name the file in what the system says.

        Raises:
            StorageError: instead of an OSError.
        """
        try:
            yield
        except OSError as exc:
            self.abort()
            short = open_files.shortage(exc)
            raise StorageError(
                f"{self.path} could not be written: {short or f'{exc.strerror or exc}.'}",
                hint=open_files.HINT
                if short
                else "See that the folder may be written and has room. What was written of it is gone again.",
            ) from exc


def sink_for(path: str | Path, *, overwrite: bool = False) -> FileSink:
    """Return the sink for a target; see `FileSink`.

    Raises:
        UsageError: the ending is unknown, or `target` refuses it.
    """
    return FileSink(path, overwrite=overwrite)


def target(path: Path, *, overwrite: bool = False) -> Path:
    """Return the absolute path of a target that can be written.

    Raises:
        UsageError: the folder is missing or may not be looked into, the file is there already, or it is no regular one.
    """
    try:
        full = Path(os.path.realpath(absolute(path)))  # a symbolic link stays; what it points at is replaced
        if not full.parent.is_dir():
            raise UsageError(
                f"There is no folder {full.parent} to write {full.name} into.", hint="Make the folder first."
            )
        if _refuse_others(full) and not overwrite:
            raise _exists(full)
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror or exc}.", hint="Choose another place.") from None
    return full


def _ending(path: Path) -> str:
    """Return the ending that says the format: of the name as it was written, wherever a link of that name leads.

    Raises:
        UsageError: it is unknown.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        what = f"ending {path.suffix!r}" if path.suffix else "missing ending"
        raise UsageError(
            f"{str(path)!r} cannot be written: the {what} says no format.", hint=f"There are {', '.join(ENDINGS)}."
        )
    return ending


def _refuse_others(path: Path) -> bool:
    """Return whether a regular file is there.

    Raises:
        UsageError: something else is, which a file would take the place of.
        OSError: it cannot be seen.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISREG(mode):
        return True
    if stat.S_ISDIR(mode):
        raise UsageError(f"{path} is a folder.", hint="Give the name of a file.")
    kind = next((name for is_one, name in _KINDS if is_one(mode)), "something else")
    raise UsageError(
        f"{path} is not a regular file but {kind}; it was left as it is.", hint="Give the name of a file to write."
    )


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"The file {path} exists already; it was left as it is.",
        hint="Add `--overwrite` (in Python `overwrite=True`), or choose another name.",
    )

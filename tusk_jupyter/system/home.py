"""The state folder, before anything in it is used: is it ours, and nobody else's?

A folder is ours by a mark: `tusk-home`, which the first core leaves, or our journal, each known by its first bytes. One that
has none must hold nothing that could be anybody's work, whatever its name: it is empty, or has what a user puts there by hand
(manifests, a vault). Else `TUSK_HOME` names somebody's project by mistake: refused before a byte of it changes.
A folder that others could write into is closed, and what lay in it by then is not believed: `closed-at` says until when.
Files in it that others may write to are refused, all at once and with the one command that closes them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from tusk_jupyter.errors import StorageError
from tusk_jupyter.system import belongings, duckdb_path, way
from tusk_jupyter.system.belongings import HAS_OWNERS
from tusk_jupyter.system.private_files import (
    DIRECTORY_MODE,
    OTHERS_WRITE,
    NotPrivate,
    open_own,
    read_unchanged,
    sync_directory,
    write_private,
)

CLOSED_AT = "closed-at"
MARK = "tusk-home"
MARK_BEGINS = b"TUSKHOME"
JOURNAL = "journal"
RUN = "run"
DRIVERS = "drivers"
SEGMENT_MARK = b"TUSKJRN1"
"""First bytes of a journal's files (`state.frame`)."""

DROPPINGS = frozenset({
    ".DS_Store", ".localized", ".directory", "Thumbs.db", "desktop.ini", "Icon\r", "lost+found", ".fseventsd", ".Trashes",
    ".Spotlight-V100", ".TemporaryItems", ".snapshot", ".zfs", ".keep", ".gitkeep", ".gitignore",
})  # fmt: skip
"""What file managers, file systems and people who keep an empty folder put there; it is neither ours nor anybody's work."""

SHOWN = 3
NAMED = 24
"""Files with rights of others: more than there are kinds of ours, so that only a long journal is cut."""
_ANOTHER = "Set TUSK_HOME to a folder of its own, which need not exist yet."


def claim(home: Path) -> None:
    """Make the state folder, or see that it is ours and close it to others; nothing in it is changed before that is known.

    Raises:
        StorageError: it cannot be made, is another user's, is a link of another user's, holds what is not ours, others
            may put another folder in its place, or may write to the files that a core works on.
    """
    _check_path(home)
    try:
        for folder in (*reversed(home.parents), home):
            if not folder.exists():
                folder.mkdir(mode=DIRECTORY_MODE, exist_ok=True)  # those above it too, whatever the umask
    except FileExistsError:
        pass
    except OSError as exc:
        raise StorageError(
            f"The state folder {home} cannot be made: {exc.strerror}.",
            hint="Set TUSK_HOME to a folder that you may write to.",
        ) from exc
    with _examined(home) as (descriptor, status):
        if HAS_OWNERS and stat.S_IMODE(status.st_mode) & ~DIRECTORY_MODE:
            _close(home, descriptor, stat.S_IMODE(status.st_mode))
        _check_rights(home)


def examine(home: Path) -> None:
    """See whether `claim` would take a state folder; nothing is made or changed.

    Raises:
        StorageError: as `claim`.
    """
    _check_path(home)
    if os.path.lexists(home):
        with _examined(home):
            _check_rights(home)
        return
    there = next(folder for folder in home.parents if os.path.lexists(folder))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "may not be written to" if there.is_dir() else "is not a folder"
        raise StorageError(
            f"The state folder {home} cannot be made: {there} {why}.",
            hint="Set TUSK_HOME to a folder that you may write to.",
        )


@contextlib.contextmanager
def _examined(home: Path) -> Iterator[tuple[int, os.stat_result]]:
    """Open a state folder that is there and is ours."""
    try:
        _check_link(home)
        descriptor = os.open(home, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as exc:
        raise StorageError(f"The state folder {home} cannot be used: {exc.strerror}.", hint=_ANOTHER) from exc
    try:
        status = os.fstat(descriptor)
        _check_owner(home, status)
        _check_use(home, status)
        _check_content(home)
        _check_kinds(home)
        yield descriptor, status
    finally:
        os.close(descriptor)


def _check_path(home: Path) -> None:
    """See that DuckDB can take the path, and that nobody else can have it lead elsewhere."""
    if (problem := duckdb_path.problem(home)) is not None:
        raise StorageError(
            f"The state folder {problem}",
            hint="Set TUSK_HOME to a folder whose path has none of that.",
        )
    if (weak := way.weakness(home)) is not None:
        raise StorageError(
            f"The state folder {home} could be replaced by somebody else's: {weak}.",
            hint="Set TUSK_HOME to a folder whose parents are yours or root's, and sticky (as /tmp) or not writable by others.",
        )


def closed_at_ns(home: Path) -> int:
    """Return until when others could write into the folder, in nanoseconds since 1970; 0 when they never could."""
    try:
        return (home / CLOSED_AT).lstat().st_mtime_ns
    except OSError:
        return 0


def read_believed(home: Path, path: Path, *, max_bytes: int) -> bytes:
    """Return the content of a file whose words are executed or believed: nobody else can have written it.

    Raises:
        FileNotFoundError: there is none.
        StorageError: others could write it, or it is no regular file, or too large.
        OSError: it cannot be read.
    """
    return read_unchanged(path, max_bytes=max_bytes, after_ns=closed_at_ns(home))


def _check_link(home: Path) -> None:
    """A link that the user made is their wish; one that somebody else planted leads where they want."""
    found = home.lstat()
    if HAS_OWNERS and stat.S_ISLNK(found.st_mode) and found.st_uid not in (belongings.user_id(), 0):
        raise StorageError(
            f"The state folder {home} is a link that another user (uid {found.st_uid}) has made.", hint=_ANOTHER
        )


def _check_owner(home: Path, status: os.stat_result) -> None:
    if HAS_OWNERS and status.st_uid != belongings.user_id():
        raise StorageError(f"The state folder {home} belongs to another user (uid {status.st_uid}).", hint=_ANOTHER)


def _check_use(home: Path, status: os.stat_result) -> None:
    """A folder that is for everybody, or that holds this user's whole account, is none for the state, be it empty."""
    if HAS_OWNERS and status.st_mode & stat.S_ISVTX:
        raise StorageError(
            f"The state folder {home} is one that everybody uses (its sticky bit is set).", hint=_ANOTHER
        )
    with contextlib.suppress(RuntimeError, OSError):  # an account without a home
        if os.path.samestat(status, Path.home().stat()):
            raise StorageError(f"The state folder {home} is your home folder.", hint=_ANOTHER)


def _check_content(home: Path) -> None:
    if _has_mark(home):
        return
    foreign, problem = [], None
    try:
        foreign = sorted(_foreign(home))
    except OSError as exc:
        problem = exc
    if _has_mark(home):  # of a core that begins meanwhile, which leaves it before anything else
        return
    if problem is not None:
        raise StorageError(
            f"The state folder {home} cannot be read: {problem.strerror} ({problem.filename}).", hint=_ANOTHER
        ) from problem
    if not foreign:
        return
    names = ", ".join(foreign[:SHOWN]) + (f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else "")
    raise StorageError(
        f"{home} is not a state folder of tusk: it holds {names}. Nothing in it was touched.",
        hint=f"{_ANOTHER} To use this one, move those away first.",
    )


def _has_mark(home: Path) -> bool:
    """Return whether the folder has been a state folder: it has our mark, or a journal of ours, known by their first bytes."""
    if _begins_with(home / MARK, MARK_BEGINS):
        return True
    folder = home / JOURNAL
    with contextlib.suppress(OSError):  # closed to us: whoever reads it tells
        if folder.is_dir() and not folder.is_symlink():
            return any(_begins_with(path, SEGMENT_MARK) for path in belongings.files_like(folder, "*.journal"))
    return False


def _begins_with(path: Path, words: bytes, *, at: int = 0) -> bool:
    """Return whether a file of this user's has certain bytes; one that cannot be opened has not."""
    with contextlib.suppress(OSError, StorageError), os.fdopen(open_own(path, os.O_RDONLY, forbidden=0), "rb") as file:
        file.seek(at)
        return file.read(len(words)) == words
    return False


def _foreign(home: Path) -> Iterator[str]:
    """Yield what is in a folder without a mark, and in the folders of our names in it, that may be somebody's work."""
    for entry in _entries(home):
        if entry.name in DROPPINGS:
            continue
        inside = _INSIDE.get(entry.name)
        if inside is not None and entry.is_dir(follow_symlinks=False):
            for one in _entries(entry):
                if one.name not in DROPPINGS and not inside(one):
                    yield f"{entry.name}/{one.name}"
        elif entry.name in (RUN, JOURNAL) and entry.is_symlink():
            continue  # refused with words of its own
        elif not _is_nobodys(entry):
            yield entry.name


def _is_nobodys(entry: os.DirEntry[str]) -> bool:
    """Return whether what has a name of ours may be taken: it is empty, or is what the name says.

    A link in the place of a file that a core opens, and what is no file there, is refused later, with words of its own.
    """
    if entry.is_dir(follow_symlinks=False):
        return (belongings.names_folder(entry.name) or belongings.names_file(entry.name)) and not _entries(entry)
    if not belongings.names_file(entry.name):
        return False
    if not entry.is_file(follow_symlinks=False):
        return belongings.names_lasting(entry.name)
    if entry.name in BY_HAND or entry.stat(follow_symlinks=False).st_size <= NOTHING_BYTES:
        return True
    at, words = _BEGINS.get(entry.name, (0, b""))
    return bool(words) and _begins_with(Path(entry.path), words, at=at)


def _is_manifest(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".json") and not entry.is_dir(follow_symlinks=False)


def _is_left_in_run(entry: os.DirEntry[str]) -> bool:
    if not belongings.names_running(entry.name):
        return False
    if entry.is_dir(follow_symlinks=False):
        return not _entries(entry)
    return stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode)


NOTHING_BYTES = len("{}")
"""So much is no work of anybody's: an empty file, or an empty list of things."""
BY_HAND = frozenset({"vault.json", "keyring.json"})
"""What a user puts into a new folder, from a backup; whoever reads it refuses what it is not."""
_BEGINS = {
    "last-driver.json": (0, b'{"name":'),
    "vault-generation.json": (0, b'{"vault":'),
    CLOSED_AT: (0, b"Others could write into this folder"),
}
_INSIDE: dict[str, Callable[[os.DirEntry[str]], bool]] = {
    RUN: _is_left_in_run,
    JOURNAL: _is_nobodys,
    DRIVERS: _is_manifest,
}


def _check_kinds(home: Path) -> None:
    """See that no link, no folder and no other user's file is in the place of a file or folder that a core opens."""
    try:
        for name in (RUN, JOURNAL):
            if (home / name).is_symlink():
                raise StorageError(f"{home / name} is a link, so it is not used.", hint="Put the folder itself there.")
        for entry in _entries(home):
            if not belongings.names_lasting(entry.name):
                continue
            if entry.name.startswith("state.duckdb") and not entry.is_symlink():
                continue  # refused with words of its own
            with contextlib.suppress(OSError):  # gone meanwhile, or closed to us: whoever opens it tells why
                os.close(open_own(Path(entry.path), os.O_RDONLY, forbidden=0))
    except OSError as exc:
        raise StorageError(
            f"The state folder {home} cannot be read: {exc.strerror} ({exc.filename}).", hint=_ANOTHER
        ) from exc


def mark(home: Path) -> None:
    """Leave the mark by which a folder that was claimed is known from now on; a core does so before it leaves anything else."""
    with contextlib.suppress(OSError, StorageError):  # read-only, or full: whoever writes there next tells
        if _begins_with(home / MARK, MARK_BEGINS):
            return
        descriptor = open_own(home / MARK, os.O_WRONLY | os.O_CREAT, forbidden=0)
        with os.fdopen(descriptor, "wb") as file:
            file.write(MARK_BEGINS + b": connections, query log and settings of tusk-jupyter are in this folder.\n")
            file.flush()
            os.fsync(descriptor)
        sync_directory(home)


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return list(found)


def _check_rights(home: Path) -> None:
    """See that nobody else may write to what a core opens; else name all that has such rights, and how they go.

    A cluster that gives a volume to a group (Kubernetes, `fsGroup`) puts them on everything in it, at each start of a pod.
    """
    if not HAS_OWNERS:
        return
    try:
        found = {name: mode for name, mode, mine in _rights(home) if mine and mode & OTHERS_WRITE}
    except OSError as exc:
        raise StorageError(
            f"The state folder {home} cannot be read: {exc.strerror} ({exc.filename}).", hint=_ANOTHER
        ) from exc
    if not any(belongings.names_lasting(Path(name).name) for name in found):
        return
    names = sorted(found)
    listed = ", ".join(f"{name} ({found[name]:04o})" for name in names[:NAMED])
    listed += f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    first = f" What is in {DRIVERS}/ is started as a program: look at it first." if _drivers_in(names) else ""
    raise NotPrivate(
        f"Others may have changed these files in the state folder {home}, so nothing in it is used: {listed}.",
        hint=f"If you still trust them: chmod -R go= '{home}'.{first} Where a cluster gives such rights to a whole volume "
        "(Kubernetes, fsGroup), they come back with each start of the pod: README explains under JupyterHub how to prevent it.",
    )


def _rights(home: Path) -> Iterator[tuple[str, int, bool]]:
    """Yield the files of ours: name below the state folder, mode, and whether they are regular and this user's (or root's)."""
    for folder in (home, home / JOURNAL, home / DRIVERS):
        if folder.is_symlink() or not folder.is_dir():
            continue  # refused with words of its own
        for entry in _entries(folder):
            if not (belongings.names_file(entry.name) or (folder.name == DRIVERS and entry.name.endswith(".json"))):
                continue
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                status = entry.stat(follow_symlinks=False)
                mine = stat.S_ISREG(status.st_mode) and status.st_uid in (belongings.user_id(), 0)
                yield str(Path(entry.path).relative_to(home)), stat.S_IMODE(status.st_mode), mine


def _drivers_in(names: list[str]) -> bool:
    return any(Path(name).parent.name == DRIVERS for name in names)


def _close(home: Path, descriptor: int, mode: int) -> None:
    """Take the rights of others away; where they could write, note that what is there by now is not to be believed."""
    try:
        os.chmod(descriptor, mode & DIRECTORY_MODE)  # one that its owner made read-only stays so
        if mode & OTHERS_WRITE and any(entry.name not in DROPPINGS for entry in _entries(home)):
            write_private(
                home / CLOSED_AT, f"Others could write into this folder (mode {mode:04o}) until now.\n".encode()
            )
    except OSError as exc:
        raise StorageError(
            f"The state folder {home} has mode {mode:04o} and cannot be closed to others: {exc.strerror}.",
            hint=f"chmod 700 '{home}', or set TUSK_HOME to another folder.",
        ) from exc

"""The database instances of this process, each shared by all sessions on its file.

DuckDB lets one process hold a file, so whoever asks for the same file gets the same instance, known by the file itself
(device and inode: a symbolic or hard link is no second file). The file is let go with the last session.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from tusk_drivers.duckdb import files, spill
from tusk_drivers.duckdb.attached import Attached
from tusk_drivers.duckdb.definitions import Changes
from tusk_drivers.duckdb.errors import report_of
from tusk_drivers.duckdb.held_file import HeldFile
from tusk_drivers.duckdb.lost_log import LostLog
from tusk_drivers.duckdb.memory import Limit, settings_under_cap
from tusk_drivers.duckdb.secrets_made import Secrets
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.system.working_folder import expanded

OWN_SETTINGS: Mapping[str, object] = {
    "python_enable_replacements": False,  # no variable of this process is a table
    "errors_as_json": True,
    "arrow_lossless_conversion": True,
    "arrow_large_buffer_size": True,  # 2 GB of text in one batch is an error otherwise
    "arrow_output_version": "1.0",  # the converters know no views of texts or lists
    "arrow_output_list_view": False,
    "python_scan_all_frames": False,
}
"""What the driver itself needs; a session may not change it."""

_FIELDS = {"threads": "threads", "memory_limit": "memory_limit", "temp_limit": "max_temp_directory_size"}


_PATHS = "SELECT database_name, path, readonly FROM system.main.duckdb_databases()"
_LOG_IS_ON = "SELECT system.main.current_setting('enable_logging')"


@dataclass(slots=True)
class Instance:
    """A database that is open in this process."""

    key: object
    root: duckdb.DuckDBPyConnection
    """Keeps the database open; sessions work on cursors of it."""
    folder: Path
    path: Path | None
    created: bool
    """The file was not there before."""
    read_only: bool
    """DuckDB itself takes no write: the file is write-protected, or open in another process that only reads."""
    limit: Limit
    file: HeldFile | None = None
    users: int = 0
    cursors: set[duckdb.DuckDBPyConnection] = field(default_factory=set)
    running: set[object] = field(default_factory=set)
    """Sessions that run a statement, write an upload, read the schema or end now."""
    attached: Attached = field(default_factory=Attached)
    secrets: Secrets = field(default_factory=Secrets)
    definition_changes: Changes = field(default_factory=Changes)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by who looks whether something runs."""
    lost_logs: list[LostLog] = field(default_factory=list)
    """What each session is to be told once."""

    def enter(self, session: object) -> None:
        """Note that a session begins to use the files; the first that does looks whether others wrote into them."""
        with self.lock:
            self._look_while_idle()
            self.running.add(session)

    def leave(self, session: object) -> None:
        """Note that a session has stopped to use the files; idempotent."""
        with self.lock:
            if session in self.running:
                self.running.discard(session)
                self._note_while_idle()

    def note(self) -> None:
        """Take the files as they are for this process's own, after queries of the driver's own."""
        with self.lock:
            self._note_while_idle()

    def look(self) -> None:
        """Find out whether others wrote into the files, unless a statement runs, which may have."""
        with self.lock:
            self._look_while_idle()

    def _note_while_idle(self) -> None:
        if not self.running:
            for file in self._files():
                if file.lost_log is not None or file.has_lost_open_log:
                    self._write_out(file)
                file.note()

    def _look_while_idle(self) -> None:
        if not self.running:
            for file in self._files():
                file.look()
                if file.has_lost_log:
                    self._write_out(file)

    def _write_out(self, file: HeldFile) -> None:
        """Write what a removed log held into its file, from memory; an open transaction may put that off."""
        is_new = file.lost_log is None
        lost = file.lose_log()
        if is_new:
            self.lost_logs.append(lost)
        try:
            lost.problem = self._checkpoint(file)
        except duckdb.Error as exc:
            lost.problem = report_of(exc).message.splitlines()[0].rstrip(".")
            lost.can_wait = isinstance(exc, duckdb.TransactionException)
        if not lost.problem:
            file.note_log()
            file.note()

    def _checkpoint(self, file: HeldFile) -> str:
        """Write all that is committed into a file; return why that cannot be, "" when it is done."""
        with self.root.cursor() as asked:
            found = asked.execute(_PATHS).fetchall()
            there = [
                (name, closed) for name, path, closed in found if path and Path(path).resolve() == file.path.resolve()
            ]
            for name, closed in there:
                if closed:  # DuckDB's CHECKPOINT does nothing then, without an error
                    return "it is open for reading only"
                asked.execute('CHECKPOINT "{}"'.format(name.replace('"', '""')))
        return "" if there else "it is not open here any more"

    def _files(self) -> list[HeldFile]:
        return [*([self.file] if self.file else []), *self.attached.files()]

    def end_log(self) -> bool:
        """Turn DuckDB's log off, which holds the statements of all sessions; return whether it was on."""
        if self.path is None:
            return False
        with contextlib.suppress(duckdb.Error), self.root.cursor() as asked:  # closed meanwhile, and its log with it
            if asked.execute(_LOG_IS_ON).fetchall()[0][0]:
                asked.execute("CALL system.main.disable_logging()")
                return True
        return False

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a new connection; give it back with `drop`."""
        made = self.root.cursor()
        self.cursors.add(made)
        return made

    def drop(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Close a connection."""
        self.cursors.discard(cursor)
        cursor.close()


_instances: dict[object, Instance] = {}
_guard = threading.Lock()


def acquire(settings: Settings) -> Instance:
    """Return the instance for the settings' file, opened now or shared; give it back with `release`.

    Raises:
        ConnectError: the file cannot be opened, or is open read-only here and this session must write.
    """
    path = _path(settings)
    with _guard:
        if path is not None:
            _let_go_of_what_was_there(path)
        instance = _instances.get(_key(path)) if path else None
        if instance is None:
            instance = _open(path, settings)
            _instances[instance.key] = instance
        elif instance.read_only and not settings.read_only and path and os.access(path, os.W_OK):
            raise errors.ConnectError(
                f"{path} is open read-only here, because another process held it when it was opened.",
                hint="Close the read-only sessions on this file (`%tusk connections`), then run the cell again.",
                detail="stage=file",
                scenario="file_locked",
            )
        instance.limit.fit()
        instance.users += 1
        return instance


def release(instance: Instance) -> None:
    """Give an instance back; the last one closes the database and lets go of its file."""
    with _guard:
        instance.users -= 1
        if instance.users == 0:
            if _instances.get(instance.key) is instance:
                del _instances[instance.key]
            _shut(instance)
            spill.remove_folder(instance.folder)


def let_go(instance: Instance) -> None:
    """Close an instance whose file is not what it was, for all its sessions; nothing runs on it."""
    with _guard:
        if _instances.get(instance.key) is instance:
            del _instances[instance.key]
        _shut(instance)


def _shut(instance: Instance) -> None:
    """Close the database and let go of its files; idempotent."""
    instance.look()
    with contextlib.ExitStack() as files:
        for file in instance.attached.files():
            files.enter_context(file.let_go(instance.root))
        if instance.file is not None:
            files.enter_context(instance.file.let_go(instance.root))
        for cursor in tuple(instance.cursors):  # another session may give one back meanwhile
            cursor.close()
        instance.root.close()
    if instance.file is not None:
        instance.file.close()
    instance.attached.close()


def _let_go_of_what_was_there(path: Path) -> None:
    """Close an instance whose file is not at `path` any more: DuckDB would hand it out for the file that is there now.

    Raises:
        ConnectError: a statement still runs on the old file.
    """
    for old in [one for one in _instances.values() if one.path == path and one.file]:
        old.look()
        if old.file is None or old.file.is_there:
            continue
        if old.running:
            raise errors.ConnectError(
                f"{path} was replaced or removed while another notebook's statement runs on the file that was there.",
                hint="Wait until that has ended, or stop it (`%tusk running`, `%tusk cancel`), then run the cell again.",
                detail="stage=file",
                scenario="file_locked",
            )
        del _instances[old.key]
        _shut(old)


def _path(settings: Settings) -> Path | None:
    text = settings.text("path")
    return None if text in (None, ":memory:") else expanded(str(text)).absolute()


def _key(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return str(path.resolve())
    return (found.st_dev, found.st_ino)


def _open(path: Path | None, settings: Settings) -> Instance:
    folder = spill.make_folder()
    try:
        config = {**_config(settings), "temp_directory": str(folder)}
        created, read_only = path is not None and not path.exists(), False
        if path is not None:
            files.check_place(path, settings)
        if path is None or (created and settings.trial):
            root = _connect(":memory:", config)
        else:
            files.check_kind(path)
            root, read_only = _open_file(path, config, settings)
    except BaseException:
        spill.remove_folder(folder)
        raise
    opened = path if not (created and settings.trial) else None
    key = _key(opened) if opened else object()
    limit = Limit(
        root, own_threads=settings.text("threads") is not None, own_limit=settings.text("memory_limit") is not None
    )
    return Instance(
        key=key,
        root=root,
        folder=folder,
        path=path,
        created=created,
        read_only=read_only,
        limit=limit,
        file=HeldFile(opened) if opened else None,
        attached=Attached(_name_of(root) if opened else ""),
    )


def _name_of(root: duckdb.DuckDBPyConnection) -> str:
    ((name,),) = root.execute("SELECT system.main.current_database()").fetchall()
    return str(name)


def _open_file(path: Path, config: dict[str, Any], settings: Settings) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Open for writing where possible, so that every session can share it; else for reading where that will do."""
    protected = path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    try:
        return duckdb.connect(str(path), read_only=protected, config=config), protected
    except (duckdb.Error, OSError) as exc:
        if settings.read_only and files.is_lock_conflict(exc):
            try:
                return duckdb.connect(str(path), read_only=True, config=config), True
            except (duckdb.Error, OSError) as again:
                exc = again
        raise files.explain(exc, path) from exc


def _connect(path: str, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(path, config=config)
    except duckdb.Error as exc:
        raise errors.ConnectError(
            f"DuckDB refused the connection's settings: {exc}",
            hint="Correct them and connect again.",
            detail="stage=database",
        ) from exc


def _config(settings: Settings) -> dict[str, Any]:
    policy = settings.text("extensions") or "manual"
    config: dict[str, Any] = {
        **OWN_SETTINGS,
        **settings_under_cap(),
        "autoinstall_known_extensions": policy == "automatic",
        "autoload_known_extensions": policy == "automatic",
        "allow_community_extensions": bool(settings.config.get("community_extensions", False)),
        "allow_persistent_secrets": bool(settings.config.get("persistent_secrets", False)),
        "custom_user_agent": settings.application,
    }
    given = {option: settings.text(name) for name, option in _FIELDS.items()}
    return config | {option: value for option, value in given.items() if value is not None}

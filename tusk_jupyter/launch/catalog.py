"""Which drivers there are.

Two places and no third: the entry points of installed packages, and manifests in the user's driver folder. Never the current
directory, where a downloaded notebook could bring a driver of its own (QB-50). Listing imports no driver: each is asked once
with `info` in a process of its own, and the answer is kept until the package or the file changes; a core looks once.
The drivers of this package are read, not asked: what they answer is a file of theirs, and to ask takes four processes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from threading import Lock

from tusk_jupyter import errors
from tusk_jupyter.launch.environment import driver_environment
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.system import open_files
from tusk_jupyter.system.home import read_believed
from tusk_jupyter.system.places import Places
from tusk_jupyter.system.private_files import check_unchanged, write_private
from tusk_jupyter.system.processes import python

GROUP = "tusk_jupyter.drivers"
OWN_PACKAGE = "tusk-jupyter"
INFO_TIMEOUT_S = 10.0
MANIFEST_BYTES = 64 * 1024
CACHE_BYTES = 16 * 1024 * 1024
_TO_LOOK = 8
"""File descriptors that a look into the installed packages may need at a time."""
_OTHER_PRODUCTS = frozenset(["mssql", "sqlserver", "msql", "nosql", "pymssql", "sybase", "oracle", "questdb"])
"""Schemes that are spelled like a driver's and are no slip: a guess would lead to another product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place that claims to hold a driver."""

    name: str
    command: tuple[str, ...]
    origin: str
    fingerprint: str
    """Changes when the driver does."""
    problem: str | None = None
    """Why it is not even asked."""
    manifest_file: Path | None = None
    """What it answers to `info`; None where only the driver itself knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A driver and what it said of itself."""

    name: str
    command: tuple[str, ...]
    origin: str
    fingerprint: str
    """Changes when the driver does; of the interpreter, the package's version and its manifest."""
    manifest: Manifest | None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A cached answer to `info`."""

    fingerprint: str
    manifest: Manifest


@dataclass(slots=True)
class Catalog:
    """The drivers of this installation and this user."""

    places: Places
    _answers: dict[str, _Answer] = field(default_factory=dict)
    _known: dict[str, Driver] = field(default_factory=dict)
    """Drivers found so far: a look into the installed packages costs milliseconds, and every run asks for its driver."""
    _loaded: bool = False
    _lock: Lock = field(default_factory=Lock)

    def drivers(self, *, rescan: bool = False) -> list[Driver]:
        """Return all drivers by name, from a fresh look at what is installed; `rescan` also asks each anew."""
        candidates = sorted(self._candidates(), key=lambda one: one.name)
        with self._lock:
            self._load()
            if rescan:
                self._answers.clear()
            with ThreadPoolExecutor(4) as pool:
                found = list(pool.map(lambda one: self._driver(one, ask=rescan), candidates))
            self._known = {one.name: one for one in found if one.manifest}
            self._store()
        return found

    def named(self, name: str) -> Driver:
        """Return one usable driver.

        Raises:
            DriverNotFound: there is none of that name.
            DriverStartError: there is, and it cannot say what it is.
        """
        known = self._known.get(name)
        if known is not None:
            return known
        candidates = {one.name: one for one in self._candidates()}
        if name not in candidates:
            near = get_close_matches(name, candidates, 1)
            raise errors.DriverNotFound(
                f"There is no driver {name!r}; installed: {', '.join(sorted(candidates)) or 'none'}.",
                hint=f"Did you mean {near[0]!r}?" if near else "`%tusk drivers` lists them with their URL schemes.",
            )
        with self._lock:
            self._load()
            driver = self._driver(candidates[name])
            if driver.manifest is None:
                raise errors.DriverStartError(
                    f"The driver {name!r} of {driver.origin} cannot be used: {driver.problem}"
                )
            self._known[name] = driver
            self._store()
        return driver

    def for_scheme(self, scheme: str) -> Driver:
        """Return the driver that reads URLs of `scheme`.

        Raises:
            DriverNotFound: none does.
        """
        drivers = [one for one in self.drivers() if one.manifest]
        for one in drivers:
            if one.manifest and scheme.lower() in one.manifest.schemes:
                return one
        known = sorted({known for one in drivers if one.manifest for known in one.manifest.schemes})
        near = [] if scheme.partition("+")[0].lower() in _OTHER_PRODUCTS else get_close_matches(scheme, known, 1)
        raise errors.DriverNotFound(
            f"No installed driver reads {scheme}:// URLs; known: {', '.join(f'{one}://' for one in known)}.",
            hint=f"Did you mean {near[0]}://?" if near else "`%tusk drivers` lists the drivers.",
        )

    def for_file(self, path: str) -> Driver | None:
        """Return the driver for a file of that ending, or None."""
        for one in self.drivers():
            if one.manifest and path.lower().endswith(tuple(one.manifest.suffixes)) and one.manifest.suffixes:
                return one
        return None

    def _candidates(self) -> Iterator[Candidate]:
        open_files.check_for(_TO_LOOK)  # entry points that cannot be read are none, and are remembered as none
        seen = set()
        for candidate in (*self._from_folder(), *_from_entry_points()):  # the user's folder wins
            if candidate.name not in seen:
                seen.add(candidate.name)
                yield candidate

    def _from_folder(self) -> Iterator[Candidate]:
        for path in sorted(self.places.drivers.glob("*.json")) if self.places.drivers.is_dir() else ():
            try:
                content = self._read_manifest_file(path)
            except errors.StorageError as exc:
                yield Candidate(name=path.stem, command=(), origin=str(path), fingerprint="", problem=str(exc))
                continue
            except OSError as exc:
                problem = f"it cannot be read: {exc.strerror}."
                yield Candidate(name=path.stem, command=(), origin=str(path), fingerprint="", problem=problem)
                continue
            try:
                said = json.loads(content)
                command = tuple(str(word) for word in said["command"])
                name = str(said.get("name", path.stem))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                command, name = (), path.stem
            yield Candidate(
                name=name,
                command=command,
                origin=str(path),
                fingerprint=f"{path}:{hashlib.sha256(content).hexdigest()[:32]}",
            )

    def _read_manifest_file(self, path: Path) -> bytes:
        """Return a file that says what to execute, once it is certain that only this user could have written it.

        Raises:
            StorageError: others could, or it is no regular file.
            OSError: it cannot be read.
        """
        check_unchanged(path.parent)
        return read_believed(self.places.home, path, max_bytes=MANIFEST_BYTES)

    def _driver(self, candidate: Candidate, *, ask: bool = False) -> Driver:
        known = self._answers.get(candidate.name)
        if known is None or known.fingerprint != candidate.fingerprint:
            try:
                manifest = (None if ask else _read(candidate)) or _ask(candidate)
                known = _Answer(fingerprint=candidate.fingerprint, manifest=manifest)
            except errors.TuskError as exc:
                if exc.scenario == open_files.SCENARIO:
                    raise
                return _driver(candidate, None, problem=str(exc))
            self._answers[candidate.name] = known
        return _driver(candidate, known.manifest)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        try:
            content = read_believed(self.places.home, self.places.driver_cache, max_bytes=CACHE_BYTES)
            self._answers = codec.decode(dict[str, _Answer], content)
        except (OSError, errors.StorageError, errors.ProtocolError):
            self._answers = {}  # a cache: asking again is always right

    def _store(self) -> None:
        with contextlib.suppress(OSError):  # a cache: the next core asks again
            write_private(self.places.driver_cache, codec.encode(self._answers))


def _driver(candidate: Candidate, manifest: Manifest | None, *, problem: str | None = None) -> Driver:
    return Driver(
        name=candidate.name,
        command=candidate.command,
        origin=candidate.origin,
        fingerprint=candidate.fingerprint,
        manifest=manifest,
        problem=problem,
    )


def _from_entry_points() -> Iterator[Candidate]:
    for point in entry_points(group=GROUP):
        dist = point.dist
        version = dist.version if dist else "0"
        folder = _module_folder(point.module)
        file = folder / "manifest.json" if folder and (folder / "manifest.json").exists() else None
        stamp = file.stat().st_mtime_ns if file else 0
        yield Candidate(
            name=point.name,
            command=tuple(python("-m", point.module)),
            origin=f"{dist.name} {version}" if dist else point.module,
            fingerprint=f"{sys.executable}:{point.value}:{version}:{stamp}",
            manifest_file=file if dist and dist.name == OWN_PACKAGE else None,
        )


def _module_folder(module: str) -> Path | None:
    """Return a package's folder without importing it: its parents are namespace-light packages of ours or theirs."""
    from importlib.util import find_spec

    try:
        spec = find_spec(module)
    except ImportError:
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def _read(candidate: Candidate) -> Manifest | None:
    """Return what the candidate would answer; None where it has to be asked, which also tells what is wrong with it."""
    if candidate.manifest_file is None:
        return None
    try:
        return codec.decode(Manifest, candidate.manifest_file.read_bytes())
    except (OSError, errors.ProtocolError):
        return None


def _ask(candidate: Candidate) -> Manifest:
    """Run the candidate's `info`."""
    if candidate.problem is not None:
        raise errors.DriverStartError(candidate.problem)
    if not candidate.command:
        raise errors.DriverStartError('its manifest file needs a "command", a list of words.')
    try:
        done = subprocess.run(
            [*candidate.command, "info"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=INFO_TIMEOUT_S,
            env=driver_environment(),
            check=True,
        )
    except subprocess.CalledProcessError as exc:
        said = exc.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise errors.DriverStartError(f"`info` ended with code {exc.returncode} and said: {said[0]}") from exc
    except (OSError, subprocess.TimeoutExpired) as exc:
        if (told := open_files.told(exc)) is not None:
            raise told from exc
        raise errors.DriverStartError(f"`info` could not be run: {exc}") from exc
    manifest = codec.decode(Manifest, done.stdout)
    if manifest.protocol != PROTOCOL_VERSION:
        raise errors.ProtocolError(f"it speaks protocol {manifest.protocol}, the core speaks {PROTOCOL_VERSION}.")
    return manifest

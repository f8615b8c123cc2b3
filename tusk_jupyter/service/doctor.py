"""What the doctor looks at: state, permissions, credential tiers, drivers, the process itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from tusk_jupyter.launch.catalog import Catalog, Driver
from tusk_jupyter.protocol.control import Check
from tusk_jupyter.state.store import Store
from tusk_jupyter.system import sockets
from tusk_jupyter.system.places import Places
from tusk_jupyter.tiers.credentials import Credentials


def examine(places: Places, store: Store, credentials: Credentials, catalog: Catalog) -> Iterator[Check]:
    """Yield the findings, most important first."""
    yield from store.check()
    yield _socket_folder(places)
    yield from _tiers(credentials)
    for driver in catalog.drivers(rescan=True):
        yield _driver(driver)
    yield _user()


def missing_packages(driver: Driver) -> str | None:
    """Return what a driver needs and does not find in the core's Python, with what to install; None if all is there."""
    manifest = driver.manifest
    if manifest is None or driver.command[:1] != (sys.executable,):
        return None
    missing = [name for name in manifest.requires if find_spec(name.partition(".")[0]) is None]
    if not missing:
        return None
    what = f"'tusk-jupyter[{manifest.extra}]'" if manifest.extra else " ".join(missing)
    return f"{', '.join(missing)} is not installed in {sys.prefix}: {sys.executable} -m pip install {what}"


def _socket_folder(places: Places) -> Check:
    mode = places.run.stat().st_mode & 0o777
    return Check(
        name="sockets",
        ok=mode == 0o700 or not sockets.HAS_UNIX,
        message=f"{places.run} has mode {mode:04o}",
        hint=None if mode == 0o700 else f"chmod 700 {places.run}",
    )


def _tiers(credentials: Credentials) -> Iterator[Check]:
    tiers = credentials.tiers()
    lasting = [tier.name for tier in tiers if tier.usable and tier.name != "memory"]
    for tier in tiers:  # a server or container has no keyring, which is no fault where the vault keeps secrets
        ok = tier.usable or (tier.name == "keyring" and bool(lasting))
        yield Check(name=f"credentials: {tier.name}", ok=ok, message=tier.reason)
    yield Check(
        name="credentials",
        ok=bool(lasting),
        message=f"secrets last in: {', '.join(lasting)}" if lasting else "no tier keeps secrets beyond the core's end",
        hint=None if lasting else "Start an OS keyring, or set TUSK_MASTER_KEY for the sealed vault.",
    )


def _driver(driver: Driver) -> Check:
    problem = driver.problem or missing_packages(driver)
    title = driver.manifest.title if driver.manifest else driver.name
    return Check(name=f"driver: {driver.name}", ok=problem is None, message=problem or f"{title}, {driver.origin}")


def _user() -> Check:
    root = hasattr(os, "getuid") and os.getuid() == 0
    return Check(
        name="user",
        ok=not root,
        message="the core runs as root" if root else "the core runs as an ordinary user",
        hint="Drivers then run as root too; outside of containers use an ordinary account." if root else None,
    )

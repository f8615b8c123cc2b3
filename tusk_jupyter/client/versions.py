"""Client and core of different versions: after an upgrade in place, or with two environments on one state folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tusk_jupyter import errors
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.version import __version__

if TYPE_CHECKING:
    from tusk_jupyter.system.address import Address


def is_installed() -> bool:
    """Return whether the version that this process runs is the one that a core started now would have."""
    return _installed() in (None, __version__)


def mismatch(address: Address) -> errors.VersionMismatch:
    """Return the error for a core that speaks another protocol and is in use, or cannot say whether it is."""
    core = f"the running core is {address.version} (protocol {address.protocol}, process {address.pid})"
    if not is_installed():
        return errors.VersionMismatch(
            f"tusk-jupyter was changed to {_installed()} while this process went on with {__version__} (protocol "
            f"{PROTOCOL_VERSION}); {core}.",
            hint="Restart this kernel (or process): it works with the installed version then.",
        )
    return errors.VersionMismatch(
        f"This is tusk-jupyter {__version__} (protocol {PROTOCOL_VERSION}); {core}, and notebooks use it.",
        hint="Restart the kernels of the other notebooks and close what does not need them; when nobody uses it any more, the "
        "next call replaces it. `tusk core stop` ends it at once, with their runs and sessions.",
    )


def _installed() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tusk-jupyter")
    except PackageNotFoundError:
        return None

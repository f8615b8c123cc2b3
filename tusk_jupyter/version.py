"""The version of this distribution, read from its metadata once."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tusk-jupyter")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"

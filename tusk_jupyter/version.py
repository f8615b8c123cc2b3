"""The version of this distribution; the build reads it here, because reading installed metadata takes 15 ms of each start."""

from __future__ import annotations

__version__ = "0.1.0"

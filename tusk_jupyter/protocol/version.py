"""The protocol's version. Raised when a message changes meaning; both hops carry the same number."""

from __future__ import annotations

PROTOCOL_VERSION = 1

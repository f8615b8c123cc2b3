"""Offsets from UTC as text."""

from __future__ import annotations


def offset_text(seconds: int) -> str:
    """Return +01, +05:30 or +00:53:28."""
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}"
    if minutes % 60 or rest:
        text += f":{minutes % 60:02d}"
    return f"{text}:{rest:02d}" if rest else text

"""Text of others, as a terminal or a page may show it: what would be obeyed instead of shown is made visible.

A server's notice, a comment on a column, a saved query, a file's name: each may hold an escape sequence that moves the
cursor, writes the clipboard (OSC 52) or turns a line around (bidirectional overrides). One sign is put for each of these
characters, so that places in the text stay what they are. Letters of all scripts, emoji and combining marks are left.
This is for the seams where text goes out; values in frames and files are never touched. In the browser it is `src/visible.ts`,
with the same table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PICTURES = 0x2400
"""Where Unicode has a picture for each C0 control: U+001B is shown as ␛."""
_BEYOND = [
    *range(0x80, 0xA0), 0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2060, 0x2065),
    *range(0x2066, 0x2070), 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB,
]  # fmt: skip
"""Of C1 controls, line ends, marks and overrides of direction, and characters without a width, by which two texts only look
the same. The two joiners (U+200C, U+200D), of which emoji and words of some scripts are made, are none of them; a mark of
direction is part of no word, so a text in Hebrew or Arabic shows where it has one."""
_TABLE: Mapping[int, str] = {
    **{code: chr(_PICTURES + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **dict.fromkeys(_BEYOND, "\ufffd"),
    0x9B: "\u241b",
}
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)
_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def visible(text: str) -> str:
    """Return `text` with a visible sign for each character that would be obeyed; line feeds and tabs stay."""
    if not _OBEYED.search(text):
        return text
    shown = text.replace("\r\n", "\n").translate(_TABLE)
    return shown.encode("utf-8", "replace").decode() if any("\ud800" <= sign <= "\udfff" for sign in shown) else shown


def in_json(text: str) -> str:
    """Return a JSON text of the same meaning, with C1 and bidirectional controls escaped, which JSON need not do."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def visible_line(text: str) -> str:
    """Return `text` as `visible` does, on one line."""
    return visible(_BREAKS.sub(" ", text))

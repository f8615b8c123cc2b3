"""Texts and names that break clients which paste values into SQL, cut them at a byte, or decode them twice."""

from __future__ import annotations

TEXTS: tuple[str, ...] = (
    "", " ", "   trailing   ", "\t", "\n", "\r\n", "line one\nline two\r\nline three\rline four", "\x0b\x0c",
    "\x1a", "\x01\x02\x7f", "'", "''", "'''", '"', '""', "`", "\\", "\\\\", "\\'", "\\''", "it's", "O''Brien",
    "back\\slash", "\\n", "\\0", "\\x41", "\\u0041", "%", "%%", "%s", "%(x)s", "%d %n", "100%", "_", "?", "??",
    "$1", "$$", "$tag$", ":name", "::text", "::", ":", "{}", "{x}", "{{ x }}", "{% raw %}", "{1,2}", "[1, 2]",
    '{"a": "b\\"c"}', "@x", "@@version", "#", "-- comment", "--", "/*", "*/", "/* ' */", "/*! 1 */", ";",
    "; DROP TABLE t; --", "'; DROP TABLE t; --", "' OR '1'='1", "\\'; DROP TABLE t; --", "x' AND 1=(SELECT 1) --",
    "') UNION SELECT 1 --", "NULL", "null", "\\N", "nil", "true", "0", "007", "-1", "1e5", "0x1F", "NaN",
    "Infinity", "2024-02-30", "0000-00-00", "12:60", "é", "e\u0301", "ß ẞ", "日本語", "縗'", "Ω≈ç√",
    "\U0001f43b\u200d\u2744\ufe0f", "\U0001f600", "\U0010ffff", "\u202eabc", "\u200b", "\ufeff", "\u2028", "\u00a0",
    "<script>alert('x')</script>", "${jndi:x}", "a,b", 'a"b', "\"a\",'b'\n", "=1+1", "|", "&", "~!@#$^&*()", "ｆｕｌｌ",
    "a" * 300, "'" * 200, "\U0001f600" * 150, "x\\" * 99,
)  # fmt: skip
"""Every one must come back as it was sent; none holds NUL or half a surrogate pair, which engines may refuse."""

NAMES: tuple[str, ...] = (
    "select", "Order", "with space", "quo'te", 'double"quote', "back`tick", "per%cent", "per%%s", "colon:name",
    "semi;colon", "quest?ion", "dollar$1", "brace{x}", "brack[et]", "hash#", "dash--dash", "com/*ment*/",
    "back\\slash", "comma,", "paren(", "ünïcödé", "日本", "1digit", "CamelCase", "a" * 60,
)  # fmt: skip
"""Column names that must survive an upload; dots, blanks at the ends and emoji are left out, MySQL has none of them."""

LONG_TEXT = "wide 語 \U0001f600 'quoted' \\ line\n" * 40_000
"""1.1 million characters."""

"""Secrets by the shape of the text around them: connection strings, URLs, JSON, command lines, well-known tokens.

For what no lexer can help with: the inside of literals and comments, and messages that echo a piece of SQL. Every
repetition is bounded, so that a megabyte of text costs one pass whatever it holds.
"""

from __future__ import annotations

import re

HIDDEN = "***"

KEY_WORDS = (
    r"(?:pass(?:word|wd|phrase|code)|pwd"
    r"|secret_?access_?key|access_?key_?id|(?:aws_?|s3_?|gcs_?)?secret_?key|client_?secret|secret_?id|secretkey"
    r"|footer_key_value|(?:account|shared_?access|storage|master|private|encryption|api|auth|ssl)_?key"
    r"|(?:auth|access|session|bearer|refresh|sas|security|motherduck|oauth|api|id)_?token|connection_?string)"
)
"""Names whose value is a secret wherever it stands; a prefix may stand before them (`user_password`, `PGPASSWORD`)."""

_LENGTH = "{0,4000}"
_QUOTED = (
    rf"(?:''(?:(?!'').){_LENGTH}+(?:''|\Z)"  # doubled: inside a literal
    rf"|\\'(?:(?!\\').){_LENGTH}+(?:\\'|\Z)"
    rf"|\\\"(?:(?!\\\").){_LENGTH}+(?:\\\"|\Z)"
    rf"|'(?:[^'\\]|\\.){_LENGTH}+(?:'|\Z)"
    rf"|\"(?:[^\"\\]|\\.){_LENGTH}+(?:\"|\Z)"
    rf"|\{{[^}}]{_LENGTH}+\}})"
)
_BARE = r"(?!%[sLI]\b|%\(|\$\{?\w|\{\{|\?)[^\s;&,'\"()\[\]{}\\<>|]{1,4000}+"

_FLAGS = re.IGNORECASE | re.DOTALL
_VALUES = (
    # password=x, "password": "x", password => 'x'
    re.compile(rf"({KEY_WORDS}(?:\\?[\"'`]){{0,2}}\s{{0,40}}+(?:=>|:=|=|:)\s{{0,40}}+)({_QUOTED})", _FLAGS),
    re.compile(rf"({KEY_WORDS}\s{{0,40}}+=\s{{0,40}}+)({_BARE})", _FLAGS),
    # PASSWORD 'x', PASSWORD('x'), IDENTIFIED BY 'x', IDENTIFIED VIA plugin USING 'x'
    re.compile(rf"(\b(?:{KEY_WORDS}|IDENTIFIED\s+BY)(?:\s{{1,40}}+|\s{{0,40}}+\(\s{{0,40}}+))({_QUOTED})", _FLAGS),
    re.compile(
        rf"(\bIDENTIFIED\s+(?:WITH|VIA)\s+\S{{1,80}}\s+(?:BY|AS|USING)\s+(?:PASSWORD\s*\(\s*)?)({_QUOTED})", _FLAGS
    ),
    # Query strings: Azure SAS, presigned S3
    re.compile(
        r"([?&](?:sig|token|key|secret|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=)([^\s&'\"]{1,4000}+)",
        _FLAGS,
    ),
    # Command lines and headers
    re.compile(r"(\bAuthorization[\"']{0,2}\s*[:=]\s*[\"']{0,2}(?:Bearer|Basic|Token)\s+)([^\s'\"]{1,4000}+)", _FLAGS),
    re.compile(r"(\bBearer\s+)([\w.~+/=-]{16,4000}+)", _FLAGS),
    re.compile(r"((?<!\S)(?:-u|--user)[ =]?[^\s:'\"]{1,200}:)([^\s'\"]{1,4000}+)"),
    re.compile(rf"(--[\w-]{{0,40}}{KEY_WORDS}[ ]+)({_BARE})", _FLAGS),
)
_URL = re.compile(r"(://[^\s:/?#@'\"]{0,400}+:)([^\s/?#'\"]{1,1000})(?=@)")
_DATABASE_URL = re.compile(
    # People forget to encode / ? # in passwords; a number before the first slash is a port, not one of those.
    r"(\b(?:postgres(?:ql)?|mysql|mariadb|redis|rediss|mongodb|mssql|oracle|clickhouse|snowflake|amqps?|sqlserver|trino|presto"
    r"|redshift|vertica)(?:\+\w{1,40})?://[^\s:/?#@'\"]{0,400}+:)(?!\d{1,5}[/?#])([^\s'\"]{1,1000})(?=@)",
    re.IGNORECASE,
)
_TOKENS = re.compile(
    r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b"  # AWS key ids
    r"|\bgh[pousr]_\w{30,255}|\bgithub_pat_\w{40,255}|\bxox[abeprs]-[\w-]{10,255}|\bglpat-[\w-]{20,255}"
    r"|\bsk-[\w-]{20,255}|\beyJ[\w-]{8,4000}+\.[\w-]{4,4000}+\.[\w-]{0,4000}+"  # API keys, JSON web tokens
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?",
    re.DOTALL,
)


def hide_shapes(text: str) -> str:
    """Return `text` with every secret that its surroundings give away replaced by `***`."""
    for pattern in _VALUES:
        text = pattern.sub(_hide_value, text)
    for pattern in (_URL, _DATABASE_URL):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return _TOKENS.sub(HIDDEN, text)


def find_shapes(text: str) -> list[str]:
    """Return the secrets that `hide_shapes` would hide in `text`."""
    values = [match[2] for pattern in (*_VALUES, _URL, _DATABASE_URL) for match in pattern.finditer(text)]
    found = [value.strip("'\"\\{}") for value in values] + [match[0] for match in _TOKENS.finditer(text)]
    return [secret for secret in found if secret]


def _hide_value(match: re.Match[str]) -> str:
    """Keep the quotes, so that what is left still reads as what it was."""
    key, value = match[1], match[2]
    for quote in ("''", "\\'", '\\"', "'", '"', "{"):
        if value.startswith(quote):
            end = "}" if quote == "{" else quote
            inner = value[len(quote) :].removesuffix(end)
            return match[0] if not inner else f"{key}{quote}{HIDDEN}{end if value.endswith(end) else ''}"
    return key + HIDDEN

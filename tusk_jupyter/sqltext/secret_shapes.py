"""Secrets by the shape of the text around them: connection strings, URLs, JSON, command lines, well-known tokens.

For what no lexer can help with: the inside of literals and comments, and messages that echo a piece of SQL. Every
repetition is bounded, so that a megabyte of text costs one pass whatever it holds.
"""

from __future__ import annotations

import re

from tusk_jupyter.sqltext.secret_names import KEY_WORDS, is_secret_key, is_secret_parameter
from tusk_jupyter.system.lean import compiled_later

HIDDEN = "***"

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
_PLAIN_KEYS = r"(?<![a-z])(?:pass|pw|token|secret|authorization|cookie|api-?key|x-api-key)"
_WORD = r"(?:'{1,2}[^'\n]{1,200}|\"[^\"\n]{1,200}|[^\s'\"-][^\s'\"]{0,200})"
_COMMANDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"sshpass|mongo\w{0,10}|cqlsh|docker\s+login|7z\w?|u?nrar|rar", r"-p\s?", ("-p",)),
    (r"(?:un)?zip|zipcloak|sqlcmd|bcp|[iot]sql|7z\w?", r"-P\s?", ("-p",)),
    (r"openssl", r"-(?:k|K|pass(?:in|out)?|passwd)\s+(?!(?:env|file|fd):|stdin)(?:pass:)?", ("openssl",)),
    (r"redis-cli", r"-a\s", ("redis",)),
    (r"ldap\w{1,20}", r"-w\s?", ("ldap",)),
    (r"smbclient|rpcclient|winexe", r"-U\s?[^\s%]{1,200}%", ("-u",)),
    (r"lftp", r"-u\s?[^\s,]{1,200},", ("-u",)),
)
"""Commands, their option for a password, and words without one of which neither is there."""


def _command(names: str, option: str) -> re.Pattern[str]:
    return compiled_later(rf"((?<![\w-])(?:{names})\s(?:[^\n|;&]{{0,200}}?(?<!\S))?{option})({_WORD})")


_VALUES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    # password=x, "password": "x", password => 'x', PASSWORD 'x', PASSWORD('x'), IDENTIFIED BY 'x'
    (
        compiled_later(
            rf"((?:{KEY_WORDS}|\bIDENTIFIED\s+BY)(?:(?:\\?[\"'`]){{0,2}}\s{{0,40}}+(?:=>|:=|==?|:)\s{{0,40}}+|\s{{1,40}}+"
            rf"|\s{{0,40}}+\(\s{{0,40}}+))({_QUOTED})"
            rf"|({KEY_WORDS}\s{{0,40}}+==?+\s{{0,40}}+)({_BARE})",
            _FLAGS,
        ),
        ("'", '"', "=", "{"),
    ),
    # JSON's and headers' own, whose names alone say less: {"token": "x"}
    (compiled_later(rf"([\"']{_PLAIN_KEYS}\\?[\"']\s{{0,40}}+[:=]\s{{0,40}}+)({_QUOTED})", _FLAGS), (":", "=")),
    (
        compiled_later(
            rf"(\bIDENTIFIED\s+(?:WITH|VIA)\s+\S{{1,80}}\s+(?:BY|AS|USING)\s+(?:PASSWORD\s*\(\s*)?)({_QUOTED})", _FLAGS
        ),
        ("identified",),
    ),
    # ALTER USER x PASSWORD hunter2, inside of a literal or a message
    (
        compiled_later(
            rf"(\b(?:USER|ROLE)\s+\S{{1,80}}\s+(?:WITH\s+)?(?:PASSWORD|IDENTIFIED\s+BY)\s+)(?!(?:NULL|EXPIRE|'|\")\b)({_BARE})",
            _FLAGS,
        ),
        ("password", "identified"),
    ),
    # Query strings: Azure SAS, presigned S3
    (
        compiled_later(
            r"([?&](?:sig|token|(?:hex|text)?key|secret|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=)([^\s&'\"]{1,4000}+)",
            _FLAGS,
        ),
        ("sig=", "token=", "key=", "secret=", "x-amz-"),
    ),
    # Command lines and headers
    (
        compiled_later(
            r"(\bAuthorization[\"']{0,2}\s*[:=]\s*[\"']{0,2}(?:Bearer|Basic|Token)\s+)([^\s'\"]{1,4000}+)", _FLAGS
        ),
        ("authorization",),
    ),
    (compiled_later(r"(\bBearer\s+)([\w.~+/=-]{16,4000}+)", _FLAGS), ("bearer",)),
    (compiled_later(r"((?<!\S)(?:-u|--user)[ =]?[^\s:'\"]{1,200}:)([^\s'\"]{1,4000}+)"), ("-u",)),
    (compiled_later(r"(\bmysql\w*\s[^\n]{0,200}?(?<!\S)-p)([^\s'\"-][^\s'\"]{0,200})"), ("-p",)),
    (compiled_later(rf"(--[\w-]{{0,40}}{KEY_WORDS}[ ]+)({_BARE})", _FLAGS), ("--",)),
    # curl -H 'Cookie: x'
    (
        compiled_later(
            r"((?<![\w-])(?:Proxy-Authorization|Authorization|Set-Cookie|Cookie):\s{1,3})(?!\S{1,20} \*\*\*)"
            r"([^\s'\"][^'\"\n]{0,4000})",
            _FLAGS,
        ),
        ("authorization:", "cookie:"),
    ),
    (compiled_later(rf"((?<=\s)--?(?:\w{{0,10}}pass|pw)[ =])({_WORD})"), ("-pass", "pass ", "pass=", "-pw")),
    *((_command(names, option), words) for names, option, words in _COMMANDS),
)
"""Patterns of a key and its value, each with words without one of which it cannot fit."""
_URL = compiled_later(r"(://[^\s:/?#@'\"]{0,400}+:)([^\s/?#'\"]{1,1000})(?=@)")
_DATABASE_URL = compiled_later(
    # People forget to encode / ? # in passwords; a number before the first slash is a port, not one of those.
    r"(\b(?:postgres(?:ql)?|mysql|mariadb|redis|rediss|mongodb|mssql|oracle|clickhouse|snowflake|amqps?|sqlserver|trino|presto"
    r"|redshift|vertica)(?:\+\w{1,40})?:/{1,2}[^\s:/?#@'\"]{0,400}+:)(?!\d{1,5}[/?#])([^\s'\"]{1,1000})(?=@)",
    re.IGNORECASE,
)
_PAIR = compiled_later(
    r"(?<![\w.$])((?:\\?[\"'`]){0,2})([^\W\d][\w.-]{1,60}+)\1\s{0,9}+(=>|:=|=|:)\s{0,9}+(?=([\"'\\\[]?))"
)
_VALUE = compiled_later(rf"{_QUOTED}|{_BARE}", re.DOTALL)
_LIST = compiled_later(r"\[\s{0,40}+(?=[\"'\\])")
_ITEM = compiled_later(rf"({_QUOTED})(\s{{0,40}}+(?:,\s{{0,40}}+)?)", re.DOTALL)
_KEY_ATTRIBUTE = compiled_later(r"\b(?:key|name)=[\"']{1,2}([\w.-]{1,60})")
"""A name and its value in any notation; the name decides."""
_ELEMENT = compiled_later(
    r"(<([\w:.-]{1,80}+)(?:\s[^<>]{0,400}+)?>\s{0,40}+(?:<!\[CDATA\[)?)(\S(?:(?!\]\]>)[^<>]){0,4000}+)(?=</|\]\]>)"
)
_NAMED = compiled_later(
    r"(\b(?:key|name|id|k|param|parameter|option|setting|variable|property|field)\\?[\"']{0,2}\s{0,9}+[:=]\s{0,9}+\\?[\"']{1,2})"
    rf"([\w.$-]{{1,60}}+)(\\?[\"']{{1,2}}[,;\s]{{1,9}}+\\?[\"']{{0,2}}(?:value|val|v|content)\\?[\"']{{0,2}}\s{{0,9}}+[:=]\s{{0,9}}+)({_QUOTED})",
    _FLAGS,
)
"""`{"name": "API_TOKEN", "value": "x"}`, `<add key="password" value="x"/>`."""
_PLAIN_NAMES = frozenset(["token", "secret"])
_NOTED_WORDS = ("pass", "pw", "secret", "token", "credential", "key")
_WORDS_ONLY = compiled_later(r"['\"`]?[\w ]*['\"`]?")
_WORDS_ENOUGH = (*_NOTED_WORDS, "identified")
"""Without one of these, nothing in words and blanks alone gives a secret away; a script may have a million such literals."""
_SHORTEST_NOTED = 4
_NOTED = compiled_later(
    r"((?<![\w-])(?:(pass(?:word|wd|phrase|wort|(?=\s{0,3}[:=]))|pwd|pw)|secret"
    r"|(?:api[ _-]?)?token|(?:api|access|secret|license)[ _-]?key|credentials?)"
    r"(\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was|ist|war)\s{1,3}|\s{1,3}))([^\s'\"`;,(){}<>|*]{4,200}+)([^\S\n]*(?:\*/|['\"\n]|\Z))?",
    re.IGNORECASE,
)
"""What people note in comments and messages: `password: hunter2`, `the password is hunter2`."""
_RANDOM = compiled_later(r"(?=[^\W\d_]|.*[^\W\d_])(?=.*\d|.*[!@#$%^&+~])(?!.*[:=/])")
_METHODS = compiled_later(
    r"(?i)(?:md5|sha-?\d+|scram\S*|bcrypt\S*|argon\S*|pbkdf\S*|v\d+|base\d+|aes-?\d*|utf-?\d+|oauth\d?|jwt|%\S*|[$:]\S*|\S*@\S*\.\S*)"
)
_MARKS = compiled_later(r"A(?:KIA|SIA)|gh[pousr]_|github_pat_|xox|glpat-|sk-|eyJ|-----BEGIN")
_TOKENS = compiled_later(
    r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b"  # AWS key ids
    r"|\bgh[pousr]_\w{30,255}|\bgithub_pat_\w{40,255}|\bxox[abeprs]-[\w-]{10,255}|\bglpat-[\w-]{20,255}"
    r"|\bsk-[\w-]{20,255}|\beyJ[\w-]{8,4000}+\.[\w-]{4,4000}+\.[\w-]{0,4000}+"  # API keys, JSON web tokens
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?",
    re.DOTALL,
)


def hide_shapes(text: str) -> str:
    """Return `text` with every secret that its surroundings give away replaced by `***`."""
    return hide_and_find(text)[0]


def hide_and_find(text: str) -> tuple[str, list[str]]:
    """Return `text` without the secrets that its surroundings give away, and these."""
    found: list[str] = []

    def hide(match: re.Match[str]) -> str:
        return _hide_value(match, found)

    lower = text.lower()
    if _WORDS_ONLY.fullmatch(text) and not any(word in lower for word in _WORDS_ENOUGH) and not _MARKS.search(text):
        return text, found
    for pattern, words in _VALUES:
        if any(word in lower for word in words):
            text = pattern.sub(hide, text)
    if "=" in text or ":" in text:
        text = _without_pairs(text, found)
        text = _NAMED.sub(lambda match: _hide_named(match, found), text)
    if "</" in text:
        text = _ELEMENT.sub(lambda match: _hide_element(match, found), text)
    if any(word in lower for word in _NOTED_WORDS):
        text = _NOTED.sub(lambda match: _hide_noted(match, found), text)
    if ":/" in text:
        for pattern in (_URL, _DATABASE_URL):
            text = pattern.sub(hide, text)
    if _MARKS.search(text):
        text = _TOKENS.sub(lambda match: found.append(match[0]) or HIDDEN, text)  # type: ignore[func-returns-value]
    return text, [secret for secret in found if secret]


def hide_urls(text: str) -> str:
    """Return `text` with `***` for each password in a URL, wherever it stands."""
    for pattern in (_URL, _DATABASE_URL):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def _without_pairs(text: str, found: list[str]) -> str:
    """Hide what is given to a secret's name; behind a colon only in a header (`X-Api-Key: x`) and in JSON."""
    parts, done = [], 0
    for match in _PAIR.finditer(text):
        quote, name, sign, opening = match.groups()
        if match.start() < done or (sign == ":" and "-" not in name and not (quote and opening)):
            continue
        plain = (sign == "=>" and name.lower() in _PLAIN_NAMES) or (
            "-" in name and is_secret_parameter(name.rpartition("-")[2])
        )
        if plain or is_secret_key(name):
            value = _VALUE.match(text, match.end())
            if opening == "[":
                items, end = _without_items(text, match.end(), found)
                parts += [text[done : match.end()], items]
                done = end
            elif value:
                parts += [text[done : match.end()], _shown("", value[0], found)]
                done = value.end()
    return "".join([*parts, text[done:]])


def _without_items(text: str, at: int, found: list[str]) -> tuple[str, int]:
    """Return a JSON list without its texts, and where the last one of them ends: `{"passwords": ["x", "y"]}`."""
    begin = _LIST.match(text, at)
    if begin is None:
        return "", at
    parts, end = [begin[0]], begin.end()
    while item := _ITEM.match(text, end):
        parts += [_shown("", item[1], found), item[2]]
        end = item.end()
    return "".join(parts), end


def _hide_named(match: re.Match[str], found: list[str]) -> str:
    key, name, between, value = match.groups()
    return _shown(f"{key}{name}{between}", value, found) if is_secret_parameter(name) else match[0]


def _hide_element(match: re.Match[str], found: list[str]) -> str:
    before, name, value = match.groups()
    named = _KEY_ATTRIBUTE.search(before)
    secret = is_secret_parameter(name.rpartition(":")[2]) or (named and is_secret_parameter(named[1]))
    return _shown(before, value, found) if secret else match[0]


def _hide_noted(match: re.Match[str], found: list[str]) -> str:
    """Hide a word that is assigned to a password, or that looks like one; `password authentication` is prose."""
    key, password, link, word, end = match.groups()
    plain = word.rstrip(".!?:")
    if len(plain) < _SHORTEST_NOTED or plain == HIDDEN or _METHODS.fullmatch(plain):
        return match[0]
    assigned = password and end and (":" in link or "=" in link) and plain.isalnum()
    number = password and plain.isdecimal()
    if not (assigned or number or _RANDOM.match(plain)):
        return match[0]
    found.append(plain)
    return f"{key}{HIDDEN}{word[len(plain) :]}{end or ''}"


def _hide_value(match: re.Match[str], found: list[str]) -> str:
    """Keep the quotes, so that what is left still reads as what it was."""
    key, value = (text for text in match.groups() if text is not None)
    return _shown(key, value, found)


def _shown(key: str, value: str, found: list[str]) -> str:
    for quote in ("''", "\\'", '\\"', "'", '"', "{"):
        if value.startswith(quote):
            end = "}" if quote == "{" else quote
            inner = value[len(quote) :].removesuffix(end)
            if not inner.strip("'\"\\."):
                return key + value
            if inner != HIDDEN:
                found.append(inner)
            return f"{key}{quote}{HIDDEN}{end if value.endswith(end) else ''}"
    if value.lower().rstrip("`.") in ("true", "false"):  # `allow_cleartext_password=true`
        return key + value
    if value != HIDDEN:
        found.append(value)
    return key + HIDDEN

"""Names whose value is a secret: of parameters, columns, options and settings.

A name is read by its parts (`new_pass`, `accessKey`, `app.jwt_secret`). Two measures: what a user called a bound value is
believed early (`pw`, `dsn`, `token`), a column's or key's name only where it can hardly mean something else, for
`WHERE token = 'the'` and `key = 'theme'` are data.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata

KEY_WORDS = (
    r"(?:pass(?:word|wd|phrase|code|wort)s?|pwd|kennwort|contrase[n\u00f1]as?|mot_?de_?passe|wachtwoord|senha"
    r"|secret_?access_?key|access_?key(?:_?id)?|(?:aws_?|s3_?|gcs_?)?secret_?key|client_?secret|secret_?id|secretkey"
    r"|footer_key_value|(?:account|shared_?access|storage|master|private|encryption|signing|api|auth|ssl|ssh)_?key"
    r"|(?:auth|access|session|bearer|refresh|sas|security|motherduck|oauth|api|id|jwt|csrf)_?token"
    r"|(?:jwt|app|api|auth|webhook|shared|signing|oauth|session)_?secret|connection_?string|jwt|dsn)"
)
"""Names whose value is a secret wherever it stands; a prefix may stand before them (`user_password`, `PGPASSWORD`)."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_ALWAYS = re.compile(
    r"\w*(?:password|passwd|passphrase|passcode|passwort|passworter)s?|\w*pwd|pass|pw|secrets?|jwts?|apikeys?|accesskeys?"
    r"|secretkeys?|privatekeys?|(?:pg|db|sql|mysql|my|user|usr|admin|root|app|ftp|smtp|imap|mail|ldap|ssh|ssl|login)pass"
    r"|kennwort(?:er)?|contrasenas?|wachtwoord(?:en)?|senhas?|losenord|passord|adgangskode|salasana|haslo|\u043f\u0430\u0440\u043e\u043b\u044c"
    r"|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9"
)
"""The last four are Russian, Chinese and Japanese."""
_OF_VALUES = re.compile(r"claves?|parola|sifre|heslo|pem|pfx|cvv2?|cvc2?|(?:j|php)?sess(?:ion)?id")
"""Words that also mean a code, a word or a file; what is bound under them is taken for a secret, a column is not."""
_FRENCH = "motdepasse"
_EARLY = re.compile(
    r"dsn|conn|conninfo|connstr|credentials?|creds?|tokens?|pin|otp|totp|pat|auth|authorization|bearer|cookie"
)
_BEFORE_KEY = frozenset(
    """
    access account api app auth encryption enc hmac license master private rsa secret service shared sign signing ssh
    ssl storage aes des crypto footer vault
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
_BEFORE_TOKEN = frozenset(
    """
    access api auth bearer bot csrf deploy id jwt motherduck oauth personal push refresh reset sas security session user
    verification webhook
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
_ABOUT = frozenset(
    """
    age algorithm algo at attempts changed count created date days disabled enabled encryption expired expires expiry
    failed field file flag format hint history id in kind length lifetime limit lock max min name num number only path
    policy position pos rate required reset set size status time total ttl type updated used usage valid version
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Last parts that make a name tell about a secret, as `token_count` and `password_changed_at`."""
_COUNTS = frozenset(["max", "min", "num", "n", "count", "total", "has", "is", "no"])
"""First parts that do the same: `max_tokens`, `has_password`."""
_NOT_SECRET = frozenset(["bypass", "compass", "trespass", "surpass"])
_WRITTEN_OUT = ("password", "passwd", "passphrase", "passcode", "passwort", "secret", "token", "credential")
_ALIKE = 0.81  # pasword, passowrd, paswd, tokn, sekret; not passed, taken, broken
_OTHER_WORDS = frozenset(["passed"])
_LONGEST = 128


@functools.lru_cache(maxsize=4096)
def is_secret_parameter(name: str) -> bool:
    """Return whether a bound value of that name is to be hidden."""
    parts = _parts(name)
    return not _is_about(parts) and (any(_EARLY.fullmatch(part) for part in parts) or _is_key(parts))


@functools.lru_cache(maxsize=4096)
def is_secret_key(name: str) -> bool:
    """Return whether a column, key or option of that name holds a secret."""
    parts = _parts(name)
    return not _is_about(parts) and parts not in (["secret"], ["secrets"]) and _is_key(parts)


@functools.lru_cache(maxsize=4096)
def is_secret_setting(name: str) -> bool:
    """Return whether a setting of somebody's own (`app.key`) holds a secret; one of the engine's has no dot."""
    return is_secret_parameter(name) or _parts(name)[-1:] == ["key"]


@functools.lru_cache(maxsize=1024)
def is_meant_as_secret(name: str) -> bool:
    """Return whether a name that somebody typed is, or was probably meant to be, that of a secret: `pasword`.

    For the few names of a line or of bound values: a misspelling takes 0.1 ms to find.
    """
    parts = _parts(name)
    if parts and parts[0] not in _COUNTS and (parts[-2:] == ["session", "id"] or _OF_VALUES.fullmatch(parts[-1])):
        return True
    return is_secret_parameter(name) or (
        not _is_about(parts)
        and any(part not in _OTHER_WORDS and difflib.get_close_matches(part, _WRITTEN_OUT, 1, _ALIKE) for part in parts)
    )


def _is_about(parts: list[str]) -> bool:
    if not parts or (parts[0] in _COUNTS and len(parts) > 1):
        return True
    return parts[-1] in _ABOUT and parts[-2:] not in (["secret", "id"], ["key", "id"])


def _is_key(parts: list[str]) -> bool:
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last in ("key", "keys") or parts[-2:] == ["key", "id"] or parts[-2:] == ["key", "value"]:
        qualifier = before if last in ("key", "keys") else (parts[-3] if len(parts) > 2 else "")
        return qualifier in _BEFORE_KEY
    if last in ("token", "tokens"):
        return before in _BEFORE_TOKEN
    if last == "string":
        return before == "connection"
    return (
        any(_ALWAYS.fullmatch(part) and part not in _NOT_SECRET for part in parts)
        or last == "dsn"
        or "connectionstring" in parts
        or _FRENCH in "".join(parts)
    )


def _parts(name: str) -> list[str]:
    if len(name) > _LONGEST:
        return []
    return [part.lower() for part in _PARTS.findall(name if name.isascii() else _without_accents(name))]


def _without_accents(name: str) -> str:
    """`contraseña` as `contrasena`; accents part a name where it has none."""
    plain = unicodedata.normalize("NFKD", name.replace("ł", "l").replace("Ł", "L"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))

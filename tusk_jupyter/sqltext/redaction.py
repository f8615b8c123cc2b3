"""SQL as the query log may keep it: secrets replaced by `***`, everything else as it was.

Two nets: places that the lexer knows (`secret_places`), and shapes inside of literals and comments (`secret_shapes`).
What both do not know is kept: the log is its user's own data, and a log that hides WHERE conditions is of no use.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from tusk_jupyter.sqltext import copied_rows
from tusk_jupyter.sqltext.dialects import ANSI, DIALECTS, Dialect
from tusk_jupyter.sqltext.lexed import PARAMETER, Lexemes
from tusk_jupyter.sqltext.lexemes import statements
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.literals import QUOTE, is_code, meant, parts_of, unquoted
from tusk_jupyter.sqltext.plain_inserts import PlainInserts, Read
from tusk_jupyter.sqltext.prepared_texts import PreparedTexts
from tusk_jupyter.sqltext.secret_places import Statement
from tusk_jupyter.sqltext.secret_shapes import HIDDEN, hide_and_find, hide_urls

_HINTS = (
    "pass", "pw", "secret", "token", "key", "identified", "credential", "crypt", "hmac", "connection", "://", "bearer", "auth",
    "-u", "-p", "sig=", "user", "role", "grant", "jwt", "dsn", "cookie", "sign", "verify", "kdf", "encode", "decode", "akia",
    "asia", "eyj", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "xox", "glpat", "sk-", "execute", "prepare",
    "kennw", "contrase", "senha", "wachtw", "ldap", "redis", "openssl", "u&'", "login", "logon", "log_in",
)  # fmt: skip
"""A statement without any of these has no secret that we know; most have none, and go unread."""
_EXECUTES = "execute"
"""The hint of a statement that fills the placeholders of another one."""


def hints_in(text: str, known: tuple[str, ...] = _HINTS) -> tuple[str, ...]:
    """Return which hints stand in a text: forty searches for a substring take a tenth of one for a pattern of them."""
    lower = text.lower()
    return tuple(hint for hint in known if hint in lower)


_DEPTH = 4  # code in a dollar-quoted body in a dollar-quoted body ...


@dataclass(slots=True)
class Redacted:
    """A text without its secrets, and what they are."""

    text: str = ""
    secrets: dict[str, None] = field(default_factory=dict, repr=False)
    """Unquoted, each once: an error message may repeat them out of their place."""
    parameters: set[str] = field(default_factory=set)
    """Names of bound values that stand where a secret stands: `PASSWORD :p`."""


def examine(sql: str, dialect_name: str, parameters: Collection[str] = ()) -> Redacted:
    """Read a text once and return all that there is to hide in it.

    Args:
        sql: any text.
        dialect_name: an unknown one is read as ANSI, for a log must not fail.
        parameters: the names that are bound.
    """
    hints = hints_in(sql)
    if not hints:
        return Redacted(text=sql)
    dialect, bound = DIALECTS.get(dialect_name, ANSI), frozenset(parameters)
    found = _Examination(dialect, bound, hints)
    text = found.text_with_rows(sql)
    if found.variables:  # they were given their values before
        found = _Examination(dialect, bound, hints, found.variables)
        text = found.text_with_rows(sql)
    if "://" in text:
        text = hide_urls(text)  # also outside of literals
    found.redacted.secrets.pop("", None)
    found.redacted.text = text
    return found.redacted


def redact(sql: str, dialect_name: str) -> str:
    """Return `sql` with its secrets replaced by `***`."""
    return examine(sql, dialect_name).text


def secrets_in(sql: str, dialect_name: str) -> tuple[str, ...]:
    """Return the secrets that stand in `sql`, unquoted."""
    return tuple(examine(sql, dialect_name).secrets)


class _Examination:
    """One text on its way through both nets."""

    def __init__(
        self, dialect: Dialect, parameters: frozenset[str], hints: tuple[str, ...], variables: Collection[str] = ()
    ) -> None:
        self.redacted = Redacted()
        self._dialect = dialect
        self._known = Lexemes(dialect)
        self._prepared = PreparedTexts(dialect, self._known)
        self.variables = self._prepared.variables
        self.variables |= set(variables)
        self._parameters = parameters
        self._hints = (*hints, *(f"@{name.lower()}" for name in variables))
        self._inserts: PlainInserts | None = PlainInserts(self._alone, self._has_hint)

    def _has_hint(self, text: str) -> bool:
        lower = text.lower()
        return any(hint in lower for hint in self._hints)

    def text_with_rows(self, sql: str) -> str:
        """Return a whole text without its secrets; rows may stand between its statements."""
        parts: list[str] = []
        for code, rows, secret in copied_rows.pieces(sql):
            shown, found = copied_rows.without_secrets(rows, secret)
            parts += [self.text_of(code, _DEPTH), self._without_shapes(shown) if self._has_hint(shown) else shown]
            self.redacted.secrets.update(dict.fromkeys(found))
        return "".join(parts)

    def text_of(self, sql: str, depth: int) -> str:
        parts: list[str] = []
        for piece in statements(sql, self._dialect, self._wanted):
            if isinstance(piece, str):
                parts.append(piece)
            else:
                parts += self._statement(self._with_parameters(piece), depth)
        return "".join(parts)

    def _wanted(self, statement: str) -> bool | str:
        """Return whether a statement is to be read, or how it reads."""
        if not self._has_hint(statement):
            return False
        read = self._inserts.read(statement) if self._inserts else None
        if read is None:
            return True
        self.redacted.secrets.update(dict.fromkeys(read.secrets))
        return read.text if read.secrets else False

    def _alone(self, statement: str) -> Read:
        """Read a statement by itself."""
        own = _Examination(self._dialect, frozenset(), self._hints)
        own._inserts = None
        return Read(own.text_of(statement, _DEPTH), tuple(own.redacted.secrets))

    def _with_parameters(self, lexemes: list[str]) -> list[str]:
        """Return the lexemes with each bound `:name` as one of them."""
        if not self._parameters or PARAMETER not in lexemes:
            return lexemes
        merged: list[str] = []
        for one in lexemes:
            if merged and merged[-1] == PARAMETER and one.strip() in self._parameters:
                merged[-1] = PARAMETER + one
            else:
                merged.append(one)
        return merged

    def _statement(self, lexemes: list[str], depth: int) -> list[str]:
        statement = Statement(lexemes, self._known)
        secret = statement.secrets()
        if _EXECUTES in self._hints:
            secret |= self._prepared.secrets(statement)
        secret.update(self._glued(statement))
        for place in statement.texts:
            written = lexemes[place]
            if self._dialect.mode_bracket_names and written.startswith("["):
                lexemes[place] = _LITERALS.sub(self._literal, written)
            elif place not in secret and len(written) > _SHORTEST and ("\\" in written or self._has_hint(written)):
                lexemes[place] = self._shown(statement, place, written, depth)
                if self._known[written].kind is Kind.STRING and self._holds_escaped(lexemes[place]):
                    secret.add(place)
        for place in sorted(secret):
            lexemes[place] = self._hidden(lexemes[place])
        return lexemes

    def _hidden(self, written: str) -> str:
        plain = written.rstrip()
        if plain.startswith(PARAMETER) and plain[1:] in self._parameters:
            self.redacted.parameters.add(plain[1:])
            return written
        secret = unquoted(plain)
        self.redacted.secrets[secret] = None
        if secret.startswith('"') and secret.endswith('"'):  # a JSON text, of which a message may show the inside
            self.redacted.secrets[secret[1:-1]] = None
        opening = QUOTE.match(plain)
        sign = opening[1] if opening else "'" if plain[0] == "$" and len(plain) > 1 else ""
        sign = "'" if sign == '"' and self._dialect.double_quoted_strings else sign
        return f"{sign}{HIDDEN}{sign}{written[len(plain) :]}"

    def _literal(self, match: re.Match[str]) -> str:
        self.redacted.secrets[match[2]] = None
        return f"{match[1]}{HIDDEN}{match[1]}"

    def _shown(self, statement: Statement, place: int, written: str, depth: int) -> str:
        """Return what the log shows of a literal, comment or name that is no secret as a whole."""
        opening, inner, closing = parts_of(written)
        if not opening.startswith("$"):
            return self._without_shapes(written)
        code = is_code(inner, statement.before(place))
        inner = self.text_of(inner, depth - 1) if depth else inner
        return f"{opening}{inner if code and depth else self._without_shapes(inner)}{closing}"

    def _without_shapes(self, text: str) -> str:
        text, found = hide_and_find(text)
        self.redacted.secrets.update(dict.fromkeys(found))
        return text

    def _holds_escaped(self, written: str) -> bool:
        r"""Whether a literal holds a secret that only its text shows: `U&'p\0061ssword=x'`."""
        inner = parts_of(written).inner
        if "\\" not in inner and "'" not in inner and '"' not in inner:
            return False
        text = meant(written)
        return text != inner and bool(hints_in(text)) and bool(hide_and_find(text)[1])

    def _glued(self, statement: Statement) -> Iterator[int]:
        """Places of literals that hold a piece of a secret which they show only together: `'pass' 'word=x'`."""
        for chain in statement.chains():
            places = [statement.place[index] for index in chain]
            texts = [meant(statement.written[index]) for index in chain]
            joined = "".join(texts)
            if len(joined) > _LONGEST_CHAIN or not self._has_hint(joined):
                continue
            alone = {secret for text in texts for secret in hide_and_find(text)[1]}
            for secret in dict.fromkeys(hide_and_find(joined)[1]):
                if secret not in alone:
                    self.redacted.secrets[secret] = None
                    yield from _holding(places, texts, joined.find(secret), len(secret))


_LITERALS = re.compile(r"(['\"])(.+?)\1", re.DOTALL)
"""Literals where only some mode of the server sees a name: `password IN ['x']` is an error elsewhere, and in the log."""
_LONGEST_CHAIN = 20_000
"""Characters of literals that are read together: a secret is looked for in them once more."""
_SHORTEST = 6
"""Characters of the shortest literal that could hold a secret and what gives it away."""


def _holding(places: Sequence[int], texts: Sequence[str], start: int, length: int) -> Iterator[int]:
    """The places of the texts that hold a stretch of what they are together."""
    at = 0
    for place, text in zip(places, texts, strict=True):
        if at < start + length and start < at + len(text):
            yield place
        at += len(text)

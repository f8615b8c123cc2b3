"""Which literals of a SQL text are secrets, by the place where they stand in it.

A place is known by the words before it: `PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `password = 'x'`, `CREDENTIALS (...)`, an
argument of an encryption function, a column of an INSERT. What stands nowhere known is data, and the log keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.bodies import header_words, object_of
from tusk_jupyter.sqltext.lexer import Kind, Token
from tusk_jupyter.sqltext.secret_shapes import KEY_WORDS

_KEY = re.compile(rf"(?:.*[^a-z])?{KEY_WORDS}|(?:pg|mysql|db|user|my|new|old)passw(?:or)?d", re.IGNORECASE | re.DOTALL)
_ASSIGNS = frozenset(["=", "==", "=>", ":=", "<>", "!=", "<=>", ":", "~", "LIKE", "ILIKE", "IN", "TO", "("])
_CHAINS = frozenset(["||", "+"])
_AFTER_IDENTIFIED = frozenset(["BY", "AS", "USING", "PASSWORD", "REPLACE", "("])
_SECRET_PRAGMAS = frozenset(["KEY", "REKEY", "HEXKEY", "HEXREKEY", "TEXTKEY", "TEXTREKEY", "ADD_PARQUET_KEY"])
_OPEN_SETTINGS = frozenset(
    """
    TYPE PROVIDER SCOPE REGION ENDPOINT HOST HOSTADDR PORT DATABASE DBNAME USER USERNAME URL_STYLE USE_SSL CHAIN PROFILE
    ACCOUNT_NAME TENANT_ID CLIENT_ID CERTIFICATE_PATH PROXY NAME SSLMODE SSL_MODE STORAGE SCHEMA CATALOG WAREHOUSE
    OAUTH2_SERVER_URI OAUTH2_SCOPE AUTHORIZATION_TYPE SOCKET IN LIKE
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""What a CREATE SECRET may say openly; every other literal in it is one."""
_OPEN_IN_ACCOUNTS = frozenset(
    """
    USER ROLE EXISTS , @ COMMENT ATTRIBUTE ISSUER SUBJECT CIPHER WITH VIA OR UNTIL TO FROM DEFAULT =
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Behind these a literal of CREATE USER or ALTER ROLE is open; behind others it may be a password after a slip of the pen."""
_SECRET_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "aes_encrypt": (1,), "aes_decrypt": (1,), "des_encrypt": (1,), "des_decrypt": (1,),
    "pgp_sym_encrypt": (1,), "pgp_sym_encrypt_bytea": (1,), "pgp_sym_decrypt": (1,), "pgp_sym_decrypt_bytea": (1,),
    "pgp_pub_decrypt": (1, 2), "pgp_pub_decrypt_bytea": (1, 2), "crypt": (0,), "encrypt": (1,), "decrypt": (1,),
    "encrypt_iv": (1,), "decrypt_iv": (1,), "hmac": (1,), "old_password": (0,),
}  # fmt: skip
"""Functions whose arguments, counted from 0, are keys or passwords."""
_NAME_AND_VALUE = frozenset(
    ["set_config", "json_build_object", "jsonb_build_object", "json_object", "jsonb_object", "hstore", "struct_pack"]
)
"""Functions that take a name and then its value."""
_REACH = 60  # tokens looked through for what a call is given: keeps deeply nested calls linear


def secret_tokens(text: str, found: Sequence[Token]) -> set[int]:
    """Return the indices of the tokens that are secrets."""
    words = [token for token in found if token.kind is not Kind.COMMENT]
    place = {token.start: index for index, token in enumerate(found)}
    secret: set[int] = set()
    start = 0
    while start < len(words):
        end = next(
            (n for n in range(start, len(words)) if words[n].kind in (Kind.SEPARATOR, Kind.DIRECTIVE)), len(words)
        )
        statement = _Statement(text, words[start:end])
        secret.update(place[words[start + n].start] for n in statement.secrets())
        start = end + 1
    return secret


class _Statement:
    """One statement's tokens without comments, and its words in upper case."""

    def __init__(self, text: str, part: Sequence[Token]) -> None:
        self.text = text
        self.part = part
        self.signs = [text[token.start : token.end].upper() if _is_short(token) else "" for token in part]
        self.header = header_words(text, part)

    def secrets(self) -> set[int]:
        """Return the indices of the tokens that are secrets."""
        found: set[int] = set()
        for rule in (self._keyed, self._identified, self._credentials, self._arguments, self._columns, self._special):
            for index in rule():
                found.update(self._chain(index))
        return found

    # --- rules: each yields indices of literals ---

    def _keyed(self) -> Iterator[int]:
        """`password = 'x'`, `PASSWORD 'x'`, `"password" => 'x'`, `password IN ('a', 'b')`, `password = md5('x')`."""
        for index, token in enumerate(self.part):
            if not self._is_key(token):
                continue
            at = index + 1
            if token.kind is Kind.STRING and self._sign(at) not in ("=", "=>", ":"):
                continue
            at += self._sign(at) == "NOT"
            if self._sign(index + 1) == "FOR":  # SET PASSWORD FOR 'u'@'h' = 'x'
                at = next((n for n in range(at, len(self.part)) if self.signs[n] in ("=", "TO")), at)
            assigned = False
            while self._sign(at) in _ASSIGNS:
                assigned, at = True, at + 1
            if self._is_literal(at):
                yield from self._list(at)
            elif assigned and self._kind(at) is Kind.WORD and self._sign(at + 1) == "(":
                yield from (n for n in self._inside(at + 1) if self._is_literal(n))

    def _identified(self) -> Iterator[int]:
        """MySQL's IDENTIFIED BY / WITH ... AS / VIA ... USING, hashes included."""
        if "IDENTIFIED" in self.signs:
            for index in range(self.signs.index("IDENTIFIED"), len(self.part)):
                hexadecimal = self._kind(index) is Kind.NUMBER and self.signs[index].startswith("0X")
                if (self._is_literal(index) or hexadecimal) and self._sign(index - 1) in _AFTER_IDENTIFIED:
                    yield index

    def _credentials(self) -> Iterator[int]:
        """`CREDENTIALS 'x'`, `CREDENTIALS = (A = 'x' B = 'y')`."""
        for index, sign in enumerate(self.signs):
            if sign == "CREDENTIALS" and self.part[index].kind is Kind.WORD:
                at = index + 1
                at += self._sign(at) == "="
                if self._sign(at) == "(":
                    yield from (n for n in self._inside(at) if self._is_literal(n))
                elif self._is_literal(at):
                    yield at

    def _arguments(self) -> Iterator[int]:
        """Keys and passwords given to functions, found in one pass however deep the calls are."""
        calls: list[_Call] = []
        for index, token in enumerate(self.part):
            if token.kind is Kind.OPEN:
                calls.append(_Call(self._sign(index - 1).lower()))
            elif not calls:
                continue
            elif token.kind is Kind.CLOSE:
                calls.pop()
            elif self.signs[index] == ",":
                calls[-1].argument += 1
            elif token.kind is Kind.STRING and calls[-1].takes(self._is_key(token)) and self._is_literal(index):
                yield index

    def _columns(self) -> Iterator[int]:
        """`INSERT INTO t (name, password) VALUES ('a', 'x'), ('b', 'y')`."""
        if self.header[:1] not in (["INSERT"], ["REPLACE"]) or "VALUES" not in self.signs:
            return
        values = self.signs.index("VALUES")
        opening = next((n for n in range(values) if self.part[n].kind is Kind.OPEN), values)
        names = [token for token in self.part[opening + 1 : values] if token.kind in (Kind.WORD, Kind.NAME)]
        secret = {number for number, token in enumerate(names) if self._is_key(token)}
        column, depth = 0, 0
        for index in range(values + 1, len(self.part)) if secret else ():
            kind = self.part[index].kind
            depth += (kind is Kind.OPEN) - (kind is Kind.CLOSE)
            if depth == 1 and kind is Kind.OPEN:
                column = 0
            elif depth == 1 and self.signs[index] == ",":
                column += 1
            elif depth and column in secret and self._is_literal(index):
                yield index

    def _special(self) -> Iterator[int]:
        """CREATE SECRET, accounts, PRAGMA key, ATTACH ... KEY."""
        if object_of(self.header) == "SECRET":
            yield from self._created_secret()
        elif object_of(self.header) in ("USER", "ROLE") and "MAPPING" not in self.header:
            for index, before in enumerate(["", *self.signs[:-1]]):
                if self._is_literal(index) and before not in _OPEN_IN_ACCOUNTS and self._sign(index + 1) != "@":
                    yield index
        elif self.header[:1] == ["GRANT"]:
            yield from (n for n in range(1, len(self.part)) if self._sign(n - 1) == "BY" and self._is_literal(n))
        elif self.header[:1] == ["PRAGMA"]:
            names = [n for n in range(1, len(self.part)) if self.signs[n] in _SECRET_PRAGMAS][:1]
            yield from (n for at in names for n in range(at + 1, len(self.part)) if self._is_value(n))
        elif self.header[:1] in (["ATTACH"], ["ALTER"], ["CREATE"]):
            for index, sign in enumerate(self.signs):
                if sign in ("KEY", "SECRET", "TOKEN", "KEY_ID") and self._is_literal(index + 1):
                    yield index + 1

    def _created_secret(self) -> Iterator[int]:
        setting = ""
        for index, token in enumerate(self.part):
            before = self._sign(index - 1)
            if token.kind in (Kind.WORD, Kind.NAME) and before in ("(", ","):
                setting = self.signs[index]
            elif self._is_literal(index) and setting and setting not in _OPEN_SETTINGS:
                yield index

    # --- helpers ---

    def _sign(self, index: int) -> str:
        return self.signs[index] if 0 <= index < len(self.signs) else ""

    def _kind(self, index: int) -> Kind | None:
        return self.part[index].kind if 0 <= index < len(self.part) else None

    def _is_literal(self, index: int) -> bool:
        """A literal that holds something: `password = ''` gives nothing away."""
        return self._kind(index) is Kind.STRING and self.part[index].end - self.part[index].start > 2

    def _is_value(self, index: int) -> bool:
        token = self.part[index]
        return token.kind in (Kind.STRING, Kind.NAME, Kind.WORD, Kind.NUMBER) and token.end - token.start > 2

    def _is_key(self, token: Token) -> bool:
        if token.kind not in (Kind.WORD, Kind.NAME, Kind.STRING) or not _is_short(token):
            return False
        return bool(_KEY.fullmatch(self.text[token.start : token.end].strip("'\"`[]")))

    def _chain(self, index: int) -> Iterator[int]:
        """The literal, and those that are glued to it: 'a' 'b', 'a' || 'b'."""
        yield index
        while True:
            step = 2 if self._sign(index + 1) in _CHAINS else 1
            if not self._is_literal(index + step):
                return
            index += step
            yield index

    def _list(self, index: int) -> Iterator[int]:
        """'a', or all of 'a', 'b', 'c' behind an opening parenthesis."""
        yield index
        while self._sign(index - 1) in ("(", ",") and self._sign(index + 1) == "," and self._is_literal(index + 2):
            index += 2
            yield index

    def _inside(self, opening: int) -> Iterator[int]:
        """The indices between a parenthesis and the one that closes it."""
        depth = 0
        for index in range(opening, min(len(self.part), opening + _REACH)):
            depth += (self.part[index].kind is Kind.OPEN) - (self.part[index].kind is Kind.CLOSE)
            if not depth:
                return
            yield index


@dataclass(slots=True)
class _Call:
    """A call, or any other parenthesis, whose arguments are being read."""

    function: str
    argument: int = 0
    """0-based number of the argument."""
    named: int = -1
    """Number of the argument that names a secret: the next one is it."""

    def takes(self, is_key: bool) -> bool:
        """Take a literal in, and return whether it is a secret."""
        if self.function in _NAME_AND_VALUE and self.argument % 2 == 0:
            self.named = self.argument if is_key else -1
            return False
        return self.argument - 1 == self.named >= 0 or self.argument in _SECRET_ARGUMENTS.get(self.function, ())


def _is_short(token: Token) -> bool:
    return token.end - token.start <= 128  # longer is no keyword and no name

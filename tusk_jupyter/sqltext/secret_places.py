"""Which literals of a statement are secrets, by the place where they stand in it.

A place is known by the words before it: `PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `password = 'x'`, `CREDENTIALS (...)`, an
argument of an encryption function, a column of an INSERT. What stands nowhere known is data, and the log keeps it.

A statement is a list of lexemes (`lexemes`): most of what follows are look-ups of words, since megabytes of SQL pass here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence

from tusk_jupyter.sqltext import secret_calls, secret_columns, secret_pairs
from tusk_jupyter.sqltext.bodies import OBJECTS
from tusk_jupyter.sqltext.keywords import STATEMENT_KEYWORDS
from tusk_jupyter.sqltext.lexed import Lexed, Lexemes
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.secret_names import is_secret_setting

_ASSIGNS = frozenset(["=", "==", "=>", ":=", "<>", "!=", "<=>", ":", "~", "LIKE", "ILIKE", "IN", "TO", "(", "VALUE"])
_AFTER_IDENTIFIED = frozenset(["BY", "AS", "USING", "PASSWORD", "REPLACE", "("])
_OPTIONS = frozenset(["KEY", "SECRET", "TOKEN", "KEY_ID", "SCRAM_CLIENT_KEY", "SCRAM_SERVER_KEY"])
"""Options of ATTACH, CREATE and ALTER whose literal is a secret, though their names say less elsewhere."""
_SECRET_PRAGMAS = frozenset(["KEY", "REKEY", "HEXKEY", "HEXREKEY", "TEXTKEY", "TEXTREKEY", "ADD_PARQUET_KEY"])
_OPEN_SETTINGS = frozenset(
    """
    TYPE PROVIDER SCOPE REGION ENDPOINT HOST HOSTADDR PORT DATABASE DBNAME USER USERNAME URL_STYLE USE_SSL CHAIN PROFILE
    ACCOUNT_NAME TENANT_ID CLIENT_ID CERTIFICATE_PATH PROXY NAME SSLMODE SSL_MODE STORAGE SCHEMA CATALOG WAREHOUSE
    OAUTH2_SERVER_URI OAUTH2_SCOPE AUTHORIZATION_TYPE SOCKET IN LIKE VERIFY_SSL REFRESH
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""What a CREATE SECRET may say openly; every other value in it is one."""
_OPEN_IN_ACCOUNTS = frozenset(
    """
    USER ROLE EXISTS , @ COMMENT ATTRIBUTE ISSUER SUBJECT CIPHER WITH VIA OR UNTIL TO FROM DEFAULT =
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Behind these a literal of CREATE USER or ALTER ROLE is open; behind others it may be a password after a slip of the pen."""
_BETWEEN_CREATE_AND_SECRET = frozenset(["OR", "REPLACE", "PERSISTENT", "TEMPORARY", "TEMP"])
_NO_PASSWORDS = frozenset(
    """
    NULL EXPIRE HISTORY REUSE REQUIRE VALID NEVER DEFAULT OPTIONAL LOGIN NOLOGIN ENCRYPTED UNENCRYPTED FOR OLD CURRENT RANDOM
    PASSWORD BY AS WITH USING VIA AND OR NOT IS ON OFF TRUE FALSE IN TO SUPERUSER CREATEDB CREATEROLE INHERIT REPLICATION
    CONNECTION UNTIL ACCOUNT COMMENT RETAIN DISCARD FAILED_LOGIN_ATTEMPTS PASSWORD_LOCK_TIME SYSDATE
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Words that may follow PASSWORD and are none; any other bare word in its place is a password whose quotes were forgotten."""
_ACCOUNTS = frozenset(["USER", "ROLE", "GROUP", "SERVER", "SUBSCRIPTION", "LOGIN"])
_HEADER_WORDS = 14
_EXPLAIN = frozenset(["EXPLAIN", "ANALYZE", "VERBOSE", "EXTENDED"])
_BEGINS = frozenset(word.upper() for word in STATEMENT_KEYWORDS)
_IN_ROUTINES = frozenset(
    "IF CASE LOOP WHILE REPEAT FOR FOREACH ELSE ELSEIF ELSIF WHEN THEN RETURN RAISE DECLARE PERFORM LEAVE ITERATE".split()  # noqa: SIM905
)
"""These begin no statement of their own, and no slip of the pen."""
_STRAY_WORDS = 4


class Statement(Lexed):
    """One statement's lexemes; `secrets` says which of them hold a secret."""

    def __init__(self, lexemes: Sequence[str], known: Lexemes) -> None:
        """Take them in."""
        super().__init__(lexemes, known)
        words = _begun([one.sign for one in self.part[: 3 * _HEADER_WORDS] if one.kind is Kind.WORD])
        explained = next((n for n, word in enumerate(words) if word not in _EXPLAIN), 0)
        self.header = words[explained : explained + _HEADER_WORDS]
        self.about = self._about()

    def _about(self) -> str | None:
        if self.header[:1] not in (["CREATE"], ["ALTER"], ["DROP"]):
            return None
        return next((word for word in self.header[1:] if word in OBJECTS or word in _ACCOUNTS), None)

    def secrets(self) -> set[int]:
        """Return the places, among the lexemes, of those that are secrets."""
        signs = frozenset(self.signs)
        found: set[int] = set()
        keys = [index for index, one in enumerate(self.part) if one.key]
        rules: list[Callable[[], Iterator[int]]] = []
        if keys:
            rules += [
                lambda: self._keyed(keys),
                lambda: secret_columns.values(self, keys),
                lambda: secret_pairs.values(self, keys),
            ]
        if secret_calls.concerns(signs):
            rules.append(lambda: secret_calls.arguments(self))
        rules += [rule for word, rule in self._by_word().items() if word in signs]
        rules += [self._special, lambda: secret_calls.glued(self)]
        for rule in rules:
            for index in rule():
                for one in self.chain(index):
                    if one in found:  # and so is all that follows it in the chain
                        break
                    found.add(one)
        return {self.place[index] for index in found}

    def _by_word(self) -> dict[str, Callable[[], Iterator[int]]]:
        return {
            "IDENTIFIED": self._identified, "CREDENTIALS": self._credentials, "SECRET": self._created_secrets,
            "PRAGMA": self._pragmas,
        }  # fmt: skip

    # --- rules: each yields indices of literals ---

    def _keyed(self, keys: Sequence[int]) -> Iterator[int]:
        """`password = 'x'`, `PASSWORD 'x'`, `"password" => 'x'`, `password IN ('a', 'b')`, `password = md5('x')`."""
        for index in keys:
            at = index + 1
            if self.part[index].kind is Kind.STRING and self.sign(at) not in ("=", "=>", ":", "VALUE"):
                continue
            at += self.sign(at) == "NOT"
            if self.sign(index + 1) == "FOR":  # SET PASSWORD FOR 'u'@'h' = 'x'
                at = next((n for n in range(at, len(self.part)) if self.signs[n] in ("=", "TO")), at)
            assigned = False
            while self.sign(at) in _ASSIGNS:
                assigned, at = True, at + 1
            if self.sign(at) == "MAP" and self.sign(at + 1) == "{":
                assigned, at = True, at + 1
            if self.is_literal(at):
                yield from self.list(at)
                if self.sign(at + 1) == "REPLACE":  # SET PASSWORD = 'x' REPLACE 'old'
                    yield from (n for n in (at + 2,) if self.is_literal(n))
            elif assigned and (self.sign(at) == "{" or (self.kind(at) is Kind.WORD and self.sign(at + 1) == "(")):
                yield from (n for n in self.inside(at + (self.sign(at) != "{")) if self.is_literal(n))
            elif self._takes_bare(index, assigned=assigned):
                yield from self._bare(at)

    def _takes_bare(self, index: int, *, assigned: bool) -> bool:
        """Whether a word behind this key is its value, for want of quotes, and not a column or a type."""
        first = self.header[:1]
        if self.sign(index - 1) == "\\" or (self.sign(0) == "\\" and assigned):  # psql's own `\password`, `\connect`
            return True
        if self.about in _ACCOUNTS:
            return self.part[index].kind is Kind.WORD
        if first == ["ATTACH"]:
            return self.sign(index - 1) in ("(", ",")
        if first == ["SET"] or (self.about in ("DATABASE", "SYSTEM") and "SET" in self.signs):
            return assigned
        return first in (["CHANGE"], ["START"]) and assigned

    def _bare(self, index: int) -> Iterator[int]:
        """A value without its quotes: what stands together without a blank."""
        if self.kind(index) not in (Kind.WORD, Kind.NAME, Kind.NUMBER) or self.sign(index) in _NO_PASSWORDS:
            return
        if self.sign(index + 1) in ("(", "."):
            return
        while self.kind(index) in (Kind.WORD, Kind.NAME, Kind.NUMBER, Kind.OPERATOR) and self.sign(index) != ",":
            yield index
            if self.written[index][-1:].isspace():
                return
            index += 1

    def _identified(self) -> Iterator[int]:
        """MySQL's IDENTIFIED BY / WITH ... AS / VIA ... USING, hashes included."""
        for index in range(self.signs.index("IDENTIFIED"), len(self.part)):
            before = self.sign(index - 1)
            if before not in _AFTER_IDENTIFIED:
                continue
            hexadecimal = self.kind(index) is Kind.NUMBER and self.signs[index].startswith("0X")
            if self.is_literal(index) or hexadecimal:
                yield index
            elif before == "BY" and self.sign(index - 2) == "IDENTIFIED":
                yield from self._bare(index)

    def _credentials(self) -> Iterator[int]:
        """`CREDENTIALS 'x'`, `CREDENTIALS = (A = 'x' B = 'y')`."""
        for index, sign in enumerate(self.signs):
            if sign == "CREDENTIALS" and self.part[index].kind is Kind.WORD:
                at = index + 1
                at += self.sign(at) == "="
                if self.sign(at) == "(":
                    yield from (n for n in self.inside(at) if self.is_literal(n))
                elif self.is_literal(at):
                    yield at

    def _special(self) -> Iterator[int]:
        """Accounts, misspelt PRAGMA key, ATTACH ... KEY, settings of one's own."""
        first = self.header[0] if self.header else ""
        if self.about in ("USER", "ROLE") and "MAPPING" not in self.header:
            for index, before in enumerate(["", *self.signs[:-1]]):
                if self.is_literal(index) and before not in _OPEN_IN_ACCOUNTS and self.sign(index + 1) != "@":
                    yield index
        elif first == "GRANT":
            yield from (n for n in range(1, len(self.part)) if self.sign(n - 1) == "BY" and self.is_literal(n))
        elif first == "PRAGMA":
            names = [n for n in range(1, len(self.part)) if self.signs[n] in _SECRET_PRAGMAS][:1]
            yield from (n for at in names for n in range(at + 1, len(self.part)) if self.is_value(n))
        elif first in ("ATTACH", "ALTER", "CREATE"):
            for index, sign in enumerate(self.signs):
                if sign in _OPTIONS and self.is_literal(index + 1):
                    yield index + 1
                elif sign == "KEY" and first == "ATTACH":
                    yield from self._bare(index + 1)
        if first in ("SET", "ALTER") and "." in self.signs:
            yield from self._settings()

    def _settings(self) -> Iterator[int]:
        """`SET app.token = 'x'`: behind a dot a name is somebody's own, and believed earlier."""
        for index, sign in enumerate(self.signs):
            if sign == "." and self.sign(index + 2) in ("=", "TO") and is_secret_setting(self.sign(index + 1).lower()):
                if self.is_literal(index + 3):
                    yield from self.list(index + 3)
                else:
                    yield from self._bare(index + 3)

    def _pragmas(self) -> Iterator[int]:
        """`PRAGMA key = 'x'` behind a statement whose semicolon was forgotten."""
        for at, sign in enumerate(self.signs):
            if sign == "PRAGMA":
                name = at + 3 if self.sign(at + 2) == "." else at + 1
                if self.sign(name) in _SECRET_PRAGMAS and self.sign(name + 1) in ("=", "("):
                    yield from (n for n in (name + 2, name + 3) if self.is_value(n))

    def _created_secrets(self) -> Iterator[int]:
        """`CREATE SECRET s (...)`, wherever it begins: before it stands what the user did not mean to be there."""
        secrets = (index for index, sign in enumerate(self.signs) if sign == "SECRET")
        start = next((index for index in secrets if self.about == "SECRET" or self._creates(index)), None)
        if start is not None:
            yield from self._created_secret(start)

    def _creates(self, index: int) -> bool:
        before = index - 1
        while before > 0 and self.signs[before] in _BETWEEN_CREATE_AND_SECRET:
            before -= 1
        return before >= 0 and self.signs[before] in ("CREATE", "ALTER")

    def _created_secret(self, start: int) -> Iterator[int]:
        setting, depth = "", 0
        for index in range(start, len(self.part)):
            token = self.part[index]
            depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
            before = self.sign(index - 1)
            if depth == 1 and before in ("(", ",") and token.kind in (Kind.WORD, Kind.NAME, Kind.STRING):
                setting = token.sign.strip("'\"`")
            elif depth and setting and setting not in _OPEN_SETTINGS and (token.filled or self.is_value(index)):
                yield from [index] if token.sign != "MAP" or self.sign(index + 1) != "{" else []


def _begun(words: list[str]) -> list[str]:
    """Return a statement's words from the one that begins it.

    What stands before it (`nosuch CREATE SECRET`: a connection's name in the wrong line) or is misspelt (`CREAT SECRET`) makes
    the statement fail, and its text would be quoted by the error and kept by the log.
    """
    first = words[0] if words else ""
    if not first or first in _BEGINS or first in _IN_ROUTINES:
        return words
    near = difflib.get_close_matches(first, _GIVE_SECRETS, n=1, cutoff=0.75)
    if near:
        return [*near, *words[1:]]
    return words[next((at for at, word in enumerate(words[:_STRAY_WORDS]) if word in _BEGINS), 0) :]


_GIVE_SECRETS = ("CREATE", "ALTER", "ATTACH", "GRANT", "PRAGMA", "CHANGE", "START", "SET")
"""Statements that are asked for by their first word in the rules above."""

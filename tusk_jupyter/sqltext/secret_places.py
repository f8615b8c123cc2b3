"""Which literals of a statement are secrets, by the place where they stand in it.

A place is known by the words before it: `PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `password = 'x'`, `CREDENTIALS (...)`, an
argument of an encryption function, a column of an INSERT. What stands nowhere known is data, and the log keeps it.

A statement is a list of lexemes (`lexemes`): most of what follows are look-ups of words, since megabytes of SQL pass here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.bodies import OBJECTS
from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.secret_names import KEY_WORDS, is_secret_key, is_secret_parameter, is_secret_setting

_ASSIGNS = frozenset(["=", "==", "=>", ":=", "<>", "!=", "<=>", ":", "~", "LIKE", "ILIKE", "IN", "TO", "("])
_CHAINS = frozenset(["||", "+"])
_AFTER_IDENTIFIED = frozenset(["BY", "AS", "USING", "PASSWORD", "REPLACE", "("])
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
_NO_PASSWORDS = frozenset(
    """
    NULL EXPIRE HISTORY REUSE REQUIRE VALID NEVER DEFAULT OPTIONAL LOGIN NOLOGIN ENCRYPTED UNENCRYPTED FOR OLD CURRENT RANDOM
    PASSWORD BY AS WITH USING VIA AND OR NOT IS ON OFF TRUE FALSE IN TO SUPERUSER CREATEDB CREATEROLE INHERIT REPLICATION
    CONNECTION UNTIL ACCOUNT COMMENT RETAIN DISCARD FAILED_LOGIN_ATTEMPTS PASSWORD_LOCK_TIME SYSDATE
    """.split()  # noqa: SIM905 - one word a line would hide the list
)
"""Words that may follow PASSWORD and are none; any other bare word in its place is a password whose quotes were forgotten."""
_ACCOUNTS = frozenset(["USER", "ROLE", "GROUP", "SERVER", "SUBSCRIPTION", "LOGIN"])
_SECRET_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "AES_ENCRYPT": (1,), "AES_DECRYPT": (1,), "DES_ENCRYPT": (1,), "DES_DECRYPT": (1,), "ENCODE": (1,), "DECODE": (1,),
    "PGP_SYM_ENCRYPT": (1,), "PGP_SYM_ENCRYPT_BYTEA": (1,), "PGP_SYM_DECRYPT": (1,), "PGP_SYM_DECRYPT_BYTEA": (1,),
    "PGP_PUB_DECRYPT": (1, 2), "PGP_PUB_DECRYPT_BYTEA": (1, 2), "CRYPT": (0,), "ENCRYPT": (0, 1), "DECRYPT": (1,),
    "ENCRYPT_IV": (1,), "DECRYPT_IV": (1,), "HMAC": (1,), "OLD_PASSWORD": (0,), "KDF": (0,),
    "ASYMMETRIC_DECRYPT": (2,), "ASYMMETRIC_ENCRYPT": (2,), "ASYMMETRIC_SIGN": (2,), "KEYRING_KEY_STORE": (2,),
    "VALIDATE_PASSWORD_STRENGTH": (0,), "SIGN": (1,), "VERIFY": (0, 1), "CREATE_SECRET": (0,), "UPDATE_SECRET": (1,),
    "CRYPTO_AEAD_DET_ENCRYPT": (2,), "SQLCIPHER_EXPORT": (), "ADD_PARQUET_KEY": (1,),
}  # fmt: skip
"""Functions whose arguments, counted from 0, are keys or passwords."""
_OPEN_ARGUMENTS = frozenset(
    ["HEX", "BASE64", "BASE32", "ESCAPE", "UTF8", "UTF-8", "LATIN1", "GZIP", "SHA256", "SHA512", "MD5"]
)
_NAME_AND_VALUE = frozenset(
    {
        "SET_CONFIG", "JSON_BUILD_OBJECT", "JSONB_BUILD_OBJECT", "JSON_OBJECT", "JSONB_OBJECT", "HSTORE", "STRUCT_PACK",
        "HTTP_HEADER", "OBJECT_CONSTRUCT",
    }
)  # fmt: skip
"""Functions that take a name and then its value."""
_CONCATENATE = frozenset(["CONCAT", "CONCAT_WS", "FORMAT", "TEXTCAT"])
_LONGEST_TEMPLATE = 20_000
_ENDS_IN_KEY = re.compile(
    rf"(?i)(?:\b{KEY_WORDS}|\bIDENTIFIED\s+BY|\bIDENTIFIED\s+WITH\s+\S+\s+(?:BY|AS))\s*(?:=>|:=|=|:)?\s*['\"\\]*\Z"
)
_FORMAT = re.compile(r"%(?:(\d+)\$)?-?\d*[sLIq]|(?<!\{)\{(\d*)\}|(?<!%)%[swd]")
_REACH = 60  # lexemes looked through for what a call is given: keeps deeply nested calls linear
_HEADER_WORDS = 14
_SHORT = 130  # characters; longer is no keyword and no name
_LETTER = re.compile(r"[^\W\d]")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """What is known of a lexeme: shared by all that are written alike."""

    kind: Kind
    sign: str
    """In upper case; "" for what is too long to be a word."""
    key: bool
    """Whether it names a secret."""
    filled: bool
    """Whether it is a literal that holds something, for `password = ''` gives nothing away; or a bound value."""
    text: bool
    """Whether it is a literal, a comment or a quoted name, in which anything may stand."""


class Lexemes(dict[str, Lexeme]):
    """The lexemes of one text, each looked at once however often it stands there."""

    def __init__(self, dialect: Dialect) -> None:
        """Begin with none."""
        self._dialect = dialect

    def __missing__(self, written: str) -> Lexeme:
        """Look at a new one."""
        plain = written.strip()
        kind = self._kind(plain)
        short = len(plain) <= _SHORT
        key = short and kind in (Kind.WORD, Kind.NAME, Kind.STRING) and _is_key(plain, kind)
        filled = (
            len(plain) > 2 and plain not in ("$$$$", "e''", "E''")
            if kind is Kind.STRING
            else kind is Kind.COLON and len(plain) > 1
        )
        text = kind in (Kind.STRING, Kind.COMMENT, Kind.NAME)
        found = Lexeme(kind, plain.upper() if short else "", key, filled, text)
        if short:
            self[written] = found
        return found

    def _kind(self, plain: str) -> Kind:
        first = plain[:1]
        if first == "'" or (first == "$" and plain.find("$", 1) > 0):
            return Kind.STRING
        if first == '"':
            return Kind.STRING if self._dialect.double_quoted_strings else Kind.NAME
        if first == "`" or (first == "[" and len(plain) > 1):
            return Kind.NAME
        if first.isdigit() or (first == "." and len(plain) > 1):
            return Kind.NUMBER
        if plain[:2] == "--" or (plain[:2] == "/*" and not (self._dialect.code_comments and plain[2:3] in ("!", "M"))):
            return Kind.COMMENT
        if first == "#" and self._dialect.hash_comments:
            return Kind.COMMENT
        if _LETTER.match(first):
            return self._word(plain)
        if not first:
            return Kind.COMMENT  # blanks before the first one
        parameter = first == PARAMETER and plain[1:2] not in (":", "=")
        return _SIGNS.get(plain, Kind.COLON if parameter else Kind.OPERATOR)

    def _word(self, plain: str) -> Kind:
        if plain[1:2] == "'" or plain[1:3] == "&'":
            return Kind.STRING
        return Kind.NAME if plain[1:3] == '&"' else Kind.WORD


_SIGNS = {
    "(": Kind.OPEN, "[": Kind.OPEN, "{": Kind.OPEN, ")": Kind.CLOSE, "]": Kind.CLOSE, "}": Kind.CLOSE,
    ";": Kind.SEPARATOR, ":": Kind.COLON,
}  # fmt: skip
PARAMETER = ":"
"""A lexeme of that beginning and a name is a bound value, in whose place a literal could stand."""


def _is_key(plain: str, kind: Kind) -> bool:
    name = plain.strip("'\"`[]\u00a0\u3000\u200b")
    if kind is Kind.STRING:
        return len(name) < 64 and " " not in name and (is_secret_parameter(name) or name.lower() == "authorization")
    return is_secret_key(name)


class Statement:
    """One statement's lexemes; `secrets` says which of them hold a secret."""

    def __init__(self, lexemes: Sequence[str], known: Lexemes) -> None:
        """Take them in."""
        looked_up = [known[one] for one in lexemes]
        self.texts = [place for place, one in enumerate(looked_up) if one.text]
        """Places of what may hold anything: literals, comments, quoted names."""
        self._place = [place for place, one in enumerate(looked_up) if one.kind is not Kind.COMMENT]
        self.part = [looked_up[place] for place in self._place]
        self._written = [lexemes[place] for place in self._place]
        self.signs = [one.sign for one in self.part]
        self.header = [one.sign for one in self.part[: 3 * _HEADER_WORDS] if one.kind is Kind.WORD][:_HEADER_WORDS]
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
            rules += [lambda: self._keyed(keys), lambda: self._columns(keys)]
        if not signs.isdisjoint(_SECRET_ARGUMENTS) or not signs.isdisjoint(_NAME_AND_VALUE):
            rules.append(self._arguments)
        rules += [rule for word, rule in self._by_word().items() if word in signs]
        rules += [self._special, self._glued]
        for rule in rules:
            for index in rule():
                found.update(self._chain(index))
        return {self._place[index] for index in found}

    def _by_word(self) -> dict[str, Callable[[], Iterator[int]]]:
        return {"IDENTIFIED": self._identified, "CREDENTIALS": self._credentials}

    # --- rules: each yields indices of literals ---

    def _keyed(self, keys: Sequence[int]) -> Iterator[int]:
        """`password = 'x'`, `PASSWORD 'x'`, `"password" => 'x'`, `password IN ('a', 'b')`, `password = md5('x')`."""
        for index in keys:
            at = index + 1
            if self.part[index].kind is Kind.STRING and self._sign(at) not in ("=", "=>", ":"):
                continue
            at += self._sign(at) == "NOT"
            if self._sign(index + 1) == "FOR":  # SET PASSWORD FOR 'u'@'h' = 'x'
                at = next((n for n in range(at, len(self.part)) if self.signs[n] in ("=", "TO")), at)
            assigned = False
            while self._sign(at) in _ASSIGNS:
                assigned, at = True, at + 1
            if self._sign(at) == "MAP" and self._sign(at + 1) == "{":
                assigned, at = True, at + 1
            if self._is_literal(at):
                yield from self._list(at)
            elif assigned and (self._sign(at) == "{" or (self._kind(at) is Kind.WORD and self._sign(at + 1) == "(")):
                yield from (n for n in self._inside(at + (self._sign(at) != "{")) if self._is_literal(n))
            elif self._takes_bare(index, assigned=assigned):
                yield from self._bare(at)

    def _takes_bare(self, index: int, *, assigned: bool) -> bool:
        """Whether a word behind this key is its value, for want of quotes, and not a column or a type."""
        first = self.header[:1]
        if self.about in _ACCOUNTS:
            return self.part[index].kind is Kind.WORD
        if first == ["SET"] or (self.about in ("DATABASE", "SYSTEM") and "SET" in self.signs):
            return assigned
        return first in (["CHANGE"], ["START"]) and assigned

    def _bare(self, index: int) -> Iterator[int]:
        """A value without its quotes: what stands together without a blank."""
        if self._kind(index) not in (Kind.WORD, Kind.NAME, Kind.NUMBER) or self._sign(index) in _NO_PASSWORDS:
            return
        if self._sign(index + 1) in ("(", "."):
            return
        while self._kind(index) in (Kind.WORD, Kind.NAME, Kind.NUMBER, Kind.OPERATOR) and self._sign(index) != ",":
            yield index
            if self._written[index][-1:].isspace():
                return
            index += 1

    def _identified(self) -> Iterator[int]:
        """MySQL's IDENTIFIED BY / WITH ... AS / VIA ... USING, hashes included."""
        for index in range(self.signs.index("IDENTIFIED"), len(self.part)):
            before = self._sign(index - 1)
            if before not in _AFTER_IDENTIFIED:
                continue
            hexadecimal = self._kind(index) is Kind.NUMBER and self.signs[index].startswith("0X")
            if self._is_literal(index) or hexadecimal:
                yield index
            elif before == "BY" and self._sign(index - 2) == "IDENTIFIED":
                yield from self._bare(index)

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
                calls.append(_Call(self._sign(index - 1), secret=bool(calls) and calls[-1].holds_secret()))
            elif not calls:
                continue
            elif token.kind is Kind.CLOSE:
                calls.pop()
            elif self.signs[index] == ",":
                calls[-1].argument += 1
            elif self._is_literal(index) and calls[-1].takes(self.signs[index], is_key=token.key):
                yield index

    def _columns(self, keys: Sequence[int]) -> Iterator[int]:
        """`INSERT INTO t (name, password) VALUES ('a', 'x'), ('b', 'y')`."""
        if self.header[:1] not in (["INSERT"], ["REPLACE"]) or "VALUES" not in self.signs:
            return
        values = self.signs.index("VALUES")
        if "(" not in self.signs[:values]:
            return
        opening = self.signs.index("(")
        named = [n for n in range(opening + 1, values) if self.part[n].kind in (Kind.WORD, Kind.NAME)]
        secret = {number for number, n in enumerate(named) if n in set(keys)}
        column, depth = 0, 0
        for index in range(values + 1, len(self.part)) if secret else ():
            kind = self.part[index].kind
            if kind is Kind.OPEN:
                depth += 1
                column = 0 if depth == 1 else column
            elif kind is Kind.CLOSE:
                depth -= 1
            elif depth == 1 and self.signs[index] == ",":
                column += 1
            elif depth and column in secret and self._is_literal(index):
                yield index

    def _special(self) -> Iterator[int]:
        """CREATE SECRET, accounts, PRAGMA key, ATTACH ... KEY, settings of one's own."""
        first = self.header[0] if self.header else ""
        if self.about == "SECRET":
            yield from self._created_secret()
        elif self.about in ("USER", "ROLE") and "MAPPING" not in self.header:
            for index, before in enumerate(["", *self.signs[:-1]]):
                if self._is_literal(index) and before not in _OPEN_IN_ACCOUNTS and self._sign(index + 1) != "@":
                    yield index
        elif first == "GRANT":
            yield from (n for n in range(1, len(self.part)) if self._sign(n - 1) == "BY" and self._is_literal(n))
        elif first == "PRAGMA":
            names = [n for n in range(1, len(self.part)) if self.signs[n] in _SECRET_PRAGMAS][:1]
            yield from (n for at in names for n in range(at + 1, len(self.part)) if self._is_value(n))
        elif first in ("ATTACH", "ALTER", "CREATE"):
            for index, sign in enumerate(self.signs):
                if sign in ("KEY", "SECRET", "TOKEN", "KEY_ID") and self._is_literal(index + 1):
                    yield index + 1
        if first in ("SET", "ALTER") and "." in self.signs:
            yield from self._settings()

    def _settings(self) -> Iterator[int]:
        """`SET app.token = 'x'`: behind a dot a name is somebody's own, and believed earlier."""
        for index, sign in enumerate(self.signs):
            if (
                sign == "."
                and self._sign(index + 2) in ("=", "TO")
                and is_secret_setting(self._sign(index + 1).lower())
            ):
                if self._is_literal(index + 3):
                    yield from self._list(index + 3)
                else:
                    yield from self._bare(index + 3)

    def _created_secret(self) -> Iterator[int]:
        setting, depth = "", 0
        for index, token in enumerate(self.part):
            depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
            before = self._sign(index - 1)
            if depth == 1 and before in ("(", ",") and token.kind in (Kind.WORD, Kind.NAME, Kind.STRING):
                setting = token.sign.strip("'\"`")
            elif depth and setting and setting not in _OPEN_SETTINGS and (token.filled or self._is_value(index)):
                yield from [index] if token.sign != "MAP" or self._sign(index + 1) != "{" else []

    def _glued(self) -> Iterator[int]:
        """`'... PASSWORD ' || quote_literal('x')`, `format('... PASSWORD %L', 'x')`."""
        for index in [index for index, one in enumerate(self.part) if one.filled]:
            literal = self._written[index]
            following = self._sign(index + 1)
            if following in ("||", "+", ",") and _ENDS_IN_KEY.search(literal.rstrip().rstrip("'\"")[-80:]):
                alone = literal.strip().strip("'\"").isidentifier()  # a word, not the beginning of a statement
                if not alone and (following != "," or self._function_of(index) in _CONCATENATE):
                    yield from [n for n in range(index + 2, min(index + 6, len(self.part))) if self._is_literal(n)][:1]
            if ("%" in literal or "{" in literal) and len(literal) < _LONGEST_TEMPLATE:
                yield from self._formatted(index, literal)

    def _function_of(self, index: int) -> str:
        depth = 0
        for at in range(index - 1, max(-1, index - _REACH), -1):
            depth += (self.part[at].kind is Kind.OPEN) - (self.part[at].kind is Kind.CLOSE)
            if depth > 0:
                return self._sign(at - 1)
        return ""

    def _formatted(self, index: int, template: str) -> Iterator[int]:
        secret = set()
        for number, match in enumerate(_FORMAT.finditer(template)):
            position = int(match[1]) - 1 if match[1] else int(match[2]) if match[2] else number
            if _ENDS_IN_KEY.search(template, max(0, match.start() - 200), match.start()):
                secret.add(position)
        argument, depth = -1, 0
        for at in range(index + 1, min(len(self.part), index + _REACH)) if secret else ():
            depth += (self.part[at].kind is Kind.OPEN) - (self.part[at].kind is Kind.CLOSE)
            if depth < 0:
                return
            argument += depth == 0 and self.signs[at] in (",", "%", "USING")
            if argument in secret and self._is_literal(at):
                yield at

    # --- helpers ---

    def _sign(self, index: int) -> str:
        return self.signs[index] if 0 <= index < len(self.signs) else ""

    def _kind(self, index: int) -> Kind | None:
        return self.part[index].kind if 0 <= index < len(self.part) else None

    def _is_literal(self, index: int) -> bool:
        return 0 <= index < len(self.part) and self.part[index].filled

    def _is_value(self, index: int) -> bool:
        kind, length = self._kind(index), len(self._sign(index)) or _SHORT
        return kind in (Kind.STRING, Kind.NAME, Kind.WORD, Kind.NUMBER) and length > 2

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
    secret: bool
    """Whether all of it is within a secret argument: UNHEX(SHA2('key', 512))."""
    argument: int = 0
    """0-based number of the argument."""
    named: int = -1
    """Number of the argument that names a secret: the next one is it."""

    def holds_secret(self) -> bool:
        """Return whether the argument being read is a secret."""
        return (
            self.secret
            or self.argument - 1 == self.named >= 0
            or self.argument in _SECRET_ARGUMENTS.get(self.function, ())
        )

    def takes(self, sign: str, *, is_key: bool) -> bool:
        """Take a literal in, and return whether it is a secret."""
        if not self.secret and self.function in _NAME_AND_VALUE and self.argument % 2 == 0:
            self.named = self.argument if is_key else -1
            return False
        return self.holds_secret() and sign.strip("'\"") not in _OPEN_ARGUMENTS

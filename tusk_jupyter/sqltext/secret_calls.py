"""Keys and passwords that are given to functions, and put together with templates: `AES_ENCRYPT(x, 'key')`, `format(...)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tusk_jupyter.sqltext.lexed import REACH, Lexed
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.literals import parts_of
from tusk_jupyter.sqltext.secret_names import KEY_WORDS

_SECRET_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "AES_ENCRYPT": (1,), "AES_DECRYPT": (1,), "DES_ENCRYPT": (1,), "DES_DECRYPT": (1,), "ENCODE": (1,), "DECODE": (1,),
    "PGP_SYM_ENCRYPT": (1,), "PGP_SYM_ENCRYPT_BYTEA": (1,), "PGP_SYM_DECRYPT": (1,), "PGP_SYM_DECRYPT_BYTEA": (1,),
    "PGP_PUB_DECRYPT": (1, 2), "PGP_PUB_DECRYPT_BYTEA": (1, 2), "CRYPT": (0,), "ENCRYPT": (0, 1), "DECRYPT": (1,),
    "ENCRYPT_IV": (1,), "DECRYPT_IV": (1,), "HMAC": (1,), "OLD_PASSWORD": (0,), "KDF": (0,),
    "ASYMMETRIC_DECRYPT": (2,), "ASYMMETRIC_ENCRYPT": (2,), "ASYMMETRIC_SIGN": (2,), "KEYRING_KEY_STORE": (2,),
    "VALIDATE_PASSWORD_STRENGTH": (0,), "SIGN": (1,), "VERIFY": (0, 1), "CREATE_SECRET": (0,), "UPDATE_SECRET": (1,),
    "CRYPTO_AEAD_DET_ENCRYPT": (2,), "SQLCIPHER_EXPORT": (), "ADD_PARQUET_KEY": (1,),
    "CREATE_AWS_CREDENTIALS": (0, 1, 2), "ACCOUNT_ADD": (1,),
    "LOGIN": (1,), "LOGON": (1,), "LOG_IN": (1,), "SIGNIN": (1,), "SIGN_IN": (1,), "AUTHENTICATE": (1,),
}  # fmt: skip
"""Functions whose arguments, counted from 0, are keys or passwords."""
_XML_ELEMENT = "XMLELEMENT"
_OPEN_ARGUMENTS = frozenset(
    ["HEX", "BASE64", "BASE32", "ESCAPE", "UTF8", "UTF-8", "LATIN1", "GZIP", "SHA256", "SHA512", "MD5"]
)
_NAME_AND_VALUE = frozenset(
    {
        "SET_CONFIG", "JSON_BUILD_OBJECT", "JSONB_BUILD_OBJECT", "JSON_OBJECT", "JSONB_OBJECT", "HSTORE", "STRUCT_PACK",
        "HTTP_HEADER", "OBJECT_CONSTRUCT", "HTTP_SET_CURLOPT", "SET_SETTING",
    }
)  # fmt: skip
"""Functions that take a name and then its value."""
_PATH_AND_VALUE = frozenset(
    {
        "JSON_SET", "JSONB_SET", "JSONB_SET_LAX", "JSON_INSERT", "JSONB_INSERT", "JSON_REPLACE", "JSONB_REPLACE", "JSON_MODIFY",
        "JSON_ARRAY_APPEND", "JSON_ARRAY_INSERT",
    }
)  # fmt: skip
"""Functions that take a document, and then a path and its value."""
_CONCATENATE = frozenset(["CONCAT", "CONCAT_WS", "FORMAT", "TEXTCAT"])
_NAMING = _NAME_AND_VALUE | _PATH_AND_VALUE | {_XML_ELEMENT}
_LONGEST_TEMPLATE = 20_000
_OF_WHOM = r"(?:\s+(?:of|for)(?:\s+\S{1,40}){1,2})?"
_ENDS_IN_KEY = re.compile(
    rf"(?i)(?:\b(?:{KEY_WORDS}|IDENTIFIED\s+(?:WITH\s+\S+\s+(?:BY|AS)|BY))(?:{_OF_WHOM}\s+(?:is|was|ist|war))?\s*(?:=>|:=|=|:)?"
    rf"|\b(?:pass|pw|token|secret)\s*(?:=>|:=|=|:))\s*['\"\\(\[<]*\Z"
)
_BETWEEN_NAME_AND_VALUE = re.compile(r"\s*(?:=>|:=|=|:|\bTO\b)?\s*['\"]?", re.IGNORECASE)
_RAISED = re.compile(r"(?<!%)%(?!%)")
_FORMAT = re.compile(r"%(?:(\d+)\$)?-?\d*[sLIq]|(?<!\{)\{(\d*)\}|(?<!%)%[swd]")


def concerns(signs: frozenset[str]) -> bool:
    """Return whether a statement of these signs has one of the functions."""
    return not signs.isdisjoint(_SECRET_ARGUMENTS) or not signs.isdisjoint(_NAMING)


def arguments(statement: Lexed) -> Iterator[int]:
    """Keys and passwords given to functions, found in one pass however deep the calls are."""
    calls: list[_Call] = []
    for index, token in enumerate(statement.part):
        if token.kind is Kind.OPEN:
            calls.append(_Call(statement.sign(index - 1), secret=bool(calls) and calls[-1].holds_secret()))
        elif not calls:
            continue
        elif token.kind is Kind.CLOSE:
            calls.pop()
        elif statement.signs[index] == ",":
            calls[-1].argument += 1
        elif token.key and calls[-1].function == _XML_ELEMENT and not calls[-1].argument:
            calls[-1].named = 0
        elif statement.is_literal(index) and calls[-1].takes(statement.signs[index], is_key=token.key):
            yield index


def glued(statement: Lexed) -> Iterator[int]:
    """`'... PASSWORD ' || quote_literal('x')`, `format('... PASSWORD %L', 'x')`."""
    for index in [index for index, one in enumerate(statement.part) if one.filled]:
        literal = statement.written[index]
        following = statement.sign(index + 1)
        if following in ("||", "+", ",") and _ENDS_IN_KEY.search(parts_of(literal).inner[-80:].rstrip("'\"")):
            alone = parts_of(literal).inner.strip("'\"").isidentifier()  # a word, not the beginning of a statement
            if not alone and (following != "," or _function_of(statement, index) in _CONCATENATE):
                yield from [
                    n for n in range(index + 2, min(index + 6, len(statement.part))) if statement.is_literal(n)
                ][:1]
        if ("%" in literal or "{" in literal) and len(literal) < _LONGEST_TEMPLATE:
            yield from _formatted(statement, index, literal)


def _function_of(statement: Lexed, index: int) -> str:
    depth = 0
    for at in range(index - 1, max(-1, index - REACH), -1):
        depth += (statement.part[at].kind is Kind.OPEN) - (statement.part[at].kind is Kind.CLOSE)
        if depth > 0:
            return statement.sign(at - 1)
    return ""


def _formatted(statement: Lexed, index: int, template: str) -> Iterator[int]:
    secret: set[int] = set()
    pairs: dict[int, int] = {}
    """Arguments that stand behind another one and a sign: '%s=%s'."""
    end, last = 0, 0
    raised = "RAISE" in (statement.sign(index - 1), statement.sign(index - 2))
    for number, match in enumerate((_RAISED if raised else _FORMAT).finditer(template)):
        position = number
        if not raised:
            position = int(match[1]) - 1 if match[1] else int(match[2]) if match[2] else number
        if _ENDS_IN_KEY.search(template, max(0, match.start() - 200), match.start()):
            secret.add(position)
        if end and _BETWEEN_NAME_AND_VALUE.fullmatch(template, end, match.start()):
            pairs[position] = last
        end, last = match.end(), position
    argument, depth = -1, 0
    for at in range(index + 1, min(len(statement.part), index + REACH)) if secret or pairs else ():
        depth += (statement.part[at].kind is Kind.OPEN) - (statement.part[at].kind is Kind.CLOSE)
        if depth < 0:
            return
        argument += depth == 0 and statement.signs[at] in (",", "%", "USING")
        if statement.part[at].key:
            secret.update(value for value, name in pairs.items() if name == argument)
        if argument in secret and statement.is_literal(at):
            yield at


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
        first = 1 if self.function in _PATH_AND_VALUE else 0
        named = self.function in _NAME_AND_VALUE or (first and self.argument)
        if not self.secret and named and self.argument % 2 == first:
            self.named = self.argument if is_key else -1
            return False
        return self.holds_secret() and sign.strip("'\"") not in _OPEN_ARGUMENTS

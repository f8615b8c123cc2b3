"""A statement as lexemes that are looked up: kinds, signs, and the small steps that rules of secrets take in it."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.literals import INTRODUCERS
from tusk_jupyter.sqltext.secret_names import is_secret_key, is_secret_parameter

_CHAINS = frozenset(["||", "+"])
REACH = 60  # lexemes looked through for what a call is given: keeps deeply nested calls linear
_SHORT = 130  # characters; longer is no keyword and no name
_LETTER = re.compile(r"[^\W\d]")
_EMPTY = re.compile(r"(?:[eEbBxXnN]|[uU]&)?''|\$(\w*)\$\$\1\$")


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
            len(plain) > 2 and not _EMPTY.fullmatch(plain)
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


def _introduces(one: Lexeme, after: Lexeme | None) -> bool:
    """Whether a word is a part of the literal behind it: `_utf8'x'`."""
    return (
        after is not None
        and after.kind is Kind.STRING
        and one.kind is Kind.WORD
        and not one.key
        and INTRODUCERS.fullmatch(one.sign) is not None
    )


_AROUND_ENDS = 16
"""So far beyond a statement's ends its lexemes may be asked for."""


class Lexed:
    """One statement's lexemes without its comments."""

    def __init__(self, lexemes: Sequence[str], known: Lexemes) -> None:
        """Take them in."""
        looked_up = [known[one] for one in lexemes]
        self.texts = [place for place, one in enumerate(looked_up) if one.text]
        """Places of what may hold anything: literals, comments, quoted names."""
        self.place = [
            place
            for place, (one, after) in enumerate(zip(looked_up, [*looked_up[1:], None], strict=False))
            if one.kind is not Kind.COMMENT and not _introduces(one, after)
        ]
        self.part = [looked_up[place] for place in self.place]
        self.written = [lexemes[place] for place in self.place]
        self.signs = [one.sign for one in self.part]
        nothing = range(_AROUND_ENDS)  # behind the last one, and so before the first, which counts from the end
        self.sign: Callable[[int], str] = [*self.signs, *("" for _ in nothing)].__getitem__
        """What stands at an index, in upper case; "" where nothing does. Asked 25 times for each secret's name."""
        self.kind: Callable[[int], Kind | None] = [
            *(one.kind for one in self.part),
            *(None for _ in nothing),
        ].__getitem__
        """The kind at an index; None where nothing stands."""

    def is_literal(self, index: int) -> bool:
        """Whether a literal that holds something, or a bound value, stands there."""
        return 0 <= index < len(self.part) and self.part[index].filled

    def is_given(self, index: int) -> bool:
        """Whether a literal stands there, or what is meant as one: a name in double quotes, no column of a secret's.

        SQLite takes a name that it does not know for a literal; elsewhere it is a slip of the pen, and the error quotes it.
        """
        if not 0 <= index < len(self.part) or self.part[index].filled:
            return self.is_literal(index)
        return (
            self.part[index].kind is Kind.NAME
            and not self.part[index].key
            and self.written[index].startswith('"')
            and len(self.written[index]) > 2
            and self.sign(index - 1) != "."
            and self.sign(index + 1) not in (".", "(")
            and self.sign(0) not in ("CREATE", "ALTER")
        )

    def is_value(self, index: int) -> bool:
        """Whether a word, number or literal stands there that may be a value without its quotes."""
        kind, length = self.kind(index), len(self.sign(index)) or _SHORT
        return kind in (Kind.STRING, Kind.NAME, Kind.WORD, Kind.NUMBER) and length > 2

    def chain(self, index: int) -> Iterator[int]:
        """The literal, and those that are glued to it: 'a' 'b', 'a' || 'b'."""
        yield index
        while True:
            step = 2 if self.sign(index + 1) in _CHAINS else 1
            if not self.is_literal(index + step):
                return
            index += step
            yield index

    def chains(self) -> Iterator[Sequence[int]]:
        """All literals that are glued together, two at least."""
        done = -1
        for index in [index for index, one in enumerate(self.part) if one.filled]:
            if index > done and len(glued := [*self.chain(index)]) > 1:
                done = glued[-1]
                yield glued

    def before(self, place: int) -> str:
        """The sign in front of what stands at a place among the lexemes."""
        return self.sign(bisect.bisect_left(self.place, place) - 1)

    def list(self, index: int) -> Iterator[int]:
        """'a', or all of 'a', 'b', 'c' behind an opening parenthesis."""
        yield index
        while self.sign(index - 1) in ("(", ",") and self.sign(index + 1) == "," and self.is_literal(index + 2):
            index += 2
            yield index

    def inside(self, opening: int) -> Iterator[int]:
        """The indices between a parenthesis and the one that closes it."""
        depth = 0
        for index in range(opening, min(len(self.part), opening + REACH)):
            depth += (self.part[index].kind is Kind.OPEN) - (self.part[index].kind is Kind.CLOSE)
            if not depth:
                return
            yield index

    def opening(self, closing: int) -> int:
        """The index of the parenthesis that one closes, or -1 where it is far away."""
        depth = 0
        for index in range(closing, max(-1, closing - REACH), -1):
            depth += (self.part[index].kind is Kind.CLOSE) - (self.part[index].kind is Kind.OPEN)
            if not depth:
                return index
        return -1

    def closing(self, opening: int) -> int:
        """The index of the parenthesis that closes one, or -1 where it is far away."""
        depth = 0
        for index in range(opening, min(len(self.part), opening + REACH)):
            depth += (self.part[index].kind is Kind.OPEN) - (self.part[index].kind is Kind.CLOSE)
            if not depth:
                return index
        return -1

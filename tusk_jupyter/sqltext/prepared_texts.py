"""What fills the placeholders of prepared texts: `PREPARE p AS ... password = $1; EXECUTE p('x')`, `EXECUTE '...' USING 'x'`.

A placeholder is read as the literal that it stands for: where that would be a secret, what fills it is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tusk_jupyter.sqltext.dialects import Dialect
from tusk_jupyter.sqltext.lexed import REACH, Lexed, Lexemes
from tusk_jupyter.sqltext.lexemes import statements
from tusk_jupyter.sqltext.lexer import Kind
from tusk_jupyter.sqltext.literals import unquoted
from tusk_jupyter.sqltext.secret_places import Statement

_NAMES_ARGUMENT = (":=", "=>")
_LONGEST_PART = 20_000
"""Characters of a literal in a call that puts a text together: calls within calls see it once more each."""
_INTO = 16
"""Lexemes of PL/pgSQL's `INTO STRICT a, b` at most, between a text and its USING."""


class PreparedTexts:
    """The texts that were prepared so far in one examination, and which of their placeholders take a secret."""

    def __init__(self, dialect: Dialect, known: Lexemes) -> None:
        """Begin with none."""
        self._dialect = dialect
        self._known = known
        self._secret: dict[str, frozenset[str]] = {}
        self._read: dict[str, frozenset[str]] = {}
        """The same of literals: a script may run one text thousands of times."""
        self._of_variables: dict[str, frozenset[str]] = {}
        """The same of texts that stand in a variable: `SET @s = '... = ?'; PREPARE p FROM @s`."""
        self.variables: set[str] = set()
        """MySQL's `@p` of `EXECUTE s USING @p`, in upper case: their values stand in earlier statements."""

    def secrets(self, statement: Lexed) -> set[int]:
        """Take in what a statement prepares, and return the places of what it fills secret placeholders with."""
        if "@" in statement.signs:
            self._take_variables(statement)
        assigned = list(self._values_of_variables(statement)) if self.variables else []
        if "PREPARE" in statement.signs:
            self._prepare(statement, statement.signs.index("PREPARE") + 1)
        found = [n for n, sign in enumerate(statement.signs) if sign == "EXECUTE"]
        filled = [n for index in found for n in self._executed(statement, index + 1)]
        self.variables |= {statement.signs[n] for n in filled if not statement.is_literal(n)}
        return {statement.place[n] for n in (*assigned, *filled) if statement.is_literal(n)}

    def _take_variables(self, statement: Lexed) -> None:
        for index, sign in enumerate(statement.signs):
            text = index + 3 if sign == "@" and statement.sign(index + 2) in ("=", ":=") else -1
            if statement.is_literal(text) and "?" in statement.written[text]:
                placeholders = self._placeholders_of_literals(statement, [*statement.chain(text)])
                self._of_variables[statement.signs[index + 1]] = placeholders

    def _values_of_variables(self, statement: Lexed) -> Iterator[int]:
        for index, sign in enumerate(statement.signs):
            if sign in self.variables and statement.sign(index - 1) == "@" and statement.sign(index + 1) in ("=", ":="):
                yield index + 2

    def _prepare(self, statement: Lexed, name: int) -> None:
        """`PREPARE p (text) AS UPDATE ...`, `PREPARE p FROM 'UPDATE ...'`."""
        at = name + 1
        if statement.sign(at) == "(":
            at = statement.closing(at) + 1
        if statement.sign(at) == "AS":
            self._secret[_name(statement, name)] = self._placeholders(statement.written[at + 1 :])
        elif statement.sign(at) == "FROM":
            self._secret[_name(statement, name)] = self._of_text(statement, at + 1)[0]

    def _executed(self, statement: Lexed, at: int) -> Iterator[int]:
        """`EXECUTE p ('x')`, `EXECUTE p USING 'x'`, `EXECUTE IMMEDIATE '... = ?' USING 'x'`."""
        at += statement.sign(at) == "IMMEDIATE"
        secret = self._secret.get(_name(statement, at), frozenset())
        if not secret:
            secret, at = self._of_text(statement, at)
        if not secret:
            return
        if statement.sign(at + 1) == "(":
            yield from _arguments(statement, at + 2, secret)
            return
        near = statement.signs[at + 1 : at + _INTO]
        if "USING" in near:
            yield from _arguments(statement, at + 2 + near.index("USING"), secret)

    def _of_text(self, statement: Lexed, at: int) -> tuple[frozenset[str], int]:
        """Return the secret placeholders of a text, and where it ends: a literal, a variable, a call such as format."""
        if statement.sign(at) == "@":
            return self._of_variables.get(statement.sign(at + 1), frozenset()), at + 1
        literals = [*statement.chain(at)] if statement.is_literal(at) else []
        end, between = literals[-1] if literals else at, ""
        if not literals and statement.sign(at + 1) == "(" and statement.closing(at + 1) > 0:
            end, between = statement.closing(at + 1), " "
            inside = [n for n in statement.inside(at + 1) if statement.is_literal(n)]
            literals = [n for n in inside if len(statement.written[n]) < _LONGEST_PART]
        return self._placeholders_of_literals(statement, literals, between), end

    def _placeholders_of_literals(self, statement: Lexed, literals: Sequence[int], between: str = "") -> frozenset[str]:
        text = between.join(unquoted(statement.written[n].rstrip()) for n in literals)
        if text not in self._read:
            pieces = statements(text, self._dialect, lambda _: True)
            found = (self._placeholders(piece) for piece in pieces if not isinstance(piece, str))
            self._read[text] = frozenset().union(*found)
        return self._read[text]

    def _placeholders(self, lexemes: Sequence[str]) -> frozenset[str]:
        """Return the numbers and names of placeholders that stand in the places of secrets."""
        marked = self._marked(lexemes)
        return frozenset(marked[place].strip()[2:-2].upper() for place in Statement(marked, self._known).secrets())

    def _marked(self, lexemes: Sequence[str]) -> list[str]:
        """Return a text with a literal in the place of each placeholder: `$1`, `$name`, `?`."""
        marked: list[str] = []
        count, by_number = 0, "$" in lexemes
        for one in lexemes:
            plain = one.strip()
            if marked and marked[-1] == "$" and plain.isidentifier() | plain.isdecimal():
                marked[-1] = f"'?{plain}?' "
            elif "?" in plain and not by_number and self._known[one].kind is Kind.OPERATOR:
                before, _, after = plain.partition("?")
                count += 1
                marked += [sign for sign in (before, f"'?{count}?' ", after) if sign]
            else:
                marked.append(one)
        return marked


def _name(statement: Lexed, index: int) -> str:
    return statement.sign(index).strip('`"')


def _arguments(statement: Lexed, start: int, secret: frozenset[str]) -> Iterator[int]:
    """The literals and variables from an index on that fill secret placeholders, by their number or their name."""
    name, number, depth = "", 1, 0
    for index in range(start, min(len(statement.part), start + REACH)):
        token, sign = statement.part[index], statement.signs[index]
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if depth < 0 or sign in (";", "EXECUTE"):
            return
        if sign == "," and not depth:
            name, number = "", number + 1
        elif statement.sign(index + 1) in _NAMES_ARGUMENT:
            name = sign
        elif (token.filled or statement.sign(index - 1) == "@") and (name or str(number)) in secret:
            yield index

"""What every message of ours is: immutable, its fields given by name, without its secrets when it is printed.

A `msgspec.Struct` and no dataclass: the protocol's 80 classes take 2 ms to define instead of 70, in a kernel, a core and a
driver that all start at once, and they are quicker to make and to read.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec
from msgspec.structs import asdict as fields_of
from msgspec.structs import replace

__all__ = ["Change", "Message", "fields_of", "repeated", "replace"]

T = TypeVar("T")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all messages. A subclass says `frozen=True, kw_only=True` again, which type checkers want to see."""

    SECRET: ClassVar[frozenset[str]] = frozenset()
    """Fields that no `repr` shows."""

    def __repr__(self) -> str:
        shown = (name for name in self.__struct_fields__ if name not in self.SECRET)
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


class Change(Message, frozen=True, kw_only=True):
    """A request whose repetition could be refused because it was carried out: nothing to remove, a name that is taken."""

    again: bool = False
    """Whether it was sent before, to a core that went away: where things are as asked for, it counts as done."""


def repeated(message: T) -> T:
    """Return a request as it is sent a second time."""
    return replace(message, again=True) if isinstance(message, Change) else message

"""Keep heavy packages out of the core and of driver processes.

pyarrow imports pandas, where it is installed, at the first `pa.array` of a list, only to ask whether the list is one of
pandas' own: 0.6 s of a driver's first run and 60 MB of its memory. It imports numpy at its own import, which is 50 of the
250 ms that a core takes to come up, and does without where there is none.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, cast


class _Refusal:
    """Answers imports of the named packages as if they were not installed."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Refuse a package that is kept out.

        Raises:
            ModuleNotFoundError: as for any package that is not there.
        """
        if name in self._packages:
            raise ModuleNotFoundError(f"{name} is kept out of this process", name=name)


def keep_out(*packages: str) -> None:
    """Let imports of `packages` fail from now on in this process; the kit's `main` calls it first of all."""
    sys.meta_path.insert(0, _Refusal(packages))


@contextlib.contextmanager
def kept_out(*packages: str) -> Iterator[None]:
    """Let imports of `packages` fail for a while: what is imported meanwhile does without them for good."""
    refusal = _Refusal(packages)
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)


class _Later:
    """Stands for an object that is made when something of it is asked for, which is kept from then on."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.__dict__[_MAKE] = make

    def __getattr__(self, name: str) -> object:
        found = getattr(self.__dict__[_MAKE](), name)
        if not name.startswith("__"):
            self.__dict__[name] = found
        return found


_MAKE = "_Later make"


def imported_later(name: str) -> Any:  # noqa: ANN401  # a module
    """Return what stands for a module until something of it is used.

    `pyarrow.compute` makes 300 functions as it is imported, a tenth of a driver's start. Many processes end without it: a
    spare that nobody needed, a connection's trial, a session of plain numbers and texts.
    """
    return _Later(lambda: importlib.import_module(name))


def compiled_later(pattern: str, flags: re.RegexFlag | int = 0) -> re.Pattern[str]:
    """Return what stands for a regular expression until it is used: long ones take milliseconds to compile."""
    return cast("re.Pattern[str]", _Later(functools.cache(lambda: re.compile(pattern, flags))))

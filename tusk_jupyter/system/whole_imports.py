"""Ctrl-C that never breaks an import off in the middle.

An interrupt that hits the main thread within Python's import machinery can leave a module's lock taken for ever, and the next
import of that module hangs (3 of 240 kernels that were interrupted in their first second), or a C extension half made, which
cannot be imported again in that process (pyarrow, once). So within a block the interrupt waits until the import that it hits
is done, which takes a second at most, and comes then. An import that fails because no file descriptor is left
raises the error that says so.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _thread
import functools
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from tusk_jupyter.system import open_files

P = ParamSpec("P")
R = TypeVar("R")

RETRY_S = 0.01
_SIGINT = int(signal.SIGINT)
"""`signal` makes enums of numbers and handlers, by an exception where it is none: 0.04 ms of each cell."""
_MACHINERY = "<frozen importlib"

FRAGILE = frozenset({"numpy", "pandas", "pyarrow"})
"""Packages that cannot be imported again where that was broken off once; ours are imported beside the cells of a kernel."""


class _Handler:
    """The handler of SIGINT within a block; whatever else it meets than an import gets the interrupt at once."""

    def __init__(
        self, earlier: Callable[[int, FrameType | None], Any], block: FrameType, packages: frozenset[str] = frozenset()
    ) -> None:
        self.earlier = earlier
        self._packages = packages
        self.pending = False
        self.is_over = False
        self._block = block

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._imports(frame) and not self.is_over:
            if not self.pending:
                self.pending = True
                _thread.start_new_thread(
                    self._try_again, ()
                )  # `threading` may be what is interrupted, with its lock taken
            return
        self.pending = False
        self.earlier(number, frame)

    def _imports(self, frame: FrameType | None) -> bool:
        """Return whether an import is under way that began in the block: all of a program may run within one of its own."""
        while frame is not None and frame is not self._block:
            if frame.f_code.co_filename.startswith(_MACHINERY) and self._counts(frame):
                return True
            frame = frame.f_back
        return False

    def _counts(self, frame: FrameType) -> bool:
        if not self._packages:
            return True
        name = frame.f_locals.get("name") if frame.f_code.co_name == "_find_and_load" else None
        return isinstance(name, str) and name.partition(".")[0] in self._packages

    def _try_again(self) -> None:
        while self.pending and not self.is_over:
            time.sleep(RETRY_S)
            if self.pending and not self.is_over:
                _thread.interrupt_main()


class whole_imports:
    """A block, or a function, whose imports Ctrl-C leaves whole. Does nothing on other threads than the main one."""

    def __init__(self, packages: frozenset[str] = frozenset()) -> None:
        """Begin with `with`; `packages`: whose imports are meant, all of them where none is named."""
        self._packages = packages
        self._installed: list[_Handler] = []

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Make a function such a block, one for each call: several threads may call it."""

        @functools.wraps(function)
        def whole(*args: P.args, **kwargs: P.kwargs) -> R:
            with whole_imports(self._packages):
                return function(*args, **kwargs)

        return whole

    def __enter__(self) -> Self:
        if threading.get_ident() == threading.main_thread().ident:
            earlier = _signal.getsignal(_SIGINT)
            if callable(earlier):
                self._installed.append(_Handler(earlier, sys._getframe(1), self._packages))
                _signal.signal(_SIGINT, self._installed[-1])
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        handler = self.end()
        if exc is not None and (said := open_files.told(exc)) is not None:
            raise said from exc
        if handler is not None and handler.pending and exc is None:
            handler.earlier(signal.SIGINT, None)

    def end(self) -> _Handler | None:
        """Leave the block; return what was in force in it."""
        if not self._installed:
            return None
        handler = self._installed.pop()
        handler.is_over = True
        if _signal.getsignal(_SIGINT) is handler:
            _signal.signal(_SIGINT, handler.earlier)
        return handler

"""Errors that leave our functions without the values of our variables.

`%xmode Verbose` and error reporters print the locals of every frame that an error passed: bound values, requests, SQL. The
frames stay, for they tell where it happened; what they held goes.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def bare_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Let no error out of a public function that holds its arguments or what became of them."""

    @functools.wraps(function)
    def bare(*args: P.args, **kwargs: P.kwargs) -> R:
        handled = sys.exception()
        try:
            return function(*args, **kwargs)
        except BaseException as exc:
            del args, kwargs
            _clear(exc, handled)
            raise

    return bare


def _clear(exc: BaseException, handled: BaseException | None) -> None:
    """Empty the frames behind an error and its causes; those of an error that the caller is handling are its own."""
    seen = {id(handled)}
    waiting: list[BaseException | None] = [exc]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            traceback.clear_frames(one.__traceback__)
            waiting += [one.__cause__, one.__context__]

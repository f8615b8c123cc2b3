"""Pickles of frames with intervals: Python finds no module for the class of pyarrow's `MonthDayNano`, and refuses them."""

from __future__ import annotations

import copyreg
import importlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa


class _Call:
    """Stands in a pickle for what a call returns, by names that are there without this package."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self._function, self._arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._function, self._arguments

    def __call__(self, *arguments: object) -> Any:  # noqa: ANN401 - for `copy.deepcopy`, which calls it where it is
        return pa.MonthDayNano(*arguments)


_CLASS = _Call(getattr, _Call(importlib.import_module, "pyarrow"), "MonthDayNano")


def allow_intervals() -> None:
    """Have pickle and copy take pyarrow's intervals."""
    copyreg.pickle(pa.MonthDayNano, lambda value: (_CLASS, (tuple(value),)))

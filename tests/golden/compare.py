"""Whether what came out of a frame or a file is the value that the database had, in whatever form it came."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

_INTERVAL = re.compile(r"P(-?\d+)M(-?\d+)DT(-?[\d.]+)S")
_CLOCK = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?")


def same(got: Any, want: Any) -> bool:
    """Return whether `got` is `want`, as itself, as the library's own kind of it, or as its text."""
    if want is None:
        return got is None or got is pd.NA or got is pd.NaT or (isinstance(got, float) and got != got)
    if isinstance(want, pa.MonthDayNano):
        return _interval(got) == tuple(want)
    if isinstance(got, str) and not isinstance(want, str):
        return _same_text(got, want)
    if isinstance(got, np.ndarray):
        got = list(got)
    if isinstance(want, list):
        if isinstance(got, dict):  # a map
            got = list(got.items())
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, tuple):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, dict):
        return list(got) == list(want) and all(map(same, got.values(), want.values()))
    if isinstance(want, float):
        return repr(float(got)) == repr(want)
    if isinstance(want, dt.date) and not isinstance(want, dt.datetime) and isinstance(got, dt.datetime):
        return got == dt.datetime(want.year, want.month, want.day)
    if isinstance(got, np.generic) and not isinstance(want, (int, float)):
        got = got.item()
    return bool(got == want) and isinstance(got, (bool, np.bool_)) == isinstance(want, bool)


def _interval(got: Any) -> tuple[int, int, int] | None:
    if not isinstance(got, str):
        return tuple(got)
    found = _INTERVAL.fullmatch(got)
    return found and (int(found[1]), int(found[2]), int(Decimal(found[3]) * 10**9))


def _same_text(got: str, want: Any) -> bool:
    if isinstance(want, (list, dict)):
        return same(json.loads(got, parse_float=Decimal), want)
    if isinstance(want, bool):
        return got.lower() == str(want).lower()
    if isinstance(want, (int, Decimal)):
        return Decimal(got) == want and "E" not in got.upper()
    if isinstance(want, float):
        return repr(float(got)) == repr(want) or (np.float32(got) == np.float32(want) == want)
    if isinstance(want, bytes):
        return got == f"\\x{want.hex()}"
    if isinstance(want, dt.timedelta):
        return _clock(got) == want
    return type(want).fromisoformat(got) == want


def _clock(text: str) -> dt.timedelta:
    sign, hours, minutes, seconds, fraction = _CLOCK.fullmatch(text).groups()
    length = dt.timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=int((fraction or "0").ljust(6, "0"))
    )
    return -length if sign else length

"""Reading under our text formats while the session keeps the user's.

Dates, intervals, bytes and floats are written as the session's settings say. Where a result has such columns and a setting
differs from ours, it is changed for that one statement and put back; results without such columns leave all as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tusk_drivers.postgresql.link import Link
from tusk_drivers.postgresql.types import Setting

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

QUERY = b"SELECT pg_catalog.current_setting('bytea_output'), pg_catalog.current_setting('extra_float_digits')"
"""The two settings that the server does not report by itself; asked in the same round trip as Describe."""


def asked(answer: PGresult) -> dict[Setting, str]:
    """Return the settings that `QUERY` asked for."""
    values = ((answer.get_value(0, index) or b"").decode() for index in range(2))
    return dict(zip((Setting.BYTEA_OUTPUT, Setting.FLOAT_DIGITS), values, strict=True))


def overrides(link: Link, needed: Iterable[Setting], asked: Mapping[Setting, str]) -> dict[Setting, str]:
    """Return what to set for a result that depends on `needed`.

    Args:
        link: knows the settings that the server reports.
        needed: settings on which the result's text depends.
        asked: the values of the others.
    """
    wanted = {setting: _wanted(setting, now) for setting, now in present(link, asked, needed).items()}
    return {setting: value for setting, value in wanted.items() if value is not None}


def _wanted(setting: Setting, now: str) -> str | None:
    """Return the value under which we read, or None if the present one will do."""
    if setting is Setting.DATE_STYLE:
        style, _, order = now.partition(", ")
        return None if style == "ISO" else f"ISO, {order or 'MDY'}"
    if setting is Setting.INTERVAL_STYLE:
        return None if now == "postgres" else "postgres"
    if setting is Setting.BYTEA_OUTPUT:
        return None if now == "hex" else "hex"
    return (
        None if int(now) >= 1 else "3"
    )  # from 1 on (3 before version 12) the server writes the shortest text that reads back exactly


def set_command(values: Mapping[Setting, str], *, local: bool) -> str:
    """Return one statement that sets them for the session, or, `local`, for the open transaction.

    In a transaction it must be for that: what the user has set there LOCAL, or at all before a savepoint, is to be as it was
    when the transaction or its part ends, and what he has set for the session lies beneath.
    """
    calls = [_set(setting, value, local=local) for setting, value in values.items()]
    return f"SELECT {', '.join(calls)}"


def put_back_command(before: Mapping[Setting, str], ours: Mapping[Setting, str], *, local: bool) -> str:
    """Return one statement that sets them as they were, but for those that the user's statement itself has set."""
    calls = [
        f"CASE WHEN pg_catalog.current_setting('{setting.value}') = '{ours[setting]}' THEN "
        f"{_set(setting, value, local=local)} END"
        for setting, value in before.items()
    ]
    return f"SELECT {', '.join(calls)}"


def _set(setting: Setting, value: str, *, local: bool) -> str:
    return f"pg_catalog.set_config('{setting.value}', '{value}', {str(local).lower()})"


def present(link: Link, asked: Mapping[Setting, str], which: Iterable[Setting]) -> dict[Setting, str]:
    """Return the present values."""
    return {setting: asked.get(setting) or link.setting(setting.value) for setting in which}

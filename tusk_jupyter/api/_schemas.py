"""The schemas of connections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tusk_jupyter.api._session import call, client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tusk_jupyter.protocol import control

TAKING_S = 60.0
_NAME = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def schema(connection: str | None = None, *, refresh: bool = False, wait_s: float = TAKING_S) -> control.SchemaSnapshot:
    """Return the tables, views, columns and keys of a connection, as the core keeps them for an hour.

    Args:
        connection: name; None: the current one.
        refresh: read them anew.
        wait_s: how long to wait, in seconds, while they are being read.

    Raises:
        TuskError: they could not be read, and none are kept.
    """
    from tusk_jupyter.protocol.control import GetSchema

    asking = client()
    found: control.SchemaSnapshot = asking.call(
        GetSchema(
            session=asking.session,
            connection=connection,
            refresh=refresh,
            wait_s=wait_s,
            last_connection=asking.last_connection,
            last_was_chosen=asking.last_was_chosen,
        ),
        timeout_s=wait_s + 30.0,
    )
    if found.error is not None and (found.snapshot is None or refresh):
        raise found.error.to_exception()
    return found


def describe(table: str | Sequence[str], connection: str | None = None) -> control.TableDescription:
    """Return columns, indexes and comment of a table or view.

    Args:
        table: its name, qualified with dots or not, or its path.
        connection: name; None: the current one.

    Raises:
        TuskError: there is no such table, or it cannot be read.
    """
    from tusk_jupyter.protocol.control import DescribeTable

    name = connection or schema(wait_s=0.0).connection
    path = _parts_of(table) if isinstance(table, str) else tuple(table)
    found: control.TableDescription = call(DescribeTable(session=client().session, connection=name, path=path))
    return found


def _parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a name with dots; double quotes keep a dot within a part."""
    return tuple(quoted.replace('""', '"') or plain for quoted, plain in _NAME.findall(name))

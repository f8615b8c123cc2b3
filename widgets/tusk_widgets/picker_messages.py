"""What a view of the picker says to the kernel; none of it is widget state, and secrets travel beside it as buffers.

A message is `{"kind": ..., "id": ..., ...}`; its answer is `{"re": id, "ok": {...}}` or `{"re": id, "error": {...}}`.
Secrets are no part of a message's text: a kernel that logs what it hears does not log them.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import field

from tusk_jupyter.errors import UsageError
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.system import typed_json


class Ask(Message, frozen=True, kw_only=True, tag_field="kind"):
    """Base of what a view asks; `id` is repeated in the answer."""

    id: str


class Watch(Ask, frozen=True, kw_only=True, tag="watch"):
    """This view is displayed: tell it when connections change. Said again every minute while it is."""

    view: str


class Leave(Ask, frozen=True, kw_only=True, tag="leave"):
    """This view is gone, with its forms."""

    view: str


class OfRow(Ask, frozen=True, kw_only=True):
    """Base of what is asked of a row of the list: the connection that it shows, whatever has its name by now."""

    name: str
    connection: str | None = None
    """Its id."""


class Pick(OfRow, frozen=True, kw_only=True, tag="pick"):
    """Make a connection the current one of this notebook."""


class Catalog(Ask, frozen=True, kw_only=True, tag="catalog"):
    """Ask for drivers, credential tiers and what the environment suggests."""


class Edit(OfRow, frozen=True, kw_only=True, tag="edit"):
    """Ask for what a form needs to change a connection."""


class Source(Message, frozen=True, kw_only=True):
    """Where one secret of a form comes from."""

    source: Literal["typed", "environment", "command", "kept", "none"]
    variable: str = ""
    command: str = ""


class Form(Message, frozen=True, kw_only=True):
    """What a form holds, without the secrets that were typed into it."""

    id: str
    """Of this opening of the form: VIEW/NUMBER."""
    driver: str
    way: str = ""
    """A way to sign in of the manifest, `url`, or nothing for a driver that declares none."""
    name: str = ""
    original: str | None = None
    """The connection that is being changed."""
    seen: str | None = None
    """Its `updated_at` when the form was opened."""
    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Source] = field(default_factory=dict)
    """By secret field; the whole URL counts as the secret `url`, for it may hold a password."""
    tier: str | None = None
    read_only: bool = False
    environment: str | None = None
    timeout_s: float | None = None
    memory_limit_mb: int | None = None
    isolation: str = "session"
    log: bool = True


class Try(Ask, frozen=True, kw_only=True, tag="try"):
    """Test what the form holds; nothing is stored. `typed` names the secrets in the buffers, in their order."""

    form: Form
    typed: tuple[str, ...] = ()


class Save(Ask, frozen=True, kw_only=True, tag="save"):
    """Store what the form holds, tested first unless `test` is off."""

    form: Form
    typed: tuple[str, ...] = ()
    test: bool = True


class Drop(Ask, frozen=True, kw_only=True, tag="drop"):
    """The form was closed: forget what was typed into it."""

    form: str


class Check(OfRow, frozen=True, kw_only=True, tag="test"):
    """Test a stored connection."""


class Duplicate(OfRow, frozen=True, kw_only=True, tag="duplicate"):
    """Store a copy under another name, secrets included."""

    new_name: str


class Remove(OfRow, frozen=True, kw_only=True, tag="remove"):
    """Delete a connection, its secrets and its sessions."""


AnyAsk = Watch | Leave | Pick | Catalog | Edit | Try | Save | Drop | Check | Duplicate | Remove


def read(content: object) -> AnyAsk:
    """Return a view's message.

    Raises:
        UsageError: it is none that this version knows; says nothing of its values.
    """
    try:
        ask: AnyAsk = typed_json.convert(AnyAsk, content)
    except msgspec.ValidationError:
        raise UsageError(
            "The picker in the page and the one in the kernel are of different versions.",
            hint="Reload the page, and run `%tusk pick` again.",
        ) from None
    return ask

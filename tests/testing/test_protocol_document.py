"""drivers/PROTOCOL.md says everything that the protocol's code has, and its examples can be read by that code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from tusk_jupyter.driverkit.session import BATCH_ROWS
from tusk_jupyter.launch import catalog, child, process
from tusk_jupyter.launch.ladder import AFTER_S
from tusk_jupyter.protocol import codec, driver, errors, stream, values
from tusk_jupyter.protocol.errors import WireError
from tusk_jupyter.protocol.manifest import Capabilities, Manifest
from tusk_jupyter.protocol.message import Message
from tusk_jupyter.protocol.scenarios import HINTS
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.testing.base import ContractBase
from tusk_jupyter.testing.failures import FailuresContract

DOCUMENT = Path(__file__).parents[2] / "drivers" / "PROTOCOL.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
OBJECTS = list(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)) + re.findall(r"`(\{\"[^`]*\})`", TEXT)
MESSAGES = [
    kind for module in (driver, stream) for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Message) and kind.__module__ == module.__name__
]  # fmt: skip
ACTIONS = {kind.ACTION: kind for kind in MESSAGES if hasattr(kind, "ACTION")}
WORDS = set(re.findall(r"[\w:]+", TEXT))


def section(title: str) -> str:
    """The document's part under a heading, without the parts below other headings."""
    found = re.search(rf"^#+ [^\n]*{re.escape(title)}.*?(?=^#+ |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found, f"no section {title!r}"
    return found[0]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_in_the_table_with_its_answer_and_has_its_section(action):
    row = re.search(rf"^\| `{action}` \| (\w+) \| ([\w ]+) \|$", TEXT, re.MULTILINE)
    assert row, f"{action} is not in the table of actions"
    assert row[1] == ACTIONS[action].__name__
    assert ACTIONS[action].REPLY.__name__ in row[2]
    assert re.search(rf"^### .*\b{action}\b", TEXT, re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, one.name) for kind in [*MESSAGES, WireError, Manifest, Capabilities] for one in fields(kind)],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_every_field_of_every_message_is_named(kind, field):
    assert re.search(rf"[`\"]{field}[`\"]", TEXT), f"{kind.__name__}.{field}"


@pytest.mark.parametrize("action", ACTIONS)
def test_every_field_of_a_request_is_in_its_sections_example(action):
    examples = [body for body in OBJECTS if body in section(action)]
    named = " ".join(examples)
    missing = [one.name for one in fields(ACTIONS[action]) if f'"{one.name}"' not in named]
    assert not missing, f"{action}: {missing}"


@pytest.mark.parametrize("body", OBJECTS, ids=range(len(OBJECTS)))
def test_every_example_is_json_and_a_message_of_this_version(body):
    """Each example has only fields of one message, and is read by it."""
    filled = re.sub(r"\{\.\.\.\}", "{}", body)
    if "TYPE" in body:
        return
    said = json.loads(filled)
    kinds = [*MESSAGES, WireError, Manifest, values.Value]
    fitting = [kind for kind in kinds if set(said) <= {one.name for one in fields(kind)}]
    if "command" in said and "name" in said:
        assert set(said) == {"name", "command"}  # the file in the user's driver folder
        return
    assert fitting, f"no message has these fields: {sorted(said)}"
    read = 0
    for kind in fitting:
        try:
            codec.decode(kind, filled.encode())
            read += 1
        except codec.ProtocolError:
            continue
    assert read, f"none of {[kind.__name__ for kind in fitting]} reads {filled}"


def test_every_kind_of_error_and_every_scenario_is_named():
    assert not [kind for kind in errors.KINDS if f"`{kind}`" not in section("9. Errors")]
    assert not [scenario for scenario in HINTS if f"`{scenario}`" not in section("9. Errors")]


def test_every_parameter_type_is_in_the_table():
    named = set(re.findall(r"`(\w+)`", section("8. Parameter values")))
    assert set(values._UNPACK) <= named


def test_every_dialect_is_named():
    assert not [name for name in DIALECTS if f"`{name}`" not in section("3. The manifest")]


def test_numbers_are_the_codes():
    assert f"**{PROTOCOL_VERSION}**" in section("1. Versions")
    assert f"{BATCH_ROWS:,} rows" in section("6. DoGet")
    start = section("4. Start and end")
    assert f"within {process.START_TIMEOUT_S:.0f} s" in start
    assert f"SIGTERM follows after {child.TERMINATE_AFTER_S:.0f} s, SIGKILL after {child.KILL_AFTER_S:.0f} s" in start
    assert f"within {catalog.INFO_TIMEOUT_S:.0f} s" in section("2. The program")
    for seconds in AFTER_S.values():
        assert f"| {seconds:.0f} s |" in section("10. The cancel ladder")
    assert driver.FAREWELL.decode().strip() in start
    assert stream.TYPES_KEY.decode() in TEXT
    assert catalog.GROUP in TEXT


def test_every_hook_of_the_kit_is_named():
    hooks = [name for kind in (ContractBase, FailuresContract) for name in kind.__annotations__ if name != "package"]
    assert not [name for name in hooks if f"`{name}`" not in section("12. Testing")]

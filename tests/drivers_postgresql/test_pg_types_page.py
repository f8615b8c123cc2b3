"""TYPES.md tells what types.py does."""

from __future__ import annotations

import re
from pathlib import Path

import tusk_drivers.postgresql as package
from tusk_drivers.postgresql.types import BY_ARRAY_OID, BY_OID, TYPES
from tusk_jupyter.driverkit.cli import read_manifest


def page() -> dict[str, str]:
    """Arrow type by database type, as the page's first table has them."""
    text = (Path(package.__file__).parent / "TYPES.md").read_text()
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) >= 3:
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells[1].strip("`"))
    return found


def test_the_page_and_the_table_are_the_same():
    assert page() == {entry.name: entry.arrow for entry in TYPES}


def test_numbers_of_types_are_those_of_the_server(db):
    rows = db.rows("SELECT oid, typarray, format_type(oid, NULL), typdelim FROM pg_type WHERE oid < 10000")
    there = {oid: (array, name, delimiter) for oid, array, name, delimiter in rows}
    for entry in TYPES:
        assert there[entry.oid] == (entry.array_oid, entry.name, entry.delimiter)
    assert len(BY_OID) == len(TYPES)
    assert len(BY_ARRAY_OID) == sum(1 for entry in TYPES if entry.array_oid)


def test_every_type_whose_text_follows_a_setting_says_so(db):
    """Ranges of a type follow what the type follows."""
    subtypes = dict(
        db.rows("SELECT rngtypid, rngsubtype FROM pg_range UNION SELECT rngmultitypid, rngsubtype FROM pg_range")
    )
    for oid, subtype in subtypes.items():
        if oid in BY_OID:
            assert BY_OID[oid].setting == BY_OID[subtype].setting


def test_the_manifest_can_be_read():
    manifest = read_manifest("tusk_drivers.postgresql")
    assert manifest.secret_fields == ("password", "sslpassword")
    assert manifest.schemes == ("postgresql", "postgres")
    assert all(spec["title"] and spec["description"] for spec in manifest.properties.values())

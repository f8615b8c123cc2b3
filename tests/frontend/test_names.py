"""Two widgets are on one page: what one of them calls a part must be no name of the other's."""

import re
from pathlib import Path

import pytest

WIDGETS = Path(__file__).parents[2] / "widgets" / "labextension" / "src" / "widgets"
SHARED = {"tusk-production", "tusk-staging", "tusk-development"}
"""Names of the three colours, the same everywhere on purpose."""


def classes(name: str) -> set[str]:
    sheets = [WIDGETS / f"{name}.entry.css", *(WIDGETS / name).glob("*.css")]
    return {found for sheet in sheets for found in re.findall(r"\.(tusk-[\w-]+)", sheet.read_text())}


@pytest.mark.parametrize(("one", "other"), [("picker", "grid")])
def test_no_class_of_one_widget_is_styled_by_another(one, other):
    assert classes(one) and classes(other)
    assert classes(one) & classes(other) - SHARED == set()

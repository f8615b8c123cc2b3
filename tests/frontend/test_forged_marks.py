"""What a notebook's author draws never has the look of our marks: classes are free for all, and pass JupyterLab's sanitizer."""

import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "widgets" / "labextension"
SHEETS = [*(FRONTEND / "style").glob("*.css"), *(FRONTEND / "src").rglob("*.css")]
GUARD = ":where(:not(.jp-RenderedHTMLCommon *))"
OURS = re.compile(r"tusk-(\w+-)?(production|staging|development|environment|env)\b|tusk-(CellMark|Badge)(?!\))")
LEAVES_ITS_PLACE = re.compile(r"position:\s*(absolute|fixed|sticky)")
CANNOT_BE_WRITTEN = re.compile(r"regular-table|dialog|\[data-|:focus")
"""Elements and attributes that the sanitizer removes, and what no document has."""


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_marks_and_what_leaves_its_place_are_not_for_what_a_document_holds(sheet):
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    unguarded = [
        " ".join(selector.split())
        for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", text)
        if (OURS.search(selector) or LEAVES_ITS_PLACE.search(body))
        and not (GUARD in selector or CANNOT_BE_WRITTEN.search(selector) or ":has(" in selector)
    ]
    assert unguarded == []


def test_there_are_sheets():
    assert len(SHEETS) >= 6

"""Text of others is shown by one table in the terminal and in the browser, and nothing is drawn past it."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from services.typescript import in_typescript

from tusk_jupyter.visible import visible
from tusk_widgets.export import Facts
from tusk_widgets.grid_data import GridData, frame_of
from tusk_widgets.grid_static import static_html

SOURCES = Path(__file__).parents[2] / "widgets" / "labextension" / "src"
STEERING = "a\u202eb \u2066c \x85 \u200b \ufeff \x1b[2J"


def test_both_tables_are_one():
    shown = in_typescript(
        "visible", "Array.from({ length: a }, (_, code) => m.visible(String.fromCharCode(code)))", 0x10000
    )
    assert [code for code in range(0x10000) if shown[code] != visible(chr(code))] == []
    texts = ["a\r\nb\rc", "\U0001f469\U0001f3fd\u200d\U0001f4bb", "مرحبا \u200fשלום\u200e \u061c", STEERING, ""]
    assert in_typescript("visible", "a.map(m.visible)", texts) == [visible(text) for text in texts]


@pytest.mark.parametrize("makes", ["dom", "widgets/grid/dom", "widgets/picker/dom"])
def test_elements_show_no_text_as_it_is(makes):
    scene = """(() => {
      const made = [];
      globalThis.Node = class {};
      globalThis.document = { createElement: () => ({ append: (...all) => made.push(...all), addEventListener: () => {},
        setAttribute: (name, value) => made.push(`${name}=${value}`), set title(value) { made.push(`title=${value}`); } }) };
      (m.h ?? m.element)('span', { title: a, label: a, attrs: { 'aria-label': a, 'data-name': a }, 'aria-label': a,
        'data-name': a, attributes: { 'aria-label': a, 'data-name': a } }, a);
      return made;
    })()"""
    made = in_typescript(makes, scene, STEERING)
    assert f"data-name={STEERING}" in made  # what is read by programs is exact
    assert visible(STEERING) in made
    assert [text for text in made if "\u202e" in text and not text.startswith("data-name")] == []


def test_no_module_writes_text_of_others_past_them():
    own = re.compile(r"textContent = (?:'|`Filters|arrow|problem\.|duration|this\.countText|words \?\? '')")
    writes = [
        f"{source.name}: {line.strip()}"
        for source in SOURCES.rglob("*.ts")
        for line in source.read_text().splitlines()
        if re.search(r"\.textContent = |createTextNode|innerHTML", line)
        and not own.search(line)
        and "visible(" not in line
        and "errorText(" not in line  # which makes it visible
        and "Fetching…" not in line
    ]
    assert writes == []


def test_the_saved_table_shows_none_either():
    table = pa.table({f"user{STEERING}": [STEERING]})
    html = static_html(
        GridData(table, frame_of(table, table.schema, frozenset())), Facts(connection="c", dialect="duckdb")
    )
    assert html.count("a\ufffdb \ufffdc \ufffd \ufffd \ufffd ␛[2J") == 2
    assert visible(html) == html

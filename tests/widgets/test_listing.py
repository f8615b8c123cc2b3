"""Listings as HTML: whatever the text, it stays text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tusk_jupyter.visible import visible
from tusk_widgets.listing import listing_html

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))
OURS = {"table", "thead", "tbody", "tr", "th", "td", "div"}


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.cells = set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("td", "th", "div"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


# R-33, UX 3.1
@given(TEXT, TEXT, TEXT)
def test_no_text_becomes_markup(name, cell, note):
    reader = Reader()
    reader.feed(listing_html([name, "n"], [[cell, None]], right=["n"], notes=[note]))
    reader.close()
    assert reader.tags == OURS
    assert reader.attributes <= {"style"}
    assert reader.cells == [visible(name), "n", visible(cell), "", visible(note)]


def test_what_other_tools_let_through_is_shown_as_it_is():
    for payload in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '"><svg onload=alert(1)>',
        "javascript:alert(1)",
    ):
        page = listing_html(["a"], [[payload]])
        assert "<script" not in page
        assert "<img" not in page
        assert "<svg" not in page
        assert "href" not in page

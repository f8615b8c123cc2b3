"""The static table: what a saved notebook shows, and that no value becomes markup."""

from html.parser import HTMLParser

import pyarrow as pa
import pytest
from awkward_results import TABLE
from grids import FACTS, grid_of

from tusk_jupyter.visible import visible
from tusk_widgets.export import Facts
from tusk_widgets.grid_static import static_html

PAYLOADS = (
    "<script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<body onload=alert(1)>",
    "<style>@import 'x'</style>",
    '<style>*{background:url("javascript:alert(1)")}</style>',
    "<link rel=stylesheet href=x>",
    "<meta http-equiv=refresh content=0;url=x>",
    "<base href=x>",
    "<form action=x><input type=submit>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mi xlink:href=javascript:alert(1)>",
    "<object data=x>",
    "<embed src=x>",
    "<!--<img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "\x00<script>alert(1)</script>",
    "<\x00script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "<textarea><script>alert(1)</script>",
    "<title><img src=x onerror=alert(1)></title>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "$\\href{javascript:alert(1)}{x}$",
    "${alert(1)}{{constructor.constructor('alert(1)')()}}",
)
OURS = {"div", "table", "thead", "tbody", "tr", "th", "td", "span"}


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.cells = set(), set(), []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data

    def handle_comment(self, data):
        self.comments.append(data)


def page_of(table: pa.Table, facts: Facts = FACTS) -> str:
    value, data = grid_of(table)
    del value  # `table` itself
    return static_html(data, facts)


# XSS payloads in values and column names, none executed
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_value_and_no_name_becomes_markup(payload):
    page = page_of(pa.table({payload: [payload, payload * 50], "s": pa.array([{payload: payload}, None])}))
    read = Reader(page)
    assert read.tags == OURS
    assert read.attributes == {"class", "style"}
    assert not read.comments
    assert visible(payload) in read.cells


def test_null_is_told_from_empty_and_from_the_word():
    read = Reader(page_of(TABLE.select(["text"])))
    assert read.cells[1:4] == ["NULL", "", "NULL"]
    page = page_of(TABLE.select(["text"]))
    assert page.count("font-style:italic") == 1


def test_it_says_how_much_there_is():
    page = page_of(pa.table({"a": range(1_204_331)}))
    assert "20 shown of 1,204,331 fetched" in page
    assert page.count("<tr") == 21
    cut = page_of(pa.table({"a": range(500)}), Facts(connection="x", more=True, limit=500))
    assert "20 shown of 500 fetched · more exist (limit 500)" in cut
    assert ">3 rows<" in page_of(pa.table({"a": range(3)}))
    assert ">1 row<" in page_of(pa.table({"a": [1]}))


def test_a_thousand_columns_do_not_fill_the_notebook():
    page = page_of(pa.table({f"c{place}": range(100) for place in range(1000)}))
    assert "40 of 1,000 columns shown" in page
    assert len(page) < 100_000


def test_no_rows_still_have_their_columns():
    read = Reader(page_of(TABLE.slice(0, 0)))
    assert len(read.cells) == TABLE.num_columns


def test_dollar_signs_are_no_formulas():
    assert 'class="tex2jax_ignore mathjax_ignore"' in page_of(pa.table({"a": ["$5 and $6"]}))


def test_numbers_are_to_the_right():
    page = page_of(pa.table({"n": [1], "s": ["x"]}))
    assert page.count("text-align:right") == 2


def test_intervals_are_shown_in_words():
    from tusk_jupyter.client.texts import interval_words

    words = {
        (0, 3, 0): "3 days", (1, 1, 0): "1 month 1 day", (14, 0, 0): "1 year 2 months", (0, 0, 0): "00:00:00",
        (-13, -1, -3_723_500_000_000): "-1 year -1 month -1 day -01:02:03.5", (0, 0, 90_000 * 10**9): "25:00:00",
    }  # fmt: skip
    assert {value: interval_words(value) for value in words} == words
    assert interval_words(None) is None

"""A hundred texts that would run a script where they are shown as markup, wherever somebody's text is shown. # UX 3.1"""

from __future__ import annotations

from itertools import islice, product

from playwright.sync_api import expect

RUNS = "window.hit=(window.hit||0)+1"
MARKUP = (
    "<script>{}</script>", "<img src=x onerror={}>", "<svg onload={}>", "<svg><script>{}</script></svg>",
    "<iframe srcdoc='<script>parent.{}</script>'></iframe>", "<iframe src=javascript:parent.{}></iframe>",
    "<details open ontoggle={}>", "<input autofocus onfocus={}>", "<video><source onerror={}></video>",
    "<body onload={}>", "<math><mtext><img src=x onerror={}></mtext></math>", "<a href=javascript:{}>x</a>",
    "<object data=javascript:{}>", "<embed src=javascript:{}>", "<style onload={}></style>",
    "<audio src onerror={}>", "<marquee onstart={}>", "<template><img src=x onerror={}></template>",
    "<form><button formaction=javascript:{}>", "<table background=javascript:{}>",
)  # fmt: skip
AROUND = ("{}", "\"'>{}", "</td></tr></table>{}", "</textarea></title>{}", "--></style>{}")
PAYLOADS = [around.format(markup.format(RUNS)) for around, markup in product(AROUND, MARKUP)]
"""100 of them."""


def test_nothing_that_is_shown_is_ever_run(lab, window):
    assert len(set(PAYLOADS)) == 100
    some = list(islice(PAYLOADS, 0, None, 5))
    lab.write(
        "hostile.ipynb",
        f"%load_ext tusk_jupyter\n%tusk connect hostile hostile.duckdb\nPAYLOADS = {PAYLOADS!r}\nSOME = {some!r}",
        "import tusk_jupyter as tusk\n"
        "quoted = lambda text: '\"' + text.replace('\"', '\"\"') + '\"'\n"
        "literal = lambda text: \"'\" + text.replace(\"'\", \"''\") + \"'\"\n"
        "for text in SOME:\n"
        "    tusk.execute(f'CREATE TABLE {quoted(text)} ({quoted(text)} INT)', connection='hostile')\n"
        "for text in PAYLOADS:\n"
        "    tusk.query(f'SELECT {literal(text)} AS a -- {text}', connection='hostile')\n"
        "    try:\n"
        "        tusk.query(f'SELECT * FROM {quoted(\"no \" + text)}', connection='hostile')\n"
        "    except tusk.errors.QueryError:\n"
        "        pass\n"
        "for number, text in enumerate(PAYLOADS):\n"
        "    tusk.connect(f'to_{number}', driver='postgresql', host=text, user=text, database=text, test=False)\n"
        "    try:\n"
        "        tusk.connect(text, driver='sqlite', path='x.sqlite', test=False)\n"
        "    except tusk.errors.UsageError as exc:\n"
        "        assert 'cannot be a connection' in str(exc)\n"
        "    else:\n"
        "        raise AssertionError(f'{text} is a name')\n"
        "sql = 'SELECT ' + ', '.join(f'{literal(text)} AS {quoted(text)}' for text in PAYLOADS)\n"
        "table = 'SELECT unnest([' + ', '.join(map(literal, PAYLOADS)) + ']) AS value'",
        "get_ipython().run_cell_magic('sql', 'hostile', sql)",
        "get_ipython().run_cell_magic('sql', 'hostile', table)",
        "get_ipython().run_cell_magic('sql', 'hostile', f'SELECT * FROM {quoted(PAYLOADS[1])}')",
        "%tusk pick",
        "%tusk log --limit 100\n%tusk connections",
        "%%sql " + some[1].replace(" ", "") + "\nSELECT 1",
    )  # fmt: skip
    page = window("hostile.ipynb")
    for number in range(2):
        page.run_cell(number)
    for number in (2, 3):
        expect(page.run_cell(number).get_by_role("grid")).to_be_visible()
    page.run_cell(4)
    page.run_cell(5)
    page.run_cell(6)
    page.run_cell(7)
    expect(page.cell(5).get_by_text("to_99", exact=True)).to_be_attached()
    page.picture("1 grids, an error, the picker and a listing")
    look_at_the_tree(page)
    look_at_the_log(page)
    assert page.page.evaluate("window.hit") is None


def look_at_the_tree(page):
    page.page.get_by_role("tab", name="Tusk").click()
    tree = page.page.get_by_test_id("tusk-tree")
    tree.get_by_role("treeitem", name="hostile").first.click()
    tree.get_by_role("treeitem", name="hostile, catalog").click()
    tree.get_by_role("treeitem", name="main").first.click()
    table = tree.get_by_role("treeitem", name="onerror").first
    table.wait_for()
    table.click()
    page.page.get_by_test_id("tusk-search").fill("onload")
    page.picture("2 the tree")


def look_at_the_log(page):
    page.page.get_by_role("button", name="Query Log").click()
    runs = page.page.get_by_test_id("tusk-log-list").locator("[data-run]")
    runs.first.wait_for()
    for number in range(6):
        runs.nth(number).click()
        expect(page.page.get_by_test_id("tusk-details")).to_contain_text("window.hit")
    page.picture("3 the log")

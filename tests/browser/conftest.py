"""One JupyterLab and one Chromium a module: Playwright's event loop must not outlive it. Pictures go to `.test-pictures/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from services import lab as lab_service
from services.homes import make_home, short_folder
from services.lab import Lab, Window

PICTURES = Path(__file__).parents[2] / ".test-pictures"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    home = make_home()
    try:
        with short_folder("tusk-l-") as folder, lab_service.running(home, folder, TUSK_MASTER_KEY="6b" * 32) as running:
            yield running
    finally:
        home.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with lab_service.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def kept(chromium: Browser) -> Iterator[dict[str, Window]]:
    """The window that a module's tests have one after the other, by the notebook that is open in it."""
    windows: dict[str, Window] = {}
    yield windows
    close_all_of(windows)


def close_all_of(windows: dict[str, Window]) -> None:
    while windows:
        windows.popitem()[1].page.context.close()


@pytest.fixture
def window(
    lab: Lab, chromium: Browser, kept: dict[str, Window], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Window]]:
    """Opens windows; they are closed after the test, and nothing in them may have run a foreign script.

    Lab with a notebook takes five seconds of a processor to open. A window that is opened with `stays` is left open and
    given to the next test that wants its notebook so, unless a test fails or one opens a window of its own.
    """
    pictures = PICTURES / request.node.name
    pictures.mkdir(parents=True, exist_ok=True)
    opened = request.node.stash[OPENED] = []

    def open_window(
        path: str = "", workspace: str = "test", *, in_notebook_7: bool = False, stays: bool = False
    ) -> Window:
        if stays and path in kept:
            kept[path].pictures = pictures
            opened.append(kept[path])
            return opened[-1]
        close_all_of(kept)
        if in_notebook_7:
            opened.append(Window.open_notebook7(lab, chromium, pictures, path))
        else:
            opened.append(Window.open(lab, chromium, pictures, path, workspace))
        if stays:
            kept[path] = opened[-1]
        return opened[-1]

    yield open_window
    failed = request.node.stash.get(FAILED, False)
    for one in opened:
        if failed and not one.page.is_closed():
            one.picture("at the failure")
        if failed or one not in kept.values():
            one.page.context.close()
    if failed:
        kept.clear()
    assert [said for one in opened for said in one.dialogs] == []


FAILED = pytest.StashKey[bool]()
OPENED = pytest.StashKey[list[Window]]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note whether the test itself failed, for the picture; the report shows what was to be read in its windows."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.stash[FAILED] = report.failed
        if report.failed:
            for number, one in enumerate(item.stash.get(OPENED, []), 1):
                report.sections.append((f"window {number} at the failure", one.text()))

"""A headless Chromium of the system, driven by Playwright: what a browser really does with a page of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from services.processes import find_program

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@contextmanager
def running() -> Iterator[Browser]:
    """Start a browser and end it afterwards.

    Raises:
        MissingProgram: Chromium is not installed.
    """
    program = find_program("chromium", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()

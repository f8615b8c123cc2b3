"""Which file the server takes for a kernel's notebook."""

from __future__ import annotations

import asyncio

import pytest

from tusk_widgets.server.notebooks import notebook_of


class Sessions:
    """Lists what Jupyter Server's session manager would."""

    def __init__(self, *sessions: tuple[str, str, str]) -> None:
        self._sessions = sessions

    async def list_sessions(self):
        return [{"path": path, "type": kind, "kernel": {"id": kernel}} for path, kind, kernel in self._sessions]


WORK = ("late flights/work.ipynb", "notebook", "k1")


@pytest.mark.parametrize(
    ("kernel", "sessions", "found"),
    [
        ("k1", [WORK, ("other.ipynb", "notebook", "k2"), ("work.ipynb-console", "console", "k1")], WORK[0]),
        ("k1", [WORK, ("other.ipynb", "notebook", "k1")], ""),  # two notebooks on one kernel
        ("k1", [("RTC:other.ipynb", "notebook", "k1")], "other.ipynb"),  # edited by several
        ("k1", [("elsewhere.ipynb", "notebook", "k1")], ""),  # no file of this name
        ("k2", [WORK], ""),
        ("", [WORK], ""),
    ],
)
def test_a_kernels_notebook_is_the_one_file_that_its_session_names(tmp_path, kernel, sessions, found):
    for path in (WORK[0], "other.ipynb"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    place = asyncio.run(notebook_of(Sessions(*sessions), kernel, str(tmp_path)))
    assert place == (str(tmp_path / found) if found else "")

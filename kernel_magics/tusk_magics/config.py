"""Settings of the magics: `%config TuskMagics` shows them, `%config TuskMagics.limit = 1000` sets one."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Enum, Float, Int, observe
from traitlets.config import SingletonConfigurable

from tusk_magics.options import DECIMALS, FORMATS


class TuskMagics(SingletonConfigurable):
    """Defaults for the options of `%sql`, and what it shows."""

    format = Enum(FORMATS, default_value="pandas", help="Kind of the result.").tag(config=True)
    decimal = Enum(
        DECIMALS, default_value="exact", help="DECIMAL and NUMERIC: exact, or float for speed in arithmetic."
    ).tag(config=True)
    limit = Int(
        None, allow_none=True, min=0, help="Fetch at most this many rows of each result; None: all of them."
    ).tag(config=True)
    timeout = Float(
        None, allow_none=True, help="Stop a run after this many seconds; None: the connection's own timeout."
    ).tag(config=True)
    progress = Bool(True, help="Show a line with rows and seconds while a run lasts.").tag(config=True)
    footer = Bool(True, help="Show rows, columns, time and connection after a run.").tag(config=True)
    display = Enum(
        ("grid", "table", "plain"),
        default_value="grid",
        help="How a result is shown: grid (scroll, sort, filter, export), table (its first rows as HTML), "
        "plain (as its own library shows it; always so in a terminal).",
    ).tag(config=True)
    widgets = Enum(
        ("auto", "extension", "anywidget", "none"),
        default_value="auto",
        help="Who draws grids and the picker: extension (ours, in JupyterLab and Notebook), anywidget (an extra, for front "
        "ends that load no extension), none (tables and text); auto looks at the front end.",
    ).tag(config=True)

    @observe("widgets")
    def _tell_widgets(self, change: Any) -> None:  # noqa: ANN401 - a traitlets Bunch
        from tusk_widgets import page

        page.wish(change.new)

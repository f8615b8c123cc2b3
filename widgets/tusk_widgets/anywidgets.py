"""Our widgets for front ends that load no extension of ours: the same, with their code in the state, drawn by anywidget."""

from __future__ import annotations

import anywidget

from tusk_widgets.grid import ResultGrid
from tusk_widgets.page import STATIC
from tusk_widgets.picker import ConnectionPicker


class AnyResultGrid(anywidget.AnyWidget, ResultGrid):
    """The result grid."""

    _esm = STATIC / "grid.js"
    _css = STATIC / "grid.css"


class AnyConnectionPicker(anywidget.AnyWidget, ConnectionPicker):
    """The connection picker."""

    _esm = STATIC / "picker.js"
    _css = STATIC / "picker.css"

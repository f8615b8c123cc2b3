"""The result grid: a widget that draws windows of a result which stays in the kernel.

Its state holds the columns' names and types, the counts, and the first rows, so that it draws at once and can still be
read where no kernel runs. Everything else is asked for by messages (`grid_requests`).
"""

from __future__ import annotations

from typing import Any

import msgspec
import traitlets
from ipywidgets import DOMWidget

from tusk_widgets.export import FORMATS, Facts
from tusk_widgets.grid_data import GridData
from tusk_widgets.grid_requests import GridRequests
from tusk_widgets.grid_types import kind_of, name_of
from tusk_widgets.insert_literals import DIALECTS
from tusk_widgets.page import MODULE, MODULE_VERSION, way

PREVIEW_ROWS = 50
PREVIEW_COLUMNS = 40


class ResultGrid(DOMWidget):  # type: ignore[misc] # ipywidgets ships no types
    """A grid of one result."""

    _model_name = traitlets.Unicode("GridModel").tag(sync=True)
    _model_module = traitlets.Unicode(MODULE).tag(sync=True)
    _model_module_version = traitlets.Unicode(MODULE_VERSION).tag(sync=True)
    _view_name = traitlets.Unicode("GridView").tag(sync=True)
    _view_module = traitlets.Unicode(MODULE).tag(sync=True)
    _view_module_version = traitlets.Unicode(MODULE_VERSION).tag(sync=True)

    info = traitlets.Dict(read_only=True).tag(sync=True)
    """Names and types of the columns, counts, and what an export needs to offer."""
    preview = traitlets.Bytes(read_only=True).tag(sync=True)
    """The first rows as a window has them."""
    view = traitlets.Dict(read_only=True).tag(sync=True)
    """How it was last sorted and filtered, for the page that is loaded again."""

    def __new__(cls, *_: object, **__: object) -> Any:  # noqa: ANN401 - the class, or that of anywidget
        """Make it for the front end."""
        if cls is ResultGrid and way() == "anywidget":
            from tusk_widgets.anywidgets import AnyResultGrid

            cls = AnyResultGrid
        return super().__new__(cls)

    def __init__(self, data: GridData, facts: Facts) -> None:
        """Show a result.

        Args:
            data: its rows.
            facts: what it is beyond them.
        """
        self._requests = GridRequests(data, facts)
        super().__init__()
        self.set_trait("info", _info(data, facts))
        self.set_trait("view", msgspec.to_builtins(self._requests.chosen))
        self.set_trait("preview", self._requests.preview(PREVIEW_ROWS, PREVIEW_COLUMNS))
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        """Say which it is; ipywidgets' own words hold the whole state."""
        return object.__repr__(self)

    def _on_message(self, _: object, content: dict[str, Any], __: object) -> None:
        """Answer to the view that asked; its number tells it from the views of other windows."""
        asked = {name: value for name, value in content.items() if name != "id"}
        answer, buffers = self._requests.answer(asked)
        self.send({"id": content.get("id"), **answer}, buffers)
        self.set_trait("view", msgspec.to_builtins(self._requests.chosen))


def _info(data: GridData, facts: Facts) -> dict[str, Any]:
    columns = [{"name": field.name, "type": name_of(field.type), "kind": kind_of(field.type)} for field in data.schema]
    return {
        "columns": columns,
        "rows": data.rows,
        "preview_rows": min(PREVIEW_ROWS, data.rows),
        "preview_columns": min(PREVIEW_COLUMNS, len(columns)),
        "more": facts.more,
        "limit": facts.limit,
        "connection": facts.connection,
        "environment": facts.environment,
        "dialect": facts.dialect,
        "formats": [{"name": name, "label": form.label, "ending": form.ending} for name, form in FORMATS.items()],
        "dialects": list(DIALECTS),
    }

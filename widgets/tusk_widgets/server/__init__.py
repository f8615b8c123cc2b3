"""The Jupyter Server extension: what JupyterLab's panels ask, as REST routes under `/tusk/`.

Jupyter Server finds it by the configuration file that the wheel installs (`tusk_jupyter.json` here); nothing else imports it,
so that kernels and command lines run without Jupyter Server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Tell Jupyter Server where the extension is."""
    return [{"module": "tusk_widgets.server"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Add the routes to a server."""
    from tusk_jupyter.system.places import Places
    from tusk_widgets.server.access import Access
    from tusk_widgets.server.routes import handlers

    access = Access(Places.of_environment(), folder=server.root_dir)
    server.web_app.add_handlers(".*$", handlers(server.base_url, access))  # type: ignore[no-untyped-call]

"""What is drawn in a notebook, and the front end for JupyterLab."""

from __future__ import annotations


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Say where the built JupyterLab extension is: `jupyter labextension develop` asks."""
    return [{"src": "labextension", "dest": "tusk-jupyter"}]

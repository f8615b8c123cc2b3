"""Who draws our widgets in the page, and so where their code there comes from.

JupyterLab and Notebook have it from our extension, whoever wrote the notebook: what a widget's state holds is data. Other
front ends load no extension; there `anywidget`, an extra, brings the code along in the widget's state.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any, Literal

Way = Literal["extension", "anywidget", "none"]
Wish = Literal["auto", "extension", "anywidget", "none"]

MODULE = "_tusk-jupyter"
"""Of our widgets' code. No npm package can have this name, so no front end fetches somebody else's code for it."""
MODULE_VERSION = "1.0.0"
"""Of what model and page say to each other; `src/widgets/live.ts` has the same."""
MIME = "application/vnd.tusk.widget+json"
"""Says to our extension that an output is one of our widgets, with something to fall back on."""
STATIC = Path(__file__).parent / "static"

_wish: Wish = "auto"


def wish(way: Wish) -> None:
    """Set who is to draw; `auto` looks at the front end."""
    global _wish
    _wish = way


def way() -> Way:
    """Return who draws; `none` where nobody can."""
    wanted = _wish if _wish != "auto" else "anywidget" if _loads_no_extension() else "extension"
    if wanted == "anywidget" and not (_has("anywidget") and (STATIC / "grid.js").is_file()):
        return "none"
    return wanted if wanted == "none" or _has("ipywidgets") else "none"


def _loads_no_extension() -> bool:
    """Return whether the front end is VS Code or Colab.

    VS Code names the notebook to its kernels; its environment variables are no sign, for a JupyterLab that was started in
    its terminal has them too.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    names = shell.user_ns if shell is not None else {}
    return "__vsc_ipynb_file__" in names or "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def bundle_of(widget: Any) -> dict[str, Any]:  # noqa: ANN401 - a DOMWidget, which has no types
    """Return what displays a widget, without a text; ours says to our extension that it is."""
    made = widget._repr_mimebundle_()
    parts = dict(made[0] if isinstance(made, tuple) else made)  # anywidget gives metadata too
    parts.pop("text/plain", None)
    return parts | ({MIME: {}} if widget._model_module == MODULE else {})


@functools.cache
def _has(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # what a test, or a user, put into sys.modules in its place
        return False

"""SQL in Jupyter: isolated drivers, one query log, passwords out of notebooks, DataFrames that are right.

    %load_ext tusk_jupyter          in a notebook: `%%sql`, `%sql`, `%tusk`
    import tusk_jupyter as tusk     anywhere: `tusk.query(...)`, `tusk.connections()`, ...

Importing this package loads nothing else; each name is fetched from `tusk_jupyter.api` when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tusk_jupyter.api import (
        append,
        cancel,
        connect,
        connections,
        delete_log,
        delete_query,
        describe,
        disconnect,
        doctor,
        drivers,
        duplicate,
        execute,
        info,
        log,
        logged_run,
        persist,
        preferences,
        query,
        remove,
        running,
        save_query,
        saved_queries,
        schema,
        set_preference,
        test,
        use,
    )
    from tusk_widgets.picker import ConnectionPicker

__all__ = [
    "ConnectionPicker",
    "append",
    "cancel",
    "connect",
    "connections",
    "credentials",
    "delete_log",
    "delete_query",
    "describe",
    "disconnect",
    "doctor",
    "drivers",
    "duplicate",
    "execute",
    "info",
    "load_ipython_extension",
    "log",
    "logged_run",
    "persist",
    "preferences",
    "query",
    "remove",
    "running",
    "save_query",
    "saved_queries",
    "schema",
    "set_preference",
    "test",
    "unload_ipython_extension",
    "use",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("tusk_jupyter.version").__version__
    if name == "errors":
        return import_module("tusk_jupyter.errors")
    if name == "ConnectionPicker":  # named by text, as the magics below: the core knows no widget
        return import_module("tusk_widgets.picker").ConnectionPicker
    if name in __all__:
        from tusk_jupyter.system.whole_imports import whole_imports

        with whole_imports():
            return getattr(import_module("tusk_jupyter.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "errors"])


# The magics stand above this package, so they are named by text: the core knows no IPython.
def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%sql`, `%%sql` and `%tusk`; IPython calls this for `%load_ext tusk_jupyter`."""
    from tusk_jupyter.system.whole_imports import whole_imports

    with whole_imports():
        import_module("tusk_magics.extension").load_ipython_extension(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics out again; IPython calls this for `%unload_ext tusk_jupyter`."""
    import_module("tusk_magics.extension").unload_ipython_extension(shell)

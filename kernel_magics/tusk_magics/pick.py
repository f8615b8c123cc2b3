"""`%tusk pick` in a notebook: the widget, where somebody is there to use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tusk_magics.notebook import Notebook


def show_picker(words: Sequence[str], notebook: Notebook) -> bool:
    """Show the picker if `words` ask for it and this frontend can; False: the verb of that name has to do.

    nbclient and papermill have nobody who could click. A frontend without widgets shows the widget's text, which says
    how to choose without one.
    """
    if list(words) != ["pick"] or not notebook.is_kernel or not notebook.is_watched:
        return False
    try:
        from tusk_widgets.page import way
        from tusk_widgets.picker import ConnectionPicker
    except ImportError:  # widgets were taken out of the environment
        return False
    if way() == "none":
        return False
    from IPython.display import display

    display(ConnectionPicker())  # type: ignore[no-untyped-call]
    return True

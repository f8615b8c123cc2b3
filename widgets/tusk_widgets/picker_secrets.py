"""Secrets between the moment they are typed and the moment they are stored: in the kernel's memory, by form.

A secret leaves the page once, with the first test or save; the form then only knows that there is one. What is held goes
when the form is saved or closed, or when its view is gone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Held:
    """The secrets of the open forms; thread-safe, and without a repr that shows them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._forms: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Held({len(self._forms)} forms)"

    def add(self, form: str, secrets: Mapping[str, str]) -> None:
        """Take in what came with a message; an empty text takes the earlier one away."""
        with self._lock:
            held = {**self._forms.get(form, {}), **secrets}
            self._forms[form] = {name: secret for name, secret in held.items() if secret}

    def of(self, form: str) -> dict[str, str]:
        """Return a form's secrets."""
        with self._lock:
            return dict(self._forms.get(form, {}))

    def drop(self, form: str) -> None:
        """Forget a form's secrets."""
        with self._lock:
            self._forms.pop(form, None)

    def drop_view(self, view: str) -> None:
        """Forget the secrets of all forms of a view."""
        with self._lock:
            for form in [one for one in self._forms if one.startswith(f"{view}/")]:
                del self._forms[form]

"""`--jinja`: the text is rendered in a sandbox from the notebook's variables, and an undefined name is an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from tusk_jupyter.errors import UsageError
from tusk_jupyter.sqltext.hiding import hide_known, texts_of
from tusk_jupyter.sqltext.secret_names import is_meant_as_secret
from tusk_magics.template_lines import WholeLinesLexer

_PLACES = frozenset(["conn"])
"""Names that say less in a template than beside a placeholder: `FROM {{ conn }}.sales` names a connection."""


def render(sql: str, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return `sql` with its `{{ }}` and `{% %}` filled in, and what of it is a secret by the name that it was found under.

    Raises:
        UsageError: a name is undefined, the template is malformed, or it does what the sandbox forbids.
    """
    environment = _Environment()
    try:
        if "set" in sql or "with" in sql:
            environment.note_assigned(environment.parse(sql))
        text = environment.from_string(sql).render(dict(values))
    except Exception as exc:  # noqa: BLE001 - whatever the user's own objects raise while they are rendered
        secrets = tuple(environment.secrets)
        error = _error(exc, values)
        error.message = hide_known(error.message, secrets)
        error.args = (error.message,)
        raise error from (None if secrets or isinstance(exc, TemplateError) else exc)
    return text, tuple(secret for secret in environment.secrets if secret)


class _Names(Context):
    """The variables of a template; notes what it takes."""

    def resolve_or_missing(self, key: str) -> Any:  # noqa: ANN401 - whatever the notebook has
        """Return a variable."""
        assert isinstance(self.environment, _Environment)  # noqa: S101 - which makes no other
        return self.environment.noted(key, super().resolve_or_missing(key))


class _Environment(SandboxedEnvironment):
    """A sandbox that remembers the values which a template took under the name of a secret."""

    context_class = _Names

    def __init__(self) -> None:
        # The last newline stays as written, and so does every line ending (`lexer`): the SQL is the user's, and positions in
        # errors count on it.
        # Nothing is escaped: the output is SQL, not HTML.
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
        self._lexer = WholeLinesLexer(self)
        self.secrets: dict[str, None] = {}
        self._makers: list[object] = []
        """Functions that were found under such a name."""

    @property
    def lexer(self) -> WholeLinesLexer:
        """What reads its templates."""
        return self._lexer

    def note_assigned(self, template: nodes.Template) -> None:
        """Remember the texts that a template itself gives to the name of a secret: `{% set password = 'x' %}`."""
        for node in template.find_all((nodes.Assign, nodes.With, nodes.AssignBlock)):
            targets = node.targets if isinstance(node, nodes.With) else [node.target]  # type: ignore[attr-defined]
            values = node.values if isinstance(node, nodes.With) else [node]
            for target, value in zip(targets, values, strict=True):
                names = [name.name for name in (target, *target.find_all(nodes.Name)) if isinstance(name, nodes.Name)]
                if any(is_meant_as_secret(name) for name in names):
                    texts = value.find_all((nodes.Const, nodes.TemplateData))
                    own = [value] if isinstance(value, nodes.Const) else []
                    self.secrets |= dict.fromkeys(text for one in (*own, *texts) for text in _constant(one))

    def noted(self, name: object, value: Any) -> Any:  # noqa: ANN401 - as above
        """Return a value; if its name is a secret's, remember its texts."""
        if isinstance(name, str) and name not in _PLACES and is_meant_as_secret(name):
            self.secrets |= dict.fromkeys(_texts(value))
            if callable(value):
                self._makers.append(value)
        return value

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - as above
        """`x.password`."""
        return self.noted(attribute, super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - as above
        """`x["password"]`."""
        return self.noted(argument, super().getitem(obj, argument))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the sandbox has it
        """`environ.get("PGPASSWORD")`, `get_password()`."""
        value = super().call(__context, __obj, *args, **kwargs)
        names = args[:2]
        if any(maker is __obj for maker in __self._makers) or any(
            isinstance(one, str) and is_meant_as_secret(one) for one in names
        ):
            __self.secrets |= dict.fromkeys(_texts(value))
        return value


def _constant(node: nodes.Node) -> list[str]:
    return [node.data.strip()] if isinstance(node, nodes.TemplateData) else _texts(getattr(node, "value", None))


def _texts(value: object) -> list[str]:
    """Return the texts of a secret; of a dictionary only those that its keys call so, if any does (`creds.user` is none)."""
    if isinstance(value, Mapping):
        named = [part for key, part in value.items() if isinstance(key, str) and is_meant_as_secret(key)]
        return [text for part in named or value.values() for text in _texts(part)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for part in value for text in _texts(part)]
    return list(texts_of(value)) if isinstance(value, (str, bytes, int, float)) else []


def _error(exc: Exception, values: Mapping[str, Any]) -> UsageError:
    """Return what a template's failure is in our words."""
    if isinstance(exc, UndefinedError):
        return UsageError(f"The template uses a name without a value: {exc}.", hint=_near(str(exc), values))
    if isinstance(exc, TemplateSyntaxError):
        return UsageError(
            f"The template cannot be read: {exc.message} (line {exc.lineno} of the SQL).",
            hint="Leave out --jinja when the braces are meant for the database.",
        )
    if isinstance(exc, SecurityError):
        return UsageError(
            f"The template asks for something that the sandbox forbids: {exc}.",
            hint="Compute it in a Python cell and use the variable here.",
        )
    if isinstance(exc, TemplateError):
        return UsageError(f"The template cannot be rendered: {exc}.")
    return UsageError(f"The template failed while it was rendered: {type(exc).__name__}: {exc}.")


def _near(message: str, values: Mapping[str, Any]) -> str:
    name = re.match(r"'(\w+)'", message)
    near = difflib.get_close_matches(name.group(1), list(values), n=1) if name else []
    return f"Did you mean `{near[0]}`?" if near else "Assign the variable in an earlier cell, or give it with --param."

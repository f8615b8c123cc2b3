"""`--jinja`: the text is rendered in a sandbox from the notebook's variables, and an undefined name is an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from tusk_jupyter.errors import UsageError


def render(sql: str, values: Mapping[str, Any]) -> str:
    """Return `sql` with its `{{ }}` and `{% %}` filled in.

    Raises:
        UsageError: a name is undefined, the template is malformed, or it does what the sandbox forbids.
    """
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
    from jinja2.sandbox import SandboxedEnvironment

    # Line endings and the last newline stay as written: positions in errors count on it.
    # Nothing is escaped: the output is SQL, not HTML.
    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    try:
        return environment.from_string(sql).render(dict(values))
    except UndefinedError as exc:
        raise UsageError(f"The template uses a name without a value: {exc}.", hint=_near(str(exc), values)) from None
    except TemplateSyntaxError as exc:
        raise UsageError(
            f"The template cannot be read: {exc.message} (line {exc.lineno} of the SQL).",
            hint="Leave out --jinja when the braces are meant for the database.",
        ) from None
    except SecurityError as exc:
        raise UsageError(
            f"The template asks for something that the sandbox forbids: {exc}.",
            hint="Compute it in a Python cell and use the variable here.",
        ) from None
    except TemplateError as exc:
        raise UsageError(f"The template cannot be rendered: {exc}.") from None
    except Exception as exc:  # whatever the user's own objects raise while they are rendered
        raise UsageError(f"The template failed while it was rendered: {type(exc).__name__}: {exc}.") from exc


def _near(message: str, values: Mapping[str, Any]) -> str:
    name = re.match(r"'(\w+)'", message)
    near = difflib.get_close_matches(name.group(1), list(values), n=1) if name else []
    return f"Did you mean `{near[0]}`?" if near else "Assign the variable in an earlier cell, or give it with --param."

"""A password that was typed where it would stay: found, refused, and never repeated."""

from __future__ import annotations

import re

from tusk_jupyter.errors import UsageError

# user:password@ behind a scheme, up to the last @ of the word, since people paste passwords with @ and / in them;
# digits up to a slash are a port. Or a password among the query's parameters.
_IN_URL = re.compile(r"([A-Za-z][\w+.-]*://[^\s/@:]*:)(?!\d+/)([^\s]+)(?=@)", re.ASCII)
_IN_QUERY = re.compile(r"([?&](?:password|passwd|pwd|sslpassword)=)([^\s&'\"]+)", re.IGNORECASE)


def has_password(text: str) -> bool:
    """Return whether `text` holds a URL with a password."""
    return bool(_IN_URL.search(text) or _IN_QUERY.search(text))


def without_passwords(text: str) -> str:
    """Return `text` with `***` for each password in a URL."""
    return _IN_QUERY.sub(r"\1***", _IN_URL.sub(r"\1***", text))


def refusal(*, where: str, stays: str) -> UsageError:
    """Return the error for a URL with a password.

    Args:
        where: "on a magic line".
        stays: where the password remains, and what takes it out.
    """
    return UsageError(
        f"A URL with a password does not belong {where}; nothing was stored and nothing was connected.",
        hint=(
            "Leave the password out of the URL: it is asked for without an echo. Where nobody can answer, use "
            "`--password-env VARIABLE`, `--password-command COMMAND`, or `--url-env VARIABLE` for the whole URL. "
            + stays
        ),
    )

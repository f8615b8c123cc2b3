"""What a driver process sees of the environment.

An allow-list: PGPASSWORD, MYSQL_PWD, TUSK_MASTER_KEY and whatever else holds secrets or would silently change where a
connection points does not pass. What is let through is needed to find programs, libraries, certificates, time zone and words.
"""

from __future__ import annotations

import os

ALLOWED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME", "KRB5_CONFIG",
    "PYTHONPATH", "PYTHONHOME", "PYTHONUTF8", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP",
    "SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "PATHEXT", "COMSPEC", "GCOV_PREFIX", "COVERAGE_PROCESS_START",
})  # fmt: skip


def driver_environment() -> dict[str, str]:
    """Return the environment for a driver process."""
    return {name: value for name, value in os.environ.items() if name in ALLOWED or name.startswith("LC_")}

"""gRPC's own log lines, which it writes to standard error past Python: they say nothing that our errors do not say.

A process that was stopped for a minute and a half may find its links timed out, and gRPC writes `E0000 00:00:...` into the
notebook. It reads how much to write from the environment when it is first used, and never again; so what is set there for
that moment stays in no environment that other libraries (grpcio has a gRPC of its own) or child processes see.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

VERBOSITY = "GRPC_VERBOSITY"

_lock = threading.Lock()
_used: list[bool] = []


@contextmanager
def quiet() -> Iterator[None]:
    """Hold while a client or server of Flight is made: the first one of this process sets how much gRPC writes.

    Where the user has set it, it stays as it is.
    """
    if _used:
        yield
        return
    with _lock:
        if _used or VERBOSITY in os.environ:
            yield
            return
        os.environ[VERBOSITY] = "NONE"
        try:
            yield
        finally:
            os.environ.pop(VERBOSITY, None)
        _used.append(True)  # not after an error: what is no address is refused before gRPC is used

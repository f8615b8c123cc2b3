"""One measurement in a process of its own: the order comes as JSON on stdin, the answer goes to stdout.

Whatever the measured code prints goes to stderr. An audit hook notes every connection to another machine: the peers'
usage statistics are switched off, and this is how we know.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import service
from benchmarks.databases import QUERY, Database
from benchmarks.peers import WARM_UP, Peer, peer_named

LATENCY_WARM_UP = 20
LATENCY_RUNS = 200
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "/", "\0")

outside: list[str] = []
"""Hosts that this process tried to reach."""


def main() -> None:
    """Do what stdin says."""
    answer_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.addaudithook(_watch_sockets)
    order = json.load(sys.stdin)
    task = TASKS[order.pop("task")]
    answer = task(**order)
    json.dump(answer | {"outside": outside}, answer_to)
    answer_to.flush()
    os._exit(0)  # the clock has stopped: no peer's clean-up shall spoil the next measurement's quiet


def bulk(*, peer: str, database: dict[str, Any]) -> dict[str, Any]:
    """Time the whole table into a frame, and weigh it."""
    reader = _connected(peer, database)
    gc.collect()
    _reset_high_water_mark()
    before = service.status("VmRSS")
    start = time.perf_counter()
    frame = reader.frame(QUERY)
    seconds = time.perf_counter() - start
    answer: dict[str, Any] = {"seconds": seconds}
    if not reader.is_floor:
        answer |= {"peak": service.status("VmHWM"), "before": before, "frame": int(frame.memory_usage(deep=True).sum())}
        answer |= {"shape": list(frame.shape), "dtypes": [str(dtype) for dtype in frame.dtypes]}
        answer["id_sum"] = int(frame[frame.columns[0]].sum())
        answer["processes"] = service.peaks(os.environ)
    return answer


def latency(*, peer: str, database: dict[str, Any]) -> dict[str, Any]:
    """Time `SELECT 1` again and again on a warm session."""
    reader = _connected(peer, database)
    times = []
    for number in range(LATENCY_WARM_UP + LATENCY_RUNS):
        start = time.perf_counter()
        reader.frame(WARM_UP)
        if number >= LATENCY_WARM_UP:
            times.append(time.perf_counter() - start)
    return {"times": times}


def first_batch(*, peer: str, database: dict[str, Any]) -> dict[str, Any]:
    """Time until the first rows of the whole table are in this process, as the client itself notes it."""
    _connected(peer, database)
    from tusk_jupyter.client import get_client
    from tusk_jupyter.protocol.control import RunRequest

    client = get_client()
    request = RunRequest(session=client.session, connection=database["engine"], sql=QUERY)
    return {"seconds": client.run(request).first_batch_s}


def log_page() -> dict[str, Any]:
    """Time the newest page of the query log and a search in it, after one of each."""
    import tusk_jupyter

    found: dict[str, float] = {}
    for _ in range(2):
        for name, condition in (("page", {}), ("search", {"text": "customer_7777 "})):
            start = time.perf_counter()
            page = tusk_jupyter.log(limit=100, **condition)
            found[name] = time.perf_counter() - start
            if len(page.entries) != 100:
                raise RuntimeError(f"{len(page.entries)} log rows instead of 100 for {condition}")
    return found


def completion(*, path: str) -> dict[str, Any]:
    """Time keystrokes in a database of many tables."""
    from benchmarks.completion import measure

    return measure(path)


def load_extension(*, extension: str) -> dict[str, Any]:
    """Time `%load_ext` in a fresh IPython, and say which heavy libraries it imported."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    known = set(sys.modules)
    start = time.perf_counter()
    shell.run_line_magic("load_ext", extension)
    seconds = time.perf_counter() - start
    heavy = ("pandas", "sqlalchemy", "duckdb", "pyarrow", "numpy", "polars")
    return {"seconds": seconds, "imports": [name for name in heavy if name in sys.modules and name not in known]}


def _connected(peer: str, database: dict[str, Any]) -> Peer:
    where = Database(**database)
    if peer == "flight":
        from benchmarks.flight_floor import FlightFloor  # only here: it imports pyarrow

        reader: Peer = FlightFloor(where)
    else:
        reader = peer_named(peer, where.engine)(where)
    reader.connect()
    return reader


def _watch_sockets(event: str, details: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = details[1]
        host = address[0] if isinstance(address, tuple) else os.fsdecode(address)
    elif event == "socket.getaddrinfo":
        host = os.fsdecode(details[0] or "localhost")
    else:
        return
    if not str(host).startswith(LOOPBACK):
        outside.append(str(host))


def _reset_high_water_mark() -> None:
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again at VmRSS


TASKS = {
    "bulk": bulk,
    "completion": completion,
    "first_batch": first_batch,
    "latency": latency,
    "load_extension": load_extension,
    "log_page": log_page,
}

if __name__ == "__main__":
    main()

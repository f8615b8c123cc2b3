"""What needs a real kernel: the time from its start to a first result, and an interrupt in the middle of a query."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from services.homes import processes_of
from services.waiting import wait_until

from benchmarks.databases import Database
from benchmarks.measure import Failed
from benchmarks.peers import WARM_UP, JupySQL, dbapi_connection

START_S = 60
GIVE_UP_S = 10.0
"""An interrupted cell that has not returned by then counts as never."""
RUNNING_S = 1.0
"""How long a query runs before it is interrupted."""

GONE_S = 1.0
RUNNING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
    "AND query LIKE '%generate_series(1, 1000%' AND pid <> pg_backend_pid()",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%BENCHMARK(1000%' "
    "AND id <> connection_id()",
}
ENDLESS = {
    "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000000) AS g(i)",
    "mariadb": "SELECT BENCHMARK(1000000000000, MD5('x'))",
    "sqlite": "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1e12) SELECT count(*) FROM c",
    "duckdb": "SELECT count(*) FROM range(1000000000000) AS g(i) WHERE hash(i) = 42",
}


class Kernel:
    """A running kernel."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def run(self, code: str, timeout_s: float = START_S) -> dict[str, Any]:
        """Run a cell and return its reply.

        Raises:
            Failed: it ended with an error or not in time.
        """
        reply = self.wait(self.send(code), timeout_s)
        if reply["status"] != "ok":
            raise Failed(f"{reply['ename']}: {reply['evalue']}"[:300])
        return reply

    def send(self, code: str) -> str:
        """Send a cell; at once, even if the kernel is not up yet: the socket keeps it."""
        return self.client.execute(code, allow_stdin=False)

    def wait(self, message: str, timeout_s: float) -> dict[str, Any]:
        """Return the reply to a cell that was sent."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                reply = self.client.get_shell_msg(timeout=left)
            except Empty:
                break
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]
        raise Failed(f"no answer within {timeout_s:g} s")

    def run_sql(self, prefix: str, sql: str, timeout_s: float = START_S) -> dict[str, Any]:
        """Run a SQL cell."""
        return self.run(f"{prefix}\n{sql}", timeout_s)


@contextmanager
def kernel(environment: Mapping[str, str]) -> Iterator[Kernel]:
    """Start a kernel; it is killed afterwards."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=dict(environment), extra_arguments=["--IPKernelApp.log_level=ERROR"])
    client = manager.client()
    client.start_channels()
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def setup_cell(peer: str, database: Database) -> str:
    """Return the cell that a notebook begins with."""
    if peer == "tusk":
        return "%load_ext tusk_jupyter"
    url = database.url(JupySQL.schemes[database.engine])
    quiet = "\n".join(
        f"%config SqlMagic.{setting}" for setting in ("autopandas=True", "displaycon=False", "feedback=0")
    )
    return f"%load_ext sql\n{quiet}\n%sql {url}"


def sql_prefix(peer: str, database: Database) -> str:
    """Return the magic of a SQL cell."""
    return f"%%sql {database.engine}" if peer == "tusk" else "%%sql"


def first_result(peer: str, database: Database, environment: Mapping[str, str]) -> float:
    """Return the seconds from starting a kernel process to the first result in it."""
    start = time.perf_counter()
    with kernel(environment) as fresh:
        fresh.run(setup_cell(peer, database))
        fresh.run_sql(sql_prefix(peer, database), WARM_UP)
        return time.perf_counter() - start


@dataclass(slots=True)
class Interrupted:
    """What interrupts did. `problem` is what a user would complain of, or None."""

    latencies_s: list[float] = field(default_factory=list)
    problem: str | None = None


def interrupt(peer: str, database: Database, environment: Mapping[str, str], times: int) -> Interrupted:
    """Interrupt an endless query; the cell must return, and the session's temporary table still be there."""
    outcome = Interrupted()
    try:
        _interrupt(peer, database, environment, times, outcome.latencies_s)
    except Failed as exc:
        outcome.problem = str(exc).splitlines()[0]
    return outcome


def _interrupt(
    peer: str, database: Database, environment: Mapping[str, str], times: int, latencies: list[float]
) -> None:
    prefix = sql_prefix(peer, database)
    with kernel(environment) as notebook:
        notebook.run(setup_cell(peer, database))
        notebook.run_sql(prefix, "CREATE TEMPORARY TABLE kept AS SELECT 1 AS one")
        for _ in range(times):
            message = notebook.send(f"{prefix}\n{ENDLESS[database.engine]}")
            time.sleep(RUNNING_S)
            start = time.perf_counter()
            notebook.manager.interrupt_kernel()
            try:
                reply = notebook.wait(message, GIVE_UP_S)
            except Failed:
                raise Failed(f"the cell had not returned {GIVE_UP_S:g} s later") from None
            latencies.append(time.perf_counter() - start)
            if reply["status"] == "ok":
                raise Failed("the query ended by itself, or passed its interrupt off as a result")
            check_query_gone(database, environment)
            check_session(notebook, prefix)


def check_query_gone(database: Database, environment: Mapping[str, str]) -> None:
    """Look into the server's own list of what runs; without a server, whether our processes still use the processor.

    Raises:
        Failed: the query goes on.
    """
    try:
        wait_until(lambda: not _still_running(database, environment), GONE_S)
    except AssertionError:
        raise Failed(f"the query still ran {GONE_S:g} s after the cell had returned") from None


def _still_running(database: Database, environment: Mapping[str, str]) -> bool:
    if database.path:
        used = [_processor_seconds(environment), time.sleep(0.2), _processor_seconds(environment)]
        return used[2] - used[0] > 0.1
    with closing(dbapi_connection(database)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(RUNNING[database.engine])
        return bool(cursor.fetchone()[0])


def _processor_seconds(environment: Mapping[str, str]) -> float:
    processes = processes_of(environment["TUSK_HOME"])
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def check_session(notebook: Kernel, prefix: str) -> None:
    """Look for the temporary table.

    Raises:
        Failed: it is not there, so this is another session or one that was rolled back.
    """
    try:
        notebook.run_sql(prefix, "SELECT one FROM kept")
    except Failed:
        raise Failed("the session was lost: its temporary table is gone") from None

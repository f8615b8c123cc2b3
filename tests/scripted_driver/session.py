"""Statements: rows N [PER_BATCH], empty, change N, widen, wait S, hang, crash, kill, flood, grab MB, fail, echo :x, ...

They are no SQL, so the core takes each for one that leaves something in its session; with SELECT before it, it only reads:
its dialect is that of an engine whose relations are reads.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa

from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Changed, Rows, Session, Transaction
from tusk_jupyter.protocol.driver import ColumnDescription, Description, Snapshot, SnapshotTable, TreeNode


class ScriptedSession(Session):
    dialect = "sqlite"

    def __init__(self, settings):
        self._settings = settings
        self._interrupted = threading.Event()
        self._transaction = Transaction.IDLE
        self._temp = 0

    @classmethod
    def connect(cls, settings):
        if settings.secrets.get("password", "") not in ("", "open sesame"):
            raise errors.ConnectError("The password is wrong.", scenario="bad_password", detail="stage=sign-in")
        if settings.text("mood") == "slow":
            time.sleep(2)
        if settings.text("mood") == "mortal" and _first_here():
            os.kill(os.getpid(), signal.SIGKILL)
        return cls(settings)

    def execute(self, statement, parameters):
        self._interrupted.clear()
        words = statement.text.split()
        return getattr(self, f"_{words[-len(words)].lower()}")(
            *words[1:], **({"given": parameters} if parameters else {})
        )

    def _select(self, *words):
        return getattr(self, f"_{words[0].lower()}")(*words[1:])

    def _rows(self, count, per_batch="1000"):
        schema = pa.schema([("n", pa.int64())])

        def batches():
            for start in range(0, int(count), int(per_batch)):
                stop = min(int(count), start + int(per_batch))
                yield pa.record_batch([pa.array(range(start, stop), pa.int64())], schema=schema)

        return Rows(schema=schema, batches=batches(), types=["whole number"])

    def _empty(self):
        return self._rows("0")

    def _change(self, count):
        return Changed(affected=int(count))

    def _temp(self):
        return Changed()

    def _count(self):
        self._temp += 1
        return Rows(schema=pa.schema([("n", pa.int64())]), batches=iter([pa.record_batch({"n": [self._temp]})]))

    def _widen(self):
        def batches():
            yield pa.record_batch({"n": pa.array([1, None], pa.int64()), "m": pa.array([1, 2], pa.int64())})
            yield pa.record_batch({"n": pa.array(["three"]), "m": pa.array([3], pa.int64())})

        return Rows(
            schema=pa.schema([("n", pa.int64()), ("m", pa.int64())]),
            batches=batches(),
            notes=lambda: ["column n holds numbers and text; shown as text"],
        )

    def _wait(self, seconds):
        (Path.cwd() / "waiting").touch()
        if self._interrupted.wait(float(seconds)):
            raise errors.Cancelled("Stopped.", scenario="cancelled_by_user", code="scripted")
        return Changed()

    def _hang(self):
        (Path.cwd() / "hanging").touch()
        time.sleep(600)

    def _crash(self):
        os._exit(3)

    def _kill(self):
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(10)

    def _flood(self):
        print("x" * 10_000_000)
        sys.stderr.write("y" * 10_000_000)
        return Changed()

    def _grab(self, megabytes):
        taken = bytearray(int(megabytes) << 20)
        return Changed(affected=len(taken))

    def _fail(self):
        raise errors.QueryError("No such thing.", position=5, code="42P01", scenario="undefined_table")

    def _shout(self, length):
        raise errors.QueryError("x" * int(length), detail="y" * int(length))

    def _bug(self):
        raise RuntimeError("a bug in the driver")

    def _echo(self, *_, given):
        return Rows(
            schema=pa.schema([("x", pa.string())]),
            batches=iter([pa.record_batch({"x": [f"{type(one).__name__}:{one}" for one in given.values()]})]),
        )

    def _environ(self):
        return Rows(
            schema=pa.schema([("name", pa.string())]), batches=iter([pa.record_batch({"name": sorted(os.environ)})])
        )

    def _cwd(self):
        return Rows(schema=pa.schema([("x", pa.string())]), batches=iter([pa.record_batch({"x": [str(Path.cwd())]})]))

    def _pid(self):
        return Rows(schema=pa.schema([("x", pa.int64())]), batches=iter([pa.record_batch({"x": [os.getpid()]})]))

    def _begin(self):
        self._transaction = Transaction.OPEN
        return Changed()

    def _commit(self):
        self._transaction = Transaction.IDLE
        return Changed()

    def interrupt(self):
        if self._settings.text("mood") != "stubborn":
            self._interrupted.set()

    def close(self):
        pass

    def is_alive(self):
        return True

    def set_read_only(self, on):
        pass

    @property
    def transaction(self):
        return self._transaction

    @property
    def server(self):
        return "Scripted 1"

    def reset(self):
        self._temp = 0

    def tree(self, path):
        return [TreeNode(name="t", kind="table")] if not path else []

    def describe(self, path):
        return Description(kind="table", columns=(ColumnDescription(name="n", type="whole number", nullable=True),))

    def snapshot(self):
        gate = self._settings.text("gate")
        while gate and not Path(gate).exists():
            time.sleep(0.05)
        return Snapshot(tables=(SnapshotTable(path=("toads",)), SnapshotTable(path=("newts",))))

    def upload(self, table, reader, *, append):
        return sum(batch.num_rows for batch in reader)


SESSION = ScriptedSession


def _first_here():
    """Return whether no process of this home has asked before."""
    try:
        (Path.cwd().parent / "asked").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True

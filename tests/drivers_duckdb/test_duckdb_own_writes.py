"""What this process writes itself is never taken for another program's: that would end sessions and put the log aside."""

from __future__ import annotations

import random
import threading

from tusk_drivers.duckdb.session import SESSION
from tusk_jupyter import errors
from tusk_jupyter.driverkit.session import Rows, Settings
from tusk_jupyter.sqltext.statements import split

STATEMENTS = (
    "CREATE TABLE IF NOT EXISTS t (a int, b varchar)", "INSERT INTO t SELECT i, 'x' || i FROM range(200000) r(i)",
    "INSERT INTO t VALUES (1, 'one')", "INSERT INTO t VALUES ('no number', 'x')", "DELETE FROM t WHERE a % 7 = 0",
    "SELECT * FROM t", "SELECT nothing FROM t", "BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT", "FORCE CHECKPOINT", "VACUUM",
    "SET checkpoint_threshold = '1MB'", "ATTACH IF NOT EXISTS '{path}.other' AS o", "CREATE TABLE IF NOT EXISTS o.u (a int)",
    "INSERT INTO o.u SELECT i FROM range(100000) r(i)", "CHECKPOINT o", "DETACH o",
)  # fmt: skip
EACH = 60


class Notebook:
    """Runs statements in a random order, and now and then ends its session."""

    def __init__(self, path: str, seed: int) -> None:
        self.path, self.random, self.told = path, random.Random(seed), []

    def run(self) -> None:
        session = None
        for _ in range(EACH):
            session = session or SESSION.connect(Settings(config={"path": self.path}))
            try:
                self.run_one(session, self.random.choice(STATEMENTS).format(path=self.path))
            except errors.TuskError as exc:
                self.told.append(exc.message)
            if not session.is_alive() or self.random.random() < 0.05:
                session.close()
                session = None
        if session is not None:
            session.close()

    def run_one(self, session, sql: str) -> None:
        outcome = session.execute(split(sql, "duckdb")[0], {})
        if isinstance(outcome, Rows):
            for _ in outcome.batches:
                if self.random.random() < 0.3:
                    break


def test_no_statement_of_three_notebooks_looks_like_another_program_s(tmp_path):
    notebooks = [Notebook(str(tmp_path / "lake.duckdb"), seed) for seed in range(3)]
    threads = [threading.Thread(target=one.run) for one in notebooks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [message for one in notebooks for message in one.told]
    assert any("nothing" in message for message in told), "the statements were not run"
    assert [message for message in told if "another program" in message] == []
    assert not list(tmp_path.glob("*of-old-content*"))

"""Real servers for tests and benchmarks: started on free ports in private folders, gone afterwards whatever happens.

    with postgresql.running() as server:
        psycopg.connect(server.dsn)

Each server hangs on a guardian process (`guardian.py`) that ends it and removes its folder as soon as the process that
asked for it is gone, also after `kill -9`. Tests get them as session fixtures from `tests/conftest.py`.
"""

from services.freezing import freeze
from services.homes import TuskHome, processes_of, words_of
from services.waiting import wait_until

__all__ = ["TuskHome", "freeze", "processes_of", "wait_until", "words_of"]

"""The driver's process: `python -m tusk_drivers.duckdb info | serve`."""

from __future__ import annotations

import os

from tusk_jupyter.driverkit.cli import main

# For jemalloc in DuckDB's library, which reads it when it is loaded: give address space back, which the memory cap counts.
# A sort of 3,000,000 rows under a limit of 200 MB came to 566 MB of data otherwise, and to 432 so, in the same time.
os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", "retain:false")
main(package=__package__ or "tusk_drivers.duckdb")

"""The driver's process: `python -m tusk_drivers.sqlite info | serve`."""

from __future__ import annotations

import gc

from tusk_jupyter.driverkit.cli import main

# Rows are tuples of plain values, never cycles: looking for cycles every 700 of them took a third of a result's time.
gc.set_threshold(100_000)
main(package=__package__ or "tusk_drivers.sqlite", refuse=("pandas", "numpy"))

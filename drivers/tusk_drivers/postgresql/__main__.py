"""The driver's process: `python -m tusk_drivers.postgresql info | serve`."""

from __future__ import annotations

from tusk_jupyter.driverkit.cli import main

main(package=__package__ or "tusk_drivers.postgresql", refuse=("pandas", "numpy"))

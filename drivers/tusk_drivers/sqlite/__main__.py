"""`python -m tusk_drivers.sqlite info|serve`."""

from __future__ import annotations

from tusk_jupyter.driverkit.cli import main
from tusk_jupyter.driverkit.lean import keep_out

keep_out("pandas")
main(package=__package__ or "tusk_drivers.sqlite")

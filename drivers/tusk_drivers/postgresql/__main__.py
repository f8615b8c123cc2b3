"""`python -m tusk_drivers.postgresql info | serve`."""

from tusk_jupyter.driverkit.cli import main

main(package=__package__ or "tusk_drivers.postgresql")

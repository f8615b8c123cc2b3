"""What a driver's process must do, in whatever language it is written."""

from __future__ import annotations

from tusk_jupyter.testing.gone_clients import GoneClientsContract
from tusk_jupyter.testing.life import LifeContract
from tusk_jupyter.testing.manifest import ManifestContract
from tusk_jupyter.testing.runs import RunsContract


class ProcessContract(ManifestContract, LifeContract, RunsContract, GoneClientsContract):
    """The whole process level; all that a driver in another language needs."""

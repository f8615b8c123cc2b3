"""`DriverContract`: all that a driver must do. Its parts can be subclassed alone while a driver is being written."""

from __future__ import annotations

from tusk_jupyter.testing.failures import FailuresContract
from tusk_jupyter.testing.parameters import ParametersContract
from tusk_jupyter.testing.process import ProcessContract
from tusk_jupyter.testing.results import ResultsContract
from tusk_jupyter.testing.schema import SchemaContract
from tusk_jupyter.testing.sessions import InterruptsContract, SessionsContract
from tusk_jupyter.testing.uploads import UploadsContract


class SessionContract(
    ResultsContract,
    ParametersContract,
    SessionsContract,
    InterruptsContract,
    FailuresContract,
    UploadsContract,
    SchemaContract,
):
    """The session class, in the process of the tests: quick to run and to debug."""

    def test_every_gap_names_a_test(self) -> None:
        unknown = [name for name in self.gaps if not hasattr(self, name.partition("[")[0])]
        assert not unknown, f"no such tests: {unknown}"


class DriverContract(SessionContract, ProcessContract):
    """Everything: the session class, and the process around it."""

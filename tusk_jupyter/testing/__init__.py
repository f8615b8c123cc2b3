"""The contract test kit: what every driver has to do, as pytest classes that its author subclasses.

    from tusk_jupyter.testing.driver import DriverContract

    class TestMyDriver(DriverContract):
        package = "my_driver"
        gaps = {"test_error_position_points_at_the_token": "the engine reports no positions"}

        @pytest.fixture
        def settings(self, tmp_path):
            return Settings(config={"path": str(tmp_path / "db")})

`drivers/PROTOCOL.md` says what else can be told to it. Needs pytest, which the product itself does not.
"""

from __future__ import annotations

import pytest

# The modules by name: the package itself is being imported already, and pytest warns about that.
_MODULES = ("credential_contract", "failures", "parameters", "results", "schema", "sessions", "uploads")
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _MODULES))

"""Numbers of many digits, through core and driver: the number in the frame is the number in the table."""

from __future__ import annotations

from decimal import Decimal

import pytest

SHORT = Decimal("0.12345678901234567890")
LONG = Decimal("987654321098765432109876543210")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_long_number_behind_many_short_ones_is_itself(postgresql_engine, sign):
    """The first batches decide on 20 digits behind the point, and 30 before it no longer fit beside them."""
    result = postgresql_engine.run(
        f"SELECT CASE WHEN i = 5000 THEN {sign * LONG} ELSE i + {SHORT} END AS v FROM generate_series(1, 6000) i ORDER BY i"
    )
    values = result.table.column("v").to_pylist()
    assert values[4999] == sign * LONG
    assert values[:4999] + values[5000:] == [i + SHORT for i in range(1, 6001) if i != 5000]


def test_a_finer_number_and_an_infinity_behind_many_short_ones_are_themselves(postgresql_engine):
    sql = "SELECT CASE WHEN i = 5000 THEN {} ELSE i + 0.5 END AS v FROM generate_series(1, 6000) i ORDER BY i"
    finer = postgresql_engine.run(sql.format("1e-30")).table.column("v").to_pylist()
    assert (finer[0], finer[4999]) == (Decimal("1.5"), Decimal("1e-30"))
    endless = postgresql_engine.run(sql.format("'Infinity'::numeric")).table.column("v").to_pylist()
    assert (endless[0], endless[4999]) == ("1.5", "Infinity")

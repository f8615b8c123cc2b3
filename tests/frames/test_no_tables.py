"""What is no table is refused in words before anything is sent, also what has methods of a table's name."""

from __future__ import annotations

import pandas as pd
import pytest

from tusk_jupyter.client.tables import to_arrow
from tusk_jupyter.errors import UsageError


@pytest.mark.parametrize(
    "value", [pd.Series([1, 2]), pd.Index([1, 2]), [1, 2], "text"], ids=lambda value: type(value).__name__
)
def test_what_is_no_table_is_refused_in_words(value: object):
    with pytest.raises(UsageError, match=f"x is a {type(value).__name__}, not a table") as caught:
        to_arrow(value, name="x")
    assert "to_frame" in str(caught.value.hint)

"""Parameters are data: whatever is sent is what arrives."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tusk_jupyter.driverkit.session import Session
from tusk_jupyter.errors import QueryError, UsageError
from tusk_jupyter.protocol.values import pack, unpack
from tusk_jupyter.testing.base import ContractBase
from tusk_jupyter.testing.hostile import LONG_TEXT, TEXTS
from tusk_jupyter.testing.values import BEYOND, PLAIN, SAMPLES, same


class ParametersContract(ContractBase):
    """Parameters of every wire type and of every hostile text."""

    @pytest.mark.parametrize("tag", SAMPLES)
    def test_parameter_of_every_wire_type(self, session: Session, tag: str) -> None:
        self.needs("parameters")
        for value in SAMPLES[tag]:
            self._faithful(session, value, self.expected(tag, value), must=tag in PLAIN)

    @pytest.mark.parametrize("value", BEYOND, ids=ascii)
    def test_value_beyond_the_engine_is_refused_or_faithful(self, session: Session, value: object) -> None:
        self.needs("parameters")
        self._faithful(session, value, value, must=False)

    def test_time_with_zone_keeps_its_instant(self, session: Session) -> None:
        self.needs("parameters")
        moment = datetime(2024, 2, 29, 13, 14, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
        self._faithful(session, moment, self.expected("datetime with zone", moment), must=False)

    @pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:40])
    def test_hostile_text_is_data(self, session: Session, table: str, text: str) -> None:
        self.needs("parameters")
        assert self.fetch(session, "SELECT :v AS v", v=text) == [(text,)]
        self.change(session, self.create_sql.format(table=table))
        self.change(session, f"INSERT INTO {table} VALUES (1, :v)", v=text)
        assert self.fetch(session, f"SELECT t FROM {table} WHERE t = :v", v=text) == [(text,)]

    def test_long_text_is_data(self, session: Session) -> None:
        self.needs("parameters")
        assert self.fetch(session, "SELECT :v AS v", v=LONG_TEXT) == [(LONG_TEXT,)]

    def test_placeholder_may_appear_twice(self, session: Session) -> None:
        self.needs("parameters")
        assert self.fetch(session, "SELECT :a AS x, :b AS y, :a AS z", a="one", b="two") == [("one", "two", "one")]

    def test_many_parameters(self, session: Session) -> None:
        self.needs("parameters")
        values = {f"p{n}": f"v{n}" for n in range(60)}
        sql = "SELECT " + ", ".join(f":{name} AS {name}" for name in values)
        assert self.fetch(session, sql, **values) == [tuple(values.values())]

    def test_parameter_has_its_type_in_a_comparison(self, session: Session, table: str) -> None:
        self.needs("parameters")
        self.change(session, self.create_sql.format(table=table))
        self.change(session, f"INSERT INTO {table} VALUES (:i, :t)", i=9, t="nine")
        self.change(session, f"INSERT INTO {table} VALUES (:i, :t)", i=10, t=None)
        assert self.fetch(session, f"SELECT i FROM {table} WHERE i > :n", n=9) == [(10,)]
        assert self.fetch(session, f"SELECT t FROM {table} ORDER BY i LIMIT :n", n=1) == [("nine",)]

    def test_list_is_the_members_of_in(self, session: Session, table: str) -> None:
        self.needs("parameters")
        self.change(session, self.create_sql.format(table=table))
        for number, text in ((1, "one"), (2, "it's"), (3, None)):
            self.change(session, f"INSERT INTO {table} VALUES (:i, :t)", i=number, t=text)
        for where, values, found in (
            ("i IN (:v)", [1, 3], [1, 3]), ("i NOT IN (:v)", [1, 3], [2]), ("t IN (:v)", ["it's", None], [2]),
            ("i IN (:v)", [], []), ("i NOT IN (:v)", [], [1, 2, 3]), ("i NOT IN (:v)", [1, None], []),
            ("i IN (2, :v)", [], [2]),
        ):  # fmt: skip
            rows = self.fetch(session, f"SELECT i FROM {table} WHERE {where} ORDER BY i", v=values)
            assert [row[0] for row in rows] == found, f"{where} with {values}"

    def test_parameters_of_two_runs_may_differ_in_type(self, session: Session) -> None:
        self.needs("parameters")
        for value in (1, "text", None, 1.5, 2):
            assert self.fetch(session, "SELECT :v AS v", v=value) == [(value,)]

    def _faithful(self, session: Session, value: object, expected: object, *, must: bool) -> None:
        """Send a value through the wire form and back; altered is the one thing that it may never be."""
        try:
            sent = unpack(pack(value))
            ((got,),) = self.fetch(session, "SELECT :v AS v", v=sent)
        except (UsageError, QueryError):
            assert not must, f"{value!r} was refused"
            assert self.fetch(session, "SELECT 1 AS a") == [(1,)], "the session is gone after a refused parameter"
        else:
            assert same(expected, got), f"{value!r} came back as {got!r}, expected {expected!r}"

"""What a driver says when the database says no."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tusk_jupyter.driverkit.session import Session, Settings
from tusk_jupyter.errors import ConnectError, QueryError, TuskError
from tusk_jupyter.protocol.errors import to_wire
from tusk_jupyter.testing.base import ContractBase

STAGES = ("name", "tcp", "tls", "sign-in", "database", "file")


class FailuresContract(ContractBase):
    """Errors are typed, name their scenario, point at their token and hold no secret."""

    @pytest.fixture
    def refused(self) -> Sequence[tuple[Settings, str]]:
        """Settings that cannot connect, each with the scenario that must be named: bad_password, refused, ..."""
        return ()

    def test_settings_do_not_show_their_secrets(self, settings: Settings) -> None:
        for secret in filter(None, settings.secrets.values()):
            assert secret not in repr(settings)

    def test_failed_sign_in_names_scenario_and_stage(self, refused: Sequence[tuple[Settings, str]]) -> None:
        for settings, scenario in refused:
            with pytest.raises(ConnectError) as caught:
                self.session_class().connect(settings)
            assert caught.value.scenario == scenario
            assert (caught.value.detail or "").partition("=")[0] == "stage", caught.value.detail
            assert (caught.value.detail or "").partition("=")[2].split()[0] in STAGES, caught.value.detail

    def test_failed_sign_in_tells_no_secret(self, refused: Sequence[tuple[Settings, str]]) -> None:
        for settings, _ in refused:
            with pytest.raises(ConnectError) as caught:
                self.session_class().connect(settings)
            told = _everything(caught.value)
            assert not [secret for secret in settings.secrets.values() if secret and secret in told]

    @pytest.mark.parametrize(
        ("sql", "scenario"),
        [
            ("SELEC 1", "syntax"),
            ("SELECT 1 AS a FROM", "syntax"),
            ("SELECT * FROM tusk_kit_no_such_table", "undefined_table"),
            ("SELECT nosuchcolumn FROM (SELECT 1 AS a) AS q", "undefined_column"),
        ],
    )
    def test_scenario_is_named(self, session: Session, sql: str, scenario: str) -> None:
        error = self._failure(session, sql)
        assert error.scenario == scenario
        assert to_wire(error).hint, "the user gets no hint"

    def test_broken_rule_of_a_table_is_a_constraint(self, session: Session, table: str) -> None:
        self.change(session, self.create_sql.format(table=table))
        self.change(session, f"INSERT INTO {table} VALUES (1, 'a')")
        assert self._failure(session, f"INSERT INTO {table} VALUES (1, 'b')").scenario == "constraint"
        assert self.fetch(session, f"SELECT t FROM {table}") == [("a",)]

    def test_message_names_what_was_wrong(self, session: Session) -> None:
        error = self._failure(session, "SELECT nosuchcolumn FROM (SELECT 1 AS a) AS q")
        assert "nosuchcolumn" in error.message

    def test_session_goes_on_after_an_error(self, session: Session) -> None:
        for _ in range(3):
            self._failure(session, "SELECT * FROM tusk_kit_no_such_table")
            assert self.fetch(session, "SELECT 1 AS a") == [(1,)]

    def test_error_position_points_at_the_token(self, session: Session) -> None:
        sql = "SELECT a,\n       nosuchcolumn\nFROM (SELECT 1 AS a) AS q"
        self._points_at(sql, self._failure(session, sql))

    def test_error_position_counts_characters(self, session: Session) -> None:
        sql = "SELECT 'é語\U0001f600\U0001f600' AS t, nosuchcolumn FROM (SELECT 1 AS a) AS q"
        self._points_at(sql, self._failure(session, sql))

    def test_error_position_is_in_the_users_text_behind_placeholders(self, session: Session) -> None:
        self.needs("parameters")
        sql = "SELECT :long_parameter_name AS p, :q AS q, nosuchcolumn FROM (SELECT 1 AS a) AS q"
        self._points_at(sql, self._failure(session, sql, long_parameter_name="a", q="b"))

    def test_error_in_mid_result_is_an_error(self, session: Session) -> None:
        """A result that breaks off must not look complete."""
        if self.failing_sql:
            with pytest.raises(QueryError):
                self.fetch(session, self.failing_sql)
            assert self.fetch(session, "SELECT 1 AS a") == [(1,)]

    failing_sql: str = ""
    """Fails after it has yielded rows, as SELECT 1 / (1000000 - i) FROM ...; empty where there is no such error."""

    def _failure(self, session: Session, sql: str, **parameters: object) -> QueryError:
        with pytest.raises(QueryError) as caught:
            outcome = self.run(session, sql, **parameters)
            for _ in getattr(outcome, "batches", ()):
                pass
        assert caught.value.message.strip()
        return caught.value

    def _points_at(self, sql: str, error: QueryError) -> None:
        assert error.position is not None, "no position"
        assert sql[error.position :].startswith("nosuchcolumn"), f"points at {sql[error.position :][:20]!r}"


def _everything(error: TuskError) -> str:
    """All that a log, a message or a traceback could show of an error and its causes."""
    told, seen = [], error
    current: BaseException | None = seen
    while current is not None:
        told += [str(current), repr(current), repr(current.args), str(getattr(current, "detail", ""))]
        current = current.__cause__
    return "\n".join(told)

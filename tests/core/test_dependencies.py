"""A driver whose library is not installed says what to install, and where."""

import sys

import pytest

from tusk_jupyter import errors
from tusk_jupyter.protocol import control


@pytest.fixture
def without_pymysql(tmp_path, monkeypatch):
    """Makes `import pymysql` fail in every process that is started from now on, as if it were not installed."""
    (tmp_path / "pymysql.py").write_text('raise ModuleNotFoundError("No module named \'pymysql\'", name="pymysql")\n')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_the_extra_to_install_is_named_and_nothing_is_saved(without_pymysql, new_client):
    client = new_client()
    with pytest.raises(errors.DriverStartError, match="needs the package 'pymysql'") as caught:
        client.call(control.SaveConnection(session=client.session, name="shop", url="mysql://ana@localhost/shop"))
    assert caught.value.scenario == "missing_dependency"
    assert f"{sys.executable} -m pip install 'tusk-jupyter[mysql]'" in caught.value.hint
    assert client.call(control.ListConnections(session=client.session)).connections == ()


def test_a_run_on_such_a_connection_says_the_same_and_is_in_the_log(without_pymysql, new_client):
    client = new_client()
    client.call(
        control.SaveConnection(session=client.session, name="shop", url="mysql://ana@localhost/shop", test=False)
    )
    with pytest.raises(errors.DriverStartError, match="needs the package 'pymysql'"):
        client.run(control.RunRequest(session="", connection="shop", sql="SELECT 1"))
    assert [one.status for one in client.call(control.ReadLog()).entries] == ["failed"]

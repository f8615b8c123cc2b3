"""What is known of the server at the other end, from the driver to the words of `test` and `connect`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engines.conftest import connect

from tusk_jupyter.protocol import control

TUSK = str(Path(sys.executable).with_name("tusk"))


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_connection_says_whether_its_server_is_verified(request, monkeypatch, tusk_home, tmp_path, kind):  # S3
    server = request.getfixturevalue({"mysql": "mariadb"}.get(kind, kind))
    monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)  # the tests' authority is the system's own
    client = request.getfixturevalue("client")
    url = server.url.replace("127.0.0.1", "localhost")
    loose = connect(client, "loose", url, tier="memory")
    strict = connect(client, "strict", f"{url}?sslrootcert=system", tier="memory", base=str(tmp_path))
    plain = connect(client, "plain", f"{url}?sslmode=disable", tier="memory")
    assert [one.link for one in (loose, strict, plain)] == [
        "TLS, server not verified", "TLS, server verified", "no TLS, server not verified",
    ]  # fmt: skip
    tested = client.call(control.TestConnection(session=client.session, name="strict"))
    assert (tested.ok, tested.link) == (True, "TLS, server verified")
    for words, said in ((("test", "loose"), "server not verified"), (("test", "strict"), "server verified")):
        done = subprocess.run([TUSK, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout
    done = subprocess.run(
        [TUSK, "connect", "again", "--url-env", "URL"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "URL": url},
    )
    assert "server not verified" in done.stdout, done.stderr

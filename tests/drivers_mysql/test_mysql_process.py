"""The driver as a process of its own: what it imports, and what it prints of itself."""

from __future__ import annotations

import json
import subprocess
import sys

from tusk_drivers.mysql.session import MysqlSession
from tusk_jupyter.driverkit.cli import read_manifest
from tusk_jupyter.protocol.message import fields_of

SCRIPT = """
import json, sys
import pyarrow as pa
from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.sqltext.statements import split
from tusk_drivers.mysql.session import SESSION

session = SESSION.connect(Settings(**json.loads(sys.stdin.read())))
for sql in (
    "SELECT seq, 'x', 1.5, 1.5e0, DATE'2024-01-01', TIME'10:00:00', b'1', NULL FROM seq_1_to_10",
    "CREATE TEMPORARY TABLE f (f FLOAT, d DATE, t DATETIME, b BIT(5))",
    "INSERT INTO f VALUES (1, '2024-01-01', NOW(), 1), (NULL, NULL, NULL, NULL)",
    "SELECT * FROM f",
):
    outcome = session.execute(split(sql, "mysql")[0], {})
    list(getattr(outcome, "batches", ()))
batch = pa.RecordBatch.from_arrays(
    [pa.Array.from_buffers(pa.int64(), 1, [None, pa.py_buffer(bytes(8))]), pa.nulls(1, pa.timestamp("us"))], ["a", "b"]
)
session.upload(["imported"], pa.RecordBatchReader.from_batches(batch.schema, [batch]), append=False)
session.execute(split("DROP TABLE imported", "mysql")[0], {})
session.close()
print(sorted({"pandas", "sqlalchemy", "IPython"} & sys.modules.keys()))
"""


def test_whole_life_imports_no_pandas(mysql_settings):  # DESIGN 4
    given = {"config": mysql_settings.config, "secrets": mysql_settings.secrets}
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_info_imports_no_engine():  # QB-50
    code = (
        "import sys, runpy; sys.argv[1:] = ['info']\n"
        "try: runpy.run_module('tusk_drivers.mysql', run_name='__main__')\n"
        "finally: print(sorted({'pymysql', 'numpy', 'pyarrow'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert json.loads(done.stdout)["name"] == "mysql"


def test_manifest_is_whole():
    manifest = read_manifest("tusk_drivers.mysql")
    assert manifest.secret_fields == ("password",)
    assert manifest.schemes == ("mysql", "mariadb")
    assert manifest.dialect == MysqlSession.dialect
    assert manifest.extra == "mysql"
    assert all(fields_of(manifest.capabilities).values())
    for name, field in manifest.properties.items():
        assert field["title"], name
        assert field["description"].endswith("."), name

"""Streams that cannot show what is said: what was done is done, its value is there, the words are plainer."""

import io
import subprocess
import sys

import pytest

from tusk_jupyter.system import plain_text

IN_A_SHELL = """
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config(); config.HistoryManager.enabled = False; config.InteractiveShell.colors = 'nocolor'
shell = InteractiveShell.instance(config=config)
for cell in (
    "%load_ext tusk_jupyter",
    "%tusk connect lake {folder}/größe.duckdb",
    "%%sql lake kept <<\\nSELECT 1 AS n, '→ 日本' AS t",
    "%sql lake SELEC 'ä→日'",
    "%tusk connections",
    "%tusk connections --json",
):
    shell.run_cell(cell)
import sys
sys.__stderr__.write(f"KEPT {{shell.user_ns['kept'].n.tolist()}}\\n")
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_stream_that_knows_no_arrow_gets_plainer_words(tusk_home, tmp_path, encoding):  # R13
    environ = tusk_home.environment(PYTHONIOENCODING=encoding, IPYTHONDIR=str(tmp_path))
    code = IN_A_SHELL.format(folder=tmp_path)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ, cwd=tmp_path, timeout=120)
    out, err = ran.stdout.decode(encoding), ran.stderr.decode(encoding)
    assert "KEPT [1]" in err, (out, err)
    assert "Added lake ->" in out
    assert "kept <- 1 row" in out
    assert "Query error" in out
    assert "UnicodeEncodeError" not in out + err


@pytest.mark.parametrize("redirected", [">&-", "> /dev/full", "2>&-"])
def test_a_command_whose_output_cannot_be_written_has_done_its_work(tusk_home, tmp_path, redirected):
    tusk = f"{sys.executable} -c 'from tusk_jupyter.cli import main; main()'"
    connect = f"{tusk} connect lake {tmp_path}/lake.duckdb {redirected}"
    first = subprocess.run(
        connect, shell=True, capture_output=True, text=True, env=tusk_home.environment(), timeout=120
    )
    assert "Traceback" not in first.stderr
    if "full" in redirected:
        assert first.returncode == 1
        assert "It is done, but standard output could not be written: No space left" in first.stderr
    listed = subprocess.run(
        f"{tusk} connections", shell=True, capture_output=True, text=True, env=tusk_home.environment(), timeout=120
    )
    assert "lake" in listed.stdout


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_every_writer_of_a_command_reports_once_that_its_output_is_lost(tusk_home, unbuffered):  # R13
    environ = tusk_home.environment(PYTHONUNBUFFERED=unbuffered)

    def run(words, redirected):
        tusk = f"{sys.executable} -c 'from tusk_jupyter.cli import main; main()' {words} {redirected}"
        return subprocess.run(tusk, shell=True, capture_output=True, text=True, env=environ, timeout=120)

    for words in ("drivers", "drivers --json", "--help", "--version", "connect --help"):
        ran = run(words, "> /dev/full")
        assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), (words, ran.stderr)
        assert ran.stderr.startswith("tusk: It is done, but standard output could not be written: No space left"), words
    assert run("nosuch", "2> /dev/full").returncode == 2


class Latin(io.StringIO):
    encoding = "latin-1"


def test_what_a_stream_can_show_stays_as_it_is():
    assert plain_text.fitted("größe → 日", Latin()) == "größe -> \\u65e5"
    assert plain_text.fitted("größe → 日", io.StringIO()) == "größe → 日"


def test_saying_raises_nothing(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    closed = io.StringIO()
    closed.close()
    for stream in (Gone(), closed, None):
        monkeypatch.setattr(sys, "stdout", stream)
        plain_text.say("done → it is")

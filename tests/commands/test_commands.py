"""The commands of the Makefile and what they stand on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMMANDS = ("demo", "lab", "check", "test", "soak", "bench", "constraints", "clean")


def test_make_alone_lists_the_commands():
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0:2] for line in listed.stdout.splitlines()] == [
        ["make", name] for name in ("help", *COMMANDS)
    ]


def test_ci_runs_check_and_test():
    said = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("make")]
    assert said == ["make check", "make test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def requirements() -> list[Requirement]:
    lists = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    return [Requirement(line) for lines in lists for line in lines if isinstance(line, str)]


def test_every_package_that_a_command_installs_is_pinned_at_a_version_that_fits():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        if name != PROJECT["project"]["name"]:
            assert name in pinned, f"{name}: run `make constraints`"
            assert requirement.specifier.contains(pinned[name], prereleases=True), requirement


def test_the_pins_name_versions_and_no_addresses():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.+!-]+", line)] == []


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with bash and id and nothing else: no sudo, no apt-get."""
    for name in ("bash", "id", "env"):
        (tmp_path / name).symlink_to(shutil.which(name))
    tmp_path.chmod(0o755)
    for folder in list(tmp_path.parents)[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)  # the unprivileged user below must get here
    return str(tmp_path)


def install(path: str, *pairs: str) -> subprocess.CompletedProcess:
    drop = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    script = (ROOT / ".ci" / "apt-install").read_text()  # by its text: the folder may be closed to that user
    return subprocess.run(
        ["bash", "-c", script, "apt-install", *pairs],
        env={"PATH": path},
        capture_output=True,
        text=True,
        cwd="/",
        **drop,
    )


def test_a_program_that_is_there_is_not_installed(bare_path):
    done = install(bare_path, "bash=bash", "id=coreutils")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_right_to_install_it_says_what_is_missing(bare_path):
    done = install(bare_path, "bash=bash", "no-such-program=its-package")
    assert done.returncode == 1
    assert (
        done.stderr == "Missing here: its-package. Please install it, for example: sudo apt-get install its-package\n"
    )


def test_what_is_missing_is_installed_without_starting_services_and_nothing_else(bare_path):
    for name, text in {"id": "echo 0", "apt-get": 'echo "$RUNLEVEL $DEBIAN_FRONTEND: $*" >&2'}.items():
        path = Path(bare_path, name)
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        path.chmod(0o755)
    done = install(bare_path, "bash=bash", "no-such-program=its-package", "nor-this=another")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "1 noninteractive: -qq -o Dpkg::Use-Pty=0 update",
        "1 noninteractive: -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends its-package another",
    ]

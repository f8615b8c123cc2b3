"""A kit that finds nothing proves nothing: drivers that are wrong on purpose fail the tests that are there for it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("faulty_drivers.py")


def faulty_classes() -> dict[str, type]:
    spec = importlib.util.spec_from_file_location("faulty_drivers", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: cls for name, cls in vars(module).items() if name.startswith("Test")}


CLASSES = faulty_classes()
EXPECTED = [(name, test) for name, cls in CLASSES.items() for test in cls.caught_by]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """What pytest says of each test that must find a fault, in a run of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--no-header", "--tb=no",
         *(f"{FILE}::{name}::{test}" for name, test in EXPECTED)],
        capture_output=True, text=True, timeout=150, cwd=FILE.parents[2], check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    lines = re.findall(
        r"^(FAILED|PASSED|ERROR|XFAIL|XPASS) .*?faulty_drivers\.py::(.*?)(?: - .*)?$", done.stdout, re.MULTILINE
    )
    return {test: outcome for outcome, test in lines}


@pytest.mark.parametrize(("driver", "test"), EXPECTED)
def test_fault_is_found(outcomes, driver, test):
    assert outcomes[f"{driver}::{test}"] in ("FAILED", "ERROR")


def test_every_fault_names_its_test():
    assert len(CLASSES) >= 15
    assert all(
        hasattr(cls, test.partition("[")[0]) or "gap" in test for cls in CLASSES.values() for test in cls.caught_by
    )

"""Types and style hold over the whole package."""

import subprocess
import sys

import pytest

from tests.places import ROOT


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["mypy"], marks=pytest.mark.slow, id="mypy"),
        pytest.param(["ruff", "check", "simulator", "tests", "benchmarks", "docs"], id="ruff"),
        pytest.param(["ruff", "format", "--check", "simulator", "tests", "benchmarks", "docs"], id="format"),
    ],
)
def test_a_checker_finds_nothing(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

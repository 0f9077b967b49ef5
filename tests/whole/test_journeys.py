"""The way of the data stays short: reading, running and drawing make few moves between modules."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.places import ROOT

MOST = {"reading": 1119, "run": 1353, "fan": 790}
"""Calls between modules: half of what they were when modules stood in one folder."""


def test_the_journeys_of_the_baseline_are_short() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "journeys.py")]
    environment = {"PYTHONPATH": ":".join(filter(None, [str(ROOT), *sys.path]))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    moves = {name: int(count.replace(",", "")) for name, count in re.findall(r"(\w+) .* ([\d,]+) moves", done.stdout)}
    assert set(moves) == set(MOST)
    assert {name: count for name, count in moves.items() if count > MOST[name]} == {}

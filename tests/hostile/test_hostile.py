"""A few of each attack, by the command that makes many; each finding says what makes it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.mutators import mutant, mutant_table
from tests.places import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="cases are worked through in forked processes")


def told(words: str, folder: Path) -> str:
    given = [sys.executable, "-m", "tests.hostile", *words.split(), "--folder", str(folder)]
    done = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return f"{done.stdout}{done.stderr if done.returncode else ''}"


def test_mutants_are_refused_or_run_and_a_disturbed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    kinds = "scenarios priors tables runs stores structures disk"
    said = told(f"{kinds} --journey run --cases 160", tmp_path)
    assert said.count("cases, 0 findings.") == said.count("== ") == len(kinds.split()), said


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of each attack on journeys, all of one process: it loads and prepares them once."""
    said = told("disk=45 parallel=17 matrix=45", tmp_path_factory.mktemp("disturbed"))
    return dict(each.split("\n", 1) for each in said.split("== ")[1:])


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["disk", "parallel", "matrix"])
def test_every_journey_is_disturbed_at_some_changes_and_gone_by_four_at_once(
    attack: str, disturbed: dict[str, str]
) -> None:
    assert " cases, 0 findings." in disturbed[attack], disturbed[attack]


def test_a_seed_makes_its_mutant_again() -> None:
    content = b"drivers: {spending: {start: 1}}\nyears: {first: 2025, last: 2030}\n"
    made = [mutant(content, seed) for seed in range(50)]
    assert made == [mutant(content, seed) for seed in range(50)]
    assert len(set(made) - {content}) > 40
    assert mutant_table(b"a,b\n1,2\n", 3) != mutant_table(b"a,b\n1,2\n", 4)

"""The README's commands, code, scenario and output are what the tool does."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli.main import main
from simulator.scenario.library import load_library, shipped_names
from simulator.scenario.load import load_scenario, load_variants, parse_scenario
from tests.places import ROOT

README = ROOT / "README.md"
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _printed(*arguments: str) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(io.StringIO()):
        main(list(arguments))
    return stream.getvalue()


def test_it_is_read_in_ten_minutes():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_the_first_two_blocks_hold_one_command_line_each():
    for language, text in BLOCKS[:2]:
        assert language == "sh"
        assert len(text.splitlines()) == 1
        assert text.startswith("python3 .ci/python.py .venv")
        assert " && python3 -m venv .venv" in text
    assert BLOCKS[0][1].rstrip().endswith("simulate scenarios/baseline.yaml")
    assert BLOCKS[1][1].rstrip().endswith("pytest -q -n auto --maxprocesses 4")


@pytest.mark.skipif(os.name == "nt", reason="the commands are those of POSIX shells")
def test_an_older_python_is_told_in_one_line_and_leaves_nothing_that_breaks_the_second_try(tmp_path):
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    old = "import sys, runpy; sys.version_info = (3, 11, 7, 'final', 0); sys.argv = sys.argv[1:]"
    fake = tmp_path / "bin" / "python3"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\n[ -f "$1" ] || {{ mkdir .venv; exit 1; }}\nexec "{sys.executable}" -c '
        f'"{old}; runpy.run_path(sys.argv[0], run_name=\'__main__\')" "$@"\n'
    )
    fake.chmod(0o755)
    path = {**os.environ, "PATH": f"{fake.parent}:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", BLOCKS[0][1]], cwd=tmp_path, env=path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Python 3.12 or later is needed, and python3 is 3.11.7: ")
    assert "in the place of python3." in done.stderr
    assert not (tmp_path / ".venv").exists()
    for version, stays in (("3.11.7", False), (f"{sys.version_info[0]}.{sys.version_info[1]}.1", True)):
        (tmp_path / ".venv").mkdir(exist_ok=True)
        (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
        subprocess.run([sys.executable, ".ci/python.py", ".venv"], cwd=tmp_path, check=True)
        assert (tmp_path / ".venv").exists() == stays


def test_the_printed_summary_is_that_of_the_baseline(tmp_path):
    block = next(text for language, text in BLOCKS if language == "text")
    printed = _printed("baseline", "--no-charts", "--output", str(tmp_path)).splitlines()
    assert len(printed) <= 18
    identity = Path(printed[-1]).name.removeprefix("baseline-")  # another with every change of the code
    assert block.replace("<id>", identity).splitlines()[:-1] == printed[:-1]
    assert block.splitlines()[-1] == "  outputs/baseline-<id>"


def test_the_scenario_explained_is_a_scenario():
    text = next(text for language, text in BLOCKS if text.startswith("schema: 2"))
    scenario = parse_scenario(text, file=str(README.parent / "scenarios" / "x.yaml"))
    assert "cash-flow" not in scenario.spec.drivers.spending.caps
    assert scenario.spec.years.step == "quarter"


def test_the_variants_and_the_mixture_shown_can_be_read(tmp_path):
    text = next(text for language, text in BLOCKS if text.startswith("variants:"))
    variants, _, mixture = text.partition("mixture:")
    scenario = next(text for language, text in BLOCKS if text.startswith("schema: 2"))
    (tmp_path / "team.yaml").write_text(scenario + variants)
    assert list(load_variants(tmp_path / "team.yaml")) == ["poor"]
    common = "schema: 2\nname: both\nyears: {first: 2027, last: 2040, step: year}\nthresholds: null\n"
    (tmp_path / "both.yaml").write_text(f"{common}mixture:{mixture}")
    assert [part.name for part in load_scenario(tmp_path / "both.yaml").components] == ["baseline", "team"]


def test_the_python_example_runs(tmp_path, monkeypatch):
    text = next(text for language, text in BLOCKS if language == "python")
    monkeypatch.chdir(tmp_path)
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(text, "README.md", "exec"), {})
    low, median, high = map(float, re.findall(r"[0-9.]+", stream.getvalue().splitlines()[0]))
    assert low < median < high
    assert (tmp_path / "spending.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", shipped_names("scenarios"))
def test_every_shipped_scenario_is_listed(name):
    assert f"`{name}`" in (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert load_scenario(name).spec.notes


def test_it_counts_the_library_as_it_is():
    entries = sum(len(load_library(name).data["priors"]) for name in shipped_names("priors"))
    assert f"`simulate priors` lists {entries}," in README.read_text(encoding="utf-8")

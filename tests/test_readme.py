"""The README's commands, code, scenario and output are what the tool does."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.scenario import load_scenario, parse_scenario
from simulator.shipped import shipped_names

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _printed(*arguments: str) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(io.StringIO()):
        main(list(arguments))
    return stream.getvalue()


def test_the_first_two_blocks_hold_one_command_line_each():
    for language, text in BLOCKS[:2]:
        assert language == "sh"
        assert len(text.splitlines()) == 1
        assert text.startswith("python3 -m venv ")
    assert BLOCKS[0][1].rstrip().endswith("simulate scenarios/baseline.yaml")
    assert BLOCKS[1][1].rstrip().endswith("pytest -q")


def test_the_printed_summary_is_that_of_the_baseline(tmp_path):
    block = next(text for language, text in BLOCKS if language == "text")
    printed = _printed("baseline", "--no-charts", "--output", str(tmp_path)).splitlines()
    assert len(printed) <= 10
    assert block.splitlines()[:-1] == printed[:-1]
    assert block.splitlines()[-1].split("/")[-1] == Path(printed[-1].strip()).name


def test_the_scenario_explained_is_a_scenario():
    text = next(text for language, text in BLOCKS if language == "yaml")
    scenario = parse_scenario(text, file=str(README.parent / "scenarios" / "x.yaml"))
    assert "cash-flow" not in scenario.spec.drivers.spending.caps
    assert scenario.spec.years.step == "quarter"


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
    assert f"`{name}`" in README.read_text(encoding="utf-8")
    assert load_scenario(name).spec.notes

"""The README's commands, code, scenario and output are what the tool does."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from simulator.cli.main import main
from simulator.scenario.library import shipped_names
from simulator.scenario.load import load_scenario, load_variants, parse_scenario
from tests.places import ROOT

README = ROOT / "README.md"
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
    assert BLOCKS[1][1].rstrip().endswith("pytest -q -n auto --maxprocesses 4")


def test_the_printed_summary_is_that_of_the_baseline(tmp_path):
    block = next(text for language, text in BLOCKS if language == "text")
    printed = _printed("baseline", "--no-charts", "--output", str(tmp_path)).splitlines()
    assert len(printed) <= 10
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
    common = "schema: 2\nname: both\nyears: {first: 2025.5, last: 2040, step: year}\nthresholds: null\n"
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
    assert f"`{name}`" in README.read_text(encoding="utf-8")
    assert load_scenario(name).spec.notes

"""What says the same is stored alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.engine.run_folders import run_to_folder
from simulator.engine.simulation import How
from simulator.errors import RunFileError
from simulator.scenario.canonical import in_order, stored_data
from simulator.scenario.load import load_scenario

ONE = """schema: 2
name: three
years: {first: 2025, last: 2027}
samples: 64
drivers:
  spending:
    start: {median: 4e8, interval_90: [2e8, 8e8], unit: USD}
    growth: [{rate: {median: 2.4, interval_90: [1.6, 3.4], unit: factor/year}}]
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: [{rate: 1.4x/year}]}
thresholds:
  b: {physical_compute: 1e27}
  a: {spending: 1e10}
"""
OTHER = """# the same, in another order
drivers:
  hardware: {growth: [{rate: 1.4x/year}], start: {unit: FLOP/USD, value: 1e18}}
  spending:
    growth: [{rate: {unit: factor/year, interval_90: [1.6, 3.4], median: 2.4}}]  # as before
    start: {interval_90: [2e8, 8e8], median: 4e8, unit: USD}
samples: 64
thresholds:
  b: {physical_compute: 1e27}
  a: {spending: 1e10}
years: {last: 2027, first: 2025}
name: three
schema: 2
"""


def made(text: str, folder: Path, *overrides: str) -> tuple[str, dict[str, bytes]]:
    folder.mkdir()
    (folder / "three.yaml").write_text(text)
    scenario = load_scenario(folder / "three.yaml", overrides=list(overrides))
    run = run_to_folder(scenario, folder / "outputs", how=How())[1]
    return run.name, {file.name: file.read_bytes() for file in run.iterdir()}


def test_one_id_is_the_same_bytes_however_the_scenario_was_written(tmp_path: Path) -> None:
    one, other = made(ONE, tmp_path / "one"), made(OTHER, tmp_path / "other")
    assert one == other
    turned = made(ONE.replace("  b: {phys", "  c: {phys"), tmp_path / "renamed")
    swept = made(ONE.replace("samples: 64", "samples: 65"), tmp_path / "set", "samples=64")
    shown = ONE.replace(
        "  b: {physical_compute: 1e27}\n  a: {spending: 1e10}", "  a: {spending: 1e10}\n  b: {physical_compute: 1e27}"
    )
    ids = {one[0], turned[0], swept[0], made(shown, tmp_path / "shown")[0]}
    assert len(ids) == 4  # what a run shows of them differs


def test_keys_have_one_order_and_names_that_of_their_author() -> None:
    data = {
        "thresholds": {"b": {"label": "B", "multiple": 2}, "a": 1},
        "name": "x",
        "schema": 2,
        3: [{"unit": "", "median": 1}],
    }
    assert repr(in_order(data)) == repr(
        {
            "schema": 2,
            "name": "x",
            "thresholds": {"b": {"label": "B", "multiple": 2}, "a": 1},
            3: [{"median": 1, "unit": ""}],
        }
    )


@pytest.mark.parametrize(
    "held", [{}, {"scenario": "{"}, {"scenario": "[]"}, {"scenario": 1}, {"scenario": "[" * 99_999}]
)
def test_attributes_without_a_scenario_are_refused_and_named(held: dict[str, Any]) -> None:
    with pytest.raises(RunFileError, match="run 0123abcd: attribute scenario: must be a resolved scenario as JSON"):
        stored_data({"run_id": "0123abcd", **held})


def test_the_scenario_of_attributes_is_read() -> None:
    assert stored_data({"scenario": '{"name": "three", "samples": 64}'}) == {"name": "three", "samples": 64}

"""The charts of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from simulator import fan_chart
from simulator.errors import InputError
from simulator.figures import write_charts
from simulator.testing import run_of, small_scenario


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": {"uniform": [2, 4]}},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": 1.4},
        "algorithms": {"growth": {"uniform": [2, 4]}},
    }
    return run_of(small_scenario({
        "drivers": drivers, "title": "Small scenario",
        "thresholds": {"a": {"effective_compute": 1e30, "label": "Thirty"}, "rich": {"spending": 1e10}},
        "capability": {"name": "score", "kind": "gain-per-doubling", "gain": 1.1},
    }))  # fmt: skip


def test_a_fan_says_its_range_its_run_and_its_seed(run: xr.DataTree) -> None:
    text = fan_chart(run).to_json()
    for word in ("Small scenario", run.attrs["run_id"], "Effective compute", "FLOP in 2035", "Thirty"):
        assert word in text, word


@pytest.mark.parametrize(
    ("quantity", "words"),
    [("spending", "USD in 2035"), ("algorithms", "times the start in 2035"), ("hardware", "FLOP/USD in")],
)
def test_every_level_of_a_run_can_be_drawn(run: xr.DataTree, quantity: str, words: str) -> None:
    assert words in fan_chart(run, quantity).to_json()


def test_a_run_of_the_summary_can_be_drawn() -> None:
    run = run_of(small_scenario({"thresholds.a": {"effective_compute": 1e60}}), keep="summary")
    assert run.attrs["run_id"] in fan_chart(run).to_json()


def test_what_is_not_there_is_named(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="Did you mean 'spending'"):
        fan_chart(run, "spendin")
    with pytest.raises(InputError, match=r"no quantile at 0\.165"):
        fan_chart(run, bands=[0.67])


def test_charts_are_written_into_the_run_folder(run: xr.DataTree, tmp_path: Path) -> None:
    write_charts(run, tmp_path)
    assert (tmp_path / "fan_effective_compute.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "fan_effective_compute.svg").read_text()[:500]

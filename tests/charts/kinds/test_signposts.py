"""The chart of signposts, drawn from its folder as from itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from simulator import open_result, parse_scenario, signposts, simulate
from simulator.charts.kinds.signposts import signpost_figures
from simulator.charts.writing import svg_text
from tests.analysis.linear_scenario import LINEAR


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(parse_scenario(LINEAR, overrides=["samples=4000"]))


@pytest.mark.parametrize("outcome", ["crossing:late", "crossed:late@2029", "effective_compute@2030"])
def test_lines_and_what_values_mean_are_drawn(run: xr.DataTree, outcome: str, tmp_path: Path) -> None:
    found = signposts(run, outcome)
    (figure,) = signpost_figures(found)
    drawn = svg_text(figure.chart)
    assert " ".join(figure.chart["title"]["text"]).startswith("Algorithmic efficiency in ")
    for text in ("taken off the expected error, %", "10 % value, ", "algorithmic efficiency"):
        assert text in drawn
    assert ("> 2030" not in drawn) or outcome == "crossing:late"
    (again,) = signpost_figures(open_result(found.save(tmp_path)))
    assert svg_text(again.chart) == drawn


def test_one_year_has_a_chart_too(run: xr.DataTree) -> None:
    (figure,) = signpost_figures(signposts(run, "crossing:late", observables=["spending"], until=2026))
    assert "spending" in svg_text(figure.chart)

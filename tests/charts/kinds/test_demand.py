"""The chart of demand against what limits leave."""

from __future__ import annotations

from itertools import pairwise

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator import load_scenario, simulate
from simulator.charts.kinds.demand import (
    DemandTables,
    demand_figures,
    demand_tables,
    draw_demand,
    within,
)
from simulator.charts.reading import central_levels
from simulator.charts.spec import FigureOptions, Head
from simulator.errors import InputError
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.testing import run_of, small_scenario
from tests.charts.drawn import texts

RUN = RunLabel("3f9a2c1", "few", seed=1, samples=9)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return simulate(load_scenario("baseline", overrides=["samples=1024"]))


def test_limits_never_leave_more_than_is_demanded(run: xr.DataTree) -> None:
    tables = demand_tables(run, "spending", bands=[0.9], years=None)
    demanded, limited = ([row for row in tables.bands.rows() if row["series"] == s] for s in ("demanded", "limited"))
    for above, below in zip(demanded, limited, strict=True):
        assert below["lower"] <= above["lower"]
        assert below["upper"] <= above["upper"]


def test_each_subject_with_limits_has_a_figure_with_its_limits(run: xr.DataTree) -> None:
    figures = {figure.name: figure for figure in demand_figures(run, FigureOptions())}
    assert list(figures) == ["demand_spending", "demand_physical_compute", "demand_algorithms"]
    said = texts(figures["demand_physical_compute"].chart)
    assert {"demanded", "within limits", "limit: power"} <= set(said)
    assert any(text.endswith("limit: data") for text in said)
    assert "before limits on compute" in figures["demand_physical_compute"].caption
    assert "lower the median of spending in 2045 by" in figures["demand_spending"].caption


def test_bands_years_and_subjects_can_be_chosen(run: xr.DataTree) -> None:
    options = FigureOptions(quantities=("spending",), bands=(0.5, 0.95), years=(2027, 2030))
    (figure,) = demand_figures(run, options)
    assert [row["band"] for row in figure.tables["bands"].rows()][::4] == ["95 %", "50 %", "95 %", "50 %"]
    assert "95 % of the samples" in texts(figure.chart)
    assert {row["year"] for row in figure.tables[""].rows()} == {2027, 2028, 2029, 2030}
    assert "in 2030 by" in figure.caption


def test_a_run_without_spread_has_lines_and_no_bands() -> None:
    (figure,) = demand_figures(simulate(load_scenario("essay-2023")), FigureOptions())
    said = texts(figure.chart)
    assert "demanded: median" in said
    assert not any("of the samples" in text for text in said)


def test_a_limit_far_off_does_not_flatten_the_fans() -> None:
    caps = {"near": {"limit": {"value": 1e28, "unit": "FLOP"}}, "far": {"limit": {"value": 1e80, "unit": "FLOP"}}}
    data = small_scenario({"drivers.compute.caps": {name: {"kind": "hard", **cap} for name, cap in caps.items()}})
    (figure,) = demand_figures(run_of(data), FigureOptions())
    assert "▲ limit: far" in texts(figure.chart)
    assert "limit: near" in texts(figure.chart)


@pytest.mark.parametrize("band", [0.67, 0.0, 1.0, -0.5])
def test_a_band_that_the_summary_does_not_hold_is_refused_with_those_it_holds(band: float) -> None:
    with pytest.raises(InputError, match=r"bands: .*it holds those of 50, 90 %\. Choose among these"):
        central_levels([0.05, 0.25, 0.5, 0.75, 0.95, 0.99], band)


def test_more_bands_than_can_be_told_apart_are_refused(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="one to three"):
        demand_figures(run, FigureOptions(bands=(0.1, 0.3, 0.5, 0.9)))
    with pytest.raises(InputError, match="bands: "):
        demand_figures(run, FigureOptions(bands=()))


def test_a_single_year_is_refused() -> None:
    medians = [{"series": s, "year": 2025, "median": 9.0} for s in ("demanded", "limited")]
    with pytest.raises(InputError, match="two or more years; got 1"):
        draw_demand(DemandTables(Table.of_rows(medians)), heading="", head=Head("", "", RUN))


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8))
def test_a_path_is_cut_to_the_axis_and_keeps_what_lies_within(levels: list[float]) -> None:
    path = [(2025.0 + place, level) for place, level in enumerate(levels)]
    pieces = within(path, lower=-1.0, upper=1.0)
    assert all(-1 - 1e-9 <= level <= 1 + 1e-9 for piece in pieces for _, level in piece)
    assert all(first[0] < second[0] for piece in pieces for first, second in pairwise(piece))
    kept = {point for piece in pieces for point in piece}
    for before, point, after in zip(path, path[1:], path[2:], strict=False):
        if all(abs(level) < 0.999 for _, level in (before, point, after)):
            assert point in kept


def test_a_path_off_the_axis_is_not_drawn() -> None:
    assert within([(2025, 5.0), (2030, 5.0)], lower=0.0, upper=1.0) == []
    assert within([(2025, 0.5), (2030, 0.5)], lower=0.0, upper=1.0) == [[(2025, 0.5), (2030, 0.5)]]

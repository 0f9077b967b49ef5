"""Distributions read off a run, from samples and from the summary."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.export.cdf import crossing_distribution, level_distribution, sampled
from simulator.testing import run_of, small_scenario

DATA = small_scenario({
    "samples": 4096,
    "block": 4096,
    "thresholds": {"near": {"effective_compute": 1e28}, "passed": {"effective_compute": 1e26}, "far": {"effective_compute": 1e60}},
})  # fmt: skip


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(DATA)


@pytest.fixture(scope="module")
def bare(run: xr.DataTree) -> xr.DataTree:
    """The same run without its samples."""
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=run.attrs), "summary": run["summary"].to_dataset()})


def with_quantiles(tree: xr.DataTree, levels: xr.DataArray) -> xr.DataTree:
    """Put other quantiles of effective compute into a run without samples."""
    summary = tree["summary"].to_dataset().assign(effective_compute=levels)
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=tree.attrs), "summary": summary})


@given(st.lists(st.floats(-5, 5) | st.just(np.inf), min_size=1, max_size=30), st.floats(-6, 6))
def test_the_samples_are_counted_at_and_below_a_value(values: list[float], at: float) -> None:
    found = sampled(values, unit="1", log=False)
    assert found.at([at])[0] == pytest.approx(np.mean(np.array(values) <= at))
    assert found.below(at) == pytest.approx(np.mean(np.array(values) < at))
    assert found.censored == pytest.approx(np.mean(np.isinf(values)))


def test_levels_are_asked_for_in_the_unit_and_not_in_its_logarithm(run: xr.DataTree) -> None:
    found = level_distribution(run, "effective_compute", 2030)
    levels = run["trajectories/effective_compute"].sel(year=2030).values
    assert found.unit == "FLOP"
    assert found.at([0.0, 1e28, 1e60]).tolist() == [0.0, float(np.mean(levels <= 28.0)), 1.0]


@pytest.mark.parametrize("threshold", ["near", "passed"])
def test_a_summary_gives_the_crossing_of_the_samples_within_a_percent(
    run: xr.DataTree, bare: xr.DataTree, threshold: str
) -> None:
    years = np.linspace(2024.5, 2035, 300)
    exact, rough = crossing_distribution(run, threshold), crossing_distribution(bare, threshold)
    assert "4,096 samples" in exact.origin
    assert "interpolated" in rough.origin
    # the outermost quantiles, 1 and 99 %, bound what is not known
    assert np.abs(exact.at(years) - rough.at(years)).max() < 0.012
    assert rough.censored == exact.censored


def test_a_summary_keeps_the_share_that_is_above_at_the_start(run: xr.DataTree, bare: xr.DataTree) -> None:
    exact, rough = crossing_distribution(run, "passed"), crossing_distribution(bare, "passed")
    share = float(exact.at([2025.0])[0])
    assert 0.2 < share < 0.8
    assert rough.at([2025.0])[0] == pytest.approx(share)
    assert rough.below(2025.0) == exact.below(2025.0) == 0.0


def test_a_threshold_that_is_never_crossed_has_no_mass(run: xr.DataTree, bare: xr.DataTree) -> None:
    for tree in (run, bare):
        found = crossing_distribution(tree, "far")
        assert found.censored == 1.0
        assert found.at([2025, 2035, 3000]).tolist() == [0.0, 0.0, 0.0]


def test_a_summary_gives_the_levels_of_the_samples_within_a_percent(run: xr.DataTree, bare: xr.DataTree) -> None:
    values = np.logspace(25, 35, 200)
    exact, rough = (level_distribution(tree, "effective_compute", 2033) for tree in (run, bare))
    assert np.abs(exact.at(values) - rough.at(values)).max() < 0.012
    assert rough.at([1e10, 1e50]).tolist() == [0.0, 1.0]


def test_limits_that_some_samples_do_not_have_leave_mass_above(bare: xr.DataTree) -> None:
    levels = bare["summary/effective_compute"]
    tree = with_quantiles(bare, levels.where(levels["quantile"] < 0.84, np.inf))
    assert level_distribution(tree, "effective_compute", 2033).at([1e300])[0] == pytest.approx(0.83)


def test_what_is_certain_is_a_step(bare: xr.DataTree) -> None:
    tree = with_quantiles(bare, xr.full_like(bare["summary/effective_compute"], 30.0))
    assert level_distribution(tree, "effective_compute", 2033).at([9e29, 1.1e30]).tolist() == [0.0, 1.0]


def test_what_is_not_there_is_named_with_the_near_name(run: xr.DataTree, bare: xr.DataTree) -> None:
    for tree in (run, bare):
        with pytest.raises(InputError, match="Did you mean 'near'"):
            crossing_distribution(tree, "neat")
        with pytest.raises(InputError, match="Did you mean 'effective_compute'"):
            level_distribution(tree, "efective_compute", 2033)
        with pytest.raises(InputError, match=r"2060 lies outside the years of the run, "):
            level_distribution(tree, "effective_compute", 2060)


def test_between_the_years_levels_lie_on_straight_lines_and_that_is_said(run: xr.DataTree, bare: xr.DataTree) -> None:
    for tree in (run, bare):
        at = {year: level_distribution(tree, "effective_compute", year) for year in (2033, 2033.5, 2034)}
        middles = [float(np.interp(0.5, each.shares, each.points)) for each in at.values()]
        assert middles[1] == pytest.approx((middles[0] + middles[2]) / 2, abs=0.02)
        assert [("straight lines" in each.origin) for each in at.values()] == [False, True, False]

"""CDFs that Metaculus takes: its server's rules hold for every distribution and every question."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.export.metaculus import (
    Scale,
    bound_of,
    continuous_forecast,
    crossing_distribution,
    forecast_document,
    forecast_note,
    level_distribution,
    question_text,
    sampled,
)
from simulator.testing import run_of, small_scenario


def assert_accepted(cdf: np.ndarray, scale: Scale) -> None:
    """The checks of Metaculus' server, with its rounding."""
    rounded = np.round(cdf, 10)
    steps = np.round(np.diff(rounded), 10)
    assert len(rounded) == 201
    assert np.all(steps >= np.round(0.01 / 200, 10))
    assert np.all(steps <= 0.2)
    assert rounded[0] >= 0.001 if scale.open_lower else rounded[0] == 0.0
    assert rounded[-1] <= 0.999 if scale.open_upper else rounded[-1] == 1.0


@given(
    st.lists(st.floats(2026, 2044) | st.sampled_from([2026.0, 2030.0, 2044.0]), min_size=1, max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_every_distribution_within_the_bounds_is_accepted(values: list[float], lower: bool, upper: bool) -> None:
    scale = Scale(2026.0, 2044.0, lower, upper)
    assert_accepted(continuous_forecast(sampled(values, unit="year", log=False), scale).cdf, scale)


@given(st.lists(st.floats(2000, 2100) | st.just(np.inf), min_size=1, max_size=40))
def test_every_distribution_is_accepted_where_both_bounds_are_open(values: list[float]) -> None:
    scale = Scale(2026.0, 2044.0, open_lower=True, open_upper=True)
    forecast = continuous_forecast(sampled(values, unit="year", log=False), scale)
    assert_accepted(forecast.cdf, scale)
    assert forecast.below == pytest.approx(np.mean(np.array(values) < 2026))
    assert forecast.above == pytest.approx(np.mean(np.array(values) > 2044))


def test_a_smooth_distribution_moves_by_at_most_a_percent() -> None:
    values = np.random.default_rng(1).normal(2034, 3, 20_000)
    scale = Scale(2015.0, 2055.0, open_lower=True, open_upper=True)
    forecast = continuous_forecast(sampled(values, unit="year", log=False), scale)
    own = [np.mean(values <= at) for at in forecast.locations]
    np.testing.assert_allclose(forecast.cdf, own, atol=forecast.moved + 1e-12, rtol=0)
    assert forecast.moved < 0.0075  # of 0.01 even mass and 0.001 beyond each bound, at most about half shows


def test_what_is_certain_is_spread_over_five_steps() -> None:
    scale = Scale(2026.0, 2046.0)
    forecast = continuous_forecast(sampled([2036.0] * 50, unit="year", log=False), scale)
    assert_accepted(forecast.cdf, scale)
    steep = np.flatnonzero(np.diff(forecast.cdf) > 0.001)
    assert 5 <= len(steep) <= 9
    assert np.abs(forecast.locations[steep] - 2036.0).max() < 0.5
    assert forecast.moved > 0.3


def test_a_logarithmic_scale_is_metaculus_own() -> None:
    low, high, zero = 1e3, 1e9, -500.0
    position = np.linspace(0, 1, 201)
    ratio = (high - zero) / (low - zero)
    np.testing.assert_allclose(
        Scale(low, high, zero_point=zero).locations(),
        low + (high - low) * (ratio**position - 1) / (ratio - 1),
        rtol=1e-9,
    )
    np.testing.assert_allclose(np.diff(np.log10(Scale(1e26, 1e36, zero_point=0.0).locations())), 0.05, rtol=1e-9)


def test_a_question_of_dates_is_even_in_days() -> None:
    scale = Scale(datetime(2027, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))
    found = scale.locations()
    assert (found[0], found[-1]) == (2027.0, 2029.0)
    assert found[100] == pytest.approx(2028 + 0.5 / 366)  # 731 days, of which 2028 has 366


def test_mass_beyond_a_closed_bound_is_refused_with_its_share() -> None:
    values = [2020.0, 2030.0, 2050.0, np.inf]
    distribution = sampled(values, unit="year", log=False)
    with pytest.raises(InputError, match=r"50 % .* above the upper bound \(25 % do not cross .*add --open-upper"):
        continuous_forecast(distribution, Scale(2026.0, 2046.0, open_lower=True))
    limit = sampled([28.0, np.inf], unit="FLOP", log=True)
    with pytest.raises(InputError, match=r"50 % .* above the upper bound \(50 % have no such limit\)"):
        continuous_forecast(limit, Scale(1e20, 1e40, zero_point=0.0))
    with pytest.raises(InputError, match=r"25 % .* below the lower bound.*add --open-lower"):
        continuous_forecast(distribution, Scale(2026.0, 2046.0, open_upper=True))


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (Scale(2040.0, 2030.0), "--range: the lower bound must lie below"),
        (Scale(2030.0, float("inf")), "--range: the lower bound must lie below"),
        (Scale(10.0, 20.0, zero_point=10.0), "--zero-point: must lie below the lower bound 10"),
        (Scale(2030.0, datetime(2040, 1, 1, tzinfo=UTC)), "both bounds as dates"),
        (Scale(datetime(2041, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)), "--range: must rise"),
        (Scale(datetime(2030, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC), zero_point=0.0), "even scale"),
    ],
)
def test_a_scale_that_is_none_is_refused(scale: Scale, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scale.locations()


def test_a_bound_is_a_number_or_a_date() -> None:
    assert bound_of("2030") == 2030.0
    assert bound_of("2030-07-01") == datetime(2030, 7, 1, tzinfo=UTC)
    with pytest.raises(InputError, match="got 'soon'"):
        bound_of("soon")


def test_the_document_says_what_the_forecast_is_made_from() -> None:
    changes = {"samples": 256, "thresholds": {"near": {"effective_compute": 1e28}}}
    run: xr.DataTree = run_of(small_scenario(changes))
    scale = Scale(bound_of("2025-01-01"), bound_of("2040-01-01"), open_upper=True)
    document = forecast_document(run, crossing_distribution(run, "near"), scale)
    text, said = question_text(run, thresholds=["near"], scale=scale)
    assert json.loads(text) == document
    assert text.startswith('{\n "continuous_cdf": [')
    assert_accepted(np.array(document["continuous_cdf"]), scale)
    assert document["scaling"]["range_min"] == datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    assert document["about"]["run_id"] == run.attrs["run_id"]
    note = forecast_note(document)
    assert said == note
    assert note.startswith("crossing year of near: from 256 samples; < 1.2 % below and ")  # none of them
    assert f"{100 * document['about']['largest_change']:.2g} %" in note


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

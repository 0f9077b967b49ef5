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
from simulator.export.cdf import crossing_distribution, sampled
from simulator.export.metaculus import (
    Scale,
    bound_of,
    continuous_forecast,
    forecast_document,
    forecast_note,
    question_text,
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

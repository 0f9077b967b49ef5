"""Forecasts follow the equations of the model: checked against closed forms on posteriors made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from simulator.errors import InputError
from simulator.history.forecast import (
    forecast_largest,
    forecast_record,
    forecast_records,
    forecast_trend,
    largest_of_last_year,
)
from tests.history.made_up_fit import DRAWS, fit


def test_without_volatility_the_trend_goes_on_straight_from_the_end_of_the_origin():
    trend = forecast_trend(fit(), until=2023.0, seed=0)
    assert trend["year"].values.tolist() == [2020.0, 2021.0, 2022.0, 2023.0]
    np.testing.assert_allclose(trend["compute"].values, np.tile(20 + 0.6 * np.arange(4), (DRAWS, 1)))


def test_volatility_adds_up_like_a_random_walk():
    trend = forecast_trend(fit(spending_volatility=0.3, efficiency_volatility=0.4), until=2024.0, seed=1)
    end = trend["compute"].sel(year=2024.0).values
    error = 1.0 / np.sqrt(2 * DRAWS)
    assert end.std() == pytest.approx(0.5 * 2, rel=4 * error)
    assert end.mean() == pytest.approx(22.4, abs=4 / np.sqrt(DRAWS))


@pytest.mark.parametrize("level", [20.5, 21.0, 21.5])
def test_the_record_has_the_distribution_of_the_largest_of_a_gamma_poisson_number_of_runs(level):
    """P(record <= x) = E exp(-rate p) = (1 + p / years)^-(runs + 1/2), p the chance that a run is above x."""
    records = forecast_record(fit(), last_year=2020, seed=2).samples[0]
    above, _ = integrate.quad(lambda time: stats.norm.sf((level - 20 - 0.6 * time) / 0.5), 0, 1)
    exact = (1 + above / 10) ** -40.5
    assert np.mean(records <= level) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / DRAWS))


def test_the_record_never_falls_and_starts_from_the_last_known_one():
    forecast = forecast_record(fit(record=21.2, spending_volatility=0.5), last_year=2024, seed=3)
    assert forecast.years == (2020, 2021, 2022, 2023, 2024)
    assert forecast.samples.min() == 21.2
    assert (np.diff(forecast.samples, axis=0) >= 0).all()


def test_a_record_far_above_the_trend_stands():
    assert (forecast_record(fit(record=60.0), last_year=2022, seed=0).samples == 60.0).all()


def test_years_in_which_nothing_comes_out_keep_the_record():
    records = forecast_record(fit(runs=0, record=5.0), last_year=2020, seed=4).samples[0]
    exact = (1 + 1 / 10) ** -0.5
    assert np.mean(records == 5.0) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / DRAWS))


def test_a_later_last_year_changes_no_earlier_one_and_a_seed_gives_the_same_draws():
    tree = fit(spending_volatility=0.2)
    short, long = (forecast_record(tree, last_year=year, seed=0).samples for year in (2021, 2025))
    np.testing.assert_array_equal(short, long[:2])
    assert (forecast_record(tree, last_year=2021, seed=1).samples != short).any()


def test_a_last_year_that_is_not_ahead_is_refused():
    with pytest.raises(InputError, match="must be after the end of 2019"):
        forecast_record(fit(), last_year=2019, seed=0)


def test_within_a_year_growth_goes_as_far_as_its_share_and_scatter_as_its_root():
    tree = fit(spending_volatility=0.3)
    tree.attrs["known_to"] = 2019.75
    steps = np.diff(forecast_trend(tree, until=2021.5, seed=1)["spending"].values, axis=1)
    rate = float(tree["posterior"]["spending_growth"][0, 0])
    np.testing.assert_allclose(steps.mean(axis=0), rate * np.array([0.25, 1.0, 0.5]), atol=0.006)
    np.testing.assert_allclose(steps.std(axis=0), 0.3 * np.sqrt([0.25, 1.0, 0.5]), rtol=0.02)


def test_as_many_runs_come_out_in_a_part_of_a_year_as_its_share():
    """Of a Poisson number of runs with mean 4 a year, none comes out in a quarter with probability 1/e."""
    records = forecast_records(fit(runs=40, record=-5.0), until=2020.25, seed=2)
    assert float((records.sel(year=2020.25) == -5.0).mean()) == pytest.approx(np.exp(-1.0), abs=0.02)


def test_dates_between_are_steps_of_the_same_walk_and_an_error_is_that_of_the_start():
    """The record that nothing passes keeps its normal error; at a date between the walk has gone that far."""
    known = forecast_records(fit(record=60.0), until=2021.75, seed=0, at=[2020.5, 2021.5], error=0.3)
    assert known["year"].values.tolist() == [2020.5, 2021.0, 2021.5, 2021.75]
    assert known.values[0].std() == pytest.approx(0.3, rel=4 / np.sqrt(2 * DRAWS))
    assert (np.diff(known.values, axis=0) == 0).all()
    trend = forecast_trend(fit(spending_volatility=0.4), until=2021.0, seed=0, at=[2020.25])["compute"]
    assert trend.sel(year=2020.25).values.std() == pytest.approx(0.4 / 2, rel=4 / np.sqrt(2 * DRAWS))
    assert trend.sel(year=2021.0).values.std() == pytest.approx(0.4, rel=4 / np.sqrt(2 * DRAWS))


def test_the_largest_run_costs_what_its_compute_above_the_trend_makes_it():
    """spending = trend + slope (R - compute), and FLOP per USD the rest; slope 0.8, a record of 22 over a trend of 20.6."""
    found = forecast_largest(fit(record=22.0, run_scatter=1e-9), until=2021.0, seed=0).isel(year=-1)
    np.testing.assert_allclose(found["physical_compute"].values, 22.0)
    np.testing.assert_allclose(found["spending"].values, 4.5 + 0.8 * 1.4)
    np.testing.assert_allclose(found["hardware"].values, 22.0 - 4.5 - 0.8 * 1.4)


@pytest.mark.parametrize("level", [19.5, 20.0, 20.5, 21.0])
def test_the_largest_run_of_the_last_year_has_the_distribution_of_so_many_runs_about_the_trend(level):
    """The trend rises from 19.4 to 20 in that year; 40 runs in 10 years, of which none comes with probability q."""
    largest = largest_of_last_year(fit(), seed=3)
    above, _ = integrate.quad(lambda time: stats.norm.sf((level - 19.4 - 0.6 * time) / 0.5), 0, 1)
    none = (1 + 1 / 10) ** -40.5
    exact = (1 + above / 10) ** -40.5 - none * (level < 20.0)  # without a run it is the trend's end
    assert np.mean(largest <= level) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / DRAWS))

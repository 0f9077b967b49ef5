"""What the forecasts of a hindcast did together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats
from test_hindcast_text import ROWS, row

from simulator.hindcast import MODEL
from simulator.hindcast_summaries import (
    binomial_quantile,
    coverage_rows,
    horizon_bins,
    horizon_rows,
    jeffreys,
    pit_rows,
)


def test_every_forecast_is_counted_in_one_bin_of_its_histogram() -> None:
    rows = [
        dataclasses.replace(each, pit=pit) for each, pit in zip(ROWS[:6], (0.0, 0.2, 0.39, 0.5, 0.99, 1.0), strict=True)
    ]
    assert [each.count for each in pit_rows(rows)] == [1, 2, 1, 0, 2]
    assert {each.expected for each in pit_rows(rows)} == {1.2}


@pytest.mark.parametrize("count", [1, 7, 40])
def test_binomial_quantiles_are_those_of_scipy(count: int) -> None:
    for level in (0.05, 0.5, 0.95):
        assert binomial_quantile(level, count, 0.2) == stats.binom.ppf(level, count, 0.2)


def test_the_interval_of_a_share_is_that_of_as_many_forecasts_as_there_are_years() -> None:
    rows = {(each.forecast, each.level): each for each in coverage_rows(ROWS)}
    model = rows[MODEL, 90]
    assert (model.inside, model.forecasts, model.targets, model.seen_95) == (6, 6, 4, 1.0)
    assert model.seen_05 == pytest.approx(stats.beta.ppf(0.05, 4.5, 0.5))


def test_the_jeffreys_interval_covers_about_as_often_as_it_says() -> None:
    weights = stats.binom.pmf(np.arange(41), 40, 0.8)
    held = [low <= 0.8 <= high for low, high in (jeffreys(hits, 40) for hits in range(41))]
    assert weights[held].sum() == pytest.approx(0.9, abs=0.05)


def test_years_ahead_are_grouped_until_three_distinct_years_are_in_a_group() -> None:
    forecasts = [row(MODEL, origin, target, 0.2) for origin in (2018, 2020, 2022) for target in range(origin + 1, 2026)]
    assert horizon_bins(forecasts) == [(1, 1), (2, 2), (3, 3), (4, 7)]
    assert horizon_bins(forecasts[-3:]) == [(1, 3)]
    assert horizon_bins(forecasts[-1:]) == [(3, 3)]


def test_skill_by_years_ahead_has_the_crps_of_its_rows_and_no_interval_of_two_years() -> None:
    rows = [
        row(name, origin, target, score * (target - origin))
        for name, score in ((MODEL, 0.1), ("other", 0.2))
        for origin in (2018, 2019, 2020)
        for target in range(origin + 1, origin + 3)
    ]
    first, second = horizon_rows(rows)
    assert (first.first_ahead, first.last_ahead, first.crps, first.forecasts) == (1, 1, pytest.approx(0.1), 3)
    assert (second.crps, second.baseline_crps, second.skill) == tuple(map(pytest.approx, (0.2, 0.4, 0.5)))
    (alone,) = horizon_rows([each for each in rows if each.origin == 2018])
    assert (alone.targets, alone.skill_05, alone.skill_95) == (2, None, None)
    assert alone.skill == pytest.approx(0.5)

"""The tables of a hindcast: quantiles, events, calibration, skill by years ahead."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulator.engine.collecting import LEVELS
from simulator.hindcast.rows import (
    MODEL,
    Made,
    binomial_quantile,
    coverage_table,
    event_rows,
    event_scores,
    horizon_table,
    jeffreys,
    made_table,
    pit_table,
    quantile_rows,
)
from simulator.history.forecast import RecordForecast
from tests.hindcast.made_up_record import OBSERVED, RECORD
from tests.hindcast.small_hindcast import FORECASTS, ROWS, forecasts, row

SAMPLES = np.array([np.linspace(20, 24, 101), np.linspace(21, 25, 101)])
ARM = Made("x", RecordForecast(2018, (2019, 2020), SAMPLES), hindsight=True)


def test_every_year_has_the_quantile_levels_of_a_summary():
    rows = list(quantile_rows(ARM))
    assert [(row["target"], row["quantile"]) for row in rows] == [
        (year, level) for year in (2019, 2020) for level in LEVELS
    ]
    assert next(row["value"] for row in rows if row["target"] == 2020 and row["quantile"] == 0.25) == pytest.approx(22)
    assert all(row["hindsight"] for row in rows)


def test_a_threshold_is_scored_by_the_share_of_samples_above_it():
    level = (RECORD[7] + RECORD[8]) / 2  # passed in 2020
    rows = list(event_rows(ARM, OBSERVED, thresholds=[10**level]))
    assert [(row["target"], row["happened"]) for row in rows] == [(2019, False), (2020, True)]
    for each, samples in zip(rows, SAMPLES, strict=True):
        assert each["probability"] == np.mean(samples >= level)
        assert each["brier"] == pytest.approx((each["probability"] - each["happened"]) ** 2)


def test_what_had_been_passed_at_the_origin_is_no_forecast():
    assert not list(event_rows(ARM, OBSERVED, thresholds=[10 ** RECORD[6] * 0.99]))


def test_means_are_by_forecast_and_threshold():
    rows = list(event_rows(ARM, OBSERVED, thresholds=[1e23, 1e24]))
    table = {row["threshold"]: row for row in event_scores(made_table("events", rows)).rows()}
    assert table[1e23]["forecasts"] == 2
    assert table[1e23]["brier"] == pytest.approx(np.mean([row["brier"] for row in rows if row["threshold"] == 1e23]))
    assert table[1e24]["hindsight"]


def test_every_forecast_is_counted_in_one_bin_of_its_histogram() -> None:
    pits = 0.0, 0.2, 0.39, 0.5, 0.99, 1.0
    found = pit_table(forecasts([{**each, "pit": pit} for each, pit in zip(ROWS[:6], pits, strict=True)]))
    assert found["count"].tolist() == [1, 2, 1, 0, 2]
    assert set(found["expected"].tolist()) == {1.2}


@pytest.mark.parametrize("count", [1, 7, 40])
def test_binomial_quantiles_are_those_of_scipy(count: int) -> None:
    for level in (0.05, 0.5, 0.95):
        assert binomial_quantile(level, count, 0.2) == stats.binom.ppf(level, count, 0.2)


def test_the_interval_of_a_share_is_that_of_as_many_forecasts_as_there_are_years() -> None:
    (model,) = coverage_table(FORECASTS).where(forecast=MODEL, level=90).rows()
    assert [model[key] for key in ("inside", "forecasts", "targets", "seen_95")] == [6, 6, 4, 1.0]
    assert model["seen_05"] == pytest.approx(stats.beta.ppf(0.05, 4.5, 0.5))


def test_the_jeffreys_interval_covers_about_as_often_as_it_says() -> None:
    weights = stats.binom.pmf(np.arange(41), 40, 0.8)
    held = [low <= 0.8 <= high for low, high in (jeffreys(hits, 40) for hits in range(41))]
    assert weights[held].sum() == pytest.approx(0.9, abs=0.05)


def test_skill_by_years_ahead_has_the_crps_of_its_rows_and_an_interval_of_four_origins() -> None:
    rows = [
        row(name, origin, target, score * (target - origin))
        for name, score in ((MODEL, 0.1), ("other", 0.2))
        for origin in range(2017, 2021)
        for target in range(origin + 1, origin + 4)
    ]
    first, second = horizon_table(forecasts(rows)).rows()
    assert [first[key] for key in ("first_ahead", "last_ahead", "forecasts")] == [1, 1, 4]
    assert [second[key] for key in ("first_ahead", "last_ahead", "forecasts")] == [2, 3, 8]
    assert first["crps"] == pytest.approx(0.1)
    assert [second[key] for key in ("crps", "baseline_crps", "skill")] == pytest.approx([0.25, 0.5, 0.5])
    assert first["skill_05"] == pytest.approx(0.5)
    (alone,) = horizon_table(forecasts(rows).where(origin=2018)).where(first_ahead=1).rows()
    assert np.isnan([alone["skill_05"], alone["skill_95"]]).all()
    assert alone["skill"] == pytest.approx(0.5)

"""Quantiles of forecasts, and Brier scores of the record being above thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.counting import LEVELS
from simulator.hindcast_tables import Arm, event_rows, event_scores, quantile_rows
from simulator.posterior_forecast import RecordForecast
from tests.test_hindcast import OBSERVED, RECORD

SAMPLES = np.array([np.linspace(20, 24, 101), np.linspace(21, 25, 101)])
ARM = Arm("x", RecordForecast(2018, (2019, 2020), SAMPLES), hindsight=True)


def test_every_year_has_the_quantile_levels_of_a_summary():
    rows = list(quantile_rows(ARM))
    assert [(row.target, row.quantile) for row in rows] == [(year, level) for year in (2019, 2020) for level in LEVELS]
    assert next(row.value for row in rows if row.target == 2020 and row.quantile == 0.25) == pytest.approx(22)
    assert all(row.hindsight for row in rows)


def test_a_threshold_is_scored_by_the_share_of_samples_above_it():
    level = (RECORD[7] + RECORD[8]) / 2  # passed in 2020
    rows = list(event_rows(ARM, OBSERVED, thresholds=[10**level]))
    assert [(row.target, row.happened) for row in rows] == [(2019, False), (2020, True)]
    for row, samples in zip(rows, SAMPLES, strict=True):
        assert row.probability == np.mean(samples >= level)
        assert row.brier == pytest.approx((row.probability - row.happened) ** 2)


def test_what_had_been_passed_at_the_origin_is_no_forecast():
    assert not list(event_rows(ARM, OBSERVED, thresholds=[10 ** RECORD[6] * 0.99]))


def test_means_are_by_forecast_and_threshold():
    rows = list(event_rows(ARM, OBSERVED, thresholds=[1e23, 1e24]))
    table = {row.threshold: row for row in event_scores(rows)}
    assert table[1e23].forecasts == 2
    assert table[1e23].brier == pytest.approx(np.mean([row.brier for row in rows if row.threshold == 1e23]))
    assert table[1e24].hindsight

"""Scores agree with closed forms, and "not by the horizon" is scored, not dropped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator.errors import InputError
from simulator.hindcast.scores import (
    INTERVAL_LEVELS,
    PINBALL_LEVELS,
    brier,
    covered,
    crps,
    interval_score,
    log_score,
    pinball,
    pit,
)

NORMAL = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
CAME = [-1.5, 0.0, 0.4, 2.5]


@pytest.mark.parametrize("came", CAME)
def test_the_crps_of_a_normal_forecast(came):
    closed = came * (2 * stats.norm.cdf(came) - 1) + 2 * stats.norm.pdf(came) - 1 / np.sqrt(np.pi)
    assert crps(NORMAL, came) == pytest.approx(closed, abs=2e-4)


@pytest.mark.parametrize("came", CAME)
def test_the_pinball_loss_over_many_levels_is_half_the_crps(came):
    levels = (np.arange(500) + 0.5) / 500
    assert 2 * pinball(NORMAL, came, levels=levels) == pytest.approx(crps(NORMAL, came), abs=1e-3)


@pytest.mark.parametrize("came", CAME)
def test_the_interval_score_over_many_intervals_is_the_crps(came):
    levels = (np.arange(400) + 0.5) / 400
    assert interval_score(NORMAL, came, levels=levels) == pytest.approx(crps(NORMAL, came), rel=0.01)


def test_the_interval_score_by_hand():
    low, high = stats.norm.ppf([0.05, 0.95])
    outside = 0.05 * ((high - low) + 20 * (3.0 - high))
    assert interval_score(NORMAL, 3.0, levels=[0.9]) == pytest.approx((1.5 + outside) / 1.5, abs=2e-3)


@pytest.mark.parametrize("came", CAME[:3])
def test_the_log_score_of_a_normal_forecast(came):
    assert log_score(NORMAL, came) == pytest.approx(-stats.norm.logpdf(came), abs=0.02)


@pytest.mark.parametrize("shape", [(), (3,), (2, 4)])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_scores_are_those_of_scoringrules_to_the_bit(shape, size):
    import scoringrules

    rng = np.random.default_rng(size)
    draws, came = np.round(rng.normal(size=(*shape, size)), 2), np.round(rng.normal(size=shape), 2)  # with ties
    known = {"backend": "numpy"}
    assert np.array_equal(crps(draws, came), scoringrules.crps_ensemble(came, draws, estimator="qd", **known))
    for level in PINBALL_LEVELS:
        quantile = np.quantile(draws, level, axis=-1)
        theirs = scoringrules.quantile_score(came, quantile, level, **known)
        assert np.array_equal(pinball(draws, came, levels=[level]), theirs)
    for level in INTERVAL_LEVELS:
        low, high = np.quantile(draws, [(1 - level) / 2, 1 - (1 - level) / 2], axis=-1)
        theirs = (1 - level) / 2 * scoringrules.interval_score(came, low, high, 1 - level, **known)
        own = interval_score(draws, came, levels=[level])
        assert own == pytest.approx((np.abs(came - np.median(draws, axis=-1)) / 2 + theirs) / 1.5, rel=1e-15)
    happened = (came > 0).astype(float)
    assert np.array_equal(
        brier(np.abs(np.tanh(came)), happened), scoringrules.brier_score(happened, np.abs(np.tanh(came)), **known)
    )


def test_the_log_score_is_that_of_scoringrules_and_finite_far_away():
    import scoringrules

    draws = np.random.default_rng(0).standard_t(5, 300)
    for came in CAME:
        assert log_score(draws, came) == pytest.approx(scoringrules.logs_ensemble(came, draws, backend="numpy"))
    assert 1e3 < log_score(draws, 1e3) < np.inf


@pytest.mark.parametrize("came", CAME)
def test_the_transform_and_the_coverage_of_a_normal_forecast(came):
    assert pit(NORMAL, came) == pytest.approx(stats.norm.cdf(came), abs=1e-4)
    assert covered(NORMAL, came, level=0.8) == (abs(came) < stats.norm.ppf(0.9))


def test_the_brier_score():
    assert brier([0.0, 1.0, 0.25], [False, False, True]).tolist() == [0.0, 1.0, 0.5625]
    with pytest.raises(InputError, match="between 0 and 1"):
        brier(70, True)


@pytest.mark.parametrize("score", [crps, pinball, interval_score, pit])
def test_scores_work_along_leading_dimensions_and_ignore_the_order_of_samples(score):
    rng = np.random.default_rng(0)
    draws, came = rng.normal(size=(3, 2, 50)), rng.normal(size=(3, 2))
    one_by_one = [[float(score(draws[i, j], came[i, j])) for j in range(2)] for i in range(3)]
    np.testing.assert_allclose(score(rng.permuted(draws, axis=-1), came), one_by_one)


@given(
    st.lists(st.floats(2025, 2100) | st.just(np.inf), min_size=2, max_size=30), st.floats(2025, 2100) | st.just(np.inf)
)
def test_what_is_later_than_the_horizon_counts_as_one(years, came):
    late = [year if year <= 2045 else np.inf for year in years]
    for score in (crps, pinball, interval_score, pit):
        found = score(years, came, horizon=2045.0)
        assert np.isfinite(found)
        assert found == score(late, came if came <= 2045 else np.inf, horizon=2045.0)


def test_the_crps_up_to_a_horizon_is_the_integral_up_to_it():
    draws, came, horizon = np.array([2030.0, 2040.0, 2060.0, np.inf]), 2035.0, 2045.0
    grid = np.linspace(2020, horizon, 250_001)
    below = (draws[:, None] <= grid).mean(axis=0)
    integral = np.mean((below - (grid >= came)) ** 2) * 25
    assert crps(draws, came, horizon=horizon) == pytest.approx(integral, abs=1e-3)


def test_never_foreseen_is_a_good_forecast_of_never_and_inside_its_interval():
    sure, unsure = np.full(100, np.inf), np.where(np.arange(100) < 50, 2030.0, np.inf)
    assert crps(sure, np.inf, horizon=2045.0) == 0.0
    assert crps(unsure, np.inf, horizon=2045.0) == pytest.approx(0.25 * 15)
    assert covered(unsure, np.inf, level=0.9, horizon=2045.0)
    assert not covered(unsure, 2025.0, level=0.9, horizon=2045.0)
    assert pit(unsure, np.inf, horizon=2045.0) == 0.75


def test_the_log_score_parts_density_and_mass_at_the_horizon():
    draws = np.concatenate([2035 + NORMAL, np.full(NORMAL.size, np.inf)])
    assert log_score(draws, np.inf, horizon=2045.0) == pytest.approx(np.log(2), abs=1e-3)
    assert log_score(draws, 2035.0, horizon=2045.0) == pytest.approx(np.log(2) - stats.norm.logpdf(0), abs=0.02)
    with pytest.raises(InputError, match="must spread"):
        log_score([1.0, 1.0], 1.0)


@pytest.mark.parametrize("score", [crps, pinball, interval_score, log_score, pit])
def test_infinity_without_a_horizon_and_nan_are_refused(score):
    with pytest.raises(InputError, match="Give horizon="):
        score([2030.0, 2031.0, np.inf], 2035.0)
    with pytest.raises(InputError, match="not a number"):
        score([2030.0, np.nan], 2035.0, horizon=2045.0)

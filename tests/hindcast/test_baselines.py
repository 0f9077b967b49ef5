"""The simple forecasts have the means and spreads that they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulator.errors import InputError
from simulator.hindcast.baselines import BASELINES, FIXED_RATE, draw_baseline

YEARS = np.arange(2012.0, 2019.0)
RECORD = np.array([17.8, 18.4, 20.5, 20.6, 21.8, 21.8, 21.9])
SIZE = 40_000


def draw(name, *, target, record=RECORD):
    return draw_baseline(name, years=YEARS, record=record, target=target, size=SIZE, rng=np.random.default_rng(0))


def close_to(draws, distribution):
    assert stats.kstest(draws, distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("ahead", [1, 4])
def test_the_random_walk_steps_like_the_past(ahead):
    steps = np.diff(RECORD)
    expected = stats.norm(21.9 + ahead * steps.mean(), steps.std(ddof=1) * np.sqrt(ahead))
    close_to(draw("random walk", target=2018 + ahead), expected)


@pytest.mark.parametrize("ahead", [1, 4])
def test_the_lines_are_those_of_least_squares(ahead):
    line = stats.linregress(YEARS, RECORD)
    residuals = RECORD - line.intercept - line.slope * YEARS
    spread = np.sqrt((residuals**2).sum() / 5)
    squares = ((YEARS - 2015) ** 2).sum()
    jump = stats.t(5, 21.9 + line.slope * ahead, spread * np.sqrt(1 + ahead**2 / squares))
    close_to(draw("jump from last", target=2018 + ahead), jump)
    centre = line.intercept + line.slope * (2018 + ahead)
    wide = stats.t(5, centre, spread * np.sqrt(1 + 1 / 7 + (3 + ahead) ** 2 / squares))
    close_to(draw("regression line", target=2018 + ahead), wide)


def test_four_times_a_year_is_spread_like_its_own_errors():
    errors = RECORD[2:] - RECORD[:-2] - 2 * FIXED_RATE
    close_to(draw("4x a year", target=2020), stats.norm(21.9 + 2 * FIXED_RATE, np.sqrt(np.mean(errors**2))))
    single = np.diff(RECORD) - FIXED_RATE
    far = stats.norm(21.9 + 6 * FIXED_RATE, np.sqrt(np.mean(single**2) * 6))
    close_to(draw("4x a year", target=2024), far)


@pytest.mark.parametrize("name", BASELINES)
def test_perfect_growth_is_continued_exactly(name):
    draws = draw(name, target=2021, record=18 + FIXED_RATE * (YEARS - 2012))
    np.testing.assert_allclose(draws, 18 + FIXED_RATE * 9, atol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_too_short_a_record_and_a_past_target_are_refused(name):
    rng = np.random.default_rng(0)
    for years, target in ((YEARS[:2], 2020), (YEARS, 2018)):
        with pytest.raises(InputError, match=f"baseline {name}: needs at least 3 years"):
            draw_baseline(name, years=years, record=RECORD[: years.size], target=target, size=1, rng=rng)


def test_each_rule_goes_on_as_it_says() -> None:
    rng, years = np.random.default_rng(0), np.arange(2012.0, 2016.0)
    steady = np.array([18.0, 19.0, 20.0, 21.0])  # no scatter about the line
    for name in ("jump from last", "regression line", "random walk"):
        drawn = draw_baseline(name, years=years, record=steady, target=2017, size=2, rng=rng)
        assert drawn == pytest.approx([23.0, 23.0]), name
    uneven = np.array([18.0, 18.0, 20.0, 21.0])  # four steps of 1, each with a spread of 1
    drawn = draw_baseline("random walk", years=years, record=uneven, target=2019, size=100_000, rng=rng)
    assert (drawn.mean(), drawn.std()) == (pytest.approx(25.0, abs=0.03), pytest.approx(2.0, abs=0.03))
    record = 18.0 + np.log10(4) * np.arange(4)  # as the rule says, so without a spread
    drawn = draw_baseline("4x a year", years=years, record=record, target=2017, size=1, rng=rng)
    assert 10 ** (drawn - record[-1]) == pytest.approx([16.0])

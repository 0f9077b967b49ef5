"""The equations of growth against closed forms, mpmath at 50 digits, and the laws they obey."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model import growth

mpmath.mp.dps = 50

YEARS = np.arange(2025.0, 2051.0)
# Rounding of a level of order x in float64, a few operations long.
ULPS = 8 * np.finfo(np.float64).eps

rates = st.floats(-1.0, 3.0)
dates = st.floats(2020.0, 2055.0)
levels = st.floats(-40.0, 400.0)


def constant_growth(years, rate, base=2025.0):
    return growth.regime_growth(years, base=base, starts=[-np.inf], rates=[rate], half_lives=[None], floors=[None])


def two_regimes(years, first, second, date, base=2025.0, half_life=None, floor=None):
    return growth.regime_growth(
        years,
        base=base,
        starts=[-np.inf, date],
        rates=[first, second],
        half_lives=[half_life, half_life],
        floors=[floor, floor],
    )


def test_a_constant_rate_grows_in_proportion_to_the_time_from_the_base():
    rate = np.array([0.5, -0.25])
    np.testing.assert_allclose(constant_growth(YEARS, rate), rate[:, None] * (YEARS - 2025.0), rtol=1e-15)


def test_parameters_without_a_sample_axis_give_one_row():
    assert constant_growth(YEARS, 0.5).shape == (1, YEARS.size)
    assert two_regimes(YEARS, 0.5, np.ones(7), 2030.0).shape == (7, YEARS.size)


@given(first=rates, second=rates, date=dates, base=dates)
def test_growth_under_two_regimes_is_the_signed_integral_of_the_rate(first, second, date, base):
    at_base, at_year = (np.minimum(t, date) * first + np.maximum(t - date, 0.0) * second for t in (base, YEARS))
    got = two_regimes(YEARS, first, second, date, base)[0]
    np.testing.assert_allclose(got, at_year - at_base, atol=1e-11)


@given(
    first=rates,
    second=rates,
    date=dates,
    half_life=st.floats(0.1, 50.0),
    floor=st.floats(0.0, 0.5),
    base=dates,
)
def test_decaying_growth_is_the_numerical_integral_of_the_rate(first, second, date, half_life, floor, base):
    def rate(t):
        if t < date:
            return floor + (first - floor) * 2.0 ** (-max(t - base, 0.0) / half_life)
        return floor + (second - floor) * 2.0 ** (-(t - date) / half_life)

    nodes, weights = np.polynomial.legendre.leggauss(60)
    got = two_regimes(np.array([2023.0, 2047.0]), first, second, date, base, half_life, floor)[0]
    for year, value in zip([2023.0, 2047.0], got, strict=True):
        low, high = min(base, year), max(base, year)
        inside = [date] if low < date < high else []
        points = [low, *inside, high]
        total = 0.0
        for left, right in itertools.pairwise(points):
            middle, half = (left + right) / 2, (right - left) / 2
            # On 60 nodes a decay over at most 350 half-lives is integrated to about 1e-9 at worst.
            total += half * sum(w * rate(middle + half * x) for x, w in zip(nodes, weights, strict=True))
        assert value == pytest.approx(np.sign(year - base) * total, abs=1e-8, rel=1e-8)


def test_a_decaying_rate_adds_its_half_lives_worth_over_all_time():
    got = growth.regime_growth(
        [2025.0, 2028.0, 3025.0], base=2025.0, starts=[-np.inf], rates=[0.6], half_lives=[3.0], floors=[None]
    )
    np.testing.assert_allclose(got, [[0.0, 0.3 * 3 / np.log(2), 0.6 * 3 / np.log(2)]], rtol=1e-14)


def test_an_endless_half_life_is_a_constant_rate_and_a_tiny_one_is_the_floor():
    endless = growth.regime_growth(YEARS, base=2025.0, starts=[-np.inf], rates=[0.6], half_lives=[np.inf], floors=[0.1])
    np.testing.assert_allclose(endless, constant_growth(YEARS, 0.6), rtol=1e-14)
    tiny = growth.regime_growth(YEARS, base=2025.0, starts=[-np.inf], rates=[0.6], half_lives=[1e-12], floors=[0.1])
    np.testing.assert_allclose(tiny, constant_growth(YEARS, 0.1), atol=1e-12)


def test_before_the_base_a_decaying_first_regime_holds_its_rate():
    got = growth.regime_growth(
        [1925.0, 2024.0], base=2025.0, starts=[-np.inf], rates=[0.6], half_lives=[1.0], floors=[None]
    )
    np.testing.assert_allclose(got, [[-60.0, -0.6]], rtol=1e-14)


def test_a_later_regime_drawn_too_early_waits_for_the_earlier_one():
    swapped = growth.regime_growth(
        YEARS,
        base=2025.0,
        starts=[-np.inf, 2035.0, 2030.0],
        rates=[0.5, 9.0, 0.1],
        half_lives=[None] * 3,
        floors=[None] * 3,
    )
    np.testing.assert_allclose(swapped, two_regimes(YEARS, 0.5, 0.1, 2035.0), atol=1e-13)


def test_a_regime_that_never_starts_changes_nothing():
    never = two_regimes(YEARS, 0.5, 9.0, np.array([np.inf, 1e9]), half_life=4.0)
    alone = growth.regime_growth(YEARS, base=2025.0, starts=[-np.inf], rates=[0.5], half_lives=[4.0], floors=[None])
    np.testing.assert_array_equal(never, np.repeat(alone, 2, axis=0))


@given(first=rates, second=rates, date=dates, base=dates, half_life=st.none() | st.floats(0.1, 50.0))
def test_a_finer_step_and_a_later_horizon_agree_on_shared_years(first, second, date, base, half_life):
    coarse = two_regimes(YEARS, first, second, date, base, half_life)
    months = 2025.0 + np.arange(12 * 50 + 1) / 12.0
    fine = two_regimes(months, first, second, date, base, half_life)
    np.testing.assert_array_equal(fine[:, : 12 * 26 : 12], coarse)


def test_growth_is_zero_at_each_samples_own_base():
    base = np.array([2020.0, 2030.0, 2060.0])
    got = two_regimes([2020.0, 2030.0, 2060.0], np.array([0.3, 0.4, 0.5]), 0.1, 2028.0, base, 3.0)
    np.testing.assert_array_equal(np.diag(got), 0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rates": [0.5, 0.1]}, "rates: must have one value per regime"),
        ({"starts": [2025.0]}, r"starts\[0\]: must be -inf; got 2025.0"),
        ({"half_lives": [0.0]}, "half_lives: must be above 0 years; got 0.0"),
        ({"half_lives": [np.nan]}, "half_lives: must be above 0 years; got nan"),
    ],
)
def test_faulty_regimes_are_refused_with_the_rule_and_what_was_given(changes, words):
    regimes = {"starts": [-np.inf], "rates": [0.5], "half_lives": [None], "floors": [None]} | changes
    with pytest.raises(ValueError, match=words):
        growth.regime_growth(YEARS, base=2025.0, **regimes)


def test_a_random_walk_adds_a_ramp_for_each_shock_from_the_base_on():
    rng = np.random.default_rng(0)
    shocks, sd = rng.normal(size=(5, 10)), rng.uniform(0.0, 0.3, 5)
    base, shock_years = np.array([2000.0, 2025.0, 2027.5, 2033.0, 2090.0]), np.arange(2025.0, 2035.0)
    years = np.linspace(2020.0, 2045.0, 101)
    ramps = np.maximum(0.0, years - shock_years[:, None])
    expected = sd[:, None] * np.where(shock_years >= base[:, None], shocks, 0.0) @ ramps
    got = growth.random_walk_growth(years, base=base, sd=sd, shocks=shocks, shock_years=shock_years)
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_a_later_horizon_or_finer_step_changes_no_earlier_year_of_a_random_walk():
    shocks = np.random.default_rng(1).normal(size=(50, 40))
    late = 2025.0 + np.arange(40.0)
    short = growth.random_walk_growth(YEARS, base=2025.0, sd=0.1, shocks=shocks[:, :26], shock_years=YEARS)
    months = 2025.0 + np.arange(12 * 39 + 1) / 12.0
    long = growth.random_walk_growth(months, base=2025.0, sd=0.1, shocks=shocks, shock_years=late)
    np.testing.assert_array_equal(long[:, : 12 * 26 : 12], short)


def test_the_spread_of_a_random_walk_is_that_of_an_integrated_walk():
    shocks = np.random.default_rng(2).normal(size=(40_000, 10))
    got = growth.random_walk_growth([2035.0], base=2025.0, sd=0.2, shocks=shocks, shock_years=2025.0 + np.arange(10))
    variance = 0.2**2 * sum(k**2 for k in range(1, 11))
    # The relative standard error of a variance from n normal draws is sqrt(2 / n); 5 of them.
    assert np.var(got) == pytest.approx(variance, rel=5 * np.sqrt(2 / 40_000))


def test_a_random_walk_refuses_shocks_that_do_not_match_their_years():
    with pytest.raises(ValueError, match=r"shocks: must have one value per shock year.*got 3 for 2"):
        growth.random_walk_growth(YEARS, base=2025, sd=0.1, shocks=np.zeros((4, 3)), shock_years=[2025, 2026])
    with pytest.raises(ValueError, match="shock_years: must be strictly increasing"):
        growth.random_walk_growth(YEARS, base=2025, sd=0.1, shocks=np.zeros((4, 2)), shock_years=[2026, 2025])


def test_a_table_is_read_at_its_points_and_on_the_line_between_them():
    got = growth.table_growth([2025, 2026, 2030, 2032], table_years=[2025, 2030, 2032], table_levels=[1, 2, 0])
    np.testing.assert_allclose(got, [1.0, 1.2, 2.0, 0.0], rtol=1e-15)


@pytest.mark.parametrize("year", [2024.9, 2032.1, np.nan])
def test_a_year_outside_the_table_is_refused(year):
    with pytest.raises(ValueError, match="must lie within 2025 to 2032; got"):
        growth.table_growth([2026.0, year], table_years=[2025, 2032], table_levels=[1, 2])


@given(terms=st.lists(st.floats(-320.0, 1e4), min_size=1, max_size=6))
def test_a_log_sum_is_the_sum(terms):
    expected = float(mpmath.log10(mpmath.fsum(mpmath.mpf(10) ** mpmath.mpf(t) for t in terms)))
    assert growth.log_sum(terms) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_a_log_sum_keeps_small_terms_zeros_and_infinities():
    assert growth.log_sum([0.0, -30.0]) == pytest.approx(1e-30 / np.log(10), rel=1e-13)
    assert growth.log_sum([5.3, -np.inf]) == 5.3
    assert growth.log_sum([-np.inf, -np.inf]) == -np.inf
    assert growth.log_sum([np.inf, np.inf]) == np.inf
    assert growth.log_sum([]) == -np.inf


@given(level=st.floats(-300.0, 300.0), gap=st.floats(1e-9, 400.0))
def test_a_log_difference_undoes_a_log_sum(level, gap):
    part = level - gap
    exact_gap = mpmath.mpf(level) - mpmath.mpf(part)
    expected = mpmath.mpf(level) + mpmath.log10(-mpmath.expm1(-exact_gap * mpmath.log(10)))
    assert growth.log_difference(level, part) == pytest.approx(float(expected), rel=1e-14, abs=1e-13)


def test_a_difference_that_is_not_positive_is_nan():
    got = growth.log_difference([1.0, 1.0, -np.inf, 1.0, 1.0], [1.0, 2.0, -np.inf, -np.inf, np.inf])
    np.testing.assert_array_equal(got, [np.nan, np.nan, np.nan, 1.0, np.nan])


def test_a_stock_fed_by_exponential_growth_is_its_closed_form_on_any_grid():
    rate = np.array([0.5, -0.3, 1e-12, 0.0, 40.0])
    start = np.array([24.0, 25.0, 26.0, -np.inf, 3.0])
    for years in (YEARS, np.array([2025.0, 2025.1, 2031.0, 2050.0])):
        flow = 25.0 + rate[:, None] * (years - 2025.0)
        got = growth.accumulate(years, flow, log_start=start)
        for row in range(rate.size):
            slope = mpmath.mpf(rate[row]) * mpmath.log(10)
            for column, year in enumerate(years):
                time = mpmath.mpf(year) - 2025
                grown = mpmath.expm1(slope * time) / slope if rate[row] else time
                stock = mpmath.mpf(10) ** 25 * grown
                if np.isfinite(start[row]):
                    stock += mpmath.mpf(10) ** mpmath.mpf(start[row])
                expected = float(mpmath.log10(stock)) if stock else -np.inf
                assert got[row, column] == pytest.approx(expected, rel=1e-13)


def test_a_stock_without_flow_stays_at_its_start():
    got = growth.accumulate(YEARS, np.full((1, YEARS.size), -np.inf), log_start=[26.3, -np.inf])
    np.testing.assert_allclose(got, np.repeat([[26.3], [-np.inf]], YEARS.size, axis=1), rtol=1e-15)


@given(flow=st.lists(st.floats(-20.0, 40.0), min_size=2, max_size=12), start=st.floats(-20.0, 40.0))
def test_a_stock_never_falls_and_begins_at_its_start(flow, start):
    got = growth.accumulate(2025.0 + np.arange(len(flow)), flow, log_start=start)[0]
    assert got[0] == start
    assert np.all(np.diff(got) >= -ULPS * 60)


def test_a_finer_grid_gives_the_same_stock_where_the_log_flow_is_linear():
    months = 2025.0 + np.arange(301) / 12.0
    fine = growth.accumulate(months, 20 + 0.4 * (months - 2025.0), log_start=[19.0])
    coarse = growth.accumulate(YEARS, 20 + 0.4 * (YEARS - 2025.0), log_start=[19.0])
    np.testing.assert_allclose(fine[:, ::12], coarse, rtol=1e-13)


def test_a_stock_refuses_a_grid_that_does_not_match_or_run_forward():
    with pytest.raises(ValueError, match=r"log_flow: must have one value per year.*got 1 for 2"):
        growth.accumulate([2025, 2026], [1.0], log_start=0.0)
    with pytest.raises(ValueError, match="years: must be strictly increasing"):
        growth.accumulate([2026, 2025], [1.0, 1.0], log_start=0.0)


@given(compute=st.floats(0.0, 60.0), values=st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4))
def test_feedback_follows_the_line_through_its_points_and_is_constant_beyond(compute, values):
    points = [20.0, 24.0, 25.0, 40.0]
    expected = 10.0 ** np.interp(compute, points, values)
    one = growth.Multiplier.of(points, values).at(np.array([compute]))
    assert one == pytest.approx([expected], rel=1e-13)


def test_feedback_points_may_differ_by_sample_and_some_can_be_taken():
    compute, points = np.array([19.0, 30.0, 45.0]), [20.0, 24.0, 40.0]
    values = np.array([[0.0, 0.1, 0.5], [0.0, 0.0, 0.0], [1.0, -1.0, 2.0]])
    multiplier = growth.Multiplier.of(points, [*values.T])
    expected = [10.0 ** np.interp(c, points, v) for c, v in zip(compute, values, strict=True)]
    np.testing.assert_allclose(multiplier.at(compute), expected, rtol=1e-13)
    np.testing.assert_array_equal(
        multiplier.taken(np.array([2, 0])).at(compute[[2, 0]]), multiplier.at(compute)[[2, 0]]
    )


def test_feedback_of_one_point_is_constant_and_unmatched_points_are_refused():
    got = growth.Multiplier.of([26.0], [1.0]).at(np.array([1.0, 99.0]))
    np.testing.assert_allclose(got, [10.0, 10.0], rtol=1e-15)
    with pytest.raises(ValueError, match=r"log_multipliers: must have one value per point.*got 3 for 2"):
        growth.Multiplier.of([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="log_points: must be strictly increasing"):
        growth.Multiplier.of([2.0, 2.0], [1.0, 2.0])


def test_random_steps_add_up_at_whole_years_and_a_later_horizon_changes_no_bit():
    rng = np.random.default_rng(2)
    shocks = rng.standard_normal((50, 6))
    dates = np.arange(2026, 2032)
    sd = rng.uniform(0.0, 0.3, 50)
    grown = growth.random_step_growth(dates, base=2025.0, sd=sd, shocks=shocks, shock_years=dates)
    np.testing.assert_allclose(grown, np.cumsum(sd[:, None] * shocks, axis=1), atol=1e-12)
    sooner = growth.random_step_growth(
        [2025.3, 2028.0], base=2025.0, sd=sd, shocks=shocks[:, :3], shock_years=dates[:3]
    )
    later = growth.random_step_growth([2025.3, 2028.0], base=2025.0, sd=sd, shocks=shocks, shock_years=dates)
    np.testing.assert_array_equal(sooner, later)


def test_a_broken_first_year_scatters_by_the_root_of_its_length():
    step = growth.random_step_growth(
        [2025.0, 2025.75, 2026.0], base=2025.75, sd=0.2, shocks=[[1.0]], shock_years=[2026]
    )
    np.testing.assert_allclose(step, [[0.0, 0.0, 0.1]])


def test_random_steps_need_shock_years_after_their_base():
    with pytest.raises(ValueError, match="must come after base 2026"):
        growth.random_step_growth([2027], base=2026.0, sd=0.1, shocks=[[1.0]], shock_years=[2026])

"""Quantiles with censored values, streamed histograms, standard errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from simulator.errors import SimulatorError
from simulator.runs.estimates import (
    Moments,
    at_date,
    difference_error,
    effective_samples,
    quantile_error,
    sample_quantiles,
    smoothed_logs,
    sorted_quantiles,
    sum_error,
    weighted_quantiles,
)
from simulator.runs.histograms import Histogram, histogram_bytes, merge_all

LEVELS = [0.0, 0.01, 0.25, 0.5, 0.77, 0.99, 1.0]
numbers = st.floats(-50, 50)
samples = arrays(float, st.integers(1, 60), elements=numbers)


@given(arrays(float, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=numbers))
def test_quantiles_are_those_of_numpy(values: np.ndarray) -> None:
    np.testing.assert_allclose(sample_quantiles(values, LEVELS), np.quantile(values, LEVELS, axis=0), atol=1e-12)


@given(samples, st.integers(1, 60))
def test_censored_values_are_never_dropped(values: np.ndarray, censored: int) -> None:
    whole = np.concatenate([values, np.full(censored, np.inf)])
    found = sample_quantiles(whole, LEVELS)
    last = values.size - 1
    place = (whole.size - 1) * np.array(LEVELS)
    assert (np.isinf(found) == (place > last)).all()
    # Any value above all others gives the same finite quantiles.
    instead = np.quantile(np.concatenate([values, np.full(censored, 1e6)]), LEVELS)
    np.testing.assert_allclose(found[place <= last], instead[place <= last], atol=1e-9)


def test_the_samples_keep_their_order() -> None:
    values = np.array([3.0, 1.0, np.inf, 2.0])
    sample_quantiles(values, LEVELS)
    assert values.tolist() == [3.0, 1.0, np.inf, 2.0]


def test_quantiles_of_nothing_but_censored_values_are_censored() -> None:
    assert np.isposinf(sorted_quantiles(np.full(7, np.inf), LEVELS)).all()


@given(arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 50)), elements=st.one_of(numbers, st.just(np.inf))))
def test_a_histogram_gives_the_quantiles_of_the_samples_to_one_bin(values: np.ndarray) -> None:
    histogram = Histogram(values.shape[0])
    histogram.add(values)
    found, exact = histogram.quantiles(LEVELS), sorted_quantiles(np.sort(values, axis=-1), LEVELS)
    assert (np.isinf(found) == np.isinf(exact)).all()
    np.testing.assert_allclose(found[np.isfinite(found)], exact[np.isfinite(exact)], rtol=0, atol=1 / 1024)


@given(
    st.lists(arrays(float, (2, 5), elements=st.one_of(numbers, st.just(np.inf))), min_size=2, max_size=5),
    st.randoms(use_true_random=False),
)
def test_the_order_of_additions_and_merges_does_not_matter(parts: list[np.ndarray], random: object) -> None:
    def added(order: list[np.ndarray]) -> np.ndarray:
        histogram = Histogram(2)
        for part in order:
            histogram.add(part)
        return histogram.quantiles(LEVELS)

    merged = Histogram(2)
    for part in parts:
        other = Histogram(2)
        other.add(part)
        merged.merge(other)
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(added(parts), added(shuffled))
    np.testing.assert_array_equal(added(parts), merged.quantiles(LEVELS))


def test_one_histogram_under_two_names_is_added_to_once_and_parts_where_what_comes_does() -> None:
    def of(*values: float) -> Histogram:
        histogram = Histogram(1)
        histogram.add(np.array([values]))
        return histogram

    first, second = of(1.0, 2.0), of(3.0)
    (held,) = merge_all([], [{"had": first, "demanded": first}])
    assert merge_all([held], [{"had": second, "demanded": second}]) == [held]
    assert held["had"] is held["demanded"]
    assert held["had"].count == 3
    merge_all([held], [{"had": of(4.0), "demanded": of(9.0)}])
    for name, last in (("had", 4.0), ("demanded", 9.0)):
        np.testing.assert_array_equal(held[name].quantiles(LEVELS), of(1.0, 2.0, 3.0, last).quantiles(LEVELS))
    assert second.count == 1


def test_a_histogram_of_no_rows_has_no_quantiles() -> None:
    histogram = Histogram(0)
    histogram.add(np.empty((0, 5)))
    assert histogram.quantiles(LEVELS).shape == (7, 0)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_a_histogram_refuses_what_is_no_number(bad: float) -> None:
    with pytest.raises(SimulatorError, match="counting samples: values must be numbers"):
        Histogram(1).add(np.array([[1.0, bad]]))


def test_a_histogram_refuses_values_too_far_apart_and_names_the_way_out() -> None:
    with pytest.raises(SimulatorError, match="--keep trajectories"):
        Histogram(1).add(np.array([[0.0, 1e5]]))


@pytest.mark.parametrize(("blocks", "partial"), [(4, 0), (16, 100)])
def test_the_error_over_parts_is_the_standard_error_of_the_mean_over_a_run(blocks: int, partial: int) -> None:
    """Over many runs of independent samples, its square is the variance of the mean on average."""
    rng = np.random.default_rng(5)
    size, runs = 256, 400
    means = rng.normal(size=(blocks, runs)) / np.sqrt(size)
    error = Moments.of(means).mean_error((blocks * size + partial) / size)
    exact = 1 / (blocks * size + partial)
    relative = np.sqrt(2 / (blocks - 1) / runs)
    student = stats.t.ppf(stats.norm.cdf(2), blocks - 1) / 2
    assert np.mean(error**2) == pytest.approx(exact * student**2, rel=4 * relative)


@pytest.mark.parametrize("cuts", [(3,), (0, 7), (1, 2, 19)])
def test_moments_that_are_merged_are_those_of_all_parts(cuts: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=(20, 3))
    pieces = np.split(values, cuts)
    total = Moments.of(pieces[0])
    for piece in pieces[1:]:
        total.merge(Moments.of(piece))
    assert total.parts == 20
    np.testing.assert_allclose(total.mean, values.mean(axis=0), rtol=1e-13)
    student = stats.t.ppf(stats.norm.cdf(2), 19) / 2
    np.testing.assert_allclose(total.mean_error(20), student * values.std(axis=0, ddof=1) / np.sqrt(20), rtol=1e-12)


def test_an_error_that_cannot_be_told_is_nan() -> None:
    assert np.isnan(Moments.of(np.ones((1, 3))).mean_error(1.2)).all()
    assert Moments.of(np.ones((2, 3))).mean_error(2).tolist() == [0, 0, 0]
    some = Moments.of(np.array([[1.0, np.inf], [2.0, 3.0]]))
    assert np.isnan(some.mean_error(2)).tolist() == [False, True]
    some.merge(Moments.of(np.array([[1.5, 4.0], [2.5, 5.0]])))
    assert np.isnan(some.mean_error(4)).tolist() == [False, True]


def test_a_histogram_comes_back_from_its_arrays() -> None:
    held = Histogram(3)
    held.add(np.array([[1.0, 2.0, np.inf], [np.inf] * 3, [-3.5, -3.4, 7.25]]))
    again = Histogram.from_arrays(held.arrays())
    again.add(np.array([[0.5], [0.5], [0.5]]))
    held.add(np.array([[0.5], [0.5], [0.5]]))
    np.testing.assert_array_equal(again.quantiles([0.0, 0.3, 0.6, 1.0]), held.quantiles([0.0, 0.3, 0.6, 1.0]))


def test_the_error_of_a_quantile_is_that_of_the_probability_over_its_density() -> None:
    """Crossing years that are normal: error of p / density, at a yearly step too."""
    law, levels = stats.norm(2035, 4), np.array([0.01, 0.1, 0.5, 0.9, 0.99])
    for step in (0.25, 1.0):
        years = np.arange(2015.0, 2055.5, step)
        share = law.cdf(years)
        plain = np.sqrt(share * (1 - share) / 40_000)
        found = quantile_error(levels, years, share, 0.5 * plain, samples=40_000, read=law.ppf)
        exact = 0.5 * np.sqrt(levels * (1 - levels) / 40_000) / law.pdf(law.ppf(levels))
        np.testing.assert_allclose(found, exact, rtol=0.01)
        nothing = quantile_error(levels, years, share, np.full(years.size, np.nan), samples=40_000, read=law.ppf)
        np.testing.assert_allclose(nothing, 2 * exact, rtol=0.01)  # that of independent samples


def test_a_quantile_that_is_censored_or_passed_at_the_start_has_no_error() -> None:
    years = np.array([2025.0, 2030.0])
    share = np.array([0.4, 0.7])
    known = {
        "samples": 100,
        "read": lambda levels: np.where(levels < 0.4, 2025.0, np.where(levels < 0.7, 2028.0, np.inf)),
    }
    errors = quantile_error([0.2, 0.5, 0.9], years, share, np.array([0.01, 0.01]), **known)
    assert np.isnan(errors).tolist() == [True, False, True]


def test_the_error_of_a_sum_is_that_of_its_blocks_and_of_independent_samples_where_they_are_few():
    terms = np.random.default_rng(4).normal(size=50_000)
    assert sum_error(terms, block=500) == pytest.approx(np.sqrt(50_000), rel=0.25)  # of 100 blocks: rel 0.07 by chance
    assert sum_error(terms[:3500], block=500) == pytest.approx(np.sqrt(np.square(terms[:3500]).sum()))
    even = np.concatenate([part - part.mean() for part in np.split(terms, 100)])  # each block is spread evenly
    assert sum_error(even, block=500) < 1e-6
    assert sum_error(np.concatenate([even, [1.0]]), block=500) == pytest.approx(1.0, rel=0.05)  # the last is shorter


def test_the_error_of_a_difference_on_common_draws_is_that_of_the_samples_that_change_sides() -> None:
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        values = rng.random(10_000)
        moved = values + np.where(rng.random(10_000) < 0.5, 0.02, 0.0)  # the median rises by 0.01
        found.append([difference_error(values, moved, level=level, block=500) for level in (0.5, None)])
    # A hundredth of the samples changes sides of the median, one half each way, where the density is 1; a mean of steps
    # of 0 or 0.02 has 0.01 / 100, and one sample 1 / 10,000.
    assert np.mean(found, axis=0) == pytest.approx([np.sqrt(0.01 / 10_000), np.hypot(1e-4, 1e-4)], rel=0.25)
    assert difference_error(values, values, level=0.5, block=500) == 0.0
    assert difference_error(values, values + 1.0, level=0.5, block=500) == pytest.approx(1e-4, rel=0.2)
    assert np.isnan(difference_error(values, np.full(10_000, np.inf), level=0.5, block=500))


tied = st.lists(st.sampled_from([1.0, 2.0, 2.5, 7.0, np.inf]), min_size=1, max_size=20)


@given(tied, st.floats(0.01, 100))
def test_equal_weights_give_the_quantiles_of_the_samples(drawn, weight):
    levels = [0.0, 0.1, 0.5, 0.77, 1.0]
    ours = weighted_quantiles(np.array(drawn), np.full(len(drawn), weight), levels)
    theirs = sample_quantiles(np.array(drawn), levels)
    assert ours.tolist() == pytest.approx(theirs.tolist())


def test_samples_without_weight_might_as_well_not_be_there():
    rng = np.random.default_rng(1)
    drawn, weights = rng.normal(size=200), rng.uniform(size=200)
    weights[::3] = 0
    kept = weights > 0
    levels = [0.05, 0.5, 0.95]
    assert (
        weighted_quantiles(drawn, weights, levels).tolist()
        == weighted_quantiles(drawn[kept], weights[kept], levels).tolist()
    )


def test_weighted_quantiles_of_many_samples_are_those_of_the_weighted_law():
    drawn = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    weights = np.exp(0.5 * drawn)  # turns N(0, 1) into N(0.5, 1)
    found = weighted_quantiles(drawn, weights, [0.05, 0.5, 0.95])
    assert found == pytest.approx(stats.norm.ppf([0.05, 0.5, 0.95], 0.5), abs=2e-3)


def test_effective_samples_are_at_most_as_many_and_all_with_equal_weights():
    assert effective_samples(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_samples(np.array([1.0, 0.0])) == 1.0


def test_smoothing_finds_the_tail_of_pareto_weights_and_keeps_what_is_below():
    logs = 0.6 * np.random.default_rng(3).exponential(size=20_000)  # weights of tail index 0.6
    smooth, khat = smoothed_logs(logs)
    assert khat == pytest.approx(0.6, abs=4 * 1.6 / np.sqrt(424))  # of the 424 largest
    assert (np.abs(smooth - logs) > 1e-9).sum() <= 424
    assert smooth.max() <= logs.max() + 1e-9
    few = np.where(np.arange(20_000) % 40 == 0, 0.0, np.minimum(logs, -1.0))  # the largest are all alike
    assert smoothed_logs(few)[1] == -np.inf


def test_between_two_years_numbers_lie_on_a_straight_line_and_what_stays_infinite_stays():
    years, values = np.array([2030.0, 2031.0, 2033.0]), np.array([[1.0, 2.0, 6.0], [np.inf, np.inf, np.inf]])
    for date, told in {2030.0: 1.0, 2031.0: 2.0, 2031.5: 3.0, 2033.0: 6.0}.items():
        assert at_date(values, years, date).tolist() == [told, np.inf]
    assert at_date(np.array([1, np.inf, np.inf]), years, 2030.5) == np.inf


def test_the_size_of_a_histogram_is_known_before_it_is_made() -> None:
    values = np.random.default_rng(1).normal(0.0, [[1.0], [3.0], [0.0]], (3, 500))
    values[0, :5] = np.inf
    held = Histogram(3)
    held.add(values)
    bins = held.arrays()["counts"].nbytes
    assert bins <= histogram_bytes(values) <= bins + 3 * 2 * 8 + 8
    assert histogram_bytes(np.full((2, 4), np.inf)) == 8.0

"""Crossing years against closed forms, a plain loop, and the laws of censoring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulator.crossing import first_crossing

YEARS = np.array([2025.0, 2026.0, 2028.0, 2030.0, 2040.0])

# Levels are rounded: a crossing that is nearer to a year than rounding can tell would be dated on that year.
levels = st.floats(-5.0, 5.0).map(lambda value: round(value, 6))
paths = arrays(np.float64, (6, YEARS.size), elements=st.integers(-5, 5).map(float) | levels)
thresholds = arrays(np.float64, 6, elements=st.integers(-6, 6).map(float) | st.just(np.inf) | levels)


def crossing_by_loop(level, threshold, falling):
    """Return the crossing year of one path by looking at one step after another."""
    sign = -1.0 if falling else 1.0
    if threshold == np.inf:
        return np.inf
    if sign * level[0] >= sign * threshold:
        return YEARS[0]
    for left, right in zip(range(YEARS.size - 1), range(1, YEARS.size), strict=True):
        if sign * level[right] >= sign * threshold:
            return np.interp(sign * threshold, sign * level[[left, right]], YEARS[[left, right]])
    return np.inf


def test_a_straight_path_crosses_where_its_line_does():
    rate, threshold = np.array([0.5, 0.25, 2.0]), np.array([26.0, 27.0, 31.0])
    level = 25.0 + rate[:, None] * (YEARS - 2025.0)
    year, already = first_crossing(YEARS, level, threshold)
    np.testing.assert_allclose(year, 2025.0 + (threshold - 25.0) / rate, rtol=1e-15)
    assert not already.any()


@given(level=paths, threshold=thresholds, falling=st.booleans())
def test_every_path_crosses_where_a_plain_loop_says(level, threshold, falling):
    year, already = first_crossing(YEARS, level, threshold, falling=falling)
    expected = [crossing_by_loop(row, limit, falling) for row, limit in zip(level, threshold, strict=True)]
    np.testing.assert_allclose(year, expected, rtol=1e-12)
    assert not np.isnan(year).any()
    there = level[:, 0] <= threshold if falling else level[:, 0] >= threshold
    np.testing.assert_array_equal(already, there & (threshold < np.inf))
    assert np.all((year >= YEARS[0]) & ((year <= YEARS[-1]) | (year == np.inf)))


@given(level=paths, threshold=thresholds, more=st.floats(0.0, 3.0))
def test_a_higher_threshold_is_never_crossed_earlier(level, threshold, more):
    year, _ = first_crossing(YEARS, level, threshold)
    later, _ = first_crossing(YEARS, level, threshold + more)
    assert np.all(later >= year - 1e-9)


@given(level=paths, threshold=thresholds)
def test_a_later_horizon_changes_no_crossing_before_it(level, threshold):
    year, _ = first_crossing(YEARS, level, threshold)
    short, _ = first_crossing(YEARS[:3], level[:, :3], threshold)
    np.testing.assert_array_equal(short, np.where(year <= YEARS[2], year, np.inf))


@given(level=paths, threshold=thresholds, order=st.permutations(range(6)))
def test_the_order_of_samples_changes_nothing(level, threshold, order):
    year, already = first_crossing(YEARS, level, threshold)
    shuffled = first_crossing(YEARS, level[order], threshold[order])
    np.testing.assert_array_equal(shuffled[0], year[order])
    np.testing.assert_array_equal(shuffled[1], already[order])


@pytest.mark.parametrize("falling", [False, True])
def test_a_threshold_of_infinity_is_never_met_in_either_direction(falling):
    year, already = first_crossing(YEARS, [[1.0, 2.0, 3.0, 4.0, np.inf]], np.inf, falling=falling)
    assert year.tolist() == [np.inf]
    assert already.tolist() == [False]


def test_a_path_that_returns_counts_its_first_crossing_only():
    level = [[0.0, 2.0, 0.0, 2.0, 2.0]]
    assert first_crossing(YEARS, level, 1.0)[0].tolist() == [2025.5]
    assert first_crossing(YEARS, level, 2.0)[0].tolist() == [2026.0]


def test_a_falling_threshold_is_met_from_above():
    level = [[5.0, 4.0, 2.0, 2.0, 1.0]]
    year, already = first_crossing(YEARS, level, [3.0, 5.0, 0.5, 2.0], falling=True)
    assert year.tolist() == [2027.0, 2025.0, np.inf, 2028.0]
    assert already.tolist() == [False, True, False, False]


def test_a_jump_from_or_to_infinity_has_a_year():
    level = [[-np.inf, 1.0, 1.0, 1.0, 1.0], [0.0, np.inf, 1.0, 1.0, 1.0], [-np.inf, np.inf, 1.0, 1.0, 1.0]]
    assert first_crossing(YEARS, level, [0.5, 0.5, 0.5])[0].tolist() == [2026.0, 2025.0, 2026.0]


def test_one_path_may_meet_many_thresholds_and_many_paths_one():
    level = np.array([0.0, 1.0, 3.0, 5.0, 15.0])
    assert first_crossing(YEARS, level, [0.0, 2.0, 20.0])[0].tolist() == [2025.0, 2027.0, np.inf]
    many = np.vstack([level, level + 2.0])
    year, already = first_crossing(YEARS, many, 2.0)
    assert year.tolist() == [2027.0, 2025.0]
    assert already.tolist() == [False, True]


def test_one_year_alone_tells_only_whether_it_is_met():
    year, already = first_crossing([2025.0], [[1.0], [3.0]], 2.0)
    assert year.tolist() == [np.inf, 2025.0]
    assert already.tolist() == [False, True]


@pytest.mark.parametrize(
    ("years", "level", "threshold", "words"),
    [
        ([2026.0, 2025.0], [[1.0, 2.0]], 1.5, "years: must be strictly increasing"),
        ([], np.zeros((1, 0)), 1.5, "years: must be strictly increasing, at least one"),
        (
            [2025.0, 2026.0],
            [[1.0, 2.0, 3.0]],
            1.5,
            r"log_level: must be \(sample, 2 years\); got shape \(1, 3\)",
        ),
        ([2025.0, 2026.0], np.zeros((3, 2)), [1.0, 2.0], "one per sample, 3; got 2"),
        ([2025.0, 2026.0], [[1.0, np.nan]], 1.5, "log_level: must not be NaN; got 1 of 2"),
        ([2025.0, 2026.0], [[1.0, 2.0]], np.nan, "log_threshold: must not be NaN; got 1 of 1"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_rule_and_what_was_given(years, level, threshold, words):
    with pytest.raises(ValueError, match=words):
        first_crossing(years, level, threshold)

"""Shapley values: parts that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.shapley import shapley_values


@given(st.integers(1, 5), st.integers(0, 1000))
def test_parts_add_up_to_the_whole(inputs, seed):
    table = {}

    def value(changed):
        return table.setdefault(changed, np.random.default_rng([seed, *sorted(changed)]).normal(size=3))

    for most in (8, 0):  # exact, and by random orders
        found = shapley_values(value, inputs=inputs, most_exact=most)
        whole = value(frozenset(range(inputs))) - value(frozenset())
        assert found.parts.sum(axis=0) == pytest.approx(whole, abs=1e-12)


def test_a_sum_is_taken_apart_exactly_and_an_input_without_effect_has_nothing():
    weights = np.array([3.0, -1.0, 0.0, 2.5])
    found = shapley_values(lambda changed: np.array([weights[list(changed)].sum()]), inputs=4)
    assert found.parts[:, 0] == pytest.approx(weights, abs=1e-14)
    assert found.orders == 0


def test_an_interaction_is_shared_evenly():
    found = shapley_values(lambda changed: np.array([6.0 * ({0, 1, 2} <= changed)]), inputs=3)
    assert found.parts[:, 0] == pytest.approx([2.0, 2.0, 2.0])


def test_random_orders_are_within_their_errors_of_the_exact_values():
    rng = np.random.default_rng(2)
    linear, mixed = rng.normal(size=7), rng.normal(size=(7, 7))

    def value(changed):
        held = np.isin(np.arange(7), list(changed))
        return np.array([linear @ held + held @ mixed @ held + (held.sum() > 3)])

    exact = shapley_values(value, inputs=7)
    sampled = shapley_values(value, inputs=7, most_exact=3, orders=200)
    assert sampled.orders == 200
    gap = np.abs(sampled.parts - exact.parts)
    assert (gap <= 4 * sampled.errors + 1e-12).all()
    assert sampled.errors.max() > 0


def test_no_input_has_no_part():
    found = shapley_values(lambda changed: np.array([1.0, 2.0]), inputs=0)
    assert found.parts.shape == (0, 2)

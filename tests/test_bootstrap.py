"""The weights of the bootstrap, and what is read off replicates."""

import numpy as np
import pytest

from simulator.bootstrap import bootstrap_weights, deciding_rows, estimate, is_constant, spread


def test_weights_add_up_to_one_and_none_is_0():
    weights = bootstrap_weights(100, seed=3, replicates=50)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert weights.min() > 0.0


def test_weights_hang_on_the_seed_alone():
    assert (bootstrap_weights(64, seed=0) == bootstrap_weights(64, seed=0)).all()
    assert (bootstrap_weights(64, seed=0)[1:] != bootstrap_weights(64, seed=1)[1:]).any()


def test_the_error_of_a_mean_is_that_of_the_textbook():
    values = np.arange(1000.0)
    found = estimate(bootstrap_weights(1000, seed=0) @ values[:, None])
    assert found.value[0] == pytest.approx(499.5)
    # 400 replicates tell a standard error to 3.5 %
    assert found.error[0] == pytest.approx(values.std() / np.sqrt(1000), rel=0.15)
    assert found.lower[0] < 499.5 < found.upper[0]


def test_bounds_hold_the_estimate():
    found = estimate(np.array([[0.9], [0.4], [0.6]]))
    assert found.lower[0] <= found.value[0] <= found.upper[0]


def test_the_spread_is_the_variance_whatever_the_shift():
    values = np.array([[1.0], [2.0], [4.0]])
    weights = np.full((1, 3), 1 / 3)
    np.testing.assert_allclose(spread(values + 1e9, weights), [[values.var()]], rtol=1e-6)


def test_an_outcome_of_one_value_is_constant_and_one_that_differs_by_rounding_too():
    values = np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 1.0 + 2e-16, 1.0 + 1e-9, 1e-300]])
    assert is_constant(values).tolist() == [True, True, False, False]


def test_the_rows_that_decide_are_those_of_the_rarer_kind_and_none_of_a_constant():
    values = np.zeros((1000, 3))
    values[:7, 0] = 1.0
    values[:500, 1] = 1e-200
    assert deciding_rows(values) == pytest.approx([7.15, 1000.0, 0.0], rel=0.01)

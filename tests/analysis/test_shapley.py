"""Shapley values: parts that add up."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from simulator.analysis.shapley import CorrelatedColumns, ShapleyPoints, regression, shapley_effects, shapley_values
from tests.known_functions import (
    ISHIGAMI_SHAPLEY,
    halves,
    ishigami,
    linear,
    linear_shapley,
    sobol_g,
    sobol_g_shares,
    uniforms,
)


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


THREE = np.array([[1.0, 0.8, -0.3], [0.8, 1.0, 0.1], [-0.3, 0.1, 1.0]])


def found(function, columns, *, correlated=(), rows=4096, seed=0, players=None):
    first, second, order = halves(columns, rows=rows, seed=seed)
    for each in correlated:
        factor = np.linalg.cholesky(each.correlation)
        for half in (first, second):
            half[:, each.columns] = ndtr(ndtri(half[:, each.columns]) @ factor.T)
    every = players or [[column] for column in range(columns)]
    return effects_of(function, ShapleyPoints(first, second, order[:, : len(every)], every, correlated), seed=seed)


def effects_of(function, points, *, seed=0):
    return shapley_effects((function(points.at(place)) for place in range(len(points))), points, seed=seed)


def close(estimate, known):
    """Within four standard errors of the bootstrap, and these are small."""
    assert (estimate.error < 0.03).all()
    np.testing.assert_array_less(np.abs(estimate.value[:, 0] - known), 4 * estimate.error[:, 0] + 1e-9)


def full(correlation, places, size):
    matrix = np.eye(size)
    matrix[np.ix_(places, places)] = correlation
    return matrix


def test_independent_inputs_have_their_known_effects():
    close(found(ishigami, 3).parts["shapley"], ISHIGAMI_SHAPLEY)
    close(found(sobol_g, 6).parts["shapley"], sobol_g_shares()[2])


@pytest.mark.parametrize("rho", [-0.9, -0.4, 0.0, 0.5, 0.95])
def test_two_correlated_normals_have_the_effects_of_owen_and_prieur(rho):
    # phi_1 = (b1^2 (1 - rho^2 / 2) + b1 b2 rho + b2^2 rho^2 / 2) / V
    first, second = 1.0, 2.0
    variance = first**2 + second**2 + 2 * rho * first * second
    known = (first**2 * (1 - rho**2 / 2) + rho * first * second + second**2 * rho**2 / 2) / variance
    pair = CorrelatedColumns((0, 1), np.array([[1.0, rho], [rho, 1.0]]))
    close(found(linear([first, second]), 2, correlated=[pair], rows=16384).parts["shapley"], (known, 1 - known))


def test_correlated_normals_beside_independent_ones_have_their_known_effects():
    slopes, places = [1.0, 0.5, 2.0, 1.5, 0.0], (3, 0, 2)
    correlation = full(THREE, places, 5)
    effects = found(linear(slopes), 5, correlated=[CorrelatedColumns(places, THREE)], rows=16384).parts["shapley"]
    close(effects, linear_shapley(slopes, correlation))
    assert effects.value[4, 0] == 0.0


def test_two_groups_of_correlated_normals_have_their_known_effects():
    slopes = [1.0, -1.0, 1.0, 0.5, 1.0]
    pair = np.array([[1.0, -0.6], [-0.6, 1.0]])
    groups = [CorrelatedColumns((0, 1, 2), THREE), CorrelatedColumns((3, 4), pair)]
    correlation = full(THREE, (0, 1, 2), 5) @ full(pair, (3, 4), 5)
    close(found(linear(slopes), 5, correlated=groups, rows=16384).parts["shapley"], linear_shapley(slopes, correlation))


@pytest.mark.parametrize("players", [[[0, 3], [1], [2]], [[0, 1, 2], [3]], [[0], [1, 2, 3]]])
def test_players_may_be_groups_within_or_across_correlations(players):
    slopes = [1.0, 0.5, 2.0, 1.5]
    correlation = full(THREE, (0, 1, 2), 4)
    group = CorrelatedColumns((0, 1, 2), THREE)
    effects = found(linear(slopes), 4, correlated=[group], rows=16384, players=players).parts["shapley"]
    close(effects, linear_shapley(slopes, correlation, players))


def test_an_input_that_acts_through_its_correlation_alone_has_half_of_what_it_tells():
    # f = z2: phi_1 = rho^2 / 2 (Iooss & Prieur 2019), although z1 is not used
    pair = CorrelatedColumns((0, 1), np.array([[1.0, 0.8], [0.8, 1.0]]))
    close(found(linear([0.0, 1.0]), 2, correlated=[pair], rows=16384).parts["shapley"], (0.32, 0.68))


def test_effects_add_up_to_one_and_an_input_that_is_not_used_has_0_exactly():
    effects = found(ishigami, 4, rows=100).parts["shapley"]
    assert effects.value.sum() == pytest.approx(1.0, abs=1e-12)
    assert [part[3, 0] for part in (effects.value, effects.error, effects.lower, effects.upper)] == [0.0] * 4


def test_a_constant_outcome_is_said_and_has_effects_of_0():
    effects = found(lambda points: np.hstack([ishigami(points), np.full((len(points), 1), 3.7)]), 3, rows=64)
    assert effects.constant.tolist() == [False, True]
    assert effects.variance[1] == 0.0
    assert not effects.parts["shapley"].value[:, 1].any()
    assert np.isfinite(effects.parts["shapley"].value).all()


def test_a_permutation_of_the_rows_changes_no_effect():
    first, second, order = halves(3, rows=512)
    shuffled = np.argsort(uniforms("shuffle", rows=512)[:, 0])
    pair = CorrelatedColumns((0, 2), np.array([[1.0, 0.5], [0.5, 1.0]]))
    one, other = (
        effects_of(ishigami, ShapleyPoints(first[rows], second[rows], order[rows], [[0], [1], [2]], [pair]))
        for rows in (slice(None), shuffled)
    )
    np.testing.assert_allclose(one.parts["shapley"].value, other.parts["shapley"].value, rtol=1e-9)


@pytest.mark.slow
def test_the_standard_error_is_the_spread_over_seeds():
    pair = CorrelatedColumns((0, 1), np.array([[1.0, 0.7], [0.7, 1.0]]))
    runs = [
        found(linear([1.0, 2.0, 1.0]), 3, correlated=[pair], rows=256, seed=seed).parts["shapley"] for seed in range(40)
    ]
    spread = np.std([run.value[:, 0] for run in runs], axis=0)
    said = np.mean([run.error[:, 0] for run in runs], axis=0)
    # 40 seeds tell a standard deviation to 11 %
    assert (spread / said < 1.4).all()
    assert (spread / said > 0.4).all()  # rows of a Latin hypercube err less than the bootstrap says


def test_regression_agrees_whether_patterns_are_solved_one_by_one_or_all_at_once():
    scores = ndtri(uniforms("a", "b", "c", rows=256))
    known = uniforms("d", "e", "f", rows=256) < 0.5
    few = regression(known, THREE, scores)
    many = np.concatenate([regression(known[row : row + 1], THREE, scores[row : row + 1]) for row in range(256)])
    np.testing.assert_allclose(few, many, atol=1e-12)
    np.testing.assert_allclose(few[known], scores[known], atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [-0.7, 0.4])
def test_a_curved_function_with_interactions_across_a_correlation_has_its_known_effects(rho):
    # f = z1^2 + 2 z1 z3 + z2, z1 and z2 correlated; the variances of E[f | known] by hand
    explained = {
        (): 0.0, (0,): 2 + rho**2, (1,): 2 * rho**4 + 1, (2,): 0.0,
        (0, 1): 3.0, (0, 2): 6 + rho**2, (1, 2): 2 * rho**4 + 4 * rho**2 + 1, (0, 1, 2): 7.0,
    }  # fmt: skip
    known = np.zeros(3)
    for order in permutations(range(3)):
        for place, player in enumerate(order):
            before, after = (tuple(sorted(order[:end])) for end in (place, place + 1))
            known[player] += (explained[after] - explained[before]) / 6 / 7

    def curved(points):
        z = ndtri(points)
        return (z[:, 0] ** 2 + 2 * z[:, 0] * z[:, 2] + z[:, 1])[:, None]

    pair = CorrelatedColumns((1, 0), np.array([[1.0, rho], [rho, 1.0]]))
    close(found(curved, 3, correlated=[pair], rows=32768).parts["shapley"], known)

"""Sobol indices against closed forms, and the laws they obey."""

import numpy as np
import pytest

from simulator.analysis.sobol import (
    SobolPoints,
    bootstrap_weights,
    deciding_rows,
    estimate,
    is_constant,
    sobol_indices,
    spread,
)
from tests.known_functions import ISHIGAMI_FIRST, ISHIGAMI_TOTAL, halves, ishigami, sobol_g, sobol_g_shares, uniforms


def indices(function, first, second, inputs, *, seed):
    points = SobolPoints(first, second, inputs)
    return sobol_indices((function(points.at(place)) for place in range(len(points))), inputs=len(inputs), seed=seed)


def found(function, columns, *, rows=4096, seed=0, inputs=None):
    first, second, _ = halves(columns, rows=rows, seed=seed)
    every = inputs or [[column] for column in range(columns)]
    return indices(function, first, second, every, seed=seed)


def close(estimate, known):
    """Within four standard errors of the bootstrap, and these are small."""
    assert (estimate.error < 0.03).all()
    np.testing.assert_array_less(np.abs(estimate.value[:, 0] - known), 4 * estimate.error[:, 0] + 1e-9)


def test_ishigami_has_its_known_indices():
    indices = found(ishigami, 3)
    close(indices.parts["first_order"], ISHIGAMI_FIRST)
    close(indices.parts["total"], ISHIGAMI_TOTAL)
    assert indices.variance[0] == pytest.approx(13.8446, rel=0.03)


def test_sobol_g_has_its_known_indices():
    first_order, total, _ = sobol_g_shares()
    indices = found(sobol_g, 6)
    close(indices.parts["first_order"], first_order)
    close(indices.parts["total"], total)


def test_a_group_has_the_first_order_index_of_all_that_its_members_explain_together():
    indices = found(ishigami, 3, inputs=[[0, 2], [1]])
    close(indices.parts["first_order"], (1 - ISHIGAMI_FIRST[1], ISHIGAMI_FIRST[1]))
    close(indices.parts["total"], (1 - ISHIGAMI_FIRST[1], ISHIGAMI_FIRST[1]))


def test_an_input_that_is_not_used_has_index_0_exactly():
    indices = found(ishigami, 4, rows=64)
    for index in (indices.parts["first_order"], indices.parts["total"]):
        assert [part[3, 0] for part in (index.value, index.error, index.lower, index.upper)] == [0.0] * 4


def test_an_input_that_alone_decides_has_indices_of_1_exactly():
    indices = found(lambda points: np.exp(points[:, 1:2]), 2, rows=64)
    assert indices.parts["first_order"].value[:, 0] == pytest.approx([0.0, 1.0], abs=1e-14)
    assert indices.parts["total"].value[:, 0] == pytest.approx([0.0, 1.0], abs=1e-14)


def test_a_constant_outcome_is_said_and_has_indices_of_0():
    indices = found(lambda points: np.hstack([ishigami(points), np.full((len(points), 1), 3.7)]), 3, rows=64)
    assert indices.constant.tolist() == [False, True]
    assert indices.variance[1] == 0.0
    for index in (indices.parts["first_order"], indices.parts["total"]):
        assert not index.value[:, 1].any()
        assert np.isfinite(index.value).all()
        assert np.isfinite(index.error).all()


def test_outcomes_do_not_touch_one_another():
    both = found(lambda points: np.hstack([ishigami(points), 1e6 * points[:, :1]]), 3, rows=256)
    np.testing.assert_allclose(
        both.parts["total"].value[:, :1], found(ishigami, 3, rows=256).parts["total"].value, rtol=1e-12
    )


def test_a_permutation_of_the_rows_changes_no_index():
    first, second, _ = halves(3, rows=512)
    order = np.argsort(uniforms("order", rows=512)[:, 0])
    one, other = (
        indices(ishigami, a, b, [[0], [1], [2]], seed=0) for a, b in ((first, second), (first[order], second[order]))
    )
    np.testing.assert_allclose(one.parts["total"].value, other.parts["total"].value, rtol=1e-12)
    np.testing.assert_allclose(one.parts["first_order"].value, other.parts["first_order"].value, rtol=1e-11, atol=1e-14)


def test_a_shift_and_a_scale_of_the_outcome_change_no_index():
    moved = found(lambda points: 1e8 - 1e-3 * ishigami(points), 3, rows=256)
    plain = found(ishigami, 3, rows=256)
    np.testing.assert_allclose(moved.parts["first_order"].value, plain.parts["first_order"].value, atol=1e-5)
    np.testing.assert_allclose(moved.parts["total"].value, plain.parts["total"].value, atol=1e-5)


@pytest.mark.slow
def test_the_bootstrap_covers_the_known_indices_about_as_often_as_it_says():
    first_order, _, _ = sobol_g_shares()
    hits = []
    for seed in range(30):
        estimate = found(sobol_g, 6, rows=512, seed=seed).parts["first_order"]
        hits += ((estimate.lower[:3, 0] <= first_order[:3]) & (first_order[:3] <= estimate.upper[:3, 0])).tolist()
    # 90 values, 90 % expected: three standard errors below is 0.805
    assert np.mean(hits) > 0.8


@pytest.mark.slow
def test_salib_finds_the_same_indices():
    analyse = pytest.importorskip("SALib.analyze.sobol")
    sample = pytest.importorskip("SALib.sample.sobol")
    problem = {"num_vars": 6, "names": list("abcdef"), "bounds": [[0.0, 1.0]] * 6}
    points = sample.sample(problem, 4096, calc_second_order=False, seed=1)
    theirs = analyse.analyze(problem, sobol_g(points)[:, 0], calc_second_order=False, num_resamples=100, seed=1)
    ours = found(sobol_g, 6)
    for index, name in ((ours.parts["first_order"], "S1"), (ours.parts["total"], "ST")):
        room = 4 * index.error[:, 0] + 2 * theirs[f"{name}_conf"] + 1e-9
        np.testing.assert_array_less(np.abs(index.value[:, 0] - theirs[name]), room)


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

"""Quantiles of weighted samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import load_scenario, simulate
from simulator.errors import InputError
from simulator.estimates import sample_quantiles
from simulator.weighted import effective_samples, headline_table, weighted_quantiles

values = st.lists(st.sampled_from([1.0, 2.0, 2.5, 7.0, np.inf]), min_size=1, max_size=20)


@given(values, st.floats(0.01, 100))
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
    from scipy import stats

    drawn = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    weights = np.exp(0.5 * drawn)  # turns N(0, 1) into N(0.5, 1)
    found = weighted_quantiles(drawn, weights, [0.05, 0.5, 0.95])
    assert found == pytest.approx(stats.norm.ppf([0.05, 0.5, 0.95], 0.5), abs=2e-3)


def test_effective_samples_are_at_most_as_many_and_all_with_equal_weights():
    assert effective_samples(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_samples(np.array([1.0, 0.0])) == 1.0


def test_weights_must_be_one_for_each_sample():
    run = simulate(load_scenario("capability", overrides=["samples=64"]))
    with pytest.raises(InputError, match="one for each of 64 samples"):
        headline_table(run, np.ones(3))

"""Draws of scores given a likelihood: those of closed forms, however far, and refused where they cannot be had."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.history.importance import sample_scores
from simulator.runs.estimates import effective_samples


@pytest.mark.parametrize(("value", "error"), [(0.0, 1.0), (1.0, 0.1), (-6.0, 0.01)])
def test_a_normal_likelihood_of_one_of_three_gives_a_normal_posterior(value, error):
    scores, weights = sample_scores(lambda z: -0.5 * ((z[:, 0] - value) / error) ** 2, size=3, seed=0)
    variance = 1 / (1 + error**-2)
    mean = weights @ scores
    spread = weights @ scores**2 - mean**2
    accuracy = 5 / np.sqrt(effective_samples(weights))
    assert mean == pytest.approx([variance * value / error**2, 0, 0], abs=accuracy * max(1.0, variance**0.5))
    assert mean[0] == pytest.approx(variance * value / error**2, abs=accuracy * variance**0.5)
    assert spread == pytest.approx([variance, 1, 1], rel=1.5 * accuracy)


def test_two_hills_have_the_weights_that_they_have():
    both = sample_scores(
        lambda z: np.logaddexp(-50 * (z[:, 0] - 1) ** 2, np.log(3) - 50 * (z[:, 0] + 1) ** 2), size=2, seed=1
    )
    assert both[1] @ (both[0][:, 0] < 0) == pytest.approx(0.75, abs=0.02)


def test_a_likelihood_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match=r"Pareto k-hat .* hardly go together"):
        sample_scores(lambda z: np.where(np.abs(z[:, 0] - 3) < 1e-7, 0.0, -np.inf), size=3, seed=0)


def test_what_lies_beyond_all_that_is_drawn_of_a_prior_is_refused():
    """A prior of 7 ± 0.5 and 0.81 ± 0.1 observed gave 3.48 ± 0.0001, the end of what is drawn, for 1.05 ± 0.10."""
    with pytest.raises(InputError, match="less than a probability of 1e-12, beyond all that is drawn"):
        sample_scores(lambda z: -0.5 * ((np.clip(z[:, 0], -7.0345, 7.0345) + 12.4) / 0.2) ** 2, size=2, seed=0)

"""Draws of standard normal scores given a likelihood, by importance sampling in rounds.

They come from a mixture of the prior and a Student t that is fitted to the weighted draws of the round before, the
likelihood being let in step by step (Cappe et al. 2004; Del Moral et al. 2006); PSIS tells whether the weights carry
(Vehtari et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from simulator.errors import InputError
from simulator.runs.estimates import effective_samples, smoothed_logs
from simulator.units import Array

ROUND, DRAWN, _ROUNDS = 1 << 12, 1 << 16, 40
_STEP = 0.2
"""The share of a round's draws that its weights are worth, as far as the likelihood is let in."""
_WIDER, _TAIL, _PRIOR = 1.2, 5.0, 0.1
"""How much wider than the draws the Student t is, its degrees of freedom, and the share of the prior beside it."""
_HEAVIEST, _FEWEST = 0.7, 1000.0
"""k-hat above which, and effective draws below which, the weights do not carry (Vehtari et al. 2024)."""


def sample_scores(log_likelihood: Callable[[Array], Array], *, size: int, seed: int) -> tuple[Array, Array]:
    """Draw standard normal scores (sample, size) and their weights (sample,), of sum 1, given a likelihood.

    InputError where few draws decide: below 1,000 effective ones, or k-hat above 0.7.
    """
    rng = np.random.default_rng([seed, 7])
    middle, spread, power_ = np.zeros(size), np.eye(size), 0.0

    def drawn(count: int) -> tuple[Array, Array, Array]:
        fitted = stats.multivariate_t(middle, _WIDER * spread, df=_TAIL, seed=rng)
        scores = np.where(rng.random((count, 1)) < _PRIOR, rng.standard_normal((count, size)),
                          fitted.rvs(count).reshape(count, size))  # fmt: skip
        prior = -0.5 * (scores**2).sum(axis=1) - 0.5 * size * np.log(2.0 * np.pi)
        proposed = np.logaddexp(np.log(_PRIOR) + prior, np.log(1.0 - _PRIOR) + fitted.logpdf(scores).reshape(count))
        return scores, prior - proposed, log_likelihood(scores)

    for _ in range(_ROUNDS):
        scores, over, likelihood = drawn(ROUND)
        done, power_ = power_ >= 1.0, _let_in(over, likelihood)
        if not np.isfinite(likelihood).any():
            break
        weights = _weights(over + power_ * likelihood)
        middle = weights @ scores
        spread = (scores - middle).T @ ((scores - middle) * weights[:, None]) + 1e-9 * np.eye(size)
        if done and power_ >= 1.0:
            break
    scores, over, likelihood = drawn(DRAWN)
    logs, khat = smoothed_logs(over + likelihood)
    weights = _weights(logs)
    worth = effective_samples(weights) if weights.any() else 0.0
    if worth < _FEWEST or khat > _HEAVIEST:
        raise InputError(
            f"history.quantities: {DRAWN:,} draws are worth {worth:,.0f}, and Pareto k-hat is {khat:.2f}; at least "
            f"{_FEWEST:,.0f} and at most {_HEAVIEST:g} are needed. What was observed and the priors hardly go "
            "together: widen the errors (error:) or the priors, or leave observations out."
        )
    return scores, weights


def _weights(logs: Array) -> Array:
    """Give weights of sum 1; where nothing is possible, all are 0."""
    if not np.isfinite(logs).any():
        return np.zeros(logs.size)
    raw = np.exp(logs - logs.max())
    return np.asarray(raw / raw.sum())


def _let_in(over: Array, likelihood: Array) -> float:
    """Find the power of the likelihood, at most 1, at which weights are worth a fifth of the draws."""
    low, high = 0.0, 1.0
    if not np.isfinite(likelihood).any() or effective_samples(_weights(over + likelihood)) >= _STEP * over.size:
        return high
    for _ in range(30):
        middle = (low + high) / 2.0
        enough = effective_samples(_weights(over + middle * likelihood)) >= _STEP * over.size
        low, high = (middle, high) if enough else (low, middle)
    return low

"""Draws of standard normal scores given a likelihood, by importance sampling in rounds.

The proposal is a normal that is fitted to the weighted draws of the round before, beside wider ones and the prior; the
likelihood is let in step by step (Rubinstein and Kroese 2004; Cappe et al. 2004; Del Moral et al. 2006). PSIS tells
whether the weights carry (Vehtari et al. 2024).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtri

from simulator.errors import InputError
from simulator.priors.streams import EDGE
from simulator.runs.estimates import effective_samples, smoothed_weights
from simulator.units import Array

ROUND, DRAWN, MOST_ROUNDS = 1 << 12, 1 << 16, 40
_STEP = 0.12
"""The share of a round's draws that its weights are worth, as far as the likelihood is let in."""
_MIXED = (0.6, 0.3, 0.1)
"""Shares of the fitted normal, of that with the prior's own spread about its mean, and of the prior itself.

The last bounds every weight by 10 times its likelihood.
"""
_HEAVIEST, _FEWEST = 0.7, 1000.0
"""k-hat above which, and effective draws below which, the weights do not carry (Vehtari et al. 2024)."""

_FLAT = 4.0
"""How many times the mean weight the largest weights may be on average for k-hat not to count: they are bounded."""

_LAST, _MOST_BEYOND = -float(ndtri(EDGE)), 0.002
"""The score beyond which all are one number, and the share of the weight that may be there."""

type LetIn = Callable[[float], Array]
"""The log likelihood (sample,), as far as it is let in: hardly at 0, wholly at 1."""


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A mixture of three normals of independent scores: about `mean` (score,) with `root` (score, score), and wider."""

    mean: Array
    root: Array

    def draw(self, normal: Array) -> Array:
        """Turn independent normal numbers (score, sample) into draws; parts take turns, in every 20 samples."""
        turn = np.arange(normal.shape[1]) % 20
        fitted, wide = turn < 20 * _MIXED[0], turn < 20 * (_MIXED[0] + _MIXED[1])
        moved = np.where(wide, self.mean[:, None], 0.0) + normal
        moved[:, fitted] = self.mean[:, None] + self.root @ normal[:, fitted]
        return moved

    def log_ratio(self, scores: Array) -> Array:
        """Give the log density (sample,) of the prior over that of the mixture; their common factor is left out."""
        away = scores - self.mean[:, None]
        own = np.linalg.solve(self.root, away)
        logs = [-0.5 * np.square(own).sum(axis=0) - np.linalg.slogdet(self.root)[1],
                -0.5 * np.square(away).sum(axis=0), prior := -0.5 * np.square(scores).sum(axis=0)]  # fmt: skip
        return prior - np.asarray(logsumexp(logs, axis=0, b=np.array(_MIXED)[:, None]))

    @classmethod
    def fitted(cls, scores: Array, weights: Array) -> _Proposal:
        """Fit weighted scores: means beyond chance, and the directions in which their spread is beyond chance.

        Of so many samples in so many dimensions a covariance that is 1 has eigenvalues within (1 ± sqrt(d / n))^2
        (Marchenko and Pastur 1967), and a little beyond. A narrower spread is widened by half, so that no
        tail is cut.
        """
        worth = effective_samples(weights)
        mean = scores @ weights
        mean[np.abs(mean) < 2.0 / math.sqrt(worth)] = 0.0
        away = scores - mean[:, None]
        values, vectors = np.linalg.eigh((away * weights) @ away.T)
        chance = 1.2 * math.sqrt(mean.size / worth)
        seen = (values < (1.0 - min(chance, 1.0)) ** 2) | (values > (1.0 + chance) ** 2)
        spread = np.where(seen, np.where(values < 1.0, np.minimum(1.0, 1.5 * values), values), 1.0)
        return cls(mean, vectors @ np.diag(np.sqrt(np.maximum(spread, 1e-6))) @ vectors.T)


def tilted_scores(
    likelihood_of: Callable[[Array], LetIn], normals: Callable[[int, int], Array], *, drawn: int
) -> tuple[Array, Array]:
    """Draw scores (score, sample) from where a likelihood is, with the logs of their weights (sample,).

    `normals` gives standard normal numbers (score, sample) of a round by its number, the last for the draws themselves.
    """
    size = normals(0, 1).shape[0]
    proposal, part = _Proposal(np.zeros(size), np.eye(size)), 0.0
    for number in range(MOST_ROUNDS):
        scores = proposal.draw(normals(number, ROUND))
        ratio, likelihood = proposal.log_ratio(scores), likelihood_of(scores)
        part = _let_in(ratio, likelihood, least=part)
        logs = ratio + likelihood(part)
        if not np.isfinite(logs).any():
            break
        proposal = _Proposal.fitted(scores, _weights(logs))
        if part == 1.0:
            break
    scores = proposal.draw(normals(MOST_ROUNDS, drawn))
    return scores, proposal.log_ratio(scores) + likelihood_of(scores)(1.0)


def sample_scores(log_likelihood: Callable[[Array], Array], *, size: int, seed: int) -> tuple[Array, Array]:
    """Draw standard normal scores (sample, size) and their weights (sample,), of sum 1, given a likelihood.

    InputError where few draws decide: below 1,000 effective ones, or k-hat above 0.7.
    """
    rng = np.random.default_rng([seed, 7])

    def likelihood_of(scores: Array) -> LetIn:
        values = log_likelihood(scores.T)
        possible = np.isfinite(values)
        return lambda part: np.where(possible, part * np.where(possible, values, 0.0), -np.inf)

    scores, logs = tilted_scores(likelihood_of, lambda _, count: rng.standard_normal((size, count)), drawn=DRAWN)
    refuse_beyond(scores, logs, study="history.quantities")
    weights, khat = bounded_weights(logs)
    worth = effective_samples(weights) if weights.any() else 0.0
    if worth < _FEWEST or khat > _HEAVIEST:
        raise InputError(
            f"history.quantities: {DRAWN:,} draws are worth {worth:,.0f}, and Pareto k-hat is {khat:.2f}; at least "
            f"{_FEWEST:,.0f} and at most {_HEAVIEST:g} are needed. What was observed and the priors hardly go "
            "together: widen the errors (error:) or the priors, or leave observations out."
        )
    return scores.T, weights


def refuse_beyond(scores: Array, logs: Array, *, study: str) -> None:
    """Refuse draws of which more than a few in 1,000 lie where a prior has no other number: at its ends, 7 sd out.

    Uniform numbers are kept within 1e-12 of 0 and 1, so that what is beyond has the number of the end.
    """
    share = float(_weights(logs)[(np.abs(scores) > _LAST).any(axis=0)].sum())
    if share > _MOST_BEYOND:
        raise InputError(
            f"{study}: what was observed lies where a prior has less than a probability of {EDGE:g}, beyond all "
            "that is drawn of it. Widen the errors or the prior, or leave observations out."
        )


def bounded_weights(logs: Array) -> tuple[Array, float]:
    """Give weights of sum 1 of draws from a mixture that the prior is a part of, and k-hat.

    Such weights have a largest value. Where those near it are many and not much above the mean, whatever is above them
    is no tail of undrawn ones: they are not smoothed, and k-hat is -inf.
    """
    raw = _weights(logs)
    tail = int(min(raw.size / 5, 3 * math.sqrt(raw.size)))
    if np.sort(raw)[-tail:].mean() <= _FLAT * raw.mean():
        return raw, -math.inf
    return smoothed_weights(logs)


def _weights(logs: Array) -> Array:
    """Give weights of sum 1; where nothing is possible, all are 0."""
    if not np.isfinite(logs).any():
        return np.zeros(logs.size)
    raw = np.exp(logs - logs.max())
    return np.asarray(raw / raw.sum())


def _let_in(ratio: Array, likelihood: LetIn, *, least: float) -> float:
    """Find how far the likelihood can be let in, if no less than before, so that the draws are worth enough."""

    def enough(part: float) -> bool:
        weights = _weights(ratio + likelihood(part))
        return bool(weights.any()) and effective_samples(weights) >= _STEP * ratio.size

    low, high = least, 1.0
    if enough(high):
        return high
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low

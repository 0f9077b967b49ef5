"""The rank correlation of two priors whose normal scores are correlated, and the reverse.

Of continuous priors Spearman's rank correlation is 6/pi asin(r/2), r that of the scores (Pearson 1907). Values with a
probability of their own tie: all their draws have the middle rank, and the correlation of the ranks is another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.priors.streams import EDGE
from simulator.schema.prior_families import Distribution
from simulator.units import Array

_CELLS = 600
_CLOSEST = 0.99999
"""The highest correlation of scores that is used."""


def normal_correlation(rank: Array) -> Array:
    """Turn rank correlations of continuous priors into those of the normal scores: 2 sin(pi rank / 6)."""
    return 2.0 * np.sin(np.pi * rank / 6.0)


@lru_cache(maxsize=512)
def scores_for(rank: float, first: Distribution, second: Distribution) -> tuple[float, float]:
    """Find the correlation of the scores of two priors for a rank correlation, and the rank correlation it gives."""
    scores = score_correlation(rank, first, second)
    return scores, rank_correlation(scores, first, second)


def score_correlation(rank: float, first: Distribution, second: Distribution) -> float:
    """Find the correlation of the scores of two priors that gives their draws a rank correlation.

    +-0.99999 where none gives as much: `rank_correlation` of it is what can be reached.
    """
    start = float(normal_correlation(np.array(rank)))
    if not (_ties(first) or _ties(second)):
        return start
    low, high = (0.0, _CLOSEST) if rank >= 0 else (-_CLOSEST, 0.0)
    at = min(max(start, low), high)
    for _ in range(60):
        off = rank_correlation(at, first, second) - rank
        low, high = (low, at) if off > 0 else (at, high)
        if abs(off) < 1e-9 or high - low < 1e-9:
            break
        slope = (rank_correlation(at + 1e-6, first, second) - rank - off) / 1e-6 if abs(at) < _CLOSEST else 0.0
        step = at - off / slope if slope > 0 else low
        at = step if low < step < high else 0.5 * (low + high)
    return float(np.sign(rank)) * _CLOSEST if _CLOSEST - abs(at) < 1e-8 else at


def rank_correlation(scores: float, first: Distribution, second: Distribution) -> float:
    """Compute Spearman's correlation of two priors whose normal scores have a correlation.

    The mean of the product of ranks: over the ranks of the first, times the mean rank of the second given its score.
    """
    if not (_ties(first) or _ties(second)):
        return 6.0 / math.pi * math.asin(scores / 2.0)
    one, other = _ranks(first, second), _ranks(second, first)
    z = ndtri(one.middle)
    beyond = (scores * z[:, None] - ndtri(other.edges[1:-1])) / np.sqrt(1.0 - min(scores**2, 1.0 - 1e-12))
    given = other.rank[0] + ndtr(beyond) @ np.diff(other.rank)
    return float(one.share @ ((one.rank - 0.5) * (given - 0.5)) / (one.spread * other.spread))


@dataclass(frozen=True, slots=True, eq=False)
class _Ranks:
    """Cells of probability from 0 to 1 that are small, or part of a tie, with the rank of the draws in each."""

    edges: Array
    rank: Array

    @property
    def share(self) -> Array:
        return np.diff(self.edges)

    @property
    def middle(self) -> Array:
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def spread(self) -> float:
        return float(np.sqrt(self.share @ (self.rank - 0.5) ** 2))


@lru_cache(maxsize=512)
def _ranks(family: Distribution, beside: Distribution) -> _Ranks:
    """Lay out the cells of a family, with an end wherever ties end, its own and those of the prior beside it."""
    ties = _ties(family)
    ends = np.array([*ties, *_ties(beside)]).reshape(-1)
    fine = ndtr(np.linspace(-6.0, 6.0, _CELLS - 1))  # evenly over the scores: smooth integrals converge fast so
    edges = np.unique(np.concatenate([[0.0, 1.0], fine, ends, 1.0 - ends]))
    edges = edges[np.append(True, np.diff(edges) > 1e-12)]
    edges[-1] = 1.0
    rank = 0.5 * (edges[1:] + edges[:-1])
    for low, high in ties:
        rank = np.where((rank > low) & (rank < high), 0.5 * (low + high), rank)
    return _Ranks(edges, rank)


@lru_cache(maxsize=512)
def _ties(family: Distribution) -> tuple[tuple[float, float], ...]:
    """Find the stretches of probability over which a prior has one value, from its quantile function as it is drawn.

    What is shorter than a thousandth changes no rank correlation: it adds its third power.
    """
    u = (np.arange(2000) + 0.5) / 2000
    x = family.ppf(u)
    starts = np.flatnonzero(np.append(True, x[1:] != x[:-1]))
    runs = [(first, last - 1) for first, last in pairwise([*starts.tolist(), x.size]) if last - first > 1]
    if not runs:
        return ()
    firsts, lasts = np.array(runs).T
    value = x[firsts]
    before, low = np.where(firsts > 0, u[firsts - 1], EDGE), u[firsts]
    high, after = u[lasts], np.where(lasts < u.size - 1, u[np.minimum(lasts + 1, u.size - 1)], 1.0 - EDGE)
    for _ in range(40):
        middle, upper = 0.5 * (before + low), 0.5 * (high + after)
        inside, within = family.ppf(middle) == value, family.ppf(upper) == value
        before, low = np.where(inside, before, middle), np.where(inside, middle, low)
        high, after = np.where(within, upper, high), np.where(within, after, upper)
    ends = np.clip(np.stack([low, high], axis=1), 0.0, 1.0)
    ends[ends < 2 * EDGE], ends[ends > 1.0 - 2 * EDGE] = 0.0, 1.0
    return tuple((float(start), float(end)) for start, end in ends)

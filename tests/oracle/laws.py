"""Growth by regimes and the four laws of saturation, in log10."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tests.oracle.units import Array

LN10 = np.log(10.0)


def log_gain(rates: Sequence[Array], dates: Sequence[Array], at: float, t: Array) -> Array:
    """Integral of the rate (OOM per year) from the year `at` to `t`; rate k holds from date k - 1 to date k."""
    if any(np.any(later < earlier) for earlier, later in pairwise(dates)):
        raise NotImplementedError("dates that cross")
    edges = [np.array(-np.inf), *dates, np.array(np.inf)]
    spans = [np.clip(t, low, high) - np.clip(at, low, high) for low, high in pairwise(edges)]
    return np.sum([rate * span for rate, span in zip(rates, spans, strict=True)], axis=0)


def log_sum(*levels: Array) -> Array:
    """Log10 of a sum."""
    return np.logaddexp.reduce(np.broadcast_arrays(*[level * LN10 for level in levels])) / LN10


def log_difference(first: Array, second: Array) -> Array:
    """Log10 of a difference."""
    return first + np.log10(-np.expm1((second - first) * LN10))


def hard(level: Array, limit: Array) -> Array:
    """min(V, L)."""
    return np.minimum(level, limit)


def exponential(level: Array, limit: Array) -> Array:
    """L (1 - exp(-V/L)); V where the ratio is too small to matter."""
    ratio = 10.0 ** np.clip(level - limit, -14, 3)
    return np.where(level - limit < -14, level, limit + np.log10(-np.expm1(-ratio)))


def logistic(level: Array, limit: Array) -> Array:
    """V / (1 + V/L): the reciprocals add up."""
    return -log_sum(-level, -limit)


def gompertz(gained: Array, start: Array, limit: Array) -> Array:
    """The solution of dlnV/dt = g (ln L - ln V) / (ln L - ln V0) for a constant L above V0, after growth `gained`."""
    distance = limit - start
    return limit - distance * np.exp(-gained / distance)


LAWS = {"hard": hard, "exponential": exponential, "logistic": logistic}

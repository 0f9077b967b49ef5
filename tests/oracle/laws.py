"""Growth by regimes and the four laws of saturation, in log10."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tests.oracle.units import Array

LN10 = np.log(10.0)
Rate = Callable[[Array | None, Array], Array]
"""Of a rate that moves: its integral from one time to another; without the first, the rate at the second."""


@dataclass(frozen=True)
class Regime:
    """A stretch of time with a rate, OOM per year; with a half-life it falls from `rate` at its begin towards another."""

    begin: Array
    rate: Array | Rate
    half_life: Array | None = None
    towards: Array = field(default_factory=lambda: np.zeros((1, 1)))

    def gain(self, begin: Array, first: Array, last: Array) -> Array:
        """Integral of the rate from one year to another."""
        if callable(self.rate):
            return self.rate(first, last)
        if self.half_life is None:
            return self.rate * (last - first)
        before = self.rate * (np.minimum(last, begin) - np.minimum(first, begin))
        first, last = np.maximum(first, begin), np.maximum(last, begin)
        above = [2.0 ** ((begin - t) / self.half_life) for t in (first, last)]
        decayed = (self.rate - self.towards) * self.half_life / np.log(2.0) * (above[0] - above[1])
        return before + self.towards * (last - first) + decayed


def log_gain(regimes: Sequence[Regime], at: float, t: Array) -> Array:
    """Integral of the rates from the year `at` to `t`; the first regime also holds before `at`, and decays from then on."""
    edges = [np.array(-np.inf), *(regime.begin for regime in regimes[1:]), np.array(np.inf)]
    begins = [np.array(at), *edges[1:-1]]
    spans = [(np.clip(at, low, high), np.clip(t, low, high)) for low, high in pairwise(edges)]
    return np.sum([r.gain(begin, *span) for r, begin, span in zip(regimes, begins, spans, strict=True)], axis=0)


def rate_in_force(regimes: Sequence[Regime], t: Array) -> Array:
    """The rate (sample, k) where no regime decays."""
    if any(regime.half_life is not None for regime in regimes):
        raise NotImplementedError("a rate that decays under feedback, or under a Gompertz limit that moves")
    every = [regime.rate(None, t) if callable(regime.rate) else regime.rate for regime in regimes]
    rate = np.broadcast_to(every[0], t.shape)
    for regime, here in zip(regimes[1:], every[1:], strict=True):
        rate = np.where(t >= regime.begin, here, rate)
    return rate


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
    """The solution of dlnV/dt = g min(1, (ln L - ln V) / (ln L - ln V0)) for a constant L above V0, after growth `gained`."""
    distance = limit - start
    return np.where(gained > 0, limit - distance * np.exp(-np.maximum(gained, 0) / distance), start + gained)


LAWS = {"hard": hard, "exponential": exponential, "logistic": logistic}

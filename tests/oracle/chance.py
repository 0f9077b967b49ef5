"""Jumps at random times, all from one uniform number a year."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tests.oracle.units import Array

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_normal = np.frompyfunc(NormalDist().inv_cdf, 1, 1)


def normal(p: Array) -> Array:
    """Quantiles of the standard normal law."""
    return np.asarray(_normal(np.clip(p, 1e-15, 1 - 1e-15)), dtype=float)


def jumps(number: Array, begin: float, end: float, rate: Array) -> tuple[Array, Array]:
    """When the jumps of a year come, and their standard normal numbers, (sample, jump); +inf past the last of a sample.

    Their number is the least n to which Poisson's law has the probability `number` (sample,).
    """
    mean = rate * (end - begin)
    term = total = np.exp(-mean)
    count = np.zeros(len(number), dtype=int)
    while (more := total < number).any():
        count = count + more
        term = np.where(more, term * mean / np.maximum(count, 1), term)
        total = total + np.where(more, term, 0)
    key = _mixed(np.ascontiguousarray(number, dtype=np.float64).view(np.uint64))
    place = np.arange(count.max(initial=0))
    when, how = (_uniform(key[:, None], 2 * place + k) for k in (0, 1))
    come = place < count[:, None]
    return np.where(come, begin + (end - begin) * when, np.inf), np.where(come, normal(how), 0.0)


def _uniform(key: NDArray[np.uint64], place: NDArray[np.int64]) -> Array:
    """The numbers at some places, from 0, of the sequence that a key starts."""
    words = _mixed(key + (place.astype(np.uint64) + np.uint64(1)) * GOLDEN)
    return ((words >> np.uint64(12)).astype(float) + 0.5) / 2.0**52


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The last step of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return z ^ z >> np.uint64(31)

"""Chance within a sample: any many numbers from one uniform number of it, and jumps of a level at random times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, pdtr, pdtrik

from simulator.model.growth import column
from simulator.units import Array

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF

type Words = NDArray[np.uint64]


def sample_keys(uniforms: Array) -> Words:
    """Make a key for each sample from a uniform number of its own, (sample,) in (0, 1); all its bits enter."""
    return _mixed(np.ascontiguousarray(uniforms, dtype=np.float64).view(np.uint64))


def stream_keys(keys: Words, stream: int) -> Words:
    """Make the keys of one stream of the samples, (sample,); streams are numbered from 0."""
    return _mixed(keys ^ _mixed(np.array([(stream + 1) * _GOLDEN & _MASK], dtype=np.uint64)))


def _mixed(words: Words) -> Words:
    """Scatter the bits of words: the finalizer of SplitMix64 (Steele, Lea and Flood 2014), one to one."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def numbered_uniforms(keys: Words, numbers: range) -> Array:
    """Draw the uniform numbers of some places in the sequences of keys: output i of SplitMix64 started at the key."""
    steps = np.array([(number + 1) * _GOLDEN & _MASK for number in numbers], dtype=np.uint64)
    words = _mixed(keys[:, None] + steps[None, :])
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def poisson_number(uniform: Array, mean: Array) -> Array:
    """Give the smallest whole number up to which Poisson's law has the probability `uniform`.

    >>> poisson_number(np.array([0.1, 0.5, 0.99]), np.array([1.0])).tolist()
    [0.0, 1.0, 4.0]
    """
    most = np.where(np.exp(-mean) >= uniform, 0.0, np.ceil(pdtrik(uniform, np.maximum(mean, 1e-300))))
    less = np.maximum(most - 1.0, 0.0)
    return np.asarray(np.where(pdtr(less, mean) >= uniform, less, most))


type Jumps = Iterable[tuple[Array, Array]]
"""When a jump comes, +inf where none does, and by how many OOM, each (sample,); one after another."""


def drawn_jumps(
    *, base: float, rate: Array, size: Array, spread: Array, uniforms: Array, jump_years: Sequence[int]
) -> Jumps:
    """Draw jumps at random times: a compound Poisson process whose jumps have a normal log (Merton 1976).

    In the step up to a year, from the year before or from `base`, of w years, the number of jumps is Poisson's with the
    mean rate x w, their times are uniform within it, and each adds size + spread z, with z standard normal. A later
    horizon changes no bit of an earlier year.

    `jump_years` (n,), whole and after `base`, are decimal years; `rate`, jumps a year, `size` and `spread`, OOM, are
    one or (sample,); `uniforms` (sample, n), one for each year, in (0, 1).
    """
    for place, to in enumerate(jump_years):
        began = max(to - 1.0, base)
        drawn = uniforms[:, place]
        counts = poisson_number(drawn, rate * (to - began))
        keys = sample_keys(drawn)
        for number in range(int(counts.max())):  # those of a sample do not depend on how many others have
            when, how = numbered_uniforms(keys, range(2 * number, 2 * number + 2)).T
            comes = counts > number
            yield np.where(comes, began + (to - began) * when, np.inf), np.where(comes, size + spread * ndtri(how), 0.0)


def jump_growth(years: ArrayLike, jumps: Jumps) -> Array:
    """Add up the jumps that have come by each of the years, (year,) or (sample, year), in OOM.

    Of those that are drawn, after t years the mean is rate t size and, of one size for all samples, the variance
    rate t (size^2 + spread^2); without spread, whole numbers of sizes.

    >>> jumps = drawn_jumps(base=2025.0, rate=np.array([3.0]), size=np.array([0.5]), spread=np.zeros(1),
    ...                     uniforms=np.array([[0.5]]), jump_years=[2026])
    >>> jump_growth([2025.0, 2026.0], jumps)
    array([[0. , 1.5]])
    """
    year = np.atleast_2d(np.asarray(years, dtype=np.float64))
    growth: Array = np.zeros((1, year.shape[-1]))
    for when, by in jumps:
        growth = growth + np.where(year >= column(when), column(by), 0.0)
    return growth

"""Quantiles, shares and their Monte Carlo standard errors, from all samples at once or block by block.

Censored values stand as +inf and are never dropped: a quantile that falls among them is +inf.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.units import Array

BINS_PER_UNIT = 1024
"""Bins per OOM (or per year) of a streamed histogram: a quantile is off by less than one bin, 0.001."""
_MOST_BINS = 1 << 19


def sorted_quantiles(ordered: NDArray[np.floating], levels: Sequence[float]) -> Array:
    """Read quantiles off sorted samples.

    Linear between order statistics at (n - 1) p (Hyndman and Fan's type 7); between a finite value and +inf it is
    +inf, so that censoring survives.

    Parameters
    ----------
    ordered : array (..., sample), rising along the last axis; may hold +inf
    levels : probabilities in [0, 1]

    Returns
    -------
    array (level, ...)

    Examples
    --------
    >>> sorted_quantiles(np.array([1.0, 2.0, 3.0, np.inf]), [0.5, 0.9]).tolist()
    [2.5, inf]
    """
    place = (ordered.shape[-1] - 1) * np.asarray(levels, dtype=np.float64)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    weight = place - below
    low = np.moveaxis(ordered[..., below], -1, 0).astype(np.float64)
    high = np.moveaxis(ordered[..., above], -1, 0).astype(np.float64)
    weight = weight.reshape(-1, *([1] * (low.ndim - 1)))
    with np.errstate(invalid="ignore"):
        between = low + weight * (high - low)
    return np.where(weight == 0.0, low, np.where(np.isinf(high), high, between))


def sample_quantiles(values: NDArray[np.floating], levels: Sequence[float]) -> Array:
    """Sort samples along the first axis and read quantiles off them: (sample, ...) to (level, ...)."""
    ordered = np.ascontiguousarray(np.moveaxis(values, 0, -1))
    ordered.sort(axis=-1)
    return sorted_quantiles(ordered, levels)


def block_error(estimates: Array, *, block: int, samples: int) -> Array:
    """Estimate the standard error of a number from its values in single blocks.

    sd over the full blocks / sqrt(samples / block): what the blocks scatter, over their number.

    Parameters
    ----------
    estimates : array (block, ...)
        The number in each full block.
    block, samples : int
        Samples in a block and in the run.

    Returns
    -------
    array (...), NaN where there are fewer than two full blocks, or a block has no finite value
    """
    if estimates.shape[0] < 2:
        return np.full(estimates.shape[1:], np.nan)
    with np.errstate(invalid="ignore"):
        spread = np.std(estimates, axis=0, ddof=1) / np.sqrt(samples / block)
    return np.where(np.isfinite(estimates).all(axis=0), spread, np.nan)


def quantile_error(years: Array, share: Array, share_error: Array, quantile: Array) -> Array:
    """Estimate the standard error of a quantile of the crossing year from that of the probability of having crossed.

    error of p at the quantile / slope of p there. NaN where the quantile is censored or p is flat.

    Parameters
    ----------
    years : array (year,)
    share, share_error : arrays (year,), probability of having crossed and its error
    quantile : array (level,), years or +inf

    Examples
    --------
    >>> years, share = np.array([2030.0, 2040.0]), np.array([0.0, 1.0])
    >>> quantile_error(years, share, np.array([0.01, 0.01]), np.array([2035.0, np.inf])).tolist()
    [0.1, nan]
    """
    result = np.full(quantile.shape, np.nan)
    finite = np.isfinite(quantile) & (quantile > years[0])
    after = np.clip(np.searchsorted(years, quantile[finite]), 1, years.size - 1)
    slope = (share[after] - share[after - 1]) / (years[after] - years[after - 1])
    error = np.interp(quantile[finite], years, share_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        result[finite] = np.where(slope > 0, error / slope, np.nan)
    return result


class Histogram:
    """Counts of values on a fixed grid of narrow bins, column by column; grows as values come.

    The grid is anchored at 0 and the counts are whole numbers, so the order in which values come, or are merged, does
    not matter. Values of +inf are counted apart.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.count = 0
        self.width = 1.0 / BINS_PER_UNIT
        self._first = 0
        self._counts = np.zeros((columns, 0), dtype=np.int64)
        self._infinite = np.zeros(columns, dtype=np.int64)

    def add(self, values: NDArray[np.floating]) -> None:
        """Count values (sample, column)."""
        self.count += values.shape[0]
        low, high = float(values.min()), float(values.max())
        if np.isposinf(high):
            for column in range(self.columns):
                finite = values[:, column][np.isfinite(values[:, column])]
                self._infinite[column] += values.shape[0] - finite.size
                if finite.size:
                    self._count(finite[:, None], column, float(finite.min()), float(finite.max()))
        else:
            self._count(values, 0, low, high)

    def _count(self, values: NDArray[np.floating], column: int, low: float, high: float) -> None:
        if not np.isfinite([low, high]).all():
            raise ValueError(f"a histogram counts finite values and +inf; got {low} to {high}")
        self._reach(low, high)
        size = self._counts.shape[1]
        bins = (values * (1.0 / self.width) + (-self._first)).astype(np.int64)
        bins += np.arange(column, column + values.shape[1]) * size
        self._counts += np.bincount(bins.ravel(), minlength=self.columns * size).reshape(self.columns, size)

    def _reach(self, low: float, high: float) -> None:
        """Widen the grid so that it holds a range, with room to spare; coarsen it where it would be too long."""
        first, last = int(np.floor(low / self.width)), int(np.floor(high / self.width)) + 1
        end = self._first + self._counts.shape[1]
        if self._counts.shape[1] and first >= self._first and last <= end:
            return
        room = BINS_PER_UNIT // 2
        if self._counts.shape[1] == 0:
            new_first, new_end = first - room, last + room
        else:
            new_first = self._first if first >= self._first else first - room
            new_end = end if last <= end else last + room
        if new_end - new_first > _MOST_BINS:
            raise ValueError(f"values from {low:g} to {high:g} are too far apart for a streamed histogram")
        grown = np.zeros((self.columns, new_end - new_first), dtype=np.int64)
        shift = self._first - new_first if self._counts.shape[1] else 0
        grown[:, shift : shift + self._counts.shape[1]] = self._counts
        self._first, self._counts = new_first, grown

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram of the same columns."""
        self.count += other.count
        self._infinite += other._infinite
        if other._counts.shape[1]:
            self._reach(other._first * self.width, (other._first + other._counts.shape[1] - 1) * self.width)
            shift = other._first - self._first
            self._counts[:, shift : shift + other._counts.shape[1]] += other._counts

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Read quantiles (level, column), linear within a bin; +inf where they fall among the infinite values."""
        result = np.full((len(levels), self.columns), np.inf)
        edges = (self._first + np.arange(self._counts.shape[1] + 1)) * self.width
        for column in range(self.columns):
            filled = np.flatnonzero(self._counts[column])
            if not filled.size:
                continue
            below = np.concatenate([[0], np.cumsum(self._counts[column][filled])])
            target = np.asarray(levels) * (self.count - 1) + 0.5
            place = np.clip(np.searchsorted(below, target, side="right") - 1, 0, filled.size - 1)
            share = np.clip((target - below[place]) / (below[place + 1] - below[place]), 0.0, 1.0)
            inside = target <= below[-1]
            result[inside, column] = (edges[filled[place]] + share * self.width)[inside]
        return result

"""Counts of values on a fixed grid, from which quantiles of a run are read that keeps its summary alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError
from simulator.runs.estimates import between
from simulator.units import Array

BINS_PER_UNIT = 1024
"""Bins per OOM (or per year) of a streamed histogram: a quantile is off by less than one bin, 0.001."""
MOST_BINS = 1 << 22


class Histogram:
    """Counts of values on a fixed grid of narrow bins, row by row; grows as values come.

    The grid is anchored at 0 and the counts are whole numbers, so the order in which values come, or are merged, does
    not matter. Values of +inf are counted apart. Each row keeps the bins between its least and its largest value.
    """

    def __init__(self, rows: int) -> None:
        self.count = 0
        self._rows = [_Row() for _ in range(rows)]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self._rows)

    def add(self, values: NDArray[np.floating]) -> None:
        """Count values (row, sample)."""
        self.count += values.shape[-1]
        if not values.size:
            return
        if values.shape[0] > 1 and values.strides[0] == 0:  # one line under many rows
            once = Histogram(1)
            once.add(values[:1])
            for row in self._rows:
                row.merge(once._rows[0])
            return
        for row, line in zip(self._rows, values, strict=True):
            row.add(line)

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram of the same rows."""
        self.count += other.count
        for row, theirs in zip(self._rows, other._rows, strict=True):
            row.merge(theirs)

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """Give what it holds as plain arrays, from which `from_arrays` makes it again."""
        return {
            "count": np.array([self.count]),
            "first": np.array([row.first for row in self._rows]),
            "infinite": np.array([row.infinite for row in self._rows]),
            "size": np.array([row.counts.size for row in self._rows]),
            "counts": np.concatenate([row.counts for row in self._rows] or [np.zeros(0, dtype=np.int64)]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.integer]]) -> Histogram:
        """Make a histogram from what `arrays` gave."""
        result = cls(arrays["first"].size)
        result.count = int(arrays["count"][0])
        ends = np.cumsum(arrays["size"])
        for number, row in enumerate(result._rows):
            row.first, row.infinite = int(arrays["first"][number]), int(arrays["infinite"][number])
            row.counts = arrays["counts"][ends[number] - arrays["size"][number] : ends[number]].astype(np.int64)
        return result

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Read quantiles (level, row) as `sorted_quantiles` does, each order statistic known to its bin."""
        at = np.asarray(levels, dtype=np.float64)
        result = np.empty((at.size, self.rows))
        for row in range(self.rows):
            result[:, row] = self.quantiles_of(row, at)
        return result

    def quantiles_of(self, row: int, levels: Array) -> Array:
        """Read quantiles (level,) of one row."""
        place = (self.count - 1) * levels
        below = np.floor(place).astype(np.int64)
        ranks = np.concatenate([below, np.minimum(below + 1, self.count - 1)])
        low, high = self._rows[row].order_statistics(ranks).reshape(2, -1)
        return between(low, high, place - below)

    def counts(self) -> list[tuple[int, int]]:
        """Tell how many values of each row are finite, and how many are not."""
        return [(int(row.counts.sum()), row.infinite) for row in self._rows]


def among(levels: Sequence[float], finite: int, infinite: int) -> Array:
    """Turn levels of quantiles of the lower values, so many, into those of all; 1, of +inf, where there are none."""
    return np.array(levels) * (finite - 1) / max(finite + infinite - 1, 1) if finite else np.ones(len(levels))


def histogram_bytes(values: NDArray[np.floating]) -> float:
    """Tell about how many bytes a histogram of values (row, sample) takes, before there is one."""
    finite = np.where(np.isfinite(values), values, np.nan)
    kept = finite[~np.isnan(finite).all(axis=1)]
    spans = np.nanmax(kept, axis=1) - np.nanmin(kept, axis=1) if kept.size else np.zeros(1)
    return 8.0 * float(np.sum(np.ceil(spans.astype(np.float64) * BINS_PER_UNIT) + 1.0))


def narrowed(counts: NDArray[Any]) -> NDArray[Any]:
    """Give whole numbers that are not negative in the least type that holds them; anything else as it is."""
    if counts.dtype != np.int64 or not counts.size or counts.min() < 0:
        return counts
    return counts.astype(np.min_scalar_type(counts.max()))


def merged(histograms: Sequence[Histogram]) -> Histogram:
    """Add histograms of the same rows up to a new one."""
    result = Histogram(histograms[0].rows)
    for histogram in histograms:
        result.merge(histogram)
    return result


def merge_all[Named: dict[str, Histogram]](held: list[Named], new: list[Named]) -> list[Named]:
    """Add histograms by name, of several parts, to those that are held, in their place; what comes first is held.

    One under two names stays one for as long as it is so in what comes.
    """
    for own, theirs in zip(held, new, strict=bool(held)):
        beside: dict[int, Histogram] = {}
        for name, each in theirs.items():
            if beside.setdefault(id(own[name]), each) is not each:
                own[name] = merged([own[name]])
        for mine, each in {id(own[name]): (own[name], each) for name, each in theirs.items()}.values():
            mine.merge(each)
    return held or new


class _Row:
    """The counts of one row, from bin `first` on."""

    __slots__ = ("counts", "first", "infinite")

    def __init__(self) -> None:
        self.first = 0
        self.counts = np.zeros(0, dtype=np.int64)
        self.infinite = 0

    def __getstate__(self) -> tuple[int, int, NDArray[np.integer]]:
        """Go to another process with counts as narrow as they can be: a quarter of the bytes."""
        return self.first, self.infinite, narrowed(self.counts)

    def __setstate__(self, state: tuple[int, int, NDArray[np.integer]]) -> None:
        self.first, self.infinite, counts = state
        self.counts = counts.astype(np.int64)

    def add(self, line: NDArray[np.floating]) -> None:
        """Count the values of a row, (sample,)."""
        # Exact: the bins to a unit are a power of two, and the first bin is taken off only from whole numbers.
        scaled = line * line.dtype.type(BINS_PER_UNIT)
        low, high = float(scaled.min()), float(scaled.max())
        if high == np.inf:
            finite = scaled[scaled < np.inf]
            self.infinite += line.size - finite.size
            if not finite.size:
                return
            scaled, low, high = finite, float(finite.min()), float(finite.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            ends = f"{low / BINS_PER_UNIT:g} to {high / BINS_PER_UNIT:g}"
            raise SimulatorError(f"counting samples: values must be numbers or +inf; got {ends}.")
        first, end = math.floor(low), math.floor(high) + 1
        self.widen(first, end)
        if end - first == 1:
            self.counts[first - self.first] += scaled.size
            return
        if low < 0.0:
            np.floor(scaled, out=scaled)  # above 0 the cast does it
        bins = scaled.astype(np.intp)
        bins -= self.first
        np.add.at(self.counts, bins, 1)  # takes less time than bincount, which looks for the largest first

    def merge(self, other: _Row) -> None:
        """Add the counts of another row."""
        self.infinite += other.infinite
        if other.counts.size:
            self.widen(other.first, other.first + other.counts.size)
            start = other.first - self.first
            self.counts[start : start + other.counts.size] += other.counts

    def order_statistics(self, rank: NDArray[np.int64]) -> Array:
        """Find the values of rank 0, 1, ...: evenly spread within a bin, +inf beyond the finite ones."""
        filled = np.flatnonzero(self.counts)
        held = self.counts[filled]
        upto = np.cumsum(held)
        place = np.searchsorted(upto, rank, side="right")
        result = np.full(rank.shape, np.inf)
        finite = place < filled.size
        place = place[finite]
        share = (rank[finite] - (upto[place] - held[place]) + 0.5) / held[place]
        result[finite] = (self.first + filled[place] + share) / BINS_PER_UNIT
        return result

    def widen(self, first: int, end: int) -> None:
        """Let the bins reach from `first` to `end` at least."""
        if self.counts.size:
            first, end = min(first, self.first), max(end, self.first + self.counts.size)
        if end - first > MOST_BINS:
            span = (end - first) / BINS_PER_UNIT
            raise SimulatorError(
                f"counting samples: values spread over {span:,.0f} orders of magnitude (or years), more than "
                f"{MOST_BINS // BINS_PER_UNIT:,}. Narrow the priors, or keep the samples: --keep trajectories."
            )
        if first == self.first and end - first == self.counts.size:
            return
        grown = np.zeros(end - first, dtype=np.int64)
        if self.counts.size:
            grown[self.first - first : self.first - first + self.counts.size] = self.counts
        self.first, self.counts = first, grown

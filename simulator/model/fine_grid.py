"""The grid of sixteenths of a year, on which flows are added up, feedback is stepped and levels are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.units import Array

FINE_STEPS = 16
"""Steps a year of the internal grid on which flows are accumulated and feedback is stepped."""
_BESIDE = 2.0**-14
"""How far beside a date, in years, a rate is looked at to see whether it turns there."""


def fine_grid(first: float, last: float, years: Array) -> Array:
    """Make the internal grid, (time,): sixteenths of a calendar year between two years, and the `years` between them.

    The grid does not depend on the step of the scenario, so neither do the results.

    >>> fine_grid(2025.5, 2025.75, np.array([2025.6])).tolist()
    [2025.5, 2025.5625, 2025.6, 2025.625, 2025.6875, 2025.75]
    """
    inner = np.arange(np.ceil(first * FINE_STEPS), np.floor(last * FINE_STEPS) + 1) / FINE_STEPS
    return np.unique(np.concatenate([[first], inner, years[(years >= first) & (years <= last)], [last]]))


def fine_grid_around(first: float, last: float, *, most: float) -> Array:
    """Make the whole steps of the internal grid around two years, and none after `most`.

    >>> fine_grid_around(2025.01, 2025.1, most=2025.1).tolist()
    [2025.0, 2025.0625, 2025.1]
    """
    low, high = np.floor(first * FINE_STEPS) / FINE_STEPS, np.ceil(last * FINE_STEPS) / FINE_STEPS
    return fine_grid(float(low), min(float(high), most), np.empty(0))


def is_fine(times: Array) -> NDArray[np.bool_]:
    """Tell which times are steps of the internal grid: the first, and sixteenths of a year."""
    fine = np.asarray(times * FINE_STEPS == np.floor(times * FINE_STEPS), dtype=np.bool_)
    fine[0] = True
    return fine


def read_between(grid: Array, levels: Array, times: Array, samples: NDArray[np.intp]) -> Array:
    """Read levels (sample, time), known on a grid of times, of samples at times (n, time) of their own, straight."""
    rows = samples[:, None] if levels.shape[0] > 1 else np.zeros((1, 1), dtype=np.intp)
    after = np.clip(np.searchsorted(grid, times), 1, grid.size - 1)
    share = (times - grid[after - 1]) / (grid[after] - grid[after - 1])
    low, high = levels[rows, after - 1], levels[rows, after]
    return np.asarray(low + share * (high - low))


def middles(grid: Array) -> Array:
    """Add to a grid, (time,) or (sample, time), the middle of each of its steps: grid, middle, grid, ..."""
    inner = (grid[..., 1:] + grid[..., :-1]) / 2.0
    return np.insert(grid, np.arange(1, grid.shape[-1]), inner, axis=-1)


def integrated(grid: Array, rates: Array) -> Array:
    """Integrate rates (sample, time), known on a grid and in the `middles` of its steps, from its first time on.

    By Simpson's rule: exact where a rate is a cubic within a step.

    >>> integrated(np.array([0.0, 2.0]), np.array([[0.0, 1.0, 4.0]])).round(3)
    array([[0.   , 2.667]])
    """
    steps = np.diff(grid) / 6.0 * (rates[:, :-1:2] + 4.0 * rates[:, 1::2] + rates[:, 2::2])
    return np.cumsum(np.insert(steps, 0, 0.0, axis=1), axis=1)


@dataclass(frozen=True, slots=True)
class Curve:
    """Levels (sample, time) with their rates, on the steps of a `grid` and at the `cuts`, (sample, n), between them."""

    grid: Array
    cuts: Array
    levels: Array
    rates: Array

    @classmethod
    def followed(
        cls, span: tuple[float, float], *, rate_at: Callable[[Array], Array], dates: Iterable[Array], size: int
    ) -> Curve:
        """Integrate rates (sample, time) over a span, from its beginning on.

        Steps end at those of the `dates`, (sample,) or (1,), on which rates jump or turn. They are asked for once rates
        have been.
        """
        grid = fine_grid(*span, np.empty(0))
        rates, cuts = rate_at(middles(grid)), list[Array]()
        for date in [*dates]:
            at = np.broadcast_to(np.where((date > grid[0]) & (date < grid[-1]), date, grid[-1]), size)
            before, on, after = rate_at(np.clip(np.stack([at - _BESIDE, at, at + _BESIDE], axis=1), *grid[[0, -1]])).T
            if (is_cut := (np.abs(after - 2.0 * on + before) > 1e-8) & (at < grid[-1])).any():
                cuts += [np.where(is_cut, side, grid[-1]) for side in (np.nextafter(at, grid[0]), at)]
        if not cuts:
            return cls(grid, np.empty((1, 0)), integrated(grid, rates), rates[:, ::2])
        return cls._cut(grid, np.column_stack(cuts), rates, rate_at)

    @classmethod
    def _cut(cls, grid: Array, cuts: Array, rates: Array, rate_at: Callable[[Array], Array]) -> Curve:
        """Cut steps of a grid, of which rates are known there and amid steps; they are asked for about cuts alone."""
        cuts = np.sort(cuts, axis=1)
        cuts[:, 1:] = np.where(cuts[:, 1:] > cuts[:, :-1], cuts[:, 1:], grid[-1])  # of several on one day one counts
        steps = np.sort(np.hstack([np.broadcast_to(grid, (len(cuts), grid.size)), cuts]), axis=1)
        place = np.stack([np.count_nonzero(steps < cut[:, None], axis=1) for cut in cuts.T], axis=1)
        step = np.searchsorted(grid, steps.ravel(), side="right").reshape(steps.shape) - 1  # that of the grid
        whole = np.stack([2 * step, np.minimum(2 * step + 1, 2 * grid.size - 2)], axis=2).reshape(len(cuts), -1)[:, :-1]
        found = np.take_along_axis(np.broadcast_to(rates, (len(cuts), rates.shape[1])), whole, axis=1)
        before, behind = (np.take_along_axis(steps, place + by, axis=1) for by in (-1, 1))
        known = rate_at(np.hstack([(before + cuts) / 2.0, cuts, (cuts + behind) / 2.0]))
        for by, each in zip((-1, 0, 1), np.split(known, 3, axis=1), strict=True):
            held = np.take_along_axis(found, 2 * place + by, axis=1)
            np.put_along_axis(found, 2 * place + by, np.where(cuts < grid[-1], each, held), axis=1)
        return cls(grid, cuts, integrated(steps, found), found[:, ::2])

    @classmethod
    def joined(cls, curves: Sequence[tuple[Curve, int]]) -> Curve:
        """Join those of consecutive samples, each with their number; those with fewer cuts have more at the end."""
        first, most = curves[0][0], max(curve.cuts.shape[1] for curve, _ in curves)
        if all(len(curve.levels) == 1 for curve, _ in curves):
            return first

        def widened(values: Array, size: int, width: int, **how: Any) -> Array:
            wide = np.pad(values, ((0, 0), (0, width - values.shape[1])), **how)
            return np.broadcast_to(wide, (size, width))

        cuts = [widened(each.cuts, size, most, constant_values=first.grid[-1]) for each, size in curves]
        width = first.grid.size + most
        levels, rates = (
            [widened(getattr(each, of), size, width, mode="edge") for each, size in curves]
            for of in ("levels", "rates")
        )
        return cls(first.grid, np.vstack(cuts), np.vstack(levels), np.vstack(rates))

    def read(self, times: Array, samples: NDArray[np.intp]) -> Array:
        """Read levels as `read_between` does, along the cubics that rates give at the ends of each step (Hermite)."""
        rows = samples[:, None] if len(self.levels) > 1 else np.zeros((1, 1), dtype=np.intp)
        after = np.clip(np.searchsorted(self.grid, times), 1, self.grid.size - 1)
        start, end = self.grid[after - 1], self.grid[after]
        for date in self.cuts.T:  # each step is one further on, and between two of these
            cut = date[rows]
            is_past = cut < times
            start = np.where(is_past, np.maximum(start, cut), start)
            end = np.where(is_past, end, np.minimum(end, cut))
            after = after + is_past
        span = end - start
        share = (times - start) / span
        (low, high), (first, last) = ((each[rows, after - 1], each[rows, after]) for each in (self.levels, self.rates))
        line = low + (high - low) * share * share * (3.0 - 2.0 * share)
        return np.asarray(line + span * share * (1.0 - share) * ((1.0 - share) * first - share * last))


def follow(
    step: Callable[..., Array],
    log_level: Array,
    log_limit: Array,
    *,
    log_start: Array,
    fine: NDArray[np.bool_],
    base: int,
) -> Array:
    """Follow a level under a moving limit from its start, both ways in time, (sample, time).

    It goes from one of the `fine` times (time,) to the next; to the others it goes from the nearest of these, and not
    from them. `base` is the place of the time of the start, `log_start` (sample, 1).
    """
    levels, limits, start = log_level.T, log_limit.T, log_start[:, 0]
    bent: Array = np.empty(np.broadcast_shapes(levels.shape, limits.shape, (1, start.size)))
    bent[base] = start
    for places in (range(base + 1, len(levels)), range(base - 1, -1, -1)):
        origin = base
        for place in places:
            ends = (levels[origin], levels[place]), (limits[origin], limits[place])
            bent[place] = step(bent[origin], *ends, log_start=start)
            origin = place if fine[place] else origin
    return bent.T

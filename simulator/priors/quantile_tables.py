"""Increasing functions as tables: how a quantile function without a closed form is evaluated fast.

A quantile function is tabulated against the standard normal quantile z = ndtri(u), with the exact slope
dx/dz = phi(z) / pdf(x), and read by cubic Hermite interpolation. It is built from values, not from
probabilities: any x with its own z is a knot, so that nothing is inverted. The knots are refined until the
error, as a shift of z, is below 3e-11. What is read for one u never depends on the other entries of the
array, and never falls by more than rounding as u rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulator.units import Array

LARGEST_Z = 7.2
"""The table ends here; ndtri(1 - 1e-12) is 7.03."""

_WIDEST_Z = (-38.0, 8.3)
"""Where a CDF reads 0 or 1, z counts as this: beyond every probability that a float can tell from 0 or 1."""
_TOLERANCE = 3e-11
_MOST_KNOTS = 60_000
_MOST_ROUNDS = 40
_EPSILON = float(np.finfo(float).eps)


def log_normal_density(z: Array) -> Array:
    """Return the log of the standard normal density, -z^2 / 2 - ln sqrt(2 pi)."""
    return np.asarray(-0.5 * z * z - 0.5 * np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class QuantileTable:
    """Hold knots of an increasing function y(z) and read it by cubic Hermite interpolation.

    `z` and `y` (knots,) never fall; where two knots share a z, y jumps there, and z itself reads the lower y. `right`
    and `left` (knots - 1,) are the slopes dy/dz at the lower and the upper end of each interval, at most 3 times its
    secant, so that y is monotone (Fritsch and Carlson 1980). Beyond the first and last knot y goes on as a straight
    line. With `log`, y is the natural log of the value.
    """

    z: Array
    y: Array
    right: Array
    left: Array
    log: bool

    def levels(self, z: Array) -> tuple[Array, Array]:
        """Return y(z) and dy/dz."""
        interval = np.clip(np.searchsorted(self.z, z, side="left") - 1, 0, self.z.size - 2)
        step = (self.z[1:] - self.z[:-1])[interval]
        secant = (self.y[1:] - self.y[:-1])[interval] / step
        start, end = self.right[interval], self.left[interval]
        t = (z - self.z[interval]) / step
        inner = np.clip(t, 0.0, 1.0)
        bend = start + end - 2 * secant
        turn = 3 * secant - 2 * start - end
        level = self.y[interval] + step * inner * (start + inner * (turn + inner * bend))
        slope = start + inner * (2 * turn + 3 * inner * bend)
        return np.asarray(level + step * (t - inner) * slope), np.asarray(slope)

    def values(self, z: Array) -> Array:
        """Return the value at z: y, or exp(y) where the table is of logs."""
        level, _ = self.levels(z)
        return exponential(level) if self.log else level

    def positions(self, y: Array) -> Array:
        """Return z where y(z) is the given level: the inverse of `levels`."""
        interval = np.clip(np.searchsorted(self.y, y, side="right") - 1, 0, self.z.size - 2)
        first, last = self.y[0], self.y[-1]
        step = (self.z[1:] - self.z[:-1])[interval]
        start, end = self.right[interval] * step, self.left[interval] * step
        rise = (self.y[1:] - self.y[:-1])[interval]
        sought = np.clip(np.clip(y, first, last) - self.y[interval], 0.0, rise)
        inside = self.z[interval] + step * _share_of_cubic(sought, start, end, rise)
        below = self.z[0] + (y - first) / self.right[0]
        above = self.z[-1] + (y - last) / self.left[-1]
        return np.where(y < first, below, np.where(y > last, above, inside))


def exponential(level: Array) -> Array:
    """Return exp(level), held within 1e-304 and 1e304: a finite quantile never reads as 0 or "never"."""
    return np.asarray(np.exp(np.clip(level, -700.0, 700.0)))


def log_of(x: Array) -> Array:
    """Return ln x, and -inf at and below 0 without a warning."""
    x = np.asarray(x, dtype=float)
    return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), -np.inf)


def solve_increasing(
    function: Callable[[Array], tuple[Array, Array]],
    target: Array,
    low: Array,
    high: Array,
    *,
    noise: Array | float = 0.0,
) -> Array:
    """Solve function(x) = target between low and high, by Newton steps kept inside a shrinking bracket.

    The function gives the value, which must never fall, and the slope at x. `noise` is how exactly it is known.
    """
    goal = np.ravel(np.asarray(target, dtype=float))
    below, above = np.array(np.ravel(low), dtype=float), np.array(np.ravel(high), dtype=float)
    # Newton steps shrink quadratically: a step this small leaves an error far below rounding.
    enough = 16 * np.finfo(float).eps * (np.abs(below) + np.abs(above))
    close = 4 * np.finfo(float).eps * np.abs(goal) + np.ravel(noise)
    x = 0.5 * (below + above)
    active = np.arange(x.size)
    for _ in range(80):
        # Only entries that have not settled go on: none depends on how fast the others settle.
        here = x[active]
        value, slope = function(here)
        over = value > goal[active]
        above[active] = np.where(over, here, above[active])
        below[active] = np.where(over, below[active], here)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = here - (value - goal[active]) / slope
        inside = (newton >= below[active]) & (newton <= above[active])
        x[active] = np.where(inside, newton, 0.5 * (below[active] + above[active]))
        settled = np.abs(x[active] - here) <= enough[active]
        settled |= np.abs(value - goal[active]) <= close[active]
        active = active[~(settled | (above[active] - below[active] <= enough[active]))]
        if active.size == 0:
            break
    return np.asarray(x.reshape(np.shape(low)))


def start_probabilities() -> Array:
    """Return probabilities at evenly spaced z from -7.2 to 7.2: where to place the first knots of a table."""
    return np.asarray(special.ndtr(np.linspace(-LARGEST_Z, LARGEST_Z, 145)))


type _Intervals = Array
"""Neighbouring knots, one interval in each column: z from start to end, x from low to high."""


def tabulate(
    x: Array,
    *,
    scores: Callable[[Array], Array],
    log_density: Callable[[Array], Array],
    positive: bool,
    rounding: float = 0.0,
) -> QuantileTable:
    """Tabulate a quantile function, given its inverse, until what is read errs by less than 3e-11 in z.

    `x`, in any order, are values to start from, among them all where the CDF jumps or the density jumps or bends
    sharply; they should reach from z = -7.2 to 7.2. `scores` gives z = ndtri(cdf(x)), exact and never falling, but for
    `rounding` of the probability behind it. Where no x is below 0 (`positive`) the table is of ln x.

    What is read halfway between two knots is checked by its own z; where the two differ, the interval is split. An
    error of x below its rounding, or 1e-15 of the distance between the quartiles, is left.
    """
    x = np.unique(x[x > 0] if positive else x)
    x, z = _within_reach(x, np.clip(np.maximum.accumulate(scores(x)), *_WIDEST_Z))
    lower, upper = np.interp([-0.6745, 0.6745], z, x)
    negligible = 0.0 if positive else 1e-15 * float(upper - lower)
    curve = _Curve(scores, log_density, positive, rounding, negligible)
    batch = np.stack([z[:-1], z[1:], x[:-1], x[1:]])
    done: list[Array] = []
    size = 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for turn in range(_MOST_ROUNDS):
            right, left = curve.slopes(batch)
            pieces = curve.pieces_needed(batch, right, left)
            if size + pieces.sum() > _MOST_KNOTS or turn == _MOST_ROUNDS - 1:
                pieces[:] = 1
            ready = pieces == 1
            done.append(np.stack([*batch, right, left])[:, ready])
            size += int(ready.sum())
            if ready.all():
                break
            batch = curve.split(batch, right, left, np.where(ready, 0, pieces))
    start, end, low, high, right, left = np.concatenate(done, axis=1)
    order = np.lexsort((low, start))
    x, z = np.append(low[order], high[order[-1]]), np.append(start[order], end[order[-1]])
    return QuantileTable(z, np.log(x) if positive else x, right[order], left[order], positive)


def _within_reach(x: Array, z: Array) -> tuple[Array, Array]:
    """Keep the knots from the last at or below z = -7.2 to the first at or above 7.2."""
    first = np.searchsorted(z, max(-LARGEST_Z, z[0]), side="right") - 1
    last = np.searchsorted(z, min(LARGEST_Z, z[-1]), side="left")
    return x[first : last + 1], z[first : last + 1]


@dataclass(frozen=True, slots=True)
class _Curve:
    """Hold what is known of a quantile function while it is tabulated; y is x, or ln x with `log`."""

    scores: Callable[[Array], Array]
    log_density: Callable[[Array], Array]
    log: bool
    rounding: float
    negligible: float

    def level(self, x: Array) -> Array:
        """Return y at x."""
        return np.log(x) if self.log else x

    def slopes(self, batch: _Intervals) -> tuple[Array, Array]:
        """Return the exact dy/dz just inside the ends of each interval, limited so that y is monotone."""
        start, end, low, high = batch
        near = 1e-8 * (high - low)  # so that a jump of the density at a knot does no harm
        x, z = np.concatenate([low + near, high - near]), np.concatenate([start, end])
        log_slope = log_normal_density(z) - self.log_density(x) - (np.log(x) if self.log else 0.0)
        slope = np.exp(np.clip(log_slope, -700.0, 700.0))
        most = 3 * (self.level(high) - self.level(low)) / (end - start)
        right, left = np.split(np.where(np.isnan(slope), 0.0, slope), 2)
        return np.fmin(right, most), np.fmin(left, most)

    def read(self, batch: _Intervals, right: Array, left: Array, share: Array | float) -> Array:
        """Return x at a share of the way through each interval, by Hermite interpolation."""
        start, end, least, most = batch
        low, high, step, rest = self.level(least), self.level(most), end - start, 1 - share
        y: Array = low + (high - low) * share**2 * (3 - 2 * share)
        y = y + step * share * rest * (rest * right - share * left)
        return np.asarray(np.clip(np.exp(y) if self.log else y, least, most))

    def pieces_needed(self, batch: _Intervals, right: Array, left: Array) -> NDArray[np.intp]:
        """Return into how many pieces each interval must be split; 1 where it is exact enough."""
        start, end = batch[:2]
        low, high = self.level(batch[2]), self.level(batch[3])
        step = end - start
        middle = start + 0.5 * step
        error = np.abs(np.clip(self.scores(self.read(batch, right, left, 0.5)), start, end) - middle)
        smallest = 4 * _EPSILON * (np.maximum(np.abs(low), np.abs(high)) + (1.0 if self.log else 0.0))
        # In a tail, the rounding of a probability is a wide shift of z: no split mends it.
        allowed = _TOLERANCE + self.rounding / np.exp(log_normal_density(middle))
        allowed = allowed + (smallest + self.negligible) * step / (high - low)
        settled = ~(error > allowed) | (end <= -LARGEST_Z) | (start >= LARGEST_Z)
        pieces = np.clip(np.ceil(1.1 * (error / allowed) ** 0.25), 2.0, 16.0)
        return np.where(settled, 1.0, pieces).astype(np.intp)

    def split(self, batch: _Intervals, right: Array, left: Array, pieces: NDArray[np.intp]) -> _Intervals:
        """Split intervals into pieces, drop them where `pieces` is 0; each new knot has its own exact z."""
        owner = np.repeat(np.arange(pieces.size), pieces)
        place = np.arange(owner.size) - np.searchsorted(owner, owner, side="left")
        new = place > 0
        parents = batch[:, owner[new]]
        start, end, low, high = batch[:, owner]
        low[new] = self.read(parents, right[owner[new]], left[owner[new]], place[new] / pieces[owner[new]])
        start[new] = np.clip(self.scores(low[new]), parents[0], parents[1])
        low, start = np.maximum.accumulate(low), np.maximum.accumulate(start)
        inner = np.flatnonzero(new) - 1  # the pieces that another of the same interval follows
        high[inner], end[inner] = low[inner + 1], start[inner + 1]
        return np.stack([start, end, low, high])


def _share_of_cubic(rise: Array, start: Array, end: Array, whole: Array) -> Array:
    """Return where in [0, 1] a rising cubic from 0 to `whole`, with these end slopes, is at `rise`."""
    bend, turn = start + end - 2 * whole, 3 * whole - 2 * start - end
    low, high = np.zeros_like(rise), np.ones_like(rise)
    share = rise / whole
    for _ in range(80):
        value = share * (start + share * (turn + share * bend)) - rise
        slope = start + share * (2 * turn + 3 * share * bend)
        low, high = np.where(value <= 0, share, low), np.where(value > 0, share, high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = share - value / slope
        following = np.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
        moved = np.abs(following - share) > 2 * _EPSILON
        if not moved.any():
            break
        # An entry that has settled stays: none depends on how fast the others settle.
        share = np.where(moved, following, share)
    return share


def monotone_table(z: Array, y: Array, *, log: bool) -> QuantileTable:
    """Join free points (points,) by the monotone cubic of Fritsch and Carlson (PCHIP); two give a straight line.

    Inside, the slope at a knot is the weighted harmonic mean of the neighbouring secants; at the ends the three-point
    slope, but at least a third of the end secant, so that the tails have a width.
    """
    step = np.diff(z)
    secant = np.diff(y) / step
    slope = np.empty_like(y)
    if secant.size == 1:
        slope[:] = secant
    else:
        first = 2 * step[1:] + step[:-1]
        second = step[1:] + 2 * step[:-1]
        slope[1:-1] = (first + second) / (first / secant[:-1] + second / secant[1:])
        slope[0] = _end_slope(step[0], step[1], secant[0], secant[1])
        slope[-1] = _end_slope(step[-1], step[-2], secant[-1], secant[-2])
    return QuantileTable(z, y, slope[:-1], slope[1:], log)


def _end_slope(step: float, next_step: float, secant: float, next_secant: float) -> float:
    """Return the three-point slope at an end, held between a third of the secant and three times it."""
    slope = ((2 * step + next_step) * secant - step * next_secant) / (step + next_step)
    return float(min(max(slope, secant / 3), 3 * secant))


def normal_quantile(u: Array) -> Array:
    """Return z with Phi(z) = u."""
    return np.asarray(special.ndtri(u))

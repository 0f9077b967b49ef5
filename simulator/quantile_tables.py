"""Increasing functions as tables: how a quantile function without a closed form is evaluated fast.

A quantile function is tabulated against the standard normal quantile z = ndtri(u), with the exact slope
dx/dz = phi(z) / pdf(x), and read by cubic Hermite interpolation. The knots are refined until the error, as a
shift of z, is below 3e-11. What is read for one u never depends on the other entries of the array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

type Array = NDArray[np.float64]

LARGEST_Z = 7.2
"""The table ends here; ndtri(1 - 1e-12) is 7.03."""

_TOLERANCE = 3e-11
_SMALLEST_STEP = 2e-10
_MOST_KNOTS = 60_000


def log_normal_density(z: Array) -> Array:
    """Return the log of the standard normal density, -z^2 / 2 - ln sqrt(2 pi).

    Examples
    --------
    >>> round(float(log_normal_density(np.array(0.0))), 4)
    -0.9189
    """
    return np.asarray(-0.5 * z * z - 0.5 * np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class QuantileTable:
    """Hold knots of an increasing function y(z) and read it by cubic Hermite interpolation.

    Beyond the first and last knot y goes on as a straight line. With `log`, y is the log of the value.

    Parameters
    ----------
    z, y : array (knots,)
        Increasing z; y never falls.
    right, left : array (knots - 1,)
        Slopes dy/dz at the lower end of each interval and at its upper end, at most 3 times the interval's
        secant, so that y is monotone (Fritsch and Carlson 1980).
    log : bool
        Whether y is the natural log of the value.

    Examples
    --------
    >>> two = np.array([2.0])
    >>> line = QuantileTable(np.array([0.0, 1.0]), np.array([0.0, 2.0]), two, two, log=False)
    >>> line.values(np.array([-1.0, 0.5])).tolist()
    [-2.0, 1.0]
    """

    z: Array
    y: Array
    right: Array
    left: Array
    log: bool

    def levels(self, z: Array) -> tuple[Array, Array]:
        """Return y(z) and dy/dz."""
        interval = np.clip(np.searchsorted(self.z, z, side="right") - 1, 0, self.z.size - 2)
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
        inside = solve_increasing(
            self.levels, np.clip(y, first, last), self.z[interval], self.z[interval + 1]
        )
        below = self.z[0] + (y - first) / self.right[0]
        above = self.z[-1] + (y - last) / self.left[-1]
        return np.where(y < first, below, np.where(y > last, above, inside))


def exponential(level: Array) -> Array:
    """Return exp(level), held within 1e-304 and 1e304: a finite quantile never reads as 0 or "never"."""
    return np.asarray(np.exp(np.clip(level, -700.0, 700.0)))


def log_of(x: Array) -> Array:
    """Return ln x, and -inf at and below 0 without a warning.

    Examples
    --------
    >>> log_of(np.array([0.0, 1.0])).tolist()
    [-inf, 0.0]
    """
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

    Parameters
    ----------
    function : callable
        Gives the value and the slope at x; the value must never fall.
    target, low, high : array, one shape
        The level sought and the ends of the bracket.
    noise : array of that shape, or number
        How exactly the function itself is known.

    Examples
    --------
    >>> cube = solve_increasing(lambda x: (x**3, 3 * x**2), np.array([8.0]), np.array([0.0]), np.array([9.0]))
    >>> float(cube[0].round(12))
    2.0
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


def tabulate(
    quantile: Callable[[Array], Array],
    *,
    log_density: Callable[[Array], Array],
    positive: bool,
    extra: Array,
) -> QuantileTable:
    """Tabulate a quantile function of z until Hermite interpolation errs by less than 3e-11 in z.

    Parameters
    ----------
    quantile : callable
        x as a function of z, exact.
    log_density : callable
        Natural log of the density at x.
    positive : bool
        Whether no x is below 0; the table is then of ln x.
    extra : array
        Values of z that must be knots: where the density jumps.

    Examples
    --------
    >>> log_density = lambda x: log_normal_density(np.log(x)) - np.log(x)
    >>> table = tabulate(np.exp, log_density=log_density, positive=True, extra=np.array([]))
    >>> bool(abs(table.values(np.array([0.1234])) / np.exp(0.1234) - 1)[0] < 1e-12)
    True
    """
    inner = extra[(extra > -LARGEST_Z) & (extra < LARGEST_Z)]
    z = np.unique(np.concatenate([np.linspace(-LARGEST_Z, LARGEST_Z, 145), inner]))
    z = z[np.concatenate([[True], np.diff(z) > _SMALLEST_STEP])]
    x = np.maximum.accumulate(quantile(z))
    log = positive and bool(x[0] > 1e-290)
    unsettled = np.ones(z.size - 1, dtype=bool)
    while unsettled.any() and z.size < _MOST_KNOTS:
        table = _hermite(z, x, log_density, log=log)
        where = np.flatnonzero(unsettled)
        middle = 0.5 * (z[where] + z[where + 1])
        exact = np.clip(quantile(middle), x[where], x[where + 1])
        read, _ = table.levels(middle)
        step = z[where + 1] - z[where]
        secant = (table.y[where + 1] - table.y[where]) / step
        # Beyond z = 5 a CDF near 1 is known to 1e-16 only; do not refine below that.
        allowed = _TOLERANCE + 1e-15 / np.exp(log_normal_density(middle))
        error = np.abs(read - (np.log(exact) if log else exact))
        wrong = (error > allowed * secant) & (step > _SMALLEST_STEP)
        still = np.insert(unsettled, where + 1, wrong)
        still[where + np.arange(where.size)] = wrong
        z, x, unsettled = np.insert(z, where + 1, middle), np.insert(x, where + 1, exact), still
    return _hermite(z, x, log_density, log=log)


def _hermite(z: Array, x: Array, log_density: Callable[[Array], Array], *, log: bool) -> QuantileTable:
    """Join knots with the exact slopes on either side of each, limited so that y is monotone."""
    y = np.log(x) if log else x
    secant = np.diff(y) / np.diff(z)
    near = 1e-8 * np.diff(x)  # just inside the interval, so that a jump of the density at a knot does no harm

    def slopes(at: Array, inside: Array) -> Array:
        log_slope = log_normal_density(at) - log_density(inside) - (np.log(inside) if log else 0.0)
        slope = np.exp(np.clip(log_slope, -700.0, 700.0))
        return np.asarray(np.clip(np.where(np.isfinite(log_slope), slope, 0.0), 0.0, 3 * secant))

    with np.errstate(divide="ignore", invalid="ignore"):
        return QuantileTable(z, y, slopes(z[:-1], x[:-1] + near), slopes(z[1:], x[1:] - near), log)


def monotone_table(z: Array, y: Array, *, log: bool) -> QuantileTable:
    """Join free points by the monotone cubic of Fritsch and Carlson (PCHIP).

    Inside, the slope at a knot is the weighted harmonic mean of the neighbouring secants; at the ends the
    three-point slope, but at least a third of the end secant, so that the tails have a width.

    Parameters
    ----------
    z, y : array (points,)
        Strictly increasing; two points give a straight line.
    log : bool
        Whether y is the natural log of the value.

    Examples
    --------
    >>> table = monotone_table(np.array([-1.0, 0.0, 1.0]), np.array([0.0, 1.0, 2.0]), log=False)
    >>> table.values(np.array([2.0])).tolist()
    [3.0]
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
    """Return z with Phi(z) = u.

    Examples
    --------
    >>> round(float(normal_quantile(np.array(0.95))), 4)
    1.6449
    """
    return np.asarray(special.ndtri(u))

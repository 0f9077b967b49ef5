"""Grow, add and translate levels: the equations of the simulator, arrays in and arrays out.

Levels are log10 of the base unit, rates are in OOM/year, dates are decimal years. The sample axis comes
first: a parameter is one number or an array (sample,), years are an array (year,), or (sample, year) where
samples have times of their own, a path is an array (sample, year). Beside a path, an array with one axis is read as
one value per sample; a value per year only is (1, year). A result has the common shape of what it is made from. What
is refused raises ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.units import Array


def column(value: ArrayLike) -> Array:
    """Return a parameter as a column (sample, 1)."""
    return np.asarray(value, dtype=np.float64).reshape(-1, 1)


def row(value: ArrayLike) -> Array:
    """Return a parameter as a row (1, sample)."""
    return np.asarray(value, dtype=np.float64).reshape(1, -1)


def aligned(*values: ArrayLike) -> list[Array]:
    """Return the values as arrays; beside a path, those with one axis become columns (sample, 1)."""
    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    if any(array.ndim > 1 for array in arrays):
        arrays = [array[:, np.newaxis] if array.ndim == 1 else array for array in arrays]
    return arrays


def increasing(where: str, name: str, values: ArrayLike) -> Array:
    """Return dates or points as an array (n,), refusing an order that is not strictly increasing, and NaN."""
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if not np.all(np.diff(array) > 0) or np.isnan(array).any():
        raise ValueError(
            f"{where}: {name}: must be strictly increasing; got {array.tolist()}. "
            "A later value follows an earlier one. Sort them and keep one of each."
        )
    return array


def refuse_size(where: str, name: str, given: int, wanted: int, each: str) -> None:
    """Refuse a list that does not pair with the years or points it belongs to, and an empty one."""
    if given != wanted or wanted == 0:
        raise ValueError(
            f"{where}: {name}: must have one value per {each}, at least one; got {given} for {wanted}. "
            f"Each value belongs to one {each}. Fill in or take out the odd ones."
        )


LN_10 = math.log(10.0)
_LN_2 = math.log(2.0)
# A date further away than this stands for "always" (before) or "never" (after), and keeps inf - inf away.
FAR_YEAR = 1e6

type Gain = Callable[[Array, Array], Array]
"""Gives the growth, OOM, between two times, each (sample, year) with 1 where all have the same."""


def mean_decay(exponent: Array) -> Array:
    """Return (1 - exp(-x)) / x for any x, the mean of exp(-u) over 0..x: 1 at x = 0, 1/x far above."""
    return np.divide(-np.expm1(-exponent), exponent, out=np.ones_like(exponent), where=exponent != 0.0)


def log_one_plus(first: Array, second: Array) -> Array:
    """Return log10(1 + 10^-|first - second|); two equal infinities count as no distance apart."""
    with np.errstate(invalid="ignore"):
        return np.log1p(np.exp(np.fmax(np.abs(first - second), 0.0) * -LN_10)) / LN_10


def regime_growth(
    years: ArrayLike,
    *,
    base: ArrayLike,
    starts: Sequence[ArrayLike],
    rates: Sequence[ArrayLike | Gain],
    half_lives: Sequence[ArrayLike | None],
    floors: Sequence[ArrayLike | None],
) -> Array:
    """Integrate the growth rate from `base` to each year, exactly.

    Regime k is in force from starts[k] until the next one starts. Where drawn dates are out of order, a
    later regime waits for the earlier one: it starts at the running maximum of the dates. The growth is
    signed: before `base` it is minus the integral. A regime with a half-life h decays from its rate r at
    its own start s (the first: at `base`) towards its floor f: rate(t) = f + (r - f) 2^(-(t - s)/h).
    Limits: h = inf gives r throughout, h near 0 gives f. Before `base` a decaying first regime holds r, as
    the decay run backward would grow without bound. The value at a year depends on that year only, so the
    step does not matter.

    `years` (year,) and `base`, one or (sample,), are decimal years. One per regime, each one or (sample,): `starts`,
    decimal years, the first -inf, +inf for never; `rates`, OOM/year, or the growth that a rate of its own course gives
    between two times; `half_lives`, years > 0 or None (a constant
    rate); `floors`, OOM/year or None (0). The result is (sample, year) or (1, year) in OOM. ValueError: lists of
    different lengths, a first start that is not -inf, a half-life not above 0.

    >>> regime_growth([2025, 2030], base=2025, starts=[-np.inf, 2027], rates=[0.5, 0.1],
    ...               half_lives=[None, None], floors=[None, None])
    array([[0. , 1.3]])
    """
    for name, given in (("rates", rates), ("half_lives", half_lives), ("floors", floors)):
        refuse_size("regime_growth", name, len(given), len(starts), "regime")
    if not np.all(np.isneginf(np.asarray(starts[0], dtype=np.float64))):
        raise ValueError(
            f"regime_growth: starts[0]: must be -inf; got {starts[0]!r}. "
            "The first regime has no date: it holds until the second starts. Give the date to the second."
        )
    # Computed as (year, sample) and turned at the end: a run is kept year by year, and no copy has to turn it again.
    year = np.atleast_2d(np.asarray(years, dtype=np.float64)).T
    base_year = row(base)
    dates = [np.clip(row(start), -FAR_YEAR, FAR_YEAR) for start in starts]
    for number in range(1, len(dates)):
        dates[number] = np.maximum(dates[number - 1], dates[number])
    dates.append(np.full((1, 1), FAR_YEAR))
    growth: Array = np.zeros((1, 1))
    for number, (rate, half_life, floor) in enumerate(zip(rates, half_lives, floors, strict=True)):
        # Clipping both ends into the regime makes the integral signed and leaves 0 for a regime not met.
        first, last = (np.minimum(np.maximum(date, dates[number]), dates[number + 1]) for date in (base_year, year))
        if callable(rate):
            growth = growth + rate(first.T, last.T).T
            continue
        if half_life is None:
            growth = growth + row(rate) * (last - first)
            continue
        anchor = base_year if number == 0 else dates[number]
        decay = (row(rate), row(half_life), row(0.0 if floor is None else floor))
        growth = growth + (_decaying_growth(last - anchor, *decay) - _decaying_growth(first - anchor, *decay))
    return growth.T


def _decaying_growth(elapsed: Array, rate: Array, half_life: Array, floor: Array) -> Array:
    """Return the growth over `elapsed` years of a rate that decays to its floor; at `rate` where negative."""
    if not np.all(half_life > 0):
        raise ValueError(
            f"regime_growth: half_lives: must be above 0 years; got {np.min(half_life)}. "
            "The rate halves its distance to the floor in that time. Give a positive time, or none."
        )
    fall = mean_decay(np.maximum(elapsed, 0.0) * (_LN_2 / half_life))
    return elapsed * (floor + (rate - floor) * fall)


def _shocks(where: str, years: ArrayLike, shock_years: ArrayLike, shocks: ArrayLike) -> tuple[Array, Array, Array]:
    """Return years, shock years (n,) and shocks (sample, n); refuse what does not pair."""
    dates, shock = increasing(where, "shock_years", shock_years), np.atleast_2d(np.asarray(shocks, dtype=np.float64))
    refuse_size(where, "shocks", shock.shape[1], dates.size, "shock year")
    return np.asarray(years, dtype=np.float64), dates, shock


def read_off(values: Array, place: NDArray[np.intp]) -> Array:
    """Read values (sample, n) or (1, n) at places (year,), of all samples, or (sample, year), of each its own."""
    if place.ndim == 1:
        return values[:, place]
    samples = np.arange(place.shape[0])[:, None] if values.shape[0] > 1 else np.zeros((1, 1), dtype=np.intp)
    return np.asarray(values[samples, place])


def random_walk_growth(
    years: ArrayLike, *, base: ArrayLike, sd: ArrayLike, shocks: ArrayLike, shock_years: ArrayLike
) -> Array:
    """Integrate a rate that drifts: at each shock year it changes by sd x shock, and stays there.

    growth(t) = sum over j of sd shock_j max(0, t - year_j), over shock years at or after `base`. Limits: 0
    before the first of them, linear after the last. A later horizon changes no bit of an earlier year.

    `years` (year,), `base` one or (sample,), and `shock_years` (n,), strictly increasing, are decimal
    years; `sd` one or (sample,) is in OOM/year per shock; `shocks` (sample, n) are standard normal. The
    result is (sample, year) in OOM. ValueError: shock years out of order, or not one shock for each.

    >>> random_walk_growth([2025, 2026, 2028], base=2025, sd=0.1,
    ...                    shocks=[[1.0, -2.0]], shock_years=[2025, 2026])
    array([[ 0. ,  0.1, -0.1]])
    """
    year, dates, shock = _shocks("random_walk_growth", years, shock_years, shocks)
    step = np.where(dates >= column(base), column(sd) * shock, 0.0)
    rate = np.cumsum(step, axis=1)
    level = np.zeros_like(rate)
    level[:, 1:] = np.cumsum(rate[:, :-1] * np.diff(dates), axis=1)
    latest = np.maximum(np.searchsorted(dates, year, side="right") - 1, 0)
    growth: Array = read_off(level, latest) + read_off(rate, latest) * np.maximum(year - dates[latest], 0.0)
    return growth


def random_step_growth(
    years: ArrayLike, *, base: float, sd: ArrayLike, shocks: ArrayLike, shock_years: ArrayLike
) -> Array:
    """Add up yearly growth that scatters about its rate: a random walk of the level with normal steps.

    growth(t) = sum over j of sd shock_j sqrt(w_j) clip((t - a_j) / w_j, 0, 1), where step j goes from
    a_j = max(year_j - 1, base) to year_j and w_j = year_j - a_j. Limits: 0 up to `base`, constant after the
    last shock year; at whole years the variance is sd^2 times the years since `base`. A later horizon changes
    no bit of an earlier year.

    `years` (year,) and `shock_years` (n,), strictly increasing and after `base`, are decimal years; `sd` one or
    (sample,) is in OOM/year; `shocks` (sample, n) are standard normal. The result is (sample, year) in OOM.
    ValueError: shock years out of order or not after `base`, or not one shock for each.

    >>> random_step_growth([2025, 2025.5, 2026, 2027], base=2025, sd=0.1,
    ...                    shocks=[[1.0, -2.0]], shock_years=[2026, 2027]).round(2)
    array([[ 0.  ,  0.05,  0.1 , -0.1 ]])
    """
    year, dates, shock = _shocks("random_step_growth", years, shock_years, shocks)
    if not base < dates[0]:
        raise ValueError(
            f"random_step_growth: shock_years: must come after base {base:g}; got {dates[0]:g}. "
            "A step leads up to its year. Leave earlier years out."
        )
    began = np.maximum(dates - 1.0, base)
    width = dates - began
    done = np.clip((year[..., None] - began) / width, 0.0, 1.0)
    step = column(sd) * shock * np.sqrt(width)
    growth: Array = np.zeros((step.shape[0], year.shape[-1]))
    for number in range(dates.size):  # one after the other: a later year adds exact zeros to the earlier ones
        growth += step[:, [number]] * done[..., number]
    return growth


def table_growth(years: ArrayLike, *, table_years: ArrayLike, table_levels: ArrayLike) -> Array:
    """Read levels from a table, linear in the log between its years.

    `years` (year,) must lie within `table_years` (n,), strictly increasing; `table_levels` (n,) and the
    result, shaped as the years, are log10 of one unit. ValueError: a year outside the table, or a table out of order.

    >>> table_growth([2026, 2027.5], table_years=[2025, 2027, 2028], table_levels=[20, 22, 22.5])
    array([21.  , 22.25])
    """
    year = np.asarray(years, dtype=np.float64)
    dates = increasing("table_growth", "table_years", table_years)
    levels = np.asarray(table_levels, dtype=np.float64).reshape(-1)
    refuse_size("table_growth", "table_levels", levels.size, dates.size, "table year")
    outside = year[~((year >= dates[0]) & (year <= dates[-1]))]
    if outside.size:
        raise ValueError(
            f"table_growth: years: must lie within {dates[0]:g} to {dates[-1]:g}; got {outside.tolist()}. "
            "A table says nothing beyond its ends. Add rows to it, or shorten the run."
        )
    return np.asarray(np.interp(year, dates, levels), dtype=np.float64)


def log_sum(terms: Sequence[ArrayLike]) -> Array:
    """Add numbers given by their log10: log10 of the sum of 10^term, all in one unit.

    A term far below the others changes nothing, -inf is 0; n equal terms give log10(n) more; no term, -inf.

    >>> log_sum([[[25.0, 26.0]], 25.0]).round(3)
    array([[25.301, 26.041]])
    """
    total, *others = aligned(*terms) if terms else aligned(-np.inf)
    for term in others:
        total = np.asarray(np.maximum(total, term) + log_one_plus(total, term), dtype=np.float64)
    return total


def log_difference(log_level: ArrayLike, log_part: ArrayLike) -> Array:
    """Subtract numbers given by their log10: log10(10^a - 10^b), NaN where nothing positive is left.

    A part far below changes nothing. The caller says what NaN means to the user. Both are in one unit.

    >>> log_difference([2.0, 2.0], [1.0, 2.0]).round(3)
    array([1.954,   nan])
    """
    level, part = aligned(log_level, log_part)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        gap = (part - level) * LN_10
        # Two forms of ln(1 - e^gap): the first keeps the digits near 0, the second far below (Maechler 2012).
        loss = np.where(gap > -_LN_2, np.log(-np.expm1(gap)), np.log1p(-np.exp(gap))) / LN_10
        return np.asarray(np.where(gap < 0.0, level + loss, np.nan), dtype=np.float64)


def accumulate(years: ArrayLike, log_flow: ArrayLike, *, log_start: ArrayLike) -> Array:
    """Add a flow up to a stock: log10 of the start plus the integral of the flow from the first year.

    Exact where the log of the flow is linear within a step: the integral over dt is dt (F1 - F0) /
    ln(F1/F0). Limits: dt F for a constant flow, 0 where the flow is 0 at an end. A fine grid follows a bend.

    `years` (year,) are decimal years, strictly increasing; `log_flow` (year,) or (sample, year) is log10 of
    the unit per year; `log_start` one or (sample,) is log10 of the unit in the first year, -inf for none.
    The result is (sample, year), log10 of the unit. ValueError: years out of order, or not one flow each.

    >>> accumulate([2025, 2026, 2028], [1.0, 1.0, 1.0], log_start=1.0).round(3)
    array([[1.   , 1.301, 1.602]])
    """
    year = increasing("accumulate", "years", years)
    flow = np.atleast_2d(np.asarray(log_flow, dtype=np.float64))
    refuse_size("accumulate", "log_flow", flow.shape[1], year.size, "year")
    start = column(log_start)
    with np.errstate(invalid="ignore", divide="ignore"):
        fall = np.fmax(np.abs(np.diff(flow, axis=1)), 0.0) * LN_10
        larger = np.maximum(flow[:, :-1], flow[:, 1:])
        added = larger * LN_10 + np.log(mean_decay(fall) * np.diff(year))
    samples = max(flow.shape[0], start.shape[0])
    parts = np.empty((samples, year.size))
    parts[:, :1] = start * LN_10
    parts[:, 1:] = added
    stock = np.asarray(np.logaddexp.accumulate(parts, axis=1), dtype=np.float64) / LN_10
    stock[:, :1] = start
    return stock


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A multiplier on a growth rate that depends on compute.

    Linear in the log of both between points, constant beyond the ends. `first`, log10 of the multiplier at the first
    point, and what it gains up to each next one, `gains`, are (sample,) or (1,), of several with the same points
    (multiplier, sample); of each `span` stand log10 of compute where it begins, and how long it is.

    >>> multiplier = Multiplier.of([26, 28], [0.0, 2.0])
    >>> multiplier.at(np.array([20.0, 27.0, 40.0]))
    array([  1.,  10., 100.])
    """

    first: Array
    gains: tuple[Array, ...]
    spans: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, log_points: ArrayLike, log_multipliers: Sequence[ArrayLike]) -> Multiplier:
        """Take points (n,), log10 FLOP, strictly increasing, and as many log10 of the multiplier, each (sample,).

        ValueError: points out of order, or not one multiplier each.
        """
        points = increasing("feedback", "log_points", log_points)
        refuse_size("feedback", "log_multipliers", len(log_multipliers), points.size, "point")
        values = [np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in log_multipliers]
        gains = tuple(after - before for before, after in pairwise(values))
        return cls(values[0], gains, tuple(zip(points[:-1].tolist(), np.diff(points).tolist(), strict=True)))

    @classmethod
    def stacked(cls, several: Sequence[Multiplier]) -> Multiplier:
        """Make one of several that have the same points."""
        gains = zip(*(each.gains for each in several), strict=True)
        return cls(np.stack([each.first for each in several]), tuple(map(np.stack, gains)), several[0].spans)

    def taken(self, rows: NDArray[np.intp] | slice) -> Multiplier:
        """Take some samples."""
        return Multiplier(self.first[..., rows], tuple(gain[..., rows] for gain in self.gains), self.spans)

    def at(self, log_compute: Array) -> Array:
        """Read it at compute (sample,), log10 FLOP: the multiplier itself, 1 where nothing changes."""
        gained: Array = np.zeros_like(log_compute)
        for number, (begin, length) in enumerate(self.spans):
            # Each span adds its part of the change, from none where it begins to all where it ends.
            part = self.gains[number] * np.minimum(np.maximum((log_compute - begin) / length, 0.0), 1.0)
            gained = gained + part if number else part
        return np.asarray(np.exp((self.first + gained) * LN_10))

"""The distribution of a crossing year or of a variable in a year, from a run's samples or from its summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from simulator.dates import year_words
from simulator.errors import InputError, near_or_all
from simulator.runs.crossings import crossing_years
from simulator.runs.estimates import at_date
from simulator.runs.groups import group
from simulator.runs.summary import summarised
from simulator.units import Array, plain_unit

if TYPE_CHECKING:
    import xarray as xr

_JUMP = 0.005
"""Probability at one value that is kept as a jump; less is the noise of two estimates of one point."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A cumulative distribution: the run's probability at or below a value.

    `points` (n,), rising, on the scale on which it is interpolated (log10 where `log`), with `shares` (n,) at or below
    them; `exact` where the points are samples, between which nothing lies, else it is interpolated monotonically.
    `unit`, `label`, `origin`: what it is the distribution of, and what it was made from. `censored`: the probability of
    no value, as no crossing by the run's last year, or no such limit.
    """

    points: Array
    shares: Array
    exact: bool
    log: bool
    unit: str
    label: str
    origin: str
    censored: float = 0.0

    def at(self, values: ArrayLike) -> Array:
        """Give the probability at or below values of the quantity."""
        asked = self._scaled(values)
        return self._counted(asked, side="right") if self.exact else self._interpolated(asked)

    def below(self, value: float) -> float:
        """Give the probability strictly below a value of the quantity."""
        asked = self._scaled([value])
        if self.exact:
            return float(self._counted(asked, side="left")[0])
        return float(self._interpolated(asked)[0]) if asked[0] > self.points[0] else 0.0

    def _counted(self, asked: Array, *, side: Literal["left", "right"]) -> Array:
        return np.concatenate([[0.0], self.shares])[np.searchsorted(self.points, asked, side=side)]

    def _interpolated(self, asked: Array) -> Array:
        from scipy.interpolate import PchipInterpolator

        if len(self.points) < 2:
            return np.where(asked >= self.points[0], self.shares[0], 0.0) if len(self.points) else np.zeros(asked.shape)
        inside = np.clip(asked, self.points[0], self.points[-1])
        found = np.asarray(PchipInterpolator(self.points, self.shares)(inside), dtype=np.float64)
        return np.where(asked < self.points[0], 0.0, found)

    def _scaled(self, values: ArrayLike) -> Array:
        asked = np.asarray(values, dtype=np.float64)
        if not self.log:
            return asked
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(asked > 0, np.log10(asked), -np.inf)


def sampled(values: ArrayLike, *, unit: str, log: bool, label: str = "", origin: str = "samples") -> Distribution:
    """Make the distribution of samples; those that are +inf are censored."""
    given = np.sort(np.asarray(values, dtype=np.float64))
    finite = given[given < np.inf]
    shares = np.arange(1, len(finite) + 1) / len(given)
    return Distribution(finite, shares, True, log, unit, label, origin, 1.0 - len(finite) / len(given))


def crossing_distribution(run: xr.DataTree, threshold: str) -> Distribution:
    """Give the distribution of the year in which a threshold is crossed.

    From the samples, or through the summary's quantiles and probabilities by year, interpolated monotonically (PCHIP).
    """
    label = f"crossing year of {threshold}"
    if "crossings" in run.children:
        years = crossing_years(run, threshold).values
        return sampled(years, unit="year", log=False, label=label, origin=f"{len(years):,} samples")
    summary = group(run, "summary")
    names = [str(name) for name in summary["threshold"].values] if "threshold" in summary.coords else []
    if threshold not in names:
        hint = near_or_all(threshold, names)
        raise InputError(f"the run has no threshold '{threshold}'. {hint}")
    one = summary.sel(threshold=threshold)
    quantiles, years = one["crossing_quantile"].values, one["year"].values
    finite = np.isfinite(quantiles)
    points, shares = _rising(
        np.concatenate([quantiles[finite], years]),
        np.concatenate([one["quantile"].values[finite], one["crossed"].values]),
    )
    origin = "the summary's quantiles and probabilities, interpolated (the run kept no samples)"
    return Distribution(points, shares, False, False, "year", label, origin, float(one["never"]))


def level_distribution(run: xr.DataTree, variable: str, year: float) -> Distribution:
    """Give the distribution of a variable at a date; between two years of the run on straight lines between its levels.

    From the samples, or through the summary's quantiles, interpolated monotonically (PCHIP), with straight tails.
    """
    values = summarised(run, variable)
    years = values.years
    if not years[0] <= year <= years[-1]:
        ends = f"{year_words(float(years[0]))} to {year_words(float(years[-1]))}"
        raise InputError(f"--year: {year_words(year)} lies outside the years of the run, {ends}.")
    unit = str(values.attrs["units"])
    log, plain = unit.startswith("log10("), plain_unit(unit)
    label = f"{values.attrs['long_name']} in {year_words(year)}"
    lines = ", on straight lines between its years" if year not in years else ""
    if "trajectories" in run.children:
        kept = run.children["trajectories"].to_dataset()[variable].transpose("sample", "year")
        levels = at_date(kept.values, years, year)
        return sampled(levels, unit=plain, log=log, label=label, origin=f"{len(levels):,} samples{lines}")
    levels, shares = at_date(values.values, years, year), values.levels
    finite = np.isfinite(levels)  # a limit that some samples do not have is +inf in them
    points, shares = _with_tails(*_rising(levels[finite], shares[finite]), upper=bool(finite.all()))
    origin = f"the summary's quantiles, interpolated (the run kept no samples){lines}"
    return Distribution(points, shares, False, log, plain, label, origin)


def _rising(values: Array, shares: Array) -> tuple[Array, Array]:
    """Sort points of a CDF; where several stand at one value, keep the lowest just before it and the highest on it."""
    order = np.lexsort((shares, values))
    values, shares = values[order], np.maximum.accumulate(shares[order])
    distinct, first = np.unique(values, return_index=True)
    low, high = shares[first], shares[np.append(first[1:], len(values)) - 1]
    just_before = distinct - 1e-6 * np.maximum(1.0, np.abs(distinct))
    jumps = 1 + np.flatnonzero((high - low > _JUMP)[1:] & (just_before[1:] > distinct[:-1]))
    return np.insert(distinct, jumps, just_before[jumps]), np.insert(high, jumps, low[jumps])


def _with_tails(points: Array, shares: Array, *, upper: bool) -> tuple[Array, Array]:
    """Draw the outermost segments on, straight, until the probability is 0 and, where `upper`, 1."""
    if len(points) < 2:
        return points, np.ones(len(points)) if upper else shares
    low = points[0] - (points[1] - points[0]) * shares[0] / (shares[1] - shares[0])
    points, shares = np.array([low, *points]), np.array([0.0, *shares])
    if upper and shares[-1] < 1.0:
        high = points[-1] + (points[-1] - points[-2]) * (1 - shares[-1]) / (shares[-1] - shares[-2])
        points, shares = np.array([*points, high]), np.array([*shares, 1.0])
    return points, shares

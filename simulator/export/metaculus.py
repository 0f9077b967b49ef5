"""A crossing year, or a variable in a year, as the continuous CDF that a Metaculus question takes.

The rules are those of Metaculus' server (`questions/serializers/common.py` of its public repository): 201 values, for
the positions 0, 1/200, ..., 1 of the question's scale; every step at least 0.01 / 200 and at most 0.2 (some versions
allowed 0.59); the first value 0 at a closed lower bound, at least 0.001 at an open one; the last 1 at a closed upper
bound, at most 0.999 at an open one. The scale is that of `utils/the_math/formulas.py`: linear, or, with a zero point z,
low + (high - low) (r^u - 1) / (r - 1) with r = (high - z) / (low - z), which for z = 0 is even in the logarithm.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from simulator.dates import DateError, day_at, moments_between, read_year, year_of, year_words
from simulator.errors import InputError, near_or_all
from simulator.runs.crossings import crossing_years
from simulator.runs.estimates import at_date
from simulator.runs.groups import differing_samples, group, named_thresholds
from simulator.runs.summary import summarised
from simulator.units import Array, plain_unit
from simulator.wording import percent, share_text

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
    if threshold not in (names := named_thresholds(summary)):
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


STEPS = 200
LEAST_STEP = 0.01 / STEPS
MOST_STEP = 0.2
OPEN_MASS = 0.001
_FINE = 10_000_000_000
"""Metaculus rounds to ten digits; the values are whole numbers of these, so that no step loses its last digit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a question: its bounds, whether they are open, and its zero point where it is logarithmic.

    `low` and `high` are in the unit of the quantity (FLOP, USD, decimal years), or moments of a question of dates.
    """

    low: float | datetime
    high: float | datetime
    open_lower: bool = False
    open_upper: bool = False
    zero_point: float | None = None

    def locations(self) -> Array:
        """Give the 201 values of the quantity, rising; decimal years for moments."""
        if isinstance(self.low, datetime) or isinstance(self.high, datetime):
            return self._moments()
        low, high, zero = self.low, self.high, self.zero_point
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(f"--range: the lower bound must lie below the upper one; got {low:g} and {high:g}.")
        position = np.linspace(0.0, 1.0, STEPS + 1)
        if zero is None:
            return np.asarray(low + (high - low) * position, dtype=np.float64)
        if not zero < low:
            raise InputError(
                f"--zero-point: must lie below the lower bound {low:g}; got {zero:g}. "
                "A scale that is even in the logarithm (--log) has the zero point 0."
            )
        ratio = (high - zero) / (low - zero)
        found = zero + (low - zero) * ratio**position  # the formula above, with less rounding
        found[[0, -1]] = low, high
        return np.asarray(found, dtype=np.float64)

    def _moments(self) -> Array:
        low, high = self.low, self.high
        if not (isinstance(low, datetime) and isinstance(high, datetime)):
            raise InputError("--range: give both bounds as dates (2026-01-01), or both as numbers.")
        if not low < high:
            raise InputError(f"--range: must rise; got {low:%Y-%m-%d} and {high:%Y-%m-%d}.")
        if self.zero_point is not None:
            raise InputError("--log, --zero-point: a question of dates has an even scale. Leave them out.")
        return np.array([year_of(moment) for moment in moments_between(low, high, steps=STEPS)])


@dataclass(frozen=True, slots=True)
class Forecast:
    """A CDF that Metaculus takes: `cdf` (201,), strictly rising, at `locations` (201,), values of the quantity.

    `below` and `above` are the mass outside the bounds, as the run has it; `moved` is the largest difference from the
    run's own CDF, by the rules on steps and bounds.
    """

    cdf: Array
    locations: Array
    below: float
    above: float
    moved: float


def continuous_forecast(distribution: Distribution, scale: Scale) -> Forecast:
    """Bring a distribution into the form that a question takes.

        cdf(u) = a + 0.01 u + (1 - 0.01 - a - b) F(u);  a, b = 0.001 at open bounds, 0 at closed ones

    the smallest mixture with an even distribution that keeps every step at least 0.01 / 200, after steps that are too
    steep (a certain crossing) have been spread over their neighbours. Mass beyond a closed bound is refused.
    """
    locations = scale.locations()
    raw = distribution.at(locations)
    below, above = distribution.below(float(locations[0])), 1.0 - float(raw[-1])
    _refuse_beyond_closed(distribution, scale, below=below, above=above)
    lower = OPEN_MASS if scale.open_lower else 0.0
    upper = OPEN_MASS if scale.open_upper else 0.0
    weight = 1.0 - STEPS * LEAST_STEP - lower - upper
    start = below if scale.open_lower else 0.0
    steps = np.diff(np.concatenate([[start], raw[1:]]))
    spread = _spread(np.maximum(steps, 0.0), (MOST_STEP - LEAST_STEP) / weight - 1e-9)
    shape = np.concatenate([[start], start + np.cumsum(spread)])
    whole = np.rint(weight * shape * _FINE).astype(np.int64)
    whole += round(lower * _FINE) + np.arange(STEPS + 1) * round(LEAST_STEP * _FINE)
    if not scale.open_upper:
        whole[-1] = _FINE
    cdf = whole / _FINE
    own = np.concatenate([[start], raw[1:]])
    return Forecast(cdf, locations, below, above, float(np.abs(cdf - own).max()))


def _refuse_beyond_closed(distribution: Distribution, scale: Scale, *, below: float, above: float) -> None:
    said = "do not cross by the run's last year" if distribution.unit == "year" else "have no such limit"
    never = f" ({percent(distribution.censored)} {said})" if distribution.censored else ""
    upper, lower = ("upper", f"above the upper bound{never}"), ("lower", "below the lower bound")
    for mass, is_open, (end, where) in ((above, scale.open_upper, upper), (below, scale.open_lower, lower)):
        if mass > 1e-9 and not is_open:
            raise InputError(
                f"--range: {percent(mass)} of the distribution lies {where}, which is closed. "
                f"If the question's {end} bound is open, add --open-{end}; if not, it rules out what the run allows."
            )


def _spread(steps: Array, most: float) -> Array:
    """Hand what a step has above `most` to its neighbours in equal halves, until no step is steeper."""
    found = steps.copy()
    while True:
        excess = np.maximum(found - most, 0.0)
        if excess.max() <= 1e-12:
            return np.minimum(found, most)
        half = excess / 2
        found -= excess
        found[1:] += half[:-1]
        found[:-1] += half[1:]
        found[0] += half[0]  # the ends have one neighbour: what has nowhere to go stays for the next round
        found[-1] += half[-1]


def question_text(
    run: xr.DataTree,
    *,
    variables: Sequence[str] = (),
    thresholds: Sequence[str] = (),
    year: float | None = None,
    scale: Scale | None = None,
) -> tuple[str, str]:
    """Write the answer to a question as strict JSON text, and say what it is made from; see `forecast_document`."""
    if len(variables) + len(thresholds) != 1:
        raise InputError(
            "--format metaculus: a question asks for one thing. Give --threshold NAME (the year of crossing), or "
            "--variable NAME with --year YEAR (its level in that year)."
        )
    if scale is None:
        raise InputError(
            "--format metaculus: give the question's bounds, as --range 2026 2045 or --range 1e26 1e34 --log."
        )
    if thresholds:
        if year is not None:
            raise InputError(
                "--year: belongs to --variable; the year in which a threshold is crossed is what is forecast."
            )
        distribution = crossing_distribution(run, thresholds[0])
    else:
        if year is None:
            raise InputError("--year: say in which year the variable is asked for, as --year 2035.")
        distribution = level_distribution(run, variables[0], year)
        if not isinstance(scale.low, float):
            raise InputError(f"--range: {variables[0]} is no date. Give its bounds as numbers, in {distribution.unit}.")
    document = forecast_document(run, distribution, scale)
    parts = [f" {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in document.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n", forecast_note(document)


def forecast_document(run: xr.DataTree, distribution: Distribution, scale: Scale) -> dict[str, Any]:
    """Lay out a forecast as plain data: `continuous_cdf` is what Metaculus takes, the rest says what it is."""
    forecast = continuous_forecast(distribution, scale)

    def bound(value: float | datetime) -> float:
        return value.timestamp() if isinstance(value, datetime) else value

    return {
        "continuous_cdf": forecast.cdf.tolist(),
        "scaling": {
            "range_min": bound(scale.low),
            "range_max": bound(scale.high),
            "zero_point": scale.zero_point,
            "open_lower_bound": scale.open_lower,
            "open_upper_bound": scale.open_upper,
            "inbound_outcome_count": STEPS,
        },
        "locations": forecast.locations.tolist(),
        "about": {
            "run_id": str(run.attrs["run_id"]),
            "scenario": str(run.attrs["name"]),
            "quantity": distribution.label,
            "unit": distribution.unit,
            "from": distribution.origin,
            "samples": differing_samples(run),
            "share_below": forecast.below,
            "share_above": forecast.above,
            "largest_change": forecast.moved,
        },
    }


def forecast_note(document: dict[str, Any]) -> str:
    """Say a forecast in a line: what it is made from, what lies outside, how much the rules moved."""
    about = document["about"]
    below, above = (share_text(about[f"share_{side}"], about["samples"]) for side in ("below", "above"))
    return (
        f"{about['quantity']}: from {about['from']}; {below} below and {above} above the range; "
        f"Metaculus' rules move the CDF by at most {100 * about['largest_change']:.2g} %."
    )


def read_scale(
    bounds: tuple[str, str] | None,
    *,
    open_lower: bool = False,
    open_upper: bool = False,
    log: bool = False,
    zero_point: float | None = None,
) -> Scale | None:
    """Read the scale of a question, bounds as numbers or dates; None where nothing is said of it."""
    if bounds is None:
        if open_lower or open_upper or log or zero_point is not None:
            raise InputError(
                "--open-lower, --open-upper, --log, --zero-point: say of which bounds, with --range LOW HIGH."
            )
        return None
    if log and zero_point is not None:
        raise InputError("--log, --zero-point: give one of them; --log is --zero-point 0.")
    low, high = (bound_of(text) for text in bounds)
    return Scale(low, high, open_lower, open_upper, 0.0 if log else zero_point)


def bound_of(text: str) -> float | datetime:
    """Read a bound of a question: a number, or a date."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = datetime.combine(day_at(read_year(text)), time())
        except DateError as error:
            rule = f"a bound is a number (2030, 1e26) or a date: {error.rule}"
            raise InputError(f"--range: {rule} {error.remedy}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

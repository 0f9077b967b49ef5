"""Quantiles, shares and their Monte Carlo standard errors, from all samples at once or block by block.

Censored values stand as +inf and are never dropped: a quantile that falls among them is +inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from simulator.errors import InputError
from simulator.units import Array

if TYPE_CHECKING:
    import xarray as xr

SMOOTHED = 1 / 3
"""k-hat above which the largest weights are smoothed: of lighter tails single weights have little say."""
_FEWEST_TAILED = 25
BANDS: Mapping[str, float] = {"lower_90": 0.05, "lower_50": 0.25, "median": 0.5, "upper_50": 0.75, "upper_90": 0.95}
"""The columns of tables that hold a median and its 50 and 90 % intervals, and their levels."""
INTERVAL: Mapping[str, float] = {name: BANDS[name] for name in ("lower_90", "median", "upper_90")}
"""Those of tables that hold a median and its 90 % interval."""
SAME_QUANTILE = 1e-9


def place_of(level: float, levels: Array) -> int:
    """Tell where a level stands among those of a summary; InputError where it does not."""
    place = int(np.abs(levels - level).argmin())
    if abs(levels[place] - level) > SAME_QUANTILE:
        raise InputError(f"the summary has no quantile at {level:g}; it has {', '.join(f'{x:g}' for x in levels)}.")
    return place


def quantiles(values: xr.DataArray, levels: Sequence[float]) -> xr.DataArray:
    """Read quantiles over the samples; those that are censored (+inf) count and are never dropped.

    Parameters
    ----------
    values : xarray.DataArray with the dimension `sample`
    levels : probabilities in [0, 1]

    Returns
    -------
    xarray.DataArray with `quantile` in the place of `sample`, in the unit of the values

    Raises
    ------
    InputError
        The values have no samples, or a level lies outside [0, 1].

    Examples
    --------
    >>> import xarray as xr
    >>> years = xr.DataArray([2030.0, 2040.0, np.inf], dims="sample")
    >>> quantiles(years, [0.5, 0.9]).values.tolist()
    [2040.0, inf]
    """
    if "sample" not in values.dims:
        raise InputError("quantiles are taken over the dimension 'sample', which these values do not have.")
    if not all(0.0 <= level <= 1.0 for level in levels):
        raise InputError(f"a quantile's level must lie in [0, 1]; got {list(levels)}.")
    import xarray as xr

    moved = values.transpose("sample", ...)
    result = sample_quantiles(np.asarray(moved.values, dtype=np.float64), levels)
    coords = {name: coord for name, coord in moved.coords.items() if "sample" not in coord.dims}
    return xr.DataArray(
        result,
        coords={"quantile": np.asarray(levels, dtype=float), **coords},
        dims=("quantile", *moved.dims[1:]),
        name=values.name,
        attrs=dict(values.attrs),
    )


def at_date(values: NDArray[np.generic], years: Array, date: float) -> Array:
    """Read (..., year) at a date within the years; between two of them on the straight line, where +inf to +inf stays.

    >>> at_date(np.array([1.0, 3.0, np.inf]), np.array([2030.0, 2031.0, 2032.0]), 2030.5).item()
    2.0
    """
    after = int(np.searchsorted(years, date))
    high = np.asarray(values[..., after], dtype=np.float64)
    if years[after] == date:
        return high
    low = np.asarray(values[..., after - 1], dtype=np.float64)
    share = (date - years[after - 1]) / (years[after] - years[after - 1])
    with np.errstate(invalid="ignore"):
        return np.where(low == high, low, low + share * (high - low))


def sorted_quantiles(ordered: NDArray[np.floating], levels: Sequence[float] | Array) -> Array:
    """Read quantiles off sorted samples.

    Linear between order statistics at (n - 1) p (Hyndman and Fan's type 7); between a finite value and +inf it is
    +inf, so that censoring survives.
    """
    place = (ordered.shape[-1] - 1) * np.asarray(levels, dtype=np.float64)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    weight = place - below
    low = np.moveaxis(ordered[..., below], -1, 0).astype(np.float64)
    high = np.moveaxis(ordered[..., above], -1, 0).astype(np.float64)
    return between(low, high, weight.reshape(-1, *([1] * (low.ndim - 1))))


def quantiles_of_each(arrays: Iterable[NDArray[np.floating]], levels: Sequence[float]) -> list[Array]:
    """Read quantiles (level, ...) off samples (..., sample) of several variables."""
    return [sorted_quantiles(np.sort(values, axis=-1), levels) for values in arrays]


def weighted_quantiles(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Read quantiles off weighted samples.

    The samples of positive weight stand, in their order, at p_k = (S_k - w_k / 2 - w_1 / 2) / (1 - w_1 / 2 - w_n / 2)
    with S_k the weight up to and with k, and the quantile is linear between them; with equal weights that is the usual
    (k - 1) / (n - 1). Between a finite value and +inf it is +inf. The result is (level,).

    >>> values = np.array([1.0, 2.0, 3.0, np.inf])
    >>> weighted_quantiles(values, np.ones(4), [0.5, 0.9]).tolist()
    [2.5, inf]
    >>> weighted_quantiles(values, np.array([1.0, 1.0, 1.0, 0.0]), [0.5, 0.9]).round(6).tolist()
    [2.0, 2.8]
    """
    held = weights > 0
    order = np.argsort(values[held], kind="stable")
    ordered = np.asarray(values[held][order], dtype=np.float64)
    share = weights[held][order] / weights[held].sum()
    if ordered.size == 1:
        return np.full(len(levels), ordered[0])
    ends = (share[0] + share[-1]) / 2
    places = (np.cumsum(share) - share / 2 - share[0] / 2) / (1.0 - ends)
    wanted = np.asarray(levels, dtype=np.float64)
    above = np.clip(np.searchsorted(places, wanted - 1e-12), 1, ordered.size - 1)
    below = above - 1
    part = np.clip((wanted - places[below]) / (places[above] - places[below]), 0.0, 1.0)
    return between(ordered[below], ordered[above], np.where(part <= 1e-9, 0.0, part))


def effective_samples(weights: Array) -> float:
    """Give how many equal samples the weighted ones are worth: (sum w)^2 / sum w^2 (Kish 1965).

    >>> effective_samples(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


def smoothed_logs(logs: Array) -> tuple[Array, float]:
    """Smooth the largest of log weights (sample,), and give k-hat; -inf where the largest are all alike.

    They become the quantiles of a generalised Pareto distribution that is fitted to them, the largest at most (Vehtari
    et al. 2024). Where a quarter of the largest are alike, as of a prior with single values, the tail is that of what
    lies above.
    """
    held = np.flatnonzero(np.isfinite(logs))
    while held.size >= _FEWEST_TAILED:
        order = held[np.argsort(logs[held], kind="stable")]
        size = int(min(held.size / 5, 3 * math.sqrt(held.size)))
        own, tail = logs[order], logs[order[-size:]]
        if tail[0] == tail[-1]:
            break
        cut, most = own[-size - 1], tail[-1]
        over = np.exp(tail - most) - math.exp(cut - most)
        if over[int(size / 4 + 0.5) - 1] > 0.0:
            khat, scale = _pareto_fit(over)
            smoothed, places = logs.copy(), np.log1p(-(np.arange(size) + 0.5) / size)
            grown = -places if khat == 0.0 else np.expm1(-khat * places) / khat
            smoothed[order[-size:]] = np.minimum(np.log(scale * grown + math.exp(cut - most)), 0.0) + most
            return smoothed, khat
        held = held[logs[held] > tail[0]]
    return logs.copy(), -math.inf


def smoothed_weights(logs: Array) -> tuple[Array, float]:
    """Give weights of sum 1 of log weights (sample,), the largest smoothed where k-hat asks for it; and that k-hat."""
    smooth, khat = smoothed_logs(logs)
    raw = np.exp((own := smooth if khat > SMOOTHED else logs) - own.max())
    return raw / raw.sum(), khat


def _pareto_fit(over: Array) -> tuple[float, float]:
    """Fit a generalised Pareto distribution to rising exceedances (sample,): shape and scale.

    The shape is a posterior mean over a grid of profiles (Zhang and Stephens 2009), drawn to 1/2 as by ten further
    samples (Vehtari et al. 2024).
    """
    count, points = over.size, 30 + int(math.sqrt(over.size))
    steps = 1.0 - np.sqrt(points / (np.arange(points) + 0.5))
    thetas = steps / (3.0 * over[int(count / 4 + 0.5) - 1]) + 1.0 / over[-1]
    shapes = np.log1p(-np.outer(thetas, over)).mean(axis=1)
    likelihood = count * (np.log(-thetas / shapes) - shapes - 1.0)
    posterior = np.exp(likelihood - likelihood.max())
    theta = float(thetas @ posterior / posterior.sum())
    shape = float(np.log1p(-theta * over).mean())
    return (count * shape + 5.0) / (count + 10.0), -shape / theta


def between(low: Array, high: Array, weight: Array) -> Array:
    """Go a part of the way from one order statistic to the next; any part of the way to +inf is +inf."""
    with np.errstate(invalid="ignore"):
        between = low + weight * (high - low)
    return np.where(weight == 0.0, low, np.where(np.isinf(high), high, between))


def sample_quantiles(values: NDArray[np.floating], levels: Sequence[float]) -> Array:
    """Sort samples along the first axis and read quantiles off them: (sample, ...) to (level, ...)."""
    ordered = np.array(np.moveaxis(values, 0, -1), order="C")  # a copy: the caller's samples keep their order
    ordered.sort(axis=-1)
    return sorted_quantiles(ordered, levels)


@dataclass(slots=True)
class Moments:
    """Mean and spread of a number over parts of a run, added up as the parts come.

    `mean` (...) and `squares` (...), the sum of squared distances from it, over `parts` parts (Chan, Golub and LeVeque
    1983). The memory is that of one part.
    """

    parts: int
    mean: Array
    squares: Array

    @classmethod
    def of(cls, estimates: Array) -> Moments:
        """Start from the number's value in each of some parts, (part, ...)."""
        if estimates.shape[0] == 0:
            empty = np.zeros(estimates.shape[1:])
            return cls(0, empty, empty.copy())
        with np.errstate(invalid="ignore"):
            mean = estimates.mean(axis=0)
            return cls(estimates.shape[0], mean, np.square(estimates - mean).sum(axis=0))

    def merge(self, other: Moments) -> None:
        """Add the parts that come next."""
        total = self.parts + other.parts
        if other.parts == 0:
            return
        with np.errstate(invalid="ignore"):
            gap = other.mean - self.mean
            self.squares = self.squares + other.squares + np.square(gap) * (self.parts * other.parts / total)
            self.mean = self.mean + gap * (other.parts / total)
        self.parts = total

    def mean_error(self, parts: float) -> Array:
        """Estimate the standard error of the mean over `parts` parts: k sd / sqrt(parts).

        k widens the error where few parts were seen, so that plus and minus twice the error covers 95.4 % as it does
        where many were: half the quantile of Student's t at Phi(2). NaN where fewer than two parts were seen, or where
        the number is not finite in one of them.
        """
        if self.parts < 2:
            return np.full(np.shape(self.mean), np.nan)
        student = stdtrit(self.parts - 1, ndtr(2.0)) / 2.0
        with np.errstate(invalid="ignore"):
            error = student * np.sqrt(self.squares / (self.parts - 1) / parts)
        return np.where(np.isfinite(error), error, np.nan)


def plain_error(share: Array | float, samples: int) -> Array:
    """Give the standard error of a share among independent samples: sqrt(p (1 - p) / n)."""
    return np.sqrt(np.maximum(share * (1.0 - np.asarray(share, dtype=np.float64)), 0.0) / samples)


FEWEST_BLOCKS = 8
"""Blocks whose spread tells an error by itself."""


def sum_error(terms: Array, *, block: int) -> float:
    """Estimate the standard error of the sum of terms (sample,), whose expectation is 0, from its blocks.

    Blocks are independent: the sum of n of them has n times the error of their mean. Of fewer than eight blocks it is
    that of independent samples, sqrt(sum of squares), which samples spread evenly over a block stay below.
    """
    sums = np.add.reduceat(terms, np.arange(0, terms.size, block))
    if sums.size < FEWEST_BLOCKS:
        return float(np.sqrt(np.square(terms).sum()))
    return float(sums.size * Moments.of(sums).mean_error(sums.size))


def difference_error(first: Array, second: Array, *, level: float | None, block: int) -> float:
    """Estimate the standard error of the difference of a quantile, or of means, of two columns of common draws.

    That of means comes from the differences, block by block; that of quantiles, from the samples that lie on another
    side of one than of the other, times how far it moves for a share of the samples (Bahadur 1966). One more sample is
    counted, for none of n is not never. 0 where the columns are the same, NaN of one sample and where
    censored near the quantile.
    """
    if np.array_equal(first, second):
        return 0.0
    if first.size == 1:
        return math.nan
    moved, slope = second - first if level is None else np.zeros(first.size), 1.0
    if level is not None:
        near = min(2.0 * float(plain_error(level, first.size)), level, 1.0 - level)
        found = [sample_quantiles(each, [level - near, level, level + near]).tolist() for each in (first, second)]
        slope = float(np.mean([(high - low) / (2.0 * near) for low, _, high in found]))
        moved = np.subtract(second <= found[1][1], first <= found[0][1], dtype=np.float64)
    error = math.hypot(sum_error((moved - moved.mean()) / first.size, block=block), 1.0 / first.size)
    return error * slope if math.isfinite(slope) else math.nan


def quantile_error(
    levels: Sequence[float],
    years: Array,
    share: Array,
    share_error: Array,
    *,
    samples: int,
    read: Callable[[Array], Array],
) -> Array:
    """Estimate the standard errors of quantiles (level,) of the crossing year (Woodruff 1952).

    Half the distance between the quantiles at p - e and p + e, where e is the error of a share of p; `read` gives
    quantiles (level,) at levels. That error is the plain one times its ratio to the plain one in the years around the
    quantile, where `share` and `share_error` (year,) of the samples have crossed; 1 where none can be told. Where p + e
    is censored, the distance from p - e to the quantile. NaN where the quantile is censored itself or lies in the first
    year.
    """
    at = np.array(levels)
    result, found = np.full(at.shape, np.nan), read(at)
    inside = np.isfinite(found) & (at > share[0])
    plain = plain_error(share, samples)
    told = (plain > 0.0) & np.isfinite(share_error)
    ratio = np.interp(found[inside], years[told], share_error[told] / plain[told]) if told.any() else 1.0
    error = ratio * plain_error(at[inside], samples)
    low, high = (read(np.clip(at[inside] + side * error, 0.0, 1.0)) for side in (-1.0, 1.0))
    result[inside] = np.where(np.isfinite(high), (high - low) / 2.0, found[inside] - low)
    return result

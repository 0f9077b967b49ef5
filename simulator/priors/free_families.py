"""Prior families on the log scale and free-form ones: metalog, free quantiles, discrete and empirical.

They obey the same rules as those in `families`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from math import inf, isfinite, log
from typing import ClassVar

import numpy as np
from scipy import special

from simulator.priors import quantile_tables as tables
from simulator.priors.families import Normal, SkewedNormal, StudentT, Uniform, require
from simulator.schema.prior_families import Distribution
from simulator.units import Array


@dataclass(frozen=True, slots=True)
class _Logarithmic:
    """Give exp(y) the quantile function, CDF and density of a family for y, `of_logs`: f(x) = g(ln x) / x."""

    of_logs: ClassVar[Callable[..., Distribution]]
    logarithm: Distribution = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parameters = (getattr(self, each.name) for each in fields(self) if each.init)
        object.__setattr__(self, "logarithm", self.of_logs(*parameters))

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.logarithm.support
        return (float(np.exp(low)), float(np.exp(high)))

    def ppf(self, u: Array) -> Array:
        return tables.exponential(self.logarithm.ppf(u))

    def cdf(self, x: Array) -> Array:
        return self.logarithm.cdf(tables.log_of(x))

    def logpdf(self, x: Array) -> Array:
        logs = tables.log_of(x)
        inside = np.isfinite(logs)
        held = np.where(inside, logs, 0.0)
        return np.where(inside, self.logarithm.logpdf(held) - held, -np.inf)


@dataclass(frozen=True, slots=True)
class LogNormal(_Logarithmic):
    """Spread ln x as a normal (natural logs): x = exp(log_mean + log_sd z), median exp(log_mean)."""

    log_mean: float
    log_sd: float
    of_logs = Normal


@dataclass(frozen=True, slots=True)
class LogUniform(_Logarithmic):
    """Hold every ratio from lower to upper equally likely: ln x is uniform."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        got = f"lower {self.lower:g}, upper {self.upper:g}"
        require(0 < self.lower < self.upper < inf, f"log-uniform needs 0 < lower < upper; got {got}.")
        object.__setattr__(self, "logarithm", Uniform(log(self.lower), log(self.upper)))

    @property
    def support(self) -> tuple[float, float]:
        return self.lower, self.upper


@dataclass(frozen=True, slots=True)
class LogStudentT(_Logarithmic):
    """Spread ln x as a Student t (natural logs); quantiles are held within 1e-304 and 1e304."""

    df: float
    log_location: float
    log_scale: float
    of_logs = StudentT

    def direct_ppf(self, u: Array) -> Array:
        return tables.exponential(self.of_logs(self.df, self.log_location, self.log_scale).direct_ppf(u))


@dataclass(frozen=True, slots=True)
class SkewedLogNormal(_Logarithmic):
    """Spread ln x as a two-piece normal (natural logs); equal widths give a lognormal."""

    log_mode: float
    log_sd_below: float
    log_sd_above: float
    of_logs = SkewedNormal


def _bounded(m: Array, lower: float, upper: float) -> Array:
    """Bend a line into bounds, of which each may be infinite: m, lower + e^m, upper - e^-m, or between both."""
    if isfinite(lower) and isfinite(upper):
        return np.asarray(lower + (upper - lower) * special.expit(m))
    if isfinite(lower):
        return lower + tables.exponential(m)
    return upper - tables.exponential(-m) if isfinite(upper) else m


def _unbounded(x: Array, lower: float, upper: float) -> tuple[Array, Array]:
    """Return m and ln dm/dx at x: the inverse of `_bounded`."""
    x = np.asarray(x, dtype=float)
    low, high = isfinite(lower), isfinite(upper)
    above = tables.log_of(x - lower) if low else np.zeros_like(x)
    under = tables.log_of(upper - x) if high else np.zeros_like(x)
    if low and high:
        return above - under, log(upper - lower) - above - under
    if low or high:
        return above - under, -above - under
    return x, above


@dataclass(frozen=True, slots=True)
class Metalog:
    """Spread values by the metalog: a quantile function linear in its coefficients.

    With y = u, L = ln(y / (1 - y)) and c = y - 1/2, m = a1 + a2 L + a3 c L + a4 c + a5 c^2 + a6 c^2 L + ...
    and x = m (no bound), lower + e^m, upper - e^-m, or (lower + upper e^m) / (1 + e^m). Two terms give
    a logistic. m must rise everywhere, or the coefficients are refused. Source: Keelin 2016, "The metalog
    distributions".
    """

    coefficients: tuple[float, ...]
    lower: float = -inf
    upper: float = inf

    def __post_init__(self) -> None:
        terms = _numbers(self.coefficients)
        object.__setattr__(self, "coefficients", terms)
        if len(terms) < 2:
            raise ValueError(f"a metalog needs at least 2 coefficients; got {len(terms)}.")
        if not all(map(isfinite, terms)):
            raise ValueError(f"metalog coefficients must be finite; got {terms}.")
        if not self.lower < self.upper:
            raise ValueError(f"lower must be below upper; got {self.lower:g} and {self.upper:g}.")
        logits = np.linspace(-32.0, 32.0, 6401)
        _, slope = self.quantile_of_logit(logits)
        if not np.all(slope > 0):
            fault = f"the metalog with coefficients {terms} is no distribution: its quantiles do not always rise"
            worst = float(special.expit(logits[np.argmin(slope)]))
            raise ValueError(f"{fault} (they fall near probability {worst:.3g}).")

    @property
    def support(self) -> tuple[float, float]:
        return self.lower, self.upper

    def quantile_of_logit(self, logit: Array) -> tuple[Array, Array]:
        """Return m and dm/dL at L = ln(y / (1 - y)), before the bounds are applied."""
        y = special.expit(logit)
        spread = y * special.expit(-logit)
        centre = y - 0.5
        slope = np.zeros_like(y)
        for term, coefficient in enumerate(self.coefficients):
            power, of_logit = metalog_term(term)
            base = centre**power
            base_slope = power * centre ** max(power - 1, 0) * spread
            slope = slope + coefficient * (base + base_slope * logit if of_logit else base_slope)
        return self._at_logit(logit), slope

    def _at_logit(self, logit: Array) -> Array:
        """Return m alone, as `quantile_of_logit` does."""
        centre = special.expit(logit) - 0.5
        value = np.zeros_like(centre)
        for term, coefficient in enumerate(self.coefficients):
            power, of_logit = metalog_term(term)
            base = centre**power
            value = value + coefficient * (base * logit if of_logit else base)
        return np.asarray(value)

    def ppf(self, u: Array) -> Array:
        return _bounded(self._at_logit(np.asarray(special.logit(u))), self.lower, self.upper)

    def _logit_at(self, m: Array) -> Array:
        ends = np.concatenate([[-750.0], np.linspace(-40.0, 40.0, 161), [750.0]])
        values, _ = self.quantile_of_logit(ends)
        place = np.clip(np.searchsorted(np.maximum.accumulate(values), m) - 1, 0, ends.size - 2)
        noise = 1e-15 * (np.abs(m) + sum(map(abs, self.coefficients)))
        return tables.solve_increasing(self.quantile_of_logit, m, ends[place], ends[place + 1], noise=noise)

    def cdf(self, x: Array) -> Array:
        m, _ = _unbounded(np.clip(x, self.lower, self.upper), self.lower, self.upper)
        finite = np.isfinite(m)
        inside = special.expit(self._logit_at(np.where(finite, m, self.coefficients[0])))
        return np.where(finite, inside, np.where(m > 0, 1.0, 0.0))

    def logpdf(self, x: Array) -> Array:
        x = np.asarray(x, dtype=float)
        inside = (x > self.lower) & (x < self.upper)
        m, log_slope = _unbounded(np.where(inside, x, self.ppf(np.array(0.5))), self.lower, self.upper)
        logit = self._logit_at(m)
        _, slope = self.quantile_of_logit(logit)
        density = log_slope + special.log_expit(logit) + special.log_expit(-logit) - np.log(slope)
        return np.where(inside, density, -np.inf)


@cache
def metalog_term(term: int) -> tuple[int, bool]:
    """Return the power of y - 1/2 in a metalog term, counted from 0, and whether logit(y) multiplies it."""
    if term < 4:
        return (0, 0, 1, 1)[term], term in (1, 2)
    return term // 2, term % 2 == 1


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Join stated quantiles by a rising curve of x (or ln x, with `log`) against z = ndtri(probability).

    The curve goes exactly through the points (monotone cubic) and on in straight lines beyond them, so that
    the tails are normal (lognormal). Two points give a normal (lognormal). With bounds it is a curve of ln(x - lower),
    -ln(upper - x) or the sum of both, and stays between them.
    """

    probabilities: tuple[float, ...]
    values: tuple[float, ...]
    log: bool = False
    lower: float = -inf
    upper: float = inf

    def __post_init__(self) -> None:
        probabilities, values = _numbers(self.probabilities), _numbers(self.values)
        object.__setattr__(self, "probabilities", probabilities)
        object.__setattr__(self, "values", values)
        if not len(probabilities) == len(values) >= 2:
            got = f"{len(probabilities)}, {len(values)}"
            raise ValueError(f"2 or more probabilities and values are needed; got {got}.")
        if not (probabilities[0] > 0 and probabilities[-1] < 1 and np.all(np.diff(probabilities) > 0)):
            raise ValueError(f"probabilities must lie between 0 and 1 and increase; got {probabilities}.")
        if not (np.all(np.isfinite(values)) and np.all(np.diff(values) > 0)):
            raise ValueError(f"values must be finite and increase with the probability; got {values}.")
        if self.log and values[0] <= 0:
            raise ValueError(f"values on a log scale must be above 0; got {values[0]:g}.")
        low, high = self.support
        if not low < values[0] < values[-1] < high:
            raise ValueError(f"values must lie between the bounds {low:g} and {high:g}; got {values}.")

    @property
    def support(self) -> tuple[float, float]:
        return max(0.0, self.lower) if self.log else self.lower, self.upper

    def ppf(self, u: Array) -> Array:
        return _bounded(free_table(self).levels(tables.normal_quantile(u))[0], *self.support)

    def cdf(self, x: Array) -> Array:
        return np.asarray(special.ndtr(free_table(self).positions(_unbounded(x, *self.support)[0])))

    def logpdf(self, x: Array) -> Array:
        (level, log_slope), table = _unbounded(x, *self.support), free_table(self)
        inside = np.isfinite(level)
        z = table.positions(np.where(inside, level, 0.0))
        density = tables.log_normal_density(z) - np.log(table.levels(z)[1])
        return np.where(inside, density + np.where(inside, log_slope, 0.0), -np.inf)


@lru_cache(maxsize=512)
def free_table(family: Quantiles) -> tables.QuantileTable:
    """Return the rising curve that joins stated quantiles, against z, before it is bent into bounds."""
    z = tables.normal_quantile(np.array(family.probabilities))
    return tables.monotone_table(z, _unbounded(np.array(family.values), *family.support)[0], log=family.log)


@dataclass(frozen=True, slots=True)
class Discrete:
    """Give each of some values a weight; weights are scaled to sum to 1. `logpdf` is the log mass."""

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        weights = scaled_weights(self.weights, count=len(self.values))
        values, where = np.unique(np.array(_numbers(self.values)), return_inverse=True)
        require(bool(np.all(np.isfinite(values))), f"values must be finite; got {tuple(self.values)}.")
        object.__setattr__(self, "values", _numbers(values.tolist()))
        object.__setattr__(self, "weights", _numbers(np.bincount(where, weights).tolist()))

    @property
    def support(self) -> tuple[float, float]:
        return self.values[0], self.values[-1]

    def ppf(self, u: Array) -> Array:
        place = np.searchsorted(np.cumsum(self.weights)[:-1], u, side="left")
        return np.asarray(np.array(self.values)[place])

    def cdf(self, x: Array) -> Array:
        total = np.concatenate([[0.0], np.cumsum(self.weights)[:-1], [1.0]])
        return np.asarray(total[np.searchsorted(self.values, x, side="right")])

    def logpdf(self, x: Array) -> Array:
        place = np.minimum(np.searchsorted(self.values, x, side="left"), len(self.values) - 1)
        same = np.array(self.values)[place] == x
        return tables.log_of(np.where(same, np.array(self.weights)[place], 0.0))


def scaled_weights(weights: Sequence[float], *, count: int) -> Array:
    """Return the weights scaled to sum to 1."""
    require(len(weights) == count >= 1, f"each entry needs one weight; got {len(weights)} for {count}.")
    array = np.array(_numbers(weights))
    right = bool(np.all(np.isfinite(array)) and np.all(array >= 0) and array.sum() > 0)
    require(right, f"weights must be 0 or more and not all 0; got {tuple(weights)}.")
    return np.asarray(array / array.sum())


@dataclass(frozen=True, slots=True)
class Empirical:
    """Spread values as an observed sample: straight lines between the order statistics.

    ppf(u) runs from the smallest (u = 0) to the largest (u = 1) of n values, the i-th at (i - 1) / (n - 1).
    A value that occurs k times has the probability (k - 1) / (n - 1); the density says nothing of it.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.sort(np.array(_numbers(self.values)))
        object.__setattr__(self, "values", _numbers(values.tolist()))
        right = values.size >= 2 and bool(np.all(np.isfinite(values)) and values[0] < values[-1])
        require(right, f"an empirical prior needs finite values, two of them different; got {values.size}.")

    @property
    def support(self) -> tuple[float, float]:
        return self.values[0], self.values[-1]

    def ppf(self, u: Array) -> Array:
        return np.asarray(np.interp(u, np.linspace(0.0, 1.0, len(self.values)), self.values))

    def _place(self, x: Array) -> tuple[Array, Array, Array]:
        """Return how many values are at or below x, and the two that x lies between."""
        values = np.array(self.values)
        count = np.searchsorted(values, x, side="right")
        place = np.clip(count, 1, values.size - 1)
        return np.asarray(count, dtype=float), values[place - 1], values[place]

    def cdf(self, x: Array) -> Array:
        count, low, high = self._place(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = (count - 1 + (np.asarray(x) - low) / (high - low)) / (len(self.values) - 1)
        last = len(self.values)
        return np.where(count <= 0, 0.0, np.where(count >= last, 1.0, inside))

    def logpdf(self, x: Array) -> Array:
        count, low, high = self._place(x)
        inside = (count > 0) & ((count < len(self.values)) | (np.asarray(x) == high)) & (high > low)
        gap = np.where(inside, high - low, 1.0)
        return np.where(inside, -np.log(gap) - log(len(self.values) - 1), -np.inf)

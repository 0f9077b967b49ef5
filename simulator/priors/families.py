"""Parametric prior families: frozen specs with a quantile function, a CDF and a log density.

They are what `Distribution` asks for. Where `ppf` reads a table, there are also `direct_ppf`, slower for many values,
and `tails`, the probabilities below and above x.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from math import inf, isfinite, log

import numpy as np
from scipy import special

from simulator.priors import quantile_tables as tables
from simulator.units import Array


def require(condition: bool, rule: str) -> None:
    """Raise ValueError with the rule unless the condition holds.

    >>> require(False, "sd must be above 0; got 0.")
    Traceback (most recent call last):
    ValueError: sd must be above 0; got 0.
    """
    if not condition:
        raise ValueError(rule)


_ABOVE_0 = frozenset({"sd", "sd_below", "sd_above", "alpha", "beta", "shape", "scale", "df"})


@dataclass(frozen=True, slots=True)
class Parametric:
    """Hold the finite parameters of a family; widths are above 0, and a mode lies from `lower` to `upper`."""

    def __post_init__(self) -> None:
        stated: dict[str, float] = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in stated.items():
            above = " above 0" if name in _ABOVE_0 else ""
            right = isfinite(value) and (value > 0 or not above)
            require(right, f"{name} must be a finite number{above}; got {value:g}.")
        if "upper" in stated:
            lower, upper = stated["lower"], stated["upper"]
            require(lower < upper, f"lower must be below upper; got lower {lower:g}, upper {upper:g}.")
            mode = stated.get("mode", lower)
            shown = f"{mode:g}, not in [{lower:g}, {upper:g}]"
            require(lower <= mode <= upper, f"mode must lie from lower to upper; got {shown}.")

    @property
    def support(self) -> tuple[float, float]:
        """From lower to upper, where there are such; else the whole line."""
        return getattr(self, "lower", -inf), getattr(self, "upper", inf)


@dataclass(frozen=True, slots=True)
class Fixed(Parametric):
    """State one value for certain. The log mass is 0 there and -inf elsewhere."""

    value: float

    @property
    def support(self) -> tuple[float, float]:
        return self.value, self.value

    def ppf(self, u: Array) -> Array:
        return np.full(np.shape(u), float(self.value))

    def cdf(self, x: Array) -> Array:
        return np.where(np.asarray(x) >= self.value, 1.0, 0.0)

    def logpdf(self, x: Array) -> Array:
        return np.where(np.asarray(x) == self.value, 0.0, -np.inf)


@dataclass(frozen=True, slots=True)
class Normal(Parametric):
    """Spread values evenly about a mean: x = mean + sd z."""

    mean: float
    sd: float

    def ppf(self, u: Array) -> Array:
        return np.asarray(self.mean + self.sd * tables.normal_quantile(u))

    def cdf(self, x: Array) -> Array:
        return np.asarray(special.ndtr((np.asarray(x) - self.mean) / self.sd))

    def logpdf(self, x: Array) -> Array:
        return np.asarray(tables.log_normal_density((np.asarray(x) - self.mean) / self.sd) - log(self.sd))


@dataclass(frozen=True, slots=True)
class Uniform(Parametric):
    """Hold every value from lower to upper equally likely: x = lower + u (upper - lower)."""

    lower: float
    upper: float

    def ppf(self, u: Array) -> Array:
        return np.asarray(self.lower + (self.upper - self.lower) * np.asarray(u))

    def cdf(self, x: Array) -> Array:
        return np.clip((np.asarray(x) - self.lower) / (self.upper - self.lower), 0.0, 1.0)

    def logpdf(self, x: Array) -> Array:
        inside = (np.asarray(x) >= self.lower) & (np.asarray(x) <= self.upper)
        return np.where(inside, -log(self.upper - self.lower), -np.inf)


@dataclass(frozen=True, slots=True)
class Triangular(Parametric):
    """Let the density rise in a straight line from lower to mode and fall to upper; mode may be an end."""

    lower: float
    mode: float
    upper: float

    def ppf(self, u: Array) -> Array:
        u, width = np.asarray(u), self.upper - self.lower
        rising = self.lower + np.sqrt(u * width * (self.mode - self.lower))
        falling = self.upper - np.sqrt((1 - u) * width * (self.upper - self.mode))
        return np.where(u < (self.mode - self.lower) / width, rising, falling)

    def cdf(self, x: Array) -> Array:
        x, width = np.clip(x, self.lower, self.upper), self.upper - self.lower
        rising = (x - self.lower) ** 2 / (width * max(self.mode - self.lower, 1e-300))
        falling = 1 - (self.upper - x) ** 2 / (width * max(self.upper - self.mode, 1e-300))
        return np.where(x < self.mode, rising, falling)

    def logpdf(self, x: Array) -> Array:
        x, width = np.asarray(x, dtype=float), self.upper - self.lower
        rising = (x - self.lower) / max(self.mode - self.lower, 1e-300)
        falling = (self.upper - x) / max(self.upper - self.mode, 1e-300)
        share = np.where(x == self.mode, 1.0, np.where(x < self.mode, rising, falling))
        return np.asarray(tables.log_of(share) + log(2 / width))


@lru_cache(maxsize=512)
def _table(family: Beta | Gamma | StudentT, *, rounding: float = 0.0) -> tables.QuantileTable:
    def scores(x: Array) -> Array:
        below, above = family.tails(x)
        return np.asarray(np.where(below < 0.5, special.ndtri(below), -special.ndtri(above)))

    x, positive = family.direct_ppf(tables.start_probabilities()), family.support[0] >= 0
    return tables.tabulate(x, scores=scores, log_density=family.logpdf, positive=positive, rounding=rounding)


@dataclass(frozen=True, slots=True)
class Beta(Parametric):
    """Spread a share: density proportional to s^(alpha-1) (1-s)^(beta-1), s = (x - lower) / (upper - lower).

    alpha = beta = 1 is uniform; large alpha and beta approach a normal.
    """

    alpha: float
    beta: float
    lower: float = 0.0
    upper: float = 1.0

    def ppf(self, u: Array) -> Array:
        if min(self.alpha, self.beta) < 0.1:  # nearly all mass at the ends, too sharp for a table
            return self.direct_ppf(u)
        share = _table(Beta(self.alpha, self.beta)).values(tables.normal_quantile(u))
        return np.clip(self.lower + (self.upper - self.lower) * share, self.lower, self.upper)

    def direct_ppf(self, u: Array) -> Array:
        share = np.asarray(special.betaincinv(self.alpha, self.beta, u))
        return np.clip(self.lower + (self.upper - self.lower) * share, self.lower, self.upper)

    def tails(self, x: Array) -> tuple[Array, Array]:
        share = (x - self.lower) / (self.upper - self.lower)
        return special.betainc(self.alpha, self.beta, share), special.betaincc(self.alpha, self.beta, share)

    def cdf(self, x: Array) -> Array:
        share = np.clip((np.asarray(x) - self.lower) / (self.upper - self.lower), 0.0, 1.0)
        return np.asarray(special.betainc(self.alpha, self.beta, share))

    def logpdf(self, x: Array) -> Array:
        share = (np.asarray(x, dtype=float) - self.lower) / (self.upper - self.lower)
        inside = (share >= 0) & (share <= 1)
        held = np.where(inside, share, 0.5)
        scale = special.betaln(self.alpha, self.beta) + log(self.upper - self.lower)
        powers = special.xlogy(self.alpha - 1, held) + special.xlog1py(self.beta - 1, -held)
        return np.where(inside, powers - scale, -np.inf)


@dataclass(frozen=True, slots=True)
class PERT(Parametric):
    """Spread values from lower to upper about a mode: a beta whose mean is (lower + 4 mode + upper) / 6.

    Source: Malcolm et al. 1959, "Application of a technique for research and development program evaluation".
    """

    lower: float
    mode: float
    upper: float

    @property
    def beta(self) -> Beta:
        """The same distribution as a beta."""
        width = self.upper - self.lower
        alpha, beta = 1 + 4 * (self.mode - self.lower) / width, 1 + 4 * (self.upper - self.mode) / width
        return Beta(alpha, beta, self.lower, self.upper)

    def ppf(self, u: Array) -> Array:
        return self.beta.ppf(u)

    def direct_ppf(self, u: Array) -> Array:
        return self.beta.direct_ppf(u)

    def cdf(self, x: Array) -> Array:
        return self.beta.cdf(x)

    def logpdf(self, x: Array) -> Array:
        return self.beta.logpdf(x)


@dataclass(frozen=True, slots=True)
class Gamma(Parametric):
    """Spread positive values: density proportional to x^(shape-1) exp(-x/scale), mean shape x scale.

    shape = 1 is exponential; a large shape approaches a normal.
    """

    shape: float
    scale: float

    @property
    def rate(self) -> float:
        """The inverse of the scale."""
        return 1 / self.scale

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, inf

    def ppf(self, u: Array) -> Array:
        if self.shape < 0.1:  # quantiles fall below the smallest float: no table of logs
            return self.direct_ppf(u)
        table = _table(Gamma(self.shape, 1.0), rounding=min(1e-18 * self.shape, 1e-15))  # SciPy's own
        return np.asarray(self.scale * table.values(tables.normal_quantile(u)))

    def direct_ppf(self, u: Array) -> Array:
        return np.asarray(self.scale * special.gammaincinv(self.shape, u))

    def tails(self, x: Array) -> tuple[Array, Array]:
        return special.gammainc(self.shape, x / self.scale), special.gammaincc(self.shape, x / self.scale)

    def cdf(self, x: Array) -> Array:
        return np.asarray(special.gammainc(self.shape, np.maximum(x, 0.0) / self.scale))

    def logpdf(self, x: Array) -> Array:
        ratio = np.asarray(x, dtype=float) / self.scale
        held = np.where(ratio >= 0, ratio, 1.0)
        density = special.xlogy(self.shape - 1, held) - held - special.gammaln(self.shape) - log(self.scale)
        return np.where(ratio >= 0, density, -np.inf)


@dataclass(frozen=True, slots=True)
class StudentT(Parametric):
    """Spread values about a location with heavy tails, density proportional to (1 + t^2/df)^(-(df+1)/2).

    df = 1 is Cauchy; a large df approaches a normal. scale is not the standard deviation.
    """

    df: float
    location: float
    scale: float

    def ppf(self, u: Array) -> Array:
        table = _table(StudentT(self.df, 0.0, 1.0))
        return np.asarray(self.location + self.scale * table.values(tables.normal_quantile(u)))

    def direct_ppf(self, u: Array) -> Array:
        return np.asarray(self.location + self.scale * special.stdtrit(self.df, u))

    def tails(self, x: Array) -> tuple[Array, Array]:
        t = (x - self.location) / self.scale
        return special.stdtr(self.df, t), special.stdtr(self.df, -t)

    def cdf(self, x: Array) -> Array:
        return np.asarray(special.stdtr(self.df, (np.asarray(x) - self.location) / self.scale))

    def logpdf(self, x: Array) -> Array:
        t = (np.asarray(x, dtype=float) - self.location) / self.scale
        half = 0.5 * (self.df + 1)
        constant = special.gammaln(half) - special.gammaln(0.5 * self.df) - 0.5 * log(self.df * np.pi)
        return np.asarray(constant - log(self.scale) - half * np.log1p(t * t / self.df))


@dataclass(frozen=True, slots=True)
class SkewedNormal(Parametric):
    """Join two half normals of different width at their mode, with a continuous density.

    The density is proportional to exp(-(x - mode)^2 / (2 sd^2)), with sd_below under the mode and sd_above
    over it. Equal widths give a normal. Source: Wallis 2004, "An assessment of Bank of England and
    National Institute inflation forecast uncertainties".
    """

    mode: float
    sd_below: float
    sd_above: float

    def ppf(self, u: Array) -> Array:
        u, both = np.asarray(u, dtype=float), self.sd_below + self.sd_above
        below = u * both < self.sd_below
        z = tables.normal_quantile(
            np.where(below, u * both / (2 * self.sd_below), (1 - u) * both / (2 * self.sd_above))
        )
        return np.asarray(self.mode + np.where(below, self.sd_below, -self.sd_above) * z)

    def cdf(self, x: Array) -> Array:
        away, both = np.asarray(x) - self.mode, self.sd_below + self.sd_above
        low = 2 * self.sd_below / both * special.ndtr(away / self.sd_below)
        high = 1 - 2 * self.sd_above / both * special.ndtr(-away / self.sd_above)
        return np.asarray(np.where(away < 0, low, high))

    def logpdf(self, x: Array) -> Array:
        away = np.asarray(x) - self.mode
        z = away / np.where(away < 0, self.sd_below, self.sd_above)
        return np.asarray(tables.log_normal_density(z) + log(2 / (self.sd_below + self.sd_above)))

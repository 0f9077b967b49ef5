"""Distributions made of others: a mixture, one truncated to an interval, and a mass at "never" (+inf).

Atoms are values that have a probability of their own. A composite family is split into its atoms and its
continuous parts, so that the quantile function is the exact inverse of the CDF also where it jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf

import numpy as np

from simulator.priors import quantile_tables as tables
from simulator.priors.families import Fixed, Triangular, require
from simulator.priors.free_families import Discrete, Empirical, Quantiles, free_table, scaled_weights
from simulator.priors.streams import EDGE
from simulator.schema.prior_families import Distribution
from simulator.units import Array, Conversion

_LARGEST_U = float(np.nextafter(1.0, 0.0))
_LEAST_MASS = 1e-9
"""A family is not truncated to an interval that holds less than this: the CDF is not exact enough there."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Choose one of several families by weight, then a value from it; weights are scaled to sum to 1.

    cdf(x) = sum of weight cdf_i(x), and ppf is its inverse: one u gives one value. Components may be any
    families, mixtures included. The log density at an atom is the log of its mass.

    Without atoms cdf(ppf(u)) is u within 1e-10, or x is within rounding of where it should be: the CDF may
    climb far in one step of x, as over a value that occurs more than once in an `Empirical` component.
    """

    weights: tuple[float, ...]
    components: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        weights = scaled_weights(self.weights, count=len(self.components))
        object.__setattr__(self, "weights", tuple(weights.tolist()))
        object.__setattr__(self, "components", tuple(self.components))

    @property
    def support(self) -> tuple[float, float]:
        ends = [part.support for part, weight in zip(self.components, self.weights, strict=True) if weight > 0]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def ppf(self, u: Array) -> Array:
        return split_atoms(self).ppf(u)

    def cdf(self, x: Array) -> Array:
        total = np.zeros(np.shape(x))
        for weight, part in zip(self.weights, self.components, strict=True):
            # A component carried over from another scale may know nothing of values outside its support.
            total += weight * np.where(np.asarray(x) >= part.support[0], part.cdf(x), 0.0)
        return np.minimum(total, 1.0)

    def logpdf(self, x: Array) -> Array:
        return split_atoms(self).logpdf(x)


class EmptyTruncation(ValueError):
    """Say that an interval holds nothing of the family that is to be cut to it."""

    def __init__(self, base: Distribution, rule: str) -> None:
        super().__init__(rule)
        self.base = base


@dataclass(frozen=True, slots=True)
class Truncated:
    """Restrict a family to values from lower to upper, ends included, and scale its probabilities up to 1.

    Bounds far outside the family change nothing. A bound may be infinite.
    """

    base: Distribution
    lower: float = -inf
    upper: float = inf

    def __post_init__(self) -> None:
        ends = f"lower {self.lower:g}, upper {self.upper:g}"
        require(self.lower < self.upper, f"lower must be below upper; got {ends}.")
        first, last = self.probabilities
        left = f"the bounds {self.lower:g} to {self.upper:g} leave {max(last - first, 0.0):.2g}"
        if last - first < _LEAST_MASS:
            raise EmptyTruncation(self.base, f"{left} of the prior's probability; at least 1e-9 must remain.")

    @property
    def probabilities(self) -> tuple[float, float]:
        """The base's probabilities below lower, and at or below upper."""
        below = np.nextafter(self.lower, -inf) if np.isfinite(self.lower) else self.lower
        first, last = self.base.cdf(np.array([below, self.upper])).tolist()
        return (0.0 if self.lower == -inf else first), (1.0 if self.upper == inf else last)

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.base.support
        return max(low, self.lower), min(high, self.upper)

    def ppf(self, u: Array) -> Array:
        first, last = self.probabilities
        within = np.clip(first + (last - first) * np.asarray(u), np.nextafter(0.0, 1.0), _LARGEST_U)
        return np.clip(self.base.ppf(within), self.lower, self.upper)

    def cdf(self, x: Array) -> Array:
        first, last = self.probabilities
        inside = np.clip((self.base.cdf(x) - first) / (last - first), 0.0, 1.0)
        return np.where(np.asarray(x) < self.lower, 0.0, np.where(np.asarray(x) >= self.upper, 1.0, inside))

    def logpdf(self, x: Array) -> Array:
        first, last = self.probabilities
        inside = (np.asarray(x) >= self.lower) & (np.asarray(x) <= self.upper)
        return np.where(inside, self.base.logpdf(x) - np.log(last - first), -np.inf)


@dataclass(frozen=True, slots=True)
class WithNever:
    """Give +inf ("never") a probability and the base family the rest.

    u > 1 - probability gives +inf; below that, base.ppf(u / (1 - probability)). Probability 0 is the base.
    """

    base: Distribution
    probability: float

    def __post_init__(self) -> None:
        rule = f'the probability of "never" must be at least 0 and below 1; got {self.probability:g}.'
        require(0 <= self.probability < 1, rule)

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.base.support
        return low, (inf if self.probability > 0 else high)

    def ppf(self, u: Array) -> Array:
        share = np.asarray(u) / (1 - self.probability)
        value = self.base.ppf(np.minimum(share, _LARGEST_U))
        return np.where(np.asarray(u) > 1 - self.probability, np.inf, value)

    def cdf(self, x: Array) -> Array:
        return np.where(np.asarray(x) == inf, 1.0, (1 - self.probability) * self.base.cdf(x))

    def logpdf(self, x: Array) -> Array:
        never = np.asarray(x) == inf
        finite = self.base.logpdf(np.where(never, 0.0, x)) + np.log1p(-self.probability)
        return np.where(never, tables.log_of(np.array(self.probability)), finite)


@dataclass(frozen=True, slots=True)
class Converted:
    """A family carried over to the internal scale by a one-to-one conversion.

    The quantile function rises on the internal scale also where the conversion falls (doubling times), so that
    rank correlations speak of growth and not of the time that it takes.
    """

    base: Distribution
    conversion: Conversion

    @property
    def support(self) -> tuple[float, float]:
        ends = np.array(self.base.support, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = np.nan_to_num(self.conversion.forward(ends), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
        return (float(high), float(low)) if self.conversion.falling else (float(low), float(high))

    def ppf(self, u: Array) -> Array:
        return self.conversion.forward(self.base.ppf(1.0 - u if self.conversion.falling else u))

    def cdf(self, x: Array) -> Array:
        with np.errstate(divide="ignore", over="ignore"):
            below = self.base.cdf(self.conversion.inverse(np.asarray(x, dtype=float)))
        if not self.conversion.reciprocal:
            return below
        low, high = self.support  # beyond them a time has no meaning and its inverse no sense
        return np.where(x < low, 0.0, np.where(x > high, 1.0, 1.0 - below if self.conversion.falling else below))

    def logpdf(self, x: Array) -> Array:
        """Return the log density on the internal scale: that of the base times |dx/dy|."""
        x = np.asarray(x, dtype=float)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            density = self.base.logpdf(self.conversion.inverse(x))
            return np.where(np.isneginf(density), -np.inf, density + self.conversion.log_slope(x))


EXTREMES = np.array([EDGE, 1e-6, 0.5, 1.0 - 1e-6, 1.0 - EDGE])
"""Where a prior is asked how far it reaches: at what can be drawn, one in a million, the median."""


def carried_over(base: Distribution, conversion: Conversion) -> tuple[Distribution, Array]:
    """Carry a family over to the internal scale, and give its quantiles at `EXTREMES`; its value where it is fixed.

    A family of single values stays one.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if isinstance(base, Fixed) and np.isfinite(value := conversion.forward(np.array([base.value]))).all():
            return Fixed(float(value[0])), value
        family: Distribution = Converted(base, conversion)
        if isinstance(base, Discrete) and np.isfinite(values := conversion.forward(np.array(base.values))).all():
            order = np.argsort(values)
            family = Discrete(tuple(values[order].tolist()), tuple(np.array(base.weights)[order].tolist()))
        return family, family.ppf(EXTREMES)


@dataclass(frozen=True)
class Parts:
    """Hold the atoms of a family (rising values, masses) and its continuous parts (weights, families), 1 in all."""

    values: tuple[float, ...]
    masses: tuple[float, ...]
    weights: tuple[float, ...]
    families: tuple[Distribution, ...]

    @cached_property
    def continuous(self) -> Distribution:
        """The continuous parts as one family."""
        return self.families[0] if len(self.families) == 1 else Mixture(self.weights, self.families)

    @cached_property
    def _between(self) -> Callable[[Array], Array]:
        """The quantile function of the continuous parts."""
        family = self.continuous
        if not isinstance(family, Mixture):
            return family.ppf
        table, support = quantile_table(family), family.support
        return lambda u: np.clip(table.values(tables.normal_quantile(u)), *support)

    def _levels(self) -> tuple[Array, Array]:
        """Return the probability below each atom, and below or at it."""
        masses = np.array(self.masses)
        total = np.cumsum(masses)
        if self.families:
            total = total + sum(self.weights) * self.continuous.cdf(np.array(self.values))
        return total - masses, total

    def ppf(self, u: Array) -> Array:
        """Return the smallest x with probability u at or below it."""
        u = np.asarray(u, dtype=float)
        if not self.values:
            return self._between(u)
        below, upto = self._levels()
        atom = np.searchsorted(upto[:-1], u, side="left")
        value = np.array(self.values)[atom]
        if not self.families:
            return np.asarray(value)
        share = sum(self.weights)
        passed = np.concatenate([[0.0], np.cumsum(self.masses)])[atom + (u > upto[-1])]
        between = self._between(np.clip((u - passed) / share, 1e-300, _LARGEST_U))
        under = np.concatenate([[-inf], self.values])[atom + (u > upto[-1])]
        over = np.where(u > upto[-1], inf, value)
        return np.where((u > below[atom]) & (u <= upto[atom]), value, np.clip(between, under, over))

    def logpdf(self, x: Array) -> Array:
        """Return the log mass at an atom and the log density elsewhere."""
        x = np.asarray(x, dtype=float)
        logs = [np.log(w) + f.logpdf(x) for w, f in zip(self.weights, self.families, strict=True)]
        density = np.logaddexp.reduce(logs, axis=0) if logs else np.full(x.shape, -np.inf)
        for value, mass in zip(self.values, self.masses, strict=True):
            density = np.where(x == value, np.log(mass), density)
        return np.asarray(density)


@lru_cache(maxsize=1024)
def split_atoms(family: Distribution) -> Parts:
    """Split a family into atoms (values with a probability of their own) and continuous parts."""
    atoms: dict[float, float] = {}
    continuous: dict[Distribution, float] = {}
    for weight, part in _flatten(family):
        if isinstance(part, float):
            atoms[part] = atoms.get(part, 0.0) + weight
        else:
            continuous[part] = continuous.get(part, 0.0) + weight
    values = tuple(sorted(atoms))
    return Parts(values, tuple(atoms[value] for value in values), tuple(continuous.values()), tuple(continuous))


def _flatten(family: Distribution) -> list[tuple[float, Distribution | float]]:
    """List the simple families in a family with their probabilities; an atom is given by its value."""
    kept: list[tuple[float, Distribution | float]]
    match family:
        case Discrete():
            return [(w, v) for w, v in zip(family.weights, family.values, strict=True) if w > 0]
        case Fixed():
            return [(1.0, float(family.value))]
        case Mixture():
            pairs = zip(family.weights, family.components, strict=True)
            return [(w * share, part) for w, base in pairs if w > 0 for share, part in _flatten(base)]
        case WithNever():
            kept = [(w * (1 - family.probability), part) for w, part in _flatten(family.base)]
            return kept + ([(family.probability, inf)] if family.probability > 0 else [])
        case Truncated():
            kept = []
            for weight, part in _flatten(family.base):
                if not isinstance(part, float):
                    first, last = part.cdf(np.array([family.lower, family.upper])).tolist()
                    if last - first >= _LEAST_MASS:
                        kept.append((weight * (last - first), Truncated(part, family.lower, family.upper)))
                elif family.lower <= part <= family.upper:
                    kept.append((weight, part))
            total = sum(weight for weight, _ in kept)
            return [(weight / total, part) for weight, part in kept]
    return [(1.0, family)]


@lru_cache(maxsize=512)
def quantile_table(family: Distribution) -> tables.QuantileTable:
    """Tabulate the quantile function of a continuous family against z = ndtri(u); ValueError where it has atoms.

    The error is below 3e-11 in z, or the rounding of x. Quantiles(...) give their own exact curve.
    """
    if isinstance(family, Quantiles) and (family.lower, family.upper) == (-inf, inf):
        return free_table(family)
    parts = split_atoms(family)
    require(not parts.values, f"a prior that gives single values a probability has no smooth table: {family}.")
    whole = parts.continuous
    positive = all(part.support[0] >= 0 for part in parts.families)
    breaks = np.array(_breaks(family), dtype=float)
    breaks = breaks[np.isfinite(breaks)]
    around = 4 * np.finfo(float).eps * np.abs(breaks)  # a conversion may move a break by its rounding
    quantiles = direct_quantiles(parts.families, tables.start_probabilities())
    return tables.tabulate(
        np.concatenate([*quantiles, breaks - around, breaks, breaks + around]),
        scores=lambda x: tables.normal_quantile(whole.cdf(x)),
        log_density=parts.logpdf,
        positive=positive,
        rounding=1e-15,
    )


def drawn_values(families: Mapping[str, Distribution], uniforms: Mapping[str, Array]) -> dict[str, Array]:
    """Turn uniform numbers by name into values of families; of a fixed one there is one."""
    return {
        name: np.array([family.value]) if isinstance(family, Fixed) else family.ppf(uniforms[name])
        for name, family in families.items()
    }


def direct_quantiles(families: Iterable[Distribution], u: Array) -> list[Array]:
    """Return `ppf(u)` of families without making tables where there is a way: cheaper for a few hundred values."""
    return [getattr(family, "direct_ppf", family.ppf)(u) for family in families]


def _breaks(family: Distribution) -> list[float]:
    """List where the density may jump or bend sharply."""
    match family:
        case Mixture():
            return [x for part in family.components for x in _breaks(part)]
        case Truncated():
            return [family.lower, family.upper, *_breaks(family.base)]
        case Empirical():
            return list(family.values)
        case Triangular():
            return [family.lower, family.mode, family.upper]
        case Converted():
            with np.errstate(divide="ignore", invalid="ignore"):
                return [*family.conversion.forward(np.array(_breaks(family.base))).tolist(), *family.support]
    return list(family.support)


def exact_density(family: Distribution, points: Array) -> Array:
    """Read the density of a distribution at rising points, its highest point among them being 1.

    It is the mean over a hundredth of a step to either side, so that one that is read from a table has no kinks.
    """
    heights = mean_density(family.cdf, points, between=family.support)
    return np.asarray(heights / heights.max(), dtype=np.float64)


def mean_density(cdf: Callable[[Array], Array], points: Array, *, between: tuple[float, float] = (-inf, inf)) -> Array:
    """Read a density at rising points off a CDF: its mean over a hundredth of a step to either side."""
    step = 0.01 * float(points[-1] - points[0]) / points.size
    ends = np.clip(points - step, *between), np.clip(points + step, *between)
    return np.asarray((cdf(ends[1]) - cdf(ends[0])) / (ends[1] - ends[0]))

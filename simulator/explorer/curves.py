"""Priors as tables by normal score, and how they move with a control: what weights of samples are made of.

A moved prior is the stated one shifted and widened about its median, on the scale on which the scenario itself would
be changed; where its shape changes as it moves, it lies between tables of the scenario that is changed. No family is
named: a table of values by normal score holds the density too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.errors import SimulatorError, dotted
from simulator.explorer.changes import Opened, believed
from simulator.explorer.protocol import Change, Control
from simulator.explorer.restating import base_of, in_log, keeps_ratios, quantiles
from simulator.priors.composite import Converted, Mixture, split_atoms
from simulator.priors.joint import NamedPrior
from simulator.schema.base import Faults
from simulator.units import Array

SCORES = np.linspace(-5.5, 5.5, 111)
_REACH, _ROOT = np.linspace(-7.0, 7.0, 141), float(np.log(2 * np.pi) / 2)
_STEP, _SLIGHT, _INNER = 0.005, 1.0 + 1e-6, 2.5
_AGREES = 0.02
"""How much probability may lie elsewhere in a moved prior than in that of the scenario which is changed so."""
_SHIFTS, _OF_PART = (-2.4, -1.6, -0.8, 0.0, 0.8, 1.6, 2.4), (-3.0, -1.5, 0.0, 1.5, 3.0)
"""The normal scores at which the medians of a grid stand."""
WIDTHS = (0.4, 0.7, 1.0, 1.4, 2.0)
"""The widths of a grid."""
_BEYOND = np.linspace(0.02, 2.0, 50)
"""How far beyond a prior the numbers of its control are told, in its whole width."""
_ATOMS = "It gives single values a probability of their own, and no sample stands between them."
_SHAPE = "Its shape changes as it moves, in a way that this file does not hold."


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A prior by normal score: its values `at` on some scale, rising, and the logs of its density there."""

    at: Array
    logs: Array

    @classmethod
    def through(cls, at: Array) -> Curve:
        """Make it of its values at `SCORES`."""
        return cls(at, -(SCORES**2) / 2 - np.log(np.maximum(np.gradient(at, SCORES), 1e-12)))

    def score(self, at: Array) -> Array:
        """Give normal scores at values."""
        return np.asarray(np.interp(at, self.at, SCORES))

    def log_density(self, at: Array) -> Array:
        """Give the log density at values; -inf beyond what the table holds."""
        logs = np.interp(at, self.at, self.logs)
        return np.where((at < self.at[0]) | (at > self.at[-1]), -np.inf, logs)


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The scale of a control: `size` times its numbers, in the log or not, times a `sign`.

    Where the prior is told in numbers that are no such function of its values, `shown` are its numbers at `at`.
    """

    log: bool
    sign: float = 1.0
    size: float = 1.0
    shown: Array | None = None
    at: Array | None = None

    def place(self, number: float) -> float:
        """Put a number of the control on the scale."""
        if self.shown is not None and self.at is not None:
            rising = slice(None) if self.shown[0] < self.shown[-1] else slice(None, None, -1)
            return float(np.interp(number, self.shown[rising], self.at[rising]))
        return self.sign * float(np.log(number * self.size) if self.log else number * self.size)

    def number(self, at: float) -> float:
        """Take a place back to a number of the control."""
        if self.shown is not None and self.at is not None:
            return float(np.interp(at, self.at, self.shown))
        return float((np.exp(self.sign * at) if self.log else self.sign * at) / self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Movable:
    """A prior that moves with a control: as it `stands`, and as it is stated once it is `moved`, in the same place.

    `median` is that of the control, on whose `axis` it moves; `ratios` says that it keeps them, or else differences.
    A `grid` has its values for each of some `medians` and `WIDTHS`, NaN where the scenario cannot be so. A weight has
    the logs of the density of its part and of the `others`, whose weights add up to `beside`. In a mixture of scenarios
    it is that of the scenario `of`, or of all; the samples of others are as likely as they were.
    """

    path: str
    name: str
    of: int | None
    stands: Curve
    moved: Curve
    axis: Axis
    ratios: bool
    median: float
    medians: tuple[float, ...] = ()
    grid: Array | None = None
    part: Array | None = None
    others: Array | None = None
    beside: float = 0.0

    @property
    def key(self) -> str:
        """The name of its scores: those of one scenario of a mixture are apart."""
        return self.name if self.of is None else f"{self.name} ({self.of})"

    def after(self, change: Change) -> Curve:
        """Give the prior that is changed so."""
        if self.part is not None and self.others is not None:
            share = (weight := change.get("weight", self.median)) / (weight + self.beside)
            with np.errstate(divide="ignore"):
                logs = np.logaddexp(np.log(share) + self.part, np.log1p(-share) + self.others)
            return Curve(self.stands.at, logs)
        median, width = change.get("median", self.median), change.get("width", 1.0)
        if self.grid is not None:
            return self.stands if (median, width) == (self.median, 1.0) else self._between(self.grid, median, width)
        factor = width * (median / self.median if self.ratios and not self.axis.log else 1.0)
        at = self.axis.place(median) + (self.moved.at - self.axis.place(self.median)) * factor
        return Curve(at, self.moved.logs - float(np.log(factor)))

    def _between(self, grid: Array, median: float, width: float) -> Curve:
        first, share = _cell([self.axis.place(each) for each in self.medians], self.axis.place(median))
        second, part = _cell(WIDTHS, width)
        corners = grid[first : first + 2, second : second + 2]
        return Curve.through(np.einsum("i,j,ijk->k", [1.0 - share, share], [1.0 - part, part], corners))

    def log_ratio(self, scores: Array, curve: Curve) -> tuple[Array, Array]:
        """Give the log of the density of a curve over that as it stands where it had these scores, and the new scores.

        A score that is infinite is "never", which stays as likely as it was.
        """
        finite = np.isfinite(scores)
        at = np.interp(np.where(finite, scores, 0.0), SCORES, self.stands.at)
        logs = curve.log_density(at) - np.interp(scores, SCORES, self.stands.logs)
        return np.where(finite, logs, 0.0), np.where(finite, curve.score(at), scores)


def _cell(ends: Sequence[float], value: float) -> tuple[int, float]:
    """Find between which of some rising or falling numbers a value lies, and how far; NaN beyond them."""
    sign = 1.0 if ends[0] < ends[-1] else -1.0
    first = int(np.clip(np.searchsorted(sign * np.asarray(ends), sign * value) - 1, 0, len(ends) - 2))
    share = (value - ends[first]) / (ends[first + 1] - ends[first])
    return first, share if -1e-9 <= share <= 1.0 + 1e-9 else np.nan


def scores_of(prior: NamedPrior, values: Array) -> Array:
    """Give the normal scores (sample,) of draws of a prior; +inf is "never", NaN what it does not reach."""
    at = base_of(prior.family).ppf(ndtr(SCORES))
    rising = np.append(True, np.diff(at) > 0)
    scores = np.interp(values, at[rising], SCORES[rising], left=np.nan, right=np.nan)
    return np.where(np.isfinite(values), scores, np.inf)


def _falls(prior: NamedPrior) -> bool:
    """Tell whether the numbers of the file fall as the internal ones rise."""
    base, conversion = base_of(prior.family), prior.asked[-1]
    return conversion.falling if conversion else isinstance(base, Converted) and base.conversion.falling


def _numbers(prior: NamedPrior, scores: Array) -> Array:
    """Give the numbers of the file at scores of the internal ones."""
    family, conversion = base_of(prior.stated), prior.asked[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        if conversion:  # of a mixture
            return np.asarray(conversion.inverse(family.ppf(ndtr(scores))))
        return family.ppf(ndtr(-scores if _falls(prior) else scores))


def _of_mixture(family: Mixture) -> Curve:
    """Tabulate a mixture by its distribution function, by Newton's steps from a grid of what its parts reach.

    Its own table of quantiles is made for many more digits than a curve has, and takes some ten times as long.
    """
    reach = np.concatenate([each.ppf(ndtr(_REACH)) for each in family.components])
    grid = np.unique(reach[np.isfinite(reach)])
    scores = ndtri(family.cdf(grid))
    inner = np.isfinite(scores) & np.append(np.diff(scores) > 0, True)
    grid, scores = grid[inner], scores[inner]
    place = np.clip(np.searchsorted(scores, SCORES) - 1, 0, grid.size - 2)
    at = np.interp(SCORES, scores, grid)
    for _ in range(2):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            now = ndtri(family.cdf(at))
            step = (SCORES - now) * np.exp(-(now**2) / 2 - _ROOT - family.logpdf(at))
        at = np.clip(at + np.where(np.isfinite(step), step, 0.0), grid[place], grid[place + 1])
    return Curve(at, family.logpdf(at) + _ROOT)


def _curve(prior: NamedPrior, *, inside: bool = False) -> Curve | None:
    """Tabulate a prior on the scale on which it moves, or the one `inside`; None where that is no continuous one."""
    if inside and isinstance(family := base_of(prior.family), Mixture) and not split_atoms(family).values:
        found = _of_mixture(family)
        return found if np.isfinite(found.logs[np.abs(SCORES) < _INNER]).all() else None
    sign, logged = -1.0 if _falls(prior) else 1.0, in_log(prior)

    def at(scores: Array) -> Array:
        if inside:
            return np.asarray(base_of(prior.family).ppf(ndtr(scores)))
        with np.errstate(divide="ignore", invalid="ignore"):
            numbers = _numbers(prior, scores)
            return np.asarray(sign * (np.log(numbers) if logged else numbers))

    slope = (at(SCORES + _STEP) - at(SCORES - _STEP)) / (2 * _STEP)
    if not (np.isfinite(slope).all() and (slope[np.abs(SCORES) < _INNER] > 0).all()):
        return None
    return Curve(at(SCORES), -(SCORES**2) / 2 - np.log(np.maximum(slope, 1e-12)))  # a bound is where it gets flat


def movable(base: Opened, control: Control) -> Movable | str:
    """Make the tables of the prior that moves with a control; or say why weights cannot move it."""
    path, handle, components = control["path"], base.handles[control["path"]], base.scenario.components
    of = next((at for at, each in enumerate(components) if handle.part and each.name == handle.part), None)
    joint, name = components[of or 0].joint, dotted(handle.at).partition(".mixture[")[0].removesuffix(".weight")
    if name not in joint.priors or name in joint.functions:
        return "It follows another prior."
    prior = joint.priors[name]
    if of is None and any(
        name not in each.joint.priors or each.joint.priors[name].family != prior.family for each in components
    ):
        return "It is not the same prior in all scenarios of the mixture."
    if set(split_atoms(prior.family).values) - {np.inf}:
        return _ATOMS
    inside = _curve(prior, inside=True)
    if inside is None:
        return _ATOMS
    if control["kind"] == "weight":
        return _weight(path, prior, inside, of)
    try:
        after = believed(base, path, {"width": _SLIGHT})
    except (SimulatorError, Faults) as error:
        return str(error).splitlines()[0]
    if ".mixture[" not in dotted(handle.at) and "mixture" not in control["family"]:
        size = quantiles(prior, [0.5])[0] / control["median"] if control["median"] else 1.0
        axis = Axis(in_log(prior), -1.0 if _falls(prior) else 1.0, size)
        stands, moved = _curve(prior), _curve(after)
        if stands is not None and moved is not None:
            result = Movable(path, name, of, stands, moved, axis, keeps_ratios(prior), control["median"])
            if _agrees(base, result, control):
                return result
    result = _gridded(
        base, Movable(path, name, of, inside, inside, _axis(base, control, prior, inside), False, control["median"])
    )
    return result if _agrees(base, result, control) else _SHAPE


def _axis(base: Opened, control: Control, prior: NamedPrior, inside: Curve) -> Axis:
    """Make the axis of a grid: of a prior by its numbers, of a part of one that of the part."""
    if ".mixture[" in dotted(base.handles[control["path"]].at):
        return Axis(control["scale"] == "log")
    conversion = prior.asked[-1] or (prior.family.conversion if isinstance(prior.family, Converted) else None)
    low, high = float(inside.at[0]), float(inside.at[-1])
    beyond = _BEYOND * (high - low)
    at = inside.at if conversion is None else np.concatenate([low - beyond[::-1], inside.at, high + beyond])
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = _numbers(prior, SCORES) if conversion is None else np.asarray(conversion.inverse(at))
    middle = at.size // 2  # from which outwards the numbers are kept for as long as they rise, or fall
    shown = np.where(np.isfinite(shown), shown, np.nan) * (control["median"] / shown[middle])
    sign = -1.0 if _falls(prior) else 1.0
    for place in range(middle + 1, at.size):
        shown[place] = shown[place] if sign * shown[place] > sign * shown[place - 1] else shown[place - 1]
    for place in range(middle - 1, -1, -1):
        shown[place] = shown[place] if sign * shown[place] < sign * shown[place + 1] else shown[place + 1]
    return Axis(log=False, shown=shown, at=at)


def _weight(path: str, prior: NamedPrior, inside: Curve, of: int | None) -> Movable | str:
    """Make the tables of a part of a mixture by its weight, beside the others."""
    places, parts, family = re.findall(r"\.mixture\[(\d+)\]", path), prior.prior.mixture or (), base_of(prior.family)
    if not isinstance(family, Mixture) or len(places) != 1:
        return _SHAPE
    number = int(places[0])
    logs = np.stack([each.logpdf(inside.at) for each in family.components])
    known = np.log(family.weights)[:, None] + logs
    rest = np.delete(known, number, axis=0)
    with np.errstate(divide="ignore"):
        others = np.logaddexp.reduce(rest, axis=0) - np.log(1.0 - family.weights[number])
    own, beside = parts[number].weight, sum(each.weight for at, each in enumerate(parts) if at != number)
    stands = Curve(inside.at, np.logaddexp.reduce(known, axis=0))
    return Movable(path, prior.name, of, stands, stands, Axis(log=False), False, float(own), part=logs[number],
                   others=others, beside=float(beside))  # fmt: skip


def stated(base: Opened, prior: Movable, median: float, width: float) -> Curve | None:
    """Tabulate a prior of the scenario that is changed so; None where it cannot be."""
    if (median, width) == (prior.median, 1.0):
        return prior.stands
    change = Change(width=width) if median == prior.median else Change(median=median, width=width)
    try:
        after = believed(base, prior.path, change)
    except (SimulatorError, Faults):
        return None  # its own words are shown where it is changed so
    return _curve(after, inside=prior.stands is prior.moved)


def _gridded(base: Opened, prior: Movable) -> Movable:
    """Tabulate a prior for each of some medians and widths."""
    if prior.axis.shown is not None:
        medians = [prior.axis.number(float(np.interp(score, SCORES, prior.stands.at))) for score in _SHIFTS]
    else:
        medians = _spread(base, prior)
    medians[len(medians) // 2] = prior.median
    none = np.full(SCORES.size, np.nan)
    rows = [[stated(base, prior, median, width) for width in WIDTHS] for median in medians]
    grid = np.stack([[none if curve is None else curve.at for curve in row] for row in rows])
    return replace(prior, medians=tuple(medians), grid=grid)


def _spread(base: Opened, prior: Movable) -> list[float]:
    """Spread medians of a part of a prior over what it believes."""
    part = base.handles[prior.path].prior
    told = quantiles(part, ndtr(np.array(_OF_PART)).tolist()) if part is not None else [prior.median] * len(_OF_PART)
    middle = told[len(told) // 2]
    return [each * prior.median / middle for each in told]


def _agrees(base: Opened, prior: Movable, control: Control) -> bool:
    """Tell whether a moved prior is that of the scenario which is changed so."""
    shift = prior.median + 0.7 * (control["high"] - prior.median)
    for median, width in ((shift, 1.0), (prior.median, 1.2), (prior.median, 0.8)):
        own, moved = stated(base, prior, median, width), prior.after(Change(median=median, width=width))
        if own is None or np.isnan(moved.at).any():
            continue  # the scenario cannot be so, or not be told from its neighbours, which is said when it is asked
        told = moved.log_density(own.at)
        apart = np.where(np.isfinite(told), np.abs(np.expm1(np.clip(told - own.logs, -5.0, 5.0))), 1.0)
        if not np.average(np.minimum(apart, 1.0), weights=np.exp(-(SCORES**2) / 2)) / 2 < _AGREES:
            return False
    return True

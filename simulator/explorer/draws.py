"""The draws that a shared page holds: what each prior was in each sample, and by what it is weighed once it is moved.

A moved prior is the stated one shifted and widened about its median, on the scale on which the scenario itself would
be changed. The weight of a sample is the new density over that from which it was drawn, so that no family is named:
a table of the prior's values by normal score holds both. Priors that matter most are also drawn from twice as wide, so
that far moves have samples too; all samples stand for the mixture of these ways to draw (the balance heuristic, Veach
and Guibas 1995; Owen and Zhou 2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from simulator.engine.batches import Batch, compute_batch
from simulator.engine.plan import Plan
from simulator.engine.simulation import run_plan
from simulator.errors import SimulatorError, dotted
from simulator.explorer.changes import Opened, changed
from simulator.explorer.protocol import Change, Control
from simulator.explorer.restating import base_of, in_log, keeps_ratios, quantiles
from simulator.priors.composite import Converted, split_atoms
from simulator.priors.dependence import CopulaGroup
from simulator.priors.joint import NamedPrior
from simulator.scenario.resolving import Scenario
from simulator.units import Array

SCORES = np.linspace(-5.5, 5.5, 111)
_STEP, _SLIGHT, _INNER = 0.005, 1.0 + 1e-6, 2.5
_AGREES = 0.01
"""How much probability may lie elsewhere in a moved prior than in that of the scenario which is changed so."""
_SHIFTS = (-2.4, -1.2, 0.0, 1.2, 2.4)
"""The normal scores at which the medians of a grid stand."""
WIDTHS = (0.4, 0.7, 1.0, 1.4, 2.0)
"""The widths of a grid."""
WIDE = 2.0
"""The width of a prior in the samples that are drawn from a wider one."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A prior by normal score: its values `at` on the scale on which it moves, and the logs of its density there."""

    at: Array
    logs: Array

    def score(self, at: Array) -> Array:
        """Give normal scores at values."""
        return np.asarray(np.interp(at, self.at, SCORES))

    def log_density(self, at: Array) -> Array:
        """Give the log density at values; -inf beyond what the table holds."""
        logs = np.interp(at, self.at, self.logs)
        return np.where((at < self.at[0]) | (at > self.at[-1]), -np.inf, logs)


@dataclass(frozen=True, slots=True, eq=False)
class Movable:
    """A prior that can be moved: as it `stands`, and as it is stated once it is `moved`, in the same place.

    It moves in the log where `in_log`; it keeps its ratios, or else its differences. `sign` is -1 where the internal
    numbers fall as those of the file rise; `median` is in the unit of the control, which is so many of the prior's.
    Where its shape changes as it moves, `grid` has its values for each of some medians and `WIDTHS`, and it moves
    between these; NaN where the scenario cannot be so.
    """

    path: str
    name: str
    stands: Curve
    moved: Curve
    in_log: bool
    ratios: bool
    sign: float
    median: float
    size: float
    medians: tuple[float, ...] = ()
    grid: Array | None = None

    def place(self, number: float) -> float:
        """Put a number, in the unit of its control, on the scale on which the prior moves."""
        number *= self.size
        return self.sign * float(np.log(number) if self.in_log else number)

    def number(self, at: float) -> float:
        """Take a place on that scale back to a number."""
        return float((np.exp(self.sign * at) if self.in_log else self.sign * at) / self.size)

    def after(self, median: float, width: float) -> Curve:
        """Give the prior that is moved so: shifted and widened about its median, or between those of the grid."""
        if self.grid is not None and (median, width) != (self.median, 1.0):
            return self._between(median, width)
        factor = width * (median / self.median if self.ratios and not self.in_log else 1.0)
        at = self.place(median) + (self.moved.at - self.place(self.median)) * factor
        return Curve(at, self.moved.logs - float(np.log(factor)))

    def _between(self, median: float, width: float) -> Curve:
        first, share = _cell([self.place(each) for each in self.medians], self.place(median))
        second, part = _cell(WIDTHS, width)
        corners = np.asarray(self.grid)[first : first + 2, second : second + 2]
        at = np.tensordot([1.0 - share, share], np.tensordot([1.0 - part, part], corners, (0, 1)), (0, 0))
        return Curve(at, -(SCORES**2) / 2 - np.log(np.maximum(np.gradient(at, SCORES), 1e-12)))

    def log_ratio(self, scores: Array, median: float, width: float) -> tuple[Array, Array]:
        """Give the log of new over old density where the prior had these scores, and the new scores there.

        A score that is infinite is "never", which stays as likely as it was.
        """
        finite = np.isfinite(scores)
        at, curve = np.interp(np.where(finite, scores, 0.0), SCORES, self.stands.at), self.after(median, width)
        logs = curve.log_density(at) - np.interp(scores, SCORES, self.stands.logs)
        return np.where(finite, logs, 0.0), np.where(finite, curve.score(at), scores)


def _cell(ends: Sequence[float], value: float) -> tuple[int, float]:
    """Find between which of some rising or falling numbers a value lies, and how far; NaN beyond them."""
    numbers = np.asarray(ends) * (1.0 if ends[0] < ends[-1] else -1.0)
    value = value if ends[0] < ends[-1] else -value
    first = int(np.clip(np.searchsorted(numbers, value) - 1, 0, len(ends) - 2))
    share = (value - numbers[first]) / (numbers[first + 1] - numbers[first])
    return first, float(share) if -1e-9 <= share <= 1.0 + 1e-9 else np.nan


def _curve(prior: NamedPrior, *, logged: bool) -> Curve | None:
    """Tabulate a prior; None where single values have a probability, so that weights cannot move it."""
    family, conversion, sign = base_of(prior.stated), prior.asked[-1], _sign(prior)

    def at(scores: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = family.ppf(ndtr(scores if conversion else sign * scores))
            values = conversion.inverse(values) if conversion else values  # of a mixture
            return np.asarray(sign * (np.log(values) if logged else values))

    slope = (at(SCORES + _STEP) - at(SCORES - _STEP)) / (2 * _STEP)
    if not (np.isfinite(slope).all() and (slope[np.abs(SCORES) < _INNER] > 0).all()):
        return None
    return Curve(at(SCORES), -(SCORES**2) / 2 - np.log(np.maximum(slope, 1e-12)))  # a bound is where it gets flat


def _sign(prior: NamedPrior) -> float:
    """Tell whether the numbers of the file fall as the internal ones rise: -1."""
    base, conversion = base_of(prior.family), prior.asked[-1]
    falls = conversion.falling if conversion else isinstance(base, Converted) and base.conversion.falling
    return -1.0 if falls else 1.0


def scores_of(prior: NamedPrior, values: Array) -> Array:
    """Give the normal scores (sample,) of draws of a prior; +inf is "never"."""
    at = base_of(prior.family).ppf(ndtr(SCORES))
    rising = np.append(True, np.diff(at) > 0)
    return np.where(np.isfinite(values), np.interp(values, at[rising], SCORES[rising]), np.inf)


_ATOMS = "It gives single values a probability of their own, and no sample stands between them."


def movable(base: Opened, control: Control) -> Movable | str:
    """Make the table of the prior of a control; or say why weights cannot move it."""
    path = control["path"]
    name = dotted(base.handles[path].at)
    joint = base.scenario.components[0].joint
    name = path if path in joint.priors else name
    if name not in joint.priors:
        return "It is a part of a mixture."
    prior = joint.priors[name]
    if set(split_atoms(prior.family).values) - {np.inf}:
        return _ATOMS
    logged, median = in_log(prior), control["median"]
    size = quantiles(prior, [0.5])[0] / median if median else 1.0
    stands = _curve(prior, logged=logged)
    try:
        after = changed(base, {path: {"width": _SLIGHT}}).components[0].joint.priors[name]
    except SimulatorError as error:
        return str(error).splitlines()[0]
    moved = _curve(after, logged=logged)
    if stands is None or moved is None:
        return _ATOMS
    result = Movable(path, name, stands, moved, logged, keeps_ratios(prior), _sign(prior), median, size)
    if _agrees(base, result):
        return result
    result = _gridded(base, result)
    return result if _agrees(base, result) else "Its shape changes as it moves, in a way that this file does not hold."


def _stated(base: Opened, prior: Movable, median: float, width: float) -> Curve | None:
    """Tabulate a prior of the scenario that is changed so; None where it cannot be."""
    if (median, width) == (prior.median, 1.0):
        return prior.stands
    change = Change(width=width) if median == prior.median else Change(median=median, width=width)
    try:
        after = changed(base, {prior.path: change})
    except SimulatorError:
        return None  # its own words are shown where it is changed so
    return _curve(after.components[0].joint.priors[prior.name], logged=prior.in_log)


def _gridded(base: Opened, prior: Movable) -> Movable:
    """Tabulate a prior for each of some medians and widths."""
    medians = [prior.number(at) for at in np.interp(_SHIFTS, SCORES, prior.stands.at)]
    medians[len(medians) // 2] = prior.median
    none = np.full(SCORES.size, np.nan)
    rows = [[_stated(base, prior, median, width) for width in WIDTHS] for median in medians]
    grid = np.stack([[none if curve is None else curve.at for curve in row] for row in rows])
    return replace(prior, medians=tuple(medians), grid=grid)


def _agrees(base: Opened, prior: Movable) -> bool:
    """Tell whether a moved prior is that of the scenario which is changed so."""
    low, high = np.interp([-0.3, 0.3], SCORES, prior.stands.at)
    for median, width in ((prior.number(prior.place(prior.median) + float(high - low)), 1.0), (prior.median, 1.25)):
        stated = _stated(base, prior, median, width)
        if stated is None:
            continue
        told = prior.after(median, width).log_density(stated.at)
        apart = np.where(np.isfinite(told), np.abs(np.expm1(np.clip(told - stated.logs, -5.0, 5.0))), 1.0)
        if not np.average(np.minimum(apart, 1.0), weights=np.exp(-(SCORES**2) / 2)) / 2 < _AGREES:
            return False
    return True


type Moves = Mapping[str, tuple[float, float]]
"""The median and the width of priors that are moved, by path."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The priors of a scenario that can be moved, by path; the `groups` that join them; and why others cannot be."""

    priors: Mapping[str, Movable]
    groups: tuple[CopulaGroup, ...]
    refused: Mapping[str, str]

    @classmethod
    def of(cls, base: Opened, controls: Sequence[Control]) -> Known:
        """Tabulate the priors of controls."""
        joint = base.scenario.components[0].joint
        found = {each["path"]: movable(base, each) for each in controls if each["kind"] == "prior"}
        refused = {path: each for path, each in found.items() if isinstance(each, str)}
        priors = {path: each for path, each in found.items() if isinstance(each, Movable)}
        single = {
            name for group in joint.groups for name in group.names if split_atoms(joint.priors[name].family).values
        }
        for path, each in priors.items():
            if any(each.name in group.names and single & set(group.names) for group in joint.groups):
                refused[path] = "It is correlated with a prior that gives single values a probability of their own."
        priors = {path: each for path, each in priors.items() if path not in refused}
        names = {each.name for each in priors.values()}
        return cls(priors, tuple(group for group in joint.groups if names & set(group.names)), refused)

    @property
    def names(self) -> list[str]:
        """Name the priors whose scores count."""
        return sorted(
            {*(each.name for each in self.priors.values()), *(name for group in self.groups for name in group.names)}
        )

    def log_ratios(self, scores: Mapping[str, Array], moves: Moves) -> Array:
        """Give the logs of the density with priors moved over that without, where they had these scores (sample,)."""
        total, after = np.zeros(next(iter(scores.values())).size), dict(scores)
        for path, (median, width) in moves.items():
            prior = self.priors[path]
            ratio, after[prior.name] = prior.log_ratio(scores[prior.name], median, width)
            total += ratio
        names = {self.priors[path].name for path in moves}
        for group in self.groups:
            if names & set(group.names):
                total += _log_copula(group, after) - _log_copula(group, scores)
        return total


def _log_copula(group: CopulaGroup, scores: Mapping[str, Array]) -> Array:
    """Give the log density of a Gaussian copula, up to a constant."""
    joined = np.stack([scores[name] for name in group.names])
    return np.asarray(-0.5 * (np.square(np.linalg.solve(group.factor, joined)) - np.square(joined)).sum(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Samples of a scenario and of it with a wider prior, one after the other.

    `scores` (sample,) by name are those of the priors that are `known`; `logs` (sample,) of how much likelier the
    sample is in all ways to draw than in the scenario as it is. `wide` are the paths of the priors that are drawn wider
    too, each in so large a share of the samples.
    """

    plan: Plan
    batches: tuple[Batch, ...]
    known: Known
    scores: Mapping[str, Array]
    logs: Array
    wide: Mapping[str, float]

    @property
    def trajectories(self) -> dict[str, Array]:
        """The levels of each variable, and what binds, (year, sample)."""
        names = self.batches[0].trajectories
        return {name: np.concatenate([each.trajectories[name] for each in self.batches], axis=1) for name in names}

    def crossings(self, name: str) -> Array:
        """What is known of each threshold, (threshold, sample)."""
        return np.concatenate([each.crossings[name] for each in self.batches], axis=-1)

    def log_weights(self, moves: Moves) -> Array:
        """Give the logs of weights (sample,) for priors that are moved."""
        return self.known.log_ratios(self.scores, moves) - self.logs


def draws_of(base: Opened, known: Known, *, own: int, wider: int, most: int) -> Draws:
    """Draw samples of a scenario that has learnt what it has to.

    `own` samples are those of its run, and `wider` more have one of the `most` priors that matter most twice as wide.
    """
    plan, joint = run_plan(base.scenario), base.scenario.components[0].joint
    batches, wide = [compute_batch(plan, 0, own)], dict[str, int]()
    for number, path in enumerate(_strongest(batches[0], plan, known.priors)[:most]):
        prior = known.priors[path]
        try:
            other = changed(base, {path: {"width": WIDE}})
        except SimulatorError:
            continue  # it may not be so wide: there are only the scenario's own samples
        if np.isfinite(prior.after(prior.median, WIDE).at).all():
            batches.append(compute_batch(run_plan(_seeded(other, number + 1)), 0, wider))
            wide[path] = wider
    scores = {
        name: scores_of(joint.priors[name], np.concatenate([each.parameters[name] for each in batches]))
        for name in known.names
    }
    size = own + sum(wide.values())
    total = np.full(size, own / size)
    for path, count in wide.items():
        total += count / size * np.exp(known.log_ratios(scores, {path: (known.priors[path].median, WIDE)}))
    return Draws(plan, tuple(batches), known, scores, np.log(total), {path: n / size for path, n in wide.items()})


def _seeded(scenario: Scenario, number: int) -> Scenario:
    """Give a scenario with draws of its own."""
    (one,) = scenario.components
    spec = one.spec.model_copy(update={"seed": one.spec.seed + number})
    return replace(scenario, components=(replace(one, spec=spec),))


def _strongest(batch: Batch, plan: Plan, priors: Mapping[str, Movable]) -> list[str]:
    """Sort priors by how strongly the levels half-way and at the end go with them."""
    levels = batch.trajectories.get("effective_compute", next(iter(batch.trajectories.values())))
    ends = [np.asarray(levels[place], dtype=np.float64) for place in (plan.years.size // 2, -1)]

    def strength(path: str) -> float:
        drawn = batch.parameters[priors[path].name]
        if not np.isfinite(drawn).all() or np.ptp(drawn) == 0.0:
            return 0.0
        found = [abs(float(np.corrcoef(drawn, end)[0, 1])) for end in ends if np.isfinite(end).all() and np.ptp(end)]
        return max(found, default=0.0)

    return sorted(priors, key=strength, reverse=True)

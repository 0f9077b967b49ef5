"""Priors that are functions of another prior, through given points.

Such a prior is no free dimension: its number in a sample follows from the other's draw in that sample.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.errors import Fault, Path, near_name, number
from simulator.priors.ranks import rank_correlation, scores_for
from simulator.priors.scales import Scale
from simulator.schema.base import Faults
from simulator.schema.prior_families import Distribution
from simulator.schema.spec import Correlation
from simulator.schema.statements import PointFunction
from simulator.units import Array


@dataclass(frozen=True, slots=True)
class Dependence:
    """A function of the prior `of`, from its internal scale to that of the prior which follows from it.

    `at` and `values` are the points on the scales on which the function is straight, `at` rising; `other` is the scale
    of `of`, `own` that of the result.
    """

    of: str
    at: tuple[float, ...]
    values: tuple[float, ...]
    between: str
    other: Scale
    own: Scale

    def place(self, drawn: Array) -> Array:
        """Put draws of `of` on the scale of the points `at`."""
        with np.errstate(divide="ignore"):
            return drawn if self.other.log else self.other.conversion.inverse(drawn)

    def __call__(self, drawn: Array) -> Array:
        """Compute the numbers that follow from draws of `of`, on the internal scales; +inf (never): the last point."""
        x = self.place(drawn)
        if self.between == "line":
            y = np.interp(x, self.at, self.values)
        else:
            place = np.searchsorted(self.at, x, side="right") - 1
            y = np.array(self.values)[np.maximum(place, 0)]
        return y if self.own.log else self.own.conversion.forward(y)


@dataclass(frozen=True, slots=True)
class Use:
    """The draw of the input `of`, on the scale of the place that uses it: the same number, through units."""

    of: str
    other: Scale
    own: Scale

    @property
    def same(self) -> bool:
        """Whether the two scales are one."""
        return self.other.unit == self.own.unit

    def __call__(self, drawn: Array) -> Array:
        """Carry draws of the input over."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return drawn if self.same else self.own.conversion.forward(self.other.conversion.inverse(drawn))


def dependence(function: PointFunction, path: Path, *, other: Scale, own: Scale) -> Dependence:
    """Make the function that a prior is of another one, on the scales of both; Faults where its points do not do."""
    faults: list[Fault] = []
    points: dict[float, float] = {}
    for text, value in function.points.items():
        where = (*path, "function", "points", text)
        try:
            at = float(text)
        except ValueError:
            remedy = "Write for example 1e29: 3.5: where the other prior is 1e29, this one is 3.5."
            faults.append(Fault(where, f"must be a number; got '{text}'.", remedy))
            continue
        if at in points:
            faults.append(Fault(where, f"is a second point at {number(at)}.", "Keep one of the two."))
        points[at] = value
        faults += [
            Fault(where, f"{what} {fault}", f"{scale.meaning}\nWrite a larger number.".strip())
            for what, scale, given in (
                ("lies where the other prior has no value: it", other, at),
                ("gives what", own, value),
            )
            if (fault := _beyond(scale, given))
        ]
    if faults:
        raise Faults(faults)
    x = np.array(sorted(points))
    y = np.array([points[at] for at in sorted(points)])
    return Dependence(
        function.of,
        tuple((other.conversion.forward(x) if other.log else x).tolist()),
        tuple((own.conversion.forward(y) if own.log else y).tolist()),
        function.between,
        other,
        own,
    )


def _beyond(scale: Scale, value: float) -> str:
    """Say that a number lies where a scale has no values; empty where it does not."""
    if value > scale.least or (scale.reached and value == scale.least):
        return ""
    return f"must be {'at least' if scale.reached else 'above'} {number(scale.least)}; got {number(value)}."


def chained(uses: Mapping[str, str]) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Put functions of priors into an order in which each comes after what it is a function of (`uses`).

    The names that are in no circle and lead into none; and of each circle a name and the way round.
    """
    order: list[str] = []
    circles: list[tuple[str, str]] = []
    lost: set[str] = set()
    for name in uses:
        way = [name]
        while (following := uses[way[-1]]) in uses and following not in {*order, *lost, *way}:
            way.append(following)
        if following in way:
            circle = [*way[way.index(following) :], following]
            circles.append((following, " -> ".join(circle)))
        if following in way or following in lost:
            lost |= set(way)
        else:
            order += [each for each in reversed(way) if each not in order]
    return tuple(order), circles


def reference_faults(uses: Mapping[str, str], paths: Mapping[str, Path], names: Collection[str]) -> Iterator[Fault]:
    """List functions of priors that there are not, and functions of themselves; `paths` are those of what they name."""
    for name, of in uses.items():
        if of not in names and paths[name][-1] == "input":
            inputs = [known.removeprefix("inputs.") for known in names if known.startswith("inputs.")]
            name_of = of.removeprefix("inputs.")
            remedy = near_name(name_of, inputs) or "Name it under inputs, with its prior."
            yield Fault(paths[name], f"there is no input '{name_of}'.", remedy)
        elif of not in names:
            below = [known for known in names if known.startswith(f"{of}.")]
            rule, remedy = _unknown(of, names)
            remedy = f"Did you mean '{below[0]}'?" if len(below) == 1 else remedy
            yield Fault(paths[name], rule, remedy)
    for name, way in chained(uses)[1]:
        remedy = "Break the circle: state one of them by its own numbers."
        yield Fault(paths[name], f"is a function of itself: {way}.", remedy)


@dataclass(frozen=True, slots=True)
class CopulaGroup:
    """Priors that are correlated with one another.

    `names` are sorted; `factor` (n, n) is the lower Cholesky factor of their normal correlation matrix. Unless
    it `is_spread`, their numbers are not spread over each block again, and have the density of the copula exactly.
    """

    names: tuple[str, ...]
    factor: Array
    is_spread: bool = True


def nearest_correlation(matrix: Array) -> Array:
    """Find a positive definite correlation matrix (n, n) near one that is not.

    Negative eigenvalues are raised to 1e-3 and the diagonal is scaled back to 1.
    """
    values, vectors = np.linalg.eigh(matrix)
    raised = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    scale = 1.0 / np.sqrt(np.diag(raised))
    return np.asarray(raised * np.outer(scale, scale))


def copula_groups(
    correlations: Sequence[Correlation],
    *,
    families: Mapping[str, Distribution],
    fixed: Collection[str],
    functions: Mapping[str, str],
    streams: Mapping[str, str],
) -> tuple[tuple[CopulaGroup, ...], list[Fault]]:
    """Group the priors that correlations join, directly or through others; no groups where a pair is at fault.

    A pair with one that is `fixed` is left out; what the `functions` of other priors correlate with follows from those.
    `families` are those of all priors; the rank correlation of such as have ties is the stated one too. Names are in
    the order of those by which draws are keyed: `streams`, where they are others.
    """
    rule = "is a function of another prior and cannot be correlated by itself."
    barred = {
        name: (f"'{name}' {rule}", f"Correlate what it is a function of: {of}.") for name, of in functions.items()
    }
    pairs: dict[frozenset[str], tuple[float, int]] = {}
    scores: dict[frozenset[str], float] = {}
    faults: list[Fault] = []
    for index, correlation in enumerate(correlations):
        path, pair = ("correlations", index), frozenset(correlation.between)
        own = [
            Fault((*path, "between", place), *(barred[name] if name in families else _unknown(name, families)))
            for place, name in enumerate(correlation.between)
            if name not in families or name in barred
        ]
        if not own and len(pair) == 1:
            own = [Fault((*path, "between"), "names one prior twice.", "Name two priors.")]
        elif not own and not pair.isdisjoint(fixed):
            continue
        elif not own and pair in pairs:
            own = [Fault(path, f"repeats correlations[{pairs[pair][1]}].", "Keep one of the two.")]
        elif not own:
            both = [families[name] for name in sorted(pair, key=lambda name: streams.get(name, name))]
            scores[pair], reached = scores_for(correlation.rank, *both)
            own = _out_of_reach((*path, "rank"), correlation.rank, reached)
        faults += own
        pairs[pair] = (correlation.rank, index)
    if faults:
        return (), faults
    groups = []
    for group in _components(list(pairs), streams):
        matrix = np.eye(len(group))
        for pair, score in scores.items():
            if pair <= set(group):
                i, j = (group.index(name) for name in sorted(pair))
                matrix[i, j] = matrix[j, i] = score
        try:
            groups.append(CopulaGroup(group, np.linalg.cholesky(matrix)))
        except np.linalg.LinAlgError:
            faults.append(_not_positive_definite(group, matrix, pairs, families))
    return tuple(groups), faults


def _out_of_reach(path: Path, rank: float, reached: float) -> list[Fault]:
    """Say what the strongest rank correlation of two priors is, where the stated one is stronger."""
    if abs(rank) < abs(reached) + 1e-6:
        return []
    most = math.copysign(math.floor(1000 * abs(reached)) / 1000, rank)
    rule = f"cannot be {number(rank)}: values with a probability of their own tie, and these two reach {number(most)}."
    return [Fault(path, rule, f"Write a rank from 0 to {number(most)}.")]


def _unknown(name: str, names: Collection[str]) -> tuple[str, str]:
    """Say that there is no such prior, and which is meant."""
    remedy = near_name(name, names) or "Name a prior by its path, for example drivers.spending.start."
    return f"there is no prior '{name}'.", remedy


def _components(pairs: list[frozenset[str]], streams: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Collect names that are joined, directly or through others; names sorted, groups by first name.

    What is added to a scenario comes last: the first names of a group keep their draws, whatever comes after them.
    """
    groups: list[set[str]] = []
    for pair in pairs:
        touching = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [set(pair).union(*touching)]

    def place(name: str) -> tuple[bool, str]:
        return name.startswith(_ADDED), streams.get(name, name)

    return sorted(tuple(sorted(group, key=place)) for group in groups)


_ADDED = ("actors.", "events.")


def _not_positive_definite(
    names: tuple[str, ...],
    matrix: Array,
    pairs: Mapping[frozenset[str], tuple[float, int]],
    families: Mapping[str, Distribution],
) -> Fault:
    near = nearest_correlation(matrix)
    lines = []
    for pair, (rank, _) in pairs.items():
        if pair <= set(names):
            first, second = sorted(pair)
            scores = float(near[names.index(first), names.index(second)])
            new = rank_correlation(scores, families[first], families[second])
            lines.append(f"  {first} with {second}: {number(round(new, 3))} instead of {number(rank)}")
    index = min(index for pair, (_, index) in pairs.items() if pair <= set(names))
    rule = "these correlations cannot hold together: their matrix is not positive definite."
    return Fault(("correlations", index), rule, "The nearest that can:\n" + "\n".join(lines))

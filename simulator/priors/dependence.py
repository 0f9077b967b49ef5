"""Priors that depend on others: functions through given points, and rank correlations by a Gaussian copula.

A function of another prior is no free dimension: its number in a sample follows from the other's draw in that sample.

Of continuous priors Spearman's rank correlation is 6/pi asin(r/2), r that of their normal scores (Pearson 1907). Values
with a probability of their own tie: all their draws have the middle rank, and the correlation of the ranks is another.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.errors import Fault, Path, near_name, number
from simulator.priors.scales import Scale
from simulator.priors.streams import EDGE
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


_CELLS = 600
_CLOSEST = 0.99999
"""The highest correlation of scores that is used."""


def normal_correlation(rank: Array) -> Array:
    """Turn rank correlations of continuous priors into those of the normal scores: 2 sin(pi rank / 6)."""
    return 2.0 * np.sin(np.pi * rank / 6.0)


@lru_cache(maxsize=512)
def scores_for(rank: float, first: Distribution, second: Distribution) -> tuple[float, float]:
    """Find the correlation of the scores of two priors for a rank correlation, and the rank correlation it gives."""
    scores = score_correlation(rank, first, second)
    return scores, rank_correlation(scores, first, second)


def score_correlation(rank: float, first: Distribution, second: Distribution) -> float:
    """Find the correlation of the scores of two priors that gives their draws a rank correlation.

    +-0.99999 where none gives as much: `rank_correlation` of it is what can be reached.
    """
    start = float(normal_correlation(np.array(rank)))
    if not (_ties(first) or _ties(second)):
        return start
    low, high = (0.0, _CLOSEST) if rank >= 0 else (-_CLOSEST, 0.0)
    at = min(max(start, low), high)
    for _ in range(60):
        off = rank_correlation(at, first, second) - rank
        low, high = (low, at) if off > 0 else (at, high)
        if abs(off) < 1e-9 or high - low < 1e-9:
            break
        slope = (rank_correlation(at + 1e-6, first, second) - rank - off) / 1e-6 if abs(at) < _CLOSEST else 0.0
        step = at - off / slope if slope > 0 else low
        at = step if low < step < high else 0.5 * (low + high)
    return float(np.sign(rank)) * _CLOSEST if _CLOSEST - abs(at) < 1e-8 else at


def rank_correlation(scores: float, first: Distribution, second: Distribution) -> float:
    """Compute Spearman's correlation of two priors whose normal scores have a correlation.

    The mean of the product of ranks: over the ranks of the first, times the mean rank of the second given its score.
    """
    if not (_ties(first) or _ties(second)):
        return 6.0 / math.pi * math.asin(scores / 2.0)
    one, other = _ranks(first, second), _ranks(second, first)
    z = ndtri(one.middle)
    beyond = (scores * z[:, None] - ndtri(other.edges[1:-1])) / np.sqrt(1.0 - min(scores**2, 1.0 - 1e-12))
    given = other.rank[0] + ndtr(beyond) @ np.diff(other.rank)
    return float(one.share @ ((one.rank - 0.5) * (given - 0.5)) / (one.spread * other.spread))


@dataclass(frozen=True, slots=True, eq=False)
class _Ranks:
    """Cells of probability from 0 to 1 that are small, or part of a tie, with the rank of the draws in each."""

    edges: Array
    rank: Array

    @property
    def share(self) -> Array:
        return np.diff(self.edges)

    @property
    def middle(self) -> Array:
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def spread(self) -> float:
        return float(np.sqrt(self.share @ (self.rank - 0.5) ** 2))


@lru_cache(maxsize=512)
def _ranks(family: Distribution, beside: Distribution) -> _Ranks:
    """Lay out the cells of a family, with an end wherever ties end, its own and those of the prior beside it."""
    ties = _ties(family)
    ends = np.array([*ties, *_ties(beside)]).reshape(-1)
    fine = ndtr(np.linspace(-6.0, 6.0, _CELLS - 1))  # evenly over the scores: smooth integrals converge fast so
    edges = np.unique(np.concatenate([[0.0, 1.0], fine, ends, 1.0 - ends]))
    edges = edges[np.append(True, np.diff(edges) > 1e-12)]
    edges[-1] = 1.0
    rank = 0.5 * (edges[1:] + edges[:-1])
    for low, high in ties:
        rank = np.where((rank > low) & (rank < high), 0.5 * (low + high), rank)
    return _Ranks(edges, rank)


@lru_cache(maxsize=512)
def _ties(family: Distribution) -> tuple[tuple[float, float], ...]:
    """Find the stretches of probability over which a prior has one value, from its quantile function as it is drawn.

    What is shorter than a thousandth changes no rank correlation: it adds its third power.
    """
    u = (np.arange(2000) + 0.5) / 2000
    x = family.ppf(u)
    starts = np.flatnonzero(np.append(True, x[1:] != x[:-1]))
    runs = [(first, last - 1) for first, last in pairwise([*starts.tolist(), x.size]) if last - first > 1]
    if not runs:
        return ()
    firsts, lasts = np.array(runs).T
    value = x[firsts]
    before, low = np.where(firsts > 0, u[firsts - 1], EDGE), u[firsts]
    high, after = u[lasts], np.where(lasts < u.size - 1, u[np.minimum(lasts + 1, u.size - 1)], 1.0 - EDGE)
    for _ in range(40):
        middle, upper = 0.5 * (before + low), 0.5 * (high + after)
        inside, within = family.ppf(middle) == value, family.ppf(upper) == value
        before, low = np.where(inside, before, middle), np.where(inside, middle, low)
        high, after = np.where(within, upper, high), np.where(within, after, upper)
    ends = np.clip(np.stack([low, high], axis=1), 0.0, 1.0)
    ends[ends < 2 * EDGE], ends[ends > 1.0 - 2 * EDGE] = 0.0, 1.0
    return tuple((float(start), float(end)) for start, end in ends)

"""Shapley values: the change of a result between two states, shared out among what was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.analysis.sobol import Halves, Parted
from simulator.priors.streams import EDGE
from simulator.units import Array

MOST_EXACT = 8
"""Inputs whose subsets are all evaluated: 2^8 of them."""
EVALUATIONS = 256
SEED = 20_261_122

type Value = Callable[[frozenset[int]], Array]


@dataclass(frozen=True, slots=True)
class ShapleyValues:
    """How a change is shared out: `parts` (input, number) that add up to it; `errors`, `orders` are 0 where exact."""

    parts: Array
    errors: Array
    orders: int


def shapley_values(
    value: Value, *, inputs: int, most_exact: int = MOST_EXACT, orders: int | None = None
) -> ShapleyValues:
    """Share out the change from no input changed to all changed.

    part_i = mean, over all orders in which inputs may be changed one after the other, of what changing i does
    (Shapley 1953). Up to `most_exact` inputs that is a sum over all subsets; above, over random orders, each with its
    reverse, with the standard error sd over the pairs / sqrt(pairs). Either way the parts add up to the whole.

    `value` is a function of a frozenset of inputs, those that are changed, to an array (number,). `orders` is even;
    without it there are as many as take about 256 evaluations, at least 8.
    """
    cached = cache(value)
    if inputs == 0:
        empty = np.zeros((0, cached(frozenset()).size))
        return ShapleyValues(empty, empty.copy(), 0)
    if inputs <= most_exact:
        parts = np.stack([_exact(cached, inputs, one) for one in range(inputs)])
        return ShapleyValues(parts, np.zeros_like(parts), 0)
    pairs = max(4, EVALUATIONS // (2 * max(1, inputs - 1))) if orders is None else max(2, orders // 2)
    return _sampled(cached, inputs, pairs)


def _exact(value: Value, inputs: int, one: int) -> Array:
    others = [other for other in range(inputs) if other != one]
    total = np.zeros_like(value(frozenset()))
    for size in range(inputs):
        weight = factorial(size) * factorial(inputs - size - 1) / factorial(inputs)
        for chosen in combinations(others, size):
            before = frozenset(chosen)
            total = total + weight * (value(before | {one}) - value(before))
    return np.asarray(total)


def _sampled(value: Value, inputs: int, pairs: int) -> ShapleyValues:
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(pairs):
        order = rng.permutation(inputs)
        found.append((_in_order(value, order.tolist()) + _in_order(value, order[::-1].tolist())) / 2)
    each = np.stack(found)
    return ShapleyValues(each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(pairs), 2 * pairs)


def _in_order(value: Value, order: list[int]) -> Array:
    changed: frozenset[int] = frozenset()
    before = value(changed)
    gains = np.empty((len(order), before.size))
    for one in order:
        changed |= {one}
        after = value(changed)
        gains[one] = after - before
        before = after
    return gains


@dataclass(frozen=True, slots=True)
class CorrelatedColumns:
    """Columns whose normal scores are correlated: their numbers, and the correlation matrix of the scores."""

    columns: tuple[int, ...]
    correlation: Array


@dataclass(frozen=True)
class ShapleyPoints:
    """Where a function is evaluated for the Shapley effects of its players.

    The halves `first` and `second` (row, column), in (0, 1), each drawn from the joint distribution and independent of
    one another. Then the first half without each player: what its columns are correlated with goes along, and players
    of one such group are evaluated once. Then the rows with one more player known after the other, along the ranks of
    each row of `order` (row, player), which are independent of the halves.
    """

    first: Array
    second: Array
    order: Array
    players: Sequence[Sequence[int]]
    correlated: Sequence[CorrelatedColumns] = ()

    def __len__(self) -> int:
        return 2 + len(self.apart) + len(self.players) - self.ends_at_first

    @cached_property
    def groups(self) -> list[tuple[int, ...]]:
        """The columns that go with each player."""
        return [
            tuple(
                sorted({*own, *(one for each in self.correlated if {*each.columns} & {*own} for one in each.columns)})
            )
            for own in self.players
        ]

    @cached_property
    def apart(self) -> list[tuple[int, ...]]:
        """The same, each once."""
        return list(dict.fromkeys(self.groups))

    @cached_property
    def ends_at_first(self) -> bool:
        """Whether the first half is what is known in the end."""
        return {*chain.from_iterable(self.players)} == {*range(self.first.shape[1])}

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The players of each row in their order, (row, place)."""
        return np.argsort(self.order, axis=1, kind="stable")

    @cached_property
    def _ranks(self) -> NDArray[np.intp]:
        return np.argsort(self.places, axis=1)

    @cached_property
    def _scores(self) -> list[tuple[Array, Array]]:
        """The normal scores of what is correlated, in both halves."""
        return [(ndtri(self.first[:, each.columns]), ndtri(self.second[:, each.columns])) for each in self.correlated]

    def at(self, place: int) -> Array:
        """Give the points (row, column) of a place."""
        if place < 2:
            return (self.first, self.second)[place]
        if place - 2 < len(self.apart):
            columns = self.apart[place - 2]
            points = self.first.copy()
            points[:, columns] = self.second[:, columns] if list(columns) in map(sorted, self.players) else 0.5
            return points
        return self._known(place - 2 - len(self.apart))

    def _known(self, place: int) -> Array:
        """Draw the rows from the second half given those columns of the first whose players are known by a place."""
        known = np.zeros(self.first.shape, dtype=np.bool_)
        for player, columns in enumerate(self.players):
            known[np.ix_(self._ranks[:, player] <= place, columns)] = True
        result: Array = np.where(known, self.first, self.second)
        for each, (first, second) in zip(self.correlated, self._scores, strict=True):
            here = known[:, each.columns]
            drawn = second + regression(here, each.correlation, first - second)
            result[:, each.columns] = np.where(
                here, self.first[:, each.columns], np.clip(ndtr(drawn), EDGE, 1.0 - EDGE)
            )
        return result


def shapley_effects(values: Iterable[Array], points: ShapleyPoints, *, seed: int) -> Parted:
    """Estimate Shapley effects: each player's part of the variance, fair also where inputs are correlated.

    The effect of player j is the mean, over all orders of the players, of what knowing j adds to the variance
    Var(E[f | known]) that the players before it explain. Each row has an order of its own. Along it one player after
    the other is set to its value x of the first half; those not yet set are drawn given those that are, from the
    second half y (exact, by conditioning the normal scores: y + R (x - y) with the regression R of the drawn on the
    set). With A before and B after player j is set,

        effect of j = E[(f(x) - f(x without j)) (B - A)] / V

    in which "x without j" has the columns that hang together with j in the middle of their range. It has the same
    expectation times A as times B, and so takes away noise only. A player that is correlated with no other is
    swapped with y instead, and counts half: then the noise of all other players drops out, as in `sobol_indices`.

    Parameters
    ----------
    values : iterable of array (row, outcome)
        The function at each of the points, in their order.
    points : ShapleyPoints
        After the copula. Correlated columns are independent of one another, and of all other columns.
    seed : int
        Of the bootstrap over the rows.

    Returns
    -------
    Parted, `shapley`, adding up to 1 over the players
        The bounds hold 90 %.

    Sources
    -------
    Song, Nelson & Staum 2016; Broto, Bachoc & Depecker 2020; Goda 2021, A simple algorithm for global sensitivity
    analysis with Shapley effects.
    """
    left = iter(values)
    halves = Halves.of(next(left), next(left), seed=seed)
    at_first = halves.at_first
    without = dict(zip(points.apart, left, strict=False))
    alone = [len(key) == len(columns) for key, columns in zip(points.groups, points.players, strict=True)]
    terms = np.stack(
        [(0.5 if one else 1.0) * (at_first - without[key]) for key, one in zip(points.groups, alone, strict=True)]
    )
    rows, places = np.arange(len(at_first)), points.places
    before = halves.at_second
    for place in range(len(points.players)):
        after = next(left, at_first)
        terms[places[:, place], rows] *= after - before
        before = after
    return _effects(terms, halves)


def _effects(terms: Array, halves: Halves) -> Parted:
    """Average the terms (player, row, outcome) and make them add up to 1 over the players."""
    sums = halves.weights @ terms
    size = np.abs(sums).sum(axis=0)
    constant = halves.constant | (size == 0.0).any(axis=0)
    shares = sums / np.where(constant, 1.0, halves.variance)
    # What is missing to 1 by chance goes to the players by their size: a player of no effect keeps 0, and where no
    # estimate is negative this is to divide by their sum.
    shares += (1.0 - shares.sum(axis=0)) * np.abs(sums) / np.where(constant, 1.0, size)
    return halves.parted({"shapley": shares}, constant)


def regression(known: NDArray[np.bool_], correlation: Array, scores: Array) -> Array:
    """Predict all normal scores (row, column) of each row from those that are known: E[score | known scores].

    0 where nothing is known. The correlation (column, column) is positive definite.
    """
    result = np.zeros(scores.shape)
    patterns, group = np.unique(known, axis=0, return_inverse=True)
    if len(patterns) > len(scores) // 8:  # so many that one by one takes longer than all at once
        both = known[:, :, None] & known[:, None, :]
        padded = np.where(both, correlation, np.eye(len(correlation)))
        solved = np.linalg.solve(padded, np.where(known, scores, 0.0)[:, :, None])[:, :, 0]
        return np.asarray(np.where(known, solved, 0.0) @ correlation)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(group.reshape(-1) == number)
        if pattern.any():
            slope = np.linalg.solve(correlation[np.ix_(pattern, pattern)], correlation[pattern])
            result[rows] = scores[np.ix_(rows, pattern)] @ slope
    return result

"""Shapley values: the change of a result between two states, shared out among what was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.analysis.sobol import Function, Halves, Parted
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

    Parameters
    ----------
    value : function of a frozenset of inputs (those that are changed) to an array (number,)
    inputs : int
    most_exact : int
    orders : int, optional
        Random orders, an even number; without it as many as take about 256 evaluations, at least 8.
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


def shapley_effects(
    function: Function,
    *,
    first: Array,
    second: Array,
    order: Array,
    players: Sequence[Sequence[int]],
    correlated: Sequence[CorrelatedColumns] = (),
    seed: int,
) -> Parted:
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
    function : from uniform numbers (row, column), after the copula, to outcomes (row, outcome)
    first, second : array (row, column), in (0, 1)
        Two independent halves, each of them drawn from the joint distribution.
    order : array (row, player)
        Numbers whose ranks in a row are the order of the players; independent of the halves.
    players : sequence of sequences of columns
    correlated : sequence of CorrelatedColumns
        Independent of one another, and of all other columns.
    seed : int
        Of the bootstrap over the rows.

    Returns
    -------
    Parted, `shapley`, adding up to 1 over the players
        The bounds hold 90 %. The function is evaluated at 1 + 2 players points for each row, at fewer where players
        are correlated.

    Sources
    -------
    Song, Nelson & Staum 2016; Broto, Bachoc & Depecker 2020; Goda 2021, A simple algorithm for global sensitivity
    analysis with Shapley effects.
    """
    halves = Halves.of(function, first, second, seed=seed)
    at_first = halves.at_first
    terms = _swapped(function, halves, first, second, players, correlated)
    rows, places = np.arange(len(first)), np.argsort(order, axis=1, kind="stable")
    conditional = _Conditional(first, second, correlated)
    known = np.zeros(first.shape, dtype=np.bool_)
    before = halves.at_second
    for place in range(len(players)):
        for player, columns in enumerate(players):
            known[np.ix_(places[:, place] == player, columns)] = True
        last = place == len(players) - 1
        after = at_first if last and known.all() else function(conditional.points(known))
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


def _swapped(
    function: Function,
    halves: Halves,
    first: Array,
    second: Array,
    players: Sequence[Sequence[int]],
    correlated: Sequence[CorrelatedColumns],
) -> Array:
    """Give what the first half loses without each player (player, row, outcome), as much as it counts.

    With a player go the columns that its own are correlated with; players of one such group are evaluated once.
    """
    without: dict[tuple[int, ...], Array] = {}
    terms = []
    for columns in players:
        together = (each.columns for each in correlated if set(each.columns) & set(columns))
        key = tuple(sorted(set(columns).union(*together)))
        alone = len(key) == len(columns)
        if key not in without:
            points = first.copy()
            points[:, key] = second[:, key] if alone else 0.5
            without[key] = function(points)
        terms.append((0.5 if alone else 1.0) * (halves.at_first - without[key]))
    return np.stack(terms)


class _Conditional:
    """The rows of the first half where they are known, drawn given these from the second half where they are not."""

    def __init__(self, first: Array, second: Array, correlated: Sequence[CorrelatedColumns]) -> None:
        self._first, self._second, self._correlated = first, second, correlated
        self._scores = [(ndtri(first[:, each.columns]), ndtri(second[:, each.columns])) for each in correlated]

    def points(self, known: NDArray[np.bool_]) -> Array:
        """Give the rows (row, column)."""
        result: Array = np.where(known, self._first, self._second)
        for each, (first, second) in zip(self._correlated, self._scores, strict=True):
            here = known[:, each.columns]
            drawn = second + regression(here, each.correlation, first - second)
            result[:, each.columns] = np.where(
                here, self._first[:, each.columns], np.clip(ndtr(drawn), EDGE, 1.0 - EDGE)
            )
        return result


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

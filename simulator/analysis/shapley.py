"""Shapley values: the change of a result between two states, shared out among what was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.analysis.sobol import Array as Array_
from simulator.analysis.sobol import Estimate, Function, bootstrap_weights, deciding_rows, estimate, is_constant, spread
from simulator.priors.streams import EDGE
from simulator.units import Array

MOST_EXACT = 8
"""Inputs whose subsets are all evaluated: 2^8 of them."""
EVALUATIONS = 256
SEED = 20_261_122

type Value = Callable[[frozenset[int]], Array]


@dataclass(frozen=True, slots=True)
class Shares:
    """How a change is shared out.

    Parameters
    ----------
    parts : array (input, number); their sum over inputs is the whole change
    errors : array (input, number); 0 where all subsets were evaluated
    orders : int
        Random orders that were averaged; 0 where all subsets were evaluated.
    """

    parts: Array
    errors: Array
    orders: int


def shapley_values(value: Value, *, inputs: int, most_exact: int = MOST_EXACT, orders: int | None = None) -> Shares:
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

    Examples
    --------
    >>> shares = shapley_values(lambda changed: np.array([2.0 * (0 in changed) + 4.0 * (len(changed) == 2)]), inputs=2)
    >>> shares.parts.tolist()
    [[4.0], [2.0]]
    """
    known: dict[frozenset[int], Array] = {}

    def cached(changed: frozenset[int]) -> Array:
        if changed not in known:
            known[changed] = value(changed)
        return known[changed]

    if inputs == 0:
        empty = np.zeros((0, cached(frozenset()).size))
        return Shares(empty, empty.copy(), 0)
    if inputs <= most_exact:
        parts = np.stack([_exact(cached, inputs, one) for one in range(inputs)])
        return Shares(parts, np.zeros_like(parts), 0)
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


def _sampled(value: Value, inputs: int, pairs: int) -> Shares:
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(pairs):
        order = rng.permutation(inputs)
        found.append((_in_order(value, order.tolist()) + _in_order(value, order[::-1].tolist())) / 2)
    each = np.stack(found)
    return Shares(each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(pairs), 2 * pairs)


def _in_order(value: Value, order: list[int]) -> Array:
    changed: frozenset[int] = frozenset()
    before = value(changed)
    gains = {}
    for one in order:
        changed |= {one}
        after = value(changed)
        gains[one] = after - before
        before = after
    return np.stack([gains[one] for one in range(len(order))])


@dataclass(frozen=True, slots=True)
class CorrelatedColumns:
    """Columns whose normal scores are correlated: their numbers, and the correlation matrix of the scores."""

    columns: tuple[int, ...]
    correlation: Array_


@dataclass(frozen=True, slots=True)
class ShapleyEffects:
    """Shapley effects of every outcome.

    `effect` (player, outcome), adding up to 1 over the players, or 0 where the outcome is constant; `variance`
    (outcome,); `constant` (outcome,) says which outcomes do not vary, `deciding` (outcome,) how many rows make up the
    variance.
    """

    effect: Estimate
    variance: Array_
    constant: NDArray[np.bool_]
    deciding: Array_


def shapley_effects(
    function: Function,
    *,
    first: Array_,
    second: Array_,
    order: Array_,
    players: Sequence[Sequence[int]],
    correlated: Sequence[CorrelatedColumns] = (),
    seed: int,
) -> ShapleyEffects:
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
    ShapleyEffects
        The bounds hold 90 %. The function is evaluated at 1 + 2 players points for each row, at fewer where players
        are correlated.

    Sources
    -------
    Song, Nelson & Staum 2016; Broto, Bachoc & Depecker 2020; Goda 2021, A simple algorithm for global sensitivity
    analysis with Shapley effects.

    Examples
    --------
    >>> from simulator.priors.streams import block_uniforms
    >>> numbers = np.stack([
    ...     block_uniforms(name, seed=0, block=0, size=1024, design="latin-hypercube") for name in "abcdef"
    ... ], axis=1)
    >>> found = shapley_effects(
    ...     lambda points: points @ [[1.0], [2.0]], first=numbers[:, :2], second=numbers[:, 2:4], order=numbers[:, 4:],
    ...     players=[[0], [1]], seed=0,
    ... )
    >>> abs(found.effect.value[:, 0] - [0.2, 0.8]).max() < 0.02
    np.True_
    """
    at_first, at_second = function(first), function(second)
    without, scale = _without(function, first, second, players, correlated)
    terms = np.stack([scale[place] * (at_first - without[key]) for place, key in enumerate(_keys(players, correlated))])
    rows, places = np.arange(len(first)), np.argsort(order, axis=1, kind="stable")
    conditional = _Conditional(first, second, correlated)
    known = np.zeros(first.shape, dtype=np.bool_)
    before = at_second
    for place in range(len(players)):
        for player, columns in enumerate(players):
            known[np.ix_(places[:, place] == player, columns)] = True
        last = place == len(players) - 1
        after = at_first if last and known.all() else function(conditional.points(known))
        terms[places[:, place], rows] *= after - before
        before = after
    return _effects(terms, pooled=np.concatenate([at_first, at_second]), seed=seed)


def _effects(terms: Array_, *, pooled: Array_, seed: int) -> ShapleyEffects:
    """Average the terms (player, row, outcome) and make them add up to 1 over the players."""
    weights = bootstrap_weights(terms.shape[1], seed=seed)
    variance = spread(pooled, np.concatenate([weights, weights], axis=1) / 2)
    sums = weights @ terms
    size = np.abs(sums).sum(axis=0)
    constant = is_constant(pooled) | (size == 0.0).any(axis=0)
    shares = sums / np.where(constant, 1.0, variance)
    # What is missing to 1 by chance goes to the players by their size: a player of no effect keeps 0, and where no
    # estimate is negative this is to divide by their sum.
    shares += (1.0 - shares.sum(axis=0)) * np.abs(sums) / np.where(constant, 1.0, size)
    deciding = np.where(constant, 0.0, deciding_rows(pooled))
    effect = estimate(np.moveaxis(np.where(constant, 0.0, shares), 0, 1))
    return ShapleyEffects(effect, np.where(constant, 0.0, variance[0]), constant, deciding)


def _keys(players: Sequence[Sequence[int]], correlated: Sequence[CorrelatedColumns]) -> list[tuple[int, ...]]:
    """Give the columns that hang together with each player: its own, and all of those that they are correlated with."""
    return [
        tuple(sorted(set(columns).union(*(each.columns for each in correlated if set(each.columns) & set(columns)))))
        for columns in players
    ]


def _without(
    function: Function,
    first: Array_,
    second: Array_,
    players: Sequence[Sequence[int]],
    correlated: Sequence[CorrelatedColumns],
) -> tuple[dict[tuple[int, ...], Array_], list[float]]:
    """Evaluate the first half without each player, and say how much the difference counts."""
    keys = _keys(players, correlated)
    result: dict[tuple[int, ...], Array_] = {}
    for columns, key in zip(players, keys, strict=True):
        if key not in result:
            points = first.copy()
            points[:, key] = second[:, key] if len(key) == len(columns) else 0.5
            result[key] = function(points)
    return result, [0.5 if len(key) == len(columns) else 1.0 for columns, key in zip(players, keys, strict=True)]


class _Conditional:
    """The rows of the first half where they are known, drawn given these from the second half where they are not."""

    def __init__(self, first: Array_, second: Array_, correlated: Sequence[CorrelatedColumns]) -> None:
        self._first, self._second, self._correlated = first, second, correlated
        self._scores = [(ndtri(first[:, each.columns]), ndtri(second[:, each.columns])) for each in correlated]

    def points(self, known: NDArray[np.bool_]) -> Array_:
        """Give the rows (row, column)."""
        result: Array_ = np.where(known, self._first, self._second)
        for each, (first, second) in zip(self._correlated, self._scores, strict=True):
            here = known[:, each.columns]
            drawn = second + regression(here, each.correlation, first - second)
            result[:, each.columns] = np.where(
                here, self._first[:, each.columns], np.clip(ndtr(drawn), EDGE, 1.0 - EDGE)
            )
        return result


def regression(known: NDArray[np.bool_], correlation: Array_, scores: Array_) -> Array_:
    """Predict all normal scores of each row from those that are known.

    Parameters
    ----------
    known : array of bool (row, column)
    correlation : array (column, column), positive definite
    scores : array (row, column)
        Read where known.

    Returns
    -------
    array (row, column), E[score | known scores]; 0 where nothing is known

    Examples
    --------
    >>> regression(np.array([[True, False]]), np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([[2.0, 9.0]])).tolist()
    [[2.0, 1.0]]
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

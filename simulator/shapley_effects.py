"""Shapley effects of any function of uniform numbers, some of them joined by a Gaussian copula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.bootstrap import Array, Estimate, bootstrap_weights, deciding_rows, estimate, is_constant, spread
from simulator.sobol_indices import Function
from simulator.streams import EDGE


@dataclass(frozen=True, slots=True)
class CorrelatedColumns:
    """Columns whose normal scores are correlated: their numbers, and the correlation matrix of the scores."""

    columns: tuple[int, ...]
    correlation: Array


@dataclass(frozen=True, slots=True)
class ShapleyEffects:
    """Shapley effects of every outcome.

    `effect` (player, outcome), adding up to 1 over the players, or 0 where the outcome is constant; `variance`
    (outcome,); `constant` (outcome,) says which outcomes do not vary, `deciding` (outcome,) how many rows make up the
    variance.
    """

    effect: Estimate
    variance: Array
    constant: NDArray[np.bool_]
    deciding: Array


def shapley_effects(
    function: Function,
    *,
    first: Array,
    second: Array,
    order: Array,
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
    >>> from simulator.streams import block_uniforms
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


def _effects(terms: Array, *, pooled: Array, seed: int) -> ShapleyEffects:
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
    first: Array,
    second: Array,
    players: Sequence[Sequence[int]],
    correlated: Sequence[CorrelatedColumns],
) -> tuple[dict[tuple[int, ...], Array], list[float]]:
    """Evaluate the first half without each player, and say how much the difference counts."""
    keys = _keys(players, correlated)
    result: dict[tuple[int, ...], Array] = {}
    for columns, key in zip(players, keys, strict=True):
        if key not in result:
            points = first.copy()
            points[:, key] = second[:, key] if len(key) == len(columns) else 0.5
            result[key] = function(points)
    return result, [0.5 if len(key) == len(columns) else 1.0 for columns, key in zip(players, keys, strict=True)]


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

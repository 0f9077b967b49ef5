"""Shapley values: the change of a result between two states, shared out among what was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np

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

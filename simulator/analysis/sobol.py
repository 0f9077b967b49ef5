"""First-order and total Sobol indices of any function of independent uniform numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.priors.streams import block_uniforms

type Array = NDArray[np.float64]

REPLICATES = 400
_STREAM = "sensitivity.bootstrap"


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its standard error and its 90 % bounds, arrays of one shape."""

    value: Array
    error: Array
    lower: Array
    upper: Array


def bootstrap_weights(rows: int, *, seed: int, replicates: int = REPLICATES) -> Array:
    """Draw the weights of rows in the Bayesian bootstrap (Rubin 1981): Dirichlet(1, ..., 1) in each replicate.

    No row has the weight 0, so that what varies over the rows varies in every replicate.

    Parameters
    ----------
    rows : int
    seed : int
    replicates : int

    Returns
    -------
    array (1 + replicates, rows), each line adding up to 1; the first holds equal weights, for the estimate itself

    Examples
    --------
    >>> weights = bootstrap_weights(4, seed=0, replicates=2)
    >>> weights.shape, weights[0].tolist(), weights.sum(axis=1).round(12).tolist()
    ((3, 4), [0.25, 0.25, 0.25, 0.25], [1.0, 1.0, 1.0])
    """
    size = 1 << max(rows - 1, 0).bit_length()
    drawn = np.ones((1 + replicates, rows))
    for number in range(replicates):
        drawn[1 + number] = -np.log(block_uniforms(_STREAM, seed=seed, block=number, size=size, design="random")[:rows])
    result: Array = drawn / drawn.sum(axis=1, keepdims=True)
    return result


def estimate(replicated: Array) -> Estimate:
    """Read an estimate off its replicates: (1 + replicates, ...), the first being the estimate itself.

    Examples
    --------
    >>> estimate(np.array([[0.5], [0.4], [0.6]])).value.tolist()
    [0.5]
    """
    value, repeated = replicated[0], replicated[1:]
    lower, upper = np.quantile(repeated, [0.05, 0.95], axis=0)
    return Estimate(value, repeated.std(axis=0), np.minimum(lower, value), np.maximum(upper, value))


def spread(values: Array, weights: Array) -> Array:
    """Compute the variance of values (row, outcome) under each line of weights: (1 + replicates, outcome).

    Examples
    --------
    >>> values, weights = np.array([[1.0], [3.0]]), np.array([[0.5, 0.5], [1.0, 0.0]])
    >>> spread(values, weights).tolist()  # both alike; the first row alone
    [[1.0], [0.0]]
    """
    shifted = values - values[:1]
    result: Array = np.maximum(weights @ shifted**2 - (weights @ shifted) ** 2, 0.0)
    return result


def deciding_rows(values: Array) -> Array:
    """Count the rows that make up the variance: (sum of d^2)^2 / (sum of d^4), d the distances from the mean.

    The rows of the rarer kind, about, where an outcome is one of two values; two thirds of all rows for a normal one.

    Parameters
    ----------
    values : array (row, outcome)

    Returns
    -------
    array (outcome,), 0 where the outcome does not vary

    Examples
    --------
    >>> deciding_rows(np.repeat([[0.0], [1.0]], [990, 10], axis=0)).round(1).tolist()
    [10.2]
    """
    distances = values - values[:1]
    distances = distances - distances.mean(axis=0)
    largest = np.abs(distances).max(axis=0)
    squares = (distances / np.where(largest > 0.0, largest, 1.0)) ** 2
    result: Array = squares.sum(axis=0) ** 2 / np.maximum((squares**2).sum(axis=0), 1e-300)
    return result


def is_constant(values: Array) -> NDArray[np.bool_]:
    """Tell which outcomes (row, outcome) do not vary, but for the rounding of the arithmetic.

    Examples
    --------
    >>> is_constant(np.array([[0.3, 1.0], [0.1 + 0.2, 2.0]])).tolist()
    [True, False]
    """
    lowest, highest = values.min(axis=0), values.max(axis=0)
    result: NDArray[np.bool_] = highest - lowest <= 1e-12 * np.maximum(np.abs(lowest), np.abs(highest))
    return result


type Function = Callable[[Array], Array]
"""From uniform numbers (row, column) to outcomes (row, outcome), all finite."""


@dataclass(frozen=True, slots=True)
class SobolIndices:
    """Sobol indices of every outcome.

    `first_order` and `total` (input, outcome), 0 where the outcome is constant; `variance` (outcome,);
    `constant` (outcome,) says which outcomes do not vary, `deciding` (outcome,) how many rows make up the variance.
    """

    first_order: Estimate
    total: Estimate
    variance: Array
    constant: NDArray[np.bool_]
    deciding: Array


def sobol_indices(
    function: Function, *, first: Array, second: Array, inputs: Sequence[Sequence[int]], seed: int
) -> SobolIndices:
    """Estimate first-order and total indices by pick-freeze on two independent halves.

    With A and B the halves, AB the half A whose columns of input j come from B, and BA the other way round,

        first-order index  S = E[(f(BA) - f(B)) (f(A) - f(AB))] / (2 V)
        total index        T = E[(f(A) - f(AB))^2 + (f(B) - f(BA))^2] / (4 V)
        variance           V = E[(f(A) - f(B))^2 + (f(BA) - f(AB))^2] / 4

    S is the share of the variance V that is gone when j is known, T the share that is left when all but j are known.
    In a sum of functions of one input each, every other input drops out of both, whatever the rows: the estimate of S
    of Saltelli et al. (2010), E[f(B) (f(AB) - f(A))] / V, keeps the noise of all of them. Both indices of an input
    that alone decides are 1 exactly; an input that the function does not use has both indices 0 exactly.

    Parameters
    ----------
    function : from uniform numbers (row, column) to outcomes (row, outcome)
    first, second : array (row, column), in (0, 1)
        Two independent halves.
    inputs : sequence of sequences of columns
        What is one input: a column, or a group of columns. Columns of no input stay with their half.
    seed : int
        Of the bootstrap over the rows.

    Returns
    -------
    SobolIndices
        The bounds hold 90 %; the function is evaluated at 2 rows (1 + inputs) points.

    Sources
    -------
    Jansen 1999 (T); Azzini, Mara & Rosati 2021, Comparison of two sets of Monte Carlo estimators of Sobol' indices
    (S, V).

    Examples
    --------
    >>> from simulator.priors.streams import block_uniforms
    >>> halves = np.stack([
    ...     block_uniforms(name, seed=0, block=0, size=1024, design="latin-hypercube") for name in "abcd"
    ... ], axis=1)
    >>> def product(points): return (points[:, :1] - 0.5) * (points[:, 1:] + 0.5)
    >>> found = sobol_indices(product, first=halves[:, :2], second=halves[:, 2:], inputs=[[0], [1]], seed=0)
    >>> abs(found.first_order.value[:, 0] - [12 / 13, 0]).max() < 0.05, found.constant.tolist()
    (np.True_, [False])
    """
    at_first, at_second = function(first), function(second)
    pooled = np.concatenate([at_first, at_second])
    weights = bootstrap_weights(len(first), seed=seed)
    variance = spread(pooled, np.concatenate([weights, weights], axis=1) / 2)
    constant = is_constant(pooled)
    deciding = np.where(constant, 0.0, deciding_rows(pooled))
    parts = np.empty((3, len(inputs), *variance.shape))
    apart = weights @ (at_first - at_second) ** 2
    for place, columns in enumerate(inputs):
        mixed, swapped = first.copy(), second.copy()
        mixed[:, columns], swapped[:, columns] = second[:, columns], first[:, columns]
        at_mixed, at_swapped = function(mixed), function(swapped)
        one, other = at_first - at_mixed, at_swapped - at_second
        parts[0, place] = weights @ (one * other) / 2
        parts[1, place] = weights @ (one**2 + other**2) / 4
        parts[2, place] = (apart + weights @ (at_swapped - at_mixed) ** 2) / 4
    divisor = np.where(constant | (parts[2] == 0.0), 1.0, parts[2])
    shares = np.where(constant, 0.0, parts[:2] / divisor)
    first_order, total = (estimate(np.moveaxis(share, 0, 1)) for share in shares)
    return SobolIndices(first_order, total, np.where(constant, 0.0, variance[0]), constant, deciding)

"""Weights by which an estimate over rows is repeated, to tell how far it may be off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.streams import block_uniforms

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

"""First-order and total Sobol indices of any function of independent uniform numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.priors.streams import block_uniforms
from simulator.units import Array

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
    """Draw the weights (1 + replicates, rows) of the Bayesian bootstrap: Dirichlet(1, ..., 1), the first line equal.

    No row has the weight 0, so that what varies over the rows varies in every replicate (Rubin 1981).
    """
    drawn = np.ones((1 + replicates, rows))
    for number in range(replicates):
        drawn[1 + number] = -np.log(block_uniforms(_STREAM, seed=seed, block=number, size=rows, design="random"))
    return np.divide(drawn, drawn.sum(axis=1, keepdims=True))


def estimate(replicated: Array) -> Estimate:
    """Read an estimate off its replicates: (1 + replicates, ...), the first being the estimate itself."""
    value, repeated = replicated[0], replicated[1:]
    lower, upper = np.quantile(repeated, [0.05, 0.95], axis=0)
    return Estimate(value, repeated.std(axis=0), np.minimum(lower, value), np.maximum(upper, value))


def spread(values: Array, weights: Array) -> Array:
    """Compute the variance of values (row, outcome) under each line of weights: (1 + replicates, outcome)."""
    shifted = values - values[:1]
    return np.maximum(weights @ shifted**2 - (weights @ shifted) ** 2, 0.0)


def deciding_rows(values: Array) -> Array:
    """Count the rows that make up the variance: (sum of d^2)^2 / (sum of d^4), d the distances from the mean.

    The rows of the rarer kind, about, where an outcome is one of two values; two thirds of all rows for a normal one;
    0 where the outcome does not vary.
    """
    distances = values - values[:1]
    distances = distances - distances.mean(axis=0)
    largest = np.abs(distances).max(axis=0)
    squares = (distances / np.where(largest > 0.0, largest, 1.0)) ** 2
    return np.divide(squares.sum(axis=0) ** 2, np.maximum((squares**2).sum(axis=0), 1e-300))


def is_constant(values: Array) -> NDArray[np.bool_]:
    """Tell which outcomes (row, outcome) do not vary, but for the rounding of the arithmetic."""
    lowest, highest = values.min(axis=0), values.max(axis=0)
    return np.less_equal(highest - lowest, 1e-12 * np.maximum(np.abs(lowest), np.abs(highest)))


@dataclass(frozen=True, slots=True)
class Parted:
    """The variance of every outcome, parted among inputs: `parts` by name, each (input, outcome).

    Of each outcome also its variance, whether it is constant (all parts are 0), and how many rows make it up.
    """

    parts: Mapping[str, Estimate]
    variance: Array
    constant: NDArray[np.bool_]
    deciding: Array


@dataclass(frozen=True, slots=True)
class Halves:
    """Outcomes (row, outcome) at the two halves, and what is estimated from both of them together."""

    at_first: Array
    at_second: Array
    weights: Array
    variance: Array
    constant: NDArray[np.bool_]

    @classmethod
    def of(cls, at_first: Array, at_second: Array, *, seed: int) -> Halves:
        """Pool the halves; `weights` and `variance` are (1 + replicates, ...)."""
        pooled = np.concatenate([at_first, at_second])
        weights = bootstrap_weights(len(at_first), seed=seed)
        variance = spread(pooled, np.concatenate([weights, weights], axis=1) / 2)
        return cls(at_first, at_second, weights, variance, is_constant(pooled))

    def parted(self, shares: Mapping[str, Array], constant: NDArray[np.bool_]) -> Parted:
        """Read estimates off shares (input, 1 + replicates, outcome) by name; 0 where an outcome is constant."""
        deciding = deciding_rows(np.concatenate([self.at_first, self.at_second]))
        parts = {name: estimate(np.moveaxis(np.where(constant, 0.0, of), 0, 1)) for name, of in shares.items()}
        return Parted(parts, np.where(constant, 0.0, self.variance[0]), constant, np.where(constant, 0.0, deciding))


@dataclass(frozen=True, slots=True)
class SobolPoints:
    """Where a function is evaluated for its Sobol indices.

    The halves `first` and `second` (row, column), in (0, 1), independent of one another; then for each input, a column
    or a group of them, the first half with its columns from the second, and the other way round. Columns of no input
    stay with their half.
    """

    first: Array
    second: Array
    inputs: Sequence[Sequence[int]]

    def __len__(self) -> int:
        return 2 + 2 * len(self.inputs)

    def at(self, place: int) -> Array:
        """Give the points (row, column) of a place."""
        own, other = (self.second, self.first) if place % 2 else (self.first, self.second)
        if place < 2:
            return own
        result, columns = own.copy(), self.inputs[place // 2 - 1]
        result[:, columns] = other[:, columns]
        return result


def sobol_indices(values: Iterable[Array], *, inputs: int, seed: int) -> Parted:
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
    values : iterable of array (row, outcome)
        The function at each of the `SobolPoints`, in their order; one input is held at a time.
    inputs : int
    seed : int
        Of the bootstrap over the rows.

    Returns
    -------
    Parted, `first_order` and `total`
        The bounds hold 90 %.

    Sources
    -------
    Jansen 1999 (T); Azzini, Mara & Rosati 2021, Comparison of two sets of Monte Carlo estimators of Sobol' indices
    (S, V).
    """
    left = iter(values)
    halves = Halves.of(next(left), next(left), seed=seed)
    weights = halves.weights
    parts = np.empty((3, inputs, *halves.variance.shape))
    apart = weights @ (halves.at_first - halves.at_second) ** 2
    for place, (at_mixed, at_swapped) in enumerate(zip(left, left, strict=True)):
        one, other = halves.at_first - at_mixed, at_swapped - halves.at_second
        parts[0, place] = weights @ (one * other) / 2
        parts[1, place] = weights @ (one**2 + other**2) / 4
        parts[2, place] = (apart + weights @ (at_swapped - at_mixed) ** 2) / 4
    divisor = np.where(halves.constant | (parts[2] == 0.0), 1.0, parts[2])
    first_order, total = parts[:2] / divisor
    return halves.parted({"first_order": first_order, "total": total}, halves.constant)

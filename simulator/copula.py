"""Rank correlations between priors, joined by a Gaussian copula."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.errors import Fault, near_name, number
from simulator.schema import Correlation
from simulator.units import Array


@dataclass(frozen=True, slots=True)
class CopulaGroup:
    """Priors that are correlated with one another.

    `names` are sorted; `factor` (n, n) is the lower Cholesky factor of their normal correlation matrix.
    """

    names: tuple[str, ...]
    factor: Array


def normal_correlation(rank: Array) -> Array:
    """Turn rank correlations into those of the normal scores: 2 sin(pi rank / 6) (Pearson 1907).

    Examples
    --------
    >>> float(normal_correlation(np.array(0.5)))
    0.5176...
    """
    return 2.0 * np.sin(np.pi * rank / 6.0)


def nearest_correlation(matrix: Array) -> Array:
    """Find a positive definite correlation matrix near one that is not: negative eigenvalues raised, diagonal rescaled.

    Parameters
    ----------
    matrix : array (n, n), symmetric with a diagonal of 1

    Returns
    -------
    array (n, n), positive definite with a diagonal of 1

    Examples
    --------
    >>> bad = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    >>> bool(np.linalg.eigvalsh(nearest_correlation(bad)).min() > 0)
    True
    """
    values, vectors = np.linalg.eigh(matrix)
    raised = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    scale = 1.0 / np.sqrt(np.diag(raised))
    return np.asarray(raised * np.outer(scale, scale))


def copula_groups(
    correlations: Sequence[Correlation],
    *,
    names: Sequence[str],
    fixed: Collection[str],
    functions: Mapping[str, str] | None = None,
) -> tuple[tuple[CopulaGroup, ...], list[Fault]]:
    """Group the priors that correlations join, directly or through others.

    Parameters
    ----------
    correlations : sequence of Correlation
        Rank correlations between pairs of priors.
    names : sequence of str
        Every prior of the scenario.
    fixed : collection of str
        Those that hold one number, which correlates with nothing.
    functions : mapping of str to str, optional
        Those that are a function of another prior, and that prior: what they correlate with follows from it.

    Returns
    -------
    groups, faults
        No groups where a pair is at fault.

    Examples
    --------
    >>> pair = Correlation(between=("b", "a"), rank=0.5)
    >>> copula_groups([pair], names=["a", "b", "c"], fixed=())[0][0].names
    ('a', 'b')
    """
    pairs: dict[frozenset[str], tuple[float, int]] = {}
    faults: list[Fault] = []
    for index, correlation in enumerate(correlations):
        faults += _pair_faults(index, correlation, names, fixed, functions or {}, pairs)
        pairs[frozenset(correlation.between)] = (correlation.rank, index)
    if faults:
        return (), faults
    groups = []
    for group in _components(list(pairs)):
        matrix = np.eye(len(group))
        for pair, (rank, _) in pairs.items():
            if pair <= set(group):
                i, j = (group.index(name) for name in sorted(pair))
                matrix[i, j] = matrix[j, i] = float(normal_correlation(np.array(rank)))
        try:
            groups.append(CopulaGroup(group, np.linalg.cholesky(matrix)))
        except np.linalg.LinAlgError:
            faults.append(_not_positive_definite(group, matrix, pairs))
    return tuple(groups), faults


def _pair_faults(
    index: int,
    correlation: Correlation,
    names: Sequence[str],
    fixed: Collection[str],
    functions: Mapping[str, str],
    pairs: Mapping[frozenset[str], tuple[float, int]],
) -> list[Fault]:
    faults = []
    for place, name in enumerate(correlation.between):
        path = ("correlations", index, "between", place)
        if name not in names:
            remedy = near_name(name, names) or "Name a prior by its path, for example drivers.spending.start."
            faults.append(Fault(path, f"there is no prior '{name}'.", remedy))
        elif name in fixed:
            faults.append(Fault(path, f"'{name}' is fixed and cannot be correlated.", "Give it an interval."))
        elif name in functions:
            rule = f"'{name}' is a function of another prior and cannot be correlated by itself."
            faults.append(Fault(path, rule, f"Correlate what it is a function of: {functions[name]}."))
    if not faults and len(set(correlation.between)) == 1:
        faults.append(Fault(("correlations", index, "between"), "names one prior twice.", "Name two priors."))
    if not faults and frozenset(correlation.between) in pairs:
        first = pairs[frozenset(correlation.between)][1]
        faults.append(Fault(("correlations", index), f"repeats correlations[{first}].", "Keep one of the two."))
    return faults


def _components(pairs: list[frozenset[str]]) -> list[tuple[str, ...]]:
    """Collect names that are joined, directly or through others; names sorted, groups by first name."""
    groups: list[set[str]] = []
    for pair in pairs:
        touching = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair] + [set(pair).union(*touching)]
    return sorted(tuple(sorted(group)) for group in groups)


def _not_positive_definite(
    names: tuple[str, ...], matrix: Array, pairs: Mapping[frozenset[str], tuple[float, int]]
) -> Fault:
    near = nearest_correlation(matrix)
    lines = []
    for pair, (rank, _) in pairs.items():
        if pair <= set(names):
            first, second = sorted(pair)
            new = 6.0 / math.pi * math.asin(float(near[names.index(first), names.index(second)]) / 2.0)
            lines.append(f"  {first} with {second}: {number(round(new, 3))} instead of {number(rank)}")
    index = min(index for pair, (_, index) in pairs.items() if pair <= set(names))
    rule = "these correlations cannot hold together: their matrix is not positive definite."
    return Fault(("correlations", index), rule, "The nearest that can:\n" + "\n".join(lines))

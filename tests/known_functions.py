"""Functions of uniform numbers whose shares of variance are known."""

from itertools import combinations
from math import comb, pi

import numpy as np
from scipy.special import ndtri

from simulator.priors.streams import block_uniforms

ISHIGAMI_FIRST = (0.31390519, 0.44241114, 0.0)
ISHIGAMI_TOTAL = (0.55758886, 0.44241114, 0.24368366)
ISHIGAMI_SHAPLEY = (0.43574703, 0.44241114, 0.12184183)
G_CONSTANTS = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])


def uniforms(*names, rows, seed=0):
    """Numbers (row, name), keyed by the names."""
    size = 1 << (rows - 1).bit_length()
    drawn = [block_uniforms(name, seed=seed, block=0, size=size, design="latin-hypercube")[:rows] for name in names]
    return np.stack(drawn, axis=1)


def halves(columns, *, rows, seed=0):
    """Two independent halves (row, column), and numbers for the order of as many players."""
    return (
        uniforms(*(f"{half}{column}" for column in range(columns)), rows=rows, seed=seed)
        for half in ("a", "b", "order")
    )


def ishigami(points):
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 over (-pi, pi)^3 (Ishigami & Homma 1990)."""
    x = 2 * pi * points - pi
    return (np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[:, None]


def sobol_g(points):
    """The product of (|4 u - 2| + a) / (1 + a) (Saltelli & Sobol 1995)."""
    return np.prod((np.abs(4 * points - 2) + G_CONSTANTS) / (1 + G_CONSTANTS), axis=1)[:, None]


def sobol_g_shares():
    """First-order, total and Shapley shares of Sobol's G, from the variances of its factors."""
    parts = 1 / (3 * (1 + G_CONSTANTS) ** 2)
    variance = np.prod(1 + parts) - 1
    total = [part * np.prod(1 + np.delete(parts, place)) for place, part in enumerate(parts)]
    shapley = np.zeros(parts.size)
    for size in range(1, parts.size + 1):
        for chosen in combinations(range(parts.size), size):
            shapley[list(chosen)] += np.prod(parts[list(chosen)]) / size
    return parts / variance, np.array(total) / variance, shapley / variance


def linear(slopes):
    """A weighted sum of normal scores."""
    return lambda points: ndtri(points) @ np.array(slopes, dtype=float)[:, None]


def linear_shapley(slopes, correlation, players=None):
    """Shapley effects of a weighted sum of correlated normals, over all coalitions (Owen & Prieur 2017)."""
    slopes, columns = np.array(slopes, dtype=float), players or [[place] for place in range(len(slopes))]

    def explained(coalition):
        known = [column for player in coalition for column in columns[player]]
        if not known:
            return 0.0
        with_all = correlation[known] @ slopes
        return float(with_all @ np.linalg.solve(correlation[np.ix_(known, known)], with_all))

    count = len(columns)
    effects = np.zeros(count)
    for player in range(count):
        others = [other for other in range(count) if other != player]
        for size in range(count):
            for coalition in combinations(others, size):
                gain = explained((*coalition, player)) - explained(coalition)
                effects[player] += gain / (count * comb(count - 1, size))
    return effects / explained(range(count))

"""How much one column of samples says about another: moment-independent index, distances of distributions.

Everything here goes by ranks, so that +inf is the largest value like any other, a change of scale changes nothing, and
the order of the samples does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov, ndtri

from simulator.errors import InputError
from simulator.runs.groups import group, headline_of, is_use
from simulator.runs.table import Table
from simulator.units import Array

if TYPE_CHECKING:
    import xarray as xr

DRAWS_BY_CHANCE = 100
MOST_CLASSES = 24

type Whole = NDArray[np.int64]


def rank_classes(values: Array, count: int) -> Whole:
    """Put values (sample,) into classes of equal size by rank, from 0 to `count` - 1; equal values are in one class."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - counts / 2
    return np.asarray(np.floor(middles * (count / values.size)), dtype=np.int64)[place]


def class_count(samples: int) -> int:
    """Choose a number of classes, 0.55 times the cube root of samples: more add to what chance gives, fewer blur."""
    return int(np.clip(round(0.55 * samples ** (1 / 3)), 5, MOST_CLASSES))


def raw_delta(table: Whole) -> float:
    """Give Borgonovo's delta of a table of counts (class of the input, class of the outcome).

    delta = 1/2 sum over i of p(i) sum over j of |p(j | i) - p(j)|: half the area between the distribution of the
    outcome and that within a class of the input, on average. 0: the outcome does not depend on the input; 1: it is
    given by it. (Borgonovo 2007; from given samples, Plischke, Borgonovo and Smith 2013.)
    """
    total = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    return float(np.abs(table - expected).sum() / (2 * total))


def deltas_by_chance(inputs: Whole, outcomes: Whole, *, draws: int = DRAWS_BY_CHANCE) -> Array:
    """Draw what delta (draw,) an input without any influence would have, given the counts of samples by class."""
    # The table of a random permutation of the samples has a multivariate hypergeometric distribution that depends on
    # the sizes alone; it is drawn with a seed of its own, so that the same sizes give the same numbers.
    rng = np.random.default_rng(20_261_122)
    found = np.empty(draws)
    for draw in range(draws):
        left = outcomes.copy()
        rows = []
        for size in inputs[:-1].tolist():
            rows.append(rng.multivariate_hypergeometric(left, size, method="marginals"))
            left = left - rows[-1]
        found[draw] = raw_delta(np.stack([*rows, left]))
    return found


def table_of(inputs: Whole, outcomes: Whole) -> Whole:
    """Count samples by class of the input and of the outcome; classes without samples are left out."""
    shape = int(inputs.max()) + 1, int(outcomes.max()) + 1
    table = np.bincount(inputs * shape[1] + outcomes, minlength=shape[0] * shape[1]).reshape(shape)
    return table[table.any(axis=1)][:, table.any(axis=0)]


def corrected_delta(raw: float, by_chance: Array) -> tuple[float, float]:
    """Take from delta what chance alone would give: sqrt(raw^2 - mean^2), at least 0.

    Chance and influence add up like the legs of a right angle, since delta is a mean of absolute deviations: of two
    normals with correlations 0.1 to 0.8 in 10,000 samples this leaves the true delta, 0.03 to 0.39, to within 0.01, and
    raw - mean up to 0.04 too little. Beside it stands what 999 in 1,000 inputs without any influence stay below: the
    mean by chance and three standard deviations, corrected likewise.
    """
    mean = float(by_chance.mean())
    least = mean + 3.0 * float(by_chance.std())
    return math.sqrt(max(0.0, raw**2 - mean**2)), math.sqrt(max(0.0, least**2 - mean**2))


def rank_by_chance(samples: int) -> float:
    """Give what |rank correlation| of 999 in 1,000 inputs without any influence stays below, if draws are independent.

    By chance it is normal with the standard deviation 1 / sqrt(samples - 1).
    """
    return float(ndtri(0.9995)) / math.sqrt(samples - 1)


def distance(first: Array, second: Array) -> tuple[float, float]:
    """Give the largest distance of two CDFs (Kolmogorov and Smirnov), and how likely chance makes one as large.

    The probability is for large samples that are independent (Smirnov 1948): for evenly spread ones on the safe side.
    """
    both = np.unique(np.concatenate([first, second]))
    below = [np.searchsorted(np.sort(part), both, side="right") / part.size for part in (first, second)]
    largest = float(np.abs(below[0] - below[1]).max())
    size = first.size * second.size / (first.size + second.size)
    return largest, float(kolmogorov(np.sqrt(size) * largest))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Raise p-values for being the smallest of many (Holm 1979): the chance of one as small among all of them."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(p_values), 0, -1)
    result = np.empty(len(p_values))
    result[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return result.tolist()


MOST_SAMPLES = 65_536
"""Samples that enter; more would change the third decimal."""
FEWEST_SAMPLES = 30
"""A prior that fewer samples have, as in a small part of a mixture, has no correlation worth a number."""


def rank_associations(run: xr.DataTree) -> Table:
    """Correlate priors with the headline in the last year by ranks, the strongest first: an association.

    Columns: `name`, `rank` (Spearman's coefficient, -1 to 1), `samples` (those that have the prior and entered). Priors
    that go with it no more than chance gives are left out: they have no order.
    """
    main = headline_of(group(run, "summary"))
    levels = group(run, "trajectories", of_samples=True)[main].isel(year=-1)
    outcome = np.asarray(levels[:MOST_SAMPLES].values, dtype=np.float64)
    found = [
        {"name": name, "rank": rank, "samples": values.size}
        for name, _, values, present in drawn_priors(run, most=MOST_SAMPLES)
        if abs(rank := spearman(values, outcome[present]) or 0.0) > rank_by_chance(values.size)
    ]
    return Table.of_rows(sorted(found, key=lambda row: (-abs(row["rank"]), row["name"])), ("name", "rank", "samples"))


def drawn_priors(run: xr.DataTree, *, most: int | None = None) -> Iterator[tuple[str, str, Array, NDArray[np.bool_]]]:
    """Give each drawn prior that enough of the first samples have: name, unit, values, and which samples have it."""
    for name, drawn in group(run, "parameters", of_samples=True).isel(sample=slice(0, most)).data_vars.items():
        values = np.asarray(drawn.values, dtype=np.float64)
        present = ~np.isnan(values)  # in a mixture of scenarios not every sample has every prior
        if str(name) != "component" and not is_use(drawn) and present.sum() >= FEWEST_SAMPLES:
            yield str(name), str(drawn.attrs.get("units", "1")), values[present], present


def rank_among(values: Array, ordered: Array) -> Array:
    """Give the share of sorted values that lie below each value, (sample,), and half of those that are the same."""
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2.0 * ordered.size)


def spearman(first: Array, second: Array) -> float | None:
    """Give Spearman's rank correlation of two columns (sample,); None where one of them does not vary."""
    if first.shape != second.shape:
        raise InputError(f"ranks: the columns must be of one length; got {first.size} and {second.size}.")
    a, b = (_ranks(values) for values in (first, second))
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else None


def _ranks(values: Array) -> Array:
    """Give ranks less their mean; ties have the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(middles[place] - (values.size - 1) / 2, dtype=np.float64)

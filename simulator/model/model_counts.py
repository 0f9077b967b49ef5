"""Counts of models by calendar year, from one block of drawn parameters and the physical compute of its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulator.model.chance import Words, numbered_uniforms, sample_keys, stream_keys
from simulator.model.levels import Block
from simulator.schema.goals import Models, absolute_name, counted_at, relative_name
from simulator.schema.prior_names import RUNS_PATH, share_path
from simulator.units import Array

MOST_EXACT = 256
"""Runs expected in a bin up to which they are drawn one by one; above, their numbers are drawn from a normal law."""

_CHUNK = 8


def count_above(
    keys: Words, *, log_total: Array, log_largest: Array, span: Array, gradient: Array, bins: int, log_levels: Array
) -> NDArray[np.int64]:
    """Count the runs of a year at or above levels.

    The share of the compute in runs of at most a size is (size / largest)^gradient. Between the largest run and the
    smallest, `span` OOM below, lie bins of one width in the log; each holds its part of the compute and is filled with
    runs of uniform size until it is used up.

    `keys` (sample,) are those of the year; `log_total` and `log_largest` (sample,) are log10 FLOP of all runs and of
    the largest; `span` in OOM and `gradient`, both (sample,), are above 0; `log_levels` (level, sample) are log10
    FLOP. The result is (level, sample) of whole numbers.

    >>> keys, one = sample_keys(np.array([0.3])), np.ones(1)
    >>> count_above(keys, log_total=27 * one, log_largest=26 * one, span=7 * one, gradient=one, bins=20,
    ...             log_levels=np.array([[25.0], [25.5], [26.0]])).ravel().tolist()
    [24, 14, 0]
    """
    width = span / bins
    result = np.zeros(log_levels.shape, dtype=np.int64)
    lowest = log_levels.min(axis=0)
    floor = 10.0**-width
    with np.errstate(over="ignore"):
        top_share = 10.0 ** (log_total - log_largest) * (1.0 - 10.0 ** (-gradient * width))
        for number in range(bins):
            here = np.flatnonzero(log_largest - number * width > lowest)
            if not here.size:
                break
            top = (log_largest - number * width)[here]
            compute = top_share[here] * 10.0 ** (width * number * (1.0 - gradient))[here]
            cuts = np.clip(10.0 ** (log_levels[:, here] - top), floor[here], 1.0)
            result[:, here] += fill_bin(stream_keys(keys[here], number), compute, floor=floor[here], cuts=cuts)
    return result


def fill_bin(keys: Words, compute: Array, *, floor: Array, cuts: Array) -> NDArray[np.int64]:
    """Fill a bin with runs until its compute is used up, and count those at or above cuts.

    `compute` (sample,) is in units of the largest size of the bin, `floor` (sample,) is the smallest, in (0, 1); `cuts`
    (cut, sample) lie from the floor to 1. The result is (cut, sample) of whole numbers. Where more than 256 runs are
    expected their numbers are drawn from a normal law; see `_many`.

    >>> half = np.array([0.5])
    >>> fill_bin(sample_keys(half), np.array([3.0]), floor=half, cuts=np.array([half, half + 0.5])).ravel().tolist()
    [4, 0]
    """
    expected = 2.0 * compute / (1.0 + floor)
    many = expected > MOST_EXACT
    result = np.zeros(cuts.shape, dtype=np.int64)
    for choice, method in ((~many, _one_by_one), (many, _many)):
        here = np.flatnonzero(choice)
        if here.size:
            result[:, here] = method(keys[here], compute[here], floor[here], cuts[:, here])
    return result


def _one_by_one(keys: Words, compute: Array, floor: Array, cuts: Array) -> NDArray[np.int64]:
    """Draw the runs themselves, a few at a time, for as long as a sample has compute left."""
    result = np.zeros(cuts.shape, dtype=np.int64)
    left, here, first = compute.copy(), np.arange(compute.size), 0
    while here.size:
        low = floor[here, None]
        sizes = low + (1.0 - low) * numbered_uniforms(keys[here], range(first, first + _CHUNK))
        used = np.cumsum(sizes, axis=1)
        drawn = used - sizes < left[here, None]  # the run that uses the compute up is a run
        for place, cut in enumerate(cuts):
            result[place, here] += np.count_nonzero(drawn & (sizes >= cut[here, None]), axis=1)
        left[here] -= used[:, -1]
        here = here[left[here] > 0]
        first += _CHUNK
    return result


def _many(keys: Words, compute: Array, floor: Array, cuts: Array) -> NDArray[np.int64]:
    """Draw the numbers of very many runs from their normal law.

    Sizes X have mean m and variance v. The number of runs N until c is used up has mean c/m + E[X^2]/(2 m^2) and
    variance c v/m^3 (renewal theory, Feller 1971, XI). Given N, their sum is c and E[X^2]/(2 m) more, so that the
    number above a cut has mean p N + (s/v)(sum - N m), with p the share of sizes above it and s their covariance with
    the size, and covariances N (p_j - p_i p_j - s_i s_j/v) between cuts i below j.
    """
    mean, variance = (1.0 + floor) / 2.0, (1.0 - floor) ** 2 / 12.0
    over = (variance + mean**2) / (2.0 * mean)
    normals = ndtri(numbered_uniforms(keys, range(1 + len(cuts)))).T
    runs = np.rint((compute + over) / mean + np.sqrt(compute * variance / mean**3) * normals[0])
    share = (1.0 - cuts) / (1.0 - floor)
    slope = share * ((1.0 + cuts) / 2.0 - mean) / variance  # of the number above a cut in the sum of the sizes
    both = np.minimum(share[:, None], share[None, :]) - share[:, None] * share[None, :]
    both = np.moveaxis(both - slope[:, None] * slope[None, :] * variance, -1, 0) + 1e-9 * np.eye(len(cuts))
    scatter = np.einsum("sij,js->is", np.linalg.cholesky(both), normals[1:]) * np.sqrt(runs)
    above = np.rint(share * runs + slope * (compute + over - runs * mean) + scatter)
    above = np.where(share >= 1.0, runs, np.where(share <= 0.0, 0.0, np.clip(above, 0.0, runs)))
    order = np.argsort(cuts, axis=0)  # whatever is above a cut is above those below it
    ordered = np.minimum.accumulate(np.take_along_axis(above, order, axis=0), axis=0)
    np.put_along_axis(above, order, ordered, axis=0)
    return above.astype(np.int64)


def model_counts(
    models: Models, block: Block, years: Array, *, log_physical: Array, log_frontier: Sequence[Array] = ()
) -> dict[str, Array]:
    """Count the models of each calendar year, and all by its end.

    A point of the years stands for its calendar year, whose largest run (or training compute) is the physical compute
    there. What is known of a year takes the place of what is drawn. `log_frontier`, by year, are the runs of which
    distances are; without them the largest ones here.
    """
    keys = sample_keys(block.draw(RUNS_PATH))
    largest = largest_runs(models, block, years, log_physical=log_physical)
    yearly = [
        _counts_of_year(models, block, int(np.floor(year)), keys=keys, log_physical=log_physical[:, place],
                        largest=largest[place], frontier=(log_frontier or largest)[place])
        for place, year in enumerate(years)
    ]  # fmt: skip
    stacked = np.stack(yearly, axis=-1).astype(np.float64)
    names = [*map(absolute_name, models.above), *map(relative_name, models.within_oom)]
    earlier = [counted_at(models.earlier, level) or 0 for level in models.above] + [0] * len(models.within_oom)
    result: dict[str, Array] = {}
    for name, before, counts in zip(names, earlier, stacked, strict=True):
        result |= {name: before + np.cumsum(counts, axis=1), f"{name}_in_year": counts}
    return result


def largest_runs(models: Models, block: Block, years: Array, *, log_physical: Array) -> list[Array]:
    """Give the largest run of each calendar year, (sample,) or (1,): as known, or of the physical compute there."""
    result = list[Array]()
    for place, year in enumerate(np.floor(years).astype(int).tolist()):
        known, there = models.known.get(str(year)), log_physical[:, place]
        if known is not None and known.largest is not None:
            result.append(np.full(1, np.log10(known.largest)))
        else:
            of_largest = models.physical_compute == "largest-run"
            result.append(there if of_largest else there + block.draw(share_path(models, year)))
    return result


def counts_of_actors(
    models: Sequence[Models | None], blocks: Sequence[Block], years: Array, *, log_physical: Sequence[Array]
) -> list[dict[str, Array]]:
    """Count the models of each actor, those within a distance by that from the largest run of them all."""
    each = [*zip(models, blocks, log_physical, strict=True)]
    largest = [largest_runs(own, block, years, log_physical=level) for own, block, level in each if own is not None]
    frontier = [np.max(np.broadcast_arrays(*runs), axis=0) for runs in zip(*largest, strict=True)]
    return [
        {} if own is None else model_counts(own, block, years, log_physical=level, log_frontier=frontier)
        for own, block, level in each
    ]


def _counts_of_year(
    models: Models, block: Block, year: int, *, keys: NDArray[np.uint64], log_physical: Array, largest: Array,
    frontier: Array,
) -> NDArray[np.int64]:  # fmt: skip
    """Count the models of one calendar year, (level, sample): above each level, then within each distance."""
    known = models.known.get(str(year))
    of_largest = models.physical_compute == "largest-run"
    total = largest - block.draw(share_path(models, year)) if of_largest else log_physical
    levels = [*map(np.log10, models.above), *(frontier - distance for distance in models.within_oom)]

    def per_sample(values: Array) -> Array:
        return np.broadcast_to(values, keys.size)

    result = count_above(
        stream_keys(keys, year),
        log_total=per_sample(total),
        log_largest=per_sample(largest),
        span=per_sample(block.draw(("models", "smallest"))),
        gradient=per_sample(block.draw(("models", "gradient"))),
        bins=models.bins,
        log_levels=np.stack([per_sample(level) for level in levels]),
    )
    for place, level in enumerate(models.above):
        count = None if known is None else counted_at(known.above, level)
        if count is not None:
            result[place] = count
    return result

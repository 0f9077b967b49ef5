"""Counts of models by calendar year, from one block of drawn parameters and the physical compute of its samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.models import Models, absolute_name, counted_at, relative_name
from simulator.quantities import Block
from simulator.run_counts import count_above, sample_keys, stream_keys
from simulator.slots import RUNS_PATH, share_path
from simulator.units import Array


def model_counts(models: Models, block: Block, years: Array, *, log_physical: Array) -> dict[str, Array]:
    """Count the models of each calendar year, and all by its end.

    A point of the years stands for its calendar year, whose largest run (or training compute) is the physical compute
    there. What is known of a year takes the place of what is drawn.

    Parameters
    ----------
    models : Models
    block : Block
    years : array (year,), one in each calendar year
    log_physical : array (sample, year) or (1, year), log10 FLOP

    Returns
    -------
    dict of arrays (sample, year) by name of the variable; whole numbers
    """
    keys = sample_keys(block.draw(RUNS_PATH))
    yearly = [
        _counts_of_year(models, block, int(np.floor(year)), keys=keys, log_physical=log_physical[:, place])
        for place, year in enumerate(years)
    ]
    stacked = np.stack(yearly, axis=-1).astype(np.float64)
    names = [*map(absolute_name, models.above), *map(relative_name, models.within_oom)]
    earlier = [counted_at(models.earlier, level) or 0 for level in models.above] + [0] * len(models.within_oom)
    result: dict[str, Array] = {}
    for name, before, counts in zip(names, earlier, stacked, strict=True):
        result |= {name: before + np.cumsum(counts, axis=1), f"{name}_in_year": counts}
    return result


def _counts_of_year(
    models: Models, block: Block, year: int, *, keys: NDArray[np.uint64], log_physical: Array
) -> NDArray[np.int64]:
    """Count the models of one calendar year, (level, sample): above each level, then within each distance."""
    size = keys.size
    share = block.draw(share_path(models, year))
    of_largest = models.physical_compute == "largest-run"
    known = models.known.get(str(year))
    largest = log_physical if of_largest else log_physical + share
    if known is not None and known.largest is not None:
        largest = np.full(1, np.log10(known.largest))
    total = largest - share if of_largest else log_physical
    levels = [np.full(size, np.log10(level)) for level in models.above]
    levels += [np.broadcast_to(largest - distance, size) for distance in models.within_oom]
    result = count_above(
        stream_keys(keys, year),
        log_total=np.broadcast_to(total, size),
        log_largest=np.broadcast_to(largest, size),
        span=np.broadcast_to(block.draw(("models", "smallest")), size),
        gradient=np.broadcast_to(block.draw(("models", "gradient")), size),
        bins=models.bins,
        log_levels=np.stack(levels),
    )
    for place, level in enumerate(models.above):
        count = None if known is None else counted_at(known.above, level)
        if count is not None:
            result[place] = count
    return result

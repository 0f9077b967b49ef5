"""The times of lags by which variables follow from what they were: where paths may break, what must be known before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.errors import Path
from simulator.model.levels import Block
from simulator.schema.spec import ScenarioSpec
from simulator.schema.uses import lagged
from simulator.units import Array

FOLLOWING: tuple[Path, bytes] = (("own",), b"")
"""What a block knows while the variables that follow from themselves are followed."""

_EXACT = 2.0**30


def followed_lags(block: Block) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Name the variables that follow from themselves, and the paths of the lags by which they do; none in most."""
    return block.found(_lagged_names, block.spec, ())


def _lagged_names(spec: ScenarioSpec, _: Path) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    return lagged(spec)


def ago(path: Path, block: Block) -> Array:
    """Give how long ago a lag looks, in years, (sample,) or (1,); such that sums of lags are exact in any order."""
    return np.asarray(np.round(block.draw((*path, "by")) * _EXACT) / _EXACT)


def times_back(times: Array, block: Block) -> list[Array]:
    """List the times that some are followed from, one lag, two lags, ... before, from the first year on, rising."""
    first = block.spec.years.first

    def step(latest: Array, by: Array) -> Array | None:
        before = latest - by[:, None]
        return np.maximum(before, first) if (before >= first).any() else None

    return sorted(_stepped(times, block, step), key=lambda each: float(each.max()))


def broken_times(block: Block) -> Array | None:
    """Give where the paths of what follows from itself may break, (time, sample), rising; None where nothing does.

    What begins in the first year, with limits, comes again a lag later, and so on. Each stands beside what is before.
    """
    first, last = block.spec.years.first, block.spec.years.last

    def step(latest: Array, by: Array) -> Array | None:
        later = latest + by
        return np.minimum(later, last) if (later <= last).any() else None

    if not followed_lags(block)[1]:
        return None
    after = np.stack(_stepped(np.full(block.size, first), block, step))
    return np.sort(np.concatenate([after, np.nextafter(after[1:], -np.inf)]), axis=0)


def _stepped(times: Array, block: Block, step: Callable[[Array, Array], Array | None]) -> list[Array]:
    """List times and all that steps by lags lead to from them, each once."""
    lags = [ago(path, block) for path in followed_lags(block)[1]]
    found, left = {times.tobytes(): times}, [times]
    while left:
        latest = left.pop()
        for by in lags:
            if (to := step(latest, by)) is not None and to.tobytes() not in found:
                found[to.tobytes()] = to
                left.append(to)
    return [*found.values()]

"""Where paths may break, at lags, jumps and events; and what must be known before what follows from itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model.levels import Block, jumps_of
from simulator.model.windows import breaking_dates
from simulator.schema.prior_names import entries_of
from simulator.schema.quantities import Level
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
    with np.errstate(over="ignore"):  # of a lag beyond all years
        return np.asarray(np.round(block.draw((*path, "by")) * _EXACT) / _EXACT)


def times_back(times: Array, block: Block) -> list[Array]:
    """List the times that some are followed from, one lag, two lags, ... before, from the first year on, rising."""
    first = block.spec.years.first

    def step(latest: Array, by: Array) -> Array | None:
        before = latest - by[:, None]
        return np.maximum(before, first) if (before >= first).any() else None

    return sorted(_stepped(times, block, step), key=lambda each: float(each.max()))


class Breaks(NamedTuple):
    """Where paths of samples may break."""

    samples: NDArray[np.intp]
    """The samples whose paths may fall at once."""
    times: Array
    """When these break, (time, sample), rising: at falls and at rises, and beside each time the one before."""
    rises: tuple[Array, ...]
    """When drivers jump up, each (sample,) of all samples: from there a path may fall before the next year."""


def broken_times(block: Block, size: int, *, turned: bool) -> Breaks:
    """Find the samples, of `size`, whose paths may fall at once, and when; and when drivers jump up.

    What begins in the first year, with limits, comes again a lag later, and so on, where it follows from itself. Events
    on levels and limits break paths, and so do jumps down; if `turned`, as where thresholds are met from above, or
    within quantities, jumps up may too.
    """
    first, last = block.spec.years.first, block.spec.years.last

    def step(latest: Array, by: Array) -> Array | None:
        later = latest + by
        return np.minimum(later, last) if (later <= last).any() else None

    falls: list[Array] = []
    rises: list[Array] = []
    if followed_lags(block)[1]:
        falls += _stepped(np.full(size, first), block, step)
    for path, level in entries_of(Level, block.spec):
        for when, by in jumps_of(level, path, block):
            is_fall = (by < 0.0) | turned | (path[0] != "drivers")
            falls += [np.where((when < last) & is_fall, when, last)]
            rises += [np.broadcast_to(np.where((when < last) & ~is_fall, when, last), size)]
    falls += [np.where(when > first, np.minimum(when, last), last) for when in breaking_dates(block)]
    if not falls:
        return Breaks(np.empty(0, dtype=np.intp), np.empty((0, 0)), ())
    every = np.array([np.broadcast_to(each, size) for each in (*falls, *rises)])
    broken = np.flatnonzero((every[: len(falls)] < last).any(axis=0))
    times = np.sort(every[:, broken], axis=0)
    times = times[: np.count_nonzero((times < last).any(axis=1))]  # those that come in some sample
    return Breaks(broken, np.sort(np.concatenate([times, np.nextafter(times, first)]), axis=0), tuple(rises))


def breaks_between(times: Array, levels: Iterable[tuple[Path, Level]], block: Block, size: int) -> Array:
    """List when levels jump, or events turn or break anything, after the first of some times up to the last.

    (date, sample), rising; +inf where a sample has fewer.
    """
    jumps = [when for path, level in levels for when, _ in jumps_of(level, path, block)]
    dates = [*jumps, *breaking_dates(block, bends=True)]
    every = np.array([np.broadcast_to(each, size) for each in dates]).reshape(-1, size)
    found = np.sort(np.where((every > times[0]) & (every <= times[-1]), every, np.inf), axis=0)
    return np.asarray(found[np.isfinite(found).any(axis=1)])


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

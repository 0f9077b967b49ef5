"""Shares of a stock that add up to 1 in every sample: a rest, a sum to divide by, floors to which others give way.

Within this module shares are plain numbers, (use, sample, time).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, SimulatorError, dotted, number
from simulator.model.failing import inputs_behind
from simulator.model.fine_grid import read_between
from simulator.model.windows import Drawn
from simulator.schema.prior_names import parts_of
from simulator.schema.quantities import Quantity
from simulator.schema.stocks import AllocatedShare, AllocatedUse
from simulator.units import Array
from simulator.wording import percent

type LevelOf = Callable[[Quantity, Path], Array]
"""Gives a quantity at a path, log10."""


def allocated_shares(share: AllocatedShare, path: Path, block: Drawn, times: Array, level_of: LevelOf | None) -> Array:
    """Compute the shares of all uses of the stock that an allocation at a path is of, (use, sample, time), log10.

    They add up to 1 in each sample and at each of the times, (time,), or (sample, 1) of samples at times of their own.
    `share` is one of them, which knows the others; `level_of` gives floors and the stock at these times, log10; for
    nothing where there is no floor. SimulatorError: in some samples nothing is left for the rest, or floors are more
    than the whole.
    """
    uses, rest = share.allocation.uses, share.allocation.rest
    given = {name: _stated((*path, "uses", name), use, block, times) for name, use in uses.items() if name != rest}
    shape = np.broadcast_shapes(np.atleast_2d(times)[:1].shape, *(each.shape for each in given.values()))
    whole = np.sum([np.broadcast_to(each, shape) for each in given.values()], axis=0) + np.zeros(shape)
    if rest is None:
        given = {name: each / whole for name, each in given.items()}
    elif (full := whole >= 1.0).any():
        raise _refused(full, f"the shares leave nothing for {rest}", _ADDS_UP, share, path, block, times)
    else:
        given[rest] = 1.0 - whole
    shares = np.stack([np.broadcast_to(given[name], shape) for name in uses])
    if share.floors and level_of is not None:
        floors = _floors(share, path, level_of)
        if (full := floors.sum(axis=0) >= 1.0).any():
            raise _refused(full, "floors are more than the whole", _NO_MORE, share, path, block, times)
        shares = above_floors(shares, floors)
    return np.log10(shares)


_ADDS_UP = "Narrow or truncate them, or give all a share and write scaled: true: each is divided by their sum."
_NO_MORE = "Write floor: the minimum of what is asked for and of what there is, or narrow what it is made of."


def _stated(path: Path, use: AllocatedUse, block: Drawn, times: Array) -> Array:
    """Give a share that is stated, (sample, time) or (sample, 1): one, or straight between dates."""
    if not (dated := use.dated):
        return np.asarray(10.0 ** block.draw((*path, "share"))[:, None])
    dates = np.array([date for date, _, _ in dated])
    drawn = np.broadcast_arrays(*(10.0 ** block.draw((*path, "shares", key)) for _, key, _ in dated))
    within = np.clip(np.atleast_2d(times), dates[0], dates[-1])
    return read_between(dates, np.stack(drawn, axis=-1), within, np.arange(drawn[0].size))


def _floors(share: AllocatedShare, path: Path, level_of: LevelOf) -> Array:
    """Give the least share that each use has, 0 where it has no floor."""
    *floors, (at, stock) = parts_of(share, path)
    whole = level_of(stock, at)
    with np.errstate(over="ignore"):
        least = {place[3]: 10.0 ** (level_of(floor, place) - whole) for place, floor in floors}
    return np.stack(np.broadcast_arrays(*(least.get(name, np.zeros((1, 1))) for name in share.allocation.uses)))


def above_floors(shares: Array, floors: Array) -> Array:
    """Lift shares to their floors; the others give way in proportion to theirs, (use, ...).

    >>> above_floors(np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.0, 0.0])).round(3)
    array([0.4  , 0.375, 0.225])
    """
    shares, floors = np.broadcast_arrays(shares, floors)
    held = np.zeros(shares.shape, dtype=np.bool_)
    while True:
        left = 1.0 - np.where(held, floors, 0.0).sum(axis=0)
        lifted = np.where(held, floors, shares * (left / np.where(held, 0.0, shares).sum(axis=0)))
        short = ~held & (lifted < floors)
        if not short.any():
            return np.asarray(lifted)
        held |= short


def _refused(
    failed: NDArray[np.bool_], rule: str, remedy: str, share: AllocatedShare, path: Path, block: Drawn, times: Array
) -> SimulatorError:
    samples = failed.any(axis=-1)
    first = float(np.broadcast_to(times, failed.shape)[failed].min())
    behind = inputs_behind(samples, share, path, block)
    often = "all" if samples.all() else percent(float(samples.mean())) + " of the"
    return SimulatorError(
        f"{dotted(path)}: {rule} in {often} samples, first in {number(float(f'{first:.6g}'))}. {behind}{remedy}"
    )

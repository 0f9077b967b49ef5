"""Where paths may break or turn, at lags, jumps, events, bends; and what must be known before what follows itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model.courses import bends_of, least_slope
from simulator.model.levels import Block, jumps_of, rates_of
from simulator.model.lines import Course, chosen
from simulator.model.windows import breaking_dates, falling_growth, recovery_slopes
from simulator.schema.prior_names import entries_of, regimes_of, shock_years, stated_drivers
from simulator.schema.quantities import Factor, Lag, Level, Operation
from simulator.schema.spec import ScenarioSpec
from simulator.schema.stocks import AllocatedShare, Stock
from simulator.schema.uses import lagged, names_in
from simulator.units import Array

FOLLOWING: tuple[Path, bytes] = (("own",), b"")
"""What a block knows while the variables that follow from themselves are followed."""

_EXACT = 2.0**30

_NO = np.zeros(1, dtype=np.bool_)

STILL = 1e-12
"""OOM/year by which what stands still may seem to go."""


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


class Turns(NamedTuple):
    """Where paths of samples may rise and fall."""

    samples: NDArray[np.intp]
    """The samples whose paths may fall."""
    times: Array
    """When these may turn, (time, sample), rising, and when they break, beside the time before; else the last year."""
    falls: Array
    """How steeply they fall between breaks at most, (way, sample), OOM/year."""


def broken_times(block: Block, size: int, *, turned: bool) -> Breaks:
    """Find the samples, of `size`, whose paths may fall at once, and when these break.

    What begins in the first year, with limits, comes again a lag later, and so on, where it follows from itself. Events
    on levels and limits break paths, and so do jumps down; if `turned`, as where thresholds are met from above, or
    within quantities, jumps up may too.
    """
    first, last = block.spec.years.first, block.spec.years.last
    falls, rises = list[Array](), list[Array]()
    if followed_lags(block)[1]:
        falls += _followed(np.full(size, first), block)
    for path, when, by in every_jump(block):
        is_fall = (by < 0.0) | turned | (path[0] != "drivers")
        falls += [np.where((when < last) & is_fall, when, last)]
        rises += [np.where((when < last) & ~is_fall, when, last)]
    falls += [np.where(when > first, np.minimum(when, last), last) for when in breaking_dates(block)]
    if not falls:
        return Breaks(np.empty(0, dtype=np.intp), np.empty((0, 0)))
    every = np.array([np.broadcast_to(each, size) for each in (*falls, *rises)])
    broken = np.flatnonzero((every[: len(falls)] < last).any(axis=0))
    times = np.sort(every[:, broken], axis=0)
    times = times[: np.count_nonzero((times < last).any(axis=1))]  # those that come in some sample
    return Breaks(broken, np.sort(np.concatenate([times, np.nextafter(times, first)]), axis=0))


def every_jump(block: Block) -> list[tuple[Path, Array, Array]]:
    """List the jumps of all levels: the path of the level, when, and by how much, each (sample,) or (1,)."""
    jumping = [(path, level) for path, level in entries_of(Level, block.spec) if level.jumps is not None]
    return [(path, when, by) for path, level in jumping for when, by in jumps_of(level, path, block)]


class Part(NamedTuple):
    """One of what crosses is the sum of: a variable, its course where it has one, and whether it counts from above."""

    name: str
    course: Course | None
    turned: bool


def turning_times(block: Block, ways: Sequence[Sequence[Part]], size: int) -> Turns:
    """Find the samples, of `size`, whose paths may fall in one of the `ways`, how steeply, and when they may turn.

    Of what has no course what a scenario says is looked at. Where one course goes below another is not listed.
    """
    first, last = block.spec.years.first, block.spec.years.last
    falls = []
    for way in ways:
        least = least_slope([(course, turned) for _, course, turned in way if course is not None], block)
        may_fall = (_levels_fall(part, block) for part in way if part.course is None)
        falls.append(np.where(reduce(np.logical_or, may_fall, _NO), np.inf, np.where(least < -STILL, -least, 0.0)))
    samples = np.flatnonzero(np.broadcast_to(reduce(np.logical_or, (fall > 0.0 for fall in falls), _NO), size))
    if not samples.size:
        return Turns(samples, np.empty((0, 0)), np.empty((len(ways), 0)))
    turns = [*breaking_dates(block, bends=True)]
    courses = [part.course for way in ways for part in way]
    turns += bends_of(course for course in courses if course is not None)
    turns += _level_turns(block) if None in courses else []
    breaks = [when for _, when, _ in every_jump(block)]
    breaks += breaking_dates(block)
    if followed_lags(block)[1]:
        every = [np.full(size, first), *(np.broadcast_to(date, size) for date in (*turns, *breaks))]
        breaks += [when for date in every for when in _followed(date, block)]
    times = [np.broadcast_to(date, size)[samples] for date in (*turns, *breaks)]
    times += [np.nextafter(when, first) for when in times[len(turns) :]]
    dates = np.array(times).reshape(-1, samples.size)
    dates = np.sort(np.where((dates > first) & (dates < last), dates, last), axis=0)
    dates[1:] = np.where(dates[1:] > dates[:-1], dates[1:], last)  # of several on one day one counts
    dates.sort(axis=0)
    return Turns(
        samples,
        dates[(dates < last).any(axis=1)],
        np.array([np.broadcast_to(chosen(fall, samples), samples.size) for fall in falls]),
    )


def _levels_fall(part: Part, block: Block) -> NDArray[np.bool_]:
    """Tell in which samples a variable without a course may fall, (sample,) or (1,), between breaks.

    One that is made of others by name may where anything does that the scenario says.
    """
    return reduce(np.logical_or, _falling_levels(part, block), _NO)


def _falling_levels(part: Part, block: Block) -> Iterator[NDArray[np.bool_]]:
    spec = block.spec
    driver, path = stated_drivers(spec).get(part.name), ("drivers", part.name)
    whole = driver is None or part.name in spec.fed or any(names_in(driver))
    within, at = (spec, ()) if whole or driver is None else (driver, path)
    each = [operation for _, operation in entries_of(Operation, within, at)]
    lowers = any(getattr(operation, key) is not None for operation in each for key in _LOWERING)
    moves = any(isinstance(share, AllocatedShare) and not share.is_constant for share in each)
    by_law = any(other.law is not None for other in stated_drivers(spec).values())
    yield np.full(1, part.turned or lowers or moves or (by_law and whole))
    for entry, level in entries_of(Level, within, at):
        custom = level.custom if isinstance(level, Factor) else None
        by_chance = (level.table, level.drift, level.volatility, custom)
        yield np.full(1, (isinstance(level, Stock) and level.adds_up) or any(found is not None for found in by_chance))
        yield from ((when < spec.years.last) & (by < 0.0) for when, by in jumps_of(level, entry, block))
        yield from (rate < 0.0 if isinstance(rate, np.ndarray) else ~_NO for rate in rates_of(level, entry, block))
        for place, regime in block.found(regimes_of, level, entry):
            if regime.towards is not None:
                yield block.draw((*place, "towards")) < 0.0
    yield from falling_growth(block)
    yield from (slope != 0.0 for each in block.touched for slope in recovery_slopes(each, block))


_LOWERING = ("ratio", "difference", "power", "lowest", "accumulation")
"""Operations that may go down while what they are made of goes up."""


def _level_turns(block: Block) -> list[Array]:
    """List when levels turn, of all of a scenario: where regimes begin and tables turn; and lags after that."""
    turns, shocks = list[Array](), list[Array]()
    for path, level in entries_of(Level, block.spec):
        turns += [block.draw((*at, "from")) for at, _ in block.found(regimes_of, level, path)[1:]]
        turns += [np.full(1, year) for year, _ in level.points]
        if level.drift is not None or level.volatility is not None:
            shocks += [np.full(1, float(year)) for year in shock_years(level, block.spec.years)]
    for _, share in entries_of(AllocatedShare, block.spec):
        turns += [np.full(1, year) for use in share.allocation.uses.values() for year, _, _ in use.dated]
    lags = [ago(path, block) for path, _ in entries_of(Lag, block.spec)]
    return turns + [date + by for by in lags for date in (*turns, *shocks)]


def breaks_between(times: Array, levels: Iterable[tuple[Path, Level]], block: Block, size: int) -> Array:
    """List when levels jump, or events turn or break anything, after the first of some times up to the last.

    (date, sample), rising; +inf where a sample has fewer.
    """
    jumps = [when for path, level in levels for when, _ in jumps_of(level, path, block)]
    dates = [*jumps, *breaking_dates(block, bends=True)]
    every = np.array([np.broadcast_to(each, size) for each in dates]).reshape(-1, size)
    found = np.sort(np.where((every > times[0]) & (every <= times[-1]), every, np.inf), axis=0)
    return np.asarray(found[np.isfinite(found).any(axis=1)])


def _followed(times: Array, block: Block) -> list[Array]:
    """List times and all that come lags later, up to the last year, where something follows from itself."""
    last = block.spec.years.last

    def step(latest: Array, by: Array) -> Array | None:
        later = latest + by
        return np.minimum(later, last) if (later <= last).any() else None

    return _stepped(times, block, step)


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

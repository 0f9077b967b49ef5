"""Where paths may break or turn, at lags, jumps, events, bends; and what must be known before what follows itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import chain
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model.crossings import CLOSE, TOUCH, Numbers, Sought, first_met, highest, near_dates, of_each, where
from simulator.model.levels import Block, jumps_of, rates_of
from simulator.model.lines import Bent, Changed, Course, Joined, Line, Named, chosen
from simulator.model.windows import breaking_dates, falling_growth, recovery_slopes
from simulator.schema.prior_names import entries_of, regimes_of, shock_years, stated_drivers
from simulator.schema.quantities import Factor, Lag, Level, Operation
from simulator.schema.spec import ScenarioSpec
from simulator.schema.stocks import AllocatedShare, Stock
from simulator.schema.uses import lagged, names_in
from simulator.units import Array

STEPS = 1 << 15
"""Steps in which turns are looked for at once."""

BESIDE = 1e-6
"""The part of a stretch between turns at which it is looked which way a path goes at its ends."""

LEVEL = 1e-12
"""OOM by which a path that stands still may seem to go."""

FOLLOWING: tuple[Path, bytes] = (("own",), b"")
"""What a block knows while the variables that follow from themselves are followed."""

_EXACT = 2.0**30

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
    for path, level in entries_of(Level, block.spec):
        for when, by in jumps_of(level, path, block):
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
        slopes = [_slope(course, turned, block) for _, course, turned in way if course is not None]
        least = _summed(slopes).least if slopes else _NONE
        may_fall = (_levels_fall(part, block) for part in way if part.course is None)
        falls.append(np.where(reduce(np.logical_or, may_fall, _NO), np.inf, np.where(least < -STILL, -least, 0.0)))
    samples = np.flatnonzero(np.broadcast_to(reduce(np.logical_or, (fall > 0.0 for fall in falls), _NO), size))
    if not samples.size:
        return Turns(samples, np.empty((0, 0)), np.empty((len(ways), 0)))
    turns = [*breaking_dates(block, bends=True)]
    courses = [part.course for way in ways for part in way]
    turns += [date for course in courses if course is not None for date in _bends(course, block)]
    turns += _level_turns(block) if None in courses else []
    jumping = [(path, level) for path, level in entries_of(Level, block.spec) if level.jumps is not None]
    breaks = [when for path, level in jumping for when, _ in jumps_of(level, path, block)]
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


class _Slope(NamedTuple):
    """Between which slopes a course goes in a run, but where it breaks, OOM/year, each (sample,) or (1,)."""

    least: Array
    most: Array

    def turned(self) -> _Slope:
        """Turn it upside down."""
        return _Slope(-self.most, -self.least)


_NO, _NONE = np.zeros(1, dtype=np.bool_), np.zeros(1)


def _slope(course: Course, is_turned: bool, block: Block) -> _Slope:
    """Tell how steep a course is, or one turned upside down: as what it is made of lets it be."""
    if is_turned:
        return _slope(course, False, block).turned()
    match course:
        case Line():
            return _line_slope(course)
        case Named():
            key = ("slope", *course.path), b""
            if key not in block.known:
                block.known[key] = _slope(course.course, False, block)
            return cast("_Slope", block.known[key])
        case Changed():
            back = [
                _between([_Slope(_NONE, _NONE), _Slope(each, each)]) for each in recovery_slopes(course.path, block)
            ]
            return _summed([_slope(course.course, False, block), *back])
        case Joined():
            turned = (course.how == "ratio" and place > 0 for place in range(len(course.parts)))
            parts = [_slope(*part, block) for part in zip(course.parts, turned, strict=True)]
            return _summed(parts) if course.how in ("product", "ratio") else _between(parts)
    parts = [_slope(part, False, block) for part in (course.demanded, *(limit for _, limit in course.limits.values()))]
    least, most = _between(parts)
    if any(kind not in _BETWEEN for kind, _ in course.limits.values()):
        return _Slope(np.where(least < 0.0, -np.inf, 0.0), np.where(most > 0.0, np.inf, 0.0))
    return _Slope(least, most)


_BETWEEN = frozenset({"hard", "exponential", "logistic", "gompertz"})
"""Laws by which a level is never steeper than both what is demanded and the limit: each is a mean of these slopes."""


def _line_slope(line: Line) -> _Slope:
    if line.slope is None:
        return _Slope(_NONE, _NONE)
    rates, bends = [line.slope], line.bends
    if len(bends) == 1:
        rates.append(rates[0] + bends[0][1])
    else:
        rates += [reduce(np.add, (np.where(date <= at, by, 0.0) for date, by in bends), rates[0]) for at, _ in bends]
    return _between([_Slope(rate, rate) for rate in rates])


def _summed(parts: Sequence[_Slope]) -> _Slope:
    least, most = (reduce(np.add, each) for each in zip(*parts, strict=True))
    return _Slope(least, most)


def _between(parts: Sequence[_Slope]) -> _Slope:
    least, most = zip(*parts, strict=True)
    return _Slope(reduce(np.minimum, least), reduce(np.maximum, most))


def _bends(course: Course, block: Block) -> Iterator[Array]:
    """List the dates on which lines bend that a course is made of."""
    match course:
        case Line():
            yield from (date for date, _ in course.bends)
        case Named() | Changed():
            yield from _bends(course.course, block)
        case Joined():
            yield from chain.from_iterable(_bends(part, block) for part in course.parts)
        case Bent():
            limits = (limit for _, limit in course.limits.values())
            yield from chain.from_iterable(_bends(part, block) for part in (course.demanded, *limits))


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


def crossings_at_turns(sought: Sought, year: Array, rows: Array, turns: Turns) -> None:
    """Note what paths meet otherwise than `path_crossings` says, which gave the crossings: in steps in which they turn.

    All is of the samples that may fall. Paths turn on dates, and once from rising to falling between two. One that is
    at its threshold on a date, or where it turns, met it since the date before. It is looked for where a step has
    dates, or ends so little below a threshold that the path may have fallen from it.
    """
    met, (first, last) = sought.goals - TOUCH, year[[0, -1]]
    place, sample = where((turns.times > first) & (turns.times < last))
    date, before = turns.times[place, sample], turns.times[np.maximum(place - 1, 0), sample]
    step, is_break = np.searchsorted(year, date, side="right") - 1, np.nextafter(before, last) == date
    turning, breaking = (np.zeros((year.size - 1, sought.goals.shape[1]), dtype=np.bool_) for _ in range(2))
    turning[step, sample] = True
    breaking[step[is_break], sample[is_break]] = True
    with np.errstate(invalid="ignore"):  # of levels that are not finite
        most = rows[:, 1:] + turns.falls[:, None] * np.diff(year)[:, None]
    earlier = np.maximum.accumulate(rows, axis=1)[:, :-1]
    looked = np.zeros(most.shape, dtype=np.bool_)
    for way, goal in zip(sought.of, met, strict=True):
        is_near = ((rows[way, 1:] < goal) | turning) & (most[way] >= goal)
        looked[way] |= (earlier[way] < goal) & (is_near | breaking)
    way, step, sample = where(looked & (turns.falls[:, None] > 0.0))
    for begin in range(0, way.size, STEPS):
        part = slice(begin, begin + STEPS)
        _cross_in_steps(sought, year, rows, turns, (way[part], step[part], sample[part]))


def _cross_in_steps(
    sought: Sought, year: Array, rows: Array, turns: Turns, of: tuple[Numbers, Numbers, Numbers]
) -> None:
    """Look for crossings in steps: the way that crosses, the number of the step and the sample of each."""
    at, met = sought.at, sought.goals - TOUCH
    way, step, sample = of
    start, end = year[step], year[step + 1]
    times = np.vstack([start, np.clip(turns.times[:, sample], start, end), end])
    inside = (times > start) & (times < end)
    kept = inside.any(axis=1)
    kept[[0, -1]] = True
    times, inside = times[kept], inside[kept]
    levels = np.where(times < end, rows[way, step, sample], rows[way, step + 1, sample])
    _, column = here = where(inside)
    levels[here] = at(way[column], sample[column], times[here])

    own = [np.flatnonzero(way == each) for each in sought.of]
    places = [first_met(levels[:, each], goal[sample[each]]) for each, goal in zip(own, met, strict=True)]
    column, place = np.concatenate(own), np.concatenate(places)
    threshold = np.repeat(np.arange(len(own)), [each.size for each in own])
    is_met = (place > 0) & (place < len(times))
    column, place, threshold = column[is_met], place[is_met], threshold[is_met]
    which, low, high = sample[column], levels[place - 1, column], levels[place, column]
    begin, until, known = times[place - 1, column], times[place, column], sought.crossing[threshold, which]
    # A path that falls and comes back is no straight line, though it may look like one from the years beside it.
    doubted = np.flatnonzero((known > start[column]) & (known < until) & (known != begin))
    short = met[threshold, which][doubted] - at(way[column[doubted]], which[doubted], known[doubted])
    wrong = doubted[short > CLOSE * np.minimum(high - low, 1.0)[doubted]]
    known[wrong] = sought.crossing[threshold[wrong], which[wrong]] = np.inf
    late = known > until + near_dates(year)
    sought.meet(threshold[late], which[late], begin[late], low[late], until[late], high[late])
    _meet_at_corners(sought, _Stretches(way, sample, turns.falls[way, sample], times, levels))


class _Stretches(NamedTuple):
    """Stretches of paths: the quantity and the sample of each, (n,), the most by which it falls, in OOM a year."""

    quantity: Numbers
    sample: Numbers
    falls: Array
    times: Array
    """Between which it turns once from rising to falling at most, (time, n), rising."""
    levels: Array


def _meet_at_corners(sought: Sought, of: _Stretches) -> None:
    """Note when paths meet thresholds before corners between the times of stretches, at which they do not.

    One that rises after a time and falls up to the next has turned: where the lines along its ends meet, if it is
    straight on both sides; else the highest that it comes to is sought.
    """
    (times, levels), at, met = of[3:], sought.at, sought.goals - TOUCH
    least = np.full((len(times) - 1, times.shape[1]), np.inf)
    for quantity, goal, crossing in zip(sought.of, met, sought.crossing, strict=True):
        is_open = (of.quantity == quantity) & (crossing[of.sample] >= times[1:])
        np.minimum(least, np.where(is_open, goal[of.sample], np.inf), out=least)
    spans, is_known = np.diff(times, axis=0), np.isfinite(levels[1:]) & np.isfinite(levels[:-1])
    with np.errstate(invalid="ignore"):  # of levels that are not finite
        most = levels[1:] + of.falls * spans
    place, which = where(is_known & (spans > BESIDE) & (least < np.inf) & (most >= least))
    gains = list[Array]()
    for side, inwards in ((1, -BESIDE), (0, BESIDE)):
        time = times[place + side, which] + inwards * spans[place, which]
        gain = at(of.quantity[which], of.sample[which], time) - levels[place + side, which]
        higher = gain > LEVEL
        place, which = place[higher], which[higher]
        gains = [each[higher] for each in (*gains, gain / BESIDE)]
    if not which.size:
        return
    low, high = levels[place, which], levels[place + 1, which]
    share = np.clip((high - low + gains[0]) / (gains[0] + gains[1]), 0.0, 1.0)
    top, beside = low + share * gains[1], np.maximum(low, high)
    near = beside + 2.0 * (top - beside) >= least[place, which]
    place, which = place[near], which[near]
    low, top, share = (each[near] for each in (low, top, share))
    quantity, sample, start, span = of.quantity[which], of.sample[which], times[place, which], spans[place, which]
    time = start + share * span
    height = at(quantity, sample, time)
    bent = np.flatnonzero(height < top - TOUCH)
    path = partial(of_each, at, quantity[bent], sample[bent])
    found = highest(path, start[bent], times[place + 1, which][bent], least[place, which][bent])
    time[bent], height[bent] = found
    is_met = (sought.of[:, None] == quantity) & (met[:, sample] <= height) & (sought.crossing[:, sample] > time)
    threshold, each = where(is_met)
    sought.meet(threshold, sample[each], start[each], low[each], time[each], height[each])

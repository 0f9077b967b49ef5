"""When the paths of a block of samples meet the thresholds of their scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError, dotted
from simulator.model.breaks import Part, Turns, broken_times, every_jump, followed_lags, turning_times
from simulator.model.crossings import (
    CLOSE,
    TOUCH,
    At,
    Brackets,
    Crossed,
    Numbers,
    Sought,
    broken_crossings,
    date_jumps,
    first_met,
    highest,
    near_dates,
    of_each,
    path_crossings,
    where,
)
from simulator.model.projection import Paths, Projection
from simulator.model.windows import suspended
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.subjects import Stand
from simulator.units import Array
from simulator.variables import snake
from simulator.wording import percent

STEPS = 1 << 15
"""Steps in which turns are looked for at once."""

BESIDE = 1e-6
"""The part of a stretch between turns at which it is looked which way a path goes at its ends."""

LEVEL = 1e-12
"""OOM by which a path that stands still may seem to go."""


def _threshold_level(of: Projection, name: str, draws: Mapping[str, Array], rows: Mapping[str, Array]) -> Array:
    """Compute the level of a threshold in each sample, (sample,) or (1,); of one that moves, how many times that."""
    threshold, quantity = of.spec.thresholds[name], of.stands[name].quantity
    if threshold.stated is not None:
        key, level = threshold.stated
        return draws[dotted(("thresholds", name, key))] if isinstance(level, Prior) else np.zeros(1)
    from_start = threshold.of == "start"
    base = rows[quantity][0] if from_start else _threshold_level(of, str(threshold.of), draws, rows)
    multiple = draws[dotted(("thresholds", name, "multiple"))]
    return np.asarray(base * 10.0**multiple if quantity == "capability" else base + multiple)


@dataclass(frozen=True, slots=True)
class _Path:
    """What crosses: a quantity, above a threshold that moves (empty: none does), and whether it is met from above.

    It does not while one of some events lasts.
    """

    quantity: str
    against: str
    falls: bool
    events: tuple[str, ...]


def _path_of(name: str, stand: Stand, paths: Paths) -> _Path:
    against = f"moving_threshold_{snake(stand.root)}"
    events = tuple(touch.event for touch in paths.block.touched.get(("thresholds", name), ()))
    return _Path(stand.quantity, against if against in paths.projection.moving else "", stand.falls, events)


def cross_block(spec: ScenarioSpec, draws: Mapping[str, Array], paths: Paths, *, years: Array, size: int) -> Crossed:
    """Find the crossings of every declared threshold in a block of `size` samples: as `meet_block`, after delays."""
    return delayed(spec, draws, meet_block(spec, draws, paths, years=years, size=size), years=years)


def meet_block(spec: ScenarioSpec, draws: Mapping[str, Array], paths: Paths, *, years: Array, size: int) -> Crossed:
    """Find when paths meet every declared threshold in a block of `size` samples, without its delay.

    The year, whether the first year meets the threshold, and the level in the quantity's own scale, each (threshold,
    sample); that of a threshold that moves is its level when it is crossed, or in the last year. SimulatorError: a path
    that a threshold stands on is not a number somewhere.
    """
    crossed = {name: _path_of(name, stand, paths) for name, stand in paths.projection.stands.items()}
    ways = list(dict.fromkeys(crossed.values()))
    names = sorted({name for way in ways for name in (way.quantity, way.against) if name})
    rows = {name: np.broadcast_to(paths.levels[name].T, (years.size, size)) for name in names}
    for name, values in rows.items():
        if np.isnan(values.min()):  # a minimum is NaN where any value is
            share = percent(float(np.isnan(values).any(axis=0).mean()))
            raise SimulatorError(
                f"{name}: is not a number in {share} of the samples. Check the priors that it is made of."
            )
    result = room_for_crossings(len(crossed), size)
    height = result["threshold_level"]
    for place, (name, threshold) in enumerate(spec.thresholds.items()):
        past = (threshold.within_oom or 0.0) * (-1.0 if crossed[name].falls else 1.0)
        height[place] = _threshold_level(paths.projection, name, draws, rows) + past
    if not crossed:
        return result
    of = np.array([ways.index(way) for way in crossed.values()])
    sign = np.array([-1.0 if way.falls else 1.0 for way in ways])
    quantity = np.array([names.index(way.quantity) for way in ways])
    against = np.array([names.index(way.against) if way.against else -1 for way in ways])

    def at(way: Numbers, sample: Numbers, time: Array) -> Array:
        level = paths.at(names, quantity[way], sample, time)
        if (moving := np.flatnonzero(against[way] >= 0)).size:
            level[moving] -= paths.at(names, against[way[moving]], sample[moving], time[moving])
        level = sign[way] * level
        for number, each in enumerate(ways):
            if each.events and (here := np.flatnonzero(way == number)).size:
                out = suspended(each.events, paths.block, time[here], sample[here])
                level[here[out]] = -np.inf
        return level

    falls = sign[of] < 0.0
    turned = height
    if falls.any():  # +inf is never met, from neither side
        turned = np.where(falls[:, None] & (height < np.inf), -height, height)
    levels = [rows[way.quantity] - rows[way.against] if way.against else rows[way.quantity] for way in ways]
    levels = [-level if way.falls else level for way, level in zip(ways, levels, strict=True)]
    for number, way in enumerate(ways):
        if way.events:
            out = suspended(way.events, paths.block, np.broadcast_to(years[:, None], levels[number].shape))
            levels[number] = np.where(out, -np.inf, levels[number])
    signed = np.stack(levels) if len(ways) > 1 else levels[0][None]
    crossing, already = _on_paths(paths, at, signed, turned, of, ways=ways)
    if paths.block.met is not None:
        crossing = np.where(np.isfinite(paths.block.met), paths.block.met, crossing)
    for place, (name, threshold) in enumerate(spec.thresholds.items()):
        if threshold.reading == "calendar":
            crossing[place] = np.append(years, np.inf)[first_met(signed[of[place]], turned[place] - TOUCH)]
        if crossed[name].against:
            when, moves = np.minimum(crossing[place], years[-1]), np.full(size, against[of[place]])
            height[place] += paths.at(names, moves, np.arange(size), when)
    return result | {"crossing_year": crossing, "already_above": already.astype(np.int8)}


def _on_paths(
    paths: Paths, at: At, rows: Array, goals: Array, of: Numbers, *, ways: Sequence[_Path]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find the first crossings of paths, those of samples that may break at other times between these."""
    years, jumps, size = paths.projection.years, paths.projection.has_jumps, goals.shape[1]
    broken, breaks = broken_times(paths.block, size, turned=any(way.falls for way in ways))
    follows = jumps or bool(followed_lags(paths.block)[1])
    turns = turning_times(paths.block, [_parts(way, paths) for way in ways], size)
    for way, fall in zip(ways, turns.falls, strict=True):
        if way.quantity == "capability":  # what compute may fall by bounds no metric
            fall[fall > 0.0] = np.inf

    def turned(sought: Sought) -> Brackets:
        """Look at the samples that may fall."""
        some = turns.samples
        goal, crossing = (each.take(some, axis=1) for each in (goals, sought.crossing))
        few = Sought(partial(_of_some, at, some), goal, of, crossing, follows)
        threshold, sample, start, low, end, high = _brackets_at_turns(few, years, rows.take(some, axis=2), turns)
        sought.crossing[:, some] = few.crossing
        return threshold, some[sample], start, low, end, high

    more = turned if turns.samples.size else None
    if not broken.size:
        crossing, already = path_crossings(at, years, rows, goals, of, jumps=jumps, more=more)
    else:
        steps = np.sort(np.concatenate([breaks, np.repeat(years[:, None], broken.size, axis=1)]), axis=0)
        whole = np.setdiff1d(np.arange(size), broken)
        crossing, already = np.empty(goals.shape), np.empty(goals.shape, dtype=np.bool_)
        for which in filter(len, (broken, whole)):
            here = partial(_of_some, at, which)
            if which is broken:
                found = broken_crossings(here, steps, goals[:, which], of, ways=len(rows), jumps=follows)
            else:
                found = path_crossings(here, years, rows[:, :, which], goals[:, which], of, jumps=jumps)
            for array, part in zip((crossing, already), found, strict=True):
                array[:, which] = part
        if more:
            sought = Sought(at, goals, of, crossing, follows)
            sought.meet(more(sought))
    if jumps and (dates := [when for _, when, _ in every_jump(paths.block)]):
        every = np.stack([np.broadcast_to(when, size) for when in dates])
        date_jumps(Sought(at, goals, of, crossing, follows), years, every)
    return crossing, already


def _parts(way: _Path, paths: Paths) -> list[Part]:
    """List what it is the sum of that crosses; a metric goes with what it is made of."""
    projection, capability = paths.projection, paths.projection.spec.capability
    names = [way.quantity] if capability is None or way.quantity != "capability" else [*capability.made_of]
    parts = [(name, way.falls and name == way.quantity) for name in names]
    parts += [(way.against, not way.falls)] if way.against else []
    found = [Part(name, projection.course(name, paths.block), turned) for name, turned in parts]
    return [each for part in found for each in _apart(part, paths)]


def _apart(part: Part, paths: Paths) -> list[Part]:
    """Take effective compute apart where it has no course: one of its parts may have one."""
    if part.course is not None or part.name != "effective_compute":
        return [part]
    names = ["physical_compute", *({"algorithms"} - set(paths.projection.spec.drivers.missing))]
    return [Part(name, paths.projection.course(name, paths.block), part.turned) for name in names]


def _of_some(at: At, samples: Numbers, which: Numbers, place: Numbers, time: Array) -> Array:
    return at(which, samples[place], time)


def delayed(spec: ScenarioSpec, draws: Mapping[str, Array], met: Crossed, *, years: Array) -> Crossed:
    """Add the delays of thresholds to when they are met."""
    crossing, flag = np.array(met["crossing_year"]), np.array(met["already_above"])
    for place, (name, threshold) in enumerate(spec.thresholds.items()):
        if threshold.delay is not None:
            later = crossing[place] + draws[dotted(("thresholds", name, "delay"))]
            crossing[place], flag[place] = np.where(later > years[-1], np.inf, later), flag[place] & (later <= years[0])
    return met | {"crossing_year": crossing, "already_above": flag}


def room_for_crossings(thresholds: int, size: int) -> Crossed:
    """Make the arrays for the crossings of some thresholds by `size` samples, (threshold, sample)."""
    kinds = {"crossing_year": np.float64, "already_above": np.int8, "threshold_level": np.float64}
    return {name: np.empty((thresholds, size), dtype=kind) for name, kind in kinds.items()}


def _brackets_at_turns(sought: Sought, year: Array, rows: Array, turns: Turns) -> Brackets:
    """Find what paths meet otherwise than `path_crossings` says, from its crossings: in steps in which they turn.

    All is of the samples that may fall. Paths turn on dates, and once from rising to falling between two. One that is
    at its threshold on a date, or where it turns, met it since the date before. It is looked for where a step has
    dates, or ends so little below a threshold that the path may have fallen from it. Until they are known, the
    crossings are put to the ends of their brackets.
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
    parts = [slice(begin, begin + STEPS) for begin in range(0, max(way.size, 1), STEPS)]
    found = [_in_steps(sought, year, rows, turns, (way[part], step[part], sample[part])) for part in parts]
    return tuple(np.concatenate(each) for each in zip(*chain.from_iterable(found), strict=True))


def _in_steps(
    sought: Sought, year: Array, rows: Array, turns: Turns, of: tuple[Numbers, Numbers, Numbers]
) -> tuple[Brackets, Brackets]:
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
    levels[here] = of_each(at, way, sample, column, times[here])

    found = []
    for each in range(len(rows)):
        column, own = np.flatnonzero(way == each), np.flatnonzero(sought.of == each)
        place = first_met(levels[:, column], met[own][:, sample[column]])
        found.append(np.broadcast_arrays(own[:, None], column, place))
    threshold, column, place = (np.concatenate([each.ravel() for each in one]) for one in zip(*found, strict=True))
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
    risen = threshold[late], which[late], begin[late], low[late], until[late], high[late]
    np.minimum.at(sought.crossing, risen[:2], until[late])
    return risen, _corners(sought, _Stretches(way, sample, turns.falls[way, sample], times, levels))


class _Stretches(NamedTuple):
    """Stretches of paths: the quantity and the sample of each, (n,), the most by which it falls, in OOM a year."""

    quantity: Numbers
    sample: Numbers
    falls: Array
    times: Array
    """Between which it turns once from rising to falling at most, (time, n), rising."""
    levels: Array


def _corners(sought: Sought, of: _Stretches) -> Brackets:
    """Find corners between the times of stretches, at which paths are below thresholds that they meet there.

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
    for side, inwards in ((1, -BESIDE), (0, BESIDE)):  # most rise up to the end
        time = times[place + side, which] + inwards * spans[place, which]
        gain = of_each(at, of.quantity, of.sample, which, time) - levels[place + side, which]
        higher = gain > LEVEL
        place, which = place[higher], which[higher]
        gains = [each[higher] for each in (*gains, gain / BESIDE)]
    low, high = levels[place, which], levels[place + 1, which]
    share = np.clip((high - low + gains[0]) / (gains[0] + gains[1]), 0.0, 1.0)
    top, beside = low + share * gains[1], np.maximum(low, high)
    near = (beside + 2.0 * (top - beside) >= least[place, which]) | np.isinf(of.falls[which])
    place, which = place[near], which[near]
    low, top, share = (each[near] for each in (low, top, share))
    quantity, sample, start, span = of.quantity[which], of.sample[which], times[place, which], spans[place, which]
    time = start + share * span
    height = of_each(at, quantity, sample, np.arange(time.size), time)
    bent = np.flatnonzero((np.abs(height - top) > TOUCH) | (share == 0.0) | (share == 1.0))
    path = partial(of_each, at, quantity[bent], sample[bent])
    time[bent], height[bent] = highest(path, start[bent], times[place + 1, which][bent], least[place, which][bent])
    is_met = (sought.of[:, None] == quantity) & (met[:, sample] <= height) & (sought.crossing[:, sample] > time)
    threshold, each = where(is_met)
    return threshold, sample[each], start[each], low[each], time[each], height[each]

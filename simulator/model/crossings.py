"""Find the year in which a path first meets a threshold: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.units import Array

CLOSE, TRIES = 0.01, 3
"""The part of a bracket to which a crossing is sought by interpolation, and how often that is tried."""

SURE = 0.01
"""The part of that part from which on it is looked whether the path does meet its goal so near."""

PARTS, FINER = 8, 4
"""The parts into which a stretch of a path is cut, and how often: to 1 in 4,096."""

TOP_PARTS, FINER_TOPS = 16, 3
"""The same where the highest of a stretch is sought, of which there are few."""

TOUCH = 1e-9
"""How near to a threshold, in OOM, a path meets it: rounding must not part a cap from a threshold of its height."""

STRAIGHT = 1e-9
"""How much the slopes of steps may differ, in parts of the slope, where a path is taken for a straight line."""

AT_ONCE = 5_000
"""Samples whose crossings are sought at once: few enough that what these are computed from stays in the cache.

Of rows of fewer than 2,731 numbers, a third of its buffer, numpy (2.5) makes copies, which takes three times as long.
"""


def first_crossing(
    years: ArrayLike, log_level: ArrayLike, log_threshold: ArrayLike, *, falling: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find the first year at or above a threshold (falling: at or below it).

    Within a step the level is linear, so the crossing lies at y0 + (T - v0) / (v1 - v0) (y1 - y0): near y0
    for a threshold just above v0, y1 for one at v1. A path that crosses, returns and crosses again counts
    once, the first time. A path already there counts from the first year, flagged. One that is not there by
    the last year gives +inf (censored, not missing), and so does a threshold of +inf, which says "never" in
    either direction.

    `years` (year,) are decimal years, strictly increasing; `log_level` (sample, year), (1, year) or (year,) is log10 of
    the unit (or a metric in its own), `log_threshold`, one or (sample,), the same; `falling` says that the threshold
    is met from above, as a loss is. The crossing years (sample,) are decimal years or +inf, never NaN; beside them
    stands whether the first year meets the threshold. ValueError: years out of order, shapes that do not match, or a
    level or threshold that is NaN.

    >>> year, already = first_crossing([2025, 2026, 2028], [[25.0, 26.0, 27.0]], [24.0, 26.5, 30.0])
    >>> year.tolist(), already.tolist()
    ([2025.0, 2027.0, inf], [True, False, False])
    """
    year = np.asarray(years, dtype=np.float64).reshape(-1)
    level = np.atleast_2d(np.asarray(log_level, dtype=np.float64))
    threshold = np.asarray(log_threshold, dtype=np.float64).reshape(-1)
    _check(year, level, threshold)
    rows = np.ascontiguousarray(np.broadcast_to(level, (max(level.shape[0], threshold.size), year.size)).T)
    return crossing_by_year(year, rows, np.broadcast_to(threshold, rows.shape[1:]), falling=falling)


def crossing_by_year(
    year: NDArray[np.float64], rows: NDArray[np.float64], threshold: NDArray[np.float64], *, falling: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Do the work of `first_crossing` for paths that are known to be sound: no NaN, years in order.

    `rows` (year, sample) are contiguous, as each year is compared as a whole; `threshold` and both results (sample,).
    """
    if falling:  # +inf is never met, from neither side
        return crossing_by_year(year, -rows, np.where(threshold < np.inf, -threshold, threshold))
    first = first_met(rows, threshold)
    ever, already = first < year.size, first == 0
    first = np.minimum(first, year.size - 1)
    earlier = np.maximum(first - 1, 0)
    sample = np.arange(threshold.size)
    low, high = rows[earlier, sample], rows[first, sample]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # fmin keeps rounding inside the step, and reads a jump from an infinite level as made at its end.
        share = np.fmin((threshold - low) / (high - low), 1.0)
        crossing = year[earlier] + share * (year[first] - year[earlier])
    return np.where(already, year[0], np.where(ever, crossing, np.inf)), already


def first_met(rows: Array, threshold: Array) -> NDArray[np.intp]:
    """Count the years that pass before the first that meets the threshold: all of them where none does.

    `rows` (year, sample); `threshold` and the result (..., sample).
    """
    reach, most = threshold < np.inf, np.full(rows.shape[1:], -np.inf)
    short = np.empty(threshold.shape, dtype=np.bool_)
    first = np.zeros(threshold.shape, dtype=np.intp)
    few = np.zeros(threshold.shape, dtype=np.uint8)  # the same in a byte, which is added to many times faster
    for number, row in enumerate(rows, start=1):
        np.maximum(most, row, out=most)
        np.less(most, threshold, out=short)
        few += short.view(np.uint8)
        if number % 255 == 0:
            first += few
            few[:] = 0
    return np.where(reach, first + few, len(rows))


def _check(year: NDArray[np.float64], level: NDArray[np.float64], threshold: NDArray[np.float64]) -> None:
    """Refuse years out of order, shapes that do not match and NaN."""
    if year.size == 0 or not np.all(np.diff(year) > 0):
        raise ValueError(
            f"first_crossing: years: must be strictly increasing, at least one; got {year.tolist()}. "
            "The first crossing is sought from the first year on. Sort the years and keep one of each."
        )
    if level.ndim != 2 or level.shape[1] != year.size:
        raise ValueError(
            f"first_crossing: log_level: must be (sample, {year.size} years); got shape {level.shape}. "
            "Each path has one level per year. Give the years of the path."
        )
    if level.shape[0] != threshold.size and 1 not in (level.shape[0], threshold.size):
        raise ValueError(
            f"first_crossing: log_threshold: must be one, or one per sample, {level.shape[0]}; "
            f"got {threshold.size}. A threshold belongs to a sample. Draw both from the same samples."
        )
    for name, values in (("log_level", level), ("log_threshold", threshold)):
        if np.isnan(values.min(initial=np.inf)):  # a minimum is NaN where any value is, and takes no array of its own
            missing = int(np.isnan(values).sum())
            raise ValueError(
                f"first_crossing: {name}: must not be NaN; got {missing} of {values.size}. "
                "A path or threshold that is not known has no crossing year. Find where the NaN comes from."
            )


type Numbers = NDArray[np.intp]
type At = Callable[[Numbers, Numbers, Array], Array]
"""Gives the levels (n,) of quantities, by number, of samples, by number, at times, between the years too."""
type Crossed = dict[str, NDArray[Any]]
"""What is known of crossings, each (threshold, sample): `crossing_year`, `already_above`, `threshold_level`."""


type Brackets = tuple[NDArray[Any], ...]
"""Threshold, sample, the time before a crossing, the level then, a time after it, the level then, each (n,)."""


class Sought(NamedTuple):
    """What is sought of paths: when they first meet thresholds; as in `path_crossings`."""

    at: At
    goals: Array
    """(threshold, sample)."""
    of: Numbers
    """The quantity that each threshold stands on."""
    crossing: Array
    """When they are met, (threshold, sample), as far as is known."""
    jumps: bool

    def meet(self, *brackets: Brackets) -> None:
        """Find when paths that rise from a level below their threshold to one above meet it, and note the earliest."""
        threshold, sample, start, low, end, high = (np.concatenate(each) for each in zip(*brackets, strict=True))
        places = threshold * self.goals.shape[1] + sample
        goal = np.minimum(self.goals.take(places), high)
        at = partial(of_each, self.at, self.of[threshold], sample)
        time = _solved(at, 0 if self.jumps else TRIES, goal, start, low, end, high)
        np.minimum.at(self.crossing.reshape(-1), places, time)


def path_crossings(
    at: At,
    year: Array,
    rows: Array,
    goals: Array,
    of: Numbers,
    *,
    jumps: bool = False,
    more: Callable[[Sought], Brackets] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find the first crossings of paths that are known at any time: as `first_crossing`, with no step.

    `rows` (quantity, year, sample) are the levels at the years, `of` (threshold,) the quantity that each threshold
    stands on; `goals` and both results are (threshold, sample). Where a path meets a threshold between two years, the
    time is sought on the path itself; what lies between two years that are both below it is not looked at. A path that
    comes within 1e-9 meets it. Of paths with `jumps` no line or curve through some of their levels tells of others:
    each is followed through ever finer parts of the step. `more` finds other brackets in which paths meet thresholds,
    from crossings that are known, until then, to the end of their step where they are sought.
    """
    met = goals - TOUCH
    first, crossing, bent = _on_lines(year, rows, goals, met, of)
    found = np.flatnonzero((first > 0) & (first < year.size) & (bent | jumps))
    (threshold, sample), after = np.unravel_index(found, first.shape), first.take(found)
    low, high = (rows[of[threshold], place, sample] for place in (after - 1, after))
    crossing.put(found, year[after])
    sought = Sought(at, goals, of, crossing, jumps)
    risen = threshold, sample, year[after - 1], low, year[after], high
    sought.meet(risen, *([more(sought)] if more else []))
    return crossing, first == 0


def _on_lines(year: Array, rows: Array, goals: Array, met: Array, of: Numbers) -> tuple[NDArray[Any], ...]:
    """Find the first crossings of paths that are lines between the years, and those whose path there is none.

    The years that pass before, the crossing, and whether the path bends in the step up to it, (threshold, sample).
    """
    kinds = (np.intp, np.float64, np.bool_)
    first, time, bent = found = tuple(np.empty(goals.shape, dtype=kind) for kind in kinds)
    owns = [np.flatnonzero(of == quantity) for quantity in range(len(rows))]
    for begin in range(0, goals.shape[1], AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        for levels, own in zip(rows, owns, strict=True):
            first[own, part] = first_met(levels[:, part], met[own, part])
        passed = first[:, part]
        after = np.clip(passed, min(1, year.size - 1), year.size - 1)
        beside = _beside(rows, of, after, begin)
        start, end = year.take(after - 1, mode="clip"), year.take(after)
        time[:, part] = _line(np.minimum(goals[:, part], beside[2]), start, beside[1], end, beside[2])
        np.copyto(time[:, part], np.inf, where=passed == year.size)
        np.copyto(time[:, part], year[0], where=passed == 0)
        np.logical_not(_straight(year, beside, after), out=bent[:, part])
    return found


def broken_crossings(
    at: At, times: Array, goals: Array, of: Numbers, *, ways: int, jumps: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find the first crossings of paths that may break at `times` (time, sample), each sample at its own."""
    count, size = times.shape

    def time(place: Array, sample: Numbers) -> Array:
        before = np.minimum(place.astype(np.intp), count - 2)
        low, high = times[before, sample], times[before + 1, sample]
        return np.asarray(np.where(place == count - 1, high, low + (place - before) * (high - low)))

    every = np.broadcast_to(np.arange(size), (ways, count, size))
    way = np.broadcast_to(np.arange(ways)[:, None, None], every.shape)
    rows = at(way.ravel(), every.ravel(), np.broadcast_to(times, every.shape).ravel()).reshape(every.shape)
    place, already = path_crossings(
        lambda way, sample, place: at(way, sample, time(place, sample)),
        np.arange(float(count)), rows, goals, of, jumps=jumps,
    )  # fmt: skip
    crossed = np.isfinite(place)
    return np.where(crossed, time(np.where(crossed, place, 0.0), every[0, 0]), np.inf), already


def _beside(rows: Array, of: Numbers, after: Numbers, begin: int) -> list[Array]:
    """Give the levels (threshold, sample) at the year before a step, at its two ends and at the year after it.

    Of the samples from the number `begin` on, as many as there are steps; anything for a year that is not there.
    """
    levels, (_, years, size) = rows.reshape(-1), rows.shape
    place = after * size
    place += of[:, None] * (years * size) + np.arange(begin, begin + after.shape[1])
    return [levels.take(place + way * size, mode="clip") for way in range(-2, 2)]


def _straight(year: Array, beside: Sequence[Array], after: Numbers) -> NDArray[np.bool_]:
    """Tell which paths are straight lines in the step up to a year, (...): as steep as in the steps beside it.

    A turn within the step makes it less or more steep than one of those at least; only rounding does less.
    """
    if year.size < 3:
        return np.zeros(after.shape, dtype=np.bool_)
    span = np.diff(year)
    with np.errstate(invalid="ignore", divide="ignore"):
        before, here, then = (later - earlier for earlier, later in pairwise(beside))
        if (span != 1.0).any():
            for way, rise in enumerate((before, here, then)):
                np.divide(rise, span.take(after - 2 + way, mode="clip"), out=rise)
        most, is_number = np.abs(here), np.isfinite(here)
        most *= STRAIGHT
        for other in (before, then):
            np.abs(np.subtract(other, here, out=other), out=other)
        # The first step has none before it and the last none after it.
        left, right = (before <= most) | (after == 1), (then <= most) | (after == year.size - 1)
        return np.asarray(is_number & left & right)


def _line(goal: Array, start: Array, low: Array, end: Array, high: Array) -> Array:
    """Find when lines meet a goal between two times; a jump from an infinite level is made at its end."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        below, steep = low - goal, high - goal
        steep -= below
        share = np.divide(end - start, steep, out=steep)
        share *= below
        return np.fmin(np.subtract(start, share, out=share), end, out=share)


def _solved(
    at: Callable[[Numbers, Array], Array],
    tries: int,
    goal: Array,
    start: Array,
    low: Array,
    end: Array,
    high: Array,
) -> Array:
    """Find when paths that rise from below a goal to it between two times meet it, all (n,).

    By inverse quadratic interpolation in a bracket that shrinks. A time is taken where the next would differ by less
    than a hundredth of the bracket: it is a path's curvature in so little that it misses, some 1e-5 years in a step of
    one. The few paths that bend too much for it are followed through ever finer parts of their bracket. A jump
    from an infinite level is made at its end. `at` gives the levels of paths, by number, at times.
    """
    below, above, time = low - goal, high - goal, _line(goal, start, low, end, high)
    left = np.flatnonzero(np.isfinite(below))
    start, below, end, above, goal = (each[left] for each in (start, below, end, above, goal))
    for _ in range(tries if left.size else 0):
        now, near = time[left], CLOSE * (end - start)
        off = at(left, now) - goal
        after = _interpolated(start, now, end, below, off, above)
        is_between = (off > below) & (off < above)  # of levels that turn back the parabola tells nothing
        is_level = np.abs(off) <= TOUCH
        inside, met = (after >= start) & (after <= end) & is_between, (off >= 0.0) | is_level
        start, below = np.where(met, start, now), np.where(met, below, off)
        end, above = np.where(met, now, end), np.where(met, off, above)
        time[left] = np.where(inside, np.clip(after, start, end), now)
        open_ = ~(inside & (np.abs(after - now) <= near))
        # A flat stretch just below the goal, or just above it, may be longer than the bracket's slopes let it seem; one
        # at the height of the goal meets it where it begins, and so before.
        doubt = np.flatnonzero((~open_ & (np.abs(after - now) > SURE * near)) | is_level)
        beyond = np.where(is_level, now - near, 2.0 * after - now)[doubt].clip(start[doubt], end[doubt])
        past = at(left[doubt], beyond) - goal[doubt]
        over, was = past >= np.where(is_level, -TOUCH, 0.0)[doubt], met[doubt]
        for side, height, wrong in ((start, below, ~was & ~over), (end, above, was & over)):
            which = doubt[wrong]
            side[which], height[which], open_[which] = beyond[wrong], past[wrong], True
            time[left[which]] = _line(np.zeros(which.size), *(each[which] for each in (start, below, end, above)))
        stay = np.flatnonzero(open_)
        left, (start, below, end, above, goal) = left[stay], (each[stay] for each in (start, below, end, above, goal))
    for _ in range(FINER if left.size else 0):
        times = start[:, None] + (end - start)[:, None] * (np.arange(1, PARTS + 1) / PARTS)
        off = at(np.repeat(left, PARTS), times.ravel()).reshape(times.shape) - goal[:, None]
        off[:, -1] = above
        which, place = np.arange(left.size), np.argmax(off >= np.where(above <= TOUCH, -TOUCH, 0.0)[:, None], axis=1)
        rows = place > 0
        start[rows], below[rows] = times[which, place - 1][rows], off[which, place - 1][rows]
        end, above = times[which, place], off[which, place]
        time[left] = start - below * ((end - start) / (above - below))
    return time


def _interpolated(start: Array, now: Array, end: Array, below: Array, off: Array, above: Array) -> Array:
    """Find where the parabola of the time through three levels has its goal; NaN where two of them are the same."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(
            start * (off / (below - off)) * (above / (below - above))
            + now * (below / (off - below)) * (above / (off - above))
            + end * (below / (above - below)) * (off / (above - off))
        )


def highest(at: Callable[[Numbers, Array], Array], start: Array, end: Array, least: Array) -> tuple[Array, Array]:
    """Find the peaks of paths between two times, and their levels, all (n,): by ever finer parts around the highest.

    One that cannot come to the level `least`, by twice what the parts beside the highest lie below it, is left.
    """
    start, end, time, level = start.copy(), end.copy(), end.copy(), np.full(end.size, -np.inf)
    left = np.arange(end.size)
    for _ in range(FINER_TOPS if left.size else 0):
        times = start[left, None] + (end - start)[left, None] * (np.arange(TOP_PARTS + 1) / TOP_PARTS)
        levels = at(np.repeat(left, TOP_PARTS + 1), times.ravel()).reshape(times.shape)
        which, place = np.arange(left.size), np.argmax(levels, axis=1)
        sides = [np.maximum(place - 1, 0), np.minimum(place + 1, TOP_PARTS)]
        time[left], level[left] = times[which, place], levels[which, place]
        start[left], end[left] = (times[which, side] for side in sides)
        fall = level[left] - np.minimum(*(levels[which, side] for side in sides))
        left = left[level[left] + 2.0 * fall >= least[left]]
    return time, level


def of_each(at: At, quantity: Numbers, sample: Numbers, place: Numbers, time: Array) -> Array:
    """Give the levels of some of many quantities and samples, by their places among these."""
    return at(quantity[place], sample[place], time) if place.size else np.empty(0)


def where(mask: NDArray[np.bool_]) -> tuple[Numbers, ...]:
    """Find where a mask holds: as `np.nonzero`, which takes several times as long for more than one dimension."""
    return np.unravel_index(np.flatnonzero(mask), mask.shape)


def near_dates(year: Array) -> float:
    """Give the years within which a crossing is dated where paths jump."""
    most: float = np.diff(year).max() / PARTS**FINER
    return most


def date_jumps(sought: Sought, year: Array, jumps: Array) -> None:
    """Note the days of `jumps`, (jump, sample), by which paths meet thresholds, in the place of times beside them."""
    met, crossing = sought.goals - TOUCH, sought.crossing
    place, sample = where((jumps > year[0]) & (jumps <= year[-1]))
    date = jumps[place, sample]
    before = np.nextafter(date, year[0])  # the date of a jump too
    beside = (np.abs(crossing[:, sample] - date) <= near_dates(year)) & (crossing[:, sample] != before)
    threshold, which = where(beside & (crossing[:, sample] != date))
    latest_first = np.argsort(-date[which], kind="stable")
    threshold, which = threshold[latest_first], which[latest_first]
    low, high = (sought.at(sought.of[threshold], sample[which], each[which]) for each in (before, date))
    goal = met[threshold, sample[which]]
    by_jump = (low < goal) & (high >= goal)
    crossing[threshold[by_jump], sample[which][by_jump]] = date[which][by_jump]

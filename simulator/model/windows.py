"""What events do while they last: they bend growth, shift levels, and put on or lift limits.

Levels are log10 of the base unit, rates are in OOM/year, times are decimal years; the sample axis comes first. In each
sample an event is a window from the date on which it begins to that on which it ends, +inf where it does not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model.growth import FAR_YEAR, column
from simulator.model.lines import Changed, Course, Line, Samples, chosen
from simulator.schema.spec import ScenarioSpec
from simulator.schema.uses import Touch, Touches
from simulator.units import Array


class Drawn(Protocol):
    """A block of draws, as far as it is asked here: its scenario, and the numbers of a prior, or of dates."""

    @property
    def spec(self) -> ScenarioSpec:
        """The scenario."""

    @property
    def touched(self) -> Touches:
        """The effects of events by the paths of what they are on."""

    @property
    def draws(self) -> Mapping[str, Array]:
        """The numbers of all samples by the names of their priors."""

    def draw(self, path: Path) -> Array:
        """The numbers at a path, (sample,) or (1,)."""

    def of_all(self, path: Path) -> Array:
        """The numbers of all samples."""


NEAR = 1e-9
"""How near to an event, in years, another event or a threshold is met with it: rounding must not part them."""


def window_paths(name: str) -> tuple[Path, Path]:
    """Name the dates of an event among the draws: when it begins, and when it ends."""
    return ("events", name), ("events", name, "end")


def _window(touch: Touch, block: Drawn) -> tuple[Array, Array]:
    begin, end = (block.draw(path) for path in window_paths(touch.event))
    return begin, end


def breaking_dates(block: Drawn, *, bends: bool = False) -> Iterator[Array]:
    """List the dates, (sample,), on which levels may change at once; or those too on which they may turn."""
    for found in block.touched.values():
        for touch in found:
            begin, end = _window(touch, block)
            if touch.breaks or bends:
                yield from (begin, end)
            if bends and touch.effect.recovers is not None:
                yield end + block.draw((*touch.path, "recovers"))


def recovery_slopes(path: Path, block: Drawn) -> Iterator[Array]:
    """List how steeply what is at a path goes back after events, (sample,) or (1,), OOM/year; 0 where none comes."""
    for touch in block.touched.get(path, ()):
        if touch.effect.recovers is not None:
            slope = -block.draw((*touch.path, "times")) / np.maximum(block.draw((*touch.path, "recovers")), 1e-12)
            yield np.where(_window(touch, block)[0] < block.spec.years.last, slope, 0.0)


def falling_growth(block: Drawn) -> Iterator[NDArray[np.bool_]]:
    """Tell in which samples events may turn growth into decline."""
    for touch in chain.from_iterable(block.touched.values()):
        if not touch.breaks:
            key = "rate" if touch.effect.times is None else "times"
            yield (_window(touch, block)[0] < block.spec.years.last) & (block.draw((*touch.path, key)) < 0.0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time between bounds of windows: the multiple of the rate that is in force, and what replaces it.

    All (sample,) or (1,); `rate` is +inf where the level grows by its own.
    """

    begin: Array
    end: Array
    times: Array
    rate: Array

    def of(self, own: Array) -> Array:
        """Give the rate on it in the place of its own."""
        replaced = np.isfinite(self.rate)
        return np.asarray(self.times * np.where(replaced, np.where(replaced, self.rate, 0.0), own))


def pieces_of(path: Path, block: Drawn) -> list[Piece]:
    """Cut time where events on the growth of a level at a path begin and end; none where there are no such events."""
    found = block.touched.get((*path, "growth"), ())
    windows = [tuple(np.minimum(date, FAR_YEAR) for date in _window(touch, block)) for touch in found]
    if not windows:
        return []
    bounds = np.sort(np.stack(np.broadcast_arrays(*(date for window in windows for date in window))), axis=0)
    result = []
    for low, high in pairwise(bounds):
        times, rate = np.ones(1), np.full(1, np.inf)
        for touch, (begin, end) in zip(found, windows, strict=True):
            here = (begin <= low) & (low < end)
            if touch.effect.times is not None:
                times = times * np.where(here, block.draw((*touch.path, "times")), 1.0)
            else:
                rate = np.minimum(rate, np.where(here, block.draw((*touch.path, "rate")), np.inf))
        result.append(Piece(low, high, times, rate))
    return result


def bent_growth(years: Array, *, base: float, pieces: Sequence[Piece], own: Callable[[Array], Array]) -> Array:
    """Give what events add to the growth of a level since the year `base`, (sample, year), OOM.

    `own` gives the level by itself at times (sample, time): on each piece that grows by m (G(end) - G(begin)), m being
    the multiple in force, or by the rate that replaces its own.
    """
    low, high = min(base, float(years.min())), max(base, float(years.max()))
    result: Array = np.zeros((1, 1))
    for piece in pieces:
        begin, end = (column(np.clip(each, low, high)) for each in (piece.begin, piece.end))
        first, last = np.clip(np.full((1, 1), base), begin, end), np.clip(np.atleast_2d(years), begin, end)
        gained, rate = own(last) - own(first), column(piece.rate)
        instead = np.where(np.isfinite(rate), np.where(np.isfinite(rate), rate, 0.0) * (last - first), gained)
        result = result + (column(piece.times) * instead - gained)
    return result


def bent_line(line: Line, *, base: float, pieces: Sequence[Piece]) -> Line:
    """Bend broken lines by events, from the level in the year `base`: as `bent_growth`, and broken lines again."""
    slope = np.zeros(1) if line.slope is None else line.slope

    def own(at: Array) -> Array:
        """Give the rate from a date on, without events."""
        rate = slope
        for date, change in line.bends:
            rate = rate + np.where(date <= at, change, 0.0)
        return rate

    bends = []
    for date, change in line.bends:
        turned = change
        for piece in pieces:
            by = np.where(np.isfinite(piece.rate), 0.0, piece.times)
            turned = np.where((piece.begin < date) & (date <= piece.end), by * change, turned)
        bends.append((date, turned))
    for number, piece in enumerate(pieces):
        rate = own(piece.begin)
        bends.append((piece.begin, piece.of(rate) - (pieces[number - 1].of(rate) if number else rate)))
    last, rate = pieces[-1], own(pieces[-1].end)
    bends.append((last.end, rate - last.of(rate)))
    start = line.start
    for sign, each in ((1.0, line.bends), (-1.0, bends)):
        for date, change in each:
            start = start + sign * change * np.maximum(base - date, 0.0)
    return Line(line.since, start, slope, tuple(bends))


def suspended(events: Sequence[str], block: Drawn, times: Array, samples: Samples = None) -> NDArray[np.bool_]:
    """Tell where some of these events last, so that a threshold does not count, at times (..., sample).

    What is crossed on the day on which one begins is, but in the first year.
    """
    first, result = block.spec.years.first, np.zeros(times.shape, dtype=np.bool_)
    for event in events:
        begin, end = (chosen(block.draw(path), samples) for path in window_paths(event))
        result |= (times >= np.where(begin <= first, begin, begin + 2.0 * NEAR)) & (times < end)
    return result


def shifted(level: Array, path: Path, block: Drawn, years: Array) -> Array:
    """Shift levels (sample, year) at a path by the events in force; a limit that none lets stand is +inf."""
    found = block.touched.get(path, ())
    return _with_events(level, found, block.draw, years) if found else level


def with_events(course: Course, path: Path, block: Drawn) -> Course:
    """Give the course of what stands at a path with the events on it: as `shifted`."""
    found = block.touched.get(path, ())
    if not found:
        return course

    def change(level: Array, times: Array, samples: Samples) -> Array:
        return _with_events(level, found, lambda at: chosen(block.of_all(at), samples), times)

    return Changed(course, change, path)


def _with_events(level: Array, found: Sequence[Touch], draw: Callable[[Path], Array], years: Array) -> Array:
    time = np.atleast_2d(years)
    stands, is_put_on = np.ones((1, 1), dtype=np.bool_), np.zeros((1, 1), dtype=np.bool_)
    for touch in found:
        begin, end = (column(draw(path)) for path in window_paths(touch.event))
        here = (time >= begin) & (time < end)
        if touch.effect.limit == "lifted":
            stands = stands & ~here
        elif touch.effect.limit == "put-on":
            is_put_on = is_put_on | here
        else:
            left = np.where(here, 1.0, 0.0)
            if touch.effect.recovers is not None:
                span = column(draw((*touch.path, "recovers")))
                after = np.where((time >= end) & (begin < end), time - np.minimum(end, FAR_YEAR), np.inf)
                left = left + np.maximum(1.0 - after / np.maximum(span, 1e-12), 0.0)
            level = level + column(draw((*touch.path, "times"))) * left
    if any(touch.effect.limit == "put-on" for touch in found):
        stands = stands & is_put_on
    return np.where(stands, level, np.inf) if any(touch.effect.limit for touch in found) else level

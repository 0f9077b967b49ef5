"""The course of levels over time, made once for all samples of a block: lines, and what is made of lines.

Levels are log10 of the base unit, rates are in OOM/year, times are decimal years; the sample axis comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model.growth import FAR_YEAR, column
from simulator.model.saturation import Capped, under_limits
from simulator.units import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)

type Samples = NDArray[np.intp] | slice | None
"""Which samples of a block are meant; None: all."""


@dataclass(frozen=True, slots=True)
class Line:
    """Levels that grow at constant rates between dates, of many samples: broken lines over time.

    level(t) = start + slope (t - since) + sum over bends of change max(0, t - date); `since` is a decimal year, all
    others are (sample,) or (1,). Without a slope the levels stand still.
    """

    since: float
    start: Array
    slope: Array | None = None
    bends: tuple[tuple[Array, Array], ...] = ()

    @classmethod
    def grown(cls, start: Array, *, since: float, base: float, dates: Sequence[Array], rates: Sequence[Array]) -> Line:
        """Start at a level in the year `base`; from each date on the next of the rates holds, as in `regime_growth`."""
        bends: list[tuple[Array, Array]] = []
        level, latest = start + rates[0] * (since - base), np.zeros(1)  # no path is asked for before the year 0
        for date, rate, before in zip(dates, rates[1:], rates, strict=False):
            latest = np.minimum(np.maximum(latest, date), FAR_YEAR)
            bends.append((latest, rate - before))
            level = level - bends[-1][1] * np.maximum(base - latest, 0.0)
        return cls(since, level, rates[0], tuple(bends))

    def plus(self, other: Line, sign: float = 1.0) -> Line:
        """Add the levels of another, or subtract them; both are counted from the same year."""
        slopes = [
            each for each in (self.slope, None if other.slope is None else sign * other.slope) if each is not None
        ]
        bends = (*self.bends, *((date, sign * change) for date, change in other.bends))
        return Line(self.since, self.start + sign * other.start, reduce(np.add, slopes) if slopes else None, bends)

    def raised(self, exponent: Array) -> Line:
        """Raise the levels to a power, (sample,) or (1,)."""
        bends = tuple((date, exponent * change) for date, change in self.bends)
        return Line(self.since, exponent * self.start, None if self.slope is None else exponent * self.slope, bends)

    def later(self, by: Array) -> Line:
        """Give at each time what the levels were `by` years before, (sample,) or (1,)."""
        if self.slope is None:
            return self
        bends = tuple((np.minimum(date + by, FAR_YEAR), change) for date, change in self.bends)
        return Line(self.since, self.start - self.slope * by, self.slope, bends)

    def integral(self, rate: Callable[[Array], Array], first: Array, last: Array, samples: Samples = None) -> Array:
        """Integrate a rate that the levels give between two times, (sample, time) or one for all: by Gauss's rule.

        Each stretch between bends is taken alone, so that nothing is lost at their dates.
        """
        low, high = np.minimum(first, last), np.maximum(first, last)
        dates = np.sort(np.stack(np.broadcast_arrays(*(date for date, _ in self.bends))), axis=0) if self.bends else ()
        edges = [low, *(np.clip(column(chosen(date, samples)), low, high) for date in dates), high]
        result: Array = np.zeros((1, 1))
        for start, end in pairwise(edges):
            half = (end - start) / 2.0
            for node, weight in zip(_NODES, _WEIGHTS, strict=True):
                result = result + weight * half * rate(self.at(start + half * (1.0 + node), samples))
        return np.where(last < first, -result, result)

    def at(self, times: Array, samples: Samples = None) -> Array:
        """Give the levels (sample, time) at times (time,), or (sample, time) of their own; of some samples, (n, ..)."""
        # Computed as (time, sample) and turned at the end: a run is kept year by year, and no copy turns it again.
        level, rows = chosen(self.start, samples)[None], np.atleast_2d(times).T
        if self.slope is None:
            return np.broadcast_to(level.T, (level.size, times.shape[-1]))
        level = _into(np.add, level, _into(np.multiply, chosen(self.slope, samples), rows - self.since))
        for date, change in self.bends:
            beyond = rows - chosen(date, samples)
            np.maximum(beyond, 0.0, out=beyond)
            level = _into(np.add, level, _into(np.multiply, chosen(change, samples), beyond))
        return level.T


def _into(operation: np.ufunc, left: Array, right: Array) -> Array:
    """Combine arrays (.., sample) in the room of the second, where that is as wide: new memory takes longer."""
    return cast("Array", operation(left, right, out=right if right.shape[-1] >= left.shape[-1] else None))


def chosen(values: Array, samples: Samples) -> Array:
    """Choose the values (sample,) of samples; one is that of all."""
    if samples is None or values.size == 1:
        return values
    return values[samples] if isinstance(samples, slice) else values.take(samples)


type Course = Line | Joined | Bent | Named | Changed
"""How levels go over time, where their equations give them at any time by themselves."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Courses whose levels are combined: added up, subtracted, the highest of them."""

    parts: tuple[Course, ...]
    combine: Callable[[Sequence[Array]], Array]
    how: Literal["product", "sum", "ratio", "minimum", "maximum"] = "product"
    """The operation that it is."""


@dataclass(frozen=True, slots=True)
class Bent:
    """A course under limits, which have a kind and a course by name; `start` in the year `base`, if a law asks for it.

    No limit is one that the level has to be followed under. `path` is that of the level.
    """

    path: Path
    demanded: Course
    limits: Mapping[str, tuple[str, Course]]
    start: Course | None
    base: float


@dataclass(frozen=True, slots=True)
class Named:
    """A course that others may be made of more than once."""

    path: Path
    course: Course


@dataclass(frozen=True, slots=True)
class Changed:
    """A course that events change: `change` makes of levels at times, of some samples, what they are with events.

    `path` is that of what the events are on.
    """

    course: Course
    change: Callable[[Array, Array, Samples], Array]
    path: Path


type Known = dict[tuple[Path, bytes], Any]
"""What was computed at some times: the levels of what has a name, and what is `Capped`, by its path."""


def hold_levels(courses: Sequence[Course], times: Array, samples: Samples, known: Known) -> None:
    """Compute the levels of courses which have a name or limits, for whoever asks for them next."""
    for course in courses:
        levels_of(course, times, samples, known)


def levels_of(course: Course, times: Array, samples: Samples, known: Known) -> Array:
    """Compute the levels (sample, time) of a course at times as in `Line.at`; what is `known` is taken from there."""
    match course:
        case Line():
            return course.at(times, samples)
        case Joined():
            return course.combine([levels_of(part, times, samples, known) for part in course.parts])
        case Changed():
            return course.change(levels_of(course.course, times, samples, known), times, samples)
        case Named():
            key = course.path, b""
            if key not in known:
                known[key] = levels_of(course.course, times, samples, known)
            return cast("Array", known[key])
    key = course.path, b""
    if key not in known:
        known[key] = _capped(course, times, samples, known)
    return cast("Capped", known[key]).capped


def _capped(course: Bent, times: Array, samples: Samples, known: Known) -> Capped:
    demanded = levels_of(course.demanded, times, samples, known)
    limits = {name: (kind, levels_of(limit, times, samples, known)) for name, (kind, limit) in course.limits.items()}
    start = demanded[:, :1]
    if course.start is not None:
        start = levels_of(course.start, np.array([course.base]), samples, {})
    return under_limits(demanded, limits, start=start, followed={})

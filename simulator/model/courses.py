"""Find the courses of levels: what of a scenario its equations give at any time by themselves, for a block of draws.

Where growth decays, or a level follows chance, a table, feedback or a stock, or has to be followed under a limit,
there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import chain
from typing import Literal, NamedTuple, cast

import numpy as np

from simulator.errors import Path
from simulator.model.levels import Block, own_line, quantity_line, way_of
from simulator.model.lines import Bent, Changed, Course, Joined, Line, Named
from simulator.model.saturation import law_of
from simulator.model.windows import recovery_slopes, with_events
from simulator.schema.prior_names import parts_of
from simulator.schema.quantities import Level, Limit, Operation, Quantity
from simulator.schema.spec import ScenarioSpec
from simulator.schema.stocks import AllocatedShare, Stock
from simulator.schema.subjects import Bound, bounds_of
from simulator.schema.uses import is_touched
from simulator.units import Array

_ADDED = partial(reduce, np.add)


def share_line(limit: Limit, path: Path, block: Block) -> Line | None:
    """Give a share of a quantity as broken lines; None where the quantity is something else."""

    def make(whole: Block) -> Line | None:
        of = None if whole.touched.get(path) else quantity_line(str(limit.of), path, whole)
        return None if of is None else of.plus(Line(of.since, whole.draw((*path, "share"))))

    return block.line(path, make)


def is_followed(bound: Bound, spec: ScenarioSpec) -> bool:
    """Tell whether a level under a limit is followed from its start: where the law has steps and the limit moves."""
    if law_of(bound.limit.kind).step is None:
        return False
    return (
        is_touched(spec, bound.path)
        or (bound.limit.share is not None and _moves(bound.limit.of, spec))
        or _moves(bound.limit.limit, spec)
    )


def _moves(quantity: Quantity | None, spec: ScenarioSpec) -> bool:
    """Tell whether a quantity changes over time."""
    if isinstance(quantity, str):
        touched = quantity not in spec.named or is_touched(spec, spec.named[quantity].path)
        return touched or _moves(spec.named[quantity].quantity, spec)
    if isinstance(quantity, Level):
        if isinstance(quantity, Stock) and quantity.adds_up:
            return True
        caps = [cap.of or cap.limit for cap in quantity.caps.values()]
        changes = (quantity.growth, quantity.table, quantity.drift, quantity.volatility, quantity.jumps)
        return any(each is not None for each in changes) or any(_moves(each, spec) for each in (quantity.level, *caps))
    if isinstance(quantity, Operation):
        if isinstance(quantity, AllocatedShare) and not quantity.is_constant:
            return True
        return quantity.accumulation is not None or any(_moves(part, spec) for _, part in parts_of(quantity, ()))
    return False


def quantity_course(quantity: Quantity | None, path: Path, block: Block) -> Course | None:
    """Find the course of a quantity at a path, looked for once."""
    if isinstance(quantity, str):
        named = block.spec.named.get(quantity)
        course = None if named is None else quantity_course(named.quantity, named.path, block)
        return None if named is None or course is None else Named(("named", *named.path), course)
    if path not in block.courses:
        block.courses[path] = None if quantity is None else _course(quantity, path, block)
    return block.courses[path]


def _course(quantity: Quantity, path: Path, block: Block) -> Course | None:
    if (line := quantity_line(quantity, path, block)) is not None:
        return line
    if isinstance(quantity, Level):
        grown = grown_course(quantity, path, block)
        if not quantity.caps:
            return grown
        base = block.spec.years.first if quantity.at is None else quantity.at
        return bent_course(path, grown, bounds_of(quantity, path), grown, base, block)
    how = next((key for key in _AT_ONCE if getattr(quantity, key, None)), None)
    if how is None or not isinstance(quantity, Operation):
        return None
    parts, combine = way_of(quantity, path)
    courses = [quantity_course(part, at, block) for at, part in parts]
    found = [course for course in courses if course is not None]
    joined = Joined(tuple(found), combine, how)
    return with_events(joined, path, block) if len(found) == len(courses) else None


def grown_course(level: Level, path: Path, block: Block) -> Course | None:
    """Find the course of a level without limits."""
    if level.level is not None and not (isinstance(level, Stock) and level.adds_up):
        course = quantity_course(level.level, (*path, "level"), block)
    else:
        course = own_line(level, path, block)
    return None if course is None else with_events(course, path, block)


_AT_ONCE: tuple[Literal["product", "sum", "ratio", "minimum", "maximum"], ...]
_AT_ONCE = ("product", "sum", "ratio", "minimum", "maximum")
"""Operations on what quantities are at the same time that no sample can fail."""


def joined_course(courses: Sequence[Course | None]) -> Course | None:
    """Add courses up; None where one is missing."""
    found = tuple(course for course in courses if course is not None)
    if len(found) < len(courses):
        return None
    return Joined(found, _ADDED) if len(found) > 1 else found[0]


def bent_course(
    path: Path, demanded: Course | None, bounds: Sequence[Bound], start: Course | None, base: float, block: Block
) -> Course | None:
    """Put a course under limits; None where one of these has none, or the level has to be followed under it."""
    limits = {
        bound.name: (bound.limit.kind, course)
        for bound in bounds
        if not is_followed(bound, block.spec) and (course := _limit_course(bound.limit, bound.path, block)) is not None
    }
    begins = any(law_of(bound.limit.kind).from_start for bound in bounds)
    if demanded is None or len(limits) < len(bounds) or (begins and start is None):
        return None
    return Bent(path, demanded, limits, start if begins else None, base)


def _limit_course(limit: Limit, path: Path, block: Block) -> Course | None:
    """Find the course of a limit: an amount, or a share of a quantity."""
    course = _own_limit_course(limit, path, block)
    return None if course is None else with_events(course, path, block)


def _own_limit_course(limit: Limit, path: Path, block: Block) -> Course | None:
    if limit.share is None:
        return quantity_course(limit.limit, (*path, "limit"), block)
    if (line := share_line(limit, path, block)) is not None:
        return line
    share = Line(block.spec.years.first, block.of_all((*path, "share")))
    return joined_course([share, quantity_course(limit.of, path, block)])


class _Slope(NamedTuple):
    """Between which slopes a course goes in a run, but where it breaks, OOM/year, each (sample,) or (1,)."""

    least: Array
    most: Array

    def turned(self) -> _Slope:
        """Turn it upside down."""
        return _Slope(-self.most, -self.least)


_NONE = np.zeros(1)


def least_slope(courses: Sequence[tuple[Course, bool]], block: Block) -> Array:
    """Give the least slope of a sum of courses, of those that are told so turned upside down, OOM/year, as `_Slope`."""
    slopes = [_slope(course, is_turned, block) for course, is_turned in courses]
    return _summed(slopes).least if slopes else _NONE


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


def bends_of(courses: Iterable[Course]) -> list[Array]:
    """List the dates on which lines bend that some courses are made of."""
    return [date for course in courses for date in _bends(course)]


def _bends(course: Course) -> Iterator[Array]:
    """List the dates on which lines bend that a course is made of."""
    match course:
        case Line():
            yield from (date for date, _ in course.bends)
        case Named() | Changed():
            yield from _bends(course.course)
        case Joined():
            yield from chain.from_iterable(_bends(part) for part in course.parts)
        case Bent():
            limits = (limit for _, limit in course.limits.values())
            yield from chain.from_iterable(_bends(part) for part in (course.demanded, *limits))

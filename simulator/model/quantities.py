"""How levels are made of others: limits, named quantities, and the chain that effective compute is made by.

physical compute  = spending x hardware efficiency, at most what the constraints allow
effective compute = physical compute x algorithmic efficiency

Everything is log10 of base units, as arrays (sample, year), or (1, year) where nothing in it is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import cast

import numpy as np

from simulator.errors import Path, SimulatorError, dotted, item_part
from simulator.model.allocation import allocated_shares
from simulator.model.breaks import FOLLOWING, ago, followed_lags, times_back
from simulator.model.chance import jump_growth
from simulator.model.courses import bent_course, grown_course, is_followed, joined_course, quantity_course, share_line
from simulator.model.failing import checked
from simulator.model.fine_grid import fine_grid, fine_grid_around, follow, is_fine, read_between
from simulator.model.levels import Block, demanded_level, jumps_of, level_line, quantity_line, way_of
from simulator.model.lines import Course, Line, levels_of
from simulator.model.saturation import Capped, law_of, under_limits
from simulator.model.stocks import accumulated
from simulator.model.windows import shifted
from simulator.schema.prior_names import parts_of
from simulator.schema.quantities import Lag, Level, Limit, Operation, Quantity
from simulator.schema.spec import ScenarioSpec
from simulator.schema.stocks import AllocatedShare, Stock
from simulator.schema.subjects import Bound, Subject, bounds_of, subjects
from simulator.units import Array

MOST_KNOWN = 1 << 20
"""Numbers of a named quantity's levels up to which they are held for further use: 8 MB."""


def limit_level(limit: Limit, path: Path, block: Block, years: Array) -> Array:
    """Compute a limit over the years, (sample, year) or (1, year) in log10: an amount, or a share of a quantity."""
    if limit.share is not None:
        if (line := share_line(limit, path, block)) is not None:
            return line.at(years, block.samples)
        level = block.draw((*path, "share"))[:, None] + quantity_level(str(limit.of), path, block, years)
    elif limit.limit is None:
        raise SimulatorError(f"{dotted(path)}: has no limit.")
    else:
        level = quantity_level(limit.limit, (*path, "limit"), block, years)
    return shifted(level, path, block, years)


def capped_level(level: Level, path: Path, block: Block, years: Array) -> Capped:
    """Compute a level under its caps, (sample, year) or (1, year) in log10."""

    def demand(times: Array) -> Array:
        return grown_level(level, path, block, times)

    base = block.spec.years.first if level.at is None else level.at
    bounds = block.found(bounds_of, level, path)
    return capped(bounds, demand, lambda: demand(np.array([base])), path=path, base=base, block=block, years=years)


def capped_before(subject: Subject, lags: Sequence[Path], block: Block, years: Array, *, had: Array) -> Capped:
    """Give what limits a level some time ago, on the scale of what is `had` now: it is that, or behind it by a gap."""
    then = years - sum((ago(path, block)[:, None] for path in lags), np.zeros((1, 1)))
    then, shape = np.broadcast_to(then, (block.size, years.size)).reshape(-1, 1), (block.size, years.size)
    taken = block.taken(np.repeat(np.arange(block.size), years.size), then)
    found = capped_level(cast("Level", subject.level), subject.path, taken, then)

    def placed(levels: Array) -> Array:
        return np.broadcast_to(levels, then.shape).reshape(shape)

    behind = had - placed(found.capped)
    parts = (
        {name: placed(each) + behind for name, each in of.items()} for of in (found.limits, found.followed, found.bent)
    )
    return Capped(placed(found.demanded) + behind, np.broadcast_to(had, shape), *parts)


def grown_level(level: Level, path: Path, block: Block, times: Array) -> Array:
    """What a level is without limits: what growth gives, the quantity that it is, or what was bought for a stock."""
    if isinstance(level, Stock) and level.adds_up:
        grown = accumulated(level, path, block, times, quantity_level)
    elif level.level is not None:
        grown = quantity_level(level.level, (*path, "level"), block, times)
    else:
        grown = demanded_level(level, path, block, times, quantity_level)
    return shifted(grown, path, block, times)


type Demand = Callable[[Array], Array]
"""Gives what is demanded at times: levels (sample, time)."""


def capped(
    bounds: Sequence[Bound],
    demand: Demand,
    start: Callable[[], Array],
    *,
    path: Path,
    base: float,
    block: Block,
    years: Array,
) -> Capped:
    """Put a level at a path under its limits; `start` gives the level in the year `base`, in which laws begin."""

    def compute() -> Capped:
        demanded = demand(years)
        if not bounds:
            return Capped(demanded, demanded, {}, {}, {})
        limits = {
            bound.name: (bound.limit.kind, limit_level(bound.limit, bound.path, block, years)) for bound in bounds
        }
        begin = start() if any(law_of(kind).from_start for kind, _ in limits.values()) else demanded[:, :1]
        followed = {
            bound.name: _followed(bound, demand, start=begin, base=base, block=block, years=years)
            for bound in bounds
            if is_followed(bound, block.spec)
        }
        return under_limits(demanded, limits, start=begin, followed=followed)

    return _once(path, block, years, compute)


def _once[Computed: (Array, Capped)](
    path: Path, block: Block, times: Array, compute: Callable[[], Computed]
) -> Computed:
    """What stands at a path at some times; computed once, and held for further use unless it is very large."""
    key = (path, b"" if times is block.times else times.tobytes())
    if key not in block.known:
        result = compute()
        if (result.capped if isinstance(result, Capped) else result).size > MOST_KNOWN:
            return result
        block.known[key] = result
    found: Computed = block.known[key]
    return found


def named_level(name: str, block: Block, years: Array) -> Array:
    """Compute the levels of a named quantity, once for the same years; or of a variable of the scenario itself."""
    if name not in block.spec.named:
        return own_level(name, block, years)
    path, quantity = block.spec.named[name]
    return _once(("named", *path), block, years, lambda: quantity_level(quantity, path, block, years))


def _followed(bound: Bound, demand: Demand, *, start: Array, base: float, block: Block, years: Array) -> Array:
    """Follow a level under a limit that moves, from its start on the fine grid."""
    if (known := block.between(bound.path, years)) is not None:
        return known
    times = fine_grid(min(base, float(years[0])), max(base, float(years[-1])), np.append(years, base))
    limit, place = limit_level(bound.limit, bound.path, block, times), int(np.searchsorted(times, base))
    step, fine = cast("Callable[..., Array]", law_of(bound.limit.kind).step), is_fine(times)
    levels = follow(step, demand(times), limit, log_start=start, fine=fine, base=place)
    return block.stepped(bound.path, times, levels)[:, np.searchsorted(times, years)]


def quantity_level(quantity: Quantity, path: Path, block: Block, years: Array) -> Array:
    """Compute a quantity over the years, (sample, year) or (1, year), log10 of base units.

    SimulatorError: a difference is not above 0 in some samples; it says in how many, and what entered it.
    """
    if isinstance(quantity, str):
        return named_level(quantity, block, years)
    line = block.lines[path] if path in block.lines else quantity_line(quantity, path, block)
    if line is not None:
        return line.at(years, block.samples)
    if isinstance(quantity, Level):
        return capped_level(quantity, path, block, years).capped
    if isinstance(quantity, Operation):
        return shifted(_operation_level(quantity, path, block, years), path, block, years)
    return shifted(block.draw(path)[:, None], path, block, years)


def _operation_level(operation: Operation, path: Path, block: Block, years: Array) -> Array:
    if isinstance(operation, AllocatedShare):
        share, of = operation, path[:2]

        def level_of(quantity: Quantity, at: Path) -> Array:
            return quantity_level(quantity, at, block, years)

        every: Array = _once(("shares", *of), block, years, lambda: allocated_shares(share, of, block, years, level_of))
        return np.asarray(every[share.place])
    if operation.accumulation is not None:
        return accumulated(operation, path, block, years, quantity_level)
    if operation.lag is not None:
        return _lagged(operation.lag, (*path, "lag"), block, years)
    if operation.highest is not None or operation.lowest is not None:
        return _extreme(operation, path, block, years)
    if operation.power is not None:
        raised = quantity_level(operation.power[0], (*path, "power", item_part(operation.power[0], 0)), block, years)
        return block.draw((*path, "power", 1))[:, None] * raised
    parts, combine = block.found(way_of, operation, path)
    result = combine([quantity_level(part, at, block, years) for at, part in parts])
    return result if operation.difference is None else checked(result, operation, path, block)


def _lagged(lag: Lag, path: Path, block: Block, years: Array) -> Array:
    """Read a quantity some time ago; where that time is drawn, straight between the steps of the fine grid.

    A lag by which a variable follows from itself is read exactly, sample by sample, once such are followed; and so is a
    level of broken lines under limits of such. Of what is known at any time alone the steps beside a time are computed.
    """
    by, of, every = ago(path, block), (*path, "of"), block.of_all((*path, "by"))
    if years.ndim > 1:  # of samples at times of their own, each has its own lag
        return quantity_level(lag.of, of, block, years - by[:, None])
    if path in followed_lags(block)[1] and FOLLOWING not in block.known:
        times = np.broadcast_to(years - by[:, None], (block.size, years.size)).reshape(-1, 1)
        taken = block.taken(np.repeat(np.arange(block.size), years.size), times)
        return np.broadcast_to(quantity_level(lag.of, of, taken, times), times.shape).reshape(-1, years.size)
    if every.size == 1:
        return quantity_level(lag.of, of, block, years - by)
    course, then = quantity_course(lag.of, of, block.root), years - by[:, None]
    if course is not None and isinstance(lag.of, Level):
        return levels_of(course, then, block.samples, {})
    grid = fine_grid_around(float(years[0] - every.max()), float(years[-1] - every.min()), most=float(years[-1]))
    if course is None:
        return read_between(grid, quantity_level(lag.of, of, block, grid), then, np.arange(by.size))
    after = np.clip(np.searchsorted(grid, then), 1, grid.size - 1)
    beside = np.hstack([grid[after - 1], grid[after]])
    levels = levels_of(course, beside, block.samples, {})
    low, high = np.split(np.broadcast_to(levels, beside.shape), 2, axis=1)
    return low + (then - grid[after - 1]) / (grid[after] - grid[after - 1]) * (high - low)


def _extreme(operation: Operation, path: Path, block: Block, years: Array) -> Array:
    """Give the highest or lowest that a quantity has been since a year; before, it is the quantity itself."""
    if (known := block.between(path, years)) is not None:
        return known
    base = block.spec.years.first if operation.at is None else operation.at
    times = fine_grid(min(base, float(years[0])), float(years[-1]), np.append(years, base))
    ((at, part),) = parts_of(operation, path)
    levels = quantity_level(part, at, block, times)
    choose = np.maximum if operation.highest is not None else np.minimum
    since, fine = times >= base, is_fine(times) | (times == base)
    result, on_grid = np.array(levels), since & fine
    result[:, on_grid] = choose.accumulate(levels[:, on_grid], axis=1)
    off = np.flatnonzero(since & ~fine)  # looked at and not looked back to: no year changes another
    before = np.maximum.accumulate(np.where(on_grid, np.arange(times.size), 0))[off]
    result[:, off] = choose(levels[:, off], result[:, before])
    return block.stepped(path, times, result)[:, np.searchsorted(times, years)]


def own_level(name: str, block: Block, times: Array) -> Array:
    """Compute a variable of the scenario itself; before its first year what growth alone gives, without limits."""
    chain = Chain(block, block.found(_subjects_by_name, block.spec, ()))
    first = block.spec.years.first
    late = times >= first
    if late.all():
        return _late_level(name, chain, times)
    early = chain.unlimited(name, np.minimum(times, first))
    if not late.any():
        return early
    if times.ndim > 1:
        return np.where(late, _late_level(name, chain, np.maximum(times, first)), early)
    after = _late_level(name, chain, times[late])
    size = max(len(early), len(after))
    whole = [np.broadcast_to(each, (size, each.shape[1])) for each in (early[:, ~late], after)]
    return np.hstack(whole)


def _late_level(name: str, chain: Chain, times: Array) -> Array:
    """Compute a variable from the first year on; one that follows from itself, while that is followed, as it is held.

    At times of the samples' own such a one is computed from its earliest levels on: none is read between others.
    """
    block, path = chain.block, ("own", name)
    names, _ = followed_lags(block)
    if times.ndim == 1 or name not in names or (path, b"") in block.known:
        held = block.known.get((path, times.tobytes())) if times.ndim > 1 else block.between(path, times, straight=True)
        return chain.level(name, times) if held is None else cast("Array", held)
    known: dict[tuple[Path, bytes], Array] = {(("own", each), b""): times for each in names}
    for each in times_back(times, block):
        then = Chain(replace(block, known={**known}), chain.subjects)
        known |= {(("own", other), each.tobytes()): then.level(other, each) for other in names}
    return known[path, times.tobytes()]


def follow_lags(chain: Chain, years: Array) -> None:
    """Follow the variables that limits make of what they were some time ago, on the fine grid.

    The block holds the stocks and the like that this takes; the variables themselves are computed from these after it.
    As much is computed at once as needs nothing but what is held: the shortest lag from its end on.
    """
    block = chain.block
    names, lags = followed_lags(block)
    if not names:
        return
    grid = fine_grid(float(years[0]), float(years[-1]), years)
    shortest = min(float(block.of_all((*path, "by")).min()) for path in lags)
    end = int(np.searchsorted(grid, grid[0] + shortest, side="left"))
    begin, block.known[FOLLOWING] = 0, True
    while begin < grid.size:
        found = {name: chain.level(name, grid[begin:end]) for name in names}
        for name, levels in found.items():
            block.stepped(("own", name), grid[begin:end], levels)
        begin, end = end, int(np.searchsorted(grid, grid[end - 1] + shortest, side="right"))
    for name in names:
        del block.steps["own", name]
    block.known.clear()


def _subjects_by_name(spec: ScenarioSpec, _: Path) -> dict[str, Subject]:
    return {each.name: each for each in subjects(spec)}


class Chain:
    """The levels that effective compute is made of, in a block of draws: by name, at any times."""

    def __init__(self, block: Block, subjects: Mapping[str, Subject]) -> None:
        self.block, self.subjects = block, subjects

    def grown(self, subject: Subject, times: Array) -> Array:
        """What growth alone gives of a level that is no product, or the quantity that it is."""
        if subject.level is None:
            raise ValueError(f"{subject.name}: is a product.")
        return grown_level(subject.level, subject.path, self.block, times)

    def demanded(self, name: str, times: Array) -> Array:
        """What is demanded of a level: what growth gives, or the product of its parts under their limits."""
        subject = self.subjects[name]
        if times.ndim > 1 and (line := self.line(name)) is not None:  # of samples at times of their own
            return line.at(times, self.block.samples)
        if subject.level is None:
            return reduce(np.add, [self.capped(part, times).capped for part in subject.parts])
        stepped = self.block.between((*subject.path, "feedback"), times, straight=True)
        if stepped is None or subject.level.jumps is None:
            return self.grown(subject, times) if stepped is None else stepped
        return stepped + jump_growth(times, self.multiplied_jumps(subject))

    def multiplied_jumps(self, subject: Subject) -> Iterator[tuple[Array, Array]]:
        """List the jumps of a level with feedback, which multiplies them by what it is when they come."""
        years = self.block.spec.years
        for when, by in jumps_of(cast("Level", subject.level), subject.path, self.block):
            at = np.clip(when, years.first, years.last)[:, None]
            multiplier = self.block.between((*subject.path, "multiplier"), at)
            yield when, by * cast("Array", multiplier)[:, 0]

    def line(self, name: str) -> Line | None:
        """What is demanded of a level as broken lines; None where it is bent, or has feedback or parts with limits."""
        path: Path = ("demanded", *self.subjects[name].path)
        lines = self.block.lines
        return lines[path] if path in lines else self.block.line(path, lambda whole: self._line(name, whole))

    def _line(self, name: str, whole: Block) -> Line | None:
        subject = self.subjects[name]
        if subject.level is not None:
            fed = subject.driver in whole.spec.fed
            return None if fed else level_line(subject.level, subject.path, whole)
        parts = [None if self.subjects[part].bounds else self.line(part) for part in subject.parts]
        lines = [line for line in parts if line is not None]
        return reduce(Line.plus, lines) if len(lines) == len(parts) else None

    def start(self, name: str) -> Array:
        """The level at the start, (sample, 1): in the year that it is stated for; of a product, in the first."""
        subject, times = self.subjects[name], np.array([self.base(name)])
        return self.demanded(name, times) if subject.level is None else self.grown(subject, times)

    def base(self, name: str) -> float:
        """The year in which a level starts: that which it is stated for; a product, in the first."""
        level = self.subjects[name].level
        return self.block.spec.years.first if level is None or level.at is None else level.at

    def capped(self, name: str, times: Array) -> Capped:
        """A level under its limits."""
        subject, demand, start = self.subjects[name], partial(self.demanded, name), partial(self.start, name)
        base = self.base(name)
        return capped(subject.bounds, demand, start, path=subject.path, base=base, block=self.block, years=times)

    def level(self, name: str, times: Array) -> Array:
        """The level of a variable under its limits."""
        return self.effective_compute(times) if name == "effective_compute" else self.capped(name, times).capped

    def unlimited(self, name: str, times: Array) -> Array:
        """What growth alone gives of a variable, of products too."""
        if name == "effective_compute":
            parts = tuple(part for part in ("physical_compute", "algorithms") if part in self.subjects)
        else:
            subject = self.subjects[name]
            if subject.level is not None:
                return self.grown(subject, times)
            parts = subject.parts
        return reduce(np.add, [self.unlimited(part, times) for part in parts])

    def effective_compute(self, times: Array) -> Array:
        """Add physical compute and algorithms in log10; without algorithms the two computes are one."""
        physical = self.capped("physical_compute", times).capped
        return physical + self.capped("algorithms", times).capped if "algorithms" in self.subjects else physical


def subject_course(name: str, chain: Chain, *, apart: bool) -> Course | None:
    """Find the course of a variable under its limits, as `Chain.level` gives it at times of the samples' own.

    If `apart`, as it gives it at times of all: factors of a product are added up after each was computed.
    """
    key = ("course", name, int(apart))
    if key not in chain.block.courses:
        chain.block.courses[key] = _subject_course(name, chain, apart=apart)
    return chain.block.courses[key]


def _subject_course(name: str, chain: Chain, *, apart: bool) -> Course | None:
    if name == "effective_compute":
        parts = [each for each in ("physical_compute", "algorithms") if each in chain.subjects]
        return joined_course([subject_course(each, chain, apart=apart) for each in parts])
    subject, block = chain.subjects[name], chain.block
    level = subject.level
    if level is not None and (level.level is not None or block.touched.get(subject.path)):
        demanded = start = grown_course(level, subject.path, block)
    elif level is not None:
        demanded = start = chain.line(name)
    else:
        demanded = start = joined_course([subject_course(each, chain, apart=True) for each in subject.parts])
        if not apart:
            demanded = chain.line(name) or joined_course(
                [subject_course(each, chain, apart=False) for each in subject.parts]
            )
    if not subject.bounds and not apart:
        return demanded
    return bent_course(subject.path, demanded, subject.bounds, start, chain.base(name), block)

"""When the paths of a block of samples meet the thresholds of their scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError, dotted
from simulator.model.breaks import Part, broken_times, crossings_at_turns, followed_lags, turning_times
from simulator.model.crossings import (
    TOUCH,
    At,
    Crossed,
    Numbers,
    Sought,
    broken_crossings,
    date_jumps,
    first_met,
    path_crossings,
)
from simulator.model.levels import jumps_of
from simulator.model.projection import Paths, Projection
from simulator.model.windows import suspended
from simulator.schema.prior_names import entries_of
from simulator.schema.quantities import Level
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.subjects import Stand
from simulator.units import Array
from simulator.variables import snake
from simulator.wording import percent


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
    if not broken.size:
        crossing, already = path_crossings(at, years, rows, goals, of, jumps=jumps)
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
    turns = turning_times(paths.block, [_parts(way, paths) for way in ways], size)
    if (some := turns.samples).size:
        few = Sought(partial(_of_some, at, some), goals.take(some, axis=1), of, crossing.take(some, axis=1), follows)
        crossings_at_turns(few, years, rows.take(some, axis=2), turns)
        crossing[:, some] = few.crossing
    levels = entries_of(Level, paths.projection.spec) if jumps else []
    if dates := [when for path, level in levels for when, _ in jumps_of(level, path, paths.block)]:
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

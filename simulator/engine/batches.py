"""A batch of blocks: drawn, projected and crossed, as arrays with the year first.

A block is the unit of randomisation; a batch is how many blocks are computed and handed on at
once. Batches are independent of one another, and no number depends on how blocks are batched.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.frontier import by_actor, counts_of, decided_crossings, frontier, stand_in
from simulator.engine.plan import Plan, component_of, joint_variables
from simulator.errors import InputError, SimulatorError, dotted
from simulator.model.events import blocks_of
from simulator.model.levels import Block
from simulator.model.meeting import cross_block
from simulator.model.projection import Paths, Projection, joined, left
from simulator.model.windows import window_paths
from simulator.priors.draws import draw_blocks
from simulator.runs.entries import LARGEST
from simulator.scenario.resolving import Component
from simulator.units import Array
from simulator.variables import SUBJECTS, no_levels, told_by_laws
from simulator.wording import BEYOND

STEP = 20_000
"""Samples that are drawn at once, where a block is not longer."""

PIECE = 1 << 17
"""Numbers of a variable that are projected at once: few enough that what is computed from them stays in the cache."""

HELD = 31 << 20
"""Bytes of an array that is made and let go at once, untouched, before the first batch: see `hold_memory`."""

RESULTS = (*SUBJECTS, "effective_compute")
"""The levels that a sample has; what is demanded may lie far beyond them, and takes part in means."""

OF_EVENTS = ("event_year", "event_end")
"""What a sample has of events."""

type Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """The samples `first` to `first + size` of a run.

    `parameters` (sample,) by name, NaN where a sample's component has no such prior; `trajectories` (year, sample) by
    variable, float32 (a relative error of 6e-8), the capability metric float64, what binds int8; `crossing_year`,
    `already_above`, `threshold_level` (threshold, sample), `event_year` (event, sample) where there are events;
    `component` (sample,), all 0 where there is only one. `actors`: of each actor levels (actor, year, sample) and
    crossings (actor, threshold, sample), where there are some; all else is then of the one that leads.
    """

    first: int
    size: int
    parameters: Arrays
    trajectories: Arrays
    crossings: Arrays
    component: NDArray[np.int16]
    actors: Arrays = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """The bytes of its arrays, all but `component`."""
        groups = (self.parameters, self.trajectories, self.crossings, self.actors)
        return sum(array.nbytes for group in groups for array in group.values())

    def taken(self, places: slice | NDArray[np.intp], *, first: int) -> Batch:
        """Take the samples at some places, counted from `first` on."""
        groups = (self.parameters, self.trajectories, self.crossings, self.actors)
        component = self.component[places]
        drawn, found, crossed, actors = (
            {name: values[..., places] for name, values in group.items()} for group in groups
        )
        return Batch(first, component.size, drawn, found, crossed, component, actors)

    def cut(self, length: int) -> list[Batch]:
        """Cut it into full batches of a length; what is left over at the end is left out."""
        firsts = range(0, self.size - length + 1, length)
        return [self.taken(slice(first, first + length), first=first) for first in firsts]


@cache
def hold_memory() -> None:
    """Let what is freed stay with the process, for the arrays that come next.

    The C library of Linux gives memory back to the system at once, until it has seen a large array come and go
    (mallopt(3), M_MMAP_THRESHOLD); each array would then be new pages, which cost more than what is computed in them.
    """
    np.empty(HELD, dtype=np.int8)


def free_memory() -> float:
    """Tell how many bytes this process may still take; +inf where the system does not say."""
    free = [math.inf]
    with contextlib.suppress(OSError, StopIteration):
        lines = FilePath("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free.append(1024.0 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    with contextlib.suppress(OSError, ValueError):  # of a container; "max" is none
        most, used = (int(FilePath(f"/sys/fs/cgroup/memory.{key}").read_text(encoding="ascii")) for key in _OF_GROUP)
        free.append(float(most - used))
    with contextlib.suppress(OSError, ImportError):
        import resource

        most, taken = (
            resource.getrlimit(resource.RLIMIT_AS)[0],
            FilePath("/proc/self/statm").read_text(encoding="ascii"),
        )
        if most != resource.RLIM_INFINITY:
            free.append(float(most - int(taken.split()[0]) * resource.getpagesize()))
    return max(min(free), 0.0)


_OF_GROUP = ("max", "current")


def compute_batch(plan: Plan, first: int, size: int) -> Batch:
    """Compute a batch; `first` is a multiple of the block, and so is `size` but for the run's last batch."""
    hold_memory()
    if len(plan.components) == 1:
        alone, (parameters, found) = np.zeros(size, dtype=np.int16), _compute(plan, 0, first, size, None)
        if not plan.actors:
            return Batch(first, size, parameters, *found[0], alone)
        rows, crossed = ([part[group] for part in found] for group in (0, 1))
        kept = by_actor(plan, rows, crossed)
        return Batch(first, size, parameters, frontier(plan, rows), decided_crossings(plan, crossed), alone, kept)
    blocks = range(first // plan.spec.block, -(-(first + size) // plan.spec.block))
    component = component_of(plan, blocks, size)
    apart = [_compute(plan, number, first, size, component == number) for number in range(len(plan.components))]
    return Batch(first, size, *_joined(plan, apart, component), component)


def _compute(
    plan: Plan, number: int, first: int, size: int, chosen: NDArray[np.bool_] | None
) -> tuple[Arrays, list[tuple[Arrays, Arrays]]]:
    """Compute the parameters of one component, and trajectories and crossings: its own, or those of each of its actors.

    All samples, or those that are chosen.
    """
    component = plan.components[number]
    parts = range(len(plan.parts)) if plan.actors else (number,)
    total = size if chosen is None else int(np.count_nonzero(chosen))
    if total == 0:
        return {name: np.empty(0) for name in component.joint.priors}, [({}, {})]
    parameters: Arrays = {name: np.empty(total) for name in component.joint.priors}
    found = [_Found(plan, part, total) for part in parts]
    filled = 0
    for draws, count in _drawn(component, first, size, chosen):
        for name, values in draws.items():
            parameters[name][filled : filled + count] = values
        own = [plan.parts[part].draws(draws) for part in parts]
        projections = [plan.projections[part] for part in parts]
        blocks = blocks_of(projections, own, size=count, decides=plan.decides)
        paths = [each.add(blocks.pop(0), filled, count) for each in found]
        for each, counts in zip(found, counts_of(plan, paths), strict=True):
            each.add_counts(counts, filled, count)
        filled += count
    return parameters, [each.arrays() for each in found]


class _Found:
    """The trajectories and crossings of one part of a run, a few blocks at a time."""

    def __init__(self, plan: Plan, number: int, total: int) -> None:
        self._plan, self._part, self._projection = plan, plan.parts[number], plan.projections[number]
        stands = self._projection.stands.values()
        counted = ("physical_compute",) if plan.actors and plan.spec.models is not None else ()
        self._standing = sorted({*(stand.quantity for stand in stands), *self._projection.moving, *counted})
        self._trajectories, self._counts = (_Trajectories(plan.years.size, total) for _ in range(2))
        self._crossings: list[Arrays] = []

    def add(self, block: Block, filled: int, count: int) -> Paths:
        """Project and cross so many samples, which come after those that were; give their paths."""
        pieces = []
        for paths, few in _projected(self._projection, block, count):
            self._trajectories.add(paths.levels, slice(filled, filled + few))
            filled += few
            pieces.append(left(paths, self._standing))
        paths = joined(pieces, self._standing)
        crossed = cross_block(self._part.spec, block.draws, paths, years=self._plan.years, size=count)
        self._crossings.append(crossed | event_years(self._plan, block.draws, count))
        return paths

    def add_counts(self, counts: Mapping[str, Array], filled: int, count: int) -> None:
        """Take counts of the models of an actor, which are made with those of all."""
        if counts:
            self._counts.add(counts, slice(filled, filled + count))

    def arrays(self) -> tuple[Arrays, Arrays]:
        """Give the trajectories, (year, sample), and the crossings, (threshold, sample)."""
        parts = self._crossings
        return self._trajectories.arrays() | self._counts.arrays(), {
            name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]
        }


def event_years(plan: Plan, draws: Mapping[str, Array], size: int) -> Arrays:
    """Take the dates of events, (event, sample), from the draws to which they were added; nothing where none is.

    One that began before the first year is in force from there; what lies beyond the horizon is +inf.
    """
    first, last = plan.years[0], plan.years[-1]
    ends = {name: window_paths(name) for name in plan.events if "." not in name}

    def told(keys: Iterable[str]) -> Array:
        dates = np.stack([np.broadcast_to(draws.get(key, np.inf), size) for key in keys])
        return np.where(dates > last, np.inf, np.maximum(dates, first))

    result: Arrays = {}
    if plan.events:
        result["event_year"] = told(dotted(ends[name][0]) if name in ends else name for name in plan.events)
    if ends:
        result["event_end"] = told(dotted(ends[name][1]) if name in ends else "" for name in plan.events)
    return result


class _Trajectories:
    """The trajectories of a batch, (year, sample), as its pieces come.

    A variable that is one array with another, as what is demanded is where nothing limits it, is held once, and so is
    a level that no year changes; for as long as every piece has it so.
    """

    def __init__(self, years: int, total: int) -> None:
        self._years, self._total = years, total
        self._rows: Arrays = {}
        self._twins: dict[str, str] = {}
        self._names: tuple[str, ...] = ()
        self._plain: set[str] = set()

    def add(self, projected: Mapping[str, NDArray[Any]], place: slice) -> None:
        """Take the variables (sample, year) or (1, year) of the samples at a place."""
        if not self._names:
            self._names, self._twins = tuple(projected), _twins(projected)
            self._plain = no_levels(projected)
            for name, values in projected.items():
                if name not in self._twins:
                    is_constant = values.shape[0] > 1 and values.strides[1] == 0  # no year changes it
                    self._rows[name] = np.empty((1 if is_constant else self._years, self._total), _kind(name))
        for name, twin in list(self._twins.items()):
            if projected[name] is not projected[twin]:
                del self._twins[name]
                self._rows[name] = self._rows[twin].astype(_kind(name))  # a copy
        for name, rows in self._rows.items():
            if len(rows) < self._years and projected[name].strides[1] != 0:
                self._rows[name] = np.repeat(rows, self._years, axis=0)
        for name, rows in self._rows.items():
            levels = projected[name][:, : len(rows)].T
            with np.errstate(over="ignore"):
                rows[:, place] = levels
            if name not in self._plain and not (levels.max() < BEYOND and levels.min() > -BEYOND):
                self._hold(name, levels, place)

    def _hold(self, name: str, levels: NDArray[Any], place: slice) -> None:
        """Put levels in their place of which some are beyond what is a number; refuse what lies far below."""
        if levels.max() > BEYOND:
            most = BEYOND if name in RESULTS or told_by_laws([name]) else LARGEST
            self._rows[name][:, place] = np.where(levels > most, np.inf, levels)  # no number any more
        if levels.min() < -LARGEST:
            raise InputError(
                f"{name.replace('_', ' ')}: falls below 10^-{LARGEST:,.0f} in some samples, which is no number. "
                "Write another growth, or another multiplier of it."
            )

    def arrays(self) -> Arrays:
        """Give every variable, (year, sample); those that are held once are one array."""
        whole = {name: np.broadcast_to(rows, (self._years, self._total)) for name, rows in self._rows.items()}
        return {name: whole[self._twins.get(name, name)] for name in self._names}


def _drawn(
    component: Component, first: int, size: int, chosen: NDArray[np.bool_] | None
) -> Iterator[tuple[dict[str, Array], int]]:
    """Draw the parameters of a batch, a few blocks at a time; (sample,) or (1,), with how many samples they are."""
    spec = component.spec
    step = max(STEP // spec.block, 1) * spec.block
    for start in range(0, size, step):
        count = min(step, size - start)
        blocks = range((first + start) // spec.block, -(-(first + start + count) // spec.block))
        draws = draw_blocks(
            component.joint, seed=spec.seed, blocks=blocks, size=spec.block, design=spec.design, samples=count
        )
        if chosen is None:
            yield draws, count
            continue
        here = np.flatnonzero(chosen[start : start + count])
        if here.size:
            yield {name: values if values.size == 1 else values[here] for name, values in draws.items()}, here.size


def _projected(projection: Projection, block: Block, count: int) -> Iterator[tuple[Paths, int]]:
    """Project samples, a piece at a time, each with how many samples it has."""
    piece = max(PIECE // projection.years.size, 1)
    if count <= piece:
        yield projection.project(block), count
        return
    for start in range(0, count, piece):
        try:
            paths = projection.project(block.taken(slice(start, start + piece), projection.years))
        except SimulatorError:
            projection.project(block)  # so that the error speaks of all that were drawn
            raise
        yield paths, min(piece, count - start)


def _twins(projected: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Find the variables that are one array under two names, as what is demanded is where nothing limits it."""
    names: dict[int, str] = {}
    # The shorter name comes first: what is had, then what is demanded.
    firsts = {name: names.setdefault(id(values), name) for name, values in sorted(projected.items())}
    return {name: first for name, first in firsts.items() if first != name}


def _kind(name: str) -> type[np.generic]:
    """Choose how a variable is kept."""
    if name.startswith("binding_"):
        return np.int8
    return np.float64 if name == "capability" else np.float32


def _joined(
    plan: Plan, apart: Sequence[tuple[Arrays, list[tuple[Arrays, Arrays]]]], component: NDArray[np.int16]
) -> tuple[Arrays, Arrays, Arrays]:
    """Put the samples of all components into their places."""
    size, kept = component.size, joint_variables(plan.components)
    groups: tuple[Arrays, Arrays, Arrays] = ({name: np.full(size, np.nan) for name in plan.parameters}, {}, {})
    for number, (each, (own, [(rows, crossed)])) in enumerate(zip(plan.components, apart, strict=True)):
        here = np.flatnonzero(component == number)
        if not here.size:
            continue
        order = [list(each.spec.thresholds).index(name) for name in plan.spec.thresholds]
        shared = {name: stand_in(plan, number, name, rows) for name in kept}
        in_order = {name: values if name in OF_EVENTS else values[order] for name, values in crossed.items()}
        for group, found in zip(groups, (own, shared, in_order), strict=True):
            for name, values in found.items():
                group.setdefault(name, np.empty((*values.shape[:-1], size), values.dtype))[..., here] = values
    return groups

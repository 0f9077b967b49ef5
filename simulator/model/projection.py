"""From drawn parameters to trajectories: drivers, caps, constraints, feedback, effective compute, capability.

    physical compute  = spending x hardware efficiency, at most what the constraints allow
    effective compute = physical compute x algorithmic efficiency

All in log10, vectorised over the samples of a block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path
from simulator.model import quantities
from simulator.model.capability import metric
from simulator.model.courses import quantity_course
from simulator.model.feedback import feed_back
from simulator.model.fine_grid import Curve
from simulator.model.laws import told_by_law
from simulator.model.levels import Block
from simulator.model.lines import Course, Known, hold_levels, levels_of
from simulator.model.model_counts import model_counts
from simulator.model.quantities import Chain, subject_course
from simulator.model.saturation import Capped
from simulator.schema.drivers import CustomDriver
from simulator.schema.prior_names import entries_of
from simulator.schema.quantities import Level
from simulator.schema.spec import ScenarioSpec
from simulator.schema.subjects import (
    Subject,
    inner_subjects,
    level_name,
    moving_thresholds,
    stands_of,
    subjects,
    subjects_within,
    told_variables,
)
from simulator.schema.uses import touches_of
from simulator.units import Array
from simulator.variables import snake

AT_ONCE = 1 << 14
"""Times that are computed at once: few enough that what is computed from them stays in the cache."""

STEPS_PER_YEAR = {"year": 1, "quarter": 4, "month": 12}


def year_grid(spec: ScenarioSpec) -> Array:
    """List the years of a scenario: the first, every calendar step after it, the last."""
    steps = STEPS_PER_YEAR[spec.years.step]
    first, last = spec.years.first, spec.years.last
    inner = np.arange(np.floor(first * steps) + 1, np.ceil(last * steps)) / steps
    return np.concatenate([[first], inner[(inner > first) & (inner < last)], [last]])


class Projection:
    """A scenario made ready for its blocks of draws; what stands where in it is found once."""

    def __init__(
        self, spec: ScenarioSpec, *, years: Array, custom: Mapping[str, CustomDriver], of_actor: bool = False
    ) -> None:
        self.spec, self.years, self.custom = spec, years, custom
        self._of_actor = of_actor  # models of actors are counted together
        self._within = subjects_within(spec) if of_actor else {}
        self._places: dict[tuple[str, Path], Any] = {}
        self._subjects, self._inner = {each.name: each for each in subjects(spec)}, inner_subjects(spec)
        self._quantities = {level_name(("quantities", name)): name for name in spec.named}
        self.stands = stands_of(spec)
        self.moving = moving_thresholds(spec)
        """The levels of thresholds that are no single number, by the names of their variables."""
        self._demanded = {each.name for each in (*self._subjects.values(), *self._inner) if each.has_demand}
        self._bounds = {
            bound.variable: bound for each in (*self._subjects.values(), *self._inner) for bound in each.bounds
        }
        self.has_jumps = any(level.jumps is not None for _, level in entries_of(Level, spec))
        """Whether a level of it makes jumps at random times."""
        self._has_feedback = bool(spec.fed)
        self._told = told_variables(spec)
        self._touched = touches_of(spec) if spec.events else {}

    def block(self, draws: Mapping[str, Array]) -> Block:
        """Hold draws by name of the prior, (sample,) or (1,) on the internal scale."""
        return Block(self.spec, draws, self.custom, self.years, self._places, self._touched)

    def _followed(self, block: Block) -> Chain:
        """Follow what follows from itself over the years, of a block of draws."""
        chain = Chain(block, self._subjects)
        if self._has_feedback:
            feed_back(chain, self.years)
        quantities.follow_lags(chain, self.years)
        return chain

    def named_levels(self, block: Block, times: Mapping[str, Array]) -> dict[str, Array]:
        """Compute named quantities and variables of the scenario itself, each at times of its own, (sample, time).

        Before the first year too.
        """
        self._followed(block)
        return {name: quantities.named_level(name, block, each) for name, each in times.items()}

    def project(self, block: Block, *, counts: bool = True) -> Paths:
        """Project a block of draws over the years; without `counts` no models are counted."""
        spec, years = self.spec, self.years
        chain = self._followed(block)
        courses = [self.course(name, block, apart=True) for name in (*self._quantities, *self._subjects)]
        hold_levels([course for course in courses if course is not None], years, block.samples, block.known)
        result: dict[str, NDArray[Any]] = {
            f"quantity_{snake(name)}": quantities.named_level(name, block, years) for name in spec.named
        }
        for subject in self._subjects.values():
            result |= self._variables_of(subject, chain.capped(subject.name, years))
        for name, (subject, lags) in self._within.items():
            capped = quantities.capped_before(subject, lags, block, years, had=result[name])
            result |= self._variables_of(subject, capped) | {f"{name}_demanded": capped.demanded}
        for subject in self._inner:
            if subject.level is not None:
                capped = quantities.capped_level(subject.level, subject.path, block, years)
                result |= {n: level for n, level in self._variables_of(subject, capped).items() if n not in result}
        for name, (level, path, multiples) in self.moving.items():
            result[name] = quantities.quantity_level(level, path, block, years)
            for multiple in multiples:
                result[name] = result[name] + block.draw(multiple)[:, None]
        if not spec.drivers.missing:
            result["effective_compute"] = chain.effective_compute(years)
        for driver in dict.fromkeys(told.driver for told in self._told.values()):
            found = told_by_law(driver, chain, years)
            result |= {name: found[told.what] for name, told in self._told.items() if told.driver == driver}
        starts: dict[str, Array] = {}
        if spec.capability is not None:
            starts["reference"] = result[spec.capability.made_of[0]][:, :1]
            result["capability"] = metric(spec.capability, block, result, starts["reference"])
        if counts and spec.models is not None and not self._of_actor:
            result |= model_counts(spec.models, block, years, log_physical=result["physical_compute"])
        return Paths(self, block, starts, result)

    def _variables_of(self, subject: Subject, capped: Capped) -> dict[str, NDArray[Any]]:
        """Name the arrays of a subject as they stand in the run."""
        result: dict[str, NDArray[Any]] = {subject.name: capped.capped}
        if subject.name in self._demanded:
            result[f"{subject.name}_demanded"] = capped.demanded
        result |= {bound.variable: capped.limits[bound.name] for bound in subject.bounds}
        return result | ({f"binding_{subject.name}": capped.binding} if subject.bounds else {})

    def levels_at(
        self, paths: Paths, names: Sequence[str], which: NDArray[np.intp], samples: NDArray[np.intp], times: Array
    ) -> Array:
        """Compute quantities that thresholds stand on, of names by number, for samples at times of their own, (n,).

        The path between the years is that of the equations; what is known on a grid alone (feedback, accumulations,
        limits that are followed, custom drivers) is straight between its points.
        """
        asked, result = _Asked(paths, samples, times[:, None], self._subjects), np.empty(samples.size)
        for number, name in enumerate(names):
            if (here := which == number).any():
                levels = np.broadcast_to(self._level_at(name, asked)[:, 0], samples.shape)
                np.copyto(result, levels, where=here)
        return result

    def course(self, name: str, block: Block, *, apart: bool = False) -> Course | None:
        """Find the course of a variable, once for a block (`subject_course`); none where there is feedback."""
        key = ("course", name, int(apart))
        if key not in block.courses:
            if name in self._quantities:
                block.courses[key] = quantity_course(self._quantities[name], (), block.root)
            elif self._has_feedback or name not in (*self._subjects, "effective_compute"):
                block.courses[key] = None
            else:
                block.courses[key] = subject_course(name, Chain(block.root, self._subjects), apart=apart)
        return block.courses[key]

    def _level_at(self, name: str, asked: _Asked) -> Array:
        capability, paths, times = self.spec.capability, asked.paths, asked.times
        if name == "capability" and capability is not None:
            reference = paths.starts["reference"]
            first = reference[asked.samples] if len(reference) > 1 else reference
            of = {each: self._level_at(each, asked) for each in capability.made_of}
            return metric(capability, asked.chain.block, of, first)
        if (course := self.course(name, paths.block)) is not None:
            return levels_of(course, times, asked.within, asked.known)
        chain = asked.chain
        if name == "effective_compute":
            return chain.effective_compute(times)
        if name in self._told:
            return told_by_law(self._told[name].driver, chain, times)[self._told[name].what]
        if name in self.moving:
            level, path, _ = self.moving[name]  # of those that a quantity is held against none is a multiple
            return quantities.quantity_level(level, path, chain.block, times)
        if name in self._bounds:
            bound = self._bounds[name]
            return quantities.limit_level(bound.limit, bound.path, chain.block, times)
        if name in self._quantities:
            return quantities.named_level(self._quantities[name], chain.block, times)
        subject = name.removesuffix("_demanded")
        if subject in self._subjects:
            capped = chain.capped(subject, times)
        else:
            within = next(each for each in self._inner if each.name == subject)
            capped = quantities.capped_level(cast("Level", within.level), within.path, chain.block, times)
        return capped.capped if name == subject else capped.demanded


@dataclass(frozen=True)
class _Asked:
    """Samples, by number, that levels are asked for at times of their own, (n, 1); and what is known of them."""

    paths: Paths
    samples: NDArray[np.intp]
    times: Array
    subjects: Mapping[str, Subject]
    known: Known = field(default_factory=dict)

    @property
    def within(self) -> NDArray[np.intp]:
        """Their numbers among all samples of the block."""
        block = self.paths.block
        return self.samples if block.samples is None else self.samples + block.begin

    @cached_property
    def chain(self) -> Chain:
        """What asks for levels that have no course."""
        return Chain(self.paths.block.taken(self.samples, self.times), self.subjects)


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of a block of samples.

    `levels` at the years by name of the variable, (sample, year) or (1, year): log10 of base units; `binding_*` the
    number of the limit that binds; `capability` the metric itself; `models_*` plain numbers. `starts` (sample, 1) are
    the levels of the first year that a metric refers to.
    """

    projection: Projection
    block: Block
    starts: dict[str, Array]
    levels: dict[str, NDArray[Any]]

    def at(self, names: Sequence[str], which: NDArray[np.intp], samples: NDArray[np.intp], times: Array) -> Array:
        """Compute quantities, of names by number, for samples at times of their own, between the years too, all (n,).

        Many are computed for each quantity alone, as most need a part of the others only; few together, in one pass.
        """
        levels, parts = np.empty(samples.size), list[slice | NDArray[np.intp]]()
        if len(names) == 1 or samples.size <= AT_ONCE // 4:
            parts += [slice(start, start + AT_ONCE) for start in range(0, samples.size, AT_ONCE)]
        else:
            alone = [np.flatnonzero(which == number) for number in range(len(names))]
            parts += [group[start : start + AT_ONCE] for group in alone for start in range(0, group.size, AT_ONCE)]
        for part in parts:
            levels[part] = self.projection.levels_at(self, names, which[part], samples[part], times[part])
        return levels


def left(paths: Paths, names: Sequence[str]) -> Paths:
    """Let go of what `joined` does not take of consecutive samples: the memory does for those that come next."""
    known = paths.block.known
    if paths.block.whole is None:
        return paths
    for key in [key for key, held in known.items() if not isinstance(held, Curve)]:
        del known[key]
    return replace(paths, levels={name: paths.levels[name] for name in names})


def joined(parts: Sequence[Paths], names: Sequence[str]) -> Paths:
    """Join the paths of consecutive samples of a block, all of them; of their levels those of some names."""
    whole = parts[0].block.whole
    if whole is None:
        return parts[0]
    for path, (times, _) in parts[0].block.steps.items():
        whole.steps[path] = times, _stacked([part.block.steps[path][1] for part in parts])
    for key, curve in parts[0].block.known.items():
        if isinstance(curve, Curve):
            whole.known[key] = Curve.joined([(part.block.known[key], part.block.size) for part in parts])
    starts = {name: _stacked([part.starts[name] for part in parts]) for name in parts[0].starts}
    levels = {name: _stacked([part.levels[name] for part in parts]) for name in names}
    return Paths(parts[0].projection, whole, starts, levels)


def _stacked(levels: Sequence[Array]) -> Array:
    """Put levels (sample, year) below one another; those that are the same in all samples, (1, year), stay one."""
    return levels[0] if all(len(each) == 1 for each in levels) else np.concatenate(levels)

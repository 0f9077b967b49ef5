"""Designs run: thousands of points on common draws as one queue, each kept as its summary; the failed are told.

A point is the summary of the run that `simulate` makes with the same overrides.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import xarray as xr

from simulator.analysis.sweep_files import SWEEP_FORMAT, Sweep, axes_text
from simulator.analysis.sweep_points import Over, check_work, parted_source, unit_of
from simulator.engine.batches import Arrays
from simulator.engine.checkpoints import Unfinished, keep_in, read_left, write_arrays
from simulator.engine.collecting import LEVELS
from simulator.engine.plan import plan_warnings
from simulator.engine.record import Labels, run_attributes, run_id
from simulator.engine.simulation import KEPT, How, Progress, refuse_beyond_memory, summed_up
from simulator.engine.workers import Workers, side_by_side, submitted, width, worth_processes
from simulator.errors import InputError, ScenarioError, SimulatorError
from simulator.files import short_hash
from simulator.runs.groups import Group, as_dataset
from simulator.scenario.designs import POINT, WRITTEN_DESIGN, Design, read_design, read_points
from simulator.scenario.documents import text_document
from simulator.scenario.load import grouped, resolver
from simulator.scenario.overrides import CENTRE
from simulator.scenario.resolving import Scenario
from simulator.scenario.sweep_axes import Axis, check_paths
from simulator.schema.words import input_words
from simulator.variables import actor_dims, summary_dims
from simulator.version import source_digest

TOLD = tuple(LEVELS.index(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95))
"""The quantiles that are kept of a point."""
AT_ONCE = 2.0
"""How often they are held while they are written."""
TOGETHER = 16
"""Points that a process is given at once, at most."""
_NUMBER = re.compile(r"\d[\d.,]*(e[-+]?\d+)?")
MOST_LINES, MOST_NAMED = 8, 5
"""Warnings of points that are told, and points that are named."""

type Resolve = Callable[[Sequence[str], str], Scenario]


@dataclass(frozen=True, slots=True)
class DesignPlan:
    """What a design runs: a scenario, and the points at which it is changed."""

    base: Scenario
    design: Design

    @property
    def keep(self) -> str:
        """How a point is run: as `simulate` does, but where its samples are too many to be kept."""
        return "trajectories" if self.base.spec.samples <= KEPT else "summary"


@dataclass(frozen=True, slots=True)
class Made:
    """A point: its summary and the limits in it, by `binding_*`; or the fault for which it is left out."""

    summary: Arrays = field(default_factory=dict)
    limits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    run: str = ""
    warnings: tuple[str, ...] = ()
    fault: str = ""


def load_design(
    source: Scenario | FilePath | str,
    *,
    over: Over | None = None,
    design: str | None = None,
    points: FilePath | str | None = None,
    overrides: Sequence[str] = (),
) -> DesignPlan:
    """Read a scenario, and the points of a design over ranges or of a table."""
    if (design is None) == (points is None) or (points is not None and over):
        rule = "stands beside --points; one of them says what the points are"
        raise InputError(f"{'--design' if design else '--over'}: {rule}. {WRITTEN_DESIGN}")
    base = resolver(parted_source(source))(overrides, "")
    if base.must_learn:
        rule = "has not learnt from its history yet, and every point would learn anew"
        raise InputError(f"{base.spec.name}: {rule}. Run it, and take the scenario.yaml of its run folder.")
    made = read_points(points) if points is not None else read_design(over or (), design or "", seed=base.spec.seed)
    check_work(base, made.size)
    for each in made.inputs:
        check_paths(base, Axis(each.name, (), (each.path,)))
    return DesignPlan(base, made)


@lru_cache(maxsize=2)
def _resolver_of(text: str) -> Resolve:
    """Read a resolved scenario once, to lay many changes over it."""
    return resolver(grouped(text_document(text, "the scenario"), "the scenario"))


def make_points(text: str, keep: str, changes: Sequence[Sequence[str]]) -> list[Made]:
    """Run a scenario with each of some changes."""
    resolve, made = _resolver_of(text), list[Made]()
    for overrides in changes:
        try:
            point = resolve(overrides, "")
            told = tuple(line for line in point.warnings if not line.startswith("--set "))
            made.append(_made(Scenario(point.components, point.data, point.places, (), told), keep))
        except ScenarioError as error:
            more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
            made.append(Made(fault=f"{str(error.faults[0]).removeprefix('--set ')}{more}"))
        except SimulatorError as error:
            made.append(Made(fault=str(error).removeprefix("--set ")))
    return made


def _made(point: Scenario, keep: str) -> Made:
    plan, groups = summed_up(point, how=How("trajectories" if keep == "trajectories" else "summary"))
    dims = {"": summary_dims(groups.summary), _OF_ACTORS: actor_dims(groups.actors_summary, of_samples=False)}
    summary = {
        f"{path}{name}": np.take(values, TOLD, axis=dims[path][name].index("quantile"))
        if "quantile" in dims[path][name]
        else values
        for path, arrays in (("", groups.summary), (_OF_ACTORS, groups.actors_summary))
        for name, values in arrays.items()
    }
    told = (*plan_warnings(point), *groups.warnings)
    return Made(summary, plan.limits, run_id(point, keep=keep), told)


_OF_ACTORS = "actors_summary/"


def _key(path: str, name: str) -> str:
    return name if path == "summary" else f"{path}/{name}"


class _Stack:
    """The summaries of points, one behind the other in arrays, as the scenario itself has them."""

    def __init__(self, plan: DesignPlan) -> None:
        own, groups = summed_up(plan.base, how=How("trajectories" if plan.keep == "trajectories" else "summary"))
        labels = Labels(plan.base, own)
        self.plan, self.like = plan, {"summary": _thinned(labels.group(groups.summary))}
        if groups.actors_summary:
            self.like["actors_summary"] = _thinned(labels.of_actors(groups.actors_summary))
        like = {
            _key(path, name): each.shape for path, group in self.like.items() for name, each in group.data_vars.items()
        }
        self.limits, self.done = own.limits, 0
        size, one = plan.design.size, 8 * sum(map(math.prod, like.values()))
        told = f"design: the summaries of {size:,} points in {own.years.size} years take"
        remedy = "Take fewer points, or write a coarser step or an earlier last year."
        refuse_beyond_memory(told, size * one, at_once=AT_ONCE, remedy=remedy)
        self.held = {name: np.full((size, *shape), np.nan) for name, shape in like.items()}
        self.runs, self.faults, self.warnings = [""] * size, [""] * size, [""] * size

    def add(self, made: Made) -> None:
        """Take the next point."""
        place, fault = self.done, made.fault or self._unlike(made)
        self.runs[place], self.faults[place] = ("" if fault else made.run), fault
        if not fault:
            self.warnings[place] = "\n".join(made.warnings)
            for name, rows in self.held.items():
                rows[place] = self._part(name, made)
        self.done += 1

    def _unlike(self, made: Made) -> str:
        """Say why a point cannot stand beside the others."""
        known = {*self.held}
        if more := sorted({*made.summary} - known):
            return f"has {more[0]}, which the scenario has not. Write it there, and change it at points."
        lost = sorted(known - {*made.summary})
        if lost := [name for name in lost if not name.startswith(("cap_", "constraint_", "binding_"))]:
            return f"has no {lost[0]}, which the scenario has."
        for name, limits in made.limits.items():
            if new := [each for each in limits if each not in self.limits.get(name, ())]:
                return f"has the limit {new[0]}, which the scenario has not. Write it there, and change it at points."
        same = (made.summary[name].shape == self.held[name].shape[1:] for name in ("crossed",) if name in self.held)
        return "" if all(same) else "has other thresholds than the scenario."

    def _part(self, name: str, made: Made) -> Any:
        """Give a variable of a point; where it has no such limit, what stands for none."""
        values, binding = made.summary.get(name), name.startswith("binding_")
        if values is not None and not binding:
            return values
        if values is None:
            return 0.0 if binding else np.nan if name.endswith("_error") else np.inf
        of = name.removesuffix("_error").removesuffix("_share")
        placed = np.zeros(self.held[name].shape[1:])
        placed[[self.limits[of].index(each) for each in made.limits[of]]] = values
        return placed

    def rows(self, first: int) -> Arrays:
        """Give what was added from a place on, as plain arrays."""
        span, texts = slice(first, self.done), (self.runs, self.faults, self.warnings)
        told = {name: np.array(each[span]) for name, each in zip(("runs", "faults", "warnings"), texts, strict=True)}
        return told | {f"held/{name}": values[span] for name, values in self.held.items()}

    def take(self, rows: Arrays) -> None:
        """Add what `rows` gave."""
        span = slice(self.done, self.done + rows["runs"].size)
        for own, name in ((self.runs, "runs"), (self.faults, "faults"), (self.warnings, "warnings")):
            own[span] = rows[name].tolist()
        for name, values in self.held.items():
            values[span] = rows[f"held/{name}"]
        self.done = span.stop


def _thinned(group: Group) -> Group:
    """Keep some quantiles of a summary."""
    told = xr.Dataset.isel(as_dataset(group), quantile=list(TOLD))
    return Group({str(name): each.variable for name, each in told.data_vars.items()},
                 {str(name): each.variable for name, each in told.coords.items()})  # fmt: skip


@dataclass(slots=True)
class UnfinishedDesign(Unfinished):
    """The folder in which a design leaves the points that are done, every `seconds` of work and when interrupted."""

    _first: int = 0

    def keep(self, stack: _Stack) -> None:
        """Write the points that were added since."""
        if stack.done > self._first:
            path = self.folder / f"points-{self._first:06}.npz"
            keep_in(self.folder, partial(write_arrays, path, stack.rows(self._first)))
        self._first, self._written = stack.done, time.monotonic()

    def restore(self, stack: _Stack) -> None:
        """Add the points that were written, as far as none is missing."""
        for path in sorted(self.folder.glob("points-*.npz")):
            rows = read_left(path, dict)
            if rows is None or int(path.stem.rpartition("-")[2]) != stack.done:
                break
            stack.take(rows)
        self._first = stack.done


def design_id(plan: DesignPlan) -> str:
    """Name a design by all that determines it: the scenario, what points set and are called, the format, the code."""
    base, design = run_id(plan.base, keep=plan.keep), plan.design
    said = json.dumps([design.kind, design.labels, [[each.name, each.values] for each in design.inputs]])
    return short_hash(base, said, str(SWEEP_FORMAT), source_digest())


def run_design(
    plan: DesignPlan,
    *,
    workers: Workers = 1,
    progress: Progress | None = None,
    unfinished: UnfinishedDesign | None = None,
) -> Sweep:
    """Run the points of a design that are not done, and join all; what fails at a point leaves that point out."""
    stack, size = _Stack(plan), plan.design.size
    if unfinished:
        unfinished.restore(stack)
    try:
        for made in _computed(plan, range(stack.done, size), workers=workers):
            stack.add(made)
            if unfinished and unfinished.due():
                unfinished.keep(stack)
            if progress:
                progress(stack.done, size)
    except BaseException:
        if unfinished:
            unfinished.keep(stack)
        raise
    if all(stack.faults):
        raise InputError(f"all {size:,} points fail; {plan.design.name(0)}: {stack.faults[0]}")
    return _joined(plan, stack)


def _computed(plan: DesignPlan, places: range, *, workers: Workers) -> Iterator[Made]:
    """Compute points in their order, several at a time."""
    text, changes = json.dumps(plan.base.data), plan.design.overrides
    if not isinstance(workers, Executor) and workers > 1 and places:
        began = time.perf_counter()
        yield from make_points(text, plan.keep, [changes(places[0])])
        places = places[1:]
        workers = workers if worth_processes((time.perf_counter() - began) * len(places)) else 1
    each = 1 if workers == 1 else max(1, min(TOGETHER, len(places) // (4 * width(workers))))
    done = side_by_side(
        [places[first : first + each] for first in range(0, len(places), each)],
        workers=workers,
        here=lambda job: make_points(text, plan.keep, [changes(place) for place in job]),
        there=lambda pool, job: submitted(pool, make_points, text, plan.keep, [changes(place) for place in job]),
    )
    yield from (made for _, several in done for made in several)


def _joined(plan: DesignPlan, stack: _Stack) -> Sweep:
    """Join points to one labelled dataset: dimension `point`, with the entries that are set as coordinates along it."""
    design, base = plan.design, plan.base
    coords: dict[str, Any] = {POINT: xr.Variable(POINT, np.array(design.axis.values), {"long_name": POINT})}
    told = []
    for each in design.inputs:
        label = input_words(each.name.removesuffix(f".{CENTRE}"), labels=base.labels)
        numbers = None if each.numbers is None else tuple(each.numbers.tolist())
        unit = each.unit or unit_of(base, Axis(each.name, (), (each.path,), numbers))
        values = each.numbers if each.numbers is not None else np.array(["none" if v is None else str(v)
                                                                        for v in each.values])  # fmt: skip
        coords[each.name] = xr.Variable(POINT, values, {"long_name": label} | ({"units": unit} if numbers else {}))
        told.append({"name": each.name, "label": label, "unit": unit, "log": each.log})
    attributes = run_attributes(base, keep="summary", store="netcdf", identity=design_id(plan))
    del attributes["run_format"]
    left = [place for place, fault in enumerate(stack.faults) if fault]
    about = {
        "sweep_format": SWEEP_FORMAT, **attributes, "sweep": axes_text((design.axis,), base), "points": design.size,
        "spread": design.kind, "inputs": json.dumps(told, ensure_ascii=False), "left_out": len(left),
    }  # fmt: skip
    summaries = {
        path: xr.Dataset(
            {
                name: xr.Variable((POINT, *each.dims), stack.held[_key(path, name)], dict(each.attrs))
                for name, each in like.data_vars.items()
            },
            coords=coords | dict(like.coords),
        )
        for path, like in stack.like.items()
    }
    points = {"run_id": (POINT, np.array(stack.runs), {"long_name": "run of the point"}),
              "fault": (POINT, np.array(stack.faults), {"long_name": "why the point is left out"})}  # fmt: skip
    sweep = Sweep.of(xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=about),
        **summaries,
        "points": xr.Dataset(points, coords=coords),
    }))  # fmt: skip
    sweep.attrs["warnings"] = "\n".join([*plan_warnings(base), *_left_out(plan, stack.faults), *_warned(plan, stack)])
    return sweep


def _left_out(plan: DesignPlan, faults: Sequence[str]) -> list[str]:
    """Say which points are left out, with their faults."""
    found: dict[str, list[int]] = {}
    for place, fault in enumerate(faults):
        if fault:
            found.setdefault(" ".join(fault.split()), []).append(place)
    count = sum(map(len, found.values()))
    if not count:
        return []
    firsts = [(places[0], fault) for fault, places in found.items()][:MOST_NAMED]
    said = "; ".join(f"{plan.design.name(place)}: {fault.removesuffix('.')}" for place, fault in firsts)
    more = f"; and {count - len(firsts)} more, in left_out.csv" if count > len(firsts) else ""
    return [f"{count} of {len(faults):,} points failed and are left out: {said}{more}"]


def _warned(plan: DesignPlan, stack: _Stack) -> list[str]:
    """Join the warnings of points; those that differ in their numbers alone are told once, with how many have one."""
    base, found = set(plan_warnings(plan.base)), dict[str, list[tuple[int, str]]]()
    for place, text in enumerate(stack.warnings):
        for line in text.splitlines():
            if line not in base:
                found.setdefault(_NUMBER.sub("", line), []).append((place, line))
    size = plan.design.size
    ordered = sorted(found.values(), key=lambda each: -len(each))
    lines = [
        f"at {len(each):,} of {size:,} points, first at {plan.design.name(each[0][0])}: {each[0][1]}"
        for each in ordered[:MOST_LINES]
    ]
    more = len(ordered) - MOST_LINES
    return [*lines, *([f"{more} more warnings of single points are not listed."] if more > 0 else [])]


__all__ = ["DesignPlan", "UnfinishedDesign", "design_id", "load_design", "run_design"]

"""The points of a sweep: a scenario for each combination of the values on its axes, made by overrides."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from simulator.errors import InputError, Place, PlacedFault, ScenarioError
from simulator.scenario.documents import text_document
from simulator.scenario.load import Groups, grouped, load_groups, resolver
from simulator.scenario.resolving import Scenario
from simulator.scenario.sweep_axes import WRITTEN, Axis, AxisPoint, check_paths, parse_over, read_axes
from simulator.schema.prior_names import slots

MOST_FAULTS = 12
"""Faults of a sweep that are said at once."""
MOST_POINTS = 5
"""Points of one fault that are named; the others are counted."""

_GIVEN = re.compile(r"'[^']*'|[-+]?\d[\d_.,]*(?:e[-+]?\d+)?", re.IGNORECASE)
"""What differs in a rule from point to point: what was given."""


@dataclass(frozen=True, slots=True)
class PointFaults:
    """The faults that a point has; `texts` are the changes that make it, as `path=value`."""

    name: str
    texts: tuple[str, ...]
    faults: tuple[PlacedFault, ...]


def joined_faults(points: Iterable[PointFaults]) -> list[PlacedFault]:
    """Put together the faults that differ only in the value that was given, with the points at which they come up."""
    found: dict[tuple[str, ...], tuple[PlacedFault, str, dict[str, None]]] = {}
    for point in points:
        for fault in point.faults:
            text = fault.place.file.removeprefix("--set ")
            own = text != fault.place.file and text in point.texts
            path, _, value = text.partition("=") if own else ("", "", "")
            key = (path or str(fault.place), fault.entry, _GIVEN.sub("", fault.rule), fault.remedy)
            at = value.replace('"', "") if own else point.name
            found.setdefault(key, (fault, path, {}))[2].setdefault(at)
    faults = sorted(_said(first, path, list(at)) for first, path, at in found.values())
    more = len(faults) - MOST_FAULTS
    if more <= 0:
        return faults
    last = _with(faults[MOST_FAULTS - 1], f"{more} more faults of the sweep are not listed.")
    return [*faults[: MOST_FAULTS - 1], last]


def _said(first: PlacedFault, path: str, points: Sequence[str]) -> PlacedFault:
    """Say a fault as it is first met, and the points that have it: values of the entry at `path`, or their names."""
    if not path:
        return _with(first, f"It comes up at {_listed(points, by='; ')}.")
    lines = [f"The same at {_listed(points[1:], by=', ')}."] * (len(points) > 1)
    return _with(replace(first, place=Place(f"at {path}={points[0]}")), *lines)


def _with(fault: PlacedFault, *lines: str) -> PlacedFault:
    return replace(fault, remedy="\n".join([fault.remedy, *lines]).strip())


def _listed(points: Sequence[str], *, by: str) -> str:
    more = len(points) - MOST_POINTS
    return by.join([*points[:MOST_POINTS], *([f"and {more} more"] if more > 0 else [])])


MOST_SAMPLES = 1_000_000_000
"""Samples of all points of a sweep; more are refused."""

_PLAIN = frozenset({"rank", "weight", "never", "df", "alpha", "beta", "shape"})
_UNITS = {"rate": "factor/year", "drift": "OOM/year", "date": "year", "duration": "year", "delay": "year"}

type Over = Mapping[str, Any] | Sequence[str]
"""What is swept: paths with their values, or texts as behind `--over`."""


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What a sweep runs: a scenario for each combination, the last axis running fastest."""

    base: Scenario
    axes: tuple[Axis, ...]
    points: tuple[Scenario, ...]

    @property
    def dims(self) -> tuple[str, ...]:
        """What its axes are called."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.points) for axis in self.axes)

    def name(self, point: int) -> str:
        """Name a point by its values."""
        return _point_name(self.axes, list(combinations(self.axes))[point])


def load_sweep(
    source: Scenario | FilePath | str, *, over: Over | None = None, overrides: Sequence[str] = ()
) -> SweepPlan:
    """Read a scenario and make the points of its sweep: of what `over` says, or the file's `sweep:` block."""
    groups = parted_source(source)
    resolve = resolver(groups)
    base = resolve(overrides, "")
    axes = groups.sweep
    if over:
        axes = read_axes(over) if isinstance(over, Mapping) else parse_over(over)
    if not axes:
        raise InputError(f"sweep: the file has no sweep block, and nothing is swept. {WRITTEN}")
    check_work(base, math.prod(len(axis.points) for axis in axes))
    for axis in axes:
        check_paths(base, axis)
    points = _points(resolve, axes, overrides)
    _check_alike(axes, points)
    return SweepPlan(base, tuple(replace(axis, unit=unit_of(points[0], axis)) for axis in axes), points)


def parted_source(source: Scenario | FilePath | str) -> Groups:
    """Read what is swept, and take it apart."""
    if isinstance(source, Scenario):
        return grouped(text_document(source.text(), "the scenario"), "the scenario")
    return load_groups(source)


def combinations(axes: Sequence[Axis]) -> Iterator[tuple[AxisPoint, ...]]:
    """List the points, by the step along each axis, the last running fastest."""
    return itertools.product(*(axis.points for axis in axes))


def check_work(base: Scenario, count: int) -> None:
    """Refuse a sweep of too many samples at so many points."""
    samples = base.spec.samples
    if count * samples > MOST_SAMPLES:
        raise InputError(
            f"sweep: {count:,} points of {samples:,} samples are {count * samples:,} samples; at most "
            f"{MOST_SAMPLES:,} are run. Write --samples {MOST_SAMPLES // count} or fewer, or take fewer points."
        )


def _points(
    resolve: Callable[[Sequence[str], str], Scenario], axes: Sequence[Axis], overrides: Sequence[str]
) -> tuple[Scenario, ...]:
    points: list[Scenario] = []
    faulty: list[PointFaults] = []
    for steps in combinations(axes):
        texts = [text for step in steps for text in step.overrides]
        try:
            point = resolve([*overrides, *texts], "")  # however it came by what it says
            told = tuple(line for line in point.warnings if not line.startswith("--set "))
            points.append(replace(point, overrides=(), warnings=told))
        except ScenarioError as error:
            faulty.append(PointFaults(_point_name(axes, steps), tuple(texts), error.faults))
        except InputError as error:
            raise InputError(f"at {_point_name(axes, steps)}: {str(error).replace('--set ', '')}") from None
    if faulty:
        raise ScenarioError(joined_faults(faulty))
    return tuple(points)


def _point_name(axes: Sequence[Axis], steps: Sequence[AxisPoint]) -> str:
    return ", ".join(f"{axis.name}={step.label}" for axis, step in zip(axes, steps, strict=True))


def _check_alike(axes: Sequence[Axis], points: Sequence[Scenario]) -> None:
    """Refuse points that cannot stand in one grid."""
    first = list(points[0].spec.thresholds)
    for steps, point in zip(combinations(axes), points, strict=True):
        if list(point.spec.thresholds) != first:
            raise InputError(
                f"at {_point_name(axes, steps)}: the thresholds are {', '.join(point.spec.thresholds) or 'none'}, and "
                f"{', '.join(first) or 'none'} at the first point. All points of a sweep have the same thresholds; "
                "their levels may be swept."
            )
    for attribute in ("seed", "samples", "block", "design", "years"):
        if any(getattr(point.spec, attribute) != getattr(points[0].spec, attribute) for point in points):
            raise InputError(f"sweep: {attribute} differs between points; they would not be on common draws.")


def unit_of(scenario: Scenario, axis: Axis) -> str:
    """Find the unit of an axis of numbers: that of the prior in which it stands."""
    if axis.numbers is None:
        return ""
    path = axis.paths[0]
    if path[-1] in _PLAIN:
        return "1"
    every = (slot for component in scenario.components for slot in slots(component.spec))
    slot = next((slot for slot in every if path[: len(slot.path)] == slot.path), None)
    return "1" if slot is None else slot.prior.unit or _UNITS.get(slot.kind) or slot.unit or "1"

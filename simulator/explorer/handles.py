"""What of a scenario can be changed: its priors, numbers, dates, switches and weights, by path."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simulator.errors import Path, as_path, dotted, item_part, number
from simulator.explorer.protocol import Kind
from simulator.explorer.restating import parts_in, plain
from simulator.priors.families import Fixed
from simulator.priors.fitting import understood
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.assumptions import is_belief, parts_of, stated_name
from simulator.scenario.layers import lookup
from simulator.scenario.resolving import Component, Scenario
from simulator.schema.events import NamedEvent
from simulator.schema.goals import Threshold
from simulator.schema.prior_names import Slot, entries_of, slots
from simulator.schema.quantities import Event, Level, Limit, MeanRate, Operation, Regime
from simulator.schema.spec import Driver, FeedbackPoint
from simulator.schema.words import input_words
from simulator.wording import listed

_REMOVABLE = ("jumps", "drift", "volatility", "feedback")
"""Entries of a level that can be taken away, beside its caps."""
_PROBABILITY, _RANK = (0.0, 1.0), (-0.99, 0.99)
_NEAR = 10.0
"""Years and powers of ten within which the handle of a date, or of a number, moves."""


@dataclass(frozen=True, slots=True)
class Handle:
    """Something of a scenario that can be changed.

    `path` names it; `at` is where it stands, `root` what is set there: the outermost prior or list in which it stands,
    or itself; in a mixture of scenarios in that `part` alone, or in all. `prior` is what is believed, where it is one
    or a part of one, and `slot` its place; `value` is a number in the unit of the file, or a weight. It is told in
    `unit`, which is `size` of that of the file, and its handle moves within `span`. What is switched off takes
    along what stands at the paths `also`, which would hang in the air.
    """

    path: str
    kind: Kind
    at: Path
    root: Path
    prior: NamedPrior | None = None
    slot: Slot | None = None
    value: float | None = None
    span: tuple[float, float] = (-math.inf, math.inf)
    unit: str = ""
    size: float = 1.0
    part: str = ""
    also: tuple[Path, ...] = ()

    @property
    def told(self) -> float | None:
        """The number in the unit in which it is told."""
        return None if self.value is None else plain(self.value / self.size)


def handles(scenario: Scenario, *, like: Mapping[str, Handle] | None = None) -> dict[str, Handle]:
    """List what of a scenario can be changed, in its order, by path; told in the units of others that are given.

    What all scenarios of a mixture say alike is one; else each has its own, below `mixture[name].changes`.
    """
    found = {each.path: each for each in _every(scenario)}
    if like is not None:
        return {path: replace(each, unit=like[path].unit, size=like[path].size)
                for path, each in found.items() if path in like}  # fmt: skip
    believed = {path: each.prior for path, each in found.items() if each.prior is not None}
    read = understood([prior.asked for prior in believed.values()])
    told = zip(believed, read, strict=True)
    return found | {path: replace(found[path], unit=each.unit, size=each.size) for path, each in told}


def _every(scenario: Scenario) -> Iterator[Handle]:
    components, said = scenario.components, parts_of(scenario)
    if len(components) == 1:
        yield from _handles(components[0])
        return
    for entry in scenario.data["mixture"]:
        name, weight = entry["name"], float(entry["weight"])
        yield Handle(f"mixture[{name}].weight", "weight", (), (), value=weight, span=_of_weight(weight), part=name)
    apart = [{each.path: each for each in _handles(entry)} for entry in components]
    for entry, own in zip(components, apart, strict=True):
        for path, handle in own.items():
            stated = [lookup(data, handle.root) for data in said.values()]
            shared = all(path in others for others in apart) and all(each == stated[0] for each in stated)
            if shared and own is apart[0]:
                yield handle
            elif not shared:
                yield replace(handle, path=f"mixture[{entry.name}].changes.{path}", part=entry.name)


def _handles(component: Component) -> Iterator[Handle]:
    priors, seen = component.joint.priors, set[str]()
    for slot in (*slots(component.spec), *component.own):
        name, prior = stated_name(slot.name), priors[slot.name]
        path = slot.path if name == slot.name else as_path(name)
        if name in seen or not is_belief(name) or "shock" in slot.path[-2:-1]:
            continue
        seen.add(name)
        if slot.prior.function is not None:
            yield from _points(slot, path)
        elif not prior.of:
            yield from _of_prior(replace(slot, path=path), prior)
    yield from _numbers(component)
    yield from _switches(component)


def _of_prior(slot: Slot, prior: NamedPrior) -> Iterator[Handle]:
    path = slot.path
    yield _believed(slot, prior, path)
    if slot.prior.never is not None:
        at = (*path, "never")
        yield Handle(dotted(at), "number", at, path, value=slot.prior.never, span=_PROBABILITY)
    yield from _parts(slot, path)


def _believed(slot: Slot, prior: NamedPrior, root: Path) -> Handle:
    """Give the handle of a prior: one number, or one that is drawn."""
    family = prior.stated if prior.prior.never is None else getattr(prior.stated, "base", prior.stated)
    if not isinstance(family, Fixed):
        return Handle(dotted(slot.path), "prior", slot.path, root, prior, slot)
    span = _near(family.value, date=prior.unit == "year")
    return Handle(dotted(slot.path), "number", slot.path, root, prior, slot, family.value, span)


def _of_weight(weight: float) -> tuple[float, float]:
    return 0.0, max(1.0, 2.0 * weight)


def _near(value: float, *, date: bool = False) -> tuple[float, float]:
    if date or value <= 0:
        return value - _NEAR, value + _NEAR
    return plain(value / _NEAR), plain(value * _NEAR)


def _parts(slot: Slot, root: Path) -> Iterator[Handle]:
    """List weight and prior of each part of a mixture, of mixtures within it too."""
    for place, weight in parts_in(slot):
        at = (*place.path, "weight")
        yield Handle(dotted(at), "weight", at, root, value=weight, span=_of_weight(weight))
        yield _believed(place, named_prior(place), root)
        yield from _parts(place, root)


def _points(slot: Slot, root: Path) -> Iterator[Handle]:
    """List what a function of another prior is at its points."""
    if slot.prior.function is not None:
        for point, value in slot.prior.function.points.items():
            at = (*root, "function", "points", point)
            yield Handle(dotted(at), "number", at, root, value=value, span=_near(value), unit=slot.prior.unit or "")


def _numbers(component: Component) -> Iterator[Handle]:
    """List the numbers that are no priors: dates, ranks of correlations, levels of tables, distances, weights."""
    spec = component.spec

    def found(at: Path, value: float, span: tuple[float, float], unit: str = "") -> Handle:
        return Handle(dotted(at), "number", at, at, value=value, span=span, unit=unit)

    for key in ("first", "last"):
        year = float(getattr(spec.years, key))
        yield found(("years", key), year, _near(year, date=True))
    levels: list[tuple[Path, Level | Operation]] = [*entries_of(Level, spec), *entries_of(Operation, spec)]
    for path, dated in levels:
        if dated.at is not None:
            yield found((*path, "at"), dated.at, _near(dated.at, date=True))
        for year_, value in (getattr(dated, "table", None) or {}).items():
            yield found((*path, "table", year_), value, _near(value), getattr(dated, "unit", None) or "")
    for path, point in entries_of(FeedbackPoint, spec):
        yield found((*path, "at"), point.at, _near(point.at), "FLOP")
    for path, threshold in entries_of(Threshold, spec):
        if threshold.within_oom is not None:
            yield found((*path, "within_oom"), threshold.within_oom, _near(threshold.within_oom), "OOM")
    for path, mean in entries_of(MeanRate, spec):
        for place, weight in enumerate(mean.weights or ()):
            at = (*path, "weights", place)
            yield Handle(dotted(at), "weight", at, at, value=weight, span=_of_weight(weight))
    for place, correlation in enumerate(spec.correlations):
        at = ("correlations", item_part(correlation, place), "rank")
        yield found(at, correlation.rank, _RANK)


def _switches(component: Component) -> Iterator[Handle]:
    """List what can be taken away: limits, jumps, random drift, feedback, events, and eras that wait for one.

    A limit that an event puts on goes with the event, without which it would always stand.
    """
    events = component.spec.events
    put_on = {on for event in events.values() for on in _put_on(event)}
    limits = [path for path, _ in entries_of(Limit, component.spec) if path not in put_on]
    added = [
        (*path, key)
        for path, level in entries_of(Level, component.spec)
        for key in _REMOVABLE
        if getattr(level, key, None) is not None and (key != "feedback" or isinstance(level, Driver))
    ]
    for path in (*limits, *added):
        yield Handle(dotted(path), "switch", path, path)
    for name in events:
        path = ("events", name)
        yield Handle(dotted(path), "switch", path, path, also=tuple(_with_event(events, name)))
    for path, era in entries_of(Regime, component.spec):
        if isinstance(era.from_, Event):
            yield Handle(dotted(path), "switch", path, path[:-1])


def _put_on(event: NamedEvent) -> set[Path]:
    """List the limits that an event puts on."""
    return {as_path(on) for effect in event.effects if effect.limit == "put-on" for on in effect.on}


def _with_event(events: Mapping[str, NamedEvent], name: str) -> Iterator[Path]:
    """List what goes with an event: the limits that it alone puts on, what it alone triggers, and what names these."""
    by = {other: {each for each, event in events.items() if other in event.triggers} for other in events}
    only = [other for other, event in events.items() if by[other] and event.from_ is None and event.hazard is None]
    gone = {name}
    while more := {other for other in only if other not in gone and by[other] <= gone}:
        gone |= more
    kept = {other: event for other, event in events.items() if other not in gone}
    yield from (("events", other) for other in events if other in gone and other != name)
    for other, event in kept.items():
        for key, named in (("triggers", event.triggers), ("delays", event.delays)):
            yield from (("events", other, key, each) for each in named if each in gone)
        if event.excludes and gone.issuperset(event.excludes):
            yield "events", other, "excludes"
    standing = {on for event in kept.values() for on in _put_on(event)}
    yield from sorted({on for each in gone for on in _put_on(events[each])} - standing, key=str)


_DATES = {"years.first": "first year", "years.last": "last year"}


def label_of(handle: Handle, scenario: Scenario) -> str:
    """Name a handle so that it says by itself what it is about."""
    if not handle.at:
        return f"weight of {handle.part}"
    words = _DATES.get(dotted(handle.at)) or _words(handle.at, scenario)
    return f"{words} ({handle.part})" if handle.part else words


def _words(path: Path, scenario: Scenario) -> str:
    """Say a path in words: what stands within a prior, or beside one, by what that is about."""

    def of(above: Path) -> str:
        return input_words(dotted(above), labels=scenario.labels)

    if path[0] == "correlations":
        between = lookup(next(iter(parts_of(scenario).values())), (*path[:2], "between")) or ()
        return f"rank correlation of {listed([of(as_path(str(name))) for name in between])}"
    if "mixture" in path:
        depth = path.index("mixture")
        part = f"{of(path[:depth])}, part {int(path[depth + 1]) + 1}"
        return f"weight of {part}" if path[-1] == "weight" else part
    if path[-2:-1] == ("weights",):
        return f"{of(path[:-2])}, weight {int(path[-1]) + 1}"
    if path[-1] == "never":
        return f"{of(path[:-1])}, chance of never"
    if path[-1] == "at" and "feedback" not in path:
        return f"{of(path[:-1])}, date of the start"
    if path[-2:-1] in (("points",), ("table",)):
        depth, word = (-3, "at") if path[-2] == "points" else (-2, "in")
        return f"{of(path[:depth])}, {word} {path[-1]}"
    return of(path)


def said_of(handle: Handle) -> str:
    """Write what is believed, or the number with its unit."""
    if handle.prior is not None and handle.kind == "prior":
        return handle.prior.understood
    return f"{number(handle.told or 0.0)} {handle.unit}".strip()

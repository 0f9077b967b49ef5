"""Faults of events: names that are none, circles, dates and chances out of range, effects on what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from simulator.errors import Fault, Path, as_path, dotted, items, near_name, number
from simulator.priors.joint import JointPrior
from simulator.schema.choices import LAWS
from simulator.schema.events import Effect, NamedEvent
from simulator.schema.prior_names import entries_of, events_of, stated_drivers
from simulator.schema.quantities import Event, Factor, Level, Limit
from simulator.schema.spec import Driver, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.stocks import Stock
from simulator.schema.uses import circles


def event_faults(spec: ScenarioSpec, joint: JointPrior | None) -> Iterator[Fault]:
    """Find what is wrong with the events of a scenario."""
    path: Path
    for path, event in events_of(spec):
        if event.event is not None:
            yield from _unknown(event.event, (*path, "event"), spec)
    if not spec.events:
        return
    for name, named in spec.events.items():
        path = ("events", name)
        others = [(("excludes", part), other) for part, other in enumerate(named.excludes)]
        others += [((key, other), other) for key in ("triggers", "delays") for other in getattr(named, key)]
        for below, other in others:
            yield from _unknown(other, (*path, *below), spec)
        if name in named.excludes:
            yield Fault((*path, "excludes"), "excludes itself.", "Once it has come it does not come again: remove it.")
        if named.from_ is None and named.hazard is None and name not in _triggered(spec):
            remedy = "Write from: a date, a prior over dates, {threshold: name} or {event: name}; or hazard: 8 %/year."
            yield Fault(path, "does not say when it comes, and no event triggers it.", remedy)
        for part, effect in items(named.effects):
            yield from _effect_faults(effect, (*path, "effects", part), spec)
    yield from _circle_faults(spec)
    yield from _own_threshold_faults(spec)
    yield from _chance_faults(spec, joint) if joint is not None else ()


def _triggered(spec: ScenarioSpec) -> set[str]:
    return {other for event in spec.events.values() for other in event.triggers}


def _unknown(name: str, path: Path, spec: ScenarioSpec) -> Iterator[Fault]:
    if name not in spec.events:
        remedy = near_name(name, spec.events) or "Define it under events."
        yield Fault(path, f"there is no event '{name}'.", remedy)


def _circle_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find events that refer to themselves, directly or through others."""
    uses: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in spec.events}
    for name, event in spec.events.items():
        for key, moment in (("from", event.from_), ("until", event.until)):
            if isinstance(moment, Event) and moment.event is not None:
                uses[name].setdefault(moment.event, (key, "event"))
        for key, others in (("triggers", event.triggers), ("delays", event.delays)):
            for other in others:
                uses.setdefault(other, {}).setdefault(name, ("", key))
    for name, way in circles({name: set(of) for name, of in uses.items()}):
        after = way.split(" -> ")[1]
        of, key = uses[name][after]
        at = ("events", name, of, key) if of else ("events", after, key, name)
        rule = f"refers to itself: {way}."
        yield Fault(at, rule, "Break the circle: let one of them come by a date, a probability or a hazard of its own.")


def _own_threshold_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find events that keep a threshold from being crossed for which they wait, directly or through others."""
    for name, event in spec.events.items():
        waits, seen, of = [name], set[str](), dict[str, str]()
        while waits:
            seen.add(each := waits.pop())
            moments = [one for one in (spec.events[each].from_, spec.events[each].until) if isinstance(one, Event)]
            of |= {one.threshold: each for one in moments if one.threshold}
            before = [one.event for one in moments if one.event in spec.events]
            before += [other for other in spec.events if each in spec.events[other].triggers]
            waits += [other for other in before if other not in seen]
        for part, effect in items(event.effects):
            for target in effect.on if effect.crossing else ():
                if (threshold := str(as_path(target)[-1])) in of:
                    by = "" if of[threshold] == name else f" through {of[threshold]}"
                    rule = f"keeps {threshold} from being crossed, for which {name} waits{by}."
                    at = ("events", name, "effects", part, "on")
                    yield Fault(at, rule, "Let it wait for another threshold, or for a level: {when: .., reaches: ..}.")


def _chance_faults(spec: ScenarioSpec, joint: JointPrior) -> Iterator[Fault]:
    """Find probabilities beyond 0 to 1, and two events of which one excludes the other on a day when both are sure."""
    days = {name: day for name, event in spec.events.items() if (day := _sure_day(name, event, joint)) is not None}
    for name, event in spec.events.items():
        path = ("events", name)
        if isinstance(event.from_, Prior) and isinstance(event.until, Prior):
            begin, end = (joint.priors[dotted((*path, key))].family.support for key in ("from", "until"))
            if end[1] <= begin[0]:
                rule = f"is {number(end[1])} at the latest; it begins in {number(begin[0])} or later."
                yield Fault((*path, "until"), rule, "Write a later date, or for: 3 years.")
        for part, other in enumerate(event.excludes):
            if name != other and name in days and days[name] == days.get(other):
                rule = f"both {name} and {other} are sure to come on one day, and only one of them may."
                yield Fault((*path, "excludes", part), rule, "Give one of them a probability, or another date.")
        stated: list[Path] = [(*path, "probability")] if event.probability is not None else []
        for at in stated + [(*path, "triggers", other) for other in event.triggers]:
            low, high = joint.priors[dotted(at)].family.support
            if low < 0.0 or high > 1.0:
                reach = f"to {number(low if low < 0.0 else high)}" if np.isfinite([low, high]).all() else "beyond"
                rule = f"is a probability, from 0 to 1; it reaches {reach}."
                yield Fault(at, rule, "Write 40 %, or truncate it: truncated: [0, 1]; or use family: beta.")


def _sure_day(name: str, event: NamedEvent, joint: JointPrior) -> float | str | Event | None:
    """Give the day on which an event comes for sure, as far as it can be held against that of another."""
    if event.probability is not None or event.hazard is not None or event.delay is not None:
        return None
    if not isinstance(event.from_, Prior):
        return event.from_
    return event.from_.input or joint.priors[dotted(("events", name, "from"))].value


def _effect_faults(effect: Effect, path: Path, spec: ScenarioSpec) -> Iterator[Fault]:
    """Find effects on what the scenario has not, or on what takes no such effect."""
    levels: Mapping[Path, Level] = dict(entries_of(Level, spec))
    limits: Mapping[Path, Limit] = dict(entries_of(Limit, spec))
    quantities = [named.path for named in spec.named.values() if not named.derived]
    known = list(dict.fromkeys([*levels, *limits, *quantities]))
    if effect.crossing:
        known = [("thresholds", name) for name in spec.thresholds]
    for place, target in enumerate(effect.on):
        at = (*path, "on") if len(effect.on) == 1 else (*path, "on", place)
        on = as_path(target)
        of = on[:-1] if effect.is_on_growth else on
        if of not in known or (effect.is_on_growth and of not in levels):
            names = [
                dotted(each) + ".growth" * effect.is_on_growth for each in (levels if effect.is_on_growth else known)
            ]
            remedy = near_name(target, names) or f"Name one of {', '.join(names[:8]) or 'those that are stated'}."
            what = "growth" if effect.is_on_growth else "threshold" if effect.crossing else "level or limit"
            yield Fault(at, f"there is no {what} '{target}'.", remedy)
        elif of in limits:
            law = LAWS.find(limits[of].kind)
            if effect.limit is not None and (law.step is not None or law.from_start):
                rule = f"is a limit of the kind {limits[of].kind}, which slows growth from the start on."
                yield Fault(at, rule, "A limit that comes and goes is hard, exponential or logistic.")
        elif effect.limit is not None:
            yield Fault(at, f"'{target}' is no limit.", "Name a cap or a constraint: constraints.power, for example.")
        elif of in levels:
            yield from _on_level(effect, at, of, levels[of], spec)


def _on_level(effect: Effect, at: Path, of: Path, level: Level, spec: ScenarioSpec) -> Iterator[Fault]:
    name = dotted(of)
    driver = stated_drivers(spec).get(str(of[1])) if of[0] == "drivers" else None
    custom, adds_up = isinstance(level, Factor) and level.custom, isinstance(level, Stock) and level.adds_up
    if effect.is_on_growth and (custom or adds_up or level.level is not None):
        what = "computed by a custom driver" if custom else "what is bought" if adds_up else "a quantity in every year"
        yield Fault(at, f"{name} is {what}.", "Name a level with growth of its own.")
    elif isinstance(level, Driver) and level.law is not None:
        yield Fault(at, f"{name} grows by a law.", "Change what the law takes: compute, or its quantities.")
    elif isinstance(level, Driver) and level.factors is not None and not (effect.is_on_growth and effect.rate is None):
        rule = f"{name} is the product of {', '.join(level.factors)}."
        first = next(iter(level.factors))
        yield Fault(at, rule, f"Name one of them: drivers.{of[1]}.factors.{first}{'.growth' * effect.is_on_growth}.")
    elif not effect.is_on_growth and driver is not None and driver.feedback and len(of) in (2, 4):
        rule = f"feedback bends {name} step by step."
        yield Fault(at, rule, f"Change its growth instead: on: {name}.growth.")

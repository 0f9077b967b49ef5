"""What of a scenario can be changed: its priors, numbers, dates, switches and weights, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simulator.errors import Path, dotted
from simulator.explorer.protocol import Kind
from simulator.priors.families import Fixed
from simulator.priors.fitting import understood
from simulator.priors.joint import NamedPrior, named_prior
from simulator.scenario.assumptions import NO_BELIEFS, stated_name
from simulator.scenario.resolving import Component, Scenario
from simulator.schema.prior_names import Slot, entries_of, slots
from simulator.schema.quantities import Level, Limit
from simulator.schema.spec import Driver
from simulator.schema.statements import Prior

_REMOVABLE = ("jumps", "drift", "volatility", "feedback")
"""Entries of a level that can be taken away, beside its caps."""


@dataclass(frozen=True, slots=True)
class Handle:
    """Something of a scenario that can be changed.

    `path` names it; `at` is where it stands, `root` what is set there: the outermost prior in which it stands, or
    itself. `prior` is what is believed, where it is one or a part of one; `value` a number in the unit of the file, or
    a weight. It is told in `unit`, which is `size` of that of the file.
    """

    path: str
    kind: Kind
    at: Path
    root: Path
    prior: NamedPrior | None = None
    value: float | None = None
    unit: str = ""
    size: float = 1.0


def handles(scenario: Scenario, *, like: Mapping[str, Handle] | None = None) -> dict[str, Handle]:
    """List what of a scenario can be changed, in its order, by path; told in the units of others that are given."""
    found = {each.path: each for each in _handles(scenario.components[0])}
    if like is not None:
        told = {path: (like[path].unit, like[path].size) for path in found if path in like}
    else:
        believed = {path: each.prior for path, each in found.items() if each.prior is not None}
        read = understood([prior.asked for prior in believed.values()])
        told = {path: (each.unit, each.size) for path, each in zip(believed, read, strict=True)}
    for path, (unit, size) in told.items():
        found[path] = replace(found[path], unit=unit, size=size)
    return found


def _handles(component: Component) -> Iterator[Handle]:
    spec, joint = component.spec, component.joint
    seen: set[str] = set()
    for slot in slots(spec):
        name, prior = stated_name(slot.name), joint.priors[slot.name]
        if name in seen or prior.of or name in NO_BELIEFS or ".shock[" in slot.name or slot.name.endswith(".shock"):
            continue
        seen.add(name)
        yield from _of_prior(slot, prior, name)
    yield from _switches(component)


def _of_prior(slot: Slot, prior: NamedPrior, name: str) -> Iterator[Handle]:
    path = slot.path
    family = prior.stated
    if isinstance(family, Fixed):
        yield Handle(name, "number", path, path, prior, family.value)
        return
    yield Handle(name, "prior", path, path, prior)
    yield from _parts(slot, prior.prior, path, slot.prior.unit)


def _parts(slot: Slot, prior: Prior, path: Path, unit: str | None) -> Iterator[Handle]:
    """List weight and prior of each part of a mixture, of mixtures within it too."""
    for index, part in enumerate(prior.mixture or ()):
        at = (*path, "mixture", index)
        own = part.model_copy(update={"unit": part.unit or unit})
        yield Handle(f"{dotted(at)}.weight", "weight", (*at, "weight"), slot.path, None, part.weight)
        made = named_prior(replace(slot, path=at, prior=own, asks=False))
        if isinstance(made.stated, Fixed):
            yield Handle(dotted(at), "number", at, slot.path, made, made.stated.value)
        else:
            yield Handle(dotted(at), "prior", at, slot.path, made)
            yield from _parts(slot, part, at, part.unit or unit)


def _switches(component: Component) -> Iterator[Handle]:
    """List what can be taken away: limits, jumps, random drift, feedback."""
    limits = {path for path, _ in entries_of(Limit, component.spec)}
    added = {
        (*path, key)
        for path, level in entries_of(Level, component.spec)
        for key in _REMOVABLE
        if getattr(level, key, None) is not None and (key != "feedback" or isinstance(level, Driver))
    }
    for path in sorted(limits | added, key=str):
        yield Handle(dotted(path), "switch", path, path)

"""What every batch of a run shares: its components, its years, its samples, the names of what it holds.

An ordinary scenario has one component. A weighted one has several; each sample then belongs to one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, dotted
from simulator.model.projection import Projection, year_grid
from simulator.priors.streams import blocks_uniforms
from simulator.scenario.actors import Actor
from simulator.scenario.resolving import Component, Scenario, words_of
from simulator.schema.actors import who_decides
from simulator.schema.base import MOST_LIMITS
from simulator.schema.drivers import CustomDriver, named_drivers
from simulator.schema.prior_names import events_of
from simulator.schema.spec import ScenarioSpec
from simulator.schema.subjects import binding_names, variable_names
from simulator.units import Array
from simulator.variables import SUBJECTS, headline, is_count


def plan_warnings(scenario: Scenario) -> tuple[str, ...]:
    """Give the warnings of a scenario, and of a mixture what is left out of its run."""
    parts = parts_of(scenario.components)
    if len(parts) == 1:
        return scenario.warnings
    kept, what = set(joint_variables(scenario.components)), "actor" if scenario.components[0].actors else "component"
    every = dict.fromkeys(name for component in scenario.components for name in variable_names(component.spec))
    left = [name for name in every if name not in kept]
    said = [f"left out of the run, since not every {what} has them: {', '.join(left)}."] if left else []
    return (*scenario.warnings, *said)


type Part = Component | Actor
"""What is projected for itself: a scenario of a run, or one of the actors of its one scenario."""


def parts_of(components: Sequence[Component]) -> tuple[Part, ...]:
    """List what a run projects: its actors, or else its scenarios."""
    return tuple(components[0].actors or components)


def joint_variables(components: Sequence[Component]) -> tuple[str, ...]:
    """Name the trajectories that samples of all parts of a run have: those in each, and those with a plain stand-in.

    A cap or constraint that a part does not know stands at +inf there, nothing of it binds, and what is demanded
    is what is had. An actor of which no models are counted has none.
    """
    every = [variable_names(part.spec) for part in parts_of(components)]
    of_all = [variable_names(components[0].spec)] if components[0].actors else every  # what actors are laid over
    names = dict.fromkeys(name for own in of_all for name in own)
    counted = {name for name in names if components[0].actors and is_count(name)}
    return tuple(
        name for name in names if name in counted or all(name in own or _may_stand_in(name, own) for own in every)
    )


def _may_stand_in(name: str, own: Sequence[str]) -> bool:
    limits = name.startswith(("cap_", "constraint_", "binding_")) and not name.endswith("_demanded")
    return limits or (name.endswith("_demanded") and name.removesuffix("_demanded") in own)


COMPONENT_STREAM = "mixture.component"
"""The name of the stream that says which component a sample belongs to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every batch of a run shares."""

    components: tuple[Component, ...]
    parts: tuple[Part, ...]
    """What is projected for itself: its components, or the actors of its one component."""
    projections: tuple[Projection, ...]
    """How draws become trajectories, for each part."""
    years: Array
    custom: Mapping[str, CustomDriver]
    limits: Mapping[str, tuple[str, ...]]
    """The limits behind the numbers 1, 2, ... of each `binding_*` variable, over all parts."""
    thresholds: Mapping[str, str]
    """The quantity that each threshold stands on, by the name of the threshold."""
    headline: str
    """The variable that the run is told by."""
    events: tuple[str, ...]
    """The events by name, and the paths of the dates at which eras wait for a path, over all components."""
    data: Mapping[str, Any] | None = None
    """The scenario as plain data, of which other processes make the same plan; None where they cannot."""

    @property
    def spec(self) -> ScenarioSpec:
        """What all components have in common: samples, seed, block, years, the names of thresholds."""
        return self.components[0].spec

    @property
    def actors(self) -> tuple[Actor, ...]:
        """The actors of its one component; none of most."""
        return self.components[0].actors

    @property
    def decides(self) -> dict[str, tuple[int, bool]]:
        """Of actors, whose crossing of each threshold counts, by name: see `who_decides`."""
        if not self.actors:
            return {}
        names = [part.name for part in self.parts]
        return {name: who_decides(threshold.by, names) for name, threshold in self.spec.thresholds.items()}

    @property
    def told(self) -> tuple[str, ...]:
        """What is kept of each actor: levels of drivers and compute, what the run is told by, counts of models."""
        kept = joint_variables(self.components)
        levels = (name for name in (*SUBJECTS, "effective_compute", self.headline) if name in kept)
        return tuple(dict.fromkeys((*levels, *filter(is_count, kept))))

    @property
    def words(self) -> dict[str, str]:
        """What the scenario calls its variables and thresholds, by name."""
        return words_of(self.components)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the priors of all components."""
        return tuple(dict.fromkeys(name for component in self.components for name in component.joint.priors))


def plan_of(
    components: tuple[Component, ...], *, custom: Mapping[str, CustomDriver] | None = None, years: Array | None = None
) -> Plan:
    """Plan a run of one component or several; drivers that they name are found, others are handed over as `custom`.

    `years` take the place of the scenario's. InputError: a driver that is named cannot be imported.
    """
    functions, parts = dict(custom or {}), parts_of(components)
    for part in parts:
        functions |= named_drivers(part.spec)
    years = year_grid(components[0].spec) if years is None else years
    of_actor = bool(components[0].actors)
    projections = tuple(Projection(part.spec, years=years, custom=functions, of_actor=of_actor) for part in parts)
    thresholds = {name: stand.quantity for name, stand in projections[0].stands.items()}
    told = headline(joint_variables(components), thresholds.values())
    events = tuple(dict.fromkeys(name for each in parts for name in _events(each.spec)))
    return Plan(components, parts, projections, years, functions, _limits(components), thresholds, told, events)


def _events(spec: ScenarioSpec) -> Iterator[str]:
    yield from spec.events
    for path, event in events_of(spec):
        if path[0] != "events" and event.event is None:
            yield dotted(path)


def _limits(components: Sequence[Component]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    parts: tuple[Part, ...] = (*components, *components[0].actors)
    for part in parts:
        for subject, limits in binding_names(part.spec, of_actor=isinstance(part, Actor)).items():
            if not isinstance(part, Actor) or subject in found:
                found.setdefault(subject, set()).update(limits)
    main = [f"binding_{subject}" for subject in SUBJECTS]  # these first, then what they are made of
    if many := next((name for name, limits in found.items() if len(limits) > 2 * MOST_LIMITS), ""):
        rule = f"components or actors have {len(found[many])} limits by name, and a run tells {2 * MOST_LIMITS} apart"
        raise InputError(f"{many}: {rule}. Call limits alike that are the same.")
    order = sorted(found, key=lambda name: main.index(name) if name in main else len(main))
    return {name: tuple(sorted(found[name])) for name in order}


def batch_length(block: int, most: int) -> int:
    """Tell how many samples make a batch of at most so many: whole blocks, and one at least."""
    return max(most // block, 1) * block


def component_of(plan: Plan, blocks: range, samples: int) -> NDArray[np.int16]:
    """Tell which component each of the first samples of some blocks belongs to, (sample,).

    The choice is one more dimension of the design, so that each block holds the components by their weights, as
    evenly as its other priors are spread; a sample is that of its component's own run.
    """
    spec = plan.spec
    uniforms = blocks_uniforms(
        [COMPONENT_STREAM], seed=spec.seed, blocks=blocks, size=spec.block, design=spec.design, samples=samples
    )[COMPONENT_STREAM]
    return component_at([component.weight for component in plan.components], uniforms)


def component_at(weights: Sequence[float], uniforms: Array) -> NDArray[np.int16]:
    """Tell which component each sample belongs to, by its uniform number of `COMPONENT_STREAM`."""
    edges = np.cumsum(weights)[:-1] / np.sum(weights)
    return np.searchsorted(edges, uniforms, side="right").astype(np.int16)

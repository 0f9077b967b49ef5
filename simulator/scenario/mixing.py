"""Scenarios mixed by weights: what each is called, what is changed of one alone, what they must have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from simulator.errors import Fault, InputError, as_path, dotted, shown
from simulator.scenario.documents import Document
from simulator.scenario.layers import placed
from simulator.scenario.overrides import change_line, parse_override
from simulator.scenario.resolving import Component, Scenario
from simulator.schema.base import Faults, Name, Spec, Text, Weight
from simulator.schema.spec import ScenarioSpec
from simulator.schema.subjects import stands_of
from simulator.wording import listed


class MixtureEntry(Spec):
    """One of the scenarios that a file mixes."""

    name: Name | None = None
    """The name by which its samples are read apart; that of the scenario without it."""
    weight: Weight
    """Its weight; the weights are divided by their sum."""
    scenario: Annotated[
        Annotated[Text, Tag("<name>")] | Annotated[dict[str, Any], Tag("<own>")],
        Discriminator(lambda given: "<own>" if isinstance(given, Mapping) else "<name>"),
    ]
    """A shipped scenario, a file such as ./team.yaml, or a whole scenario."""
    changes: dict[str, Any] | None = None
    """What is laid over it, and over what the file says for all."""


def part_name(entry: MixtureEntry, number: int) -> str:
    """Name one of the scenarios that are mixed."""
    if entry.name is not None:
        return entry.name
    if isinstance(entry.scenario, str):
        return FilePath(entry.scenario).stem
    return str(entry.scenario.get("name", f"component-{number + 1}"))


def part_names(entries: Sequence[MixtureEntry]) -> list[str]:
    """Name the scenarios that are mixed."""
    return [part_name(entry, number) for number, entry in enumerate(entries)]


def by_part(entries: Sequence[MixtureEntry], overrides: Sequence[str]) -> tuple[list[list[str]], list[float]]:
    """Tell changes of one scenario of a mixture, and of its weight, from those of all: those of each, and the weights.

    `mixture[NAME].changes.PATH=value` changes the one that is called so, or has that number.
    """
    names, own = part_names(entries), list[list[str]]([] for _ in entries)
    weights = [entry.weight for entry in entries]
    for text in overrides:
        path, value = as_path(str(text).partition("=")[0].strip()), str(text).partition("=")[2]
        if path[:1] != ("mixture",):
            for each in own:
                each.append(text)
            continue
        part = str(path[1]).strip("[]") if len(path) > 1 else ""
        number = int(part) if part.isdigit() else names.index(part) if part in names else len(names)
        if number >= len(names):
            rule = f"--set {text}: the scenario mixes {listed(names)}."
            raise InputError(f"{rule} Write for example mixture[{names[0]}].weight=0.5.")
        if path[2:3] == ("changes",) and path[3:]:
            own[number].append(f"{dotted(path[3:])}={value}")
        elif path[2:] == ("weight",):
            weights[number] = _weight(text)
        else:
            rule = f"--set {text}: of a scenario in a mixture its weight can be set, and its changes"
            raise InputError(f"{rule}: mixture[{names[number]}].changes.PATH=value.")
    return own, weights


def weight_of(value: object) -> float:
    """Read the weight of a scenario of a mixture as a file does; Faults where it is none."""
    return MixtureEntry.read({"scenario": "-", "weight": value}).weight


def _weight(text: str) -> float:
    """Read the weight that an override gives a scenario of a mixture."""
    try:
        return weight_of(parse_override(text).value)
    except Faults as error:
        raise InputError(f"--set {text}: {error.faults[0].rule} {error.faults[0].remedy}".strip()) from None


def mixed_of(
    entries: Sequence[MixtureEntry], whole: Document, resolved: Mapping[str, Scenario], weights: Sequence[float]
) -> Scenario:
    """Mix scenarios that were checked, each by its weight; `whole` is the file that mixes them."""
    weighed, total = list(zip(resolved.items(), weights, strict=True)), sum(weights)
    components = tuple(
        Component(name, weight / total, each.spec, each.joint, each.components[0].actors)
        for (name, each), weight in weighed
    )
    if disagreements := list(_disagreements(components)):
        raise placed(disagreements, whole)
    parts = [{"name": name, "weight": weight, "scenario": dict(each.data)} for (name, each), weight in weighed]
    told = [
        change_line(("mixture", f"[{name}]", "weight"), entry.weight, weight)
        for name, entry, weight in zip(resolved, entries, weights, strict=True)
        if weight != entry.weight
    ]
    lines = dict.fromkeys(line for each in resolved.values() for line in each.overrides)
    shared = [line for line in lines if all(line in each.overrides for each in resolved.values())]
    told += [line for line in lines if line not in shared]  # what is changed in all is told last
    data = {"schema": 2, "name": components[0].spec.name, "mixture": parts}
    return Scenario(components, data, whole.places, (*told, *shared), _warnings(resolved))


def _disagreements(components: Sequence[Component]) -> Iterator[Fault]:
    """Find what the components must have in common and have not."""
    head, first = components[0].spec, components[0].name
    for number, component in enumerate(components):
        if component.spec.history is not None and component.spec.history.fit is None:
            rule = f"'{component.name}' has not learnt from its history yet."
            yield Fault(("mixture", number), rule, "Run it by itself, and mix the scenario.yaml of its run folder.")
        if component.actors:
            rule = f"'{component.name}' has actors ({listed([each.name for each in component.actors])})."
            remedy = "Mix within it, by a prior that is a mixture or an event with a probability; "
            remedy += "or take them away with actors: null beside mixture."
            yield Fault(("mixture", number), rule, remedy)
    for number, component in enumerate(components[1:], start=1):
        spec, path = component.spec, ("mixture", number)
        for key in ("years", "samples", "seed", "block", "design", "subject", "dollars"):
            ours, theirs = getattr(head, key), getattr(spec, key)
            if ours != theirs:
                rule = f"has {key} {_said(theirs)} where '{first}' has {_said(ours)}."
                yield Fault(path, rule, f"Write {key} beside mixture: it then holds for all.")
        if others := {name for name, _ in set(_thresholds(head).items()) ^ set(_thresholds(spec).items())}:
            rule = f"declares other thresholds than '{first}': '{min(others)}', for one."
            yield Fault(path, rule, "Write thresholds beside mixture, and take others away with null.")
        if (head.capability is None) != (spec.capability is None):
            rule = f"has {'no' if spec.capability is None else 'a'} capability metric, unlike '{first}'."
            yield Fault(path, rule, "Write capability beside mixture, or take it away with null.")


def _said(value: object) -> str:
    if isinstance(value, Spec):
        return shown(value.model_dump(exclude_none=True))
    return shown(value)


def _thresholds(spec: ScenarioSpec) -> dict[str, tuple[str, bool]]:
    return {name: (stand.quantity, stand.falls) for name, stand in stands_of(spec).items()}


def _warnings(resolved: Mapping[str, Scenario]) -> tuple[str, ...]:
    """Join the warnings of the components; one that all have is said once."""
    every = dict.fromkeys(line for scenario in resolved.values() for line in scenario.warnings)
    told = {line: [name for name, scenario in resolved.items() if line in scenario.warnings] for line in every}
    return tuple(line if len(of) == len(resolved) else f"{', '.join(of)}: {line}" for line, of in told.items())

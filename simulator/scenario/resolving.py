"""From a document to a `Scenario`: library entries, overrides, checks, faults by place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from simulator.errors import Fault, Path, Place, ScenarioError, as_path, dotted, number
from simulator.priors.joint import JointPrior, NamedPrior
from simulator.scenario.checks import check_scenario
from simulator.scenario.documents import Document, yaml_text
from simulator.scenario.faults import concerns, entry_root, faults_of, remaining_faults
from simulator.scenario.layers import (
    Override,
    apply_override,
    expand_priors,
    known_path,
    lookup,
    parse_override,
    placed,
    text_keys,
)
from simulator.scenario.library import library_entry
from simulator.schema.spec import ScenarioSpec

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, slots=True)
class Component:
    """One scenario of a run: the name by which it is read apart, its weight, what it says, its priors."""

    name: str
    weight: float
    spec: ScenarioSpec
    joint: JointPrior


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that has been read and checked.

    `components` are what it says with its priors on the internal scale: one, or several where it mixes scenarios by
    weights; `data` the same as plain data with every library entry written out, from which the scenario can be read
    again; `places` where each entry stands; `overrides` what was changed from outside, as `path: old -> new`;
    `warnings` what the reader should look at; `fit` the posterior that its priors were learnt from, where they were.
    """

    components: tuple[Component, ...]
    data: Mapping[str, Any]
    places: Mapping[Path, Place]
    overrides: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    fit: DataTree | None = field(default=None, compare=False, repr=False)

    @property
    def spec(self) -> ScenarioSpec:
        """What it says; of several components, what the first says: they share years, samples and thresholds."""
        return self.components[0].spec

    @property
    def joint(self) -> JointPrior:
        """Its priors; of several components, those of the first."""
        return self.components[0].joint

    @property
    def priors(self) -> dict[str, NamedPrior]:
        """Every prior by name; of a name that several components have, that of the first of them."""
        return {name: prior for each in reversed(self.components) for name, prior in each.joint.priors.items()}

    @property
    def must_learn(self) -> bool:
        """Whether it names a history that its priors have not learnt from yet."""
        histories = [component.spec.history for component in self.components]
        return any(history is not None and history.fit is None for history in histories)

    @property
    def hash(self) -> str:
        """The SHA-256 of what it says, whatever the order of its keys."""
        return data_hash(self.data)

    def text(self) -> str:
        """Write the resolved scenario as YAML that reads back as the same scenario."""
        return yaml_text(self.data)


def data_hash(data: Any) -> str:
    """Hash plain data, whatever the order of its keys."""
    text = json.dumps(text_keys(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def resolve(document: Document, overrides: Sequence[str] = ()) -> Scenario:
    """Check a document and give the scenario that it says.

    Raises
    ------
    ScenarioError
        It has faults: all of them.
    """
    log: list[str] = []
    warnings: list[str] = []
    for text in overrides:
        expanded = expand_priors(document, library_entry).data
        override = parse_override(text)
        override = replace(override, path=known_path(expanded, override.path))
        before = lookup(expanded, override.path)
        document = apply_override(_with_statement(document, expanded, override.path), override)
        name = dotted(override.path)
        log.append(f"{name}: {_short(before)} -> {_short(override.value)}")
        if before == override.value:
            warnings.append(f"--set {text} changes nothing: {name} is {_short(before)} already.")
    document = expand_priors(document, library_entry)
    try:
        spec = ScenarioSpec.model_validate(text_keys(document.data))
    except ValidationError as error:
        faults = faults_of(error, ScenarioSpec)
        raise _every_fault(document, faults) from None
    if document.faults:
        raise _every_fault(document, [])
    checked = check_scenario(spec)
    if checked.joint is None or checked.faults:
        raise placed(checked.faults, document)
    component = Component(spec.name, 1.0, spec, checked.joint)
    return Scenario((component,), document.data, document.places, tuple(log), (*warnings, *checked.warnings))


def _with_statement(document: Document, expanded: Any, path: Path) -> Document:
    """Write a group of numbers out that only a library entry states, where one of them is to be set."""
    for length in range(1, len(path)):
        inherited = lookup(expanded, path[:length])
        if lookup(document.data, path[:length]) is None and isinstance(inherited, Mapping | list):
            return apply_override(document, Override(path[:length], inherited, dotted(path)))
    return document


def _every_fault(document: Document, faults: Sequence[Fault]) -> ScenarioError:
    """Join the faults of reading, those of single entries, and those that the rest of the scenario has."""
    if any(fault.entry == "extends" for fault in document.faults):
        return ScenarioError(document.faults)  # the rest can only be judged together with what it extends
    data = text_keys(document.data)
    broken = [as_path(fault.entry) for fault in document.faults]
    roots = {entry_root(data, path) for path in broken}
    own = [fault for fault in faults if not concerns(fault.path, roots)]
    return placed([*own, *remaining_faults(data, [*broken, *(fault.path for fault in own)])], document)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return number(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

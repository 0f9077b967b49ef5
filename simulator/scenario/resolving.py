"""From a document to a `Scenario`: library entries, overrides, checks, faults by place."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from simulator.errors import Fault, InputError, Path, Place, ScenarioError, as_path, dotted, number, shown
from simulator.priors.joint import JointPrior, NamedPrior
from simulator.scenario import layers
from simulator.scenario.checks import check_scenario
from simulator.scenario.documents import Document, yaml_text
from simulator.scenario.faults import concerns, entry_root, remaining_faults
from simulator.scenario.layers import lookup, placed, text_keys
from simulator.scenario.library import library_entry
from simulator.schema.prior_names import input_words
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Faults
from simulator.wording import cut

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, slots=True)
class Component:
    """One scenario of a run: the name by which it is read apart, its weight, what it says, its priors."""

    name: str
    weight: float
    spec: ScenarioSpec
    joint: JointPrior


MOST_LINES, MOST_ROWS = 15, 40
"""Lines and rows of priors by which a scenario is shown where it is looked at."""


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """A scenario that has been read and checked, from `load_scenario`.

    Parameters
    ----------
    components : tuple of Component
        What it says, with its priors on the internal scale: one, or several where it mixes scenarios by weights.
    data : mapping
        The same as plain data with every library entry written out, from which it can be read again.
    places : mapping of path to Place
        Where each entry stands.
    overrides : tuple of str
        What was changed from outside, as `path: old -> new`.
    warnings : tuple of str
        What the reader should look at.
    fit : xarray.DataTree, optional
        The posterior that its priors were learnt from.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> load_scenario("essay-2023", overrides=["samples=64"])
    essay-2023: Three factors with regimes (essay, 2023)
      64 samples, seed 0, years 2012 to 2043 by year
      0 uncertain of 25 priors
      thresholds: gpt-4, 20x-gpt-4, 1000x-gpt-4, million-x-gpt-4, hundred-billion-dollar-run
      overrides: samples: 256 -> 64
    """

    components: tuple[Component, ...]
    data: Mapping[str, Any]
    places: Mapping[Path, Place]
    overrides: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    fit: DataTree | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        spec, years = self.spec, self.spec.years
        span = f"years {number(years.first)} to {number(years.last)} by {years.step}"
        lines = [f"{spec.name}: {spec.title}" if spec.title else spec.name]
        lines.append(f"  {spec.samples:,} samples, seed {spec.seed}, {span}")
        if len(self.components) > 1:
            lines.append(f"  mixture of {', '.join(f'{each.name} ({each.weight:.3g})' for each in self.components)}")
        lines.append(f"  {self.counted}")
        lines += [f"  thresholds: {', '.join(spec.thresholds)}"] if spec.thresholds else []
        lines += [f"  overrides: {'; '.join(self.overrides)}"] if self.overrides else []
        lines += [f"  warning: {line}" for line in self.warnings]
        lines = lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "  ..."]
        return "\n".join(cut(" ".join(line.splitlines()), width=200) for line in lines)

    def _repr_html_(self) -> str:
        rows = []
        for name, prior in list(self.priors.items())[:MOST_ROWS]:
            source = prior.prior.source or ("" if prior.value is not None else "no source")
            cells = (input_words(name), prior.understood, prior.stated_unit or prior.unit, source)
            rows.append(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>")
        head = "".join(f"<th>{word}</th>" for word in ("prior", "understood", "unit", "source"))
        more = len(self.priors) - MOST_ROWS
        rest = f"<p>{more} more priors</p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return f"<pre>{html.escape(repr(self))}</pre>{table}{rest}"

    @property
    def counted(self) -> str:
        """How many priors it has, and how many of them are drawn."""
        uncertain = sum(len(component.joint.uncertain) for component in self.components)
        return f"{uncertain} uncertain of {sum(len(component.joint.priors) for component in self.components)} priors"

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
    """Check a document and give the scenario that it says."""
    log: list[str] = []
    warnings: list[str] = []
    if isinstance(overrides, str):
        raise InputError(f"overrides: must be a list of texts path=value; got the text {shown(overrides)} alone.")
    given = list(overrides) if isinstance(overrides, Iterable) else [overrides]
    if wrong := [each for each in given if not isinstance(each, str)]:
        raise InputError(f"overrides: must be a list of texts path=value; got {shown(wrong[0])}.")
    for text in given:
        expanded = layers.expand_priors(document, library_entry).data
        override = layers.parse_override(text)
        override = replace(override, path=layers.known_path(expanded, override.path))
        before = lookup(expanded, override.path)
        document = layers.apply_override(_with_statement(document, expanded, override.path), override)
        name = dotted(override.path)
        log.append(f"{name}: {_short(before)} -> {_short(override.value)}")
        if before == override.value:
            warnings.append(f"--set {text} changes nothing: {name} is {_short(before)} already.")
    document = layers.expand_priors(document, library_entry)
    try:
        spec = ScenarioSpec.read(text_keys(document.data))
    except Faults as error:
        raise _every_fault(document, error.faults) from None
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
            return layers.apply_override(document, layers.Override(path[:length], inherited, dotted(path)))
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

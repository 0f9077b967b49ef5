"""From a document to a `Scenario`: library entries, overrides, checks, faults by place."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from simulator.errors import MOST_FAULTS, Fault, InputError, Path, Place, ScenarioError, as_path, dotted, number, shown
from simulator.priors.joint import JointPrior, NamedPrior
from simulator.scenario import layers
from simulator.scenario.actors import Acting, Actor, resolve_actors
from simulator.scenario.canonical import in_order
from simulator.scenario.checks.whole import check_scenario
from simulator.scenario.dating import dated
from simulator.scenario.documents import Document, yaml_text
from simulator.scenario.layers import lookup, placed, text_keys
from simulator.scenario.library import library_entry, read_columns
from simulator.scenario.overrides import (
    Override,
    apply_override,
    change_line,
    meets,
    parse_override,
    units_alone,
    value_text,
    written_out,
)
from simulator.scenario.remaining import by_number, concerns, entry_root, remaining_faults
from simulator.schema.base import Faults
from simulator.schema.prior_names import Slot, slots
from simulator.schema.spec import ScenarioSpec
from simulator.schema.subjects import variable_words
from simulator.schema.words import input_words, labels_of
from simulator.units import Array
from simulator.wording import cut, listed

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, slots=True)
class Component:
    """One scenario of a run: the name by which it is read apart, its weight, what it says, its priors."""

    name: str
    weight: float
    spec: ScenarioSpec
    joint: JointPrior = field(compare=False)  # follows from what it says
    actors: tuple[Actor, ...] = field(default=(), compare=False)
    """Its actors, whose own priors are among its priors."""
    own: tuple[Slot, ...] = field(default=(), compare=False)
    """Where the priors stand that its actors have for themselves."""

    def draws(self, draws: Mapping[str, Array]) -> Mapping[str, Array]:
        """Take its draws: all."""
        return draws


MOST_LINES, MOST_ROWS = 15, 40
"""Lines and rows of priors by which a scenario is shown where it is looked at."""


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """A scenario that has been read and checked, from `load_scenario`; it equals another that says the same.

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

    components: tuple[Component, ...] = field(compare=False)  # follow from the data
    data: Mapping[str, Any]
    places: Mapping[Path, Place] = field(compare=False)
    overrides: tuple[str, ...] = field(default=(), compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)
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
        rows, labels = [], self.labels
        for name, prior in list(self.priors.items())[:MOST_ROWS]:
            source = prior.prior.source or ("" if prior.value is not None else "no source")
            cells = (input_words(name, labels=labels), prior.understood, prior.stated_unit or prior.unit, source)
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
    def labels(self) -> dict[str, str]:
        """The labels of its entries by dotted path; of an entry of several components, that of the first of them."""
        return {path: label for each in reversed(self.components) for path, label in labels_of(each.spec).items()}

    @property
    def words(self) -> dict[str, str]:
        """What its variables and thresholds are called, by name."""
        return words_of(self.components)

    @property
    def must_learn(self) -> bool:
        """Whether it names a history that its priors have not learnt from yet."""
        histories = [component.spec.history for component in self.components]
        return any(history is not None and history.fit is None for history in histories)

    @property
    def algorithm_years(self) -> tuple[float, ...]:
        """The years in which its algorithms are 1: that of which they are dated, else the first."""
        specs = [component.spec for component in self.components]
        return tuple(sorted({getattr(each.drivers.algorithms, "at", None) or each.years.first for each in specs}))

    @property
    def hash(self) -> str:
        """The SHA-256 of what it says, whatever the order of its keys."""
        return data_hash(self.data)

    def text(self) -> str:
        """Write the resolved scenario as YAML that reads back as the same scenario."""
        return yaml_text(self.data)


def words_of(components: Sequence[Component]) -> dict[str, str]:
    """Say what variables, thresholds and actors (`actor:NAME`) are called; of several components, as the first does."""
    actors = {f"actor:{each.name}": each.label for each in components[0].actors}
    return actors | {name: word for each in reversed(components) for name, word in variable_words(each.spec).items()}


def data_hash(data: Any) -> str:
    """Hash plain data, whatever the order of its keys."""
    text = json.dumps(text_keys(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def resolve(document: Document, overrides: Sequence[str] = ()) -> Scenario:
    """Check a document and give the scenario that it says."""
    return checked(*overridden(document, overrides))


def overridden(document: Document, overrides: Sequence[str]) -> tuple[Document, list[str], list[str]]:
    """Lay overrides over a document; tell what each changed, and warn of those that change nothing.

    And of limits that an event no longer puts on, by an override or by a file that extends another.
    """
    log: list[str] = []
    warnings: list[str] = []
    if isinstance(overrides, str):
        raise InputError(f"overrides: must be a list of texts path=value; got the text {shown(overrides)} alone.")
    given = list(overrides) if isinstance(overrides, Iterable) else [overrides]
    if wrong := [each for each in given if not isinstance(each, str)]:
        raise InputError(f"overrides: must be a list of texts path=value; got {shown(wrong[0])}.")
    expanded, touched, before = document, list[Path](), document
    changes = [parse_override(text) for text in given]
    for override in changes:
        if not touched or meets(override.path[:-1], touched):  # else what it stands in is as it was
            expanded, touched = layers.expand_priors(document, library_entry), []
        document, lines, idle = _changed(document, expanded, override)
        touched.append(override.path[:-1])
        log += lines
        warnings += idle
    units_alone(changes, before, document)
    return document, log, [*warnings, *limits_left(before, document)]


def limits_left(before: Document, after: Document) -> list[str]:
    """Warn of limits that an event put on in a document, or in what it was laid over, and none does any more."""
    found = (layers.left_limits(each.data, after.data).items() for each in _lineage(before))
    told = "always stands, as events.{} no longer puts it on; null takes it away too."
    return [f"{limit}: {told.format(event)}" for limit, event in dict(chain.from_iterable(found)).items()]


def checked(document: Document, log: Sequence[str], warnings: Sequence[str]) -> Scenario:
    """Check a document in which nothing is left to change."""
    written = read_columns(layers.expand_priors(dated(document), library_entry))
    document = replace(written, data=in_order(written.data))
    try:
        spec = ScenarioSpec.read(text_keys(document.data))
    except Faults:
        raise _as_written(written) from None
    if document.faults:
        raise _every_fault(document, [])
    acting = resolve_actors(document, spec, _checked_actor) if spec.actors else Acting()
    document, spec, lost = _without_lost(document, spec, acting)
    found = check_scenario(acting.judged(spec), acting.slots)
    document = replace(document, faults=tuple(acting.faults))
    if found.joint is None:
        raise acting.told_once(_every_fault(document, found.faults))
    if found.faults or acting.faults:
        raise acting.told_once(placed(found.faults, document))
    component = Component(spec.name, 1.0, spec, found.joint, acting.actors, acting.slots)
    own = layers.place_of(document.places, ()).file  # what it extends may hold more than it needs
    unused = [each for each in found.unused if layers.place_of(document.places, ("quantities", each)).file == own]
    idle = {each: f"quantities.{each}: nothing uses it; with a label it is an output." for each in spec.quantities}
    said = (*(idle[each] for each in unused), *found.warnings)
    known = (*said, *idle.values(), *(f"inputs.{each}: nothing uses it." for each in spec.inputs))
    said = tuple(line for line in said if "nothing uses it" not in line or acting.all_say(line))
    told = (*warnings, *lost, *said, *acting.told(known))
    return Scenario((component,), document.data, document.places, tuple(log), told)


def _checked_actor(document: Document) -> tuple[ScenarioSpec, tuple[str, ...]]:
    actor = checked(document, (), ())
    return actor.spec, actor.warnings


def _without_lost(document: Document, spec: ScenarioSpec, acting: Acting) -> tuple[Document, ScenarioSpec, list[str]]:
    """Leave out the correlations of which a later layer took a partner away, with a line for each."""
    names = {slot.name for slot in (*slots(spec), *acting.slots)} if spec.correlations else set()
    files = [layers.place_of(each.places, ()).file for each in _lineage(document)]

    def age(place: Place) -> int:  # of what was changed from outside -1, of the own file 0, of what it extends 1, ...
        return -1 if layers.is_override(place) else files.index(place.file) if place.file in files else 0

    kept, lines = list[int](), list[str]()
    for at, each in enumerate(spec.correlations):
        own = age(layers.place_of(document.places, ("correlations", at)))
        gone = {name: layers.place_of(document.places, layers.positions(document.data, as_path(name)))
                for name in each.between if name not in names}  # fmt: skip
        if gone and all(age(place) < own for place in gone.values()):
            pair, lost = " and ".join(each.between), listed(list(gone))
            is_are = "is" if len(gone) == 1 else "are"
            lines.append(f"the correlation of {pair} is left out: {lost} {is_are} gone by {next(iter(gone.values()))}.")
        else:
            kept.append(at)
    if not lines:
        return document, spec, []
    data = {**document.data, "correlations": [document.data["correlations"][at] for at in kept]}
    moved = {("correlations", old): new for new, old in enumerate(kept)}
    places = {(path[0], moved[path[:2]], *path[2:]) if path[:2] in moved else path: place  # type: ignore[index]
              for path, place in document.places.items()}  # fmt: skip
    left = tuple(spec.correlations[at] for at in kept)
    return replace(document, data=data, places=places), spec.model_copy(update={"correlations": left}), lines


def _lineage(document: Document | None) -> Iterator[Document]:
    """List a document and what it was laid over, one after the other."""
    while document is not None:
        yield document
        document = document.parent


def _changed(document: Document, expanded: Document, given: Override) -> tuple[Document, list[str], list[str]]:
    """Apply one override; what was changed as `path: old -> new`, and a warning where that is nothing."""
    log, idle = list[str](), list[str]()
    for override in written_out(given, document, expanded, library_entry):
        before, name = lookup(expanded.data, override.path), dotted(override.path)
        document = apply_override(_with_statement(document, expanded, override.path), override)
        log.append(change_line(override.path, before, override.value))
        if before == override.value:
            idle.append(f"--set {given.text} changes nothing: {name} is {value_text(before)} already.")
    return document, log, idle


def _with_statement(document: Document, expanded: Document, path: Path) -> Document:
    """Write a group of numbers out that only a library entry states, where one of them is to be set."""
    for length in range(1, len(path)):
        root = path[:length]
        inherited = lookup(expanded.data, root)
        if lookup(document.data, root) is None and isinstance(inherited, Mapping | list):
            written = apply_override(document, Override(root, inherited, dotted(path)))
            beside = (*root[:-1], "unit")  # the numbers are in that of the entry
            if lookup(written.data, beside) is None and (unit := lookup(expanded.data, beside)) is not None:
                written = apply_override(written, Override(beside, unit, dotted(path)))
            kept = {at: place for at, place in expanded.places.items() if at[:length] == root}  # paths count from there
            return replace(written, places={**written.places, **kept})
    return document


def _as_written(document: Document) -> ScenarioError:
    """Give the faults of a document that cannot be read, in the order of its file."""
    try:
        ScenarioSpec.read(text_keys(document.data))
    except Faults as error:
        return _every_fault(document, error.faults)
    return _every_fault(document, [])


def _every_fault(document: Document, faults: Sequence[Fault]) -> ScenarioError:
    """Join the faults of reading, those of single entries, and those that the rest of the scenario has."""
    if any(fault.entry == "extends" for fault in document.faults):
        return ScenarioError(document.faults)  # the rest can only be judged together with what it extends
    if len(faults) > MOST_FAULTS:  # nobody reads what is wrong beside these
        return placed(faults, document)
    data = text_keys(document.data)
    broken = [layers.positions(data, as_path(fault.entry)) for fault in document.faults]
    roots = {entry_root(data, path) for path in broken}
    own = [fault for fault in by_number(data, faults) if not concerns(fault.path, roots)]
    return placed([*own, *remaining_faults(data, [*broken, *(fault.path for fault in own)])], document)

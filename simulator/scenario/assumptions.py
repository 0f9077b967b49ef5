"""The assumptions of a scenario: every number, what was understood of it, and where it comes from."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from simulator.dates import last_day_of
from simulator.errors import Path, Place, as_path, dotted, items, number
from simulator.priors.fitting import GIVEN, Understood, three_digits
from simulator.priors.joint import NamedPrior
from simulator.scenario.differences import ORIGIN, in_short, span_in_short
from simulator.scenario.documents import Document, file_document
from simulator.scenario.layers import entries_in, expand_priors, lookup, place_of, positions, text_keys
from simulator.scenario.library import find_scenario, library_entry, parent_file, read_extended, shipped_folder
from simulator.scenario.resolving import Scenario
from simulator.schema.amounts import number_of
from simulator.schema.prior_families import SPANS
from simulator.schema.prior_names import unit_alone
from simulator.schema.statements import is_prior, is_statement
from simulator.schema.words import SECTIONS, in_words, input_words
from simulator.wording import raised, scientific

NO_BELIEFS = ("component", "models.runs")
"""Drawn numbers that nobody believes anything about: of which part a sample is, from which its runs are drawn."""


def is_belief(name: str) -> bool:
    """Tell whether somebody believes something about a drawn number; not so of the chance of an event."""
    chance = name.startswith("events.") and name.endswith(".occurs")
    return not chance and name not in NO_BELIEFS and not name.endswith(".models.runs")


_CHOICES = ("above", "within_oom", "bins")
OWN = "own judgement"
_SHAPES = ("mixture", *SPANS, "function", "input")


@dataclass(frozen=True, slots=True)
class Statement:
    """What is assumed of one number.

    `value` is the number, or its median and 90 % interval, with its unit; `shape` the family, empty where it is fixed;
    `origin` where it comes from (source, url, doi, as_of, confidence, notes, library); `parts` weight and statement of
    each part of a mixture; `components` which parts of a mixture of scenarios say so (empty: all).
    """

    value: str
    shape: str
    origin: Mapping[str, str]
    parts: tuple[tuple[float, Statement], ...] = ()
    components: tuple[str, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether the number has no spread."""
        return not self.shape

    @property
    def standing(self) -> str:
        """How the number is backed: "source", "own judgement" or "no source"."""
        source = self.origin.get("source", "")
        return OWN if source.lower().startswith(OWN) else "source" if source else "no source"


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number of the scenario: its path, what it is about, its name in words, and what is said of it."""

    path: str
    about: str
    words: str
    statements: tuple[Statement, ...]


def parts_of(scenario: Scenario) -> dict[str, Mapping[str, Any]]:
    """Give what a scenario says as plain data; of a mixture, that of each part by name (else the name is empty)."""
    if len(scenario.components) == 1:
        return {"": scenario.data}
    return {str(part["name"]): part["scenario"] for part in scenario.data["mixture"]}


def assumptions(scenario: Scenario, *, understood: bool = True) -> list[Assumption]:
    """List every number of a scenario, in its order: as it was understood, or only as it is stated."""
    parts = parts_of(scenario)
    priors, labels = scenario.priors, scenario.labels
    read = {stated_name(name): prior for name, prior in priors.items()} if understood else {}
    found: dict[Path, dict[str, tuple[Any, list[str]]]] = {}
    for component, (name, data) in zip(scenario.components, parts.items(), strict=True):
        for section in SECTIONS:
            for path, entry in _entries(data.get(section), (section,)):
                prior = component.joint.priors.get(dotted(path))
                key = json.dumps(entry) + (prior.understood if prior is not None and prior.of else "")
                found.setdefault(path, {}).setdefault(key, (entry, []))[1].append(name)
    result = []
    for path, entries in found.items():
        prior = read.get(dotted(path)) if len(entries) == 1 else None
        said = []
        for entry, of in entries.values():
            some = tuple(of) if len(of) < len(parts) else ()
            said.append(replace(statement(entry, prior, unit=unit_alone(path)), components=some))
        result.append(Assumption(dotted(path), _about(path), in_words(path, labels=labels), tuple(said)))
    listed = {each.path for each in result}
    for name, prior in priors.items() if understood else ():  # shocks, which no file states, and what actors say
        if stated_name(name) not in listed and is_belief(name):
            words = input_words(name, labels=labels)
            result.append(Assumption(name, _about(tuple(name.split("."))), words, (statement(None, prior),)))
    return result


def knowledge(scenario: Any) -> dt.date | None:
    """Find the last day of which a prior of a scenario's data knew, by the `as_of` that priors state.

    Thresholds are left out: the level that a threshold stands for is no knowledge of when it is reached.
    """
    stated = (
        str(value) for path, value in entries_in(scenario) if path[-1:] == ("as_of",) and "thresholds" not in path
    )
    return max(map(last_day_of, stated), default=None)


def delayed_thresholds(scenario: Any) -> set[str]:
    """Name the thresholds of a scenario's data whose date comes a delay after they are crossed."""
    return {str(path[-2]) for path, _ in entries_in(scenario) if path[-3:-2] == ("thresholds",) and path[-1] == "delay"}


def stated_name(name: str) -> str:
    """Name the prior that a drawn number is of, where it is drawn anew for each year."""
    return re.sub(r"\[[0-9]{4}\]$", "", name)


def _entries(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Walk down to the numbers: priors, bare numbers, tables of levels."""
    if isinstance(value, Mapping) and (path == ("capability",) or not is_prior(value)):
        for key, inner in value.items():
            if key == "table":
                yield (*path, "table"), inner
            elif (path[-1:] == ("models",) and key in _CHOICES) or (key == "label" and isinstance(inner, str)):
                continue  # what is asked, and a name that begins with a number: no estimate
            elif key not in ORIGIN and (key != "at" or "feedback" in path):  # the year of a start is no estimate
                yield from _entries(inner, (*path, str(key)))
    elif isinstance(value, list):
        for part, inner in items(value):
            yield from _entries(inner, (*path, part))
    elif is_prior(value) or (path[-1:] == ("from",) and isinstance(value, str)):  # a date
        yield path, value


def statement(entry: Any, prior: NamedPrior | None = None, *, unit: str = "") -> Statement:
    """Say what is assumed of a number: by its prior as it was understood, or by what is stated.

    `unit` is that of a number that states none.
    """
    stated = entry if isinstance(entry, Mapping) else {}
    if prior is not None and (prior.is_use or not stated):
        stated = prior.prior.model_dump(exclude_none=True)
    elif "input" in stated:
        stated = {"source": f"as inputs.{stated['input']}"}
    origin = {key: str(stated[key]) for key in ORIGIN if stated.get(key) is not None}
    if "prior" in origin:
        origin["library"] = origin.pop("prior")
    parts = entry.get("mixture", ()) if isinstance(entry, Mapping) else ()
    inner = tuple((number_of(part.get("weight", 1)), statement(part)) for part in parts)
    value, shape = _as_stated(entry, unit) if prior is None else _as_understood(prior.read)
    return Statement(raised(value), shape, origin, inner)


def _as_understood(read: Understood) -> tuple[str, str]:
    """Write the numbers with their unit, logs as what they are the log of; and name the family."""
    unit = read.unit
    shown: Callable[[float], str] = three_digits
    if unit.startswith("log10(") and read.shape:
        unit, shown = unit.removeprefix("log10(").removesuffix(")"), _power
    text = number(read.median)
    if read.shape:
        text = f"{shown(read.median)} (90 %: {shown(read.low)} to {shown(read.high)})"
    text = f"{text} {unit}" if unit not in ("", "1") else text
    given = f" {_never(read.never)}" if read.never else ""
    settled = f" by {read.by}" if read.by and not read.shape else ""
    return text + given + settled, read.shape or ("one number" if read.never else "")


def _power(log: float) -> str:
    """Write ten to a power to three digits, also where it is beyond what a float holds."""
    return three_digits(10.0**log) if abs(log) < 300 else scientific(log, ".3g")


def _never(share: float) -> str:
    return f"{GIVEN}, never with {100 * share:.3g} %"


def _as_stated(entry: Any, default: str) -> tuple[str, str]:
    """Write plain data in short; a table of levels by its ends."""
    if not isinstance(entry, Mapping):
        return f"{in_short(entry)} {default}".strip(), ""
    if not is_prior(entry):
        years = list(entry)
        ends = [f"{in_short(entry[year])} in {year}" for year in (years[0], years[-1])] if years else []
        return f"{len(years)} levels by year: {' to '.join(ends)}", ""
    rest = {key: value for key, value in entry.items() if key not in (*ORIGIN, "weight", "dollars", "label")}
    unit = str(rest.pop("unit", default))
    unit = "" if unit in ("", "1") or not {"mixture", "input"}.isdisjoint(rest) else f" {unit}"
    if set(rest) == {"value"}:
        return f"{in_short(rest['value'])}{unit}", ""
    shape = rest.pop("family", "") or next((key for key in _SHAPES if key in entry), "family not stated")
    words, cuts = list(_stated_numbers(rest)), list(_stated_bounds(rest))
    more = [f"{key} {in_short(value)}" for key, value in rest.items()]
    return ", ".join([f"{' '.join(words)}{unit}".strip(), *more, *cuts]).removeprefix(", "), str(shape)


def _stated_numbers(rest: dict[str, Any]) -> Iterator[str]:
    """Take the numbers of a prior out of it, in words."""
    if "mixture" in rest:
        yield f"mixture of {len(rest.pop('mixture'))} parts"
    if "input" in rest:
        yield f"the input {rest.pop('input')}"
    if "function" in rest:
        function = rest.pop("function")
        points = ", ".join(f"{in_short(y)} at {number(float(x))}" for x, y in function["points"].items())
        yield f"{points} of {function['of']}"
    if "value" in rest:
        yield in_short(rest.pop("value"))
    spans = [key for key in rest if key.startswith("interval_")]
    said = ", ".join(f"{key.removeprefix('interval_')} %: {span_in_short(rest.pop(key))}" for key in spans)
    if "median" in rest:
        yield in_short(rest.pop("median"))
        said = f"({said})" if said else ""
    if said:
        yield said
    for key in SPANS:
        if key in rest:
            yield span_in_short(rest.pop(key))
    if "quantiles" in rest:
        points = rest.pop("quantiles")
        yield ", ".join(f"{100 * float(level):g} %: {in_short(value)}" for level, value in points.items())


def _stated_bounds(rest: dict[str, Any]) -> Iterator[str]:
    """Take the bounds of a prior out of it, in words."""
    low, high = rest.pop("truncated", None) or (None, None)
    low, high = rest.pop("lower", low), rest.pop("upper", high)
    if low is not None:
        yield f"at least {in_short(low)}"
    if high is not None:
        yield f"at most {in_short(high)}"
    if "never" in rest:
        yield _never(number_of(rest.pop("never")))


def _about(path: Path) -> str:
    """Name what a number is about: a driver, or a section of the scenario."""
    return str(path[1]) if path[0] == "drivers" and len(path) > 1 else str(path[0])


SET = "--set "


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a prior comes from: `file:line` or the `--set` that gave it, and the entry of the library with its place.

    `replaced` is what it stands in the place of: what the command line changed, the library entry some of whose numbers
    the file restates, or what the extended scenario says; empty where there is nothing.
    """

    stated: str
    library: str = ""
    replaced: str = ""


def lineage(source: FilePath | str) -> tuple[Document, ...]:
    """Read a scenario file as it stands, and the scenarios that it extends, the nearest first, each whole."""
    file = find_scenario(source)
    document = file_document(file)
    parent = document.data.get("extends")
    found = parent_file(parent, file.parent) if parent is not None else None
    above = lineage(found) if isinstance(found, FilePath) else ()
    return (expand_priors(read_extended(file), library_entry), *above)


def provenances(scenario: Scenario, *, documents: Sequence[Document] = ()) -> dict[str, Provenance]:
    """Tell where each prior of a scenario comes from, by name."""
    paths = {name: positions(scenario.data, as_path(name)) for name in scenario.joint.priors}
    return {name: _provenance(scenario, path, documents) for name, path in paths.items()}


def _provenance(scenario: Scenario, path: Path, documents: Sequence[Document]) -> Provenance:
    place = place_of(scenario.places, path)
    entry = lookup(scenario.data, path)
    changes = _set_here(scenario, path)
    stated = place_text(place)
    if changes and not place.file.startswith(SET):
        stated = f"{stated}, {', '.join(sorted({at.file for at in changes}))}"
    library = _library(scenario.places, path, entry)
    if changes or _log(scenario, path):
        return Provenance(stated, library, _before(documents[:1], path, None) or _log(scenario, path))
    replaced = [_restated(scenario.places, path, entry), _before(documents[1:], path, place)]
    return Provenance(stated, library, "; ".join(filter(None, replaced)))


def _set_here(scenario: Scenario, path: Path) -> list[Place]:
    """List the changes from the command line to an entry, to one above it, or to one below it."""
    below = [at for inner, at in scenario.places.items() if inner[: len(path)] == path and at.file.startswith(SET)]
    place = place_of(scenario.places, path)
    return below or ([place] if place.file.startswith(SET) else [])


def _library(places: Mapping[Path, Place], path: Path, entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return ""
    if isinstance(entry.get("mixture"), list):
        parts = [_library(places, (*path, "mixture", index), part) for index, part in enumerate(entry["mixture"])]
        return "; ".join(filter(None, parts))
    name = entry.get("prior")
    if not isinstance(name, str):
        return ""
    own = place_of(places, (*path, "prior")).file
    inherited = [places[inner] for key in entry if (inner := (*path, str(key))) in places]
    at = next((place for place in sorted(inherited) if place.file != own and not place.file.startswith(SET)), None)
    return f"{name} ({place_text(at)})" if at else name


def _log(scenario: Scenario, path: Path) -> str:
    """Say what the command line changed, as it was noted when the scenario was read."""
    said = []
    for line in scenario.overrides:
        changed, _, values = line.partition(": ")
        root = positions(scenario.data, as_path(changed))
        if root[: len(path)] == path or path[: len(root)] == root:
            part = dotted(root[len(path) :])
            said.append(f"{f'{part} ' if part else ''}{values.split(' -> ')[0]}")
    return "; ".join(said)


def _before(documents: Sequence[Document], path: Path, place: Place | None) -> str:
    """Say what the nearest document has that does not state an entry at the same place."""
    for document in documents:
        before, at = lookup(document.data, path), place_of(document.places, path)
        if before is not None and (place is None or at.file != place.file):
            return f"{in_short(before)} ({place_text(at)})"
    return ""


def _restated(places: Mapping[Path, Place], path: Path, entry: Any) -> str:
    """Say what a library entry states, where the file beside it states other numbers."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("prior"), str):
        return ""
    at = place_of(places, (*path, "prior"))
    own = [key for key in entry if is_statement(key) and place_of(places, (*path, str(key))).file == at.file]
    if not own:
        return ""
    stated = library_entry(entry["prior"], at).data
    if all(text_keys(entry[key]) == text_keys(stated.get(key)) for key in own):
        return ""  # the same numbers, written out as a run stores them
    return f"{in_short(stated)} (library {entry['prior']})"


def place_text(place: Place) -> str:
    """Write a place as `file:line`; a shipped file by its folder and name, and one below this folder from here on."""
    path = FilePath(place.file)
    if place.file.startswith(SET):
        return place.file
    shown = place.file
    if path.parent in (shipped_folder("scenarios"), shipped_folder("priors")):
        shown = f"{path.parent.name}/{path.name}"
    elif path.is_absolute() and path.is_relative_to(FilePath.cwd()):
        shown = str(path.relative_to(FilePath.cwd()))
    return f"{shown}:{place.line}" if place.line else shown

"""The assumptions of a run, read off the resolved scenario that it carries: every number, and where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import xarray as xr

from simulator.errors import Path, Place, as_path, dotted, number
from simulator.scenario.differences import ORIGIN, STATES, in_short
from simulator.scenario.documents import Document, load_document, mapping_document
from simulator.scenario.layers import expand_priors, lookup, place_of, text_keys
from simulator.scenario.library import find_scenario, library_entry, parent_file, read_extended, shipped_folder
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_names import SECTIONS, in_words
from simulator.schema.statements import is_statement
from simulator.wording import raised

NO_BELIEFS = ("component", "models.runs")
"""Drawn numbers that nobody believes anything about: of which part a sample is, from which its runs are drawn."""
_CHOICES = ("above", "within_oom", "bins")
OWN = "own judgement"

_UNDERSTOOD = re.compile(
    r"(?P<shape>.+?), median (?P<median>\S+) \(90 % (?P<low>\S+) to (?P<high>\S+)\)"
    r"(?: with \S+ %, never with (?P<never>\S+) %)?(?P<unit> .+)?"
)
_SHAPES = ("mixture", "uniform", "log-uniform", "function")


@dataclass(frozen=True, slots=True)
class Statement:
    """What is assumed of one number.

    Parameters
    ----------
    value : str
        The number, or its median and 90 % interval, with its unit.
    shape : str
        The family of the prior; empty where the number is fixed.
    origin : what is said of where it comes from: source, url, doi, as_of, confidence, notes, library
    parts : weight and statement of each part of a mixture
    components : which parts of a mixture of scenarios say so; empty: all
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


def scenarios_of(run: xr.DataTree) -> dict[str, Mapping[str, Any]]:
    """Read the resolved scenario of a run; of a mixture, that of each part by name (otherwise the name is empty)."""
    data = json.loads(str(run.attrs["scenario"]))
    if isinstance(data.get("mixture"), list):
        return {str(part["name"]): part["scenario"] for part in data["mixture"]}
    return {"": data}


def assumptions(run: xr.DataTree) -> list[Assumption]:
    """List every number of a run's scenario, in the order of the scenario.

    Where the run kept its samples, priors are given as they were understood; otherwise as they are stated.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> first = assumptions(simulate(load_scenario("baseline", overrides=["samples=256"])))[0]
    >>> first.about, first.words, first.statements[0].value
    ('spending', 'start', '3.89 × 10⁸ (90 %: 1.82 × 10⁸ to 8.3 × 10⁸) USD')
    """
    parts = scenarios_of(run)
    drawn = run["parameters"].to_dataset() if "parameters" in run.children else xr.Dataset()
    found: dict[Path, dict[str, tuple[Any, list[str]]]] = {}
    labels: dict[str, str] = {}
    for component, scenario in parts.items():
        labels |= {name: str(each["label"]) for name, each in _named(scenario, "thresholds") if each.get("label")}
        for section in SECTIONS:
            for path, entry in _entries(scenario.get(section), (section,)):
                alike = found.setdefault(path, {}).setdefault(json.dumps(entry), (entry, []))
                alike[1].append(component)
    result = []
    drawn_as = {stated_name(str(key)): str(key) for key in drawn.data_vars}
    for path, entries in found.items():
        name = dotted(path)
        one = len(entries) == 1 and name in drawn_as
        attrs: Mapping[Any, Any] = drawn[drawn_as[name]].attrs if one else {}
        said = [
            replace(statement(entry, attrs, unit=usual_unit(path)), components=_some(of, len(parts)))
            for entry, of in entries.values()
        ]
        result.append(Assumption(name, _about(path), in_words(path, labels=labels), tuple(said)))
    for key, values in drawn.data_vars.items():  # of a driver of the caller's own, or of a foreign run file
        own = str(key)
        if stated_name(own) not in {each.path for each in result} and own not in NO_BELIEFS:
            result.append(Assumption(own, _about(tuple(own.split("."))), own, (statement({}, values.attrs),)))
    return result


def stated_name(name: str) -> str:
    """Name the prior that a drawn number is of, where it is drawn anew for each year.

    Examples
    --------
    >>> stated_name("models.largest_share[2027]"), stated_name("drivers.spending.growth[0].rate")
    ('models.largest_share', 'drivers.spending.growth[0].rate')
    """
    return re.sub(r"\[[0-9]{4}\]$", "", name)


def _some(components: Sequence[str], count: int) -> tuple[str, ...]:
    return tuple(components) if len(components) < count else ()


def _named(scenario: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, spec in (scenario.get(section) or {}).items():
        if isinstance(spec, Mapping):
            yield str(name), spec


def is_prior(value: Any) -> bool:
    """Tell whether plain data states a prior."""
    return isinstance(value, Mapping) and any(
        key in STATES or key == "prior" or key.startswith("interval_") for key in map(str, value)
    )


def _entries(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Walk down to the numbers: priors, bare numbers, tables of levels."""
    if isinstance(value, Mapping) and (path == ("capability",) or not is_prior(value)):
        for key, inner in value.items():
            if key == "table":
                yield (*path, "table"), inner
            elif path == ("models",) and key in _CHOICES:
                continue  # what is asked, and no estimate
            elif key not in ORIGIN and (key != "at" or "feedback" in path):  # the year of a start is no estimate
                yield from _entries(inner, (*path, str(key)))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _entries(inner, (*path, place))
    elif isinstance(value, Mapping) or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield path, value


def statement(entry: Any, attrs: Mapping[str, Any], *, unit: str = "") -> Statement:
    """Say what is assumed of a number: from the attributes of the drawn parameter where there are any.

    `unit` is that of a number that states none.
    """
    origin: dict[str, str] = {}
    if isinstance(entry, Mapping):
        origin = {key: str(entry[key]) for key in ORIGIN if entry.get(key) is not None}
    origin |= {key: str(attrs[key]) for key in (*ORIGIN, "library") if key in attrs}
    if "prior" in origin:
        origin["library"] = origin.pop("prior")
    parts = entry.get("mixture", ()) if isinstance(entry, Mapping) else ()
    inner = tuple((float(part.get("weight", 1)), statement(part, {})) for part in parts)
    if "understood" in attrs:
        value, shape = _as_understood(str(attrs["understood"]), str(attrs.get("units", "1")))
    else:
        value, shape = _as_stated(entry, unit)
    return Statement(value, shape, origin, inner)


def usual_unit(path: Path) -> str:
    """Name the unit of a number that states none, by its place; empty where it has none.

    Examples
    --------
    >>> usual_unit(("drivers", "spending", "growth", 0, "rate")), usual_unit(("thresholds", "big", "spending"))
    ('factor/year', 'USD')
    """
    if path[-1] in ("rate", "growth"):
        return "factor/year"
    units = {"effective_compute": "FLOP", "physical_compute": "FLOP", "spending": "USD"}
    return units.get(str(path[-1]), "") if path[0] == "thresholds" else ""


def _as_understood(text: str, units: str) -> tuple[str, str]:
    """Take apart what was understood: the numbers with their unit, and the family."""
    match = _UNDERSTOOD.fullmatch(text)
    if not match:
        value, _, unit = text.partition(" ")
        return raised(f"{value} {_unit(unit, units)}".strip()), ""
    unit = (match["unit"] or "").strip()
    low, median, high = match["low"], match["median"], match["high"]
    if re.fullmatch(r"log10\(.+\)", unit):  # a mixture, which is told on the internal scale
        low, median, high = (f"{10 ** (float(x) % 1):.2g}e{int(float(x) // 1)}" for x in (low, median, high))
        unit = "" if unit == "log10(1)" else unit[6:-1]
    never = f", none at all with {match['never']} %" if match["never"] else ""
    return raised(f"{median} (90 %: {low} to {high}) {_unit(unit, units)}".strip()) + never, match["shape"]


def _unit(unit: str, units: str) -> str:
    """Name a unit that the file left out by what the number is stored in."""
    if unit == "1":
        return ""
    if unit or units in ("1", "year", "years", "log10(1)"):
        return unit
    return "factor/year" if units == "OOM/year" else units.removeprefix("log10(").removesuffix(")")


def _as_stated(entry: Any, default: str) -> tuple[str, str]:
    """Write plain data in short; a table of levels by its ends."""
    if not isinstance(entry, Mapping):
        return raised(f"{in_short(entry)} {default}".strip()), ""
    if not is_prior(entry):
        years = list(entry)
        ends = [f"{in_short(entry[year])} in {year}" for year in (years[0], years[-1])] if years else []
        return raised(f"{len(years)} levels by year: {' to '.join(ends)}"), ""
    rest = {key: value for key, value in entry.items() if key not in (*ORIGIN, "weight", "dollars")}
    unit = str(rest.pop("unit", default))
    unit = "" if unit in ("", "1") or "mixture" in rest else f" {unit}"
    if set(rest) == {"value"}:
        return raised(f"{in_short(rest['value'])}{unit}"), ""
    shape = str(rest.pop("family", ""))
    words = list(_stated_numbers(rest))
    cuts = list(_stated_bounds(rest))
    shape = shape or next((key for key in _SHAPES if key in entry), "family not stated")
    more = [f"{key} {in_short(value)}" for key, value in rest.items()]
    return raised(", ".join([f"{' '.join(words)}{unit}".strip(), *more, *cuts]).removeprefix(", ")), shape


def _stated_numbers(rest: dict[str, Any]) -> Iterator[str]:
    """Take the numbers of a prior out of it, in words."""
    if "mixture" in rest:
        yield f"mixture of {len(rest.pop('mixture'))} parts"
    if "function" in rest:
        function = rest.pop("function")
        points = ", ".join(f"{in_short(y)} at {number(float(x))}" for x, y in function["points"].items())
        yield f"{points} of {function['of']}"
    if "value" in rest:
        yield in_short(rest.pop("value"))
    middle = "median" in rest
    if middle:
        yield in_short(rest.pop("median"))
    spans = [key for key in rest if key.startswith("interval_")]
    said = [f"{key.removeprefix('interval_')} %: {_span(rest.pop(key))}" for key in spans]
    if said:
        yield f"({', '.join(said)})" if middle else ", ".join(said)
    for key in ("uniform", "log-uniform"):
        if key in rest:
            yield _span(rest.pop(key))
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
        yield f"none at all with {100 * float(rest.pop('never')):g} %"


def _span(ends: Any) -> str:
    return " to ".join(map(in_short, ends)) if isinstance(ends, list) and len(ends) == 2 else in_short(ends)


def _about(path: Path) -> str:
    """Name what a number is about: a driver, or a section of the scenario."""
    return str(path[1]) if path[0] == "drivers" and len(path) > 1 else str(path[0])


SET = "--set "


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a prior comes from.

    Parameters
    ----------
    stated : str
        `file:line` of the entry, or the `--set` that gave it.
    library : str
        The entry of the library with its `file:line`; of a mixture, those of its parts; empty where there is none.
    replaced : str
        What it stands in the place of: what the command line changed, the library entry some of whose numbers the file
        restates, or what the extended scenario says; empty where there is nothing.
    """

    stated: str
    library: str = ""
    replaced: str = ""


def lineage(source: FilePath | str) -> tuple[Document, ...]:
    """Read a scenario file as it stands, and the scenarios that it extends, the nearest first, each whole.

    Examples
    --------
    >>> [document.data["name"] for document in lineage("tight-caps")]
    ['tight-caps', 'baseline']
    """
    file = find_scenario(source)
    document = mapping_document(load_document(file, keep_faults=True), str(file))
    parent = document.data.get("extends")
    found = parent_file(parent, file.parent) if parent is not None else None
    above = lineage(found) if isinstance(found, FilePath) else ()
    return (expand_priors(read_extended(file), library_entry), *above)


def provenances(scenario: Scenario, *, documents: Sequence[Document] = ()) -> dict[str, Provenance]:
    """Tell where each prior of a scenario comes from, by name.

    Parameters
    ----------
    scenario : Scenario
        Of one component.
    documents : sequence of Document
        From `lineage`; without them nothing is said of what the extended scenario says.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> found = provenances(load_scenario("baseline", overrides=["drivers.algorithms.growth=1.5"]))
    >>> found["drivers.algorithms.growth"].stated
    '--set drivers.algorithms.growth=1.5'
    """
    return {name: _provenance(scenario, as_path(name), documents) for name in scenario.joint.priors}


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
        root = as_path(changed)
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

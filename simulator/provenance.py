"""Where each prior of a scenario comes from: file and line, library entry, and what it stands in the place of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from simulator.comparison_inputs import in_short
from simulator.documents import Document, load_document, mapping_document
from simulator.errors import Path, Place, as_path, dotted
from simulator.layers import expand_priors, lookup, place_of, text_keys
from simulator.library import library_entry
from simulator.reading import find_scenario, parent_file, read_extended
from simulator.scenario import Scenario
from simulator.shipped import shipped_folder
from simulator.statements import is_statement

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
    >>> from simulator.scenario import load_scenario
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

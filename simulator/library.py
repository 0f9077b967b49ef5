"""The prior library: files of named priors, shipped or one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path as FilePath

from pydantic import ValidationError

from simulator.documents import Document, load_document, mapping_document, parse_document
from simulator.empirical import read_columns
from simulator.errors import InputError, Path, Place, PlacedFault, ScenarioError, near_name
from simulator.faults import faults_of
from simulator.layers import expand_priors, placed
from simulator.schema import PriorLibrary
from simulator.shipped import shipped_file, shipped_names
from simulator.statements import Prior

_PRIORS = re.compile(r"^priors:[ \t]*(#.*)?$", re.MULTILINE)
_ENTRY = re.compile(r"^  ([a-z0-9-]+):", re.MULTILINE)


@cache
def load_library(file: str) -> Document:
    """Read a whole library, a path or the name of a shipped one, and check that it is one.

    Raises
    ------
    ScenarioError
        It has faults.

    Examples
    --------
    >>> load_library("algorithms").data["subject"]
    'algorithms'
    """
    path = FilePath(file) if file.endswith((".yaml", ".yml")) else shipped_file("priors", file)
    document = read_columns(mapping_document(load_document(path), str(path)), path.parent)
    try:
        PriorLibrary.model_validate(document.data)
    except ValidationError as error:
        raise placed(faults_of(error, PriorLibrary), document) from None
    return document


def library_entry(reference: str, place: Place, *, chain: tuple[str, ...] = ()) -> Document:
    """Find the entry `file/name`, with the entries that it refers to written out.

    The file is a shipped library, or one beside the scenario: `./team/name` is the entry `name` of `./team.yaml`.

    Raises
    ------
    ScenarioError
        There is no such library or entry, or entries refer to one another in a circle.
    """
    if reference in chain:
        circle = " -> ".join([*chain, reference])
        raise ScenarioError([PlacedFault(place, "", f"goes in a circle: {circle}.", "State one of them by numbers.")])
    file, _, name = reference.rpartition("/")
    if file.startswith("."):
        document = load_library(str(FilePath(place.file).parent / f"{file}.yaml"))
    elif file in shipped_names("priors"):
        document = _shipped_entry(file, name) or load_library(file)
    else:
        known = shipped_names("priors")
        remedy = near_name(file, known) or f"There are: {', '.join(known)}."
        raise ScenarioError([PlacedFault(place, "", f"there is no prior library '{file}'.", remedy)])
    priors = document.data["priors"]
    if name not in priors:
        remedy = near_name(name, priors) or f"'simulate priors {file}' lists them."
        raise ScenarioError([PlacedFault(place, "", f"'{file}' has no prior '{name}'.", remedy)])
    root: Path = ("priors", name)
    entry = priors[name] if isinstance(priors[name], Mapping) else {"value": priors[name]}
    found = Document(entry, {path[2:]: at for path, at in document.places.items() if path[:2] == root})
    return expand_priors(found, partial(library_entry, chain=(*chain, reference)))


def library_prior(reference: str) -> Prior:
    """Read the entry `file/name` as a prior.

    Raises
    ------
    InputError
        There is no such library or entry.

    Examples
    --------
    >>> library_prior("algorithms/ho-2024").unit
    'months/halving'
    """
    try:
        return Prior.model_validate(library_entry(reference, Place(reference)).data)
    except ScenarioError as error:
        fault = error.faults[0]
        raise InputError(f"{fault.rule} {fault.remedy}".strip()) from None


@cache
def _shipped_entry(file: str, name: str) -> Document | None:
    """Read one entry of a shipped library alone: reading all of it takes longer than a run.

    None where the entry cannot be cut out of the text; then the whole file is read.
    """
    path = shipped_file("priors", file)
    text = path.read_text(encoding="utf-8")
    head = _PRIORS.search(text)
    starts = [match for match in _ENTRY.finditer(text, head.end())] if head else []
    for number, match in enumerate(starts):
        if match[1] != name:
            continue
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        lines_before = text.count("\n", 0, match.start()) - 1  # the line of `priors:` goes right above the entry
        part = "\n" * lines_before + "priors:\n" + text[match.start() : end]
        try:
            return parse_document(part, file=str(path))
        except ScenarioError:
            return None
    return None

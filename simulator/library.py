"""The prior library: files of named priors, shipped or one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path as FilePath

from pydantic import ValidationError

from simulator.documents import Document, load_document, mapping_document, parse_document
from simulator.empirical import read_columns
from simulator.errors import InputError, Path, Place, PlacedFault, ScenarioError, near_name
from simulator.faults import faults_of
from simulator.layers import expand_priors, placed, text_keys
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
    document = mapping_document(load_document(path, keep_faults=True), str(path))
    document = read_columns(document, path.parent)
    try:
        PriorLibrary.model_validate(text_keys(document.data))
    except ValidationError as error:
        raise placed(faults_of(error, PriorLibrary), document) from None
    if document.faults:
        raise ScenarioError(document.faults)
    return document


def library_entry(reference: str, place: Place, *, chain: tuple[tuple[str, str], ...] = ()) -> Document:
    """Find the entry `file/name`, with the entries that it refers to written out.

    The file is a shipped library, or one beside the scenario: `./team/name` is the entry `name` of `./team.yaml`.

    Raises
    ------
    ScenarioError
        There is no such library or entry, or entries refer to one another in a circle.
    """
    file, slash, name = reference.rpartition("/")
    if not slash or not file.strip("./") or not name:
        rule = f"must name a library and its entry; got '{reference}'."
        raise _fault(
            place, rule, "Write for example spending/cottier-2024, or ./team/fast for an entry of ./team.yaml."
        )
    if file.startswith("."):
        folder = FilePath() if place.file.startswith("--set ") else FilePath(place.file).parent
        path = folder / f"{file}.yaml"
        if not path.exists():
            raise _fault(place, f"there is no file {path}.", "The path counts from this file.")
        document, link = load_library(str(path)), (str(path.resolve()), name)
    elif file in shipped_names("priors"):
        link = (file, name)
        document = _shipped_entry(file, name) or load_library(file)
    else:
        known = shipped_names("priors")
        remedy = near_name(file, known) or f"There are: {', '.join(known)}; your own begin with './'."
        raise _fault(place, f"there is no prior library '{file}'.", remedy)
    if link in chain:
        circle = " -> ".join(entry for _, entry in (*chain, link))
        raise _fault(place, f"goes in a circle: {circle}.", "State one of them by numbers.")
    priors = document.data["priors"]
    if name not in priors:
        remedy = near_name(name, priors) or f"'simulate priors {file}' lists them."
        raise _fault(place, f"'{file}' has no prior '{name}'.", remedy)
    root: Path = ("priors", name)
    entry = priors[name] if isinstance(priors[name], Mapping) else {"value": priors[name]}
    found = Document(entry, {path[2:]: at for path, at in document.places.items() if path[:2] == root})
    return expand_priors(found, partial(library_entry, chain=(*chain, link)), above=root)


def _fault(place: Place, rule: str, remedy: str) -> ScenarioError:
    return ScenarioError([PlacedFault(place, "", rule, remedy)])


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
        document = library_entry(reference, Place(reference))
        faults = document.faults
    except ScenarioError as error:
        faults = error.faults
    if faults:
        raise InputError(f"{faults[0].rule} {faults[0].remedy}".strip())
    return Prior.model_validate(text_keys(document.data))


@cache
def _shipped_entry(file: str, name: str) -> Document | None:
    """Read one entry of a shipped library alone: reading all of it takes longer than a run.

    None where the entry cannot be cut out of the text; then the whole file is read.
    """
    text, head = _shipped_text(file)
    start = text.find(f"\n  {name}:", head) + 1
    if not head or not start or not _ENTRY.fullmatch(f"  {name}:"):
        return None
    following = _ENTRY.search(text, start + 1)
    end = following.start() if following else len(text)
    try:
        part = parse_document(f"priors:\n{text[start:end]}", file=str(shipped_file("priors", file)))
    except ScenarioError:
        return None
    above = text.count("\n", 0, start) - 1  # lines that were cut away above
    places = {path: Place(place.file, place.line + above, place.column) for path, place in part.places.items()}
    return replace(part, places=places)


@cache
def _shipped_text(file: str) -> tuple[str, int]:
    """Read the text of a shipped library, and find where its entries begin; 0 where it is not seen."""
    text = shipped_file("priors", file).read_text(encoding="utf-8")
    head = _PRIORS.search(text)
    return text, head.end() if head else 0

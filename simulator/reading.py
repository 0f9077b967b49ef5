"""From a file to one document: reading, and laying a scenario over the one that it extends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from simulator.documents import Document, load_document, mapping_document
from simulator.empirical import read_columns
from simulator.errors import Fault, PlacedFault, ScenarioError, near_name, shown
from simulator.layers import merge
from simulator.shipped import shipped_file, shipped_names

GROUPING = ("mixture", "variants", "sweep")
"""Keys of a file that stands for several scenarios; what extends it does not inherit them."""


def find_scenario(source: FilePath | str) -> FilePath:
    """Find a scenario's file: a path, or the name of a shipped scenario."""
    path = FilePath(source)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    return shipped_file("scenarios", str(source))


def read_extended(file: FilePath, chain: tuple[FilePath, ...] = ()) -> Document:
    """Read a file and what it extends, as one document; `chain` are the files that extend it."""
    return extended(mapping_document(load_document(file, keep_faults=True), str(file)), str(file), chain)


def extended(document: Document, file: str, chain: tuple[FilePath, ...] = ()) -> Document:
    """Lay a scenario over the one that it extends; where there is none, the link joins its faults.

    Raises
    ------
    ScenarioError
        What is extended is a mixture.
    """
    parent = document.data.get("extends")
    if chain and "mixture" in document.data:
        rule = "is a mixture, which cannot be extended or mixed again."
        raise ScenarioError([PlacedFault(document.places["mixture",], "mixture", rule, "Name the scenarios in it.")])
    own = {key: value for key, value in document.data.items() if key not in ("extends", *GROUPING)}
    document = read_columns(replace(document, data=own), FilePath(file).parent)
    if parent is None:
        return document
    here = FilePath(file).resolve()
    found = parent_file(parent, FilePath(file).parent)
    if isinstance(found, FilePath) and found.resolve() in (*chain, here):
        circle = " -> ".join([*(link.name for link in chain), here.name, found.name])
        found = Fault(("extends",), f"goes in a circle: {circle}.", "Remove one of the links.")
    if isinstance(found, Fault):
        fault = PlacedFault(document.places["extends",], "extends", found.rule, found.remedy)
        return replace(document, faults=(*document.faults, fault))
    return merge(read_extended(found, (*chain, here)), document)


def parent_file(parent: Any, folder: FilePath) -> FilePath | Fault:
    """Find the file that a scenario extends, or say why there is none."""
    remedy = "Name a shipped scenario, or a file as ./team.yaml."
    if not isinstance(parent, str):
        return Fault(("extends",), f"must be a name or a file; got {shown(parent)}.", remedy)
    if parent.endswith((".yaml", ".yml")):
        path = folder / parent
        fault = Fault(("extends",), f"there is no file {path}.", "The path counts from this file.")
        return path if path.exists() else fault
    known = shipped_names("scenarios")
    if parent in known:
        return shipped_file("scenarios", parent)
    return Fault(("extends",), f"no scenario '{parent}' is shipped.", near_name(parent, known) or remedy)

"""From a file to a `Scenario`: reading, `extends`, library entries, overrides, faults by place, writing back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from simulator.checks import check_scenario
from simulator.documents import Document, load_document, mapping_document, parse_document, yaml_text
from simulator.empirical import read_columns
from simulator.errors import (
    Fault,
    InputError,
    Path,
    Place,
    PlacedFault,
    ScenarioError,
    dotted,
    near_name,
    number,
    shown,
)
from simulator.faults import faults_of
from simulator.layers import apply_override, expand_priors, lookup, merge, parse_override, placed, text_keys
from simulator.library import library_entry
from simulator.priors import JointPrior
from simulator.remainder import as_path, concerns, entry_root, remaining_faults
from simulator.schema import ScenarioSpec
from simulator.shipped import shipped_file, shipped_names


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that has been read and checked.

    `spec` is what it says; `joint` its priors on the internal scale; `data` the same as plain data with every
    library entry written out, from which the scenario can be read again; `places` where each entry stands;
    `overrides` what was changed from outside, as `path: old -> new`; `warnings` what the reader should look at.
    """

    spec: ScenarioSpec
    joint: JointPrior
    data: Mapping[str, Any]
    places: Mapping[Path, Place]
    overrides: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """The SHA-256 of what it says, whatever the order of its keys."""
        text = json.dumps(text_keys(self.data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def text(self) -> str:
        """Write the resolved scenario as YAML that reads back as the same scenario."""
        return yaml_text(self.data)


def load_scenario(source: FilePath | str, *, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario file, or a shipped scenario by its name.

    Parameters
    ----------
    source : path or str
        A .yaml file, or the name of a shipped scenario such as `baseline`.
    overrides : sequence of str
        Changes as `path=value`, for example `drivers.spending.growth[0].rate.median=3`.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        The file has faults: all of them, each with file, line and column.
    InputError
        There is no such file or shipped scenario, or an override cannot be read.

    Examples
    --------
    >>> scenario = load_scenario("baseline", overrides=["samples=2048"])
    >>> scenario.spec.samples, scenario.overrides
    (2048, ('samples: 10000 -> 2048',))
    """
    return _resolve(_read(_find(source), ()), overrides)


def parse_scenario(text: str, *, file: str = "<text>", overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario from YAML text.

    Raises
    ------
    ScenarioError
        The text has faults.

    Examples
    --------
    >>> parse_scenario("schema: 1")
    Traceback (most recent call last):
    simulator.errors.ScenarioError: <text>:1:1: drivers: is missing.
    ...
    """
    document = mapping_document(parse_document(text, file=file, keep_faults=True), file)
    return _resolve(_extend(document, file, ()), overrides)


def _find(source: FilePath | str) -> FilePath:
    path = FilePath(source)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    return shipped_file("scenarios", str(source))


def _read(file: FilePath, chain: tuple[FilePath, ...]) -> Document:
    return _extend(mapping_document(load_document(file, keep_faults=True), str(file)), str(file), chain)


def _extend(document: Document, file: str, chain: tuple[FilePath, ...]) -> Document:
    """Lay a scenario over the one that it extends; where there is none, the link joins its faults."""
    parent = document.data.get("extends")
    own = {key: value for key, value in document.data.items() if key != "extends"}
    document = read_columns(replace(document, data=own), FilePath(file).parent)
    if parent is None:
        return document
    here = FilePath(file).resolve()
    found = _parent(parent, FilePath(file).parent)
    if isinstance(found, FilePath) and found.resolve() in (*chain, here):
        circle = " -> ".join([*(link.name for link in chain), here.name, found.name])
        found = Fault(("extends",), f"goes in a circle: {circle}.", "Remove one of the links.")
    if isinstance(found, Fault):
        fault = PlacedFault(document.places["extends",], "extends", found.rule, found.remedy)
        return replace(document, faults=(*document.faults, fault))
    return merge(_read(found, (*chain, here)), document)


def _parent(parent: Any, folder: FilePath) -> FilePath | Fault:
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


def _resolve(document: Document, overrides: Sequence[str]) -> Scenario:
    log: list[str] = []
    warnings: list[str] = []
    for text in overrides:
        override = parse_override(text)
        before = lookup(expand_priors(document, library_entry).data, override.path)
        document = apply_override(document, override)
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
    return Scenario(spec, checked.joint, document.data, document.places, tuple(log), (*warnings, *checked.warnings))


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


__all__ = ["InputError", "Scenario", "load_scenario", "parse_scenario"]

"""From a file to a `Scenario`: reading, `extends`, library entries, overrides, faults by file and line, writing back."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from simulator.checks import check_scenario
from simulator.documents import Document, load_document, mapping_document, parse_document
from simulator.empirical import read_columns
from simulator.errors import Fault, InputError, Path, Place, PlacedFault, ScenarioError, dotted, near_name, number
from simulator.faults import faults_of
from simulator.layers import apply_override, expand_priors, lookup, merge, parse_override, placed, without
from simulator.library import library_entry
from simulator.priors import JointPrior
from simulator.schema import ScenarioSpec
from simulator.shipped import shipped_file, shipped_names


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that has been read and checked.

    `spec` is what it says; `joint` its priors on the internal scale; `data` the same as plain data with every library entry written out, from which the
    scenario can be read again; `places` where each entry stands; `overrides` what was changed from outside, as
    `path: old -> new`; `warnings` what the reader should look at.
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
        text = json.dumps(self.data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def text(self) -> str:
        """Write the resolved scenario as YAML that reads back as the same scenario."""
        from ruamel.yaml import YAML

        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = None
        yaml.sort_base_mapping_type_on_output = False
        yaml.width = 110
        stream = io.StringIO()
        yaml.dump(_plain(self.data), stream)
        return stream.getvalue()


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
    simulator.errors.ScenarioError: <text>:1:1: name: is missing.
    ...
    """
    return _resolve(_extend(mapping_document(parse_document(text, file=file), file), file, ()), overrides)


def _find(source: FilePath | str) -> FilePath:
    path = FilePath(source)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    return shipped_file("scenarios", str(source))


def _read(file: FilePath, chain: tuple[FilePath, ...]) -> Document:
    return _extend(mapping_document(load_document(file), str(file)), str(file), chain)


def _extend(document: Document, file: str, chain: tuple[FilePath, ...]) -> Document:
    parent = document.data.get("extends")
    if parent is None:
        return read_columns(document, FilePath(file).parent)
    place = document.places["extends",]
    here = FilePath(file).resolve()
    if not isinstance(parent, str):
        raise ScenarioError([PlacedFault(place, "extends", f"must be a name or a file; got {parent!r}.")])
    relative = FilePath(file).parent / parent
    if parent.endswith((".yaml", ".yml")):
        path = relative
        if not path.exists():
            raise ScenarioError(
                [PlacedFault(place, "extends", f"there is no file {path}.", "The path counts from this file.")]
            )
    elif parent in shipped_names("scenarios"):
        path = shipped_file("scenarios", parent)
    else:
        remedy = near_name(parent, shipped_names("scenarios")) or "Name a shipped scenario, or a file as ./team.yaml."
        raise ScenarioError([PlacedFault(place, "extends", f"no scenario '{parent}' is shipped.", remedy)])
    if path.resolve() in (*chain, here):
        circle = " -> ".join([*(link.name for link in chain), here.name, path.name])
        raise ScenarioError([PlacedFault(place, "extends", f"goes in a circle: {circle}.", "Remove one of the links.")])
    base = _read(path, (*chain, here))
    own = Document({key: value for key, value in document.data.items() if key != "extends"}, document.places)
    return merge(base, read_columns(own, FilePath(file).parent))


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
        spec = ScenarioSpec.model_validate(document.data)
    except ValidationError as error:
        faults = faults_of(error, ScenarioSpec)
        raise placed([*faults, *_faults_beside(document, faults)], document) from None
    checked = check_scenario(spec)
    if checked.joint is None or checked.faults:
        raise placed(checked.faults, document)
    return Scenario(spec, checked.joint, document.data, document.places, tuple(log), (*warnings, *checked.warnings))


def _faults_beside(document: Document, known: list[Fault]) -> list[Fault]:
    """Check what is left of a scenario without its faulty entries, and keep what does not come of their absence."""
    data, paths = document.data, {fault.path for fault in known}
    try:
        spec = ScenarioSpec.model_validate(without(data, paths))
    except ValidationError:
        # Leave out the top-level groups in which the faults stand.
        try:
            spec = ScenarioSpec.model_validate(without(data, {path[:2] for path in paths}))
        except ValidationError:
            return []
    broken = {part for path in paths for part in path if isinstance(part, str)}
    return [fault for fault in check_scenario(spec).faults if not _mentions(fault, broken, paths)]


def _mentions(fault: Fault, broken: set[str], paths: set[Path]) -> bool:
    inside = any(fault.path == path[: len(fault.path)] or path == fault.path[: len(path)] for path in paths)
    return inside or any(f"'{name}'" in fault.rule or f"{name}." in fault.rule for name in broken if len(name) > 3)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return number(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(item) for item in data] if isinstance(data, list) else data


__all__ = ["InputError", "Scenario", "load_scenario", "parse_scenario"]

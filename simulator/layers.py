"""Plain data from several files laid over one another: extended scenarios, library entries, overrides.

Maps merge; lists and priors replace what they stand over, so that no number keeps a source that is not its own.
Every entry keeps the place it came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.documents import Document, parse_document
from simulator.errors import Fault, InputError, Path, Place, PlacedFault, ScenarioError, dotted, near_name
from simulator.statements import PROVENANCE_KEYS, is_prior, is_statement

_PART = re.compile(r"([^.\[\]=]+)|\[([0-9]+)\]")


def merge(base: Document, over: Document) -> Document:
    """Lay one document over another.

    Examples
    --------
    >>> base, over = Document({"a": {"x": 1, "y": 2}}, {}), Document({"a": {"y": {"median": 3}}}, {})
    >>> merge(base, over).data
    {'a': {'x': 1, 'y': {'median': 3}}}
    """
    replaced: list[Path] = []
    data = _merge(base.data, over.data, (), replaced)
    kept = {
        path: place for path, place in base.places.items() if not any(path[: len(root)] == root for root in replaced)
    }
    return Document(data, kept | dict(over.places))


def _merge(base: Any, over: Any, path: Path, replaced: list[Path]) -> Any:
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or is_prior(over) or is_prior(base):
        replaced.append(path)
        return over
    merged = dict(base)
    for key, value in over.items():
        inner = (*path, str(key))
        if value is None and key in base:  # null in the file that extends takes the entry away
            del merged[key]
            replaced.append(inner)
        else:
            merged[key] = _merge(base[key], value, inner, replaced) if key in base else value
    return merged


def expand_priors(document: Document, find: Callable[[str, Place], Document]) -> Document:
    """Write every `prior: file/name` out with the fields of the library entry.

    Keys beside `prior` override fields of the entry. A key that restates the numbers as a whole (value, quantiles,
    family, mixture, ...) replaces all of the entry's numbers; any changed number drops the entry's source, which
    would be no longer true.
    """
    places = dict(document.places)
    faults: list[PlacedFault] = []

    def visit(data: Any, path: Path) -> Any:
        if isinstance(data, list):
            return [visit(item, (*path, index)) for index, item in enumerate(data)]
        if not isinstance(data, Mapping):
            return data
        written = {key: visit(value, (*path, str(key))) for key, value in data.items()}
        reference = written.get("prior")
        if not isinstance(reference, str):
            return written
        try:
            entry = find(reference, place_of(places, (*path, "prior")))
        except ScenarioError as error:
            faults.extend(
                PlacedFault(fault.place, fault.entry or dotted((*path, "prior")), fault.rule, fault.remedy)
                for fault in error.faults
            )
            return {**written, "value": written.get("value", 1.0)}
        inherited = _inherited(entry.data, written)
        for inner, place in entry.places.items():
            if inner and inner[0] in inherited and inner[0] not in written:
                places.setdefault((*path, *inner), place)
        return {**inherited, **written}

    data = visit(document.data, ())
    if faults:
        raise ScenarioError(faults)
    return Document(data, places)


_WHOLE = (
    "value",
    "quantiles",
    "family",
    "mixture",
    "discrete",
    "empirical",
    "uniform",
    "log-uniform",
    "triangular",
    "pert",
)


def _inherited(entry: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    restated = [key for key in written if is_statement(key)]
    if not restated:
        return dict(entry)
    whole = any(key in _WHOLE for key in restated)
    interval = any(key.startswith("interval_") for key in restated)
    dropped = {
        key
        for key in entry
        if (whole and is_statement(key)) or (interval and key.startswith("interval_")) or key in PROVENANCE_KEYS
    }
    return {key: value for key, value in entry.items() if key not in dropped}


def place_of(places: Mapping[Path, Place], path: Path) -> Place:
    """Find the place of an entry, or of the nearest entry above it that has one."""
    for length in range(len(path), -1, -1):
        if path[:length] in places:
            return places[path[:length]]
    return Place("<scenario>")


def placed(faults: Sequence[Fault], document: Document) -> ScenarioError:
    """Give faults their places in a document."""
    return ScenarioError(
        [
            PlacedFault(place_of(document.places, fault.path), dotted(fault.path), fault.rule, fault.remedy)
            for fault in faults
        ]
    )


@dataclass(frozen=True, slots=True)
class Override:
    """One `--set path=value`."""

    path: Path
    value: Any
    text: str


def parse_override(text: str) -> Override:
    """Read `path=value`; the value is YAML.

    Raises
    ------
    InputError
        It has no `=`, or its path or value cannot be read.

    Examples
    --------
    >>> parse_override("drivers.spending.growth[0].rate.median=3").path
    ('drivers', 'spending', 'growth', 0, 'rate', 'median')
    """
    name, equals, value = text.partition("=")
    parts = [match[1] if match[1] is not None else int(match[2]) for match in _PART.finditer(name.strip())]
    if not equals or not parts or dotted(parts) != name.strip():
        raise InputError(f"--set {text}: must be path=value, for example drivers.spending.growth[0].rate.median=3.")
    try:
        return Override(tuple(parts), parse_document(value, file=f"--set {text}").data if value.strip() else None, text)
    except ScenarioError as error:
        raise InputError(f"--set {text}: the value {error.faults[0].rule}") from None


def apply_override(document: Document, override: Override) -> Document:
    """Set one entry, making the maps above it where they are missing; null removes it.

    Raises
    ------
    InputError
        A list has no such item, or the path goes through a value that has no entries.
    """
    data = _set(document.data, override.path, override.value, override, ())
    root = override.path
    places = {path: place for path, place in document.places.items() if path[: len(root)] != root}
    return Document(data, places | {root: Place(f"--set {override.text}")})


def _set(data: Any, path: Path, value: Any, override: Override, above: Path) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        if not isinstance(data, list) or head >= len(data):
            size = len(data) if isinstance(data, list) else 0
            raise InputError(
                f"--set {override.text}: {dotted(above) or 'the file'} has no item {head}; it has {size} items."
            )
        return [_set(item, rest, value, override, (*above, head)) if i == head else item for i, item in enumerate(data)]
    if isinstance(data, int | float) and not isinstance(data, bool):
        data = {"value": data} if head not in ("median", "mean") else {}
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        kind = "a list; name an item, as in [0]" if isinstance(data, list) else f"{data!r}"
        raise InputError(f"--set {override.text}: {dotted(above)} is {kind}, it has no entry '{head}'.")
    key = next((known for known in data if str(known) == head), head)
    changed = {known: inner for known, inner in data.items() if known != key}
    inner = _set(data.get(key), rest, value, override, (*above, head))
    if inner is None and not rest:
        return changed
    return {known: (inner if known == key else data[known]) for known in data} | {key: inner}


def lookup(data: Any, path: Path) -> Any:
    """Read the entry at a path; None where there is none."""
    for part in path:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        elif isinstance(data, Mapping):
            data = next((value for key, value in data.items() if str(key) == str(part)), None)
        else:
            return None
    return data


def without(data: Any, paths: set[Path], path: Path = ()) -> Any:
    """Copy plain data without the entries at some paths."""
    if isinstance(data, Mapping):
        return {
            key: without(value, paths, (*path, str(key)))
            for key, value in data.items()
            if (*path, str(key)) not in paths
        }
    if isinstance(data, list):
        return [without(item, paths, (*path, i)) for i, item in enumerate(data) if (*path, i) not in paths]
    return data


def unknown_reference(fault: Fault, name: str, known: list[str]) -> Fault:
    """Add the nearest known name to a fault."""
    return Fault(fault.path, fault.rule, near_name(name, known) or fault.remedy)

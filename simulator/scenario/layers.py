"""Plain data from several files laid over one another: extended scenarios, library entries, overrides.

Maps merge; lists and priors replace what they stand over, so that no number keeps a source that is not its own.
Every entry keeps the place it came from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from simulator import errors
from simulator.errors import Fault, InputError, Path, Place, PlacedFault, ScenarioError, dotted
from simulator.files import read_csv
from simulator.scenario.documents import Document, parse_document
from simulator.schema.amounts import prior_in_words
from simulator.schema.prior_families import SHORT_FORMS, FitError
from simulator.schema.statements import PROVENANCE_KEYS, WHOLE_KEYS, is_prior, is_statement, stating_keys


def merge(base: Document, over: Document) -> Document:
    """Lay one document over another."""
    replaced: list[Path] = []
    data = _merge(base.data, over.data, (), replaced)
    kept = {
        path: place for path, place in base.places.items() if not any(path[: len(root)] == root for root in replaced)
    }
    return Document(data, kept | dict(over.places), (*base.faults, *over.faults))


def _merge(base: Any, over: Any, path: Path, replaced: list[Path]) -> Any:
    whole = path != ("capability",) and (is_prior(over) or is_prior(base))  # a metric has a key `scale`, as some priors
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or whole:
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


def expand_priors(document: Document, find: Callable[[str, Place], Document], *, above: Path = ()) -> Document:
    """Write every `prior: file/name` out with the fields of the library entry.

    Keys beside `prior` override fields of the entry. A key that restates the numbers as a whole (value, quantiles,
    family, mixture, ...) replaces all of the entry's numbers; any changed number drops the entry's source, which
    would be no longer true. A reference that leads nowhere joins the document's faults, and 1 stands in for it;
    `above` is where the document stands in its file, for the names of the entries at fault.
    """
    places = dict(document.places)
    faults: list[PlacedFault] = []

    def written_out(written: dict[Any, Any], path: Path) -> Any:
        reference = written.get("prior")
        if not isinstance(reference, str):
            return written
        try:
            entry = find(reference, place_of(places, (*path, "prior")))
        except ScenarioError as error:
            faults.extend(
                PlacedFault(fault.place, fault.entry or dotted((*above, *path, "prior")), fault.rule, fault.remedy)
                for fault in error.faults
            )
            return stand_in(path)
        if entry.faults:
            faults.extend(entry.faults)
            return stand_in(path)
        inherited = _inherited(entry.data, written)
        for inner, place in entry.places.items():
            if inner and inner[0] in inherited and inner[0] not in written:
                places.setdefault((*path, *inner), place)
        return {**inherited, **written}

    data = _rebuilt(document.data, (), written_out)
    return Document(data, places, (*document.faults, *faults))


def stand_in(path: Path) -> dict[str, Any]:
    """Give a number for a prior at fault, in a unit that does at its place."""
    field = next((key for key in reversed(path) if isinstance(key, str) and key != "mixture"), "")
    unit = (
        "x/year"
        if field in ("growth", "rate", "towards")
        else "fraction"
        if field in ("share", "largest_share")
        else ""
    )
    return {"value": 1.0} | ({"unit": unit} if unit else {})


def _rebuilt(data: Any, path: Path, change: Callable[[dict[Any, Any], Path], Any]) -> Any:
    """Copy plain data, with every mapping changed after those in it."""
    if isinstance(data, list):
        return [_rebuilt(item, (*path, index), change) for index, item in enumerate(data)]
    if not isinstance(data, Mapping):
        return data
    return change({key: _rebuilt(value, (*path, str(key)), change) for key, value in data.items()}, path)


def _inherited(entry: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    if len(written) == 1:  # nothing beside `prior`
        return dict(entry)
    numbers = stating_keys({**written, **entry})
    restated = numbers.intersection(written)
    if not restated:
        return dict(entry)
    whole = not WHOLE_KEYS.isdisjoint(restated)
    interval = any(key.startswith("interval_") for key in restated)
    dropped = {
        key
        for key in entry
        if (whole and key in numbers) or (interval and key.startswith("interval_")) or key in PROVENANCE_KEYS
    }
    return {key: value for key, value in entry.items() if key not in dropped}


def below(document: Document, root: Path) -> Document:
    """Cut out what stands below a path, as a document of its own."""
    places = {path[len(root) :]: place for path, place in document.places.items() if path[: len(root)] == root}
    return Document(lookup(document.data, root), places)


def place_of(places: Mapping[Path, Place], path: Path) -> Place:
    """Find the place of an entry, or of the nearest entry above it that has one."""
    for length in range(len(path), -1, -1):
        if path[:length] in places:
            return places[path[:length]]
    return Place("<scenario>")


def _is_override(place: Place) -> bool:
    return place.file.startswith("--set ")


def placed(faults: Sequence[Fault], document: Document) -> ScenarioError:
    """Give faults their places in a document, and join them with those that the document has already.

    A fault in what a library entry says is placed where the scenario refers to the entry: there it can be mended.
    """
    return ScenarioError([*document.faults, *(_placed(fault, document) for fault in faults)])


def _placed(fault: Fault, document: Document) -> PlacedFault:
    path, remedy = fault.path, fault.remedy
    while path and path[-1] in ("value", *SHORT_FORMS) and path not in document.places:
        path = path[:-1]  # a bare number has no key `value`
    place = place_of(document.places, path)
    for length in range(len(path) + 1):
        reference = document.places.get((*path[:length], "prior"))
        if reference is not None and place.file != reference.file and not _is_override(place):
            remedy = f"{remedy}\n{path[-1]} comes from {place}.".strip()
            place = reference
            break
    for length in range(len(path)):
        changed = [at for inner, at in document.places.items() if inner[:-1] == path[:length] and _is_override(at)]
        if changed and is_prior(lookup(document.data, path[:length])):
            place = changed[-1]
    return PlacedFault(place, dotted(path), fault.rule, remedy)


@dataclass(frozen=True, slots=True)
class Override:
    """One `--set path=value`."""

    path: Path
    value: Any
    text: str


def parse_override(text: str) -> Override:
    """Read `path=value`; the value is YAML."""
    name, equals, value = text.partition("=")
    path = errors.as_path(name.strip())
    if not equals or not path:
        raise InputError(f"--set {text}: must be path=value, for example drivers.spending.growth[0].rate.median=3.")
    try:
        return Override(path, parse_document(value, file=f"--set {text}").data if value.strip() else None, text)
    except ScenarioError as error:
        fault = error.faults[0]
        raise InputError(f"--set {text}: the value cannot be read: {fault.rule} {fault.remedy}".rstrip()) from None


def apply_override(document: Document, override: Override) -> Document:
    """Set one entry, making the maps above it where they are missing; null removes it.

    To set `prior` replaces the whole prior: numbers that stood beside it would otherwise override the new entry.
    """
    root, value = override.path, override.value
    if root[-1] == "prior" and len(root) > 1 and isinstance(value, str):  # another prior, not other words for this one
        root = root[:-1]
        part = lookup(document.data, root)
        weight = part.get("weight") if isinstance(part, Mapping) else None
        value = {"prior": value} | ({} if weight is None else {"weight": weight})
    data = _set(_without_untrue(document.data, root), root, value, override, ())
    places = {path: place for path, place in document.places.items() if path[: len(root)] != root}
    place = Place(f"--set {override.text}")
    made = {root[:length]: place for length in range(1, len(root)) if root[:length] not in places}
    return replace(document, data=data, places=places | made | {root: place})


def _without_untrue(data: Any, path: Path) -> Any:
    """Drop what a change makes untrue: sources of the priors in which a number stands, values of another column."""
    for length in range(1, len(path)):
        root, key, above = path[:length], path[length], lookup(data, path[:length])
        gone: Collection[str] = ()
        if isinstance(above, Mapping) and is_prior(above) and key in stating_keys({**above, str(key): 0}):
            gone = PROVENANCE_KEYS
        elif root[-1] == "empirical" and key in ("file", "column"):
            gone = ("values",)
        if gone and not set(gone).isdisjoint(above):
            kept = {each: value for each, value in above.items() if each not in gone}
            data = set_entry(data, root, kept)
    return data


def _is_of_prior(key: Any) -> bool:
    return is_statement(key) or key in ("unit", *PROVENANCE_KEYS)


def set_entry(data: Any, path: Path, value: Any) -> Any:
    """Copy plain data with another value at a path; without the entry where the value is None."""
    return _set(data, path, value, Override(path, value, ""), ())


def _set(data: Any, path: Path, value: Any, override: Override, above: Path) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        if not isinstance(data, list) or head >= len(data):
            where = dotted(above) or "the file"
            rule = f"is no list; leave [{head}] out."
            if isinstance(data, list):
                rule = f"has only {len(data)} items, counted from [0]."
            raise InputError(f"--set {override.text}: {where} {rule}")
        return [_set(item, rest, value, override, (*above, head)) if i == head else item for i, item in enumerate(data)]
    if isinstance(data, int | float) and not isinstance(data, bool):
        data = {"value": data} if head not in ("median", "mean") else {}
    elif isinstance(data, str) and _is_of_prior(head) and (words := prior_in_words(data)):
        data = {key: each for key, each in words[0].items() if key != "value" or head not in ("median", "mean")}
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        kind = "a list; name an item, as in [0]" if isinstance(data, list) else errors.shown(data)
        raise InputError(f"--set {override.text}: {dotted(above)} is {kind}: it has no entry '{head}'.")
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


def values_in(data: Any) -> Iterator[Any]:
    """List plain data and all values in it, however deep."""
    return (value for _, value in entries_in(data))


def entries_in(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """List plain data and all that is in it, however deep, each with its path."""
    yield path, data
    inner = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from entries_in(value, (*path, key))


def texts_under(data: Any, keys: Collection[str]) -> dict[str, set[str]]:
    """Collect the texts that stand under some keys, however deep, by key."""
    found: dict[str, set[str]] = {key: set() for key in keys}
    for path, value in entries_in(data):
        if path and path[-1] in found and isinstance(value, str):
            found[str(path[-1])].add(value)
    return found


def known_path(data: Any, path: Path) -> Path:
    """Name keys of mappings as the data do: a number may be written in another way (1e29, 0.050), or in brackets."""
    known: list[str | int] = []
    for part in path:
        key: str | int = part
        if isinstance(data, Mapping):
            key = next((str(key) for key in data if _same_key(str(key), str(part))), part)
        known.append(key)
        data = lookup(data, (key,))
    return tuple(known)


def _same_key(one: str, other: str) -> bool:
    if one == other or one.isalpha() or other.isalpha():
        return one == other
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def text_keys(data: Any) -> Any:
    """Copy plain data with every key as text: a file may write a year or a probability as a key."""
    if isinstance(data, Mapping):
        return {str(key): text_keys(value) for key, value in data.items()}
    return [text_keys(item) for item in data] if isinstance(data, list) else data


def read_columns(document: Document) -> Document:
    """Read the CSV column of every `empirical: {file, column}` into its `values`, to repeat a run without the file.

    The path counts from the file that states it; after `--set` from the working directory. A file that cannot be read,
    has no such column, or holds something that is no number joins the document's faults.
    """
    faults: list[PlacedFault] = []

    def with_values(written: dict[Any, Any], path: Path) -> Any:
        empirical = written.get("empirical")
        if isinstance(empirical, Mapping) and not empirical.get("values"):
            try:
                place = place_of(document.places, (*path, "empirical", "file"))
                written["empirical"] = {**empirical, "values": _column(empirical, place)}
            except FitError as error:
                inner = (*path, "empirical", error.field)
                faults.append(PlacedFault(place_of(document.places, inner), dotted(inner), error.rule, error.remedy))
        return written

    data = _rebuilt(document.data, (), with_values)
    return replace(document, data=data, faults=(*document.faults, *faults))


def folder_of(place: Place) -> FilePath:
    """Name the folder from which the paths count that are written at a place."""
    return FilePath() if _is_override(place) else FilePath(place.file).parent


def _column(empirical: Mapping[str, Any], stated: Place) -> list[float]:
    for key, meaning in (("file", "a CSV file beside this one"), ("column", "a column of the CSV file")):
        if not isinstance(empirical.get(key), str):
            raise FitError(key, f"must name {meaning}.", "Write empirical: {file: growth.csv, column: growth}.")
    column = empirical["column"]
    file = folder_of(stated) / empirical["file"]
    try:
        (_, names), *rows = read_csv(file) or [(1, [])]
    except FileNotFoundError:
        origin = "the working directory" if _is_override(stated) else "this file"
        raise FitError("file", f"there is no file {file}.", f"The path counts from {origin}.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV text in UTF-8"
        raise FitError("file", f"{file} cannot be read: {reason}.", "Name a CSV file.") from None
    if not rows or column not in names:
        names = names if rows else []
        remedy = errors.near_name(column, names) or f"It has: {', '.join(names) or 'nothing'}."
        raise FitError("column", f"{file} has no column '{column}'.", remedy)
    values, place = list[float](), names.index(column)
    for line, row in rows:
        cell, rule = row[place] if place < len(row) else "", ""
        try:
            values.append(float(cell))
            rule = "" if math.isfinite(values[-1]) else f"{cell} on line {line} of {file} is not a finite number."
        except ValueError:
            rule = f"'{cell}' on line {line} of {file} is no number."
        if rule:
            raise FitError("column", rule, "Mend the file, or name another column.")
    if len(values) < 2:
        rule = f"{file} has only one value in column '{column}'."
        raise FitError("column", rule, "A sample needs at least two values.")
    return values

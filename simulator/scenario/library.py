"""The files that a scenario names: shipped ones, priors of a library, what it extends, columns of tables.

One's own lie beside the file that names them, or below.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path as FilePath
from typing import Any, Literal

from simulator.addresses import Address, as_path
from simulator.errors import (
    Fault,
    InputError,
    Path,
    Place,
    PlacedFault,
    ScenarioError,
    dotted,
    near_name,
    near_or_all,
    shown,
)
from simulator.files import CsvError, headings, is_there, read_csv
from simulator.scenario.dating import dated, laid_over
from simulator.scenario.documents import MOST_NUMBERS, Document, file_document
from simulator.scenario.layers import WITHOUT, below, expand_priors, is_override, place_of, placed, rebuilt, text_keys
from simulator.schema.base import LONGEST_CHAIN, Faults
from simulator.schema.prior_families import FitError
from simulator.schema.spec import PriorLibrary
from simulator.schema.statements import Prior
from simulator.wording import listed

Kind = Literal["scenarios", "priors", "history"]
_ENDINGS = {"scenarios": ".yaml", "priors": ".yaml", "history": ".csv"}


@cache
def shipped_folder(kind: Kind) -> FilePath:
    """Name the folder of the shipped scenarios or prior libraries: inside an installed package, or in a checkout."""
    package = FilePath(__file__).resolve().parents[1]
    inside = package / "data" / kind
    return inside if inside.is_dir() else package.parent / kind


@cache
def shipped_names(kind: Kind) -> tuple[str, ...]:
    """List the names of the shipped files, sorted; one in a subfolder is called `folder/name`.

    The published numbers that a scenario is held against stand in folders called `targets`, and are no scenarios.
    """
    folder = shipped_folder(kind)
    files = (file.relative_to(folder).with_suffix("") for file in folder.rglob(f"*{_ENDINGS[kind]}"))
    return tuple(sorted(file.as_posix() for file in files if "targets" not in file.parent.parts))


def shipped_scenarios() -> list[str]:
    """List the names of the shipped scenarios, sorted, as `load_scenario` takes them.

    Returns
    -------
    list of str
        Those in a folder are called `folder/name`.

    Examples
    --------
    >>> shipped_scenarios()[:3]
    ['actors', 'baseline', 'baseline-2025']
    """
    return list(shipped_names("scenarios"))


def shipped_file(kind: Kind, name: str) -> FilePath:
    """Find a shipped file by its name without the ending."""
    known = shipped_names(kind)
    if name not in known:
        hint = near_or_all(name, known)
        what = {"scenarios": "scenario", "priors": "prior library", "history": "table of history"}[kind]
        raise InputError(f"{name}: no such file, and no {what} is shipped under that name. {hint}")
    return shipped_folder(kind) / f"{name}{_ENDINGS[kind]}"


@cache
def load_library(file: str) -> Document:
    """Read a whole library, a path or the name of a shipped one, and check that it is one."""
    path = FilePath(file) if file.endswith((".yaml", ".yml")) else shipped_file("priors", file)
    document = read_columns(second_edition(file_document(path), str(path)))
    try:
        PriorLibrary.read(text_keys(document.data))
    except Faults as error:
        raise placed(error.faults, document) from None
    if document.faults:
        raise ScenarioError(document.faults)
    return document


def library_entry(reference: str, place: Place, *, chain: tuple[tuple[str, str], ...] = ()) -> Document:
    """Find the entry `file/name`, with the entries that it refers to written out.

    The file is a shipped library, or one beside the scenario: `./team/name` is the entry `name` of `./team.yaml`.
    """
    file, slash, name = reference.rpartition("/")
    if not slash or not file.strip("./") or not name:
        rule = f"must name a library and its entry; got '{reference}'."
        remedy = "Write for example spending/cottier-2024, or ./team/fast for an entry of ./team.yaml."
        raise ScenarioError.at(place, rule, remedy)
    if file.startswith("."):
        path = folder_of(place) / f"{file}.yaml"
        if not is_override(place) and (rule := beyond(f"{file}.yaml", folder_of(place))):
            raise ScenarioError.at(place, rule, f"{BESIDE}.")
        if not is_there(path):
            raise ScenarioError.at(place, f"there is no file {path}.", "The path counts from this file.")
        library, link = str(path), (str(path.resolve()), name)
    elif file in shipped_names("priors"):
        library, link = file, (file, name)
    else:
        known = shipped_names("priors")
        remedy = near_or_all(file, known, more="; your own begin with './'")
        raise ScenarioError.at(place, f"there is no prior library '{file}'.", remedy)
    if link in chain:
        circle = " -> ".join(entry for _, entry in (*chain, link))
        raise ScenarioError.at(place, f"goes in a circle: {circle}.", "State one of them by numbers.")
    if len(chain) >= LONGEST_CHAIN:
        rule = f"refers to a prior that refers to another, more than {LONGEST_CHAIN} times."
        raise ScenarioError.at(place, rule, "State one of them by numbers.")
    priors = load_library(library).data["priors"]
    if name not in priors:
        remedy = near_name(name, priors) or f"'simulate priors {file}' lists them."
        raise ScenarioError.at(place, f"'{file}' has no prior '{name}'.", remedy)
    return _written_out(library, name, (*chain, link))


@cache
def _written_out(library: str, name: str, chain: tuple[tuple[str, str], ...]) -> Document:
    """Cut an entry out of its library, with what it refers to written out."""
    root = ("priors", name)
    found = below(load_library(library), root)
    entry = found if isinstance(found.data, Mapping) else replace(found, data={"value": found.data})
    return expand_priors(entry, partial(library_entry, chain=chain), above=root)


def library_prior(reference: str) -> Prior:
    """Read the entry `file/name` as a prior."""
    try:
        document = library_entry(reference, Place(reference))
        faults = document.faults
    except ScenarioError as error:
        faults = error.faults
    if faults:
        raise InputError(f"{faults[0].rule} {faults[0].remedy}".strip())
    return Prior.model_validate(text_keys(document.data))


GROUPING = ("mixture", "variants", "sweep")
"""Keys of a file that stands for several scenarios; what extends it does not inherit them."""

OF_ITS_OWN = ("title", "notes")
"""Keys by which a scenario speaks of itself; what extends it speaks of itself in its own words."""


def find_scenario(source: FilePath | str) -> FilePath:
    """Find a scenario's file: a path, or the name of a shipped scenario."""
    path = as_path(source)
    if isinstance(path, Address):
        raise InputError(f"{source}: scenarios are read from this machine alone. Copy the file here, and name it.")
    if path.suffix in (".yaml", ".yml") or is_there(path):
        return path
    return shipped_file("scenarios", str(source))


def second_edition(document: Document, file: str) -> Document:
    """Refuse a document of the first edition of the format, and say how it is rewritten."""
    if isinstance(document.data, Mapping) and document.data.get("schema") in (1, "1"):
        rule = "is of the first edition: growth and shares now say their unit, starts their year, and a halving time "
        remedy = f"'simulate upgrade {file}' rewrites it, with its comments, so that it means what it meant."
        place = document.places.get(("schema",), Place(file))
        raise ScenarioError.at(place, f"{rule}halves its own level.", remedy, entry="schema")
    return document


def read_extended(file: FilePath, chain: tuple[FilePath, ...] = ()) -> Document:
    """Read a file and what it extends, as one document; `chain` are the files that extend it."""
    return extended(second_edition(file_document(file), str(file)), str(file), chain)


def extended(document: Document, file: str, chain: tuple[FilePath, ...] = ()) -> Document:
    """Lay a scenario over the one that it extends; where there is none, the link joins its faults."""
    parent = document.data.get("extends")
    if chain and "mixture" in document.data:
        rule = "is a mixture, which cannot be extended or mixed again."
        raise ScenarioError.at(document.places["mixture",], rule, "Name the scenarios in it.", entry="mixture")
    own = {key: value for key, value in document.data.items() if key not in ("extends", *GROUPING)}
    document = replace(document, data=own)
    if parent is None and WITHOUT in own:
        rule = "goes with extends: there is nothing to leave out."
        fault = PlacedFault(document.places[WITHOUT,], WITHOUT, rule, "Remove it, or name what is extended.")
        left = {key: value for key, value in own.items() if key != WITHOUT}
        return replace(document, data=left, faults=(*document.faults, fault))
    if parent is None:
        return dated(document)
    here = FilePath(file).resolve()
    found = parent_file(parent, FilePath(file).parent)
    if isinstance(found, FilePath) and found.resolve() in (*chain, here):
        circle = " -> ".join([*(link.name for link in chain), here.name, found.name])
        found = Fault(("extends",), f"goes in a circle: {circle}.", "Remove one of the links.")
    if len(chain) >= LONGEST_CHAIN:
        found = Fault(("extends",), f"is a link too many: at most {LONGEST_CHAIN} are followed, one after the other.")
    if isinstance(found, Fault):
        fault = PlacedFault(document.places["extends",], "extends", found.rule, found.remedy)
        return replace(document, faults=(*document.faults, fault))
    parent_document = read_extended(found, (*chain, here))
    inherited = {key: value for key, value in parent_document.data.items() if key not in OF_ITS_OWN}
    return replace(laid_over(replace(parent_document, data=inherited), document), parent=parent_document)


def parent_file(parent: Any, folder: FilePath) -> FilePath | Fault:
    """Find the file that a scenario extends, or say why there is none."""
    remedy = "Name a shipped scenario, or a file as ./team.yaml."
    if not isinstance(parent, str):
        return Fault(("extends",), f"must be a name or a file; got {shown(parent)}.", remedy)
    if parent.endswith((".yaml", ".yml")):
        path = folder / parent
        if rule := beyond(parent, folder):
            return Fault(("extends",), rule, f"{BESIDE}.")
        fault = Fault(("extends",), f"there is no file {path}.", "The path counts from this file.")
        return path if is_there(path) else fault
    known = shipped_names("scenarios")
    if parent in known:
        return shipped_file("scenarios", parent)
    return Fault(("extends",), f"no scenario '{parent}' is shipped.", near_name(parent, known) or remedy)


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

    data = rebuilt(document.data, (), with_values, having="empirical")
    return replace(document, data=data, faults=(*document.faults, *faults))


def folder_of(place: Place) -> FilePath:
    """Name the folder from which the paths count that are written at a place."""
    return FilePath() if is_override(place) else FilePath(place.file).parent


def beyond(name: str, folder: FilePath) -> str:
    """Say that a file which another names lies beyond its folder and the working directory, or has no path; else ""."""
    if FilePath(name).is_absolute():
        return f"{shown(name)} is an absolute path, and paths count from this file."
    file, *around = (FilePath(os.path.realpath(each)) for each in (folder / name, folder, ""))  # of a circle no error
    if any(file.is_relative_to(each) for each in around):
        return ""
    return f"{shown(name)} lies outside the folder of this file and the working directory."


_TABLES = ("series", "table", "runs", "accelerators")


def named_files(data: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Find the files that a scenario names, each by the key at which it does; shipped scenarios are among them."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from named_files(value, str(name).rpartition(".")[2])
    elif isinstance(data, list):
        for item in data:
            yield from named_files(item, key)
    elif isinstance(data, str):
        is_table = key in _TABLES and FilePath(data).suffix
        if key in ("file", "extends", "scenario") or is_table or (key == "prior" and data.startswith((".", "/"))):
            yield key, data


BESIDE = "Put it beside this file or below, or run from a folder that holds both"
_MOST_CELLS = 5


def _column(empirical: Mapping[str, Any], stated: Place) -> list[float]:
    for key, meaning in (("file", "a CSV file beside this one"), ("column", "a column of the CSV file")):
        if not isinstance(empirical.get(key), str):
            raise FitError(key, f"must name {meaning}.", "Write empirical: {file: growth.csv, column: growth}.")
    column = empirical["column"]
    file = folder_of(stated) / empirical["file"]
    if not is_override(stated) and (rule := beyond(empirical["file"], folder_of(stated))):
        raise FitError("file", rule, f"{BESIDE}, or name it by --set.")
    try:
        (_, names), *rows = read_csv(file) or [(1, [])]
    except FileNotFoundError:
        origin = "the working directory" if is_override(stated) else "this file"
        raise FitError("file", f"there is no file {file}.", f"The path counts from {origin}.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV text in UTF-8"
        if isinstance(error, CsvError):
            reason = f"{error} on line {error.line}"
        raise FitError("file", f"{file} cannot be read: {reason}.", "Name a CSV file.") from None
    if len(rows) > MOST_NUMBERS:
        raise FitError("file", f"{file} has {len(rows):,} rows; at most {MOST_NUMBERS:,} are read.", "Thin them.")
    if not rows or column not in names:
        told = headings(names) if rows else []
        known = ", ".join([*told[:_MOST_CELLS], *(["..."] if len(told) > _MOST_CELLS else [])])
        known = f"It has: {known}." if told else "Its first line names no columns."
        remedy = near_name(column, told) or known
        raise FitError("column", f"{file} has no column {shown(column)}.", remedy)
    if names.count(column) > 1:
        raise FitError("column", f"{file} has two columns {shown(column)}.", "Keep one of them.")
    values, place, wrong = list[float](), names.index(column), list[str]()
    for line, row in rows:
        cell = row[place] if place < len(row) else ""
        if any(each.strip() for each in row[len(names) :]):
            wrong.append(f"line {line} has {len(row)} cells, for {len(names)} columns (a decimal comma parts cells)")
            continue
        try:
            values.append(float(cell))
            wrong += [] if math.isfinite(values[-1]) else [f"{cell} on line {line} is not a finite number"]
        except ValueError:
            wrong.append(f"{shown(cell)} on line {line} is no number")
    if wrong:
        more = [f"{len(wrong) - _MOST_CELLS} more"] if len(wrong) > _MOST_CELLS else []
        rule = f"of {file}: {listed([*wrong[:_MOST_CELLS], *more])}."
        raise FitError("column", rule, "Mend the file, or name another column.")
    if len(values) < 2:
        rule = f"{file} has only one value in column '{column}'."
        raise FitError("column", rule, "A sample needs at least two values.")
    return values

"""Files that a scenario or a library names: beside it or below, and the columns of tables in them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from simulator import errors
from simulator.errors import Path, Place, PlacedFault, dotted
from simulator.files import CsvError, headings, read_csv
from simulator.scenario.documents import MOST_NUMBERS, Document
from simulator.scenario.layers import is_override, place_of, rebuilt
from simulator.schema.prior_families import FitError
from simulator.wording import listed


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
        return f"{errors.shown(name)} is an absolute path, and paths count from this file."
    file, *around = (FilePath(os.path.realpath(each)) for each in (folder / name, folder, ""))  # of a circle no error
    if any(file.is_relative_to(each) for each in around):
        return ""
    return f"{errors.shown(name)} lies outside the folder of this file and the working directory."


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
        remedy = errors.near_name(column, told) or known
        raise FitError("column", f"{file} has no column {errors.shown(column)}.", remedy)
    values, place, wrong = list[float](), names.index(column), list[str]()
    for line, row in rows:
        cell = row[place] if place < len(row) else ""
        try:
            values.append(float(cell))
            wrong += [] if math.isfinite(values[-1]) else [f"{cell} on line {line} is not a finite number"]
        except ValueError:
            wrong.append(f"{errors.shown(cell)} on line {line} is no number")
    if wrong:
        more = [f"{len(wrong) - _MOST_CELLS} more"] if len(wrong) > _MOST_CELLS else []
        rule = f"of {file}: {listed([*wrong[:_MOST_CELLS], *more])}."
        raise FitError("column", rule, "Mend the file, or name another column.")
    if len(values) < 2:
        rule = f"{file} has only one value in column '{column}'."
        raise FitError("column", rule, "A sample needs at least two values.")
    return values

"""Columns of CSV files that a scenario names as samples of a prior."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from simulator.documents import Document
from simulator.errors import Path, PlacedFault, ScenarioError, dotted, near_name
from simulator.layers import place_of


def read_columns(document: Document, folder: FilePath) -> Document:
    """Read the CSV column of every `empirical: {file, column}` into its `values`, so that a run can be repeated without the file.

    Raises
    ------
    ScenarioError
        A file cannot be read, has no such column, or holds something that is no number.
    """
    faults: list[PlacedFault] = []

    def visit(data: Any, path: Path) -> Any:
        if isinstance(data, list):
            return [visit(item, (*path, index)) for index, item in enumerate(data)]
        if not isinstance(data, Mapping):
            return data
        written = {key: visit(value, (*path, str(key))) for key, value in data.items()}
        empirical = written.get("empirical")
        if isinstance(empirical, Mapping) and not empirical.get("values"):
            try:
                written["empirical"] = {**empirical, "values": _column(empirical, folder)}
            except ValueError as error:
                inner = (*path, "empirical")
                faults.append(PlacedFault(place_of(document.places, inner), dotted(inner), str(error)))
        return written

    data = visit(document.data, ())
    if faults:
        raise ScenarioError(faults)
    return Document(data, document.places)


def _column(empirical: Mapping[str, Any], folder: FilePath) -> list[float]:
    file, column = empirical.get("file"), empirical.get("column")
    if not isinstance(file, str) or not isinstance(column, str):
        raise ValueError("needs file and column, both texts.")
    try:
        with (folder / file).open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise ValueError(f"{folder / file} cannot be read: {reason}.") from None
    names = list(rows[0]) if rows else []
    if column not in names:
        raise ValueError(f"{file} has no column '{column}'. {near_name(column, names) or f'It has: {names}.'}")
    values = []
    for line, row in enumerate(rows, start=2):
        try:
            values.append(float(row[column]))
        except (TypeError, ValueError):
            raise ValueError(f"{file}, line {line}: {row[column]!r} in column '{column}' is no number.") from None
        if not math.isfinite(values[-1]):
            raise ValueError(f"{file}, line {line}: {row[column]!r} in column '{column}' is not finite.")
    if len(values) < 2:
        raise ValueError(f"{file} has {len(values)} values in column '{column}'; a sample needs at least two.")
    return values

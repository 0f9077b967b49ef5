"""Columns of CSV files that a scenario names as samples of a prior."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from simulator.documents import Document
from simulator.errors import Path, PlacedFault, dotted, near_name
from simulator.layers import place_of


class _ColumnError(ValueError):
    """Say which key of an `empirical` entry is at fault, the rule and the remedy."""

    def __init__(self, key: str, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.key, self.rule, self.remedy = key, rule, remedy


def read_columns(document: Document, folder: FilePath) -> Document:
    """Read the CSV column of every `empirical: {file, column}` into its `values`, to repeat a run without the file.

    A file that cannot be read, has no such column, or holds something that is no number joins the document's faults.

    Examples
    --------
    >>> entry = {"empirical": {"file": "none.csv", "column": "growth"}}
    >>> print(read_columns(Document({"rate": entry}, {}), FilePath("data")).faults[0].rule)
    there is no file data/none.csv.
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
            except _ColumnError as error:
                inner = (*path, "empirical", error.key)
                faults.append(PlacedFault(place_of(document.places, inner), dotted(inner), error.rule, error.remedy))
        return written

    data = visit(document.data, ())
    return replace(document, data=data, faults=(*document.faults, *faults))


def _column(empirical: Mapping[str, Any], folder: FilePath) -> list[float]:
    for key, meaning in (("file", "a CSV file beside this one"), ("column", "a column of the CSV file")):
        if not isinstance(empirical.get(key), str):
            raise _ColumnError(key, f"must name {meaning}.", "Write empirical: {file: growth.csv, column: growth}.")
    column = empirical["column"]
    file = folder / empirical["file"]
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except FileNotFoundError:
        raise _ColumnError("file", f"there is no file {file}.", "The path counts from this file.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV text in UTF-8"
        raise _ColumnError("file", f"{file} cannot be read: {reason}.", "Name a CSV file.") from None
    names = [name for name in (rows[0] if rows else []) if isinstance(name, str)]
    if column not in names:
        remedy = near_name(column, names) or f"It has: {', '.join(names) or 'nothing'}."
        raise _ColumnError("column", f"{file} has no column '{column}'.", remedy)
    values = []
    for line, row in enumerate(rows, start=2):
        try:
            values.append(float(row[column]))
        except (TypeError, ValueError):
            rule = f"'{row[column] or ''}' on line {line} of {file} is no number."
            raise _ColumnError("column", rule, "Mend the file, or name another column.") from None
        if not math.isfinite(values[-1]):
            rule = f"{row[column]} on line {line} of {file} is not a finite number."
            raise _ColumnError("column", rule, "Mend the file, or name another column.")
    if len(values) < 2:
        rule = f"{file} has only one value in column '{column}'."
        raise _ColumnError("column", rule, "A sample needs at least two values.")
    return values

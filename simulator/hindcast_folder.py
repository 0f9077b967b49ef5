"""The folder of a hindcast: its tables, written and read again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path as FilePath
from typing import Any, Final

from simulator.errors import InputError, RunFileError
from simulator.files import make_folder, write_table
from simulator.hindcast import MODEL, ForecastRow, Hindcast, SkillRow
from simulator.hindcast_tables import RecordRow

TABLES: Final[tuple[str, ...]] = ("forecasts", "scores", "skills", "quantiles", "events", "event_scores", "record")
"""The tables of a hindcast, each a CSV file of that name."""


@dataclass(frozen=True, slots=True)
class StoredHindcast:
    """Hold what charts draw of a hindcast: the name of its folder, forecasts, skills, and the record by year."""

    name: str
    forecasts: tuple[ForecastRow, ...]
    skills: tuple[SkillRow, ...]
    record: tuple[RecordRow, ...]

    @property
    def targets(self) -> int:
        """The number of distinct years that were forecast."""
        return len({row.target for row in self.forecasts if row.forecast == MODEL})

    @property
    def origins(self) -> tuple[int, ...]:
        """The years at whose ends forecasts were made."""
        return tuple(sorted({row.origin for row in self.forecasts}))

    @property
    def names(self) -> tuple[str, ...]:
        """The forecasts, the model first."""
        return tuple(dict.fromkeys([MODEL, *(row.forecast for row in self.forecasts)]))

    @property
    def with_hindsight(self) -> frozenset[str]:
        """The forecasts in which a prior knew what came."""
        return frozenset(row.forecast for row in self.forecasts if row.hindsight)


def write_hindcast(result: Hindcast, folder: FilePath) -> None:
    """Write the tables of a hindcast into a folder.

    Raises
    ------
    SimulatorError
        The folder cannot be written.
    """
    make_folder(folder)
    for name in TABLES:
        write_table(folder / f"{name}.csv", [asdict(row) for row in getattr(result, name)])


def is_hindcast(folder: FilePath) -> bool:
    """Say whether a folder holds a hindcast.

    Examples
    --------
    >>> is_hindcast(getfixture("tmp_path"))
    False
    """
    return folder.is_dir() and (folder / "forecasts.csv").is_file() and (folder / "skills.csv").is_file()


def open_hindcast(folder: FilePath) -> StoredHindcast:
    """Read the tables of a hindcast that charts draw.

    A folder without `record.csv` has the record of the years that were forecast, and none before.

    Raises
    ------
    InputError
        It is no folder of a hindcast.
    RunFileError
        A table lacks a column, or a cell cannot be read.
    """
    if not is_hindcast(folder):
        raise InputError(f"{folder}: is no folder of a hindcast: it has no forecasts.csv. Make one: simulate hindcast.")
    forecasts = _rows(folder / "forecasts.csv", ForecastRow)
    if all(row.forecast != MODEL for row in forecasts):
        raise RunFileError(f"{folder / 'forecasts.csv'}: has no forecast by the {MODEL}. Make the hindcast again.")
    path = folder / "record.csv"
    if path.is_file():
        record = _rows(path, RecordRow)
    else:
        record = tuple(RecordRow(*pair, "") for pair in sorted({(row.target, row.observed) for row in forecasts}))
    return StoredHindcast(folder.resolve().name, forecasts, _rows(folder / "skills.csv", SkillRow), record)


def _flag(text: str) -> bool:
    return {"True": True, "False": False}[text]


_READ: Final[Mapping[str, Callable[[str], object]]] = {"float": float, "int": int, "str": str, "bool": _flag}


def _rows[T](path: FilePath, kind: type[T]) -> tuple[T, ...]:
    """Read a table, one object of `kind` to a row."""
    columns: Any = fields(kind)  # type: ignore[arg-type]
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunFileError(f"{path}: cannot be read as a table: {error}.") from None
    given = list(lines[0]) if lines else []
    missing = [column.name for column in columns if column.name not in given and column.default is MISSING]
    if lines and missing:
        raise RunFileError(f"{path}: lacks the columns {', '.join(missing)}. Make the hindcast again.")
    made = []
    for number, line in enumerate(lines, start=2):
        cells = {}
        for column in (each for each in columns if each.name in given):
            try:
                cells[column.name] = _READ[column.type](line[column.name])
            except (ValueError, KeyError, TypeError):
                rule = f"{column.name}: must be a {column.type}; got {line[column.name]!r}."
                raise RunFileError(f"{path}:{number}: {rule} Make the hindcast again.") from None
        made.append(kind(**cells))
    return tuple(made)

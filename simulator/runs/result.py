"""What a study gives: one protocol, by which it is shown, written, opened again and drawn."""

from __future__ import annotations

import html
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Self, cast

from simulator.addresses import as_path
from simulator.errors import RunFileError
from simulator.files import make_folder, write_text
from simulator.registers import attribute_at
from simulator.runs.kinds import Kind, keep_lines, kind_named, kind_of, stored_lines
from simulator.runs.table import Table

if TYPE_CHECKING:
    import xarray as xr

MOST_LINES = 15
"""Lines by which a result is shown where it is looked at."""


class Result(ABC):
    """What a study gives: a dataset, tables by name, and lines that say it.

    `kind` is its name: in `simulator.runs.kinds.KINDS`, by which its folder is known and opened, and in
    `simulator.charts.register.RESULTS`, by which it is drawn. A result that is about a run or another result is written
    beside that: its `folder_name` is empty. A prompt shows its lines, a notebook its tables too.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> result = simulate(load_scenario("essay-2023", overrides=["samples=64"]))  # a run is one
    >>> result.kind, list(result.tables())
    ('run', ['quantiles', 'crossing_years', 'crossing_probability', 'binding'])
    >>> result.save(getfixture("tmp_path")).name == result.folder_name
    True
    """

    __slots__ = ()

    @property
    @abstractmethod
    def kind(self) -> str:
        """The name of its kind."""

    @property
    @abstractmethod
    def dataset(self) -> xr.Dataset | xr.DataTree:
        """All numbers, labelled, with units."""

    @property
    def stored(self) -> xr.Dataset | xr.DataTree:
        """What is saved of it, where its folder keeps a dataset."""
        return self.dataset

    @property
    @abstractmethod
    def folder_name(self) -> str:
        """The folder that it is written into, such as `baseline-swings-1f2e3d4c`."""

    @property
    def label(self) -> str:
        """What its charts say of where they come from, such as `Swings 1f2e3d4c of scenario baseline`."""
        return self.folder_name

    @abstractmethod
    def tables(self) -> Mapping[str, Table]:
        """Its tables, by the names of their CSV files."""

    @abstractmethod
    def lines(self) -> Sequence[str]:
        """Say it in lines for a terminal."""

    def texts(self) -> Mapping[str, str]:
        """Give what else is written into its folder: texts by the names of their files."""
        return {}

    @property
    def parts(self) -> tuple[Result, ...]:
        """Results that are written and drawn along with it."""
        return ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader should look at first."""
        return ()

    @property
    def holds(self) -> bool:
        """Whether what it says can be relied on: its chains agreed, its numbers are those that were published."""
        return True

    def to_json(self) -> str:
        """Write it on one line of JSON, as `--json` prints it: kind, name, holds, warnings, tables."""
        return as_json(
            self.kind, self.folder_name or self.label, self.tables(), holds=self.holds, warnings=self.warnings
        )

    def save(self, outputs: FilePath | str = "outputs") -> FilePath:
        """Write it into a folder of its own below `outputs`, and give that folder."""
        folder = as_path(outputs) / self.folder_name
        self.write_into(folder)
        return folder

    def write_into(self, folder: FilePath) -> None:
        """Write its tables and texts into a folder, with its dataset or else its lines, to be shown again."""
        from simulator.runs.netcdf import save_dataset

        texts = self.texts()
        make_folder(folder)
        for name, table in self.tables().items():
            table.save_csv(folder / f"{name}.csv")
        for name, text in texts.items():
            write_text(folder / name, text)
        for part in self.parts:
            part.write_into(folder)
        kind = kind_named(self.kind)
        if kind and kind.attribute:
            save_dataset(self.stored if kind.opens else self._kept(), folder / kind.file)
        elif kind and kind.lines not in texts:
            keep_lines(folder, kind.name, self.lines(), warnings=self.warnings)

    def _kept(self) -> xr.DataTree:
        from simulator.runs.netcdf import to_kept

        said = {"said": "\n".join(self.lines()), "warned": "\n".join(self.warnings), "label": self.label}
        return to_kept(self.kind, cast("xr.Dataset", self.dataset), self.tables(), said)

    def close(self) -> None:  # noqa: B027  # most have no open file
        """Close the file that it is read from, where one is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_value: object, traceback: object) -> None:
        self.close()

    def __repr__(self) -> str:
        lines = list(self.lines())
        return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "..."])

    def _repr_html_(self) -> str:
        tables = "".join(f"<h4>{html.escape(name)}</h4>{table._repr_html_()}" for name, table in self.tables().items())
        return f"<pre>{html.escape(repr(self))}</pre>{tables}"


def as_json(
    kind: str, name: str, tables: Mapping[str, Table], *, holds: bool = True, warnings: Iterable[str] = ()
) -> str:
    """Write what was found on one line of strict JSON; the keys are those of `docs/json.md`, and stay."""
    told = {name: table.to_data() for name, table in tables.items()}
    data = {"kind": kind, "name": name, "holds": holds, "warnings": list(warnings), "tables": told}
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, repr=False)
class Stored(Result):
    """A result that was written, and whose kind has no class that reads it: what it said, its tables, its dataset."""

    known: Kind
    folder: FilePath
    said: Sequence[str]
    warned: Sequence[str]
    kept: xr.DataTree | None = None

    @property
    def kind(self) -> str:
        return self.known.name

    @property
    def dataset(self) -> xr.Dataset | xr.DataTree:
        """All numbers, where its folder holds a dataset."""
        if self.kept is None:
            raise RunFileError(f"{self.folder}: keeps tables (CSV) and what was said, and no dataset. Make it anew.")
        return self.kept.children["dataset"].to_dataset()

    @property
    def folder_name(self) -> str:
        """The name of the folder; nothing where it stands beside what it is about."""
        return self.folder.name if self.kept is None else ""

    @property
    def label(self) -> str:
        return self.folder_name if self.kept is None else str(self.kept.attrs["label"])

    def tables(self) -> Mapping[str, Table]:
        """Its tables, from its dataset or its CSV files."""
        if self.kept is None:
            files = {name: self.folder / f"{name}.csv" for name in self.known.tables}
            return {name: Table.read_csv(file) for name, file in files.items() if file.is_file()}
        held = self.kept.children["tables"].children
        return {name: Table.of_kept(each.to_dataset(inherit=False)) for name, each in held.items()}

    def lines(self) -> Sequence[str]:
        """What was said."""
        return self.said

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self.warned)


def open_result(path: FilePath | str) -> Result:
    """Open what a command wrote: a run, shares, swings, an audit, a comparison, a hindcast, ...

    Parameters
    ----------
    path : path
        The folder, or a netCDF file of that kind.

    Returns
    -------
    Result
        With `lines()`, `tables()` and `dataset`; where a folder keeps no dataset, what was said alone.

    Raises
    ------
    RunFileError
        There is no such folder, or what is in it cannot be read.

    Examples
    --------
    >>> open_result("no-such-folder")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-folder: no such run file. 'simulate SCENARIO' writes ...
    """
    kind = kind_of(place := as_path(path))
    if kind.opens:
        return cast("Result", attribute_at(f"simulator.{kind.opens}")(place))
    if kind.lines:
        return Stored(kind, place, *stored_lines(place, kind))
    from simulator.runs.checked import open_kept
    from simulator.runs.netcdf import KEPT_FORMAT

    kept = open_kept(place, kind=kind.name, format_=KEPT_FORMAT)
    said, warned = (str(kept.attrs[key]).split("\n") if kept.attrs[key] else [] for key in ("said", "warned"))
    return Stored(kind, place, said, warned, kept)

"""The kinds of folders that commands write: how each is known, opened, shown again and drawn; what a run file holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Final

from simulator.addresses import Address, as_path
from simulator.errors import InputError, RunFileError
from simulator.files import is_folder, is_there, link_to, make_folder, read_bytes, write_text

if TYPE_CHECKING:
    import xarray as xr


WARNING: Final = "warning: "
"""What a line begins with that is printed beside the output."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of folder, or of a file that stands in one."""

    name: str
    is_one: str
    """Says of a path that it is of this kind: `is a sweep`."""
    file: str
    """The file by which such a folder is known; also found as a Zarr store of that name."""
    command: str
    """What writes it."""
    opens: str = ""
    """`room.module:function` that gives the `Result` of a path; empty where it is read as it was kept."""
    tables: tuple[str, ...] = ()
    """The CSV files that are its tables, where it keeps no dataset."""

    @property
    def attribute(self) -> str:
        """The attribute by which such a netCDF file is known, whatever it is called; empty where it is none."""
        return f"{self.name}_format" if self.file.endswith(".nc") else ""

    @property
    def lines(self) -> str:
        """The file that keeps the lines that were printed, where they are not made again from the data."""
        return "" if self.attribute else f"{self.name}.txt"

    def is_in(self, folder: FilePath) -> bool:
        """Tell whether a folder is of this kind."""
        return (folder / self.file).is_file() or (folder / self.file).with_suffix(".zarr").is_dir()


MATRIX_TABLES: Final[tuple[str, ...]] = (
    "cells", "means", "summary", "horizons", "verdicts", "by_origin", "vintages",
)  # fmt: skip
"""The tables of a matrix of hindcasts, the first of every forecast."""
KINDS: Final[tuple[Kind, ...]] = (
    Kind("run", "is a run", "run.nc", "simulate SCENARIO", "runs.folder:open_run"),
    Kind("sweep", "is a sweep", "sweep.nc", "simulate sweep", "analysis.sweep_files:open_sweep"),
    Kind("shares", "holds shares of variance", "shares.nc", "simulate shares", "analysis.shares:open_shares"),
    Kind("swings", "holds swings", "swings.nc", "simulate swings", "analysis.swings:open_swings"),
    Kind("audit", "is an audit", "audit.csv", "simulate audit", tables=("audit",)),
    Kind("comparison", "is a comparison", "results.csv", "simulate compare", tables=("inputs", "results")),
    Kind("hindcast", "is a hindcast", "forecasts.csv", "simulate hindcast", "hindcast.output:open_hindcast"),
    Kind("matrix", "is a matrix of hindcasts", "cells.csv", "simulate hindcast --matrix", tables=MATRIX_TABLES),
    Kind("fragility", "tells what is fragile", "fragility.txt", "simulate history fragility",
         tables=("shifts", "rates", "sensitivities", "refits")),
    Kind("published", "tells what was published", "published.csv", "simulate published", tables=("published",)),
    Kind("influence", "holds influences of priors", "influence.nc", "simulate influence"),
    Kind("moved", "tells how a forecast moved", "moved.nc", "simulate history moved"),
    Kind("attribution", "holds attributed differences", "attribution.nc", "simulate compare --attribute"),
    Kind("condition", "holds a forecast given what happened", "condition.nc", "simulate condition"),
    Kind("nowcast", "holds a nowcast", "nowcast.nc", "simulate history nowcast"),
    Kind("signposts", "holds signposts of an outcome", "signposts.nc", "simulate signposts"),
    Kind("boxes", "holds boxes of a design", "boxes.nc", "simulate boxes"),
    Kind("score", "holds scores of a run", "score.nc", "simulate score"),
)  # fmt: skip
RUN: Final = KINDS[0]


def kind_named(name: str) -> Kind | None:
    """Give the kind of folder of a name; None where a result has no folder of its own."""
    return next((kind for kind in KINDS if kind.name == name), None)


def kind_of(path: FilePath) -> Kind:
    """Find what kind of folder or file a path is; what is none of them counts as a run, and is refused as one.

    A folder of two kinds, such as that of a run with a table beside it, is of the one that comes first in `KINDS`.
    """
    if isinstance(path, Address) and path.suffix not in (".nc", ".zarr"):
        held = path.sizes()
        return next((kind for kind in KINDS if {kind.file, kind.file.replace(".nc", ".zarr")} & {*held}), RUN)
    if is_folder(path):
        return next((kind for kind in KINDS if kind.is_in(path)), RUN)
    attributes = _attributes(path)
    return next((kind for kind in KINDS if kind.attribute in attributes), RUN)


LATEST: Final = "latest"
"""What stands in a folder of runs for the run that was written last: a link to its folder, or a file with its name."""
_ID = r"[0-9a-f]{8}"


def mark_latest(folder: FilePath) -> None:
    """Say beside a run folder that it is the one that was written last; a folder called `latest` is left alone."""
    mark = folder.parent / LATEST
    if mark.is_dir() and not mark.is_symlink():
        return
    make_folder(folder.parent)
    link_to(mark, folder)


def named_folders(outputs: FilePath) -> list[FilePath]:
    """List the folders below `outputs` that commands wrote, by name."""
    found = sorted(outputs.iterdir()) if outputs.is_dir() else []
    return [each for each in found if re.search(rf"-{_ID}$", each.name) and any(kind.is_in(each) for kind in KINDS)]


def found(path: FilePath, outputs: FilePath = FilePath("outputs")) -> FilePath:
    """Find what is meant by a path, or by a name below `outputs`: `latest`, `baseline`, `baseline-swings`, an id.

    What there is under the path itself comes first. A name is that of a folder without the id behind it. An address is
    taken as it is, but for `latest`.
    """
    if isinstance(path, Address):
        is_mark = path.name == LATEST and path.is_file()
        return path.parent / path.read_bytes().decode(errors="replace").strip() if is_mark else path
    for mark in filter(os.path.lexists, (path, outputs / path) if path.name == LATEST else ()):
        if mark.is_symlink():
            return mark.parent / mark.readlink()
        if mark.is_file():
            return mark.parent / mark.read_text(encoding="utf-8", errors="replace").strip()
    if os.path.lexists(path) or path.suffix in (".nc", ".zarr"):
        return path
    place = path.parent if len(path.parts) > 1 and is_folder(path.parent) else outputs
    if is_folder(place / path.name):
        return place / path.name
    meant = rf"{re.escape(path.name)}-{_ID}|.+-{re.escape(path.name)}"
    fitting = [each for each in named_folders(place) if re.fullmatch(meant, each.name)]
    if len(fitting) > 1:
        newest = sorted(fitting, key=lambda each: each.stat().st_mtime, reverse=True)
        told = ", ".join(map(str, newest[:5])) + (", ..." if newest[5:] else "")
        raise InputError(f"{path}: {len(fitting)} folders are called so, the newest first: {told}. Name one of them.")
    return fitting[0] if fitting else path


def keep_lines(folder: FilePath, name: str, lines: Iterable[str], *, warnings: Iterable[str] = ()) -> None:
    """Keep what a command says in the folder of a kind by this name, so that `simulate show` says it again."""
    said = [*(f"{WARNING}{warning}" for warning in warnings), *lines]
    write_text(folder / f"{name}.txt", "".join(f"{line}\n" for line in said))


def _attributes(file: FilePath) -> frozenset[str]:
    """Name the attributes of a netCDF file; none where it is no such file."""
    if not is_there(file) or not file.is_file():
        return frozenset()
    import netCDF4

    from simulator.runs.netcdf import check_sealed

    try:
        with netCDF4.Dataset(check_sealed(file)) as opened:
            return frozenset(opened.ncattrs())
    except (OSError, RunFileError):
        return frozenset()


def stored_lines(folder: FilePath, kind: Kind) -> tuple[list[str], list[str]]:
    """Read the lines that a command kept beside its tables, and its warnings."""
    try:
        text = read_bytes(folder / kind.lines).decode()
    except FileNotFoundError:
        rule = f"has no {kind.lines}, in which `{kind.command}` keeps what it prints"
        raise RunFileError(f"{folder}: {rule}. Make the folder again.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunFileError(f"{folder / kind.lines}: cannot be read as text ({type(error).__name__}).") from None
    said = text.removesuffix("\n").split("\n")
    return (
        [line for line in said if not line.startswith(WARNING)],
        [line.removeprefix(WARNING) for line in said if line.startswith(WARNING)],
    )


RUN_FORMAT = 1


def explain_rows(run: xr.DataTree) -> Iterator[dict[str, str]]:
    """Say what every variable of a run is: its group, name, dimensions, unit, long name."""
    for node in run.subtree:
        for name, values in node.data_vars.items():
            words = (values.attrs.get(key, "") for key in ("long_name", "understood"))
            said = ": ".join(str(each) for each in words if each)
            about = {
                "group": node.path.lstrip("/"),
                "variable": str(name),
                "dimensions": ", ".join(map(str, values.dims)),
            }
            yield about | {"unit": str(values.attrs.get("units", "-")), "meaning": said}


def explain_lines(run: xr.DataTree) -> list[str]:
    """Say the same in lines, below each group with its sizes."""
    lines = []
    for path, held in groupby(explain_rows(run), key=lambda row: row["group"]):
        rows = list(held)
        sizes = ", ".join(f"{name} {size:,}" for name, size in run[f"/{path}"].sizes.items())
        width = min(max(len(row["variable"]) for row in rows), 40)
        told = (f"  {row['variable']:{width}}  ({row['dimensions']})  {row['unit']}  {row['meaning']}" for row in rows)
        lines += [f"{path}  ({sizes})", *map(str.rstrip, told)]
    return lines


def run_path(path: FilePath | str) -> FilePath:
    """Find the run file (`run.nc`) or store (`run.zarr`) that a path names: itself, or the one in the folder."""
    file = as_path(path)
    if isinstance(file, Address):
        is_one = file.suffix in (".nc", ".zarr")
        return file if is_one else file / ("run.zarr" if "run.zarr" in file.sizes() else "run.nc")
    if is_folder(file) and file.suffix != ".zarr":
        return file / "run.zarr" if (file / "run.zarr").is_dir() else file / "run.nc"
    return file

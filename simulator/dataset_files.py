"""Results that are one labelled table: written as netCDF and opened again."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Literal

import xarray as xr

from simulator.errors import RunFileError
from simulator.files import replacing
from simulator.labelled import of_dataset
from simulator.netcdf import write_netcdf

type DatasetKind = Literal["shares", "swings"]

_WORDS: dict[DatasetKind, str] = {"shares": "shares of variance", "swings": "swings"}


def save_dataset(dataset: xr.Dataset, path: FilePath) -> None:
    """Write a dataset as a netCDF file; the same dataset gives the same bytes.

    Raises
    ------
    SimulatorError
        The file cannot be written. What stood there before is left as it was.
    """
    with replacing(path) as temporary:
        write_netcdf(of_dataset(dataset), temporary)


def open_dataset(path: FilePath | str, *, kind: DatasetKind, format_: int) -> xr.Dataset:
    """Open shares or swings: a file, or the folder that holds it.

    Parameters
    ----------
    path : path
    kind : {"shares", "swings"}
        What it holds: the file in a folder is called so, and the attribute of its format.
    format_ : int
        The only format that is read.

    Raises
    ------
    RunFileError
        There is none, it cannot be read, or it is something else or of another format.
    """
    file = FilePath(path)
    file = file / f"{kind}.nc" if file.is_dir() else file
    if not file.exists():
        raise RunFileError(f"{path}: no such file of {kind}. `simulate {kind}` writes one.")
    try:
        dataset = xr.load_dataset(file, engine="netcdf4")
    except (OSError, ValueError) as error:
        raise RunFileError(
            f"{file}: cannot be read: it is damaged or no netCDF file ({type(error).__name__})."
        ) from None
    found = dataset.attrs.get(f"{kind}_format")
    if found is None:
        raise RunFileError(f"{file}: is a netCDF file but holds no {_WORDS[kind]}. `simulate {kind}` writes one.")
    if int(found) != format_:
        raise RunFileError(
            f"{file}: holds {kind} of format {found}; this simulator reads {format_}. Run `simulate {kind}` again."
        )
    return dataset

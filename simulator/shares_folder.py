"""Folders of shares of variance: writing and opening them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path as FilePath

import xarray as xr

from simulator.chart_palette import Theme
from simulator.documents import yaml_text
from simulator.errors import RunFileError
from simulator.figure_shares import share_figures, share_label, share_table
from simulator.figures import write_figure
from simulator.files import make_folder, replacing, write_table, write_text

FILE = "shares.nc"


def write_shares(
    shares: xr.Dataset, outputs: FilePath | str, *, formats: Sequence[str] = ("png", "svg"), theme: Theme = "light"
) -> FilePath:
    """Write the folder of shares: `shares.nc`, `shares.csv`, the resolved scenario, and charts with their tables.

    Parameters
    ----------
    shares : xarray.Dataset
        From `variance_shares`.
    outputs : path
        The folder in which `<scenario>-shares-<id>` is made.
    formats : sequence of str
        Formats of the charts; none: no charts are drawn.
    theme : {"light", "dark"}

    Returns
    -------
    path of the folder

    Raises
    ------
    SimulatorError
        The folder cannot be written.
    """
    folder = FilePath(outputs) / f"{shares.attrs['name']}-shares-{shares.attrs['shares_id']}"
    make_folder(folder)
    with replacing(folder / FILE) as temporary:
        shares.to_netcdf(temporary, engine="netcdf4")
    write_table(folder / "shares.csv", share_table(shares))
    write_text(folder / "scenario.yaml", yaml_text(json.loads(str(shares.attrs["scenario"]))))
    if formats:
        for figure in share_figures(shares):
            write_figure(figure, folder, formats=formats, theme=theme, footer=share_label(shares))
    return folder


def open_shares(path: FilePath | str) -> xr.Dataset:
    """Open shares of variance: a file, or the folder that holds it.

    Raises
    ------
    RunFileError
        There is none, or the file is something else.

    Examples
    --------
    >>> open_shares("no-such-shares.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-shares.nc: no such file of shares. `simulate shares` writes one.
    """
    file = FilePath(path)
    file = file / FILE if file.is_dir() else file
    if not file.exists():
        raise RunFileError(f"{path}: no such file of shares. `simulate shares` writes one.")
    try:
        shares = xr.load_dataset(file, engine="netcdf4")
    except (OSError, ValueError) as error:
        raise RunFileError(
            f"{file}: cannot be read: it is damaged or no netCDF file ({type(error).__name__})."
        ) from None
    if "shares_id" not in shares.attrs:
        raise RunFileError(f"{file}: is a netCDF file but holds no shares of variance. `simulate shares` writes one.")
    return shares

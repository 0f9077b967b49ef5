"""Folders of shares of variance: writing and opening them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path as FilePath

import xarray as xr

from simulator.chart_palette import Theme
from simulator.dataset_files import open_dataset, save_dataset
from simulator.documents import yaml_text
from simulator.figure_shares import share_figures, share_label, share_table
from simulator.figures import write_figure
from simulator.files import make_folder, write_table, write_text
from simulator.variance_shares import SHARES_FORMAT


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
    save_dataset(shares, folder / "shares.nc")
    write_table(folder / "shares.csv", share_table(shares))
    write_text(folder / "scenario.yaml", yaml_text(json.loads(str(shares.attrs["scenario"]))))
    if formats:
        write_share_charts(shares, folder, formats=formats, theme=theme)
    return folder


def write_share_charts(
    shares: xr.Dataset, folder: FilePath, *, formats: Sequence[str], theme: Theme = "light"
) -> list[FilePath]:
    """Draw the shares of each outcome over the years into a folder, which is made where there are any.

    Returns
    -------
    list of the files that were written; none where no outcome varies in two years
    """
    figures = share_figures(shares)
    if figures:
        make_folder(folder)
    return [
        path
        for figure in figures
        for path in write_figure(figure, folder, formats=formats, theme=theme, footer=share_label(shares))
    ]


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
    return open_dataset(path, kind="shares", format_=SHARES_FORMAT)

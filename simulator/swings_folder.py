"""Folders of swings: writing and opening them, and drawing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath

import xarray as xr

from simulator.chart_palette import Theme
from simulator.dataset_files import open_dataset, save_dataset
from simulator.figure_swings import swing_figures
from simulator.figures import write_figure
from simulator.files import make_folder, write_table
from simulator.swings import SWINGS_FORMAT, swing_table


def write_swings(
    found: xr.Dataset, outputs: FilePath | str, *, formats: Sequence[str] = ("png", "svg"), theme: Theme = "light"
) -> FilePath:
    """Write the folder of swings: `swings.nc`, `swings.csv`, and charts with their tables.

    Parameters
    ----------
    found : xarray.Dataset
        From `prior_swings`.
    outputs : path
        The folder in which `<scenario>-swings-<id>` is made.
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
    folder = FilePath(outputs) / f"{found.attrs['name']}-swings-{found.attrs['id']}"
    make_folder(folder)
    write_table(folder / "swings.csv", swing_table(found))
    save_dataset(found, folder / "swings.nc")
    if formats:
        write_swing_charts(found, folder, formats=formats, theme=theme)
    return folder


def write_swing_charts(
    found: xr.Dataset, folder: FilePath, *, formats: Sequence[str], theme: Theme = "light"
) -> list[FilePath]:
    """Draw the swings of each outcome into a folder, which is made where it is not there; give the files."""
    make_folder(folder)
    footer = f"Swings {found.attrs['id']} of scenario {found.attrs['name']}"
    return [
        path
        for figure in swing_figures(found, swing_table(found))
        for path in write_figure(figure, folder, formats=formats, theme=theme, footer=footer)
    ]


def open_swings(path: FilePath | str) -> xr.Dataset:
    """Open swings: a file, or the folder that holds it.

    Raises
    ------
    RunFileError
        There is none, or the file is something else.

    Examples
    --------
    >>> open_swings("no-such-swings.nc")
    Traceback (most recent call last):
    simulator.errors.RunFileError: no-such-swings.nc: no such file of swings. `simulate swings` writes one.
    """
    return open_dataset(path, kind="swings", format_=SWINGS_FORMAT)

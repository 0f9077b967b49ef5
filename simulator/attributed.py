"""The attribution of the difference of two runs, told and written into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath

import xarray as xr

from simulator.attribution import attribute, attribution_lines, attribution_table
from simulator.comparison_inputs import run_labels
from simulator.errors import InputError
from simulator.files import make_folder, write_table
from simulator.record import stored_scenario
from simulator.scenario import Scenario


def check_attributable(items: Sequence[xr.DataTree | Scenario]) -> None:
    """Refuse runs and scenarios that mix scenarios, before anything is run or written.

    Raises
    ------
    InputError
        One does.
    """
    for item in items:
        name, mixes = (
            (item.spec.name, len(item.components) > 1)
            if isinstance(item, Scenario)
            else (item.attrs["name"], bool(item.attrs.get("components")))
        )
        if mixes:
            raise InputError(
                f"compare: --attribute: {name} mixes scenarios, and a prior of one name may mean another "
                "thing in each. Compare one of them."
            )


def write_attribution(
    first: xr.DataTree,
    second: xr.DataTree,
    folder: FilePath,
    *,
    formats: Sequence[str] = ("png", "svg"),
    theme: str = "light",
) -> list[str]:
    """Attribute the difference of two runs' headline numbers to what their stored scenarios say differently.

    Writes `attribution.csv` and a chart of waterfalls.

    Parameters
    ----------
    first, second : xarray.DataTree
        Runs; a summary is enough, since the stored scenarios are evaluated again on common draws.
    folder : path
        Made where it is not there.
    formats : sequence of str
        Formats of the chart; none: no chart is drawn.
    theme : {"light", "dark"}

    Returns
    -------
    lines for the terminal

    Raises
    ------
    InputError
        They are mixtures, or do not hold together in part.
    RunFileError
        A stored scenario cannot be read by this version.
    """
    found = attribute(stored_scenario(first), stored_scenario(second))
    rows = attribution_table(found)
    make_folder(folder)
    write_table(folder / "attribution.csv", rows)
    if formats and any(row["input"] and row["part"] for row in rows):
        from simulator.chart_palette import check_theme
        from simulator.figure_attribution import attribution_figure
        from simulator.figures import write_figure

        labels = run_labels([first, second])
        how = f"over {found.shares.orders} random orders" if found.shares.orders else "over all subsets of the inputs"
        note = (
            f"Runs {first.attrs['run_id']} ({labels[0]}) and {second.attrs['run_id']} ({labels[1]}). Shapley values "
            f"{how}, each evaluated on {found.samples:,} common samples."
        )
        figure = attribution_figure(rows, labels=labels, note=note)
        write_figure(figure, folder, formats=formats, theme=check_theme(theme), footer=note)
    return attribution_lines(found)

"""The charts of a folder that a command wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.analysis.attribution import Attribution, attribution_table
from simulator.charts.kinds.attribution import attribution_figure
from simulator.charts.palette import check_theme
from simulator.charts.register import check_formats, write_figure
from simulator.charts.spec import Figure
from simulator.files import make_folder
from simulator.registers import attribute_at
from simulator.runs.table import Table
from simulator.scenario.differences import run_labels

if TYPE_CHECKING:
    import xarray as xr

    from simulator.runs.result import Result

DRAWN: Mapping[str, str] = MappingProxyType(
    {
        "hindcast": "simulator.charts.kinds.hindcast:hindcast_figures",
        "shares": "simulator.charts.kinds.shares:share_figures",
        "swings": "simulator.charts.kinds.swings:swing_figures",
    }
)
"""What draws the figures of a kind of result, as `module:function`; loaded when it is drawn.

The function takes the result, and where its kind offers a choice (outcomes, kinds of chart) what is asked of it.
"""


def draw_result(
    result: Result, folder: FilePath, *, formats: Sequence[str], theme: str = "light", asked: Sequence[str] = ()
) -> list[FilePath]:
    """Draw the charts of a result into a folder, which is made where there are any; give the files.

    Raises
    ------
    InputError
        A format, theme or what is asked for is none, or it cannot be drawn.
    SimulatorError
        The folder cannot be written.
    """
    check_formats(formats)
    ground = check_theme(theme)
    if result.kind not in DRAWN:
        return []
    figures_of = attribute_at(DRAWN[result.kind])
    figures: list[Figure] = figures_of(result, asked) if asked else figures_of(result)
    if figures:
        make_folder(folder)
    return [
        path
        for figure in figures
        for path in write_figure(figure, folder, formats=formats, theme=ground, footer=result.label)
    ]


def draw_attribution(
    found: Attribution, runs: Sequence[xr.DataTree], folder: FilePath, *, formats: Sequence[str], theme: str = "light"
) -> list[FilePath]:
    """Draw the attribution of the difference of two runs into a folder; nothing where nothing differs."""
    rows = attribution_table(found)
    if not any(row["input"] and row["part"] for row in rows):
        return []
    first, second = runs
    labels = run_labels(runs)
    how = f"over {found.shares.orders} random orders" if found.shares.orders else "over all subsets of the inputs"
    note = (
        f"Runs {first.attrs['run_id']} ({labels[0]}) and {second.attrs['run_id']} ({labels[1]}). Shapley values "
        f"{how}, each evaluated on {found.samples:,} common samples."
    )
    figure = attribution_figure(Table.of_rows(rows), labels=labels, note=note)
    return write_figure(figure, folder, formats=formats, theme=check_theme(theme), footer=note)

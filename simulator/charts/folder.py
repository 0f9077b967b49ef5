"""The charts of a folder that a command wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from simulator.analysis.attribution import Attribution, attribution_table
from simulator.charts.kinds.attribution import attribution_figure
from simulator.charts.palette import check_theme
from simulator.charts.register import write_figure
from simulator.scenario.differences import run_labels

if TYPE_CHECKING:
    import xarray as xr


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
    figure = attribution_figure(rows, labels=labels, note=note)
    return write_figure(figure, folder, formats=formats, theme=check_theme(theme), footer=note)

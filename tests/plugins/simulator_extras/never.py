"""A chart kind: how probable it is that each threshold is not crossed at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError
from simulator.runs.summary import crossing_table
from simulator.wording import share_text

if TYPE_CHECKING:
    import xarray as xr


def never_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw a bar for each threshold."""
    table = crossing_table(run)
    if not len(table):
        raise InputError("the run has no thresholds.")
    chosen = table.select("label", "never")
    chart = {
        "data": {"values": chosen.rows()},
        "mark": "bar",
        "encoding": {
            "y": {"field": "label", "type": "nominal", "title": None, "sort": None},
            "x": {"field": "never", "type": "quantitative", "title": "probability of no crossing"},
        },
    }
    said = "; ".join(f"{row['label']} {share_text(row['never'], row['samples'])}" for row in table.rows())
    return [Figure("never", chart, {"": chosen}, f"Not crossed by the last year: {said}.", f"Bars. {said}.")]

"""An exporter: the crossing years as a table in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.export.formats import Exporter
from simulator.runs.summary import crossing_table

if TYPE_CHECKING:
    import xarray as xr


def crossings(run: xr.DataTree) -> tuple[str, str]:
    """Write the median crossing year of each threshold; the line says how many there are."""
    rows = [f"| {row['label']} | {row['median']:.1f} |" for row in crossing_table(run).rows()]
    return "\n".join(["| threshold | median |", "|---|---|", *rows, ""]), f"{len(rows)} thresholds"


EXPORTER = Exporter("crossing years in Markdown", ".md", text=crossings)

"""Read what a chart draws."""

from __future__ import annotations

from simulator.charts.spec import Data, Spec


def tables(spec: Spec) -> list[Data]:
    """Collect the tables of the layers of a chart or a view."""
    own = [spec["data"]["values"]] if "data" in spec else []
    parts = [part for key in ("vconcat", "hconcat", "layer") for part in spec.get(key, [])]
    return own + [table for part in parts for table in tables(part)]


def texts(chart: Spec) -> list[str]:
    """Collect the texts of a chart, in the order of its tables."""
    return [str(row["text"]) for rows in tables(chart) for row in rows if "text" in row]

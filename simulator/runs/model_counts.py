"""Counts of models, read off a run: in a year, and by its end in two readings that are told apart.

The percentile of the sum is that of the total in each sample: right for how many there are in all. The sum of
percentiles adds the points of the single years up; it is wider, for good and bad years do not all fall together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError
from simulator.runs.estimates import INTERVAL
from simulator.runs.groups import Group, arrays, read_quantiles
from simulator.runs.table import Row, Table
from simulator.units import Array
from simulator.wording import apart_line

if TYPE_CHECKING:
    import xarray as xr


IN_YEAR, OF_SUM, SUM_OF = "in the year", "percentile of the sum", "sum of percentiles"
READINGS = (IN_YEAR, OF_SUM, SUM_OF)
MOST_LINES = 3
_NO_PARTS: Mapping[str, Group] = MappingProxyType({})


def counted_names(run: Group | xr.DataTree) -> list[str]:
    """List the variables of a run that count models by the end of a year: those above levels first, each rising."""
    return _counted(arrays(run, "summary"))


def _counted(summary: Group) -> list[str]:
    names = map(str, summary.data_vars)
    own = [name for name in names if name.startswith("models_") and not name.endswith(("_in_year", "_mean", "_error"))]
    return sorted(own, key=lambda name: (name.split("_")[1], float(name.split("_")[2])))


def count_quantiles(run: Group | xr.DataTree, name: str) -> dict[str, Array]:
    """Read the 5, 50 and 95 % points of a count by calendar year, (3, year), in each reading.

    InputError where the run has no such counts.
    """
    if name not in (names := counted_names(run)):
        raise InputError(f"the run has no counts of models '{name}'. There are: {', '.join(names)}.")
    return _count_quantiles(arrays(run, "summary"), name)


def _count_quantiles(summary: Group, name: str) -> dict[str, Array]:
    found = (read_quantiles(summary, each, INTERVAL) for each in (name, f"{name}_in_year"))
    total, single = (np.stack([*each.values()]) for each in found)
    earlier = total[:, :1] - single[:, :1]  # one number, known
    return {IN_YEAR: single, OF_SUM: total, SUM_OF: earlier + np.cumsum(single, axis=1)}


def count_table(run: Group | xr.DataTree) -> Table:
    """Tabulate the counts of models by calendar year: median and 90 % interval, in each reading; empty without counts.

    `counts` says what is counted; `reading` is one of `READINGS`.
    """
    return summary_counts(arrays(run, "summary"))


def summary_counts(summary: Group) -> Table:
    """Tabulate the same of a summary: of a run, of a component, or of an actor."""
    names = _counted(summary)
    if not names:
        return Table({})
    years = [math.floor(year) for year in summary.coords["year"].values.tolist()]
    parts = [(name, *part) for name in names for part in _count_quantiles(summary, name).items()]
    columns: dict[str, Any] = {
        "variable": np.repeat([name for name, _, _ in parts], len(years)),
        "counts": np.repeat([str(summary.data_vars[name].attrs["long_name"]) for name, _, _ in parts], len(years)),
        "year": np.tile(years, len(parts)),
        "reading": np.repeat([reading for _, reading, _ in parts], len(years)),
    }
    points = np.concatenate([values for _, _, values in parts], axis=1)
    return Table(columns | dict(zip(INTERVAL, points, strict=True)))


def count_lines(run: Group | xr.DataTree, parts: Mapping[str, Group] = _NO_PARTS) -> list[str]:
    """Say how many models there are above each level by the end of the last year; at most three levels.

    `parts` are summaries of what the run consists of, such as its actors, which are told apart.
    """
    table = count_table(run)
    if not table:
        return []
    last = {"year": table["year"].max(), "reading": OF_SUM}
    rows = table.where(**last).rows()
    rows = [row for row in rows if row["variable"].startswith("models_above_")] or rows
    apart = {name: summary_counts(part).where(**last) for name, part in parts.items()}
    lines = []
    for row in rows[:MOST_LINES]:
        lines.append(f"  {row['counts']} by the end of {row['year']}: {said_counts(row)}")
        own = {name: said_counts(each.where(variable=row["variable"]).rows()[0]) for name, each in apart.items()}
        lines += apart_line(own)
    return lines


def said_counts(row: Row) -> str:
    """Write a count and its 90 % interval."""
    low, middle, high = (f"{row[key]:,.0f}" for key in INTERVAL)
    return middle if low == high else f"{middle} (90 % {low} to {high})"

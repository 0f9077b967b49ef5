"""Counts of models, read off a run: in a year, and by its end in two readings that are told apart.

The percentile of the sum is that of the total in each sample: right for how many there are in all. The sum of
percentiles adds the points of the single years up; it is wider, for good and bad years do not all fall together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError
from simulator.runs.groups import Group, arrays
from simulator.units import Array

if TYPE_CHECKING:
    import xarray as xr


type Row = dict[str, object]

IN_YEAR, OF_SUM, SUM_OF = "in the year", "percentile of the sum", "sum of percentiles"
READINGS = (IN_YEAR, OF_SUM, SUM_OF)
MOST_LINES = 3

_LEVELS = {"lower_90": 0.05, "median": 0.5, "upper_90": 0.95}


def counted_names(run: Group | xr.DataTree) -> list[str]:
    """List the variables of a run that count models by the end of a year: those above levels first, each rising.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> counted_names(simulate(load_scenario("baseline", overrides=["samples=1024"])))
    []
    """
    names = map(str, arrays(run, "summary").data_vars)
    own = [name for name in names if name.startswith("models_") and not name.endswith(("_in_year", "_mean", "_error"))]
    return sorted(own, key=lambda name: (name.split("_")[1], float(name.split("_")[2])))


def count_quantiles(run: Group | xr.DataTree, name: str) -> dict[str, Array]:
    """Read the 5, 50 and 95 % points of a count by calendar year, in each reading.

    Parameters
    ----------
    run : xarray.DataTree, or its groups of labelled arrays
        With samples or without.
    name : str
        One of `counted_names`.

    Returns
    -------
    dict of arrays (3, year) by reading

    Raises
    ------
    InputError
        The run has no such counts.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("published/kumar-manning-2025", overrides=["samples=1024"]))
    >>> {reading: points.shape for reading, points in count_quantiles(run, counted_names(run)[0]).items()}
    {'in the year': (3, 5), 'percentile of the sum': (3, 5), 'sum of percentiles': (3, 5)}
    """
    summary = arrays(run, "summary")
    if name not in counted_names(run):
        raise InputError(f"the run has no counts of models '{name}'. There are: {', '.join(counted_names(run))}.")
    places = [int(np.argmin(np.abs(summary["quantile"].values - level))) for level in _LEVELS.values()]
    total, single = summary[name].values[places], summary[f"{name}_in_year"].values[places]
    earlier = total[:, :1] - single[:, :1]  # one number, known
    return {IN_YEAR: single, OF_SUM: total, SUM_OF: earlier + np.cumsum(single, axis=1)}


def count_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate the counts of models by calendar year: median and 90 % interval, in each reading.

    Returns
    -------
    rows of `variable`, `counts` (what is counted), `year` (a calendar year), `reading` (`in the year`, `percentile of
    the sum`: of the total by the end of the year; `sum of percentiles`: those of the single years added up),
    `lower_90`, `median`, `upper_90`; none where the run counts no models

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> count_table(simulate(load_scenario("baseline", overrides=["samples=1024"])))
    []
    """
    summary = arrays(run, "summary")
    years = [math.floor(year) for year in summary["year"].values.tolist()]
    return [
        {
            "variable": name,
            "counts": str(summary[name].attrs["long_name"]),
            "year": year,
            "reading": reading,
            **dict(zip(_LEVELS, values[:, place].tolist(), strict=True)),
        }
        for name in counted_names(run)
        for reading, values in count_quantiles(run, name).items()
        for place, year in enumerate(years)
    ]


def count_lines(run: Group | xr.DataTree) -> list[str]:
    """Say how many models there are above each level by the end of the last year; at most three levels."""
    last = math.floor(float(arrays(run, "summary")["year"].values[-1]))
    rows = [row for row in count_table(run) if row["year"] == last and row["reading"] == OF_SUM]
    rows = [row for row in rows if str(row["variable"]).startswith("models_above_")] or rows
    return [f"  {row['counts']} by the end of {last}: {said_counts(row)}" for row in rows[:MOST_LINES]]


def said_counts(row: Row) -> str:
    """Write a count and its 90 % interval.

    Examples
    --------
    >>> said_counts({"lower_90": 44.0, "median": 81.2, "upper_90": 1460.0})
    '81 (90 % 44 to 1,460)'
    >>> said_counts({"lower_90": 20.0, "median": 20.0, "upper_90": 20.0})
    '20'
    """
    low, middle, high = (f"{float(str(row[key])):,.0f}" for key in _LEVELS)
    return middle if low == high else f"{middle} (90 % {low} to {high})"

"""What a run that has learnt shows before its first year: the runs that it learnt from, and their trend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.figure import Row
from simulator.labelled import Group
from simulator.rungroups import arrays

if TYPE_CHECKING:
    import xarray as xr

SEEN: Final = {"physical_compute": ("run_log_compute", "run_year"), "spending": ("cost_log_usd", "costed_run_year")}
"""What was observed of a variable, and when; log10 of its unit."""
TRENDS: Final = {"physical_compute": "compute", "spending": "spending", "hardware": "efficiency"}
"""Which trend of the model of history a variable goes on from."""


def observed_rows(run: Group | xr.DataTree, quantity: str, *, years: tuple[float, float] | None = None) -> list[Row]:
    """List the observations of a variable that a run learnt from; none of a run that has not learnt.

    Parameters
    ----------
    run : xarray.DataTree, or its groups of labelled arrays
    quantity : str
        A variable of the summary.
    years : first and last year, or None for all

    Returns
    -------
    rows of `date` (decimal year), `value` (log10 of the unit), `label` (empty: a run holds no names of them)

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> observed_rows(simulate(load_scenario("doubling-times")), "physical_compute")
    []
    """
    if quantity not in SEEN or "observed_data" not in run.children:
        return []
    name, when = SEEN[quantity]
    seen = arrays(run, "observed_data")
    if name not in seen:
        return []
    first, last = years or (-math.inf, math.inf)
    pairs = sorted(zip(seen[when].values.tolist(), seen[name].values.tolist(), strict=True))
    return [{"date": date, "value": value, "label": ""} for date, value in pairs if first <= date <= last]


def trend_rows(run: Group | xr.DataTree, quantity: str, *, years: tuple[float, float] | None = None) -> list[Row]:
    """Tabulate the trend that a run has learnt, up to the end of the data; none of a run that has not learnt.

    Returns
    -------
    rows of `year`, `median`, and `lower`, `upper` (the central 90 %), log10 of the unit; none where fewer than two
    years are left
    """
    if quantity not in TRENDS or "posterior" not in run.children:
        return []
    learnt = arrays(run, "posterior")
    years_learnt = learnt["year"].values
    path = learnt[TRENDS[quantity]].values.reshape(-1, years_learnt.size)  # (chain, draw, year)
    bands = np.quantile(path, [0.05, 0.5, 0.95], axis=0)
    first, last = years or (-math.inf, math.inf)
    end = float(learnt.attrs["origin"]) + 1.0
    rows: list[Row] = [
        {"year": year, "lower": low, "median": median, "upper": high}
        for year, low, median, high in zip(years_learnt.tolist(), *bands.tolist(), strict=True)
        if first <= year <= min(last, end)
    ]
    return rows if len(rows) > 1 else []

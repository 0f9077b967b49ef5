"""Crossing years from a run: of the thresholds that it declares, and of any other level."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from simulator.errors import InputError, near_name, near_or_all
from simulator.model.crossings import first_crossing
from simulator.runs.groups import group


def crossing_years(run: xr.DataTree, threshold: str | float, *, quantity: str = "effective_compute") -> xr.DataArray:
    """Give the year in which each sample crosses a threshold.

    The first time at or above it, interpolated in log10 within the step; a sample above it at the start has the first
    year, one that does not cross by the horizon +inf. No sample is dropped.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    threshold : str or float
        The name of a threshold of the scenario, whose crossings lie on the paths themselves, or a level in FLOP (or
        USD) that is crossed by `quantity`: on straight lines in log10 between the stored years.
    quantity : str
        With a level: the variable that crosses it.

    Returns
    -------
    xarray.DataArray (sample,), decimal years or +inf

    Raises
    ------
    InputError
        There is no such threshold or variable, or the run kept no samples.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> float(crossing_years(run, "gpt-4").median().round(1)), float(crossing_years(run, 1e27).median().round(1))
    (2023.0, 2021.1)
    """
    if isinstance(threshold, str):
        if "crossings" not in run.children and "trajectories" in run.children:
            raise InputError(
                f"the run declares no thresholds, and none '{threshold}'. Hand over a level instead of a name."
            )
        crossings = group(run, "crossings", of_samples=True)
        names = crossings["threshold"].values.tolist()
        if threshold not in names:
            hint = near_or_all(threshold, names)
            raise InputError(f"the run has no threshold '{threshold}'. {hint}")
        return crossings["crossing_year"].sel(threshold=threshold, drop=True)
    trajectories = group(run, "trajectories", of_samples=True)
    if quantity not in trajectories:
        names = [str(name) for name in trajectories.data_vars]
        raise InputError(f"the run has no variable '{quantity}'. {near_name(quantity, names)}".strip())
    if not threshold > 0 or math.isnan(threshold):
        raise InputError(f"a threshold must be above 0; got {threshold}.")
    values = trajectories[quantity]
    years, _ = first_crossing(values["year"].values, values.values.astype(np.float64), np.log10(threshold))
    attributes = {"units": "year", "long_name": f"crossing year of {threshold:g}"}
    return xr.DataArray(
        years, coords={"sample": values["sample"]}, dims="sample", name="crossing_year", attrs=attributes
    )

"""How effective compute in one year goes up and down with each prior: rank correlations over the samples of a run."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from simulator.errors import InputError
from simulator.rungroups import group

MOST_SAMPLES = 65_536
"""Samples that enter; more would change the third decimal."""
FEWEST_SAMPLES = 30
"""A prior that fewer samples have, as in a small part of a mixture, has no correlation worth a number."""

type Array = NDArray[np.float64]
type Row = dict[str, object]


def rank_associations(run: xr.DataTree) -> list[Row]:
    """Correlate each uncertain prior with effective compute in the last year, by ranks.

    Spearman's coefficient: the correlation of the ranks, ties having the mean of their ranks. It is an association:
    priors that are correlated share theirs, and a limit that binds later or less often shows less.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.

    Returns
    -------
    rows of `name`, `rank` (-1 to 1), `samples` (those that have the prior and entered), the strongest first

    Raises
    ------
    InputError
        The run kept its summary only.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> rank_associations(run)[0]["name"]
    'drivers.algorithms.growth'
    """
    first = {"sample": slice(0, MOST_SAMPLES)}
    levels = group(run, "trajectories", of_samples=True)["effective_compute"].isel(year=-1).isel(first)
    outcome = np.asarray(levels.values, dtype=np.float64)
    rows: list[Row] = []
    for name, drawn in group(run, "parameters", of_samples=True).isel(first).data_vars.items():
        values = np.asarray(drawn.values, dtype=np.float64)
        present = ~np.isnan(values)  # in a mixture of scenarios not every sample has every prior
        if str(name) == "component" or present.sum() < FEWEST_SAMPLES:
            continue
        rank = spearman(values[present], outcome[present])
        if rank is not None:
            rows.append({"name": str(name), "rank": rank, "samples": int(present.sum())})
    return sorted(rows, key=lambda row: (-abs(float(str(row["rank"]))), str(row["name"])))


def spearman(first: Array, second: Array) -> float | None:
    """Give Spearman's rank correlation of two columns (sample,); None where one of them does not vary.

    Raises
    ------
    InputError
        The columns differ in length.

    Examples
    --------
    >>> round(spearman(np.array([1.0, 2.0, 3.0, np.inf]), np.array([1.0, 2.0, 9.0, 4.0])), 6)
    0.8
    """
    if first.shape != second.shape:
        raise InputError(f"ranks: the columns must be of one length; got {first.size} and {second.size}.")
    a, b = (_ranks(values) for values in (first, second))
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else None


def _ranks(values: Array) -> Array:
    """Give ranks less their mean; ties have the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(middles[place] - (values.size - 1) / 2, dtype=np.float64)

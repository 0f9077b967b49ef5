"""What a fit of history says of each observation at each draw: how likely it is, and what would have been seen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import stats

from simulator.history import model as equations
from simulator.history.model import path_at
from simulator.history.observations import Array, Flags, Known, Observations

SEEN = {"run_log_compute": "run", "cost_log_usd": "costed_run", "accelerator_log_flops_per_usd": "accelerator"}
"""What is observed, and along what."""


def flags_of(known: Known) -> dict[str, Flags]:
    """Tell what was known, by what it is observed along."""
    return {"run": known.run, "costed_run": known.cost, "accelerator": known.accelerator}


def observed_data(observations: Observations, known: Known) -> xr.Dataset:
    """Give what was known at the date, and where there are any, what was known of runs without FLOP."""
    flags = flags_of(known)
    seen = xr.Dataset(
        {name: (dim, getattr(observations, name)[flags[dim]]) for name, dim in SEEN.items()},
        coords={
            f"{dim}_year": (dim, getattr(observations, f"{dim.removeprefix('costed_')}_year")[flag])
            for dim, flag in flags.items()
        },
    )
    if (hidden := observations.hidden.where(known.hidden)).year.size:
        told = {"hidden_log_least": hidden.log_least, "hidden_cost_log_usd": hidden.cost_log_usd}
        seen = seen.assign({name: ("hidden_run", values) for name, values in told.items()})
        seen = seen.assign_coords(hidden_run_year=("hidden_run", hidden.year))
    return seen


def _one(draws: xr.Dataset, name: str) -> Array:  # (chain, draw, 1)
    return np.asarray(draws[name].values[..., None])


def _trends(draws: xr.Dataset, observations: Observations, known: Known) -> tuple[Array, Array, Array]:
    """Read the trends where something is known: compute of runs, spending of costed runs, speed of accelerators."""
    runs, chips = observations.run_year[known.run], observations.accelerator_year[known.accelerator]

    def at(name: str, times: Array) -> Array:
        return np.asarray(path_at(draws[name].values, times, grid=draws["year"].values))

    speed = at("efficiency", chips) - _one(draws, "accelerator_offset")
    return at("compute", runs), at("spending", runs[known.cost[known.run]]), speed


def _of_each(draws: xr.Dataset, values: Sequence[Array], observations: Observations, known: Known) -> xr.Dataset:
    """Label what there is of each observation at each draw."""
    return xr.Dataset(
        {name: (("chain", "draw", dim), each) for (name, dim), each in zip(SEEN.items(), values, strict=True)},
        coords={**observed_data(observations, known).coords, "chain": draws["chain"], "draw": draws["draw"]},
    )


def replicate(draws: xr.Dataset, observations: Observations, known: Known, *, rng: np.random.Generator) -> xr.Dataset:
    """Draw the known runs, their costs and the accelerators anew, once for each draw of the unknowns."""
    compute, spending, speed = _trends(draws, observations, known)
    above = _spread(draws, observations, known) * rng.standard_t(_one(draws, "run_tail"), compute.shape)
    spending = spending + _one(draws, "cost_slope") * above[..., known.cost[known.run]]
    cost = spending + _one(draws, "cost_scatter") * rng.standard_t(_one(draws, "cost_tail"), spending.shape)
    speed = speed + _one(draws, "accelerator_scatter") * rng.standard_normal(speed.shape)
    return _of_each(draws, (compute + above, cost, speed), observations, known)


def log_likelihood(draws: xr.Dataset, observations: Observations, known: Known) -> xr.Dataset:
    """Give the log density of each known run, cost and accelerator at each draw, in single precision."""
    compute, spending, speed = _trends(draws, observations, known)
    seen = [observed_data(observations, known)[name].values for name in SEEN]
    above = (seen[0] - compute)[..., known.cost[known.run]]
    expected = spending + _one(draws, "cost_slope") * above
    densities = (
        stats.t.logpdf(seen[0], _one(draws, "run_tail"), compute, _spread(draws, observations, known)),
        stats.t.logpdf(seen[1], _one(draws, "cost_tail"), expected, _one(draws, "cost_scatter")),
        stats.norm.logpdf(seen[2], speed, _one(draws, "accelerator_scatter")),
    )
    labelled = _of_each(draws, [each.astype(np.float32) for each in densities], observations, known)
    if (hidden := observations.hidden.where(known.hidden)).year.size:
        years, unknown = draws["year"].values, _ones(draws)
        paths = [path_at(draws[name].values, hidden.year, grid=years) for name in ("spending", "compute")]
        spread = equations.spread_of(unknown, hidden.confidence)
        density = equations.hidden_density(hidden, *paths, spread=spread, unknown=unknown, by=equations.ARRAYS)
        labelled["hidden_log_least"] = ("chain", "draw", "hidden_run"), density.astype(np.float32)
    # ArviZ adds up what has no other coordinates.
    return labelled.drop_vars([f"{dim}_year" for dim in (*SEEN.values(), "hidden_run")], errors="ignore")


def _spread(draws: xr.Dataset, observations: Observations, known: Known) -> Array:
    """Give the spread of what is told of each known run about the trend at each draw."""
    words = tuple(itertools.compress(observations.run_confidence, known.run))
    return np.asarray(equations.spread_of(_ones(draws), words))


def _ones(draws: xr.Dataset) -> dict[str, Array]:
    """Give the unknowns of one value by name, each as (chain, draw, 1)."""
    return {str(name): values.values[..., None] for name, values in draws.data_vars.items() if values.ndim == 2}

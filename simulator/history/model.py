"""The model of history in PyMC: spending and efficiency grow; runs, costs and accelerators show them with noise.

On a yearly grid, t = 0, 1, ... years after the start of the first year, all in log10:

    spending[t]   = spending[0]   + growth_S t + volatility_S (z[1] + ... + z[t])          USD per run
    efficiency[t] = efficiency[0] + growth_E t + volatility_E (z'[1] + ... + z'[t])        FLOP per amortised USD
    compute[t]    = spending[t] + efficiency[t]                                            FLOP per run

and between the years on straight lines. What is seen:

    compute of run i  ~ StudentT(run_tail, compute(t_i), run_scatter)
    its cost          ~ StudentT(cost_tail, spending(t_i) + cost_slope (its compute - compute(t_i)), cost_scatter)
    accelerator j     ~ Normal(efficiency(t_j) - accelerator_offset, accelerator_scatter)       FLOP/s per USD

The cost depends on the run's own compute: a run above the trend is also dearer. Taking both noises as independent
would count the scatter twice in a forecast. Each observation has a weight of 0 or 1, so that one model serves every
origin: what was not known then has weight 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.history.observations import Array, Known, Observations
from simulator.priors.composite import Truncated
from simulator.priors.families import Gamma, Normal
from simulator.priors.twins import to_pymc
from simulator.schema.prior_families import Distribution

if TYPE_CHECKING:
    import xarray as xr

SPENDING_GROWTH: Final[Distribution] = Normal(0.35, 0.35)
EFFICIENCY_GROWTH: Final[Distribution] = Normal(0.13, 0.08)
COMPUTE_START, EFFICIENCY_START = Normal(17.5, 1.5), Normal(16.6, 0.7)
LEAST_TAIL: Final = 2.5
"""Above so many degrees of freedom the variance is finite."""
_SCATTERS: Final = {"run_scatter": 0.6, "cost_scatter": 0.5, "accelerator_scatter": 0.4}
PRIORS: Final[Mapping[str, Distribution]] = MappingProxyType({
    # Gamma priors that keep off 0: half-normals make the sampler diverge where steps vanish.
    "spending_volatility": Gamma(3.0, 0.10 / 3.0),
    "efficiency_volatility": Gamma(3.0, 0.04 / 3.0),
    "compute_start": COMPUTE_START,
    "efficiency_start": EFFICIENCY_START,
    **{name: Truncated(Normal(0.0, sd), 0.0) for name, sd in _SCATTERS.items()},
    "run_tail_excess": Gamma(2.0, 1 / 0.3),
    "cost_tail_excess": Gamma(2.0, 1 / 0.3),
    "cost_slope": Normal(1.0, 0.3),
    "accelerator_offset": Normal(7.4, 0.5),
})  # fmt: skip
"""What is believed of every other unknown before seeing the data."""


@dataclass(frozen=True, slots=True)
class GrowthPriors:
    """What is believed of past growth before seeing the data, in OOM/year: any family of `simulator.priors`."""

    spending: Distribution = SPENDING_GROWTH  # per run
    efficiency: Distribution = EFFICIENCY_GROWTH  # FLOP per amortised USD

    @property
    def families(self) -> dict[str, Distribution]:
        """The priors of all unknowns by name."""
        return {"spending_growth": self.spending, "efficiency_growth": self.efficiency, **PRIORS}


@dataclass(frozen=True, slots=True)
class HistoryModel:
    """A PyMC model of one snapshot, a `pymc.Model`; its grid begins with the first year of the observations."""

    model: Any
    observations: Observations
    priors: GrowthPriors


def build_model(observations: Observations, *, priors: GrowthPriors) -> HistoryModel:
    """Write the model of history in PyMC; it sees all observations, and at an origin what `weights` gives.

    The grid runs from the first year of the observations to the end of their last.
    """
    import pymc as pm

    first, last = observations.years
    years = np.arange(max(last, int(observations.run_year.max())) + 2 - first, dtype=np.float64)
    coords = {"year": first + years, "step": first + 1 + years[:-1]}
    with pm.Model(coords=coords) as model:
        pm.Data("run_weight", np.ones(observations.run_year.size))
        pm.Data("cost_weight", np.isfinite(observations.cost_log_usd).astype(np.float64))
        pm.Data("accelerator_weight", (observations.accelerator_year >= first).astype(np.float64))
        for name, values in levels(observations).items():
            pm.Data(name, values)
        _add_paths(years, priors=priors)
        _add_likelihood(model, observations, grid=first + years)
    return HistoryModel(model, observations, priors)


def weights(known: Known) -> Mapping[str, Array]:
    """Give the weights that let the model see what was known at an origin, by the names of its data."""
    flags = {"run_weight": known.run, "cost_weight": known.cost, "accelerator_weight": known.accelerator}
    return {name: flag.astype(np.float64) for name, flag in flags.items()}


def levels(observations: Observations) -> Mapping[str, Array]:
    """Give what was seen, by the names of the model's data; 0 stands for a cost that is not known.

    Observations of the same times and other levels can so be put into one compiled model.
    """
    return {
        "run_log_compute": observations.run_log_compute,
        "cost_log_usd": np.nan_to_num(observations.cost_log_usd),
        "accelerator_log_flops_per_usd": observations.accelerator_log_flops_per_usd,
    }


def grid_weights(times: Array, *, grid: Array) -> Array:
    """Compute the matrix (time, year) that reads a path on a yearly grid at any times, on straight lines.

    Both are in decimal years; times outside the grid read its nearest end. Rows sum to 1.

    Examples
    --------
    >>> grid_weights(np.array([2020.25]), grid=np.array([2019.0, 2020.0, 2021.0])).tolist()
    [[0.0, 0.75, 0.25]]
    """
    offset = np.clip(times - grid[0], 0.0, grid.size - 1.0)
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(offset[:, None] - np.arange(grid.size))))


def _stated(name: str) -> Any:
    """Add an unknown with its prior to the open model."""
    return to_pymc(name, PRIORS[name])


def path_density(path: str, points: Array, *, prior: xr.Dataset, year: float) -> Array:
    """Read the prior density of a path in a year of the grid at points, from prior draws of growth and volatility.

    Given these a path is normal, with the variance of its start and its steps: the density is the mean of those
    normals over the draws, smooth and without an estimate of a bandwidth.
    """
    means = {"compute": COMPUTE_START.mean, "efficiency": EFFICIENCY_START.mean}
    variances = {"compute": COMPUTE_START.sd**2, "efficiency": EFFICIENCY_START.sd**2}
    means["spending"] = means["compute"] - means["efficiency"]
    variances["spending"] = variances["compute"] + variances["efficiency"]
    time, mean, variance = year - float(prior["year"][0]), np.array([means[path]]), np.array([variances[path]])
    for driver in ("spending", "efficiency") if path == "compute" else (path,):
        mean = mean + time * prior[f"{driver}_growth"].values.ravel()
        variance = variance + time * prior[f"{driver}_volatility"].values.ravel() ** 2
    normal = np.exp(-0.5 * (points[:, None] - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
    return np.asarray(normal.mean(axis=1))


def _add_paths(years: Array, *, priors: GrowthPriors) -> None:
    """Add growth, volatility and the paths of spending, efficiency and compute to the open model."""
    import pymc as pm

    growth_spending = to_pymc("spending_growth", priors.spending)
    growth_efficiency = to_pymc("efficiency_growth", priors.efficiency)
    volatility_spending, volatility_efficiency = _stated("spending_volatility"), _stated("efficiency_volatility")
    start_compute, start_efficiency = _stated("compute_start"), _stated("efficiency_start")
    steps_spending = pm.Normal("spending_steps", dims="step")
    steps_efficiency = pm.Normal("efficiency_steps", dims="step")

    sums = np.tri(years.size, years.size - 1, -1)  # row t adds up the steps before year t
    spending = (
        start_compute - start_efficiency + growth_spending * years + volatility_spending * (sums @ steps_spending)
    )
    efficiency = start_efficiency + growth_efficiency * years + volatility_efficiency * (sums @ steps_efficiency)
    pm.Deterministic("spending", spending, dims="year")
    pm.Deterministic("efficiency", efficiency, dims="year")
    pm.Deterministic("compute", spending + efficiency, dims="year")


def _add_likelihood(model: Any, observations: Observations, *, grid: Array) -> None:
    """Add what is seen of the paths to the open model."""
    import pymc as pm

    run_scatter, cost_scatter, accelerator_scatter = (pm.HalfNormal(name, sigma=sd) for name, sd in _SCATTERS.items())
    run_tail, cost_tail = (
        pm.Deterministic(name, LEAST_TAIL + _stated(f"{name}_excess")) for name in ("run_tail", "cost_tail")
    )
    cost_slope, offset = _stated("cost_slope"), _stated("accelerator_offset")

    at_runs = grid_weights(observations.run_year, grid=grid)
    at_accelerators = grid_weights(observations.accelerator_year, grid=grid)
    seen = model["run_log_compute"]

    spending = at_runs @ model["spending"]
    compute = at_runs @ model["compute"]
    runs = pm.StudentT.dist(nu=run_tail, mu=compute, sigma=run_scatter)
    mean_cost = spending + cost_slope * (seen - compute)
    cost = pm.StudentT.dist(nu=cost_tail, mu=mean_cost, sigma=cost_scatter)
    speeds = pm.Normal.dist(mu=at_accelerators @ model["efficiency"] - offset, sigma=accelerator_scatter)

    pm.Potential("runs", (model["run_weight"] * pm.logp(runs, seen)).sum())
    pm.Potential("costs", (model["cost_weight"] * pm.logp(cost, model["cost_log_usd"])).sum())
    pm.Potential(
        "accelerators", (model["accelerator_weight"] * pm.logp(speeds, model["accelerator_log_flops_per_usd"])).sum()
    )

"""The model of history in PyMC: spending and efficiency grow; runs, costs and accelerators show them with noise.

On a yearly grid, t = 0, 1, ... years after the start of the first year, all in log10:

    spending[t]   = spending[0]   + growth_S t + volatility_S (z[1] + ... + z[t])          USD per run
    efficiency[t] = efficiency[0] + growth_E t + volatility_E (z'[1] + ... + z'[t])        FLOP per amortised USD
    compute[t]    = spending[t] + efficiency[t]                                            FLOP per run

and between the years on straight lines. What is seen:

    compute of run i  ~ StudentT(run_tail, compute(t_i), sqrt(run_scatter^2 + error_i^2))
    its cost          ~ StudentT(cost_tail, spending(t_i) + cost_slope (its compute - compute(t_i)), cost_scatter)
    accelerator j     ~ Normal(efficiency(t_j) - accelerator_offset, accelerator_scatter)       FLOP/s per USD

with error_i that of the estimate, by its confidence. Of a run without FLOP the density of what is known of it counts:
its compute is integrated over, from its lower bound on (`hidden_density`).

The cost depends on the run's own compute: a run above the trend is also dearer. Taking both noises as independent
would count the scatter twice in a forecast. Each observation has a weight of 0 or 1, so that one model serves every
origin: what was not known then has weight 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import xarray as xr
from scipy import special

from simulator.history.observations import Array, Hidden, Known, Observations
from simulator.history.tables import LEVEL_YEAR
from simulator.priors.families import Fixed, Normal
from simulator.priors.twins import to_pymc
from simulator.schema.prior_families import Distribution


@dataclass(frozen=True, slots=True)
class HistoryPriors:
    """What is believed of the unknowns before seeing the data: any family of `simulator.priors`, in log10 and OOM."""

    spending_growth: Distribution  # per run, OOM/year
    efficiency_growth: Distribution  # FLOP per amortised USD, OOM/year
    spending_volatility: Distribution  # the scatter of a year's growth, OOM/year
    efficiency_volatility: Distribution
    compute_level: Distribution  # of a frontier run at the start of LEVEL_YEAR, log10 FLOP
    efficiency_level: Distribution  # log10 FLOP/USD
    run_scatter: Distribution  # OOM
    cost_scatter: Distribution
    accelerator_scatter: Distribution
    error_confident: Distribution  # sd of the estimate of a run's compute, by its confidence, OOM
    error_likely: Distribution
    error_speculative: Distribution  # and of an estimate of which nobody says
    run_tail: Distribution  # degrees of freedom above FEWEST_OF_RUNS
    cost_tail: Distribution  # and above FEWEST_FREEDOM
    cost_slope: Distribution  # of log cost on log compute
    accelerator_offset: Distribution  # log10 of seconds that a price pays for

    def unknowns(self, first: int) -> dict[str, Distribution]:
        """Give the priors by the names of the unknowns of a model whose grid begins with a year.

        Levels at the start of another year than LEVEL_YEAR are those to which the growth leads, where growth before
        the table is independent of that in it: mean + gap mean', variance + (gap sd')^2.
        """
        found = {_UNKNOWN.get(field.name, field.name): getattr(self, field.name) for field in fields(self)}
        if gap := first - LEVEL_YEAR:
            spending, efficiency = (_moments(each) for each in (self.spending_growth, self.efficiency_growth))
            compute = spending[0] + efficiency[0], math.hypot(spending[1], efficiency[1])
            for name, (mean, sd) in (("compute_start", compute), ("efficiency_start", efficiency)):
                level, spread = _moments(found[name])
                middle, wide = level + gap * mean, math.hypot(spread, gap * sd)
                found[name] = Normal(middle, wide) if wide else Fixed(middle)
        return found


_UNKNOWN: Final[Mapping[str, str]] = {
    "compute_level": "compute_start", "efficiency_level": "efficiency_start",
    "run_tail": "run_tail_excess", "cost_tail": "cost_tail_excess",
}  # fmt: skip


FEWEST_FREEDOM: Final[float] = 2.5
"""Degrees of freedom of costs, and of a series with a change, above which the variance is finite."""
FEWEST_OF_RUNS: Final[float] = 1.0
"""The same of runs: there is a mean. What lies far off the trend is an estimate that is off, not ability."""
CONFIDENCE: Final[Mapping[str, str]] = {"confident": "error_confident", "likely": "error_likely"}
"""The unknown by the word for an estimate's confidence; of any other word it is `error_speculative`."""


def _moments(family: Distribution) -> tuple[float, float]:
    """Give mean and standard deviation of a prior; where it is not normal, by midpoints of a thousand equal shares."""
    if isinstance(family, Normal):
        return family.mean, family.sd
    if isinstance(family, Fixed):
        return family.value, 0.0
    values = family.ppf((np.arange(1000) + 0.5) / 1000)
    return float(values.mean()), float(values.std())


@dataclass(frozen=True, slots=True)
class HistoryModel:
    """A PyMC model of one snapshot, a `pymc.Model`; its grid begins with the first year of the observations."""

    model: Any
    observations: Observations
    priors: HistoryPriors


def build_model(observations: Observations, *, priors: HistoryPriors) -> HistoryModel:
    """Write the model of history in PyMC; it sees all observations, and at an origin what `weights` gives.

    The grid runs from the first year of the observations to the end of that to which all is known.
    """
    import pymc as pm

    first = observations.years[0]
    years = np.arange(math.ceil(observations.known_to) + 1 - first, dtype=np.float64)
    coords = {"year": first + years, "step": first + 1 + years[:-1]}
    with pm.Model(coords=coords) as model:
        pm.Data("run_weight", np.ones(observations.run_year.size))
        pm.Data("cost_weight", np.isfinite(observations.cost_log_usd).astype(np.float64))
        pm.Data("accelerator_weight", (observations.accelerator_year >= first).astype(np.float64))
        for name, values in levels(observations).items():
            pm.Data(name, values)
        unknown = {name: to_pymc(name, family) for name, family in priors.unknowns(first).items()}
        _add_paths(years, unknown)
        _add_likelihood(model, unknown, observations, grid=first + years)
    return HistoryModel(model, observations, priors)


def weights(known: Known) -> Mapping[str, Array]:
    """Give the weights that let the model see what was known at an origin, by the names of its data."""
    flags = {"run_weight": known.run, "cost_weight": known.cost, "accelerator_weight": known.accelerator}
    if known.hidden.size:
        flags["hidden_weight"] = known.hidden
    return {name: flag.astype(np.float64) for name, flag in flags.items()}


def levels(observations: Observations) -> Mapping[str, Array]:
    """Give what was seen, by the names of the model's data; 0 stands for a cost that is not known.

    Observations of the same times and other levels can so be put into one compiled model.
    """
    seen = {
        "run_log_compute": observations.run_log_compute,
        "cost_log_usd": np.nan_to_num(observations.cost_log_usd),
        "accelerator_log_flops_per_usd": observations.accelerator_log_flops_per_usd,
    }
    return {**seen, **(hidden_levels(observations.hidden) if observations.hidden.year.size else {})}


def hidden_levels(hidden: Hidden) -> Mapping[str, Array]:
    """Give the bounds and costs of runs without FLOP as the model has them: of no bound all that a run can have."""
    least = np.maximum(hidden.log_least, -_FAR)
    return {"hidden_log_least": least, "hidden_cost_log_usd": np.nan_to_num(hidden.cost_log_usd)}


def path_at(path: Any, times: Array, *, grid: Array) -> Any:
    """Read a path on a yearly grid, the last axis of numbers or of a variable of PyTensor, at any times.

    Between the years it runs on straight lines; times outside the grid read its nearest end. All in decimal years.
    It is read place by place, for PyTensor takes three times as long to compile products of matrices.

    Examples
    --------
    >>> path_at(np.array([7.0, 8.0, 10.0]), np.array([2020.25]), grid=np.array([2019.0, 2020.0, 2021.0])).tolist()
    [8.5]
    """
    offset = np.clip(times - grid[0], 0.0, grid.size - 1.0)
    before = offset.astype(np.int64)
    share = offset - before
    return path[..., before] * (1.0 - share) + path[..., np.minimum(before + 1, grid.size - 1)] * share


def path_density(
    path: str, points: Array, *, prior: xr.Dataset, starts: Mapping[str, Distribution], year: float
) -> Array:
    """Read the prior density of a path in a year of the grid at points, from prior draws of growth and volatility.

    Given these a path is normal, with the variance of its start and its steps: the density is the mean of those
    normals over the draws, smooth and without an estimate of a bandwidth.
    """
    levels = {name: _moments(starts[f"{name}_start"]) for name in ("compute", "efficiency")}
    means, variances = ({name: level[of] ** (of + 1) for name, level in levels.items()} for of in (0, 1))
    means["spending"] = means["compute"] - means["efficiency"]
    variances["spending"] = variances["compute"] + variances["efficiency"]
    time, mean, variance = year - float(prior["year"][0]), np.array([means[path]]), np.array([variances[path]])
    for driver in ("spending", "efficiency") if path == "compute" else (path,):
        mean = mean + time * prior[f"{driver}_growth"].values.ravel()
        variance = variance + time * prior[f"{driver}_volatility"].values.ravel() ** 2
    normal = np.exp(-0.5 * (points[:, None] - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
    return np.asarray(normal.mean(axis=1))


def log_prior(draws: xr.Dataset, built: HistoryModel) -> xr.Dataset:
    """Give the log density of the prior of each unknown of one value at each draw, whatever scale it is sampled on.

    The yearly steps are left out: they are part of what the model says of the data (Kallioinen et al. 2024 scale
    top-level priors only). What is fixed has no density.
    """
    found = {
        name: family.logpdf(draws[name].values)
        for name, family in built.priors.unknowns(built.observations.years[0]).items()
        if float(draws[name].max() - draws[name].min()) > 0
    }
    dims = ("chain", "draw")
    return xr.Dataset({name: (dims, each) for name, each in found.items()}, coords={dim: draws[dim] for dim in dims})


def _add_paths(years: Array, unknown: Mapping[str, Any]) -> None:
    """Add the paths of spending, efficiency and compute to the open model."""
    import pymc as pm

    def growth(name: str) -> Any:
        steps = pm.math.concatenate([np.zeros(1), pm.math.cumsum(pm.Normal(f"{name}_steps", dims="step"))])
        return unknown[f"{name}_growth"] * years + unknown[f"{name}_volatility"] * steps

    efficiency, spending = growth("efficiency"), growth("spending")
    efficiency = unknown["efficiency_start"] + efficiency
    spending = unknown["compute_start"] - unknown["efficiency_start"] + spending
    pm.Deterministic("spending", spending, dims="year")
    pm.Deterministic("efficiency", efficiency, dims="year")
    pm.Deterministic("compute", spending + efficiency, dims="year")


def _add_likelihood(model: Any, unknown: Mapping[str, Any], observations: Observations, *, grid: Array) -> None:
    """Add what is seen of the paths to the open model."""
    import pymc as pm
    from pytensor import tensor

    pm.Deterministic("run_tail", FEWEST_OF_RUNS + unknown["run_tail_excess"])
    pm.Deterministic("cost_tail", FEWEST_FREEDOM + unknown["cost_tail_excess"])
    seen = model["run_log_compute"]

    spending, compute = (path_at(model[name], observations.run_year, grid=grid) for name in ("spending", "compute"))
    runs = pm.StudentT.dist(nu=model["run_tail"], mu=compute, sigma=spread_of(unknown, observations.run_confidence))
    mean_cost = spending + unknown["cost_slope"] * (seen - compute)
    cost = pm.StudentT.dist(nu=model["cost_tail"], mu=mean_cost, sigma=unknown["cost_scatter"])
    speed = path_at(model["efficiency"], observations.accelerator_year, grid=grid) - unknown["accelerator_offset"]
    speeds = pm.Normal.dist(mu=speed, sigma=unknown["accelerator_scatter"])

    pm.Potential("runs", (model["run_weight"] * pm.logp(runs, seen)).sum())
    pm.Potential("costs", (model["cost_weight"] * pm.logp(cost, model["cost_log_usd"])).sum())
    pm.Potential(
        "accelerators", (model["accelerator_weight"] * pm.logp(speeds, model["accelerator_log_flops_per_usd"])).sum()
    )
    if (hidden := observations.hidden).year.size:
        weight = pm.Data("hidden_weight", np.ones(hidden.year.size))
        paths = [path_at(model[name], hidden.year, grid=grid) for name in ("spending", "compute")]
        spread = spread_of(unknown, hidden.confidence)
        every = {**unknown, **model.named_vars}
        density = hidden_density(hidden, *paths, spread=spread, unknown=every, by=tensor, told=every)
        pm.Potential("hidden_runs", (weight * density).sum())


def spread_of(unknown: Mapping[str, Any], confidence: Sequence[str]) -> Any:
    """Give the spread of what is told of runs about the trend: their scatter and the error of the estimate.

    `unknown` are numbers or arrays (.., 1); where nobody says a confidence, figures are exact.
    """
    scatter = unknown["run_scatter"]
    errors = {word: unknown[CONFIDENCE.get(word, "error_speculative")] ** 2 for word in dict.fromkeys(confidence)}
    of = {word: np.array([each == word for each in confidence], dtype=np.float64) for word in errors}
    return (scatter**2 + sum(of[word] * errors[word] for word in errors)) ** 0.5


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_FAR: Final[float] = 1e4


def hidden_density(
    hidden: Hidden,
    spending: Any,
    compute: Any,
    *,
    spread: Any,
    unknown: Mapping[str, Any],
    by: Any,
    told: Mapping[str, Any] | None = None,
) -> Any:
    """Give the log density of what is known of each run without FLOP, (.., hidden_run).

    Its levels are those of `told`, by the names of `hidden_levels`; without it those of `hidden`.

    With nu = run_tail and the run's compute = compute(t) + spread sqrt(nu) tan(angle), Student's t density is
    c(nu) cos(angle)^(nu - 1), so that

        density = c(nu) integral from arctan((bound - compute(t)) / (spread sqrt(nu))) to pi/2 of
                  cos(angle)^(nu - 1) StudentT(cost_tail, spending(t) + cost_slope (run - compute(t)), cost_scatter)

    by 40 Gauss-Legendre points either side of where the cost is likeliest; without a cost its factor is 1, without a
    bound the integral begins at -pi/2. So a bound alone gives the survival function. `by` holds the functions: of
    arrays, or of PyTensor.
    """
    tail, cost_tail, slope = (unknown[name] for name in ("run_tail", "cost_tail", "cost_slope"))
    width, known = spread * tail**0.5, np.isfinite(hidden.cost_log_usd)
    told = hidden_levels(hidden) if told is None else told
    low = by.arctan((told["hidden_log_least"] - compute) / width)
    above = told["hidden_cost_log_usd"] - spending
    span = np.pi / 2 - low
    likeliest = by.arctan(above / (slope * width)) * known
    middle = by.clip(likeliest, low + 1e-3 * span, low + 0.999 * span)
    angles, logs = [], []
    for start, end in ((low, middle), (middle, low + span)):
        half = (end - start)[..., None] / 2
        angles.append(start[..., None] + half * (1 + _NODES))
        logs.append(by.log(half) + np.log(_WEIGHTS))
    angle = by.concatenate(angles, axis=-1)
    total = (tail[..., None] - 1) * by.log(by.cos(angle)) + by.concatenate(logs, axis=-1)
    if known.any():
        scale = unknown["cost_scatter"] * cost_tail**0.5
        off = (above[..., None] - (slope * width)[..., None] * by.tan(angle)) / scale[..., None]
        density = (_log_scale(cost_tail, by) - by.log(scale))[..., None]
        density = density - (cost_tail[..., None] + 1) / 2 * by.log(1 + off**2)
        total = total + known[:, None] * density
    return _log_scale(tail, by) + by.logsumexp(total, axis=-1)


def _log_scale(freedom: Any, by: Any) -> Any:
    """Give log c(nu) = log gamma((nu + 1)/2) - log gamma(nu/2) - log sqrt(pi)."""
    return by.gammaln((freedom + 1) / 2) - by.gammaln(freedom / 2) - 0.5 * math.log(math.pi)


ARRAYS: Final = SimpleNamespace(
    arctan=np.arctan,
    clip=np.clip,
    concatenate=np.concatenate,
    cos=np.cos,
    gammaln=special.gammaln,
    log=np.log,
    logsumexp=special.logsumexp,
    tan=np.tan,
)
"""The functions of arrays with which `hidden_density` computes."""

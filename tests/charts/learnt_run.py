"""A run that has learnt from history, made up by hand."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simulator.testing import run_of, small_scenario

YEARS = np.array([2020.0, 2021.0, 2022.0])
RUNS = 12


def draws(rng: np.random.Generator, *, chains: int, count: int, sd: float) -> xr.Dataset:
    """Make draws of some unknowns of the model of history about 0.4 OOM a year, and of its paths."""
    dims, shape = ("chain", "draw"), (chains, count)
    growth = 0.4 + sd * rng.standard_normal(shape)
    path = 24.0 + growth[..., None] * (YEARS - YEARS[-1]) + sd * rng.standard_normal((*shape, 1))
    return xr.Dataset(
        {
            "spending_growth": (dims, growth),
            "spending_growth__z": (dims, growth),
            "efficiency_growth": (dims, growth / 4),
            "run_scatter": (dims, np.abs(rng.standard_normal(shape))),
            "run_tail_excess": (dims, np.exp(rng.standard_normal(shape))),
            "compute": ((*dims, "year"), path),
            "spending": ((*dims, "year"), path - 18.0),
            "efficiency": ((*dims, "year"), path * 0 + 18.0 + 0.01 * growth[..., None]),
        },
        coords={"year": YEARS},
    )


def learnt_run(*, prior_shift: float = 0.0) -> xr.DataTree:
    """Make a small run with the groups of one that has learnt, of 12 runs, 8 costs and no accelerator."""
    rng = np.random.default_rng(5)
    drivers = {
        "spending": {"start": {"value": 1e6, "unit": "USD"}, "growth": {"uniform": [2, 4], "unit": "x/year"}},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": {"uniform": [1.2, 1.6], "unit": "x/year"}},
    }
    run = run_of(small_scenario({"drivers": drivers, "years": {"first": 2022, "last": 2030}}))
    prior = draws(rng, chains=1, count=400, sd=0.3)
    prior["efficiency_growth"] = prior["efficiency_growth"] + prior_shift
    when = np.sort(2019.5 + 2.5 * rng.random(RUNS))
    coords = {"run_year": ("run", when), "costed_run_year": ("costed_run", when[:8])}
    noise = rng.standard_normal((2, 200, RUNS))
    level = 24.0 + 0.4 * (when - 2022.0)
    value = level.copy()
    value[3] += 9.0  # far outside
    seen = {"run_log_compute": ("run", value), "cost_log_usd": ("costed_run", value[:8] - 18.0)}
    predicted = {
        "run_log_compute": (("chain", "draw", "run"), level + noise),
        "cost_log_usd": (("chain", "draw", "costed_run"), level[:8] - 18.0 + noise[..., :8]),
    }
    attributes = {"fit": "x", "snapshot": "2026-05", "known_to": 2022.0, "first_year": 2020, "runs": RUNS}
    groups = {
        "prior": prior,
        "posterior": draws(rng, chains=2, count=200, sd=0.03).assign_attrs(attributes),
        "observed_data": xr.Dataset(seen, coords=coords),
        "posterior_predictive": xr.Dataset(predicted, coords=coords),
    }
    for name, dataset in groups.items():
        run[name] = xr.DataTree(dataset)
    return run

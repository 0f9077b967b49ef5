"""On data drawn from the model, intervals of the rates cover about as often as they say.

A small one; benchmarks/calibration.py does it with a hundred data sets and every unknown.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.history.beliefs import history_priors
from simulator.history.fit import draw_prior
from simulator.history.model import build_model, levels, weights
from simulator.history.observations import known_at
from simulator.history.replicates import replicate
from simulator.priors.families import Normal
from tests.history.made_up_history import OBSERVED

pytestmark = pytest.mark.slow  # eight fits

DATA_SETS = 8
RATES = ("spending_growth", "efficiency_growth")


@pytest.fixture(scope="module")
def shares():
    """The share of posterior draws below the truth, (data set, rate)."""
    nutpie = pytest.importorskip("nutpie")
    built = build_model(OBSERVED, priors=history_priors(spending=Normal(0.45, 0.15), efficiency=Normal(0.15, 0.08)))
    known = known_at(OBSERVED, 2021 + 1.0)
    prior = draw_prior(built.model, seed=8)
    replicas = replicate(prior, OBSERVED, known, rng=np.random.default_rng(8))
    compiled = nutpie.compile_pymc_model(built.model, var_names=RATES)
    found = []
    for number in range(DATA_SETS):
        cost = np.full(OBSERVED.run_year.size, np.nan)
        cost[known.cost] = replicas["cost_log_usd"].values[0, number]
        data = replace(
            OBSERVED,
            run_log_compute=replicas["run_log_compute"].values[0, number],
            cost_log_usd=cost,
            accelerator_log_flops_per_usd=replicas["accelerator_log_flops_per_usd"].values[0, number],
        )
        fit = nutpie.sample(
            compiled.with_data(**weights(known), **levels(data)),
            draws=150, tune=200, chains=2, cores=2, target_accept=0.9, adaptation="draw_diag",
            seed=number, progress_bar=False, save_warmup=False,
        )  # fmt: skip
        truth = prior.isel(chain=0, draw=number)
        found.append([float((fit["posterior"][name] < truth[name]).mean()) for name in RATES])
    return np.array(found)


@pytest.mark.parametrize(("level", "fewest", "most"), [(0.5, 3, 13), (0.9, 11, 16)])
def test_intervals_of_the_rates_cover_as_often_as_they_say(shares, level, fewest, most):
    """Of 16 truths; a sound sampler is outside these bounds with 1 % at most."""
    inside = np.abs(shares - 0.5) < level / 2
    assert fewest <= inside.sum() <= most


def test_truths_are_spread_over_their_posteriors(shares):
    assert abs(shares.mean() - 0.5) < 3 * np.sqrt(1 / 12 / shares.size)

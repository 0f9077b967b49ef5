"""Simulation-based calibration of the model of history (Talts et al. 2018).

    python benchmarks/calibration.py --data FOLDER [--data-sets 100] [--snapshot latest]

Draws the unknowns from the prior and observations from the model, at the times of the real ones; fits; and ranks the
truth among thinned posterior draws. Over many data sets the ranks of a sound sampler are spread evenly. Printed for
each unknown: the mean rank (0.5), its z-score, and the p-value of a chi-squared test on ten bins. Needs nutpie.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import nutpie
import xarray as xr
from hindcast_bar import read
from scipy import stats

from simulator.history.beliefs import history_priors
from simulator.history.fit import PRIOR_DRAWS, draw_prior, replicate
from simulator.history.model import build_model, levels, weights
from simulator.history.observations import Observations, known_at

UNKNOWN = (
    "spending_growth", "efficiency_growth", "spending_volatility", "efficiency_volatility", "run_scatter",
    "cost_scatter", "accelerator_scatter", "cost_slope", "accelerator_offset", "run_tail", "cost_tail",
)  # fmt: skip
RANKS, BINS = 99, 10


def simulated(observations: Observations, replicas: xr.Dataset, *, number: int, origin: int) -> Observations:
    """Put one simulated data set in the place of the real one."""
    known = known_at(observations, origin + 1.0)
    values = {}
    for name, flags in (
        ("run_log_compute", known.run),
        ("cost_log_usd", known.cost),
        ("accelerator_log_flops_per_usd", known.accelerator),
    ):
        whole = np.array(getattr(observations, name))
        whole[flags] = replicas[name].values[0, number]
        values[name] = whole
    return replace(observations, **values)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--snapshot", default="latest", choices=["latest", "2025_06"])
    parser.add_argument("--data-sets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.data_sets > PRIOR_DRAWS:
        parser.error(f"--data-sets: at most {PRIOR_DRAWS}")
    observations = read(options.data, snapshot=options.snapshot, games=True)
    origin = observations.years[1]
    known = known_at(observations, origin + 1.0)
    built = build_model(observations, priors=history_priors())
    prior = draw_prior(built.model, seed=options.seed)
    replicas = replicate(prior, observations, known, rng=np.random.default_rng(options.seed))
    compiled = nutpie.compile_pymc_model(built.model)
    ranks: dict[str, list[float]] = {name: [] for name in (*UNKNOWN, "compute at the end")}
    start, diverging = time.perf_counter(), 0
    for number in range(options.data_sets):
        data = simulated(observations, replicas, number=number, origin=origin)
        fit = nutpie.sample(
            compiled.with_data(**weights(known), **levels(data)),
            draws=500, tune=600, chains=2, cores=2, target_accept=0.95, adaptation="draw_diag",
            seed=options.seed + number, progress_bar=False, save_warmup=False,
        )  # fmt: skip
        diverging += int(fit["sample_stats"]["diverging"].sum())
        for name, found in ranks.items():
            chains, truth = fit["posterior"], prior.isel(chain=0, draw=number)
            if name in UNKNOWN:
                draws, true = chains[name].values, truth[name].item()
            else:
                draws, true = (
                    chains["compute"].sel(year=origin + 1).values,
                    truth["compute"].sel(year=origin + 1).item(),
                )
            thinned = np.ravel(draws)[np.linspace(0, draws.size - 1, RANKS).astype(int)]
            found.append(float((thinned < true).sum()))
    print(f"{options.data_sets} data sets, {time.perf_counter() - start:.0f} s, {diverging} divergences")
    for name, found in ranks.items():
        share = (np.array(found) + 0.5) / (RANKS + 1)
        z = (share.mean() - 0.5) * np.sqrt(12 * share.size)
        counts = np.bincount((share * BINS).astype(int), minlength=BINS)
        print(f"  {name:<24} mean rank {share.mean():.3f} (z {z:+.1f}), p {stats.chisquare(counts).pvalue:.2f}")


if __name__ == "__main__":
    main()

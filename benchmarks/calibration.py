"""Simulation-based calibration of the model of history (Talts et al. 2018).

    nice python benchmarks/calibration.py [--data-sets 128] [--cores 1]

Draws the unknowns from the prior and observations from the model, at the times and with the confidence of the shipped
ones; fits; and ranks the truth among 99 posterior draws, thinned of each chain. Over many data sets the ranks of a
sound sampler are spread evenly. Printed for each unknown, as a table: the mean rank (0.5) and its z-score, the share
of truths inside the middle 50 and 90 %, the p-value of a chi-squared test on eight bins, and the least effective draws
of any data set. Needs nutpie.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import arviz as az
import numpy as np
import nutpie
import xarray as xr
from scipy import stats

from simulator.history.beliefs import history_priors
from simulator.history.fit import PRIOR_DRAWS, draw_prior, replicate
from simulator.history.learning import series
from simulator.history.model import build_model, levels, weights
from simulator.history.observations import Known, Observations, known_at
from simulator.history.power_scaling import is_latent
from simulator.scenario.load import load_scenario

RANKS, BINS = 99, 8


def simulated(observations: Observations, replicas: xr.Dataset, known: Known, *, number: int) -> Observations:
    """Put one simulated data set in the place of the real one."""
    flags = {"run_log_compute": known.run, "cost_log_usd": known.cost}
    values = {}
    for name, chosen in (flags | {"accelerator_log_flops_per_usd": known.accelerator}).items():
        values[name] = np.array(getattr(observations, name))
        values[name][chosen] = replicas[name].values[0, number]
    return replace(observations, **values)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=128)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.data_sets > PRIOR_DRAWS:
        parser.error(f"--data-sets: at most {PRIOR_DRAWS}")
    observations = series(load_scenario("learned")).observations()
    known = known_at(observations)
    built = build_model(observations, priors=history_priors())
    prior = draw_prior(built.model, seed=options.seed)
    replicas = replicate(prior, observations, known, rng=np.random.default_rng(options.seed))
    compiled = nutpie.compile_pymc_model(built.model)
    single = [str(name) for name, each in prior.data_vars.items() if each.ndim == 2 and not is_latent(str(name))]
    names = [name for name in single if np.ptp(prior[name].values) > 0]
    ranks: dict[str, list[float]] = {name: [] for name in (*names, "compute at the end")}
    effective = dict.fromkeys(ranks, np.inf)
    start, diverging = time.process_time(), 0
    for number in range(options.data_sets):
        data = simulated(observations, replicas, known, number=number)
        fit = nutpie.sample(
            compiled.with_data(**weights(known), **levels(data)),
            draws=600, tune=500, chains=2, cores=options.cores, target_accept=0.95, adaptation="draw_diag",
            seed=options.seed + number, progress_bar=False, save_warmup=False,
        )  # fmt: skip
        diverging += int(fit["sample_stats"]["diverging"].sum())
        draws, truth = (each.rename(year="at") for each in (fit["posterior"].to_dataset(), prior.isel(chain=0)))
        for name, found in ranks.items():
            values, true = (
                each[name] if name in names else each["compute"].isel(at=-1)
                for each in (draws, truth.isel(draw=number))
            )
            thinned = np.ravel(values)[np.linspace(0, values.size - 1, RANKS).astype(int)]
            found.append(float((thinned < true.item()).sum()))
            effective[name] = min(effective[name], float(az.ess(values)))
    spent = time.process_time() - start
    print(f"{options.data_sets} data sets, {spent:.0f} s of processor, {diverging} divergences\n")
    print("| unknown | mean rank | z | inside 50 % | inside 90 % | p of 8 bins | least effective draws |")
    print("|---|---|---|---|---|---|---|")
    for name, found in ranks.items():
        share = (np.array(found) + 0.5) / (RANKS + 1)
        z = (share.mean() - 0.5) * np.sqrt(12 * share.size)
        inside = [np.mean(np.abs(share - 0.5) < level / 2) for level in (0.5, 0.9)]
        p = stats.chisquare(np.bincount((share * BINS).astype(int), minlength=BINS)).pvalue
        print(
            f"| `{name}` | {share.mean():.3f} | {z:+.1f} | {inside[0]:.2f} | {inside[1]:.2f} | {p:.2f} "
            f"| {effective[name]:.0f} |"
        )


if __name__ == "__main__":
    main()

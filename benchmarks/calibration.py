"""Simulation-based calibration of the model of history (Talts et al. 2018).

    nice python benchmarks/calibration.py [--data-sets 128] [--hidden 6] [--draws 600] [--tune 500]

Draws the unknowns from the prior and observations from the model, at the times and with the confidence of the shipped
ones; fits; and ranks the truth among 99 posterior draws, thinned of each chain. Over many data sets the ranks of a
sound sampler are spread evenly. So many of the newest runs may be without FLOP, in turn by three rules: that a run is
above all that were known before is all that is said of it; the same, and its cost; its cost alone. By the first two a
run that is not above has its FLOP. Printed for each unknown, as a table: the mean rank (0.5) and its z-score, the
share of truths inside the middle 50 and 90 %, the p-value of a chi-squared test on eight bins, and the least effective
draws of any data set. Needs nutpie.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import replace

import arviz as az
import numpy as np
import nutpie
import xarray as xr
from scipy import stats

from simulator.history.beliefs import history_priors
from simulator.history.diagnostics import is_latent
from simulator.history.fit import PRIOR_DRAWS, draw_prior, replicate
from simulator.history.learning import series
from simulator.history.model import build_model, levels, weights
from simulator.history.observations import Array, Hidden, Known, Observations, known_at
from simulator.scenario.load import load_scenario

RANKS, BINS = 99, 8


def with_hidden(observations: Observations, known: Known, count: int) -> tuple[Observations, Known]:
    """Let the newest of the known runs be there a second time, without FLOP; those by cost have one.

    `Known.hidden` says for which of them a cost is told.
    """
    chosen = np.flatnonzero(known.run)[known.run.sum() - count :]
    costed = np.arange(count) % 3 > 0
    cost = np.array(observations.cost_log_usd)
    cost[chosen[costed]] = np.nan_to_num(cost[chosen[costed]])
    least, words = np.zeros(count), tuple(observations.run_confidence[each] for each in chosen)
    hidden = Hidden(
        observations.run_year[chosen], least, np.where(costed, 0.0, np.nan), least, confidence=words, name=("",) * count
    )
    seen = replace(observations, cost_log_usd=cost, hidden=hidden, run_maker=(), run_domain=())
    return seen, replace(known, cost=known.run & np.isfinite(cost), hidden=costed)


def simulated(observations: Observations, replicas: xr.Dataset, known: Known, *, number: int) -> Mapping[str, Array]:
    """Give the data of the model with one simulated data set in the place of the real one."""
    flags = {"run_log_compute": known.run, "cost_log_usd": known.cost}
    values = {}
    for name, chosen in (flags | {"accelerator_log_flops_per_usd": known.accelerator}).items():
        values[name] = np.array(getattr(observations, name))
        values[name][chosen] = replicas[name].values[0, number]
    count = observations.hidden.year.size
    chosen = np.flatnonzero(known.run)[known.run.sum() - count :]
    least, is_hidden = np.full(count, -np.inf), np.zeros(count, dtype=bool)
    record = values["run_log_compute"][known.run & (np.cumsum(known.run) <= known.run.sum() - count)].max()
    for place, run in enumerate(chosen):  # in the order of time: a rule may know what came before
        level, by_cost_alone = values["run_log_compute"][run], place % 3 == 2
        is_hidden[place] = by_cost_alone or level > record
        if not by_cost_alone:
            least[place] = record
        if not is_hidden[place]:
            record = max(record, level)
    out = np.zeros(known.run.size, dtype=bool)
    out[chosen[is_hidden]] = True
    cost = np.where(known.hidden, values["cost_log_usd"][chosen], np.nan)
    data = replace(observations, **values, hidden=replace(observations.hidden, log_least=least, cost_log_usd=cost))
    seen = replace(known, run=known.run & ~out, cost=known.cost & ~out, hidden=is_hidden)
    return {**weights(seen), **levels(data)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=0)
    parser.add_argument("--draws", type=int, default=600)
    parser.add_argument("--tune", type=int, default=500)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.data_sets > PRIOR_DRAWS:
        parser.error(f"--data-sets: at most {PRIOR_DRAWS}")
    observations = series(load_scenario("learned")).observations()
    observations, known = with_hidden(observations, known_at(observations), options.hidden)
    built = build_model(observations, priors=history_priors())
    prior = draw_prior(built.model, seed=options.seed)
    visible = replace(known, hidden=np.zeros(options.hidden, dtype=bool))
    replicas = replicate(prior, observations, visible, rng=np.random.default_rng(options.seed))
    compiled = nutpie.compile_pymc_model(built.model)
    single = [str(name) for name, each in prior.data_vars.items() if each.ndim == 2 and not is_latent(str(name))]
    names = [name for name in single if np.ptp(prior[name].values) > 0]
    ranks: dict[str, list[float]] = {name: [] for name in (*names, "compute at the end")}
    effective = dict.fromkeys(ranks, np.inf)
    start, diverging, without = time.process_time(), 0, 0
    for number in range(options.data_sets):
        data = simulated(observations, replicas, known, number=number)
        fit = nutpie.sample(
            compiled.with_data(**data),
            draws=options.draws, tune=options.tune, chains=2, cores=options.cores, target_accept=0.95,
            adaptation="draw_diag", seed=options.seed + number, progress_bar=False, save_warmup=False,
        )  # fmt: skip
        diverging += int(fit["sample_stats"]["diverging"].sum())
        without += int(data.get("hidden_weight", np.zeros(1)).sum())
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
    print(f"{options.data_sets} data sets of {known.run.sum()} runs, {without / options.data_sets:.1f} of them without "
          f"FLOP, {spent:.0f} s of processor, {diverging} divergences\n")  # fmt: skip
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

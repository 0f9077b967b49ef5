"""Shares of variance: how long Sobol indices and Shapley effects take, and how close they come.

    python benchmarks/sensitivity_shares.py [--seeds 6]

1. First-order and total Sobol indices of effective compute in 25 years: 30 independent priors, 1,024 samples (at most
   20 s wanted), and of the shipped baseline without its correlations.
2. Shapley effects of 12 correlated priors (at most 60 s to a standard error of 0.02 wanted): the error that the
   bootstrap says, that which seeds show, and the distance from the closed form of a linear function.
3. Shapley effects of the shipped baseline, with its correlated pairs.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import xarray as xr

from simulator.analysis.outcomes import outcomes_over
from simulator.analysis.shares import variance_shares
from simulator.model.projection import year_grid
from simulator.scenario.load import load_scenario, parse_scenario

HEAD = "schema: 2\nname: many-priors\nyears: {first: 2025, last: 2049}\ndrivers:\n"
RATE = "{{family: normal, mean: {mean}, sd: {sd}, unit: OOM/year}}"


def many_priors(factors: int, *, capped: bool, rank: float = 0.0) -> str:
    """Write a scenario with a rate and, where it is capped, a start and a cap for each factor of its hardware."""
    lines = [
        HEAD + "  spending: {start: {value: 1e8, unit: USD}, growth: {value: 0.1, unit: OOM/year}}",
        "  hardware:",
        "    factors:",
    ]
    for place in range(factors):
        unit = "FLOP/USD" if place == 0 else "'1'"
        start = f"{{median: 2, interval_90: [1, 4], unit: {unit}}}" if capped else f"{{value: 2, unit: {unit}}}"
        cap = f", caps: {{top: {{kind: logistic, limit: {{median: 1e4, interval_90: [1e2, 1e6], unit: {unit}}}}}}}"
        rate = RATE.format(mean=0.05, sd=round(0.01 + 0.003 * place, 4))
        lines.append(f"      f{place}: {{start: {start}, growth: {rate, unit: x/year}{cap if capped else ''}}}")
    if rank:
        names = [f"drivers.hardware.factors.f{place}.growth" for place in range(factors)]
        lines.append("correlations:")
        lines += [f"  - {{between: [{one}, {other}], rank: {rank}}}" for one, other in combinations(names, 2)]
    return "\n".join(lines) + "\n"


def measured(text: str, *, samples: int, seed: int = 0, shipped: bool = False, more: tuple[str, ...] = ()) -> Any:
    """Give seconds and shares."""
    overrides = [f"seed={seed}", *more]
    scenario = load_scenario(text, overrides=overrides) if shipped else parse_scenario(text, overrides=overrides)
    outcomes = outcomes_over("effective_compute", year_grid(scenario.spec).tolist())
    began = time.perf_counter()
    shares = variance_shares(scenario, outcomes, samples=samples).dataset
    return time.perf_counter() - began, shares


def told(name: str, wall: float, shares: xr.Dataset) -> None:
    """Print a line: size, time, largest standard error."""
    measures = ("shapley",) if shares.attrs["method"] == "shapley" else ("first_order", "total")
    errors = ", ".join(f"{measure} {float(shares[f'{measure}_error'].max()):.4f}" for measure in measures)
    print(
        f"{name}: {shares.sizes['input']} inputs, {shares.sizes['outcome']} years, "
        f"{shares.attrs['samples']:,} samples: {wall:.1f} s; largest standard error: {errors}",
        flush=True,
    )


def known_effects(sds: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Compute the Shapley effects of a sum of correlated normals over all coalitions."""
    count = len(sds)
    explained = {0: 0.0}
    for coalition in range(1, 1 << count):
        known = [place for place in range(count) if coalition >> place & 1]
        shared = correlation[known] @ sds
        explained[coalition] = float(shared @ np.linalg.solve(correlation[np.ix_(known, known)], shared))
    effects = np.zeros(count)
    for coalition, before in explained.items():
        weight = 1.0 / (count * comb(count - 1, min(coalition.bit_count(), count - 1)))
        for place in range(count):
            if not coalition >> place & 1:
                effects[place] += weight * (explained[coalition | 1 << place] - before)
    return effects / explained[(1 << count) - 1]


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()

    told("Sobol, 30 priors", *measured(many_priors(10, capped=True), samples=1024))
    told("Sobol, baseline without correlations", *measured(
        "baseline", samples=1024, shipped=True, more=("correlations=[]",)
    ))  # fmt: skip

    text = many_priors(12, capped=False, rank=0.4)
    correlation = np.full((12, 12), 2 * np.sin(np.pi * 0.4 / 6))
    np.fill_diagonal(correlation, 1.0)
    known = known_effects(0.01 + 0.003 * np.arange(12), correlation)
    for samples in (1024, 4096):
        runs = [measured(text, samples=samples, seed=seed) for seed in range(options.seeds)]
        told("Shapley, 12 correlated priors", *runs[0])
        found = np.array([shares["shapley"].values[:, -1] for _, shares in runs])
        print(
            f"  over {options.seeds} seeds: largest spread {found.std(axis=0, ddof=1).max():.4f}, "
            f"root mean square distance from the closed form {np.sqrt(np.mean((found - known) ** 2)):.4f}",
            flush=True,
        )
    told("Shapley, baseline", *measured("baseline", samples=1024, shipped=True))


if __name__ == "__main__":
    main()

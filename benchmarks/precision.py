"""How close quantiles come: designs and block sizes against plain random samples.

    python benchmarks/precision.py [--scenario baseline] [--year 2035] [--seeds 20]

For the 5, 50 and 95 % quantiles of effective compute in a year: the root mean square error, over seeds, of 10,000
samples of Latin hypercubes in blocks of several sizes, against that of 10,000 plain random samples, with a reference of
10^7 plain samples. A ratio above 1 is closer than plain samples.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from simulator.engine.batches import compute_batch
from simulator.engine.plan import Plan, plan_of
from simulator.runs.estimates import sample_quantiles
from simulator.scenario.load import load_scenario

LEVELS = (0.05, 0.5, 0.95)
SAMPLES = 10_000


def effective(plan: Plan, *, samples: int, first: int = 0) -> np.ndarray:
    """Draw effective compute in the last year of the plan."""
    return compute_batch(plan, first, samples).trajectories["effective_compute"][-1].astype(float)


def changed(plan: Plan, **update: object) -> Plan:
    """Give a plan another seed, design, block or number of samples."""
    components = tuple(replace(each, spec=each.spec.model_copy(update=update)) for each in plan.components)
    return replace(plan, components=components)


def reference(plan: Plan, *, samples: int) -> np.ndarray:
    """Compute the quantiles from many plain samples."""
    size = 1 << 17
    wide = changed(plan, seed=987_654_321, design="random", block=16_384, samples=samples)
    parts = [effective(wide, samples=min(size, samples - first), first=first) for first in range(0, samples, size)]
    return sample_quantiles(np.concatenate(parts), LEVELS)


def errors(plan: Plan, truth: np.ndarray, *, design: str, block: int, samples: int, seeds: int) -> np.ndarray:
    """Compute the root mean square errors (level,) over seeds."""
    gaps = []
    for seed in range(seeds):
        values = effective(changed(plan, seed=seed, design=design, block=block, samples=samples), samples=samples)
        gaps.append(sample_quantiles(values, LEVELS) - truth)
    return np.sqrt(np.mean(np.square(gaps), axis=0))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="baseline")
    parser.add_argument("--year", type=float, default=2035.0)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--reference", type=float, default=1e7, help="samples of the reference")
    options = parser.parse_args()
    scenario = load_scenario(options.scenario)
    plan = plan_of(scenario.components, years=np.array([scenario.spec.years.first, options.year]))
    truth = reference(plan, samples=int(options.reference))
    print(f"{options.scenario}, effective compute in {options.year:g}; reference {np.round(truth, 4).tolist()}")
    bar = errors(plan, truth, design="random", block=500, samples=SAMPLES, seeds=options.seeds)
    print(f"{'design':<18}{'block':>6}   error (OOM) at 5/50/95 %      closer than plain by (ratio of errors)")
    print(f"{'random':<18}{'':>6}   {_row(bar, '.4f')}")
    for block in (250, 500, 1000, 2500, 10_000):
        found = errors(plan, truth, design="latin-hypercube", block=block, samples=SAMPLES, seeds=options.seeds)
        print(f"{'latin-hypercube':<18}{block:>6}   {_row(found, '.4f')}      {_row(bar / found, '.2f')}")


def _row(values: np.ndarray, form: str) -> str:
    return " / ".join(format(value, form) for value in values)


if __name__ == "__main__":
    main()

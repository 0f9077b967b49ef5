"""Time what is read off a run's samples, and the attribution of a difference.

    python benchmarks/sensitivity_attribution.py

Influence of every prior of the baseline on one outcome (10,000 samples); a reweighted headline table; and Shapley
values of the difference between the baseline and `tight-caps` over all subsets of the inputs that differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from simulator import load_scenario, simulate
from simulator.analysis.attribution import attribute_difference
from simulator.analysis.influence import prior_influence
from simulator.analysis.reweighting import reweight_run

CHANGE = ["drivers.spending.growth[0].rate.median=2.5"]


def timed(name: str, work: Callable[[], object]) -> None:
    """Print the processor and wall seconds of some work."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    print(f"{name:55} {time.process_time() - processor:6.2f} {time.perf_counter() - wall:6.2f}")


def main() -> None:
    """Run the benchmark."""
    baseline, tight = load_scenario("baseline"), load_scenario("tight-caps")
    run = simulate(baseline)
    evaluations = []
    print(f"{'':55} {'cpu s':>6} {'wall s':>6}")
    timed(
        "influence: effective compute in 2045, 10,000 samples", lambda: prior_influence(run, ["effective_compute@2045"])
    )
    timed("influence: a crossing year", lambda: prior_influence(run, ["crossing:1e30-run"]))
    timed("reweight: headline numbers", lambda: reweight_run(run, CHANGE))
    timed(
        "attribution: baseline to tight-caps, 4,096 samples",
        lambda: attribute_difference(baseline, tight, progress=lambda: evaluations.append(1)),
    )
    print(f"evaluations of the attribution: {len(evaluations)}")


if __name__ == "__main__":
    main()

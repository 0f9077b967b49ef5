"""Seconds of a sweep: the baseline at 6 x 3 points of 10,000 samples, by one worker and by two.

    python benchmarks/sensitivity_sweep.py [--samples 10000]

The points are first made (the scenario is checked at each), then run; both are timed, beside the run of one point.
"""

from __future__ import annotations

import argparse
import time

from simulator.analysis.sweep_points import load_sweep
from simulator.analysis.sweeps import run_sweep
from simulator.engine.simulation import simulate

OVER = ["drivers.spending.growth[0].rate.centre=1.5:4:6", "correlations[1].rank=0,0.3,0.6"]


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    options = parser.parse_args()
    start = time.perf_counter()
    plan = load_sweep("baseline", over=OVER, overrides=[f"samples={options.samples}"])
    print(f"{len(plan.points)} points made and checked: {time.perf_counter() - start:.1f} s")
    simulate(plan.points[0], keep="summary")
    start = time.perf_counter()
    simulate(plan.points[0], keep="summary")
    print(f"one point: {time.perf_counter() - start:.2f} s")
    for workers in (1, 2):
        start, spent = time.perf_counter(), time.process_time()
        run_sweep(plan, workers=workers)
        wall, processor = time.perf_counter() - start, time.process_time() - spent
        print(f"the sweep by {workers}: {wall:.1f} s wall, {processor:.1f} s of processor time in this process")


if __name__ == "__main__":
    main()

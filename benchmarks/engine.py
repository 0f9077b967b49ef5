"""The engine on a million samples: three drivers, one cap, 25 years, six thresholds, beside the obvious way in numpy.

    python benchmarks/engine.py [--samples 1000000] [--workers 2]

The obvious way holds (sample, year) arrays of the same model and takes np.quantile of six variables at 11 levels. It
is checked to give the same median. Each way runs in a process of its own, so that its memory is its own; that of the
worker beside it is added. The run is the command's, which loads no xarray.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded, as the command does

import numpy as np

SCENARIO = Path(__file__).parent / "three_drivers.yaml"
LEVELS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
THRESHOLDS = (27.0, 28.0, 30.0, 33.0, 36.0, 40.0)


def streamed(samples: int, workers: int) -> tuple[float, float]:
    """Run the simulator for a summary; give wall seconds and the last year's median of effective compute."""
    from simulator.engine.simulation import How, run_arrays
    from simulator.runs.summary import summarised
    from simulator.scenario.load import load_scenario

    scenario = load_scenario(SCENARIO, overrides=[f"samples={samples}"])
    start = time.perf_counter()
    run = run_arrays(scenario, how=How("summary", workers=workers))
    wall = time.perf_counter() - start
    return wall, float(summarised(run, "effective_compute").at(0.5)[-1])


def obvious(samples: int, workers: int) -> tuple[float, float]:
    """Compute the same model with whole arrays and np.quantile."""
    del workers
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    years = np.arange(25.0)

    def lognormal(low: float, high: float) -> np.ndarray:
        centre, half = np.log10(low * high) / 2, np.log10(high / low) / 2
        return centre + half / 1.6448536269514722 * rng.standard_normal(samples)

    demanded = lognormal(2e8, 8e8)[:, None] + lognormal(2.0, 2.88)[:, None] * years
    spending = np.minimum(demanded, lognormal(2e10, 5e11)[:, None])
    hardware = lognormal(9e17, 1.88e18)[:, None] + lognormal(1.2, 1.52)[:, None] * years
    algorithms = lognormal(1.5, 6.0)[:, None] * years
    physical = spending + hardware
    effective = physical + algorithms
    quantiles = [
        np.quantile(v, LEVELS, axis=0) for v in (demanded, spending, hardware, algorithms, physical, effective)
    ]
    for level in THRESHOLDS:
        met = effective >= level
        first = np.where(met.any(axis=1), met.argmax(axis=1), 25)
        np.quantile(first, LEVELS)
    return time.perf_counter() - start, float(quantiles[-1][5][-1])


def _child(way: Callable[[int, int], tuple[float, float]], samples: int, workers: int, out: object) -> None:
    wall, median = way(samples, workers)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(usage.ru_utime + usage.ru_stime for usage in used)
    out.send((wall, median, processor, sum(usage.ru_maxrss for usage in used) / 1024))  # type: ignore[attr-defined]


def apart(way: Callable[[int, int], tuple[float, float]], samples: int, workers: int) -> tuple[float, ...]:
    """Run one way in a fresh process; give wall seconds, median, processor seconds and MB."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_child, args=(way, samples, workers, theirs))
    process.start()
    result: tuple[float, ...] = ours.recv()
    process.join()
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=float, default=1e6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    samples = int(options.samples)
    print(f"{samples:,} samples, 25 years; best of {options.runs} runs")
    best = {}
    for name, way in (("simulator, summary kept", streamed), ("whole arrays, np.quantile", obvious)):
        results = [apart(way, samples, options.workers) for _ in range(options.runs)]
        wall, median, cpu, memory = min(results)
        best[name] = wall
        print(f"{name:<28}{wall:>7.2f} s wall{cpu:>7.2f} s processor{memory:>8.0f} MB   median {median:.3f}")
    fast, slow = best.values()
    print(f"ratio of wall times: {slow / fast:.1f}")


if __name__ == "__main__":
    main()

"""The model of three_drivers.yaml as one kernel by hand, which is what a machine can do for this one model.

    python benchmarks/fused.py [--samples 1e7] [--threads 2]

Two threads draw, project, cross and count sample by sample, and hold nothing else: histograms of 4,096 bins of six
variables in 25 years and of the six crossing times, from which quantiles are read. Needs numba.
"""

from __future__ import annotations

import argparse
import time

import numba
import numpy as np

YEARS, BINS, LOW, HIGH = 25, 4096, -4.0, 60.0
LEVELS = np.array([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99])
INTERVALS = ((2e8, 8e8), (2.0, 2.88), (2e10, 5e11), (9e17, 1.88e18), (1.2, 1.52), (1.5, 6.0))
"""The 90 % intervals of spending, its growth, its cap, hardware, its growth, and the growth of algorithms."""
THRESHOLDS = np.array([27.0, 28.0, 30.0, 33.0, 36.0, 40.0])
STEP = (HIGH - LOW) / BINS


@numba.njit(parallel=True, fastmath=True)
def counted(samples: int, centre: np.ndarray, spread: np.ndarray, levels: np.ndarray, held: np.ndarray) -> None:
    """Count samples; held is (thread, 6 variables and 1 of crossings, year or threshold, bin)."""
    threads = held.shape[0]
    for thread in numba.prange(threads):
        np.random.seed(thread)  # noqa: NPY002  # what numba has in a thread
        own, drawn = held[thread], np.empty(6)
        for _ in range(samples // threads):
            for place in range(6):
                drawn[place] = centre[place] + spread[place] * np.random.standard_normal()  # noqa: NPY002
            before, next_level = 0.0, 0
            for year in range(YEARS):
                demanded = drawn[0] + drawn[1] * year
                spending = min(demanded, drawn[2])
                hardware, algorithms = drawn[3] + drawn[4] * year, drawn[5] * year
                physical = spending + hardware
                effective = physical + algorithms
                every = (demanded, spending, hardware, algorithms, physical, effective)
                for row, value in enumerate(every):
                    own[row, year, min(max(int((value - LOW) / STEP), 0), BINS - 1)] += 1
                while next_level < levels.size and effective >= levels[next_level]:
                    at = 0.0 if year == 0 else year - 1 + (levels[next_level] - before) / (effective - before)
                    own[6, next_level, int(at * (BINS / YEARS))] += 1
                    next_level += 1
                before = effective


def fused(samples: int, threads: int = 2) -> float:
    """Run the kernel and read all quantiles; give the last year's median of effective compute."""
    numba.set_num_threads(threads)
    lows, highs = np.log10(np.array(INTERVALS)).T
    held = np.zeros((threads, 7, YEARS, BINS), dtype=np.int64)
    counted(samples, (lows + highs) / 2, (highs - lows) / 2 / 1.6448536269514722, THRESHOLDS, held)
    sums = np.cumsum(held.sum(axis=0), axis=-1)
    total = samples // threads * threads
    places = np.array([np.searchsorted(each, LEVELS * total) for each in sums.reshape(-1, BINS)])
    return float(LOW + STEP * (places.reshape(7, YEARS, -1)[5, -1, 5] + 0.5))


def main() -> None:
    """Print three runs, after one that compiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=float, default=1e7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    fused(1000, options.threads)
    for _ in range(3):
        began, used = time.perf_counter(), time.process_time()
        median = fused(int(options.samples), options.threads)
        wall, processor = time.perf_counter() - began, time.process_time() - used
        print(f"{wall:.2f} s wall, {processor:.2f} s processor, median {median:.2f}")


if __name__ == "__main__":
    main()

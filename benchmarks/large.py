"""Runs of any size: 10^8 samples for a summary, beside 10^6, by one worker and by two.

    python benchmarks/large.py [--samples 1e8] [--small 1e6]

Three drivers, a cap and six thresholds over 25 years (three_drivers.yaml). Each run is a process of its own; memory is
the most that it and its workers hold at once. The start of Python is left out of the times.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the processes that are started, as the command does
SCENARIO = Path(__file__).parent / "three_drivers.yaml"


def _child(samples: int, workers: int, out: Any) -> None:
    from simulator.engine.simulation import How, run_arrays
    from simulator.runs.summary import summarised
    from simulator.scenario.load import load_scenario

    scenario = load_scenario(SCENARIO, overrides=[f"samples={samples}"])
    began = time.perf_counter()
    run = run_arrays(scenario, how=How("summary", workers=workers))
    out.send((time.perf_counter() - began, float(summarised(run, "effective_compute").at(0.5)[-1])))


def resident(process: int) -> float:
    """Add up the memory, MB, that a process and those that it started hold now (Linux)."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name == str(process) or (folder.name.isdecimal() and _parent(folder) == process):
                total += int((folder / "statm").read_text().split()[1]) * resource.getpagesize() / 2**20
        except OSError:  # it has ended meanwhile
            continue
    return total


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def measured(samples: int, workers: int) -> tuple[float, float, float]:
    """Give wall seconds, the most MB held at once, and the last median of effective compute."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(samples, workers, theirs))
    process.start()
    most = 0.0
    while not ours.poll(0.2):
        most = max(most, resident(int(process.pid or 0)))
    wall, median = ours.recv()
    process.join()
    return wall, most, median


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=float, default=1e8)
    parser.add_argument("--small", type=float, default=1e6)
    options = parser.parse_args()
    large, small = int(options.samples), int(options.small)
    print(f"{'samples':>12}{'workers':>9}{'wall s':>9}{'microseconds per sample':>26}{'MB':>7}   median")
    walls = {}
    for samples, workers in ((small, 1), (small, 2), (large, 2), (large, 1)):
        wall, memory, median = measured(samples, workers)
        walls[samples, workers] = wall
        print(
            f"{samples:>12,}{workers:>9}{wall:>9.1f}{1e6 * wall / samples:>26.3f}{memory:>7.0f}   {median:.3f}",
            flush=True,
        )
    for workers in (1, 2):
        share = walls[small, workers] / small / (walls[large, workers] / large)
        named = f"{workers} worker{'s' * (workers > 1)}"
        print(f"per-sample speed of {large:,} against {small:,}, {named}: {100 * share:.0f} %")
    print(f"two workers against one, {large:,} samples: {walls[large, 1] / walls[large, 2]:.2f} times")


if __name__ == "__main__":
    main()

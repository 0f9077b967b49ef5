"""Time the tornado and the audit of the baseline, each as a command in a process of its own.

    python benchmarks/sensitivity_swings.py              wall and processor time, median of 3
    python benchmarks/sensitivity_swings.py --runs 5

To be reached: 10 seconds each on two cores, with reading, writing and charts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "swings, others free, 3 outcomes, PNG and SVG": ["swings", "baseline"],
    "swings, others free, no charts": ["swings", "baseline", "--no-charts"],
    "swings, others at their medians, PNG and SVG": ["swings", "baseline", "--mode", "fixed"],
    "swings, one outcome, PNG": ["swings", "baseline", "--outcome", "effective_compute@2035", "--format", "png"],
    "audit": ["audit", "baseline"],
}


def measured(arguments: list[str]) -> tuple[float, float]:
    """Run a command; give its wall and its processor time in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        before, start = os.times(), time.perf_counter()
        code = "from simulator.cli.main import main; main()"
        subprocess.run(
            [sys.executable, "-c", code, *arguments, "--output", folder], check=True, stdout=subprocess.DEVNULL
        )
        wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    print(f"{'command':<46} {'wall s':>8} {'processor s':>12}")
    for name, arguments in COMMANDS.items():
        found = [measured(arguments) for _ in range(runs)]
        wall, used = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name:<46} {wall:>8.1f} {used:>12.1f}")


if __name__ == "__main__":
    main()

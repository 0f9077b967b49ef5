"""Three actors, five events and an allocation against the baseline alone: the ratio of processor time, run by run.

    python benchmarks/worlds.py [--runs 5]

Both are run as users run them, in turn, 10,000 samples each; the baseline is what worlds.yaml extends. It must stay
within three times as long.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from main_job import COMMAND, measure

SCENARIOS = (str(Path(__file__).with_name("worlds.yaml").resolve()), "baseline")


def main() -> None:
    """Print the seconds of each, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    commands = [[*COMMAND, name, "--samples", "10000", "--no-charts"] for name in SCENARIOS]
    with tempfile.TemporaryDirectory() as folder:
        found = [[measure(command, folder)[0] for command in commands] for _ in range(options.runs + 1)][1:]
    for name, seconds in zip(("worlds", "baseline"), zip(*found, strict=True), strict=True):
        print(f"{name:<10}{statistics.median(seconds):>8.2f} s of processor time")
    ratios = [worlds / baseline for worlds, baseline in found]
    print(f"ratio {statistics.median(ratios):>12.2f}   ({min(ratios):.2f} to {max(ratios):.2f}); must stay within 3")


if __name__ == "__main__":
    main()

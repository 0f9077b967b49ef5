"""Time the fit of the history of training runs, compilation included.

    nice python benchmarks/history_fit.py TABLE [--snapshot 2025-06] [--top 10] [--sampler pymc]

TABLE is what `simulate history load` reads, e.g. a full export; the more runs of a year count, the more rows a fit has.
Prints how many there are, the seconds of wall and of processor (of its processes too), and the load before and after.
"""

from __future__ import annotations

import argparse
import os
import time

from simulator.history.diagnostics import diagnose
from simulator.history.fit import SamplerSettings, fit_history
from simulator.history.loading import load_history, shipped_accelerators
from simulator.history.observations import known_at, observations


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--snapshot", default="2025-06")
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--sampler", choices=("pymc", "nutpie"), default="pymc")
    options = parser.parse_args()
    seen = observations(load_history(options.table, snapshot=options.snapshot), shipped_accelerators(), top=options.top)
    known, load = known_at(seen), os.getloadavg()[0]
    wall, before = time.perf_counter(), sum(os.times()[:4])
    fit = fit_history(seen, settings=SamplerSettings(sampler=options.sampler))
    wall, spent = time.perf_counter() - wall, sum(os.times()[:4]) - before
    print(f"{options.sampler}: {known.run.sum() + known.hidden.sum()} runs ({known.hidden.sum()} without FLOP), "
          f"{known.cost.sum()} costs: {wall:.0f} s, of processors {spent:.0f} s, load {load:.1f} to "
          f"{os.getloadavg()[0]:.1f}")  # fmt: skip
    print(*diagnose(fit).lines, sep="\n")


if __name__ == "__main__":
    main()

"""How far the numbers of a reweighted run can be trusted, by how much wider or narrower the new prior is.

    python benchmarks/reweighting.py [--runs 100] [--samples 10000] [--limit 0.5]

Every driver adds a normal number to log10 of effective compute, so the 5, 50 and 95 % quantiles in the last year and
the probability of having crossed a threshold are known in closed form. The growth of algorithms, which has most of the
variance (76 %), gets an interval 0.5 to 3 times as wide. A row is a width: the mean of Pareto k-hat and the share of
runs that are refused, and of those that are told, for each number, the mean error, the root mean square error, and the
share in which plus and minus twice the standard error holds the truth. `--limit` is the k-hat above which a run is
refused: with 9 none is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator import parse_scenario, reweight_run, simulate
from simulator.analysis import reweighting
from simulator.errors import InputError
from simulator.wording import aligned

WIDTHS = (0.5, 0.7, 1.2, 1.35, 1.5, 2.0, 2.5, 3.0)
NUMBERS = ("5 % quantile", "median", "95 % quantile", "probability of having crossed")
YEARS, MIDDLE, LEVEL = 10, 34.0, 35.0
SPREADS = {"spending": 0.1, "hardware": 0.05, "algorithms": 0.2}  # of the growth, OOM a year
SCENARIO = f"""
schema: 2
name: linear
years: {{first: 2025, last: {2025 + YEARS}}}
drivers:
  spending:
    start: {{value: 1e8, unit: USD}}
    growth: {{family: normal, mean: 0.4, sd: {SPREADS["spending"]}, unit: OOM/year}}
  hardware:
    start: {{value: 1e18, unit: FLOP/USD}}
    growth: {{family: normal, mean: 0.1, sd: {SPREADS["hardware"]}, unit: OOM/year}}
  algorithms: {{growth: {{family: normal, mean: 0.3, sd: {SPREADS["algorithms"]}, unit: OOM/year}}}}
thresholds: {{level: {{effective_compute: 1e{LEVEL:g}}}}}
"""


def run_of(seed: int, *, samples: int) -> xr.DataTree:
    """Simulate the scenario with a seed."""
    return simulate(parse_scenario(SCENARIO, overrides=[f"seed={seed}", f"samples={samples}"]))


def truth(width: float) -> NDArray[np.float64]:
    """Give the four numbers in closed form."""
    spread = YEARS * np.sqrt(np.square([SPREADS["spending"], SPREADS["hardware"], width * SPREADS["algorithms"]]).sum())
    return np.append(MIDDLE + spread * ndtri([0.05, 0.5, 0.95]), ndtr((MIDDLE - LEVEL) / spread))


def reweighted(run: xr.DataTree, width: float) -> tuple[NDArray[np.float64], float]:
    """Give the four numbers with their errors, (number, 2), of a run with another width, and k-hat."""
    found = reweight_run(run, [f"drivers.algorithms.growth.sd={width * SPREADS['algorithms']:.12g}"])
    last = found.headlines.where(year=2025.0 + YEARS)
    rows = [last.where(statistic=name).rows()[0] for name in NUMBERS]
    return np.array([[row["after"], row["after_error"]] for row in rows], dtype=float), found.khat


def table(*, runs: int, samples: int) -> Iterator[list[str]]:
    """Give the head and a row for each width."""
    yield ["width", "k-hat", "refused", *(f"{name}: bias, rms error, covered" for name in NUMBERS)]
    drawn = [run_of(seed, samples=samples) for seed in range(runs)]
    for width in WIDTHS:
        told, tails = [], []
        for run in drawn:
            try:
                numbers, khat = reweighted(run, width)
            except InputError:
                continue
            told.append(numbers)
            tails.append(khat)
        cells = [""] * len(NUMBERS)
        if told:
            values, errors = np.stack(told).transpose(2, 1, 0)  # each (number, run)
            gaps = values - truth(width)[:, None]
            covered = 100 * np.mean(np.abs(gaps) <= 2 * errors, axis=1)
            measured = zip(gaps.mean(axis=1), np.sqrt(np.square(gaps).mean(axis=1)), covered, strict=True)
            cells = [f"{bias:+.3f} {error:.3f} {share:.0f} %" for bias, error, share in measured]
        mean = f"{np.mean(tails):.2f}" if tails else ""
        yield [f"{width:g}", mean, f"{100 * (1 - len(told) / runs):.0f} %", *cells]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--limit", type=float, default=reweighting.HEAVIEST)
    chosen = parser.parse_args()
    reweighting.HEAVIEST = chosen.limit
    print("\n".join(aligned(list(table(runs=chosen.runs, samples=chosen.samples)))))


if __name__ == "__main__":
    main()

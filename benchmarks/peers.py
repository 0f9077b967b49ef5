"""The same forecast here, in plain numpy and in squigglepy, side by side: microseconds per sample and year.

    python benchmarks/peers.py [--samples 200000]

Three drivers, a cap and six thresholds over 25 years (three_drivers.yaml). Squigglepy is timed in both of its ways: a
function of one future that is sampled n times, as its documentation shows (2,000 futures), and whole arrays of samples
that are handed to numpy. It needs: pip install squigglepy. Each way is checked to give the same median.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SCENARIO = Path(__file__).parent / "three_drivers.yaml"
YEARS = 25
LEVELS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
THRESHOLDS = (27.0, 28.0, 30.0, 33.0, 36.0, 40.0)
PRIORS = {
    "start": (2e8, 8e8), "spending": (2.0, 2.88), "cap": (2e10, 5e11),
    "efficiency": (9e17, 1.88e18), "hardware": (1.2, 1.52), "algorithms": (1.5, 6.0),
}  # fmt: skip
"""The 90 % intervals of the scenario's lognormal priors."""


def ours(samples: int) -> float:
    """Run the simulator, everything that it writes into a summary included; give the last median."""
    from simulator.engine.simulation import simulate
    from simulator.scenario.load import load_scenario

    run = simulate(load_scenario(SCENARIO, overrides=[f"samples={samples}"]), keep="summary")
    return float(run["summary/effective_compute"].sel(quantile=0.5).values[-1])


def forecast(draws: dict[str, np.ndarray]) -> float:
    """Compute the forecast from arrays of draws, (sample,), in plain numpy."""
    years = np.arange(YEARS)
    log = {name: np.log10(values)[:, None] for name, values in draws.items()}
    demanded = log["start"] + log["spending"] * years
    spending = np.minimum(demanded, log["cap"])
    hardware, algorithms = log["efficiency"] + log["hardware"] * years, log["algorithms"] * years
    physical = spending + hardware
    effective = physical + algorithms
    quantiles = [
        np.quantile(v, LEVELS, axis=0) for v in (demanded, spending, hardware, algorithms, physical, effective)
    ]
    for level in THRESHOLDS:
        met = effective >= level
        np.quantile(np.where(met.any(axis=1), met.argmax(axis=1), YEARS), LEVELS)
    return float(quantiles[-1][5][-1])


def plain(samples: int) -> float:
    """Draw by numpy."""
    rng = np.random.default_rng(1)

    def lognormal(low: float, high: float) -> np.ndarray:
        centre, half = np.log(low * high) / 2, np.log(high / low) / 2
        return np.exp(centre + half / 1.6448536269514722 * rng.standard_normal(samples))

    return forecast({name: lognormal(*interval) for name, interval in PRIORS.items()})


def squigglepy_arrays(samples: int) -> float:
    """Draw whole arrays by squigglepy."""
    import squigglepy as sq

    sq.set_seed(1)
    return forecast({name: sq.sample(sq.lognorm(*interval), n=samples) for name, interval in PRIORS.items()})


def squigglepy_futures(samples: int) -> float:
    """Sample a function of one future."""
    import squigglepy as sq

    sq.set_seed(1)

    def future() -> list[float]:
        draw = {name: float(sq.sample(sq.lognorm(*interval))) for name, interval in PRIORS.items()}
        path = []
        for year in range(YEARS):
            spending = min(draw["start"] * draw["spending"] ** year, draw["cap"])
            hardware = draw["efficiency"] * draw["hardware"] ** year
            path.append(float(np.log10(spending * hardware * draw["algorithms"] ** year)))
        return path

    paths = np.array([future() for _ in range(samples)])
    np.quantile(paths, LEVELS, axis=0)
    for level in THRESHOLDS:
        met = paths >= level
        np.quantile(np.where(met.any(axis=1), met.argmax(axis=1), YEARS), LEVELS)
    return float(np.median(paths[:, -1]))


def timed(way: Callable[[int], float], samples: int, *, times: int = 3) -> tuple[float, float]:
    """Give the least processor seconds of a few runs, and the median of effective compute that came out."""
    seconds = []
    for _ in range(times):
        began = time.process_time()
        median = way(samples)
        seconds.append(time.process_time() - began)
    return min(seconds), median


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200_000)
    samples = parser.parse_args().samples
    ways: list[tuple[str, Callable[[int], float], int]] = [
        ("this simulator, summary of all variables", ours, samples),
        ("numpy, whole arrays and np.quantile", plain, samples),
        ("squigglepy, whole arrays", squigglepy_arrays, samples),
        ("squigglepy, one future at a time", squigglepy_futures, 2000),
    ]
    first = None
    print(f"{'way':<44}{'samples':>9}{'microseconds per sample and year':>34}{'times ours':>12}{'median':>9}")
    for name, way, count in ways:
        try:
            way(min(count, 100))  # imports and first uses
            seconds, median = timed(way, count)
        except ImportError:
            print(f"{name:<44}  is not installed: pip install squigglepy")
            continue
        each = 1e6 * seconds / count / YEARS
        first = first or each
        print(f"{name:<44}{count:>9,}{each:>34.4f}{each / first:>12.1f}{median:>9.2f}")


if __name__ == "__main__":
    main()

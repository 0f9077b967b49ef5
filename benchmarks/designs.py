"""Measure the sampling designs on a small scenario: how many plain samples is one sample worth?

    python benchmarks/designs.py                      the table, about two minutes
    python benchmarks/designs.py --seeds 1000         less noise
    python benchmarks/designs.py --samples 10000      a partial last block
    python benchmarks/designs.py --salts 60           other salts of the generator matrices

The gain is the mean squared error of a quantile of effective compute in 2035 under plain sampling, over
that under the design, with equally many samples: 3 means that 4,096 samples are worth 12,288 plain ones.
The scenario has 14 priors that matter; priors that do not matter need not be drawn, because no stream knows
of another.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]
from scipy.stats import qmc  # type: ignore[import-untyped]

from simulator.priors import streams
from simulator.priors.streams import DEFAULT_BLOCK, EDGE, block_uniforms
from simulator.schema.choices import DESIGNS

Array = NDArray[np.float64]
Table = tuple[Array, Array] | None  # CDF and rate; None means the lognormal
Draw = Callable[[int], Array]  # seed -> (sample,) log10 effective compute in 2035

PROBABILITIES = np.array([0.05, 0.5, 0.95])
NAMES = (
    "drivers.spending.start",
    "drivers.spending.growth[0].rate",
    "drivers.spending.growth[1].from",
    "drivers.spending.growth[1].rate",
    "drivers.spending.caps.cash-flow.limit",
    "drivers.spending.caps.world-product.share",
    "drivers.hardware.factors.price-performance.start",
    "drivers.hardware.factors.price-performance.growth[0].rate",
    "drivers.hardware.factors.precision-and-utilisation.growth[0].rate",
    "drivers.hardware.factors.precision-and-utilisation.growth[1].rate",
    "drivers.algorithms.growth[0].rate",
    "constraints.power.site",
    "constraints.power.flop-per-joule",
    "constraints.power.duration",
)
START, HORIZON = 2025.5, 2035.0


def normal(uniforms: Array, low: float, high: float, *, level: float = 0.9) -> Array:
    """Draw from the normal whose equal-tailed interval of the given level is (low, high)."""
    result: Array = (low + high) / 2 + (high - low) / 2 / ndtri((1 + level) / 2) * ndtri(uniforms)
    return result


def log_lognormal(uniforms: Array, low: float, high: float, *, level: float = 0.9) -> Array:
    """Draw log10 of the lognormal whose equal-tailed interval of the given level is (low, high)."""
    return normal(uniforms, np.log10(low), np.log10(high), level=level)


def mixture_table() -> tuple[Array, Array]:
    """Tabulate the CDF of the mixed rate of algorithmic progress: probability, OOM per year."""
    rate = np.unique(
        np.concatenate([np.linspace(-6, 0, 20001), np.linspace(0, 0.18, 4001), np.linspace(0.18, 8, 40001)])
    )
    months = np.log10(np.log10(2) * 12 / np.maximum(rate, 1e-300))
    centre, spread = np.log10(5 * 14) / 2, np.log10(14 / 5) / 2 / ndtri(0.975)
    doubling = np.where(rate > 0, ndtr((centre - months) / spread), 0.0)
    slow = np.clip((10.0**rate - 1) / 0.5, 0, 1)
    fast = ndtr((rate - np.log10(2 * 50) / 2) / (np.log10(50 / 2) / 2 / ndtri(0.9)))
    mixed = 0.6 * doubling + 0.2 * slow + 0.2 * fast
    rises = np.concatenate([[True], np.diff(mixed) > 0])
    return mixed[rises], rate[rises]


def effective_compute(uniforms: list[Array], algorithms: Table) -> Array:
    """Project log10 effective compute in 2035 from 14 uniforms; the algorithm rate by table, or lognormal."""
    (
        start,
        rate,
        change,
        later,
        amount,
        share,
        hardware,
        price,
        factor,
        rest,
        progress,
        site,
        joule,
        duration,
    ) = uniforms
    years, change_year = HORIZON - START, 2027 + 3 * change
    demanded = log_lognormal(start, 1.8e8, 8.3e8) + log_lognormal(rate, 2.0, 2.9) * (change_year - START)
    demanded = demanded + normal(later, 0.1, 0.3) * (HORIZON - change_year)
    cap = np.minimum(log_lognormal(amount, 2e10, 5e11), np.log10(1.2e14) + log_lognormal(share, 1e-4, 1e-2))
    efficiency = log_lognormal(hardware, 9e17, 1.8e18) + years * log_lognormal(price, 1.25, 1.5)
    efficiency += (2028 - START) * np.log10(np.maximum(normal(factor, 1.0, 1.6), 0.3))
    efficiency += (HORIZON - 2028) * np.log10(1 + 0.1 * rest)
    power = log_lognormal(site, 2e9, 5e10) + log_lognormal(joule, 1.5e12, 1.5e13) + log_lognormal(duration, 5e6, 2e7)
    physical = np.minimum(np.minimum(demanded, cap) + efficiency, power)
    algorithm_rate = log_lognormal(progress, 1.5, 8) if algorithms is None else np.interp(progress, *algorithms)
    result: Array = physical + years * algorithm_rate
    return result


def reference_quantiles(algorithms: Table) -> Array:
    """Return the quantiles from 10^7 plain samples."""
    rng = np.random.default_rng(0)
    pieces = [effective_compute(list(rng.random((len(NAMES), 10**6))), algorithms) for _ in range(10)]
    quantiles: Array = np.quantile(np.concatenate(pieces), PROBABILITIES)
    return quantiles


def draw_blocks(seed: int, *, design: str, size: int, samples: int, prefix: str, algorithms: Table) -> Array:
    """Run the scenario over whole blocks and keep the first samples."""
    pieces = []
    for block in range(-(-samples // size)):
        uniforms = [block_uniforms(prefix + name, seed=seed, block=block, size=size, design=design) for name in NAMES]
        pieces.append(effective_compute(uniforms, algorithms))
    return np.concatenate(pieces)[:samples]


def draw_positions(seed: int, *, samples: int, algorithms: Table) -> Array:
    """Run the scenario on SciPy's Sobol points, whose dimensions go by position: the mark to reach."""
    depth = (samples - 1).bit_length()
    points: Array = qmc.Sobol(len(NAMES), rng=seed).random_base2(depth)[:samples]
    result: Array = effective_compute(list(np.clip(points.T, EDGE, 1 - EDGE)), algorithms)
    return result


def squared_error(draw: Draw, reference: Array, seeds: int) -> Array:
    """Return the mean squared error of each quantile over the seeds."""
    found = np.array([np.quantile(draw(seed), PROBABILITIES) for seed in range(seeds)])
    result: Array = np.mean((found - reference) ** 2, axis=0)
    return result


def nanoseconds(design: str, size: int) -> float:
    """Return the processor time per number, whole blocks of a new name."""
    blocks = max(1, (1 << 19) // size)
    start = time.process_time()
    for block in range(blocks):
        block_uniforms("clock", seed=0, block=block, size=size, design=design)
    return (time.process_time() - start) * 1e9 / (blocks * size)


def fixed(prefix: str) -> Callable[[int], str]:
    """Return a function that gives every seed the same prefix of names."""
    return lambda _: prefix


def print_row(label: str, gain: Array, cost: float | None = None) -> None:
    """Print one line of the table."""
    numbers = " ".join(f"{value:8.3g}" for value in gain)
    print(f"  {label:<44}{numbers}" + ("" if cost is None else f"{cost:10.0f}"), flush=True)


def print_table(algorithms: Table, *, samples: int, seeds: int, name_sets: int) -> None:
    """Print the gain of every design and block size over plain sampling."""
    reference = reference_quantiles(algorithms)

    def error(design: str, size: int, runs: int, prefix: Callable[[int], str]) -> Array:
        def draw(seed: int) -> Array:
            return draw_blocks(
                seed, design=design, size=size, samples=samples, prefix=prefix(seed), algorithms=algorithms
            )

        return squared_error(draw, reference, runs)

    plain = error("random", DEFAULT_BLOCK, 4 * seeds, fixed(""))
    print(f"  {'design, block':<44}{'5 %':>8} {'50 %':>8} {'95 %':>8}{'ns':>10}")
    print_row("random (root mean square error, OOM)", np.sqrt(plain), nanoseconds("random", DEFAULT_BLOCK))
    for design in (design for design in DESIGNS if design != "random"):
        for size in (512, 1024, 2048, 4096):
            gain = plain / error(design, size, seeds, fixed(""))
            print_row(f"{design}, {size}", gain, nanoseconds(design, size))
    changing = plain / error("sobol", DEFAULT_BLOCK, seeds, lambda seed: f"{seed}/")
    print_row("sobol, matrices by (seed, name)", changing)
    by_position = squared_error(
        lambda seed: draw_positions(seed, samples=samples, algorithms=algorithms), reference, seeds
    )
    print_row("Sobol by position (SciPy)", plain / by_position)
    runs = max(seeds // 5, 10)
    others = [error("sobol", DEFAULT_BLOCK, runs, fixed(f"set {number}/")) for number in range(name_sets)]
    for share in (0.1, 0.25, 0.5):
        gain = np.quantile(plain / np.array(others), share, axis=0)
        print_row(f"sobol, {name_sets} other sets of names: {share:.0%} below", gain)


def search_salt(*, salts: int, samples: int, seeds: int) -> None:
    """Print the gains of the design "sobol" under other salts, the best by its least gain first.

    Pair losses alone do not do: interactions of three and four priors decide as much.
    """
    tables = (mixture_table(), None)
    found: dict[str, Array] = {}
    for table in tables:
        reference = reference_quantiles(table)

        def draw(seed: int, design: str = "sobol", table: Table = table) -> Array:
            return draw_blocks(seed, design=design, size=DEFAULT_BLOCK, samples=samples, prefix="", algorithms=table)

        plain = squared_error(partial(draw, design="random"), reference, 4 * seeds)
        for salt in (f"matrices-{number}" for number in range(salts)):
            with mock.patch.object(streams, "_MATRIX_SALT", salt):
                gain = plain / squared_error(draw, reference, seeds)
            found[salt] = np.append(found.get(salt, np.empty(0)), gain)
    print(f"{salts} salts, {seeds} seeds: gains at 5, 50, 95 %, mixture then lognormal; measure the winner anew")
    for salt, gain in sorted(found.items(), key=lambda item: -item[1].min())[:10]:
        print_row(salt, gain)


def main() -> None:
    """Print the table of designs, or search a salt."""
    parser = argparse.ArgumentParser(description="Measure the sampling designs.")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--name-sets", type=int, default=40)
    parser.add_argument("--salts", type=int, default=0, help="search this many salts instead of printing the table")
    arguments = parser.parse_args()
    if arguments.salts:
        search_salt(salts=arguments.salts, samples=arguments.samples, seeds=max(arguments.seeds // 5, 10))
        return
    for title, table in (
        ("rate of algorithms a mixture", mixture_table()),
        ("rate of algorithms lognormal", None),
    ):
        print(f"{title}; {arguments.samples} samples, {arguments.seeds} seeds")
        print_table(table, samples=arguments.samples, seeds=arguments.seeds, name_sets=arguments.name_sets)


if __name__ == "__main__":
    main()

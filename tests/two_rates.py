"""A scenario of two uncertain rates whose forecast is known in closed form, under any names and seed."""

from __future__ import annotations

import numpy as np
from scipy import stats

RATES = ("drivers.spending.factors.training.growth[1].rate", "drivers.algorithms.factors.{name}.growth")
THRESHOLD = 34.0


def two_rates(name: str, seed: int, rank: float | None = None) -> str:
    """Write the scenario: the factor of algorithms has a name, and the rates perhaps a rank correlation."""
    priors = [rate.format(name=name) for rate in RATES]
    joined = "" if rank is None else f"correlations: [{{between: {priors}, rank: {rank}}}]"
    return f"""
schema: 2
name: case
years: {{first: 2025, last: 2035}}
seed: {seed}
drivers:
  spending:
    factors:
      training:
        start: {{value: 4e8, unit: USD}}
        growth:
          - rate: {{value: 2.0, unit: factor/year}}
          - {{from: 2027, rate: {{interval_90: [1.2, 4], unit: factor/year}}}}
  hardware: {{start: {{value: 1e18, unit: FLOP/USD}}, growth: {{value: 1.3, unit: factor/year}}}}
  algorithms: {{factors: {{{name}: {{growth: {{interval_90: [1.5, 4], unit: factor/year}}}}}}}}
thresholds: {{t: {{effective_compute: 1e{THRESHOLD:g}}}}}
{joined}
"""


def law(year: float) -> tuple[float, float]:
    """Give the mean and standard deviation of log10 of effective compute, in closed form."""
    span = np.array([year - 2027, year - 2025])
    sd = span * np.log10([4 / 1.2, 4 / 1.5]) / (2 * stats.norm.ppf(0.95))
    middle = span @ np.log10([4 * 1.2, 4 * 1.5]) / 2
    return np.log10(4e26) + 2 * np.log10(2) + (year - 2025) * np.log10(1.3) + middle, float(np.hypot(*sd))


def never() -> float:
    """Give the probability that the threshold is not crossed by 2035: 0.2985."""
    mean, sd = law(2035)
    return float(stats.norm.cdf((THRESHOLD - mean) / sd))

"""A scenario whose variance is known by hand: every driver adds to log10 of effective compute."""

from __future__ import annotations

LINEAR = """
schema: 2
name: linear
years: {first: 2025, last: 2030}
seed: 7
drivers:
  spending:
    start: {family: lognormal, median: 1e8, interval_90: [5e7, 2e8], unit: USD}
    growth: {family: normal, mean: 0.4, sd: 0.1, unit: OOM/year}
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: {family: normal, mean: 0.1, sd: 0.05, unit: OOM/year}}
  algorithms: {growth: {family: normal, mean: 0.3, sd: 0.2, unit: OOM/year}}
thresholds:
  late: {effective_compute: 1e29}
"""

CORRELATIONS = """
correlations:
  - {between: [drivers.spending.growth, drivers.algorithms.growth], rank: 0.6}
  - {between: [drivers.spending.growth, drivers.hardware.growth], rank: -0.3}
"""

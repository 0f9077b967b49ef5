"""Observations that were drawn from the model itself, and a scenario of one change of growth."""

from __future__ import annotations

import numpy as np

from simulator.history.observations import Observations


def made_up():
    """Draw a history of six years from known growth."""
    rng = np.random.default_rng(11)
    year = np.sort(rng.uniform(2016, 2022, 60))
    above = 0.3 * rng.standard_normal(60)
    compute = 17.5 + 0.6 * (year - 2016) + above
    cost = 1.0 + 0.45 * (year - 2016) + above + 0.15 * rng.standard_normal(60)
    chips = np.sort(rng.uniform(2016, 2022, 15))
    speed = 9.1 + 0.15 * (chips - 2016) + 0.15 * rng.standard_normal(15)
    record_year = np.arange(2016, 2022)
    record = [compute[year < each + 1].max() for each in record_year]
    cost[::4] = np.nan
    return Observations(year, compute, cost, chips, speed, record_year, record, "made up")


OBSERVED = made_up()

FIVE_RUNS = Observations(
    run_year=np.array([2016.25, 2016.5, 2017.75, 2018.0, 2019.5]),
    run_log_compute=np.array([20.5, 21.0, 21.8, 21.9, 23.0]),
    cost_log_usd=np.array([5.0, np.nan, 5.6, np.nan, 6.4]),
    accelerator_year=np.array([2014.9, 2016.3, 2018.4]),
    accelerator_log_flops_per_usd=np.array([9.4, 9.6, 9.9]),
    record_year=np.arange(2016, 2020),
    record_log_compute=np.array([21.0, 21.8, 21.9, 23.0]),
)

CHANGE = """
schema: 2
name: own-change
years: {first: 2000, last: 2030}
samples: 512
history: {snapshot: 2026-12, change_point: {of: quantities.power%s}, sampler: {draws: 300, tune: 300, chains: 2}}
drivers: {spending: {start: 1e9 USD, growth: 2x/year}}
quantities:
  power:
    start: {median: 10 GW, interval_90: [1, 100]}
    at: 2005
    growth:
      - rate: {median: 1.3, interval_90: [1, 2], unit: x/year}
      - {from: {uniform: [2008, 2022]}, rate: {median: 1.3, interval_90: [1, 2], unit: x/year}}
"""
"""A level that learns when its growth changed; %s is what else is said of the change point."""

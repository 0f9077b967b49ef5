"""Observations that were drawn from the model itself."""

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

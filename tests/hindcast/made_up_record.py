"""A record of training runs that was made up, year by year."""

from __future__ import annotations

import numpy as np

from simulator.history.observations import Observations

YEARS = np.arange(2012, 2023)
RECORD = 18 + 0.6 * (YEARS - 2012) + np.where(YEARS % 2, 0.2, 0.0)
EMPTY = np.array([])
OBSERVED = Observations(
    YEARS + 0.5, RECORD, np.full(YEARS.size, np.nan), EMPTY, EMPTY, YEARS, RECORD, snapshot="made up"
)

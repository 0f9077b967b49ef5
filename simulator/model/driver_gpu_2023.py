"""A hardware driver from the components of a GPU: the example of how to plug in a model of one's own.

A custom driver is a function of drawn parameters and years that returns log10 levels. This one is the hardware of
Epoch AI's Direct Approach of August 2023, and a scenario names it beside the priors of its parameters:

    drivers:
      hardware:
        custom:
          driver: epoch-gpu-2023
          parameters: {process-limit: {family: lognormal, interval_70: [1.4, 2.48]}, ...}

What such a function must keep to: it draws nothing itself, so that a run can be repeated; a year depends on that
year alone and not on which others are asked for; it returns finite numbers. How a package offers one of its own by
name is said in `drivers`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulator.errors import SimulatorError

Array = NDArray[np.float64]

CORE_TRENDS = ((3.99409, 0.10623), (4.01216, 0.09547), (4.07860, 0.09072), (4.10335, 0.08057))
"""Cores of a GPU: log10 in 2023 and OOM a year, fitted in four ways."""

FIRST_YEAR, REFERENCE_YEAR, LAST_YEAR = 2022.0, 2023.0, 2052.0
"""From when GPUs get cheaper, what the trends count from, and after when they stand still."""

MOST_CHEAPENING = float(np.log10(250.0))
GROWTH_AT_FIRST = 0.5
PRICE = 5000.0
SECONDS = 365.0 * 86_400.0


def log_flop_per_dollar(parameters: Mapping[str, Array], years: Array) -> Array:
    """Compute FLOP per USD of a GPU that pays for itself over its life.

    FLOP/USD = FLOP/s x seconds a year x amortisation / price. The logs of FLOP/s are linear in those of the process
    size and of the number of cores; the process shrinks until its limit, cores are at most transistors over the
    transistors of a core, transistors stop where the process does; on top comes a cheapening of up to 250 times.
    Amortisation is 1.2 / (g + 0.1) years, g the growth of FLOP/s over the year before. Where progress stops it goes
    to 12 years, and FLOP/USD rise about fourfold: that is the source's model, and is kept.

    Parameters
    ----------
    parameters : mapping from str to array (sample,) or (1,)
        `process-limit` (nm), `transistors-per-core` (millions), `cheapening` (OOM/year), `core-trend` (0, 1, 2 or 3).
    years : array (year,), decimal years

    Returns
    -------
    array (sample, year) or (1, year), log10 of FLOP/USD

    Notes
    -----
    Source: Epoch AI 2023, the Direct Approach interactive model, as of August 2023.

    Examples
    --------
    >>> drawn = {"process-limit": 1.9, "transistors-per-core": 1.3, "cheapening": 0.1, "core-trend": 0.0}
    >>> log_flop_per_dollar({name: np.array([x]) for name, x in drawn.items()}, np.array([2023.0, 2030.0])).round(2)
    array([[17.67, 19.17]])
    """
    now, before = _log_flop_per_second(parameters, years), _log_flop_per_second(parameters, years - 1.0)
    growth = np.where(years > REFERENCE_YEAR, np.expm1((now - before) * np.log(10.0)), GROWTH_AT_FIRST)
    amortisation = 1.2 / (growth + 0.1)
    return np.asarray(now + np.log10(SECONDS * amortisation / PRICE), dtype=np.float64)


def _log_flop_per_second(parameters: Mapping[str, Array], years: Array) -> Array:
    """Compute log10 of FLOP/s at one price, cheapening included, (sample, year)."""
    limit = np.log10(parameters["process-limit"])[:, np.newaxis]
    per_core = np.log10(parameters["transistors-per-core"])[:, np.newaxis]
    cheapening = parameters["cheapening"][:, np.newaxis]
    trend = parameters["core-trend"]
    if not np.isin(trend, range(len(CORE_TRENDS))).all():
        raise SimulatorError(
            f"epoch-gpu-2023: core-trend must be 0, 1, 2 or 3; got {trend.min():g} to {trend.max():g}."
        )
    level, slope = np.array(CORE_TRENDS)[trend.astype(int)].T[:, :, np.newaxis]
    passed = np.minimum(years, LAST_YEAR) - REFERENCE_YEAR
    at_limit = (0.69508 - limit) / 0.06914
    process = np.maximum(0.69508 - 0.06914 * passed, limit)
    transistors = 4.25237 + 0.11241 * np.minimum(passed, at_limit)
    cores = np.minimum(level + slope * passed, transistors - per_core)
    cheaper = np.minimum(cheapening * (years - FIRST_YEAR), MOST_CHEAPENING)
    return np.asarray(10.084357 - 0.411751 * process + 0.919872 * cores + cheaper, dtype=np.float64)

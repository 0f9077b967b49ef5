"""Simple forecasts of the record, which a model must beat to be worth its trouble.

Each takes past calendar years (year,) and the record at the end of each (year,), log10 FLOP, and gives draws (size,) of
it at the end of a later year, the target; h is the years ahead. None looks at single runs, costs or hardware.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from simulator.errors import InputError
from simulator.history.observations import Array

FIXED_RATE: Final[float] = float(np.log10(4.0))
SMALLEST_RECORD: Final[int] = 3


def jump_from_last(years: Array, record: Array, *, target: int, size: int, rng: np.random.Generator) -> Array:
    """Forecast by the slope of a line through the past records, put on the last of them.

    record(target) = last + slope h + s sqrt(1 + h^2 / Sxx) t, with h years ahead, s the spread about the line,
    Sxx the sum of squared distances of the years from their mean, t a Student t of n - 2 degrees of freedom.

    >>> import numpy as np
    >>> years, record = np.arange(2012.0, 2016.0), np.array([18.0, 19.0, 20.0, 21.0])
    >>> jump_from_last(years, record, target=2017, size=1, rng=np.random.default_rng(0)).round(6).tolist()
    [23.0]
    """
    slope, scatter, squares = _line(years, record)
    ahead = target - years[-1]
    spread = scatter * np.sqrt(1 + ahead**2 / squares)
    return np.asarray(record[-1] + slope * ahead + spread * rng.standard_t(years.size - 2, size))


def regression_line(years: Array, record: Array, *, target: int, size: int, rng: np.random.Generator) -> Array:
    """Forecast by a line through the past records, with the usual predictive spread of least squares.

    record(target) = line(target) + s sqrt(1 + 1/n + (target - mean year)^2 / Sxx) t, with s, Sxx, t as above.
    """
    slope, scatter, squares = _line(years, record)
    spread = scatter * np.sqrt(1 + 1 / years.size + (target - years.mean()) ** 2 / squares)
    centre = record.mean() + slope * (target - years.mean())
    return np.asarray(centre + spread * rng.standard_t(years.size - 2, size))


def random_walk(years: Array, record: Array, *, target: int, size: int, rng: np.random.Generator) -> Array:
    """Forecast by a random walk with drift: steps like the past yearly ones.

    record(target) = last + mean h + s sqrt(h) z, with the mean and spread s of past steps. To count the doubt about
    the mean too would be more honest, and makes the scores worse.
    """
    steps = np.diff(record)
    ahead = target - years[-1]
    spread = steps.std(ddof=1) * np.sqrt(ahead)
    return np.asarray(record[-1] + steps.mean() * ahead + spread * rng.standard_normal(size))


def four_times(years: Array, record: Array, *, target: int, size: int, rng: np.random.Generator) -> Array:
    """Forecast growth of 4 times a year from the last record, spread like this rule's own past errors.

    The spread is the root mean square of its past errors over as many years ahead; where there are fewer than two,
    that of one year ahead times sqrt(h). The rate has hindsight: it was measured on the years that are forecast.
    """
    ahead = int(target - years[-1])
    errors = record[ahead:] - record[:-ahead] - ahead * FIXED_RATE
    if errors.size < 2:
        errors = (np.diff(record) - FIXED_RATE) * np.sqrt(ahead)
    spread = np.sqrt(np.mean(errors**2))
    return np.asarray(record[-1] + FIXED_RATE * ahead + spread * rng.standard_normal(size))


type Baseline = Callable[..., Array]

BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "jump from last": jump_from_last,
        "4x a year": four_times,
        "random walk": random_walk,
        "regression line": regression_line,
    }
)
"""The baselines by name."""


def draw_baseline(name: str, *, years: Array, record: Array, target: int, size: int, rng: np.random.Generator) -> Array:
    """Draw from a baseline by its name."""
    if years.size < SMALLEST_RECORD or target <= years[-1]:
        raise InputError(
            f"baseline {name}: needs at least {SMALLEST_RECORD} years of record and a target after them; "
            f"got {years.size} years and the target {target}. Take a later origin."
        )
    return BASELINES[name](years, record, target=target, size=size, rng=rng)


def _line(years: Array, record: Array) -> tuple[float, float, float]:
    """Fit a line by least squares: its slope, the spread about it, the sum of squares of the centred years."""
    centred = years - years.mean()
    squares = float(centred @ centred)
    slope = float(centred @ record) / squares
    residuals = record - record.mean() - slope * centred
    return slope, float(np.sqrt(residuals @ residuals / (years.size - 2))), squares

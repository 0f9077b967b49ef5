"""Numbers of a scenario file in base units: levels in log10, growth in OOM per year."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
YEAR = 365.25 * 86400.0
"""Seconds in a year."""
SIZES = {"%": 0.01, "year": YEAR, "month": YEAR / 12, "day": 86400.0, "hour": 3600.0}
"""Units that are not base units (USD, FLOP, J, s, W = J/s, bit, token, chip, image, fraction, factor, 1)."""
SPAN = re.compile(r"(months|years)/(?:doubling|halving)")


def size(unit: str) -> float:
    """What one of a unit is in base units."""
    top, *below = unit.split("/")
    return float(SIZES.get(top, 1.0) / np.prod([SIZES.get(name, 1.0) for name in below]))


def log_level(numbers: Array, unit: str | None) -> Array:
    """Log10 of levels, in base units."""
    return np.log10(numbers * size(unit or "1"))


def years(numbers: Array, unit: str | None) -> Array:
    """Spans of time, in years."""
    return numbers * size(unit or "year") / YEAR


def rate(numbers: Array, unit: str | None) -> Array:
    """OOM per year of growth; a halving is that of what is needed or paid, so it is growth like a doubling."""
    match unit or "factor/year":
        case "factor/year":
            return np.log10(numbers)
        case "OOM/year":
            return numbers
        case "%/year":
            return np.log10(1 + numbers / 100)
        case other if found := SPAN.fullmatch(other):
            return np.log10(2.0) / (numbers / (12 if found[1] == "months" else 1))
        case other:
            raise NotImplementedError(other)

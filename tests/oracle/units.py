"""Numbers of a scenario file in base units: levels in log10, growth in OOM per year."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
YEAR = 365.25 * 86400.0
"""Seconds in a year."""
SIZES = {
    "%": 0.01,
    "year": YEAR,
    "month": YEAR / 12,
    "years": YEAR,
    "months": YEAR / 12,
    "day": 86400.0,
    "hour": 3600.0,
}
"""Units that are not base units (USD, FLOP, J, s, W = J/s, bit, token, chip, image, fraction, factor, 1)."""
SPAN = re.compile(r"(months|years)/(doubling|halving|halving of requirement)")
GROWTH = r"x/year|factor/year|%/year|OOM/year|(?:months|years)/(?:doubling|halving)"
WRITTEN = re.compile(rf"(-?[0-9.]+(?:e[+-]?[0-9]+)?) ?({GROWTH}|fraction|%|years?|months?)")
DOLLARS = re.compile(r"\$([0-9.]+) (million|billion|trillion)")
MANY = {"million": 1e6, "billion": 1e9, "trillion": 1e12}


def amount(text: str) -> dict[str, object] | None:
    """A number that is written with its unit, apart."""
    if money := DOLLARS.fullmatch(text):
        return {"value": float(money[1]) * MANY[money[2]], "unit": "USD"}
    found = WRITTEN.fullmatch(text)
    return {"value": float(found[1]), "unit": found[2]} if found else None


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


def told(level: Array, unit: str) -> Array:
    """OOM per year where a quantity of some log10 level, in base units, tells it."""
    one = {"ln": 1 / YEAR, "OOM": 1 / YEAR, "%": 0.01 / YEAR, "months": YEAR / 12, "years": YEAR}
    return rate(10.0**level / one.get(unit.split("/", maxsplit=1)[0], 1.0), unit)


def rate(numbers: Array, unit: str | None) -> Array:
    """OOM per year of growth; what needs half as much has doubled."""
    match unit:
        case "factor/year" | "x/year":
            return np.log10(numbers)
        case "OOM/year":
            return numbers
        case "ln/year":
            return numbers / np.log(10)
        case "%/year":
            return np.log10(1 + numbers / 100)
        case other if found := SPAN.fullmatch(other):
            sign = -1.0 if found[2] == "halving" else 1.0
            return sign * np.log10(2.0) / (numbers / (12 if found[1] == "months" else 1))
        case other:
            raise NotImplementedError(str(other))

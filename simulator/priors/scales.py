"""How the numbers that a file states become those of the internal scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from simulator import units
from simulator.errors import number
from simulator.priors.families import Fixed
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import SlotKind
from simulator.units import Conversion


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of a file become internal ones.

    `conversion` leads from the ones to the others, whose unit is `unit`; `positive` says that a prior must be above 0.
    `least` is what a single number must stay above, or, where `reached`, at or above; `meaning` explains the numbers.
    """

    conversion: Conversion
    unit: str
    positive: bool = False
    least: float = -math.inf
    reached: bool = False
    meaning: str = ""

    @property
    def log(self) -> bool:
        """Whether a function is straight in the log, as of a level; else it is in the unit that is stated."""
        return self.unit.startswith("log10(")


@cache
def scale_of(kind: SlotKind, expected: str | None, unit: str | None, fixed: bool) -> Scale:
    """Find the scale of numbers of a kind that are stated in a unit; UnitError where it is no unit of these."""
    if kind in ("rate", "drift"):
        growth = units.parse_growth_unit(unit or "OOM/year")
        if kind == "drift" and growth.text != "OOM/year":
            raise units.UnitError(f"must be OOM/year; got '{growth.text}'.", "State it in OOM/year.")
        least = 0.0 if growth.positive or kind == "drift" else -100.0 if growth.text == "%/year" else -math.inf
        return Scale(growth.conversion, "OOM/year", growth.positive, least, kind == "drift", growth.meaning)
    if kind == "date":
        if unit not in (None, "year"):
            raise units.UnitError(f"must be year; got '{unit}'.", "Write the date as a year, for example 2027.5.")
        return Scale(units.multiple(), "year")
    if kind in ("duration", "delay"):
        span = units.parse_unit(unit or "year")
        _same_dimension(span, "year", unit)
        years = units.multiple(span.scale / units.SECONDS_PER_YEAR)
        return Scale(years, "years", positive=not fixed, least=0.0, reached=kind == "delay")
    if kind == "number":
        if unit in (None, expected):
            return Scale(units.multiple(), "1")
        if unit in ("OOM", "ln") or (plain := units.parse_unit(unit)).dimension:
            how = f"Write it in {expected}." if expected else "Write it without a unit."
            raise units.UnitError(f"must be {expected or 'a plain number'}; got '{unit}'.", how)
        return Scale(units.multiple(plain.scale), "1")
    level, logs = units.parse_level_unit(unit or expected or "1")
    if expected is not None:
        _same_dimension(level, expected, unit)
    label = f"log10({units.Unit(level.dimension)})"
    if logs:
        return Scale(units.logged(level.scale), label)
    return Scale(units.logarithm(level.scale), label, positive=True, least=0.0)


def _same_dimension(unit: units.Unit, expected: str, given: str | None) -> None:
    if unit.dimension != units.parse_unit(expected).dimension:
        rule, remedy = f"a unit of {expected}; got '{given or expected}'.", f"State the numbers in {expected}."
        if expected == "1":
            rule, remedy = f"a plain number; got '{given}'.", "Write fraction, percent or x."
        raise units.UnitError(f"must be {rule}", remedy)


def nears_zero(base: Distribution) -> bool:
    """Tell whether a prior reaches 0 or below, or comes so near (as a power of the probability) that 1/x has no bound.

    A lognormal does not: it leaves a thousandth of a small probability a thousandth of its room by far.
    """
    rare, rarer = base.ppf(np.array([1e-6, 1e-9]))
    return bool(rarer <= 0.0 or (base.support[0] <= 0.0 and rarer < 0.05 * rare))


def beyond_scale(base: Distribution, scale: Scale) -> tuple[str, str]:
    """Say where a prior has no value on the internal scale, and what to do."""
    limit = scale.least
    if isinstance(base, Fixed) and base.value > limit:
        return "is too large a number to compute with.", "Write a smaller one, or another unit."
    if isinstance(base, Fixed):
        return f"must be above {number(limit)}; got {number(base.value)}.", "Write a larger number."
    positive = "Use family: lognormal, or truncate it: truncated: [0.1, null]."
    if (share := float(base.cdf(np.array([limit]))[0])) <= 0 and scale.conversion.reciprocal:
        rare = number(float(f"{base.ppf(np.array([1e-6]))[0]:.1g}"))
        return f"must keep away from 0, where growth has no bound; one draw in a million lies below {rare}.", positive
    if share <= 0:
        return "reaches numbers that are too large to compute with.", "Truncate it: truncated: [null, 1e30]."
    rule = f"must stay above {number(limit)}; it lies there or below with probability {share:.2g}."
    low, high = (1.0 + base.ppf(np.array([0.05, 0.95])) / 100.0).tolist()
    factors = f"; or state factors, which are lognormal: {low:.3g} to {high:.3g} x/year (90 %)" if low > 0 else ""
    return rule, positive if limit == 0 else f"Truncate it: truncated: [-99, null]{factors}."

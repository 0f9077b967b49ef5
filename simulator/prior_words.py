"""Inputs of a scenario in words: their names as reports say them, and their numbers in the unit of the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from simulator.evaluation import Input
from simulator.priors import DEFAULT_GROWTH_UNIT, NamedPrior
from simulator.units import parse_growth_unit, parse_unit
from simulator.words import power_text

_MONEY = ((12.0, " trillion"), (9.0, " billion"), (6.0, " million"), (3.0, " thousand"), (0.0, ""))
_WATTS = ((12.0, " TW"), (9.0, " GW"), (6.0, " MW"))
_SHORT: Mapping[str, str] = MappingProxyType({"factor/year": "x/yr", "%/year": " %/yr", "OOM/year": " OOM/yr"})


def quantile_texts(priors: Mapping[str, NamedPrior], varied: Input, levels: tuple[float, ...]) -> list[str]:
    """Write what an input is at quantiles; of several members, such as yearly shocks, the quantile itself."""
    if len(varied.members) > 1:
        return [f"{100 * level:g} %" for level in levels]
    prior = priors[varied.members[0]]
    return [value_text(prior, value) for value in prior.family.ppf(np.array(levels)).tolist()]


def value_text(prior: NamedPrior, value: float) -> str:
    """Write a number of a prior, given on the internal scale, in the unit in which the file states it.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> priors = load_scenario("baseline").joint.priors
    >>> value_text(priors["drivers.spending.start"], 8.26), value_text(priors["drivers.algorithms.growth"], 0.3)
    ('$182 million', '2x/yr')
    >>> value_text(priors["quantities.world-product.growth"], 0.011)
    '2.57 %/yr'
    """
    if math.isinf(value):
        return "never"
    stated = prior.prior.unit if prior.prior.mixture is None else None
    if prior.unit == "OOM/year":
        return _growth(value, stated or DEFAULT_GROWTH_UNIT)
    if prior.unit == "year":
        return f"{value:.1f}"
    if prior.unit == "years":
        return f"{value:.3g} years"
    if not prior.unit.startswith("log10("):
        return f"{value:.3g}"
    base = prior.unit.removeprefix("log10(").removesuffix(")")
    unit = stated or base
    return level_text(value - math.log10(parse_unit(unit).scale), unit)


def _growth(value: float, unit: str) -> str:
    conversion = parse_growth_unit(unit).conversion
    with np.errstate(divide="ignore", over="ignore"):
        number = float(conversion.inverse(np.float64(value)))  # type: ignore[arg-type]
    return f"{number:.3g}{_SHORT.get(unit, f' {unit}')}"


def level_text(log_value: float, unit: str) -> str:
    """Write a level that is given in log10 of a unit.

    Examples
    --------
    >>> level_text(9.0, "USD"), level_text(9.4, "W"), level_text(32.3, "FLOP"), level_text(-0.85, "fraction")
    ('$1 billion', '2.51 GW', '2.0e32 FLOP', '0.141')
    """
    for symbol, scales in (("USD", _MONEY), ("W", _WATTS), ("J/s", _WATTS)):
        if unit == symbol:
            found = next(((power, word) for power, word in scales if power - 1e-9 <= log_value < power + 4), None)
            if found:
                return f"{'$' if unit == 'USD' else ''}{_plain(log_value - found[0])}{found[1]}"
    named = "" if unit in ("1", "fraction") else f" {unit}"
    text = _plain(log_value) if -3 <= log_value < 5 else power_text(log_value)
    return f"{text}{named}"


def _plain(log_value: float) -> str:
    number = float(f"{10**log_value:.3g}")
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"

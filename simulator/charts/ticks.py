"""The ticks of the axes of charts, and how their numbers are written."""

from __future__ import annotations

import math
from typing import Literal

from simulator.charts.spec import Spec
from simulator.wording import digits_below_one, power

type Scale = Literal["power", "plain", "year", "share"]
"""How the numbers of an axis are written: log10 as powers of ten, plainly, as years, or in percent."""


def power_parts(log_value: float) -> tuple[str, str]:
    """Write a value given in log10 as a power of ten and its exponent, to two significant digits.

    >>> power_parts(24.0), power_parts(25.3222), power_parts(-2.0), power_parts(25.9999)
    (('10', '24'), ('2.1×10', '25'), ('10', '−2'), ('10', '26'))
    """
    exponent = math.floor(log_value)
    mantissa = round(10.0 ** (log_value - exponent), 1)
    if mantissa >= 10.0:
        exponent, mantissa = exponent + 1, 1.0
    return ("10" if mantissa == 1.0 else f"{mantissa:g}×10"), str(exponent).replace("-", "−")


def power_ticks(lower: float, upper: float, *, most: int = 9) -> list[float]:
    """Choose the ticks of a log10 axis: whole powers, or 1, 2 and 5 times them where it is short; about `most`.

    >>> power_ticks(23.8, 36.2)
    [24.0, 26.0, 28.0, 30.0, 32.0, 34.0, 36.0]
    >>> ["^".join(power_parts(tick)) for tick in power_ticks(24.9, 26.1)]
    ['10^25', '2×10^25', '5×10^25', '10^26']
    """
    first, last = math.floor(lower), math.ceil(upper)
    if upper - lower <= 2.5 * most / 9:
        ticks = [power + math.log10(times) for power in range(first, last + 1) for times in (1, 2, 5)]
    else:
        steps = (step * 10**scale for scale in range(300) for step in (1, 2, 3, 5))
        step = next(step for step in steps if (upper - lower) / step <= most)
        ticks = [float(power) for power in range(math.ceil(first / step) * step, last + 1, step)]
    return [tick for tick in ticks if lower <= tick <= upper]


def plain_ticks(lower: float, upper: float, *, most: int = 9) -> list[float]:
    """Choose the ticks of an axis that is no logarithm: at most one more than `most` round numbers.

    >>> plain_ticks(0, 29), plain_ticks(0.12, 0.98)
    ([0.0, 5.0, 10.0, 15.0, 20.0, 25.0], [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    """
    scale = 10.0 ** (math.floor(math.log10(upper - lower)) - 1)
    step = next(times * scale for times in (1, 2, 5, 10, 20, 50) if (upper - lower) / (times * scale) <= most)
    places = range(math.ceil(lower / step - 1e-9), math.floor(upper / step + 1e-9) + 1)
    return [float(f"{place * step:.12g}") for place in places]


def plain_text(value: float) -> str:
    """Write a number that is no logarithm: three digits, or a power of ten where it is very large or small.

    >>> plain_text(28.1024), plain_text(1500.0), plain_text(-0.25), plain_text(3.2e7), plain_text(0.99964)
    ('28.1', '1,500', '−0.25', '3.2e7', '0.9996')
    """
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        base, exponent = f"{value:.1e}".split("e")
        return f"{base}e{int(exponent)}".replace("-", "−")
    text = f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 1000 else f"{value:.{digits_below_one(value, 3)}g}"
    return text.replace("-", "−")


def said_level(level: float, *, log: bool) -> str:
    """Write a level in a line of text.

    >>> said_level(32.32, log=True), said_level(1.3, log=True), said_level(28.1, log=False)
    ('2.1e32', '20', '28.1')
    """
    if level == math.inf:
        return power(level)
    if not log or -2 <= level < 4:
        return plain_text(10.0**level if log else level)
    base, exponent = power_parts(level)
    return f"{base.removesuffix('10').removesuffix('×') or '1'}e{exponent}"


def axis_ticks(low: float, high: float, scale: Scale, *, most: int) -> list[float]:
    """Choose the ticks of an axis; of years whole ones alone where there are two or more."""
    if scale == "power":
        return power_ticks(low, high, most=most)
    ticks = plain_ticks(low, high, most=most)
    whole = [tick for tick in ticks if tick == round(tick)]
    return whole if scale == "year" and len(whole) > 1 else ticks


def outcome_scale(kind: str, *, log: bool = True) -> Scale:
    """Choose how the numbers of an outcome of a kind are written; `log`: whether its levels are logarithms."""
    if kind == "level":
        return "power" if log else "plain"
    return "share" if kind in ("crossed", "leads") else "year"


def tick_text(tick: float, scale: Scale) -> str:
    """Write the number at a tick that is no power of ten."""
    if scale == "share":
        return f"{100 * tick:g} %"
    return f"{tick:.10g}" if scale == "year" else plain_text(tick)


def year_ticks(first: float, last: float, *, most: int = 12) -> list[int]:
    """Choose the ticks of a time axis: whole years, at most one more than `most`.

    >>> year_ticks(2025.5, 2045.0)
    [2026, 2028, 2030, 2032, 2034, 2036, 2038, 2040, 2042, 2044]
    >>> year_ticks(2025, 2100)[:3]
    [2030, 2040, 2050]
    """
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100) if (last - first) / step <= most), 1000)
    return list(range(math.ceil(first / step) * step, math.floor(last) + 1, step))


def year_axis(first: float, last: float, *, most: int = 12) -> Spec:
    """Make the axis of time, in whole years; within one year its ends stand there.

    >>> year_axis(2025.5, 2045.0, most=6)["values"], year_axis(2025.25, 2025.75)["values"]
    ([2030, 2035, 2040, 2045], [2025.25, 2025.75])
    """
    whole = year_ticks(first, last, most=most)
    if not whole:
        return {"values": [first, last], "format": ".7~g", "title": None, "labelPadding": 5}
    return {"values": whole, "format": "d", "title": None, "labelPadding": 5}

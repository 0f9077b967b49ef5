"""Densities of priors: their estimate, and how their numbers are told and placed along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from simulator.charts import style
from simulator.charts.layout import Marks, PixelScale
from simulator.charts.ticks import plain_ticks, power_ticks
from simulator.runs.estimates import sorted_quantiles
from simulator.units import Array, parse_unit, plain_unit

PLAIN_FROM, PLAIN_TO = -4.01, 5.0
"""Between these powers of ten numbers are written out."""
FACTOR = "times a year"
UNIT_NAMES = {"J/s": "W", "1": "", "factor": "", "x": "", "times": ""}

_BINS = 2048


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers of one prior are told: a level as such, a rate as a factor or in per cent, a date, a number.

    `unit` is what is written after a number, `size` the log10 of how many of the internal unit it is.
    """

    unit: str
    is_log: bool = False
    size: float = 0.0
    is_percent: bool = False
    is_date: bool = False

    def text(self, value: float) -> str:
        """Write a number of the internal scale.

        >>> scale_of("OOM/year", "").text(0.38)
        '2.4'
        """
        if math.isinf(value):
            return "never"
        if self.is_percent:
            return f"{100 * (10**value - 1):.2g}"
        if not self.is_log:
            return f"{round(value, 1):g}" if self.is_date else f"{value:.3g}"
        return f"{10**value:.3g}" if self.unit == FACTOR and value < 3 else power_text(value - self.size)

    def ticks(self, low: float, high: float) -> list[float]:
        """Choose at most five places on the internal scale for labels, round in what is told."""
        if self.is_percent:
            ends = (100 * (10**low - 1), 100 * (10**high - 1))
            return [math.log10(1 + tick / 100) for tick in plain_ticks(*ends, most=5)]
        if not self.is_log:
            return plain_ticks(low, high, most=5)
        if self.size:
            return [tick + self.size for tick in replace(self, size=0.0).ticks(low - self.size, high - self.size)]
        if high - low > 2.2:
            return power_ticks(low, high, most=5)
        if high - low > 0.5:
            times = (1, 2, 5) if high - low > 1 else (1, 1.5, 2, 3, 5, 7)
            powers = range(math.floor(low), math.ceil(high) + 1)
            found = [power + math.log10(time) for power in powers for time in times]
            found = [tick for tick in found if low <= tick <= high]
            return found[:: -(-len(found) // 6)]
        base = math.floor(low)  # taken off first: a level may be far beyond what a float holds
        ticks = plain_ticks(10 ** (low - base), 10 ** (high - base), most=5)
        return [base + math.log10(tick) for tick in ticks if tick > 0]


def power_text(log_value: float) -> str:
    """Write a number that is given in log10, to two digits.

    >>> power_text(0.38021), power_text(8.59), power_text(400.0), power_text(-3.0), power_text(-9.0), power_text(3.2)
    ('2.4', '3.9e8', '1e400', '0.001', '1e-9', '1,600')
    """
    if PLAIN_FROM <= log_value < PLAIN_TO:
        rounded = float(f"{10**log_value:.2g}")
        return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
    exponent = math.floor(log_value)
    leading = f"{10 ** (log_value - exponent):.2g}"
    return f"1e{exponent + 1}" if leading == "10" else f"{leading}e{exponent}"


def scale_of(unit: str, stated: str) -> Scale:
    """Choose how the numbers of a prior are told, from the internal unit and that in which the file states it."""
    if unit == "OOM/year":
        percent = stated == "%/year"
        return Scale("% a year" if percent else FACTOR, is_log=True, is_percent=percent)
    if unit.startswith("log10("):
        told = plain_unit(unit if stated in ("", "OOM") else stated)
        size = math.log10(parse_unit(told).scale) if stated == told else 0.0
        return Scale(UNIT_NAMES.get(told, told), is_log=True, size=size)
    return Scale("" if unit in ("1", "year") else unit, is_date=unit == "year")


def draw_axis(marks: Marks, scale: Scale, x: PixelScale, y: float) -> None:
    """Draw an axis at the pixel `y`: its line, and the ticks that have room, from the left.

    Under each stands its number, as a power of ten where that is long.
    """
    marks.box("axes", (x.start, x.end), (y, y))
    size, free = style.FOOT_SIZE, -math.inf
    for tick in scale.ticks(x.low, x.high):
        if not x.low <= tick <= x.high:
            continue
        short = not scale.is_log or scale.is_percent or PLAIN_FROM <= tick - scale.size < PLAIN_TO
        label = scale.text(tick).replace("-", "−") if short else ""
        width = style.text_width(label, size=size) if short else style.power_width(tick - scale.size, size=size)
        middle, right = x(tick), max(x(tick) + width / 2, x.start + width)  # no number begins before its axis
        if right - width >= free:
            free = right + 8
            marks.box("axes", (middle, middle), (y, y + 4))
            if short:
                marks.text(label, right, y + 14, style.QUIET, size=size, align="right")
            else:
                marks.texts += style.power_texts(tick - scale.size, right=right, y=y + 14, color=style.QUIET, size=size)


def density(finite: Array, points: Array) -> Array:
    """Read the density of rising samples at points, its highest point being 1.

    By a Gaussian kernel that is reflected at the ends of the samples, so that a bounded prior keeps its edge
    (bandwidth: Silverman 1986, 3.31).
    """
    quarter, three_quarters = sorted_quantiles(finite, [0.25, 0.75])
    part = max(1, finite.size // 4)
    shortest = float((finite[part:] - finite[:-part]).min())  # holds a quarter; tells the width of one hump of several
    scales = [float(np.std(finite)), float(three_quarters - quarter) / 1.349, shortest / 0.637]  # all the sd if normal
    spread = min((scale for scale in scales if scale > 0), default=0.0)
    width = (finite[-1] - finite[0]) / _BINS
    bandwidth = max(0.9 * spread * finite.size**-0.2, width)
    counts, edges = np.histogram(finite, bins=_BINS)
    reach = min(_BINS, math.ceil(4 * bandwidth / width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * width / bandwidth) ** 2)
    smooth = np.convolve(np.pad(counts.astype(np.float64), reach, mode="symmetric"), kernel, mode="valid")
    heights = np.interp(points, (edges[:-1] + edges[1:]) / 2, smooth)
    return heights / heights.max()

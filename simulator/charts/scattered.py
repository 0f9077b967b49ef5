"""Clouds of points in small frames beside one another: what comes out against what is set, and boxes around points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.charts import spec, style
from simulator.charts.layout import Marks, PixelScale, rule_mark
from simulator.charts.spec import Head
from simulator.charts.ticks import Scale, axis_ticks, power_ticks
from simulator.units import Array

WIDTH, HEIGHT, LEFT, BESIDE, UNDER = 300.0, 210.0, 70.0, 86.0, 96.0
COLUMNS = 2
MOST_DRAWN = 1500
"""Points that are drawn in a frame, at most: the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """An axis: what it is called, the values of points along it, whether it goes by ratios, where it is written so."""

    heading: str
    values: Array
    log: bool = False
    scale: Scale = "plain"
    beyond: float | None = None
    """Where what is later (+inf) is drawn, above the horizon."""

    def placed(self) -> Array:
        """Give the values as they are drawn."""
        values = np.log10(self.values) if self.log else np.asarray(self.values, dtype=np.float64)
        return values if self.beyond is None else np.where(np.isposinf(values), self.beyond, values)

    def ends(self) -> tuple[float, float]:
        """Give the ends of the axis, a little beyond the values."""
        values = [value for value in self.placed().tolist() if math.isfinite(value)]
        low, high = min(values, default=0.0), max(values, default=1.0)
        spare = 0.04 * (high - low) or 0.5
        return low - spare, high + spare

    def ticks(self, low: float, high: float, *, most: int = 5) -> list[tuple[float, Scale]]:
        """Choose ticks, each with how it is written."""
        if not self.log:
            last = high if self.beyond is None else self.beyond - 1e-9
            return [(tick, self.scale) for tick in axis_ticks(low, high, self.scale, most=most) if low <= tick <= last]
        steps = [(10.0**power) * step for power in range(math.floor(low), math.ceil(high)) for step in (1, 2, 5)]
        held = [math.log10(step) for step in steps if low <= math.log10(step) <= high]
        return [(tick, "plain") for tick in held] if len(held) <= 7 else [(tick, "power") for tick in
                                                                       power_ticks(low, high, most=most)]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """A frame: its heading, its axes, which points are marked (point,), and a box as ((left, right), (low, high))."""

    heading: str
    x: Range
    y: Range
    marked: Array | None = None
    box: tuple[tuple[float, float], tuple[float, float]] | None = None


def draw_clouds(clouds: Sequence[Cloud], head: Head, *, legend: Sequence[style.LegendEntry] = ()) -> spec.Spec:
    """Draw frames beside one another, two in a row. What is marked is dark, the others pale; a box is a red line."""
    marks = Marks(
        grid=rule_mark(), pale=style.shape_mark("circle", 16, fill=style.band_tints(2)[1]),
        dark=style.shape_mark("circle", 20, fill=style.DARK_BLUE),
        later=style.shape_mark("triangle-up", 26, fill=style.ORANGE), box=rule_mark(style.VERMILION, 2.2),
    )  # fmt: skip
    top, headings = 34.0 if legend else 12.0, [style.fitted(each.heading, WIDTH) for each in clouds]
    above = 44.0 if any(each.heading for each in clouds) else 20.0
    for place, (cloud, heading) in enumerate(zip(clouds, headings, strict=True)):
        column, row = place % COLUMNS, place // COLUMNS
        down = top + above + row * (HEIGHT + UNDER + above)
        _cloud(marks, cloud, heading, left=LEFT + column * (WIDTH + BESIDE), top=down)
    rows = -(-len(clouds) // COLUMNS)
    width = LEFT + min(len(clouds), COLUMNS) * (WIDTH + BESIDE) - BESIDE + 20
    height = top + rows * (HEIGHT + UNDER + above) - 30
    return marks.sheet(head, *style.legend_layers(legend, x=LEFT, y=10), width=max(width, 560.0), height=height)


def _cloud(marks: Marks, cloud: Cloud, heading: Sequence[str], *, left: float, top: float) -> None:
    (low_x, high_x), (low_y, high_y) = cloud.x.ends(), cloud.y.ends()
    x = PixelScale(low_x, high_x, left, left + WIDTH)
    y = PixelScale(low_y, high_y, top + HEIGHT, top)
    if heading[0]:
        marks.text(heading, left, top - 34 + 7.5 * (len(heading) - 1), bold=True)
    marks.text(style.cut(cloud.y.heading, WIDTH + LEFT), left - LEFT + 4, top - 12, style.QUIET, size=style.FOOT_SIZE)
    for tick, scale in cloud.y.ticks(low_y, high_y):
        marks.box("grid", (left, left + WIDTH), (y(tick), y(tick)))
        if cloud.y.log and scale == "plain":
            marks.text(_text(10**tick), left - 6, y(tick), align="right")
        else:
            marks.tick(tick, scale, left - 6, y(tick))
    if cloud.y.beyond is not None:
        marks.text("later", left - 6, y(cloud.y.beyond), style.QUIET, align="right")
    for tick, scale in cloud.x.ticks(low_x, high_x):
        marks.box("grid", (x(tick), x(tick)), (top, top + HEIGHT))
        if scale == "power":
            marks.tick(tick, scale, x(tick) + 14, top + HEIGHT + 14)
        else:
            marks.centred(_text(10**tick if cloud.x.log else tick), x(tick), top + HEIGHT + 14)
    for number, line in enumerate(style.fitted(cloud.x.heading, WIDTH)):
        marks.text(line, left, top + HEIGHT + 34 + style.LINE_HEIGHT * number, style.QUIET, size=style.FOOT_SIZE)
    placed = zip(cloud.x.placed()[:MOST_DRAWN].tolist(), cloud.y.placed()[:MOST_DRAWN].tolist(), strict=True)
    for number, (across, up) in enumerate(placed):
        if math.isfinite(across) and math.isfinite(up):
            later = cloud.y.beyond is not None and up == cloud.y.beyond
            dark = cloud.marked is not None and bool(cloud.marked[number])
            marks.add("later" if later else "dark" if dark else "pale", x=x(across), y=y(up))
    if cloud.box:
        _box(marks, cloud, x, y)


def _text(value: float) -> str:
    mantissa, e, exponent = f"{value:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def _box(marks: Marks, cloud: Cloud, x: PixelScale, y: PixelScale) -> None:
    """Draw the edges of a box; one that is open ends at the frame."""
    edges = cloud.box or ((0.0, 0.0), (0.0, 0.0))
    ends = [
        [math.log10(end) if own.log and 0 < end < math.inf else end for end in pair]
        for own, pair in zip((cloud.x, cloud.y), edges, strict=True)
    ]
    (left, right), (low, high) = ([scale.held(end) for end in pair] for scale, pair in zip((x, y), ends, strict=True))
    for across, up in (((left, right), (low, low)), ((left, right), (high, high)),
                       ((left, left), (low, high)), ((right, right), (low, high))):  # fmt: skip
        marks.box("box", across, up)

"""Lines and strips of a sweep: an outcome along one swept value, with the intervals of the samples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.spec import Row
from simulator.charts.style import Text

SHADES = (
    (style.DARK_BLUE, [1, 0]), (style.VERMILION, [8, 3]), (style.GREEN, [2, 2.5]),
    (style.PURPLE, [9, 3, 2, 3]), (style.SKY, [5, 2]), (style.ORANGE, [3, 3]),
)  # fmt: skip
"""Colour and dashes of each line."""
MOST_LINES = len(SHADES)
WIDTH, HEIGHT, LEFT, LANE = 560.0, 300.0, 66.0, 26.0
SMALL, BESIDE = (320.0, 210.0), 30.0
STRIP, STRIP_WIDTH, TEXT_WIDTH = 34.0, 420.0, 200.0
WIDE, NARROW = style.band_tints(2)

type Scale = Literal["power", "plain", "year", "share"]


@dataclass(frozen=True, slots=True)
class Lines:
    """What lines are drawn from.

    Parameters
    ----------
    rows : rows (point,)
        `panel`, `line`, `x` (a number), `label`, `value` (+inf: later than the horizon), `low`, `high` (two standard
        errors below and above; None where they cannot be told), `lower_50`, `upper_50`, `lower_90`, `upper_90` (None
        where there is no interval), `text`.
    x_heading, y_heading : what stands along and up
    lines : names of the lines; one empty name where there is one line, which then has its intervals
    lines_heading : what the names are values of
    panels : headings of the frames
    log_x : whether the values along are spaced by their ratios
    scale : how the outcome is written: a power of ten, a number, a year or a share
    ends : of the axis of the outcome
    beyond : what stands for later than the horizon, such as "> 2045"; empty where there is none
    """

    rows: Sequence[Row]
    x_heading: str
    y_heading: str
    lines: Sequence[str]
    lines_heading: str
    panels: Sequence[str]
    log_x: bool
    scale: Scale
    ends: tuple[float, float]
    beyond: str = ""


def draw_lines(lines: Lines, *, title: str, subtitle: str, foot: Sequence[str]) -> vega.Spec:
    """Draw an outcome along a swept number, in one frame or in several smaller ones, two beside one another.

    What is later than the horizon stands as an arrow in a lane above the frame, joined by a thin line.
    """
    parts, top = _Parts(), 20.0
    if lines.lines_heading:
        parts.key(lines)
        top = 46.0 + 18.0 * (len(lines.lines) > 3)
    several = len(lines.panels) > 1
    size = SMALL if several else (WIDTH, HEIGHT)
    step = LEFT + size[0] + BESIDE
    for row in itertools.batched(lines.panels, 2 if several else 1):
        frames = [
            _Panel(lines, name, top=top, x=place * step, size=size, parts=parts) for place, name in enumerate(row)
        ]
        top = max([frame.draw() for frame in frames])
    width = 2 * step - BESIDE + 20 if several else LEFT + WIDTH + 40
    view = vega.view(parts.layers(), width=width, height=top)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width)


class _Parts:
    """Collect marks by kind."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.grid: style.Data = []
        self.leaders: style.Data = []
        self.errors: style.Data = []
        self._charts: list[vega.Spec] = []
        self._dots: list[vega.Spec] = []

    def key(self, lines: Lines) -> None:
        """Write what each line stands for."""
        self.texts.append(Text([lines.lines_heading], 0, 8, bold=True))
        x, y = 0.0, 27.0
        for place, name in enumerate(lines.lines):
            shown = style.cut(name, 240)
            if x + 40 + style.text_width(shown) > LEFT + WIDTH:
                x, y = 0.0, y + 18
            self.line([{"x": x, "y": y}, {"x": x + 26, "y": y}], place)
            self.texts.append(Text([shown], x + 32, y, style.QUIET))
            x += 32 + style.text_width(shown) * 1.05 + 18

    def line(self, rows: style.Data, place: int) -> None:
        color, dash = SHADES[place]
        mark = {"type": "line", "color": color, "strokeWidth": 2.4, "strokeDash": dash}
        self._charts.append(style.pixel_layer(rows, mark=mark))

    def band(self, rows: style.Data, color: str) -> None:
        self._charts.append(style.pixel_layer(rows, mark={"type": "area", "color": color}))

    def dots(self, rows: style.Data, place: int, *, shape: str = "circle") -> None:
        mark = {
            "type": "point",
            "shape": shape,
            "size": 44,
            "fill": style.PAPER,
            "stroke": SHADES[place][0],
            "strokeWidth": 1.8,
            "opacity": 1,
        }
        self._dots.append(style.pixel_layer(rows, mark=mark))

    def layers(self) -> list[vega.Spec]:
        """Give all layers, what lies below first."""
        hair = {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}
        thin = {"type": "rule", "color": style.QUIET, "strokeWidth": 0.9, "strokeDash": [2, 2]}
        error = {"type": "rule", "color": style.INK, "strokeWidth": 1.2}
        found = [style.pixel_layer(self.grid, mark=hair)] if self.grid else []
        found += self._charts
        found += [style.pixel_layer(self.leaders, mark=thin)] if self.leaders else []
        found += [style.pixel_layer(self.errors, mark=error)] if self.errors else []
        return [*found, *self._dots, *style.text_layers(self.texts)]


class _Panel:
    """One frame of lines."""

    def __init__(
        self, lines: Lines, name: str, *, top: float, x: float, size: tuple[float, float], parts: _Parts
    ) -> None:
        self._lines, self._name, self._parts = lines, name, parts
        self._start, self._left, (self._width, self._height) = x, x + LEFT, size
        self._top = top + (24 if name else 0) + 26 + (LANE if lines.beyond else 0)
        self._own = [row for row in lines.rows if row["panel"] == name]
        along = [self._along(row) for row in lines.rows]
        self._span = min(along), max(along)

    def _along(self, row: Row) -> float:
        value = float(str(row["x"]))
        return math.log10(value) if self._lines.log_x else value

    def _x(self, row: Row) -> float:
        low, high = self._span
        share = 0.5 if low == high else (self._along(row) - low) / (high - low)
        return round(self._left + 14 + share * (self._width - 28), 2)

    def _y(self, value: float) -> float:
        """Place an outcome; what is later than the horizon stands in the lane."""
        if math.isinf(value) and value > 0:
            return self._top - LANE / 2 - 3
        low, high = self._lines.ends
        return round(self._top + (high - min(max(value, low), high)) / (high - low) * self._height, 2)

    def draw(self) -> float:
        """Draw the frame; give the pixel at which the next begins."""
        parts, lines = self._parts, self._lines
        head = self._top - (LANE if lines.beyond else 0) - 18
        if self._name:
            name = style.cut(self._name, (LEFT + self._width) / 1.08)
            parts.texts.append(Text([name], self._start, head - 20, bold=True))
            parts.texts.append(Text([style.cut(lines.y_heading, LEFT + self._width)], self._start, head, style.QUIET))
        else:
            parts.texts.append(Text([lines.y_heading], 0, head, bold=True))
        self._axes()
        for place, name in enumerate(lines.lines):
            self._line([row for row in self._own if row["line"] == name], place)
        return self._top + self._height + 62

    def _axes(self) -> None:
        parts, lines = self._parts, self._lines
        for tick in _ticks(lines):
            y = self._y(tick)
            parts.grid.append({"x": self._left, "x2": self._left + self._width, "y": y, "y2": y})
            if lines.scale == "power":
                parts.texts += style.power_texts(tick, right=self._left - 8, y=y)
            else:
                parts.texts.append(Text([_tick_text(tick, lines.scale)], self._left - 8, y, align="right"))
        if lines.beyond:
            y = self._y(math.inf)
            parts.texts.append(Text([lines.beyond], self._left - 8, y, align="right"))
            parts.grid.append({"x": self._left, "x2": self._left + self._width, "y": y, "y2": y})
        bottom, end = self._top + self._height, -math.inf
        for row in sorted({str(row["label"]): row for row in self._own}.values(), key=self._along):
            x, label = self._x(row), str(row["label"])
            parts.grid.append({"x": x, "x2": x, "y": bottom, "y2": bottom + 5})
            half = style.text_width(label) / 2
            if x - half > end:
                parts.texts.append(Text([label], x - half, bottom + 16))
                end = x + half + 8
        parts.grid.append({"x": self._left, "x2": self._left + self._width, "y": bottom, "y2": bottom})
        along = style.cut(lines.x_heading, self._width) if self._name else lines.x_heading
        ink = style.QUIET if self._name else style.INK
        parts.texts.append(Text([along], self._left, bottom + 36, ink, bold=not self._name))

    def _line(self, rows: Sequence[Row], place: int) -> None:
        parts = self._parts
        ordered = sorted(rows, key=self._along)
        if len(self._lines.lines) == 1:
            for low, high, color in (("lower_90", "upper_90", WIDE), ("lower_50", "upper_50", NARROW)):
                if all(row[low] is not None for row in ordered):
                    parts.band(
                        [
                            {"x": self._x(row), "y": self._edge(row, low), "y2": self._edge(row, high)}
                            for row in ordered
                        ],
                        color,
                    )
        values = [float(str(row["value"])) for row in ordered]
        # What lies beyond stands side by side, a place for each line: else the last would hide the others.
        aside = 9.0 * (place - (len(self._lines.lines) - 1) / 2)
        points: style.Data = [
            {"x": self._x(row) + (aside if math.isinf(value) else 0.0), "y": self._y(value)}
            for row, value in zip(ordered, values, strict=True)
        ]
        runs = [place for place, value in enumerate(values) if math.isfinite(value)]
        for start, end in itertools.pairwise(runs):
            if end == start + 1:
                parts.line([points[start], points[end]], place)
        for start in range(len(points) - 1):
            if math.isinf(values[start]) != math.isinf(values[start + 1]):
                a, b = points[start], points[start + 1]
                parts.leaders.append({"x": a["x"], "y": a["y"], "x2": b["x"], "y2": b["y"]})
        finite = [point for point, value in zip(points, values, strict=True) if math.isfinite(value)]
        beyond = [point for point, value in zip(points, values, strict=True) if math.isinf(value)]
        for row in ordered:
            if row["low"] is not None and row["high"] is not None:
                ends = [self._y(float(str(row[key]))) for key in ("low", "high")]
                parts.errors.append({"x": self._x(row), "x2": self._x(row), "y": ends[0], "y2": ends[1]})
        if finite:
            parts.dots(finite, place)
        if beyond:
            parts.dots(beyond, place, shape="triangle-up")
        if len(self._lines.lines) == 1:
            self._numbers(ordered, points)

    def _edge(self, row: Row, key: str) -> float:
        """Place the end of an interval; one that is later than the horizon ends at the top of the frame."""
        return self._y(min(float(str(row[key])), self._lines.ends[1]))

    def _numbers(self, rows: Sequence[Row], points: style.Data) -> None:
        """Write the numbers of a line that stands alone, as far as they do not touch."""
        end = -math.inf
        for row, point in zip(rows, points, strict=True):
            if math.isinf(float(str(row["value"]))):
                continue  # the lane says it
            x, y = float(str(point["x"])), float(str(point["y"]))
            half = style.text_width(str(row["text"]), size=11) / 2
            if x - half > end:
                self._parts.texts.append(Text([str(row["text"])], x - half, y - 15, size=11))
                end = x + half + 4


def _ticks(lines: Lines) -> list[float]:
    """Choose the ticks of an outcome; whole years alone where there are two or more."""
    if lines.scale == "power":
        return style.power_ticks(*lines.ends, most=7)
    ticks = style.plain_ticks(*lines.ends, most=7)
    whole = [tick for tick in ticks if tick == round(tick)]
    return whole if lines.scale == "year" and len(whole) > 1 else ticks


def _tick_text(tick: float, scale: str) -> str:
    if scale == "share":
        return f"{100 * tick:g} %"
    return f"{tick:.10g}" if scale == "year" else style.plain_text(tick)


def draw_strips(lines: Lines, *, title: str, subtitle: str, foot: Sequence[str]) -> vega.Spec:
    """Draw an outcome for each of several labels: the median and the intervals of the samples as bars.

    The same table as for `draw_lines`, without frames and with one line; `x` is left aside.
    """
    names = max(style.text_width(str(row["label"])) for row in lines.rows)
    left = min(300.0, names * 1.05) + 18
    low, high = lines.ends

    def place(value: object) -> float:
        return round(left + (min(max(float(str(value)), low), high) - low) / (high - low) * STRIP_WIDTH, 2)

    parts = _Parts()
    bars: style.Data = []
    arrows: style.Data = []
    dots: style.Data = []
    parts.texts.append(Text([lines.x_heading], 0, 8, bold=True))
    parts.texts.append(Text([lines.y_heading], left, 28, bold=True))
    top = 44.0
    for number, row in enumerate(lines.rows):
        y = top + (number + 0.5) * STRIP
        parts.texts.append(Text([style.cut(str(row["label"]), 300)], 0, y))
        parts.texts.append(Text([str(row["text"])], left + STRIP_WIDTH + 24, y))
        for ends, color in ((("lower_90", "upper_90"), WIDE), (("lower_50", "upper_50"), NARROW)):
            if row[ends[0]] is not None and math.isfinite(float(str(row[ends[0]]))):
                bars.append(
                    {"x": place(row[ends[0]]), "x2": place(row[ends[1]]), "y": y - 8, "y2": y + 8, "color": color}
                )
        if math.isinf(float(str(row["value"]))) or row["upper_90"] == math.inf:
            arrows.append({"x": left + STRIP_WIDTH + 8, "y": y})
        if math.isfinite(float(str(row["value"]))):
            dots.append({"x": place(row["value"]), "y": y})
        if row["low"] is not None:
            parts.errors.append({"x": place(row["low"]), "x2": place(row["high"]), "y": y, "y2": y})
    bottom = top + STRIP * len(lines.rows)
    for tick in _ticks(lines):
        x = place(tick)
        parts.grid.append({"x": x, "x2": x, "y": top, "y2": bottom + 4})
        if lines.scale == "power":
            parts.texts += style.power_texts(tick, right=x + 12, y=bottom + 16)
        else:
            text = _tick_text(tick, lines.scale)
            parts.texts.append(Text([text], x + style.text_width(text) / 2, bottom + 16, align="right"))
    if dots:
        parts.dots(dots, 0)
    drawn = parts.layers()
    rects = [style.pixel_layer(bars, mark={"type": "rect"})] if bars else []
    heads = [style.pixel_layer(arrows, mark=style.arrow_mark())] if arrows else []
    width = left + STRIP_WIDTH + TEXT_WIDTH
    view = vega.view([drawn[0], *rects, *heads, *drawn[1:]], width=width, height=bottom + 28)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width)

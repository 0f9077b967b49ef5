"""Heat maps over two swept values, and lines or strips along one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.charts import spec, style
from simulator.charts.layout import LINE_SHADES, RECT, Marks, PixelScale, line_mark, rule_mark, sheet
from simulator.charts.spec import Head
from simulator.charts.ticks import Scale, axis_ticks, tick_text

RAMP = (*style.band_tints(3), style.BLUE, style.DARK_BLUE)
"""Colours of the classes of a scale, from the least; they ascend in grey too, on paper and on a dark ground."""
PALE = 3
"""How many of them are pale enough for dark text."""
MAP_WIDTH, MAP_HEIGHT = 640.0, 330.0
MOST_LABEL = 210.0
HATCH = 7.0
GAP = 1.5
MAP_BESIDE, WIDEST = 36.0, 980.0

MOST_LINES = len(LINE_SHADES)
WIDTH, HEIGHT, LEFT, LANE = 560.0, 300.0, 66.0, 26.0
SMALL, BESIDE = (320.0, 210.0), 30.0
STRIP, STRIP_WIDTH, TEXT_WIDTH = 34.0, 420.0, 200.0
WIDE, NARROW = style.band_tints(2)


@dataclass(frozen=True, slots=True)
class Side:
    """An axis as it is drawn: its heading, what is written at its values, and these where they are numbers."""

    heading: str
    labels: Sequence[str]
    numbers: Sequence[float] | None

    @property
    def by_ratios(self) -> bool:
        """Whether the numbers ascend by ratios rather than by differences."""
        values = np.sort(self.numbers or (1.0,))
        if values.size < 3 or values[0] <= 0:
            return bool(values.size > 1 and values[0] > 0 and values[-1] / values[0] >= 30)
        ratios, gaps = np.diff(np.log(values)), np.diff(values)
        return bool(ratios.std() / ratios.mean() < gaps.std() / gaps.mean())


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a sweep: its panel, its places on the sides, its value (+inf: later than the horizon), its words.

    `error` (standard) is None where it cannot be told, `inner` and `outer` (50 and 90 %) where there is no interval,
    which is then empty in words.
    """

    panel: str
    x: int
    y: int
    value: float
    error: float | None
    inner: tuple[float, float] | None
    outer: tuple[float, float] | None
    text: str
    interval: str

    @property
    def bands(self) -> Sequence[tuple[tuple[float, float] | None, str]]:
        """The intervals with their tints, the wider one first."""
        return (self.outer, WIDE), (self.inner, NARROW)


@dataclass(frozen=True, slots=True)
class Plot:
    """What a chart of a sweep is drawn from: points, the side along, and that of rows of a heat map or of lines (`up`).

    A line that stands alone has an empty label, and its intervals. `panels` are the headings of the maps or frames (one
    empty heading where there is one), `heading` is that of the outcome, `ends` are those of its axis. `beyond` is the
    horizon, where anything is later.
    """

    points: Sequence[Point]
    along: Side
    up: Side
    panels: Sequence[str]
    heading: str
    scale: Scale
    ends: tuple[float, float]
    beyond: float | None


def draw_heat(plot: Plot, *, bounds: Sequence[float], classes: Sequence[str], head: Head) -> spec.Spec:
    """Draw a heat map, or several smaller ones on one scale, two beside one another where they have room.

    `classes` says what lies between two of the rising `bounds`. Cells beyond the horizon are hatched and say so. The
    interval of a cell is written where it fits.
    """
    columns, rows = len(plot.along.labels), len(plot.up.labels)
    left = min(MOST_LABEL, max(map(style.text_width, plot.up.labels))) + 16
    several = len(plot.panels) > 1
    cell = (
        max(46.0, min(96.0 if several else 150.0, MAP_WIDTH / columns)),
        max(26.0, min(44.0 if several else 64.0, MAP_HEIGHT / rows)),
    )
    step = left + cell[0] * columns + MAP_BESIDE
    across = 2 if several and 2 * step - MAP_BESIDE <= WIDEST else 1
    maps = _Maps(plot, bounds, left=left, cell=cell)
    width = max(across * step - MAP_BESIDE, left + MAP_WIDTH)
    top = maps.legend(classes, width)
    for panels in itertools.batched(plot.panels, across):
        top = max([maps.panel(name, top=top, x=place * step) for place, name in enumerate(panels)])
    return maps.marks.sheet(head, width=width, height=top)


def _below(marks: Marks, lines: Sequence[str], x: float, y: float, color: str = style.INK, *, bold: bool) -> float:
    """Write lines below one another, the first at a pixel; give the pixel of the last."""
    last = y + style.LINE_HEIGHT * (len(lines) - 1)
    marks.text(lines, x, (y + last) / 2, color, bold=bold)
    return last


class _Maps:
    """Place the cells of all maps."""

    def __init__(self, plot: Plot, bounds: Sequence[float], *, left: float, cell: tuple[float, float]) -> None:
        self.marks = Marks(cells=RECT, hatches=rule_mark(style.AXIS, 0.9), plates=RECT)
        self._plot, self._bounds, self._left, self._cell = plot, bounds, left, cell

    def _shade(self, value: float) -> int | None:
        """Choose the colour of a value; None where it is later than the horizon."""
        if not math.isfinite(value):
            return None
        if len(self._bounds) == 2:  # all are told alike
            return len(RAMP) // 2
        return min(int(np.searchsorted(self._bounds[1:-1], value, "right")), len(RAMP) - 1)

    def legend(self, classes: Sequence[str], width: float) -> float:
        """Lay out the scale; give the pixel at which the first map begins."""
        x, y = self._left, 8.0
        seen = {self._shade(point.value) for point in self._plot.points}
        entries = [
            (shade, text)
            for low, text in zip(self._bounds, classes, strict=False)
            if (shade := self._shade(low)) in seen
        ]
        if self._plot.beyond is not None and None in seen:
            entries.append((None, f"median later than {self._plot.beyond:g}"))
        for shade, text in entries:
            if x + 22 + style.text_width(text) > width:
                x, y = self._left, y + 20
            self._fill(shade, (x, x + 18), (y - 7, y + 7))
            self.marks.text(text, x + 24, y, style.QUIET)
            x += 24 + style.text_width(text) * 1.05 + 16
        return y + 22

    def panel(self, name: str, *, top: float, x: float) -> float:
        """Add a map, whose room begins at the pixels; give the pixel at which the next begins."""
        (wide, high), plot, marks, left = self._cell, self._plot, self.marks, x + self._left
        across, down = wide * len(plot.along.labels), high * len(plot.up.labels)
        room = (self._left + across) / 1.08
        ink, bold = (style.QUIET, False) if name else (style.INK, True)
        if name:
            top = _below(marks, style.fitted(name, room * 1.08, bold=True), x, top + 8, bold=True) + 14
        heading = style.fitted(plot.up.heading, room + (MAP_BESIDE if name else MAP_WIDTH), bold=bold)
        if x == 0.0:
            _below(marks, heading, x, top + 2, ink, bold=bold)
        top += 18 + style.LINE_HEIGHT * (len(heading) - 1)
        for point in plot.points:
            if point.panel == name:
                self._one(point, left + point.x * wide, top + (len(plot.up.labels) - 1 - point.y) * high)
        bottom = top + down
        for place, label in enumerate(plot.up.labels):
            lines = style.fitted(label, MOST_LABEL, most=2 if high >= 2 * style.LINE_HEIGHT else 1)
            marks.text(lines, left - 8, bottom - (place + 0.5) * high, align="right")
        labels = [style.fitted(label, wide - 6) for label in plot.along.labels]
        for place, lines in enumerate(labels):
            for number, line in enumerate(lines):
                y = bottom + 13 + style.LINE_HEIGHT * number
                marks.centred(line, left + (place + 0.5) * wide, y, align="left")
        bottom += style.LINE_HEIGHT * (max(map(len, labels)) - 1)
        along = style.fitted(plot.along.heading, across + MAP_BESIDE, bold=bold) if name else [plot.along.heading]
        return _below(marks, along, left, bottom + 32, ink, bold=bold) + 26

    def _one(self, point: Point, x: float, y: float) -> None:
        wide, high = self._cell
        shade = self._shade(point.value)
        self._fill(shade, (x + GAP, x + wide - GAP), (y + GAP, y + high - GAP))
        ink = style.INK if shade is None or shade < PALE else style.PAPER
        size = 12.0 if style.text_width(point.text) <= wide - 8 else 10.0
        both = bool(point.interval) and high >= 40 and style.text_width(point.interval, size=10) <= wide - 6
        lines = [(point.text, size, y + high / 2 - (7 if both else 0))]
        lines += [(point.interval, 10.0, y + high / 2 + 9)] if both else []
        for line, font, middle in lines:
            center, half = x + wide / 2, style.text_width(line, size=font) / 2
            if shade is None:
                across, down = (center - half - 3, center + half + 3), (middle - 8, middle + 8)
                self.marks.box("plates", across, down, color=style.PAPER)
            self.marks.centred(line, center, middle, ink, size=font, align="left")

    def _fill(self, shade: int | None, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Fill a cell; one beyond the horizon is hatched."""
        self.marks.box("cells", x, y, color=style.PAPER if shade is None else RAMP[shade])
        if shade is not None:
            return
        wide, high = x[1] - x[0], y[1] - y[0]
        offset = HATCH / 2
        while offset < wide + high:  # lines from the lower left to the upper right, cut at the edges
            start = min(offset, wide), max(0.0, offset - wide)
            end = max(0.0, offset - high), min(offset, high)
            self.marks.box("hatches", (x[0] + start[0], x[0] + end[0]), (y[0] + start[1], y[0] + end[1]))
            offset += HATCH
        corners = ((x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0]))
        for (left, upper), (right, lower) in itertools.pairwise(corners):
            self.marks.box("hatches", (left, right), (upper, lower))


class _Layers:
    """Gather what lies under the lines, the lines, what lies over them, and their dots."""

    def __init__(self) -> None:
        self.under = Marks(grid=rule_mark())
        self.over = Marks(leaders=rule_mark(style.QUIET, 0.9, [2, 2]), errors=rule_mark(style.INK, 1.2))
        self.charts: list[spec.Spec] = []
        self.dots: list[spec.Spec] = []

    def line(self, rows: spec.Data, place: int) -> None:
        color, dash = LINE_SHADES[place]
        self.charts.append(spec.pixel_layer(rows, mark=line_mark(color, 2.4, dash)))

    def view(self, *, width: float, height: float) -> spec.Spec:
        layers = [*self.under.layers(), *self.charts, *self.over.layers(*self.dots)]
        return spec.view(layers, width=width, height=height)


def _dot(place: int, shape: str = "circle") -> spec.Spec:
    return style.shape_mark(shape, 44, fill=style.PAPER, rim=LINE_SHADES[place][0], width=1.8)


def draw_lines(plot: Plot, *, head: Head) -> spec.Spec:
    """Draw an outcome along a swept number, in one frame or in several smaller ones, two beside one another.

    What is later than the horizon stands as an arrow in a lane above the frame, joined by a thin line.
    """
    drawn, top = _Layers(), 20.0
    if plot.up.heading:
        top = _key(drawn, plot.up)
    several = len(plot.panels) > 1
    size = SMALL if several else (WIDTH, HEIGHT)
    step = LEFT + size[0] + BESIDE
    for row in itertools.batched(plot.panels, 2 if several else 1):
        frames = [_Frame(plot, name, top=top, x=place * step, size=size, drawn=drawn) for place, name in enumerate(row)]
        top = max([frame.draw() for frame in frames])
    width = 2 * step - BESIDE + 20 if several else LEFT + WIDTH + 40
    return sheet([drawn.view(width=width, height=top)], head, width=width)


def _key(drawn: _Layers, lines: Side) -> float:
    """Write what each line stands for; give the pixel below."""
    drawn.over.text(lines.heading, 0, 8, bold=True)
    x, y = 0.0, 27.0
    for place, name in enumerate(lines.labels):
        shown = style.cut(name, LEFT + WIDTH - 40)
        if x and x + 40 + style.text_width(shown) > LEFT + WIDTH:
            x, y = 0.0, y + 18
        drawn.line([{"x": x, "y": y}, {"x": x + 26, "y": y}], place)
        drawn.over.text(shown, x + 32, y, style.QUIET)
        x += 32 + style.text_width(shown) * 1.05 + 18
    return y + 19


class _Frame:
    """One frame of lines."""

    def __init__(
        self, plot: Plot, name: str, *, top: float, x: float, size: tuple[float, float], drawn: _Layers
    ) -> None:
        self._plot, self._name, self._drawn = plot, name, drawn
        self._start, self._left, self._width = x, x + LEFT, size[0]
        self._lane = 0.0 if plot.beyond is None else LANE
        room = LEFT + self._width
        self._names = style.fitted(name, room, bold=True) if name else []
        self._headings = style.fitted(plot.heading, room) if name else [plot.heading]
        more = style.LINE_HEIGHT * (max(len(self._names), 1) + len(self._headings) - 2)
        self._top = top + (24 if name else 0) + 26 + self._lane + more
        self._bottom = self._top + size[1]
        numbers = plot.along.numbers or ()
        self._along = [math.log10(number) for number in numbers] if plot.along.by_ratios else numbers
        low, high = min(self._along), max(self._along)
        spare = 0.5 * (low == high)  # one value stands in the middle
        self._scale_x = PixelScale(low - spare, high + spare, self._left + 14, self._left + self._width - 14)
        self._scale_y = PixelScale(*plot.ends, self._bottom, self._top)

    def _x(self, place: int) -> float:
        return self._scale_x(self._along[place])

    def _y(self, value: float) -> float:
        """Place an outcome; what is later than the horizon stands in the lane."""
        return self._top - LANE / 2 - 3 if value == math.inf else self._scale_y.held(value)

    def draw(self) -> float:
        """Draw the frame; give the pixel at which the next begins."""
        plot, over, line = self._plot, self._drawn.over, style.LINE_HEIGHT
        head = self._top - self._lane - 18 - line * (len(self._headings) - 1)
        if self._name:
            _below(over, self._names, self._start, head - 20 - line * (len(self._names) - 1), bold=True)
            _below(over, self._headings, self._start, head, style.QUIET, bold=False)
        else:
            over.text(plot.heading, 0, head, bold=True)
        self._axes()
        own = sorted((point for point in plot.points if point.panel == self._name), key=lambda each: self._x(each.x))
        for place in range(len(plot.up.labels)):
            self._line([point for point in own if point.y == place], place)
        return self._bottom + 62 + (style.LINE_HEIGHT if self._name else 0)

    def _axes(self) -> None:
        plot, grid, over = self._plot, self._drawn.under.box, self._drawn.over
        across = self._left, self._left + self._width
        for tick in axis_ticks(*plot.ends, plot.scale, most=7):
            y = self._y(tick)
            grid("grid", across, (y, y))
            over.tick(tick, plot.scale, self._left - 8, y)
        if plot.beyond is not None:
            y = self._y(math.inf)
            over.text(f"> {plot.beyond:g}", self._left - 8, y, align="right")
            grid("grid", across, (y, y))
        end = -math.inf
        for x, label in sorted((self._x(place), label) for place, label in enumerate(plot.along.labels)):
            half = style.text_width(label) / 2
            grid("grid", (x, x), (self._bottom, self._bottom + 5))
            if x - half > end:
                over.text(label, x - half, self._bottom + 16)
                end = x + half + 8
        grid("grid", across, (self._bottom, self._bottom))
        along = style.fitted(plot.along.heading, self._width) if self._name else [plot.along.heading]
        ink = style.QUIET if self._name else style.INK
        _below(over, along, self._left, self._bottom + 36, ink, bold=not self._name)

    def _line(self, own: Sequence[Point], place: int) -> None:
        drawn, count = self._drawn, len(self._plot.up.labels)
        # What lies beyond stands side by side, a place for each line: else the last would hide the others.
        aside = 9.0 * (place - (count - 1) / 2)
        beyond = [math.isinf(point.value) for point in own]
        ends = [
            (self._x(point.x) + (aside if later else 0.0), self._y(point.value))
            for point, later in zip(own, beyond, strict=True)
        ]
        spots: spec.Data = [{"x": x, "y": y} for x, y in ends]
        if count == 1:
            self._bands(own)
        for start, end in itertools.pairwise(range(len(own))):
            if not (beyond[start] or beyond[end]):
                drawn.line([spots[start], spots[end]], place)
            elif beyond[start] != beyond[end]:
                drawn.over.box("leaders", *zip(ends[start], ends[end], strict=True))
        for point in own:
            if point.error is not None:
                low, high = (self._y(point.value + times * point.error) for times in (-2, 2))
                drawn.over.box("errors", (self._x(point.x), self._x(point.x)), (low, high))
        for later, shape in ((False, "circle"), (True, "triangle-up")):
            if mine := [spot for spot, each in zip(spots, beyond, strict=True) if each == later]:
                drawn.dots.append(spec.pixel_layer(mine, mark=_dot(place, shape)))
        if count == 1:
            self._numbers(own, ends)

    def _bands(self, own: Sequence[Point]) -> None:
        """Draw the intervals of a line that stands alone; what is later than the horizon ends at the top."""
        for place, (_, color) in enumerate(own[0].bands):
            rows: spec.Data = [
                {"x": self._x(point.x), "y": self._scale_y.held(band[0]), "y2": self._scale_y.held(band[1])}
                for point in own
                if (band := point.bands[place][0]) is not None
            ]
            if len(rows) == len(own):
                self._drawn.charts.append(spec.pixel_layer(rows, mark={"type": "area", "color": color}))

    def _numbers(self, own: Sequence[Point], ends: Sequence[tuple[float, float]]) -> None:
        """Write the numbers of a line that stands alone, as far as they do not touch; the lane says what is beyond."""
        end = -math.inf
        for point, (x, y) in zip(own, ends, strict=True):
            half = style.text_width(point.text, size=11) / 2
            if math.isfinite(point.value) and x - half > end:
                self._drawn.over.text(point.text, x - half, y - 15, size=11)
                end = x + half + 4


def draw_strips(plot: Plot, *, head: Head) -> spec.Spec:
    """Draw an outcome for each of several labels: the median and the intervals of the samples as bars."""
    labels = plot.along.labels
    left = min(300.0, max(map(style.text_width, labels)) * 1.05) + 18
    right = left + STRIP_WIDTH
    scale = PixelScale(*plot.ends, left, right)
    marks = Marks(
        grid=rule_mark(), bars=RECT, arrows=style.arrow_mark(), errors=rule_mark(style.INK, 1.2), dots=_dot(0)
    )
    marks.text(plot.along.heading, 0, 8, bold=True)
    marks.text(plot.heading, left, 28, bold=True)
    top = 44.0
    bottom = top + STRIP * len(plot.points)
    for place, point in enumerate(plot.points):
        y = top + (place + 0.5) * STRIP
        marks.text(style.fitted(labels[point.x], 300), 0, y)
        marks.text(point.text, right + 24, y)
        for band, color in point.bands:
            if band and math.isfinite(band[0]):
                marks.box("bars", (scale.held(band[0]), scale.held(band[1])), (y - 8, y + 8), color=color)
        if math.isinf(point.value) or (point.outer and point.outer[1] == math.inf):
            marks.add("arrows", x=right + 8, y=y)
        if math.isfinite(point.value):
            marks.add("dots", x=scale.held(point.value), y=y)
        if point.error is not None:
            low, high = (scale.held(point.value + times * point.error) for times in (-2, 2))
            marks.box("errors", (low, high), (y, y))
    for tick in axis_ticks(*plot.ends, plot.scale, most=7):
        x = scale.held(tick)
        marks.box("grid", (x, x), (top, bottom + 4))
        if plot.scale == "power":
            marks.texts += style.power_texts(tick, right=x + 12, y=bottom + 16)
        else:
            marks.centred(tick_text(tick, plot.scale), x, bottom + 16)
    return marks.sheet(head, width=right + TEXT_WIDTH, height=bottom + 28)

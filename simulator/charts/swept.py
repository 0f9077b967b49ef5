"""Heat maps over two swept values, and lines or strips along one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

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
class Cell:
    """One cell of a heat map: its panel, its places along the axes, its class (None beyond the horizon), its words."""

    panel: str
    x: int
    y: int
    shade: int | None
    text: str
    interval: str


@dataclass(frozen=True, slots=True)
class Heat:
    """What a heat map is drawn from.

    Labels stand from the left and from below, `panels` are the headings of the maps (one empty heading where there is
    one map), `classes` what each colour of `RAMP` stands for, `beyond` what hatched cells stand for, if there are any.
    """

    cells: Sequence[Cell]
    x_labels: Sequence[str]
    y_labels: Sequence[str]
    x_heading: str
    y_heading: str
    panels: Sequence[str]
    classes: Sequence[tuple[int, str]]
    beyond: str = ""


def draw_heat(heat: Heat, *, head: Head) -> spec.Spec:
    """Draw a heat map, or several smaller ones on one scale, two beside one another where they have room.

    Cells beyond the horizon are hatched and say so. The interval of a cell is written where it fits.
    """
    left = min(MOST_LABEL, max(style.text_width(label) for label in heat.y_labels)) + 16
    several = len(heat.panels) > 1
    cell = (
        max(46.0, min(96.0 if several else 150.0, MAP_WIDTH / len(heat.x_labels))),
        max(26.0, min(44.0 if several else 64.0, MAP_HEIGHT / len(heat.y_labels))),
    )
    step = left + cell[0] * len(heat.x_labels) + MAP_BESIDE
    across = 2 if several and 2 * step - MAP_BESIDE <= WIDEST else 1
    maps = _Maps(heat, left=left, cell=cell)
    width = max(across * step - MAP_BESIDE, left + MAP_WIDTH)
    top = maps.legend(width)
    for row in itertools.batched(heat.panels, across):
        top = max([maps.panel(name, top=top, x=place * step) for place, name in enumerate(row)])
    return maps.marks.sheet(head, width=width, height=top)


class _Maps:
    """Place the cells of all maps."""

    def __init__(self, heat: Heat, *, left: float, cell: tuple[float, float]) -> None:
        self.marks = Marks(cells=RECT, hatches=rule_mark(style.AXIS, 0.9), plates=RECT)
        self._heat, self._left, self._cell = heat, left, cell

    def legend(self, width: float) -> float:
        """Lay out the scale; give the pixel at which the first map begins."""
        x, y = self._left, 8.0
        beyond: list[tuple[int | None, str]] = [(None, self._heat.beyond)] if self._heat.beyond else []
        for shade, text in [*self._heat.classes, *beyond]:
            if x + 22 + style.text_width(text) > width:
                x, y = self._left, y + 20
            self._fill(shade, (x, x + 18), (y - 7, y + 7))
            self.marks.text(text, x + 24, y, style.QUIET)
            x += 24 + style.text_width(text) * 1.05 + 16
        return y + 22

    def panel(self, name: str, *, top: float, x: float) -> float:
        """Add a map, whose room begins at the pixels; give the pixel at which the next begins."""
        wide, high = self._cell
        heat, left, marks = self._heat, x + self._left, self.marks
        across = wide * len(heat.x_labels)
        room = (self._left + across) / 1.08
        ink, bold = (style.QUIET, False) if name else (style.INK, True)
        if name:
            marks.text(style.cut(name, room), x, top + 8, bold=True)
            top += 22
        if x == 0.0:
            marks.text(
                style.cut(heat.y_heading, room + (MAP_BESIDE if name else MAP_WIDTH)), x, top + 2, ink, bold=bold
            )
        top += 18
        for cell in heat.cells:
            if cell.panel == name:
                self._one(cell, left + cell.x * wide, top + (len(heat.y_labels) - 1 - cell.y) * high)
        bottom = top + high * len(heat.y_labels)
        for place, label in enumerate(heat.y_labels):
            marks.text(style.cut(label, MOST_LABEL), left - 8, bottom - (place + 0.5) * high, align="right")
        for place, label in enumerate(heat.x_labels):
            shown = style.cut(label, wide - 6)
            marks.text(shown, left + (place + 0.5) * wide - style.text_width(shown) / 2, bottom + 13)
        along = style.cut(heat.x_heading, across / 1.08 + MAP_BESIDE) if name else heat.x_heading
        marks.text(along, left, bottom + 32, ink, bold=bold)
        return bottom + 58

    def _one(self, cell: Cell, x: float, y: float) -> None:
        wide, high = self._cell
        self._fill(cell.shade, (x + GAP, x + wide - GAP), (y + GAP, y + high - GAP))
        ink = style.INK if cell.shade is None or cell.shade < PALE else style.PAPER
        size = 12.0 if style.text_width(cell.text) <= wide - 8 else 10.0
        both = bool(cell.interval) and high >= 40 and style.text_width(cell.interval, size=10) <= wide - 6
        lines = [(cell.text, size, y + high / 2 - (7 if both else 0))]
        lines += [(cell.interval, 10.0, y + high / 2 + 9)] if both else []
        for line, font, middle in lines:
            half = style.text_width(line, size=font) / 2
            center = x + wide / 2
            if cell.shade is None:
                across, down = (center - half - 3, center + half + 3), (middle - 8, middle + 8)
                self.marks.box("plates", across, down, color=style.PAPER)
            self.marks.text(line, center - half, middle, ink, size=font)

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


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line: its value (+inf: later than the horizon) with the intervals of the samples.

    `x` is NaN where a label stands for it; `error` (standard) is None where it cannot be told, `inner` and `outer` (50
    and 90 %) where there is no interval.
    """

    panel: str
    line: str
    x: float
    label: str
    value: float
    error: float | None
    inner: tuple[float, float] | None
    outer: tuple[float, float] | None
    text: str

    @property
    def bands(self) -> Sequence[tuple[tuple[float, float] | None, str]]:
        """The intervals with their tints, the wider one first."""
        return (self.outer, WIDE), (self.inner, NARROW)


@dataclass(frozen=True, slots=True)
class Lines:
    """What lines are drawn from.

    `lines` are their names (one empty name where there is one line, which then has its intervals), `lines_heading`
    what the names are values of, `panels` the headings of the frames. `log_x`: values along are spaced by their
    ratios. `ends` are those of the axis of the outcome, `beyond` stands for later than the horizon, such as "> 2045".
    """

    points: Sequence[Point]
    x_heading: str
    y_heading: str
    lines: Sequence[str]
    lines_heading: str
    panels: Sequence[str]
    log_x: bool
    scale: Scale
    ends: tuple[float, float]
    beyond: str = ""


class _Layers:
    """Gather what lies under the lines, the lines, what lies over them, and their dots."""

    def __init__(self) -> None:
        self._under = Marks(grid=rule_mark())
        self.over = Marks(leaders=rule_mark(style.QUIET, 0.9, [2, 2]), errors=rule_mark(style.INK, 1.2))
        self.charts: list[spec.Spec] = []
        self._dots: list[spec.Spec] = []
        self.grid, self.text = self._under.box, self.over.text

    def line(self, rows: spec.Data, place: int) -> None:
        color, dash = LINE_SHADES[place]
        self.charts.append(style.pixel_layer(rows, mark=line_mark(color, 2.4, dash)))

    def dots(self, rows: spec.Data, place: int, shape: str) -> None:
        if rows:
            self._dots.append(style.pixel_layer(rows, mark=_dot(place, shape)))

    def layers(self) -> list[spec.Spec]:
        return [*self._under.layers(), *self.charts, *self.over.layers(*self._dots)]


def _dot(place: int, shape: str = "circle") -> spec.Spec:
    return style.shape_mark(shape, 44, fill=style.PAPER, rim=LINE_SHADES[place][0], width=1.8)


def draw_lines(lines: Lines, *, head: Head) -> spec.Spec:
    """Draw an outcome along a swept number, in one frame or in several smaller ones, two beside one another.

    What is later than the horizon stands as an arrow in a lane above the frame, joined by a thin line.
    """
    drawn, top = _Layers(), 20.0
    if lines.lines_heading:
        _key(drawn, lines)
        top = 46.0 + 18.0 * (len(lines.lines) > 3)
    several = len(lines.panels) > 1
    size = SMALL if several else (WIDTH, HEIGHT)
    step = LEFT + size[0] + BESIDE
    for row in itertools.batched(lines.panels, 2 if several else 1):
        frames = [
            _Frame(lines, name, top=top, x=place * step, size=size, drawn=drawn) for place, name in enumerate(row)
        ]
        top = max([frame.draw() for frame in frames])
    width = 2 * step - BESIDE + 20 if several else LEFT + WIDTH + 40
    view = spec.view(drawn.layers(), width=width, height=top)
    return sheet([view], head, width=width)


def _key(drawn: _Layers, lines: Lines) -> None:
    """Write what each line stands for."""
    drawn.text(lines.lines_heading, 0, 8, bold=True)
    x, y = 0.0, 27.0
    for place, name in enumerate(lines.lines):
        shown = style.cut(name, 240)
        if x + 40 + style.text_width(shown) > LEFT + WIDTH:
            x, y = 0.0, y + 18
        drawn.line([{"x": x, "y": y}, {"x": x + 26, "y": y}], place)
        drawn.text(shown, x + 32, y, style.QUIET)
        x += 32 + style.text_width(shown) * 1.05 + 18


class _Frame:
    """One frame of lines."""

    def __init__(
        self, lines: Lines, name: str, *, top: float, x: float, size: tuple[float, float], drawn: _Layers
    ) -> None:
        self._lines, self._name, self._drawn = lines, name, drawn
        self._start, self._left, self._width = x, x + LEFT, size[0]
        self._top = top + (24 if name else 0) + 26 + (LANE if lines.beyond else 0)
        self._bottom = self._top + size[1]
        along = [self._along(point) for point in lines.points]
        low, high = min(along), max(along)
        spare = 0.5 * (low == high)  # one value stands in the middle
        self._scale_x = PixelScale(low - spare, high + spare, self._left + 14, self._left + self._width - 14)
        self._scale_y = PixelScale(*lines.ends, self._bottom, self._top)

    def _along(self, point: Point) -> float:
        return math.log10(point.x) if self._lines.log_x else point.x

    def _x(self, point: Point) -> float:
        return self._scale_x(self._along(point))

    def _y(self, value: float) -> float:
        """Place an outcome; what is later than the horizon stands in the lane."""
        return self._top - LANE / 2 - 3 if value == math.inf else self._scale_y.held(value)

    def draw(self) -> float:
        """Draw the frame; give the pixel at which the next begins."""
        drawn, lines = self._drawn, self._lines
        head = self._top - (LANE if lines.beyond else 0) - 18
        if self._name:
            room = LEFT + self._width
            drawn.text(style.cut(self._name, room / 1.08), self._start, head - 20, bold=True)
            drawn.text(style.cut(lines.y_heading, room), self._start, head, style.QUIET)
        else:
            drawn.text(lines.y_heading, 0, head, bold=True)
        own = sorted((point for point in lines.points if point.panel == self._name), key=self._along)
        self._axes(own)
        for place, name in enumerate(lines.lines):
            self._line([point for point in own if point.line == name], place)
        return self._bottom + 62

    def _axes(self, own: Sequence[Point]) -> None:
        drawn, lines = self._drawn, self._lines
        across = self._left, self._left + self._width
        for tick in axis_ticks(*lines.ends, lines.scale, most=7):
            y = self._y(tick)
            drawn.grid("grid", across, (y, y))
            if lines.scale == "power":
                drawn.over.texts += style.power_texts(tick, right=self._left - 8, y=y)
            else:
                drawn.text(tick_text(tick, lines.scale), self._left - 8, y, align="right")
        if lines.beyond:
            y = self._y(math.inf)
            drawn.text(lines.beyond, self._left - 8, y, align="right")
            drawn.grid("grid", across, (y, y))
        end = -math.inf
        for label, point in {point.label: point for point in own}.items():
            x, half = self._x(point), style.text_width(label) / 2
            drawn.grid("grid", (x, x), (self._bottom, self._bottom + 5))
            if x - half > end:
                drawn.text(label, x - half, self._bottom + 16)
                end = x + half + 8
        drawn.grid("grid", across, (self._bottom, self._bottom))
        along = style.cut(lines.x_heading, self._width) if self._name else lines.x_heading
        ink = style.QUIET if self._name else style.INK
        drawn.text(along, self._left, self._bottom + 36, ink, bold=not self._name)

    def _line(self, own: Sequence[Point], place: int) -> None:
        drawn, alone = self._drawn, len(self._lines.lines) == 1
        # What lies beyond stands side by side, a place for each line: else the last would hide the others.
        aside = 9.0 * (place - (len(self._lines.lines) - 1) / 2)
        beyond = [math.isinf(point.value) for point in own]
        ends = [
            (self._x(point) + (aside if later else 0.0), self._y(point.value))
            for point, later in zip(own, beyond, strict=True)
        ]
        spots: spec.Data = [{"x": x, "y": y} for x, y in ends]
        if alone:
            self._bands(own)
        for start, end in itertools.pairwise(range(len(own))):
            if not (beyond[start] or beyond[end]):
                drawn.line([spots[start], spots[end]], place)
            elif beyond[start] != beyond[end]:
                drawn.over.box("leaders", *zip(ends[start], ends[end], strict=True))
        for point in own:
            if point.error is not None:
                low, high = (self._y(point.value + times * point.error) for times in (-2, 2))
                drawn.over.box("errors", (self._x(point), self._x(point)), (low, high))
        drawn.dots([spot for spot, later in zip(spots, beyond, strict=True) if not later], place, "circle")
        drawn.dots([spot for spot, later in zip(spots, beyond, strict=True) if later], place, "triangle-up")
        if alone:
            self._numbers(own, ends)

    def _bands(self, own: Sequence[Point]) -> None:
        """Draw the intervals of a line that stands alone; what is later than the horizon ends at the top."""
        for place, (_, color) in enumerate(own[0].bands):
            found = [point.bands[place][0] for point in own]
            rows: spec.Data = [
                {"x": self._x(point), "y": self._scale_y.held(band[0]), "y2": self._scale_y.held(band[1])}
                for point, band in zip(own, found, strict=True)
                if band is not None
            ]
            if len(rows) == len(own):
                self._drawn.charts.append(style.pixel_layer(rows, mark={"type": "area", "color": color}))

    def _numbers(self, own: Sequence[Point], ends: Sequence[tuple[float, float]]) -> None:
        """Write the numbers of a line that stands alone, as far as they do not touch; the lane says what is beyond."""
        end = -math.inf
        for point, (x, y) in zip(own, ends, strict=True):
            half = style.text_width(point.text, size=11) / 2
            if math.isfinite(point.value) and x - half > end:
                self._drawn.text(point.text, x - half, y - 15, size=11)
                end = x + half + 4


def draw_strips(lines: Lines, *, head: Head) -> spec.Spec:
    """Draw an outcome for each of several labels: the median and the intervals of the samples as bars.

    What is given is that of `draw_lines`, without frames and with one line; `x` is left aside.
    """
    left = min(300.0, max(style.text_width(point.label) for point in lines.points) * 1.05) + 18
    right = left + STRIP_WIDTH
    scale = PixelScale(*lines.ends, left, right)
    marks = Marks(
        grid=rule_mark(), bars=RECT, arrows=style.arrow_mark(), errors=rule_mark(style.INK, 1.2), dots=_dot(0)
    )
    marks.text(lines.x_heading, 0, 8, bold=True)
    marks.text(lines.y_heading, left, 28, bold=True)
    top = 44.0
    bottom = top + STRIP * len(lines.points)
    for place, point in enumerate(lines.points):
        y = top + (place + 0.5) * STRIP
        marks.text(style.cut(point.label, 300), 0, y)
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
    for tick in axis_ticks(*lines.ends, lines.scale, most=7):
        x = scale.held(tick)
        marks.box("grid", (x, x), (top, bottom + 4))
        if lines.scale == "power":
            marks.texts += style.power_texts(tick, right=x + 12, y=bottom + 16)
        else:
            marks.centred(tick_text(tick, lines.scale), x, bottom + 16)
    return marks.sheet(head, width=right + TEXT_WIDTH, height=bottom + 28)

"""Heat maps of a sweep: a cell for each pair of values, its number written in it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_style import Text
from simulator.figure import Row

RAMP = (*style.band_tints(3), style.BLUE, style.DARK_BLUE)
"""Colours of the classes of a scale, from the least; they ascend in grey too, on paper and on a dark ground."""
PALE = 3
"""How many of them are pale enough for dark text."""
WIDTH, HEIGHT = 640.0, 330.0
MOST_LABEL = 210.0
HATCH = 7.0
GAP = 1.5
BESIDE, WIDEST = 36.0, 980.0


@dataclass(frozen=True, slots=True)
class Heat:
    """What a heat map is drawn from.

    Parameters
    ----------
    rows : rows (cell,)
        `panel`, `x`, `y` (places along the axes), `class` (place in `RAMP`, or None beyond the horizon), `text`,
        `interval`.
    x_labels, y_labels : the values along the axes, from the left and from below
    x_heading, y_heading : the axes' names
    panels : headings of the maps; one empty heading where there is one map
    classes : what each colour stands for, with its place in `RAMP`
    beyond : what hatched cells stand for, or empty
    """

    rows: Sequence[Row]
    x_labels: Sequence[str]
    y_labels: Sequence[str]
    x_heading: str
    y_heading: str
    panels: Sequence[str]
    classes: Sequence[tuple[int, str]]
    beyond: str = ""


def draw_heat(heat: Heat, *, title: str, subtitle: str, foot: Sequence[str]) -> vega.Spec:
    """Draw a heat map, or several smaller ones on one scale, two beside one another where they have room.

    Cells beyond the horizon are hatched and say so. The interval of a cell is written where it fits.

    Examples
    --------
    >>> cell = {"panel": "", "x": 0, "y": 0, "class": 1, "text": "2031", "interval": "2029 to 2035"}
    >>> late = cell | {"x": 1, "class": None, "text": "> 2045", "interval": ""}
    >>> heat = Heat([cell, late], ["1", "2"], [""], "rank", "", [""], [(1, "2030 to 2035")], beyond="> 2045")
    >>> draw_heat(heat, title="When", subtitle="", foot=["few"])["title"]["text"]
    ['When']
    """
    left = min(MOST_LABEL, max(style.text_width(label) for label in heat.y_labels)) + 16
    several = len(heat.panels) > 1
    cell = (
        max(46.0, min(96.0 if several else 150.0, WIDTH / len(heat.x_labels))),
        max(26.0, min(44.0 if several else 64.0, HEIGHT / len(heat.y_labels))),
    )
    step = left + cell[0] * len(heat.x_labels) + BESIDE
    across = 2 if several and 2 * step - BESIDE <= WIDEST else 1
    parts = _Parts(heat, left=left, cell=cell)
    width = max(across * step - BESIDE, left + WIDTH)
    top = parts.legend(width)
    for row in itertools.batched(heat.panels, across):
        tops = [parts.panel(name, top=top, x=place * step) for place, name in enumerate(row)]
        top = max(tops)
    view = vega.view(parts.layers(), width=width, height=top)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width)


class _Parts:
    """Collect the marks of all cells, so that each kind is one layer."""

    def __init__(self, heat: Heat, *, left: float, cell: tuple[float, float]) -> None:
        self._heat, self._left, self._cell = heat, left, cell
        self._cells: style.Data = []
        self._hatches: style.Data = []
        self._plates: style.Data = []
        self._texts: list[Text] = []

    def legend(self, width: float) -> float:
        """Lay out the scale; give the pixel at which the first map begins."""
        x, y = self._left, 8.0
        entries = [*self._heat.classes, *([(-1, self._heat.beyond)] if self._heat.beyond else [])]
        for place, text in entries:
            if x + 22 + style.text_width(text) > width:
                x, y = self._left, y + 20
            self._fill(place, (x, x + 18, y - 7, y + 7))
            self._texts.append(Text([text], x + 24, y, style.QUIET))
            x += 24 + style.text_width(text) * 1.05 + 16
        return y + 22

    def panel(self, name: str, *, top: float, x: float) -> float:
        """Add a map, whose room begins at the pixels; give the pixel at which the next begins."""
        wide, high = self._cell
        heat, left = self._heat, x + self._left
        room = self._left + wide * len(heat.x_labels)
        if name:
            self._texts.append(Text([style.cut(name, room / 1.08)], x, top + 8, bold=True))
            top += 22
        if x == 0.0:
            up = style.cut(heat.y_heading, room / 1.08 + (BESIDE if name else WIDTH))
            self._texts.append(Text([up], x, top + 2, style.QUIET if name else style.INK, bold=not name))
        top += 18
        for row in heat.rows:
            if row["panel"] == name:
                column, line = int(str(row["x"])), len(heat.y_labels) - 1 - int(str(row["y"]))
                self._one(row, left + column * wide, top + line * high)
        bottom = top + high * len(heat.y_labels)
        for place, label in enumerate(heat.y_labels):
            middle = bottom - (place + 0.5) * high
            self._texts.append(Text([style.cut(label, MOST_LABEL)], left - 8, middle, align="right"))
        for place, label in enumerate(heat.x_labels):
            shown = style.cut(label, wide - 6)
            start = left + (place + 0.5) * wide - style.text_width(shown) / 2
            self._texts.append(Text([shown], start, bottom + 13))
        along = style.cut(heat.x_heading, (room - self._left) / 1.08 + BESIDE) if name else heat.x_heading
        self._texts.append(Text([along], left, bottom + 32, style.QUIET if name else style.INK, bold=not name))
        return bottom + 58

    def _one(self, row: Row, x: float, y: float) -> None:
        wide, high = self._cell
        place = -1 if row["class"] is None else int(str(row["class"]))
        self._fill(place, (x + GAP, x + wide - GAP, y + GAP, y + high - GAP))
        ink = style.INK if place < PALE else style.PAPER
        text, interval = str(row["text"]), str(row["interval"])
        size = 12.0 if style.text_width(text) <= wide - 8 else 10.0
        both = bool(interval) and high >= 40 and style.text_width(interval, size=10) <= wide - 6
        lines = [
            (text, size, y + high / 2 - (7 if both else 0)),
            *([(interval, 10.0, y + high / 2 + 9)] if both else []),
        ]
        for line, font, middle in lines:
            half = style.text_width(line, size=font) / 2
            center = x + wide / 2
            if place < 0:
                plate = {"x": center - half - 3, "x2": center + half + 3, "y": middle - 8, "y2": middle + 8}
                self._plates.append(plate | {"color": style.PAPER})
            self._texts.append(Text([line], center - half, middle, ink, size=font))

    def _fill(self, place: int, box: tuple[float, float, float, float]) -> None:
        """Fill a cell; one beyond the horizon is hatched."""
        x, x2, y, y2 = box
        color = RAMP[place] if place >= 0 else style.PAPER
        self._cells.append({"x": x, "x2": x2, "y": y, "y2": y2, "color": color})
        if place >= 0:
            return
        offset = HATCH / 2
        while offset < (x2 - x) + (y2 - y):  # lines from the lower left to the upper right, cut at the edges
            a, b = min(offset, x2 - x), max(0.0, offset - (x2 - x))
            c, d = max(0.0, offset - (y2 - y)), min(offset, y2 - y)
            self._hatches.append({"x": x + a, "y": y + b, "x2": x + c, "y2": y + d})
            offset += HATCH
        edges = ((x, y, x2, y), (x2, y, x2, y2), (x2, y2, x, y2), (x, y2, x, y))
        self._hatches += [{"x": a, "y": b, "x2": c, "y2": d} for a, b, c, d in edges]

    def layers(self) -> list[vega.Spec]:
        """Give the layers of all maps."""
        rect, rule = {"type": "rect"}, {"type": "rule", "color": style.AXIS, "strokeWidth": 0.9}
        marks = ((self._cells, rect), (self._hatches, rule), (self._plates, rect))
        return [*(style.pixel_layer(rows, mark=mark) for rows, mark in marks if rows), *style.text_layers(self._texts)]

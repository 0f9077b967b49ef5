"""What chart kinds share: marks in pixels, rows, end labels, stacked areas, panels, heads. No kind imports another.

A chart is views under one another (`sheet`), each made of layers over a plot `WIDTH` pixels wide. `Marks` gathers what
is placed in pixels, row by row, and gives one layer for each kind of mark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, batched, zip_longest
from typing import Literal

import numpy as np

from simulator.charts import spec, style
from simulator.charts.spec import Head
from simulator.charts.ticks import Scale, tick_text, year_axis
from simulator.errors import number
from simulator.runs.groups import RunLabel
from simulator.runs.table import Table
from simulator.wording import percent, sample_count

WIDTH = 600
"""Pixels of a plot over the years."""
GUTTER = 56.0
"""Room at its left, for the numbers of the axis."""
HEADING_Y, LEGEND_Y = -42.0, -20.0
"""Where the heading of a plot stands over its legend; without a legend it stands in the place of it."""
LABEL_X = WIDTH + 32
COLUMN = 50
POWER_COLUMN = 66
NAME_CHARACTERS = 30
RECT: spec.Spec = {"type": "rect"}
LINE_SHADES: tuple[tuple[str, Sequence[float]], ...] = (
    (style.DARK_BLUE, [1, 0]), (style.VERMILION, [8, 3]), (style.GREEN, [2, 2.5]),
    (style.PURPLE, [9, 3, 2, 3]), (style.SKY, [5, 2]), (style.ORANGE, [3, 3]),
)  # fmt: skip
"""Colour and dashes of each of several lines: they differ in grey and to colour-blind eyes too."""


def rule_mark(color: str = style.HAIR, width: float = 0.8, dash: Sequence[float] = ()) -> spec.Spec:
    """Make the mark of straight lines; without arguments the hair lines of grids and rows."""
    return {"type": "rule", "color": color, "strokeWidth": width, **({"strokeDash": list(dash)} if dash else {})}


def line_mark(color: str, width: float, dash: Sequence[float] = ()) -> spec.Spec:
    """Make the mark of lines from point to point."""
    return {**rule_mark(color, width, dash), "type": "line"}


def fill_mark(color: str, opacity: float = 1) -> spec.Spec:
    """Make the mark of areas."""
    return {"type": "area", "color": color, "opacity": opacity}


def outside_mark() -> spec.Spec:
    """Make the mark of what lies outside a band: a hollow diamond, told apart in grey by its shape."""
    return style.shape_mark("diamond", 80, fill=style.PAPER, rim=style.VERMILION, width=2)


class Marks:
    """Gather marks in pixels and texts: each kind is one layer, in the order in which the kinds are named.

    >>> marks = Marks(rules=rule_mark(), dots=style.dot_mark())
    >>> marks.add("rules", x=0, x2=100, y=20)
    >>> marks.text("power", 0, 20)
    >>> [layer["mark"]["type"] for layer in marks.layers()]
    ['rule', 'text']
    """

    def __init__(self, **kinds: spec.Spec) -> None:
        self._kinds = kinds
        self._rows: dict[str, spec.Data] = {kind: [] for kind in kinds}
        self.texts: list[style.Text] = []

    def __getitem__(self, kind: str) -> spec.Data:
        return self._rows[kind]

    def add(self, kind: str, **places: object) -> None:
        """Add a mark: `x`, `y`; `x2`, `y2`, `color`, `detail` where marks of its kind have them."""
        self._rows[kind].append(places)

    def box(self, kind: str, x: tuple[float, float], y: tuple[float, float], **more: object) -> None:
        """Add a rectangle or a straight line from one corner to the other."""
        self._rows[kind].append({"x": x[0], "x2": x[1], "y": y[0], "y2": y[1], **more})

    def text(
        self, lines: str | Sequence[str], x: float, y: float, color: str = style.INK, **look: bool | float | str
    ) -> None:
        """Add a line of text, or several; see `style.Text` for their look."""
        block = [lines] if isinstance(lines, str) else lines
        self.texts.append(style.Text(block, x, y, color, **look))  # type: ignore[arg-type]

    def centred(
        self, line: str, x: float, y: float, color: str = style.INK, *, size: float = style.TEXT_SIZE,
        align: Literal["left", "right"] = "right",
    ) -> None:  # fmt: skip
        """Add a line of text about the pixel `x`; the edge that is placed holds where a font is wider or narrower."""
        half = style.text_width(line, size=size) / 2
        self.text(line, x + half if align == "right" else x - half, y, color, size=size, align=align)

    def tick(self, tick: float, scale: Scale, x: float, y: float) -> None:
        """Write the number at a tick so that it ends at the pixel `x`."""
        if scale == "power":
            self.texts += style.power_texts(tick, right=x, y=y)
        else:
            self.text(tick_text(tick, scale), x, y, align="right")

    def layers(self, *over: spec.Spec) -> list[spec.Spec]:
        """Give the layers of all kinds that have marks, further ones over them, and the texts over all."""
        drawn = [spec.pixel_layer(rows, mark=self._kinds[kind]) for kind, rows in self._rows.items() if rows]
        return [*drawn, *over, *style.text_layers(self.texts)]

    def sheet(self, head: Head, *over: spec.Spec, width: float, height: float) -> spec.Spec:
        """Set the layers between the title and the foot of a chart that has one view."""
        return sheet([spec.view(self.layers(*over), width=width, height=height)], head, width=width)


@dataclass(frozen=True, slots=True)
class PixelScale:
    """Place values between two pixels, linearly: `low` at `start` and `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Give the pixel of a value, to a hundredth."""
        return round(self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low), 2)

    def held(self, value: float) -> float:
        """Give the pixel of a value, or of the end of the scale that it lies beyond."""
        return self(min(max(value, self.low), self.high))


def sheet(views: Sequence[spec.Spec], head: Head, *, width: float, x: float = 0.0, spacing: float = 14.0) -> spec.Spec:
    """Set views under one another between their title and their foot, which begins at the pixel `x`.

    Fonts, lines and margins are chosen here. The plots begin at the same left edge. Long texts are broken into lines;
    a line break in the subtitle begins one.
    """
    characters = int(width / (0.52 * style.FOOT_SIZE))
    feet = [line for text in _foot(head, characters=characters) for line in style.wrapped(text, width=characters)]
    height = style.LINE_HEIGHT * len(feet)
    foot = style.text_layers([style.Text(feet, x, height / 2, style.QUIET, size=style.FOOT_SIZE)])
    under = int(width / (0.52 * 13))
    lines = [line for part in head.subtitle.splitlines() for line in style.wrapped(part, width=under)]
    heading: spec.Spec = {
        "text": style.wrapped(head.title, width=int(width / (0.58 * style.TITLE_SIZE))),
        "anchor": "start", "frame": "bounds", "offset": 16,
        "fontSize": style.TITLE_SIZE, "fontWeight": "bold", "color": style.INK, "lineHeight": 23,
        "subtitleFontSize": 13, "subtitleColor": style.QUIET, "subtitleLineHeight": 17, "subtitlePadding": 6,
    }  # fmt: skip
    if lines:
        heading["subtitle"] = lines
    axis = {
        "labelFontSize": style.TEXT_SIZE, "labelColor": style.INK, "domainColor": style.AXIS, "tickColor": style.AXIS,
        "tickSize": 4, "gridColor": style.HAIR, "gridWidth": 0.8, "labelOverlap": False,
    }  # fmt: skip
    return {
        "title": heading, "description": head.title, "background": style.PAPER, "padding": 16, "spacing": spacing,
        "config": {"font": style.FONT, "axis": axis, "view": {"stroke": None}},
        "vconcat": [*views, spec.view(foot, width=10, height=height)],
    }  # fmt: skip


def _foot(head: Head, *, characters: int) -> list[str]:
    """Say what a chart is drawn from; of a run also as many sources as one line holds, and how many more there are."""
    if not isinstance(head.foot, RunLabel):
        return list(head.foot)
    run, line = head.foot, ""
    for count in range(len(run.sources), 0, -1):
        more = len(run.sources) - count
        rest = f"; and {more} more in the run file" if more else ""
        line = f"Sources of the priors: {'; '.join(run.sources[:count])}{rest}"
        if len(line) <= characters:
            break
    which = f"Run {run.run_id} · scenario {run.scenario} · seed {run.seed} · {sample_count(run.samples)}"
    return [text for text in (which, head.note, line) if text]


def panel_grid(
    panels: Sequence[spec.Spec], entries: Sequence[style.LegendEntry], *, x: float, columns: int, spacing: float
) -> list[spec.Spec]:
    """Set panels beside one another in rows; their plots stand under one another, whatever their labels.

    Their legend fills a free corner of the last row; without one it stands above them.
    """
    if not len(panels) % columns:
        return [key_view(entries, x=x), *(spec.side_by_side(row, spacing=spacing) for row in batched(panels, columns))]
    width, height = panels[0]["width"], panels[0]["height"]
    legend = spec.view(style.legend_layers(entries, x=x, y=8, width=width), width=width, height=height)
    return [spec.side_by_side(row, spacing=spacing) for row in batched([*panels, legend], columns)]


def key_view(entries: Sequence[style.LegendEntry], *, x: float, outside: str = "") -> spec.Spec:
    """Make the view of a legend that stands above several panels; what lies `outside` a band comes last."""
    layers = style.legend_layers(entries, x=x, y=0)
    if outside:
        end = x + sum(24 + style.text_width(text) + 18 for _, _, text in entries)
        layers.append(spec.pixel_layer([{"x": end + 9, "y": 0}], mark=outside_mark()))
        layers += style.text_layers([style.Text([outside], end + 24, 0, style.QUIET)])
    return spec.view(layers, width=10, height=4)


def row_edges(heights: Sequence[float]) -> tuple[list[float], list[float]]:
    """Set rows of a table under one another: their edges, one more than rows, and their middles, pixels."""
    edges = [0.0]
    for height in heights:
        edges.append(edges[-1] + height)
    return edges, [edge + height / 2 for edge, height in zip(edges, heights, strict=False)]


def amount_channel(column: str, ends: tuple[float, float] | None = None) -> spec.Channel:
    """Make the channel of amounts between two ends; without them that of shares in per cent."""
    if ends is not None:
        return spec.y(column, scale=spec.linear_scale(*ends), axis={"title": None, "tickCount": 8})
    axis = {"values": [0, 25, 50, 75, 100], "labelExpr": "datum.value + ' %'", "title": None}
    return spec.y(column, scale=spec.linear_scale(0, 100), axis=axis)


@dataclass(frozen=True, slots=True)
class EndLabel:
    """Label what ends at the pixel `y` of the right edge: numbers in columns, and a name in lines.

    `power` is a level in log10, written as a power of ten in the place of numbers.
    """

    y: float
    values: tuple[str, ...]
    lines: tuple[str, ...]
    color: str = style.INK
    bold: bool = False
    power: float | None = None


PART_FILLS = (
    fill_mark(style.BLUE, 1.0), fill_mark(style.ORANGE, 0.85), fill_mark(style.DARK_BLUE, 0.9),
    fill_mark(style.SKY, 0.8), fill_mark(style.VERMILION, 0.85), fill_mark(style.PURPLE, 0.6),
    fill_mark(style.GREEN, 0.9),
)  # fmt: skip
"""The fills of parts of a whole: neighbours differ in grey too."""


@dataclass(frozen=True, slots=True)
class StackPart:
    """One part of a stack: its values by year, its fill, and what is written at its end; without lines nothing is."""

    values: Sequence[float]
    fill: spec.Spec
    texts: tuple[str, ...]
    lines: tuple[str, ...]
    color: str = style.INK


def stacked_view(
    parts: Sequence[StackPart], *, years: Sequence[float], least: float, heading: str, heads: Sequence[str] = (),
    after: str = "", ends: tuple[float, float] | None = None, over: Sequence[spec.Spec] = (),
    more: Sequence[EndLabel] = (),
) -> spec.Spec:  # fmt: skip
    """Draw parts as stacked areas that are labelled at the right, at least so many pixels high.

    They are shares of 1, or amounts on an axis between two `ends`, on either side of zero. `heads` stand over the
    columns of numbers and `after` behind them, `over` lies over the areas; `more` are further labels, whose `y` is
    still a value.
    """
    fills = [part.fill for part in parts]
    areas, middles = stacked_areas([part.values for part in parts], fills=fills, years=years, ends=ends)
    labels = [
        EndLabel(middle, part.texts, part.lines, part.color)
        for part, middle in zip(parts, middles, strict=True)
        if part.lines
    ]
    labels = [*labels, *more] if ends else [*labels, *more][::-1]  # of shares what stands higher comes first
    height = max(least, label_height([line for label in labels for line in label.lines]))
    lower, upper = ends or (0.0, 1.0)
    labels = [replace(label, y=(upper - label.y) / (upper - lower) * height) for label in labels]
    texts, columns = [style.Text([heading], -GUTTER, LEGEND_Y, bold=True)], value_columns(labels, heads)
    texts += [
        style.Text([head], LABEL_X + right - 8, LEGEND_Y, style.QUIET, align="right")
        for head, right in zip(heads, accumulate(columns), strict=False)
    ]
    if after:
        texts.append(style.Text([after], LABEL_X + sum(columns[: len(heads)]), LEGEND_Y, style.QUIET))
    beside = end_labels(sorted(labels, key=lambda label: label.y), height=height, heads=heads)
    return spec.view([*areas, *over, *style.text_layers(texts), *beside], width=WIDTH, height=height)


def stacked_areas(
    parts: Sequence[Sequence[float]],
    *,
    fills: Sequence[spec.Spec],
    years: Sequence[float],
    ends: tuple[float, float] | None = None,
) -> tuple[list[spec.Spec], list[float]]:
    """Stack parts, each a value by year, from zero up, and what is below zero down; shares are drawn in per cent.

    Gives one layer or two for each part, and where its end has its middle. A share that is zero is drawn, and stands on
    those below it: one that stands alone carries the axes. A part that changes its sign within a step is drawn on both
    sides of zero; the two sides add up.
    """
    sides = {True: np.zeros(len(years)), False: np.zeros(len(years))}
    base, times = (("foot", "high"), 1.0) if ends else (("low", "high"), 100.0)
    layers: list[spec.Spec] = []
    middles = []
    for values, fill in zip(parts, fills, strict=True):
        mark = fill | {"stroke": style.PAPER, "strokeWidth": 0.8}  # a fine line between
        for up, (low, high) in ((False, ("low", "base")), (True, base)):
            own = np.clip(values, 0, None) if up else np.clip(values, None, 0)
            span = sides[up], sides[up] + own
            sides[up] = span[1]
            if own.any() or (up and not ends):
                lows, highs = span if up else span[::-1]
                rows = Table({"year": years, low: times * lows, high: times * highs}).rows()
                channels = (year_channel(years), amount_channel(low, ends), spec.y2(high))
                layers.append(spec.layer(rows, *channels, mark=mark))
        above = values[-1] > 0 or (not ends and values[-1] == 0)
        middles.append(float(sides[above][-1]) - values[-1] / 2)
    return layers, middles


def share_lines(
    name: str, shares: Sequence[float], *, years: Sequence[float], width: int, say: Callable[[float], str] = percent
) -> tuple[str, ...]:
    """Write a name, and when its share is largest where that is far from its last one."""
    most = max(shares)
    lines = style.wrapped(name, width=width)
    if most > shares[-1] + 0.05:
        lines.append(f"most: {say(most)} in {number(years[shares.index(most)])}")
    return tuple(lines)


def year_channel(years: Sequence[float]) -> spec.Channel:
    """Make the channel of time: from the first to the last of the years."""
    scale = spec.linear_scale(years[0], years[-1])
    return spec.x("year", scale=scale, axis=year_axis(years[0], years[-1]))


def label_height(lines: Sequence[str]) -> float:
    """Tell the height that labels of so many lines take together, with the gaps between them."""
    return (style.LINE_HEIGHT + 3.0) * len(lines)


def value_columns(labels: Sequence[EndLabel], heads: Sequence[str] = ()) -> list[float]:
    """Tell how wide columns of numbers of labels are: wider where a bound such as `> 99.97 %` or a head needs it."""
    columns = zip_longest(heads, *(label.values for label in labels), fillvalue="")
    return [max([COLUMN, *(style.text_width(word) + 12.0 for word in words)]) for words in columns]


def label_middles(labels: Sequence[EndLabel], *, height: float) -> list[float]:
    """Tell where labels stand, from the top down, each as near to its end as room allows; pixels.

    >>> close = [EndLabel(y, (), (name,)) for y, name in ((50.0, "power"), (52.0, "data"))]
    >>> label_middles(close, height=200.0)
    [42.0, 60.0]
    """
    wanted = [min(max(label.y, 0.0), height) for label in labels]
    heights = [style.LINE_HEIGHT * len(label.lines) + 3.0 for label in labels]
    return style.spread_labels(wanted, heights=heights, top=-8.0, bottom=height + 8.0)


def end_labels(
    labels: Sequence[EndLabel],
    *,
    height: float,
    x: float = LABEL_X,
    bend: float = WIDTH + 8,
    indent: float = 0.0,
    heads: Sequence[str] = (),
) -> list[spec.Spec]:
    """Place labels beside the plot, from the top down, with leader lines; `indent` leaves room before the names.

    `heads` stand over the columns of numbers.
    """
    leaders: spec.Data = []
    texts, columns = [], value_columns(labels, heads)
    for place, (label, end) in enumerate(zip(labels, label_middles(labels, height=height), strict=True)):
        start = min(max(label.y, 0.0), height)
        corners = ((WIDTH + 2, start), (bend, start), (x - 8, end), (x - 3, end))
        leaders += [{"detail": place, "x": across, "y": down} for across, down in corners]
        right = x
        for value, column in zip(label.values, columns, strict=False):
            right += column
            texts.append(style.Text([value], right - 8, end, label.color, bold=label.bold, align="right"))
        if label.power is not None:
            right += POWER_COLUMN
            texts += style.power_texts(label.power, right=right - 8, y=end, color=label.color)
        texts.append(style.Text(label.lines, right + indent, end, label.color, bold=label.bold))
    lines = [spec.pixel_layer(leaders, mark=line_mark(style.QUIET, 0.8))] if leaders else []
    return [*lines, *style.text_layers(texts)]

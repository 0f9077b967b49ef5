"""What every kind of chart shares: colours, fonts, labels, legend, footer.

Colours are from Okabe and Ito (2008), which colour-blind readers tell apart; the tints also differ in grey. A chart is
drawn in the light colours; `DARK` has the dark one of each.

The font is one that the chart writer carries in itself. In PNG and PDF files a machine's own copy of it comes first,
and is read from its file again for every letter. The font lacks some superscript digits: exponents are drawn as small
raised text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from simulator.charts import spec
from simulator.charts.register import Theme, check_theme
from simulator.charts.spec import Data, Spec
from simulator.charts.ticks import power_parts
from simulator.errors import InputError

type LegendMark = Literal["band", "line", "bar", "dot", "arrow", "bracket", "point", "thread", "dash"]
type LegendEntry = tuple[LegendMark, str, str]
"""A kind of mark, its colour and its text."""

PAPER = "white"
INK = "#222222"
QUIET = "#5F5F5F"
AXIS = "#888888"
HAIR = "#DDDDDD"

BLUE = "#0072B2"
DARK_BLUE = "#00395C"
SKY = "#56B4E9"
VERMILION = "#D55E00"
ORANGE = "#E69F00"
GREEN = "#009E73"
YELLOW = "#F0E442"
PURPLE = "#CC79A7"

_BAND_TINTS = {1: ("#9CC8E3",), 2: ("#C9E1F0", "#74AFD6"), 3: ("#DCEBF5", "#A5CCE5", "#5FA3D0")}

# Bands are palest where they are widest on paper, and darkest where they are widest on a dark ground.
DARK: Mapping[str, str] = MappingProxyType({
    PAPER: "#14181D",
    INK: "#ECEEF0",
    QUIET: "#AEB6BE",
    AXIS: "#7D868F",
    HAIR: "#333A42",
    BLUE: "#3D9BD9",
    DARK_BLUE: "#E4F2FC",
    SKY: "#7CC8F2",
    VERMILION: "#FF8B3D",
    ORANGE: "#F2B233",
    GREEN: "#2CC295",
    YELLOW: "#F5EB66",
    PURPLE: "#E09BC2",
    "#9CC8E3": "#2F6A94",
    "#C9E1F0": "#245475",
    "#74AFD6": "#3D86B8",
    "#DCEBF5": "#224D6C",
    "#A5CCE5": "#2F6E99",
    "#5FA3D0": "#3D8DC1",
})  # fmt: skip
"""The dark counterpart of every colour that a chart may have."""

COLOR_KEYS = re.compile(r"color|fill|stroke|background|\w+Color")

# Arial and Helvetica are as wide as Liberation Sans: an SVG file keeps its layout where they stand in.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
TEXT_SIZE = 12
TITLE_SIZE = 18
FOOT_SIZE = 11
LINE_HEIGHT = 15

_DIGIT_WIDTH = 0.556  # of the font size; the same in bold
_NARROW = frozenset(" ijltfrI.,:;|'()[]-/")
_WIDE = frozenset("mwMW%@")


def text_width(text: str, *, size: float = TEXT_SIZE) -> float:
    """Estimate the width of one line of text in pixels, within a tenth or so, without asking for fonts.

    >>> text_width("mm") > text_width("xx") > text_width("ii")
    True
    """
    ems = sum(0.29 if c in _NARROW else 0.87 if c in _WIDE else 0.7 if c.isupper() else _DIGIT_WIDTH for c in text)
    return ems * size


def cut(text: str, width: float, *, bold: bool = False) -> str:
    """Cut one line of text that is wider than so many pixels.

    >>> cut("a long source", 40), cut("a long source", 400)
    ('a lon…', 'a long source')
    """
    room = width / (1.08 if bold else 1.0)
    if text_width(text) <= room:
        return text
    while text and text_width(f"{text}…") > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def fitted(text: str, width: float, *, bold: bool = False, most: int = 2) -> list[str]:
    """Break a text into lines of at most so many pixels, between words; what is left for the last is cut.

    >>> fitted("a long source", 40), fitted("a long source", 400)
    (['a long', 'source'], ['a long source'])
    """
    lines = [""]
    room = width / (1.08 if bold else 1.0)
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer) <= room or not lines[-1] or len(lines) == most:
            lines[-1] = longer
        else:
            lines.append(word)
    return [cut(line, width, bold=bold) for line in lines]


def wrapped(text: str, *, width: int) -> list[str]:
    """Break a text into lines of at most `width` characters, within a word only where it must, never before a `%`.

    >>> wrapped("ten-billion-dollar training run", width=20), wrapped("never by 2045: 51 %", width=17)
    (['ten-billion-dollar', 'training run'], ['never by 2045:', '51 %'])
    """
    held = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return [line.replace("\N{NO-BREAK SPACE}%", " %") for line in textwrap.wrap(held, width)] or [""]


def spread_labels(positions: Sequence[float], *, heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Move labels apart, each as little as it can, so that none overlap.

    Labels that touch form a group, which stands where its members want to be on average. Labels that are far
    apart stay where they are. Where the labels together are taller than the space, they run below its bottom.

    >>> spread_labels([50, 52, 90], heights=[10, 10, 10], top=0, bottom=100)
    [46.0, 56.0, 90.0]
    """
    groups: list[tuple[float, float, list[int]]] = []  # top edge, height, members

    def held(edge: float, height: float) -> float:
        return max(top, min(edge, bottom - height))

    for index, (position, height) in enumerate(zip(positions, heights, strict=True)):
        group = (held(position - height / 2, height), height, [index])
        while groups and groups[-1][0] + groups[-1][1] > group[0]:
            members = [*groups.pop()[2], *group[2]]
            wanted, total = 0.0, 0.0
            for member in members:
                wanted += positions[member] - heights[member] / 2 - total
                total += heights[member]
            group = (held(wanted / len(members), total), total, members)
        groups.append(group)
    middles = []
    for edge, _, members in groups:
        above = edge
        for member in members:
            middles.append(above + heights[member] / 2)
            above += heights[member]
    return middles


@dataclass(frozen=True, slots=True)
class Text:
    """Place lines of text: one edge at pixel `x`, the middle of the block at pixel `y` of the view."""

    lines: Sequence[str]
    x: float
    y: float
    color: str = INK
    bold: bool = False
    size: float = TEXT_SIZE
    align: Literal["left", "right"] = "left"


def power_texts(log_value: float, *, right: float, y: float, color: str = INK, size: float = TEXT_SIZE) -> list[Text]:
    """Place a power of ten, its exponent raised, so that it ends at the pixel `right`.

    >>> [(text.lines, text.size < TEXT_SIZE) for text in power_texts(25.3222, right=100, y=50)]
    [(['2.1×10'], False), (['25'], True)]
    """
    base, exponent = power_parts(log_value)
    small = 0.75 * size
    width = _DIGIT_WIDTH * small * len(exponent)
    return [
        Text([base], right - width - 0.5, y, color, size=size, align="right"),
        Text([exponent], right, y - 0.35 * size, color, size=small, align="right"),
    ]


def power_width(log_value: float, *, size: float = TEXT_SIZE) -> float:
    """Estimate the width of a power of ten, its exponent raised."""
    base, exponent = power_parts(log_value)
    return text_width(base, size=size) + text_width(exponent, size=0.75 * size)


def text_layers(texts: Sequence[Text]) -> list[Spec]:
    """Draw texts at their pixels, in one layer for each style."""
    styles: dict[tuple[bool, float, Literal["left", "right"]], Data] = {}
    for text in texts:
        first_line = text.y - LINE_HEIGHT * (len(text.lines) - 1) / 2
        row = {"text": "\n".join(text.lines), "x": text.x, "y": first_line, "color": text.color}
        styles.setdefault((text.bold, text.size, text.align), []).append(row)
    layers = []
    for (bold, size, align), rows in styles.items():
        mark = {
            "type": "text", "align": align, "baseline": "middle", "lineBreak": "\n", "lineHeight": LINE_HEIGHT,
            "fontSize": size, "fontWeight": "bold" if bold else "normal",
        }  # fmt: skip
        layers.append(spec.pixel_layer(rows, mark=mark))
    return layers


def shape_mark(shape: str, size: float, *, fill: str = "", rim: str = "", width: float = 0.0) -> Spec:
    """Make the mark of discs, diamonds and triangles, with a rim where one is told; size in square pixels.

    Without a fill the rows have their colours.
    """
    edge = {"stroke": rim, "strokeWidth": width} if rim else {"filled": True}
    return {"type": "point", "shape": shape, "size": size, **edge, **({"fill": fill} if fill else {}), "opacity": 1}


def dot_mark() -> Spec:
    """Make the mark of medians: a white disc with a dark rim, which stands out on every tint and in grey."""
    return shape_mark("circle", 46, fill=PAPER, rim=INK, width=1.6)


def arrow_mark() -> Spec:
    """Make the mark of intervals that go on beyond the chart: the head of an arrow."""
    return shape_mark("triangle-right", 70, fill=VERMILION)


def point_mark() -> Spec:
    """Make the mark of what was observed: a dark disc with a pale rim."""
    return shape_mark("circle", 42, fill=INK, rim=PAPER, width=1)


def legend_layers(entries: Sequence[LegendEntry], *, x: float, y: float, width: float = 0.0) -> list[Spec]:
    """Lay out a legend in one row, from the pixel `x`, its middle at the pixel `y`; with a width one under another."""
    halves: dict[LegendMark, tuple[float, float]] = {
        "band": (9, 5.5), "bar": (9, 3.5), "line": (9, 1.25), "thread": (9, 0.4), "bracket": (1.5, 6),
    }  # fmt: skip
    rectangles: Data = []
    texts = []
    symbols = []
    for kind, color, text in entries:
        if kind == "dash":
            ends = ((x, x + 7), (x + 11, x + 18))
            rectangles += [
                {"x": left, "x2": right, "y": y - 0.6, "y2": y + 0.6, "color": color} for left, right in ends
            ]
        elif kind in halves:
            wide, high = halves[kind]
            rectangles.append({"x": x + 9 - wide, "x2": x + 9 + wide, "y": y - high, "y2": y + high, "color": color})
        else:
            marks = {"dot": dot_mark, "arrow": arrow_mark, "point": point_mark}
            symbols.append(spec.pixel_layer([{"x": x + 9, "y": y}], mark=marks[kind]()))
        lines = fitted(text, width - 24, most=3) if width else [text]
        texts.append(Text(lines, x + 24, y + LINE_HEIGHT * (len(lines) - 1) / 2, QUIET))
        x, y = (x, y + LINE_HEIGHT * len(lines) + 5) if width else (x + 24 + text_width(text) + 18, y)
    shapes = [spec.pixel_layer(rectangles, mark={"type": "rect"})] if rectangles else []
    return [*shapes, *symbols, *text_layers(texts)]


def band_tints(count: int) -> tuple[str, ...]:
    """List the fills of nested bands, the widest (lightest) first.

    >>> band_tints(3)
    ('#DCEBF5', '#A5CCE5', '#5FA3D0')
    """
    if count not in _BAND_TINTS:
        raise InputError(f"bands: a fan has one to three bands; got {count}. Draw fewer intervals.")
    return _BAND_TINTS[count]


def themed(chart: Mapping[str, Any], theme: Theme) -> dict[str, Any]:
    """Give the specification of a chart in the colours of a theme; texts and numbers stay as they are."""
    check_theme(theme)
    return {key: _mapped(value, key, DARK if theme == "dark" else {}) for key, value in chart.items()}


def _mapped(value: Any, key: str, colors: Mapping[str, str]) -> Any:
    """Map the colours below a key; the values of an encoding and the range of a scale belong to the key above."""
    if isinstance(value, str):
        return colors.get(value, value) if COLOR_KEYS.fullmatch(key) else value
    if isinstance(value, Mapping):
        inner = {name: key if name in ("value", "range", "condition", "scale") else name for name in value}
        return {name: _mapped(below, inner[name], colors) for name, below in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(below, key, colors) for below in value)
    return value

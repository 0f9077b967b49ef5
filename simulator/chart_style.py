"""What every kind of chart shares: fonts and colours, axes, labels, legend, footer, and writing to a file.

Colours are from Okabe and Ito (2008), which colour-blind readers tell apart; the tints also differ in grey.
The font is the one that the chart writer carries in itself, so that the same tables give the same file on any
machine. It lacks some superscript digits: exponents are drawn as small raised text.
"""

from __future__ import annotations

import math
import os
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import altair as alt
import vl_convert

from simulator.errors import InputError

type Data = list[dict[str, object]]
type LegendMark = Literal["band", "line", "bar", "dot", "arrow", "bracket"]
type LegendEntry = tuple[LegendMark, str, str]
"""A kind of mark, its colour and its text."""

# Arial and Helvetica are as wide as Liberation Sans: an SVG file keeps its layout where they stand in.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
TEXT_SIZE = 12
TITLE_SIZE = 18
FOOT_SIZE = 11
LINE_HEIGHT = 15
BLUE = "#0072B2"
DARK_BLUE = "#00395C"
VERMILION = "#D55E00"
INK = "#222222"
QUIET = "#5F5F5F"
HAIR = "#DDDDDD"

_BAND_TINTS = {1: ("#9CC8E3",), 2: ("#C9E1F0", "#74AFD6"), 3: ("#DCEBF5", "#A5CCE5", "#5FA3D0")}
_DIGIT_WIDTH = 0.556  # of the font size; the same in bold
_NARROW = frozenset(" ijltfrI.,:;|'()[]-/")
_WIDE = frozenset("mwMW%@")


@dataclass(frozen=True, slots=True)
class RunLabel:
    """Name the run that a chart is drawn from.

    Parameters
    ----------
    run_id, scenario : str
        As in the attributes of the run file.
    seed, samples : int
        The seed, and how many samples the run holds.
    """

    run_id: str
    scenario: str
    seed: int
    samples: int


def band_tints(count: int) -> tuple[str, ...]:
    """List the fills of nested bands, the widest (lightest) first.

    Examples
    --------
    >>> band_tints(3)
    ('#DCEBF5', '#A5CCE5', '#5FA3D0')
    """
    if count not in _BAND_TINTS:
        raise InputError(f"bands: a fan has one to three bands; got {count}. Draw fewer intervals.")
    return _BAND_TINTS[count]


def power_parts(log_value: float) -> tuple[str, str]:
    """Write a value given in log10 as a power of ten and its exponent, to two significant digits.

    Examples
    --------
    >>> power_parts(24.0), power_parts(25.3222), power_parts(-2.0), power_parts(25.9999)
    (('10', '24'), ('2.1×10', '25'), ('10', '−2'), ('10', '26'))
    """
    exponent = math.floor(log_value)
    mantissa = round(10.0 ** (log_value - exponent), 1)
    if mantissa >= 10.0:
        exponent, mantissa = exponent + 1, 1.0
    return ("10" if mantissa == 1.0 else f"{mantissa:g}×10"), str(exponent).replace("-", "−")


def power_ticks(lower: float, upper: float) -> list[float]:
    """Choose the ticks of a log10 axis: at most ten whole powers, or 1, 2 and 5 times them on a short axis.

    Examples
    --------
    >>> power_ticks(23.8, 36.2)
    [24.0, 26.0, 28.0, 30.0, 32.0, 34.0, 36.0]
    >>> ["^".join(power_parts(tick)) for tick in power_ticks(24.9, 26.1)]
    ['10^25', '2×10^25', '5×10^25', '10^26']
    """
    first, last = math.floor(lower), math.ceil(upper)
    if upper - lower <= 2.5:
        ticks = [power + math.log10(times) for power in range(first, last + 1) for times in (1, 2, 5)]
    else:
        steps = (step * 10**scale for scale in range(300) for step in (1, 2, 3, 5))
        step = next(step for step in steps if (upper - lower) / step <= 9)
        ticks = [float(power) for power in range(math.ceil(first / step) * step, last + 1, step)]
    return [tick for tick in ticks if lower <= tick <= upper]


def year_ticks(first: float, last: float) -> list[int]:
    """Choose the ticks of a time axis: whole years, at most thirteen.

    Examples
    --------
    >>> year_ticks(2025.5, 2045.0)
    [2026, 2028, 2030, 2032, 2034, 2036, 2038, 2040, 2042, 2044]
    >>> year_ticks(2025, 2100)[:3]
    [2030, 2040, 2050]
    """
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100) if (last - first) / step <= 12), 1000)
    return list(range(math.ceil(first / step) * step, math.floor(last) + 1, step))


def log_axis(lower: float, upper: float) -> alt.Axis:
    """Make the axis of a quantity that is stored in log10; its labels are `power_texts` at the same ticks.

    Parameters
    ----------
    lower, upper : float, log10 of the unit
        The ends of the axis.
    """
    return alt.Axis(values=power_ticks(lower, upper), labels=False, title=None)


def year_axis(first: float, last: float) -> alt.Axis:
    """Make the axis of time, in whole years."""
    return alt.Axis(values=year_ticks(first, last), format="d", title=None, labelPadding=5)


def text_width(text: str, *, size: float = TEXT_SIZE) -> float:
    """Estimate the width of one line of text in pixels, within a tenth or so, without asking for fonts.

    Examples
    --------
    >>> text_width("mm") > text_width("xx") > text_width("ii")
    True
    """
    ems = sum(0.29 if c in _NARROW else 0.87 if c in _WIDE else 0.7 if c.isupper() else _DIGIT_WIDTH for c in text)
    return ems * size


def wrapped(text: str, *, width: int) -> list[str]:
    """Break a text into lines of at most `width` characters, within a word only where it must.

    Examples
    --------
    >>> wrapped("ten-billion-dollar training run", width=20)
    ['ten-billion-dollar', 'training run']
    """
    return textwrap.wrap(text, width) or [""]


def spread_labels(positions: Sequence[float], *, heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Move labels apart, each as little as it can, so that none overlap.

    Labels that touch form a group, which stands where its members want to be on average. Labels that are far
    apart stay where they are. Where the labels together are taller than the space, they run below its bottom.

    Parameters
    ----------
    positions : sequence (label,), pixels
        Where the middle of each label wants to be, in ascending order.
    heights : sequence (label,), pixels
        The height of each label, its gap included.
    top, bottom : float, pixels
        The space for the labels, `top` being the smaller number.

    Returns
    -------
    list (label,), pixels
        The middle of each label, in the same order.

    Examples
    --------
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


def layer(rows: Data, *channels: alt.SchemaBase, mark: alt.MarkDef) -> alt.Chart:
    """Draw the rows of one table with one kind of mark."""
    chart: alt.Chart = alt.Chart(alt.InlineData(values=rows), mark=mark).encode(*channels)
    return chart


def pixel_layer(rows: Data, *, mark: alt.MarkDef) -> alt.Chart:
    """Draw rows that hold pixels of the view: `x`, `y`; optional `x2`, `y2`, `color`, `text`, `detail`."""
    columns = rows[0]
    channels: list[alt.SchemaBase] = [
        alt.X("x", type="quantitative", scale=None, axis=None),
        alt.Y("y", type="quantitative", scale=None, axis=None),
    ]
    channels += [alt.X2("x2")] if "x2" in columns else []
    channels += [alt.Y2("y2")] if "y2" in columns else []
    channels += [alt.Color("color", type="nominal", scale=None)] if "color" in columns else []
    channels += [alt.Text("text", type="nominal")] if "text" in columns else []
    channels += [alt.Detail("detail", type="nominal")] if "detail" in columns else []
    return layer(rows, *channels, mark=mark)


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


def power_texts(log_value: float, *, right: float, y: float, color: str = INK) -> list[Text]:
    """Place a power of ten, its exponent raised, so that it ends at the pixel `right`."""
    base, exponent = power_parts(log_value)
    size = 0.75 * TEXT_SIZE
    width = _DIGIT_WIDTH * size * len(exponent)
    return [
        Text([base], right - width - 0.5, y, color, align="right"),
        Text([exponent], right, y - 0.35 * TEXT_SIZE, color, size=size, align="right"),
    ]


def text_layers(texts: Sequence[Text]) -> list[alt.Chart]:
    """Draw texts at their pixels, in one layer for each style."""
    styles: dict[tuple[bool, float, Literal["left", "right"]], Data] = {}
    for text in texts:
        first_line = text.y - LINE_HEIGHT * (len(text.lines) - 1) / 2
        row = {"text": "\n".join(text.lines), "x": text.x, "y": first_line, "color": text.color}
        styles.setdefault((text.bold, text.size, text.align), []).append(row)
    layers = []
    for (bold, size, align), rows in styles.items():
        mark = alt.MarkDef(
            type="text", align=align, baseline="middle", lineBreak="\n", lineHeight=LINE_HEIGHT,
            fontSize=size, fontWeight="bold" if bold else "normal",
        )  # fmt: skip
        layers.append(pixel_layer(rows, mark=mark))
    return layers


def dot_mark() -> alt.MarkDef:
    """Make the mark of medians: a white disc with a dark rim, which stands out on every tint and in grey."""
    return alt.MarkDef(type="point", shape="circle", size=46, fill="white", stroke=INK, strokeWidth=1.6, opacity=1)


def arrow_mark() -> alt.MarkDef:
    """Make the mark of intervals that go on beyond the chart: the head of an arrow."""
    return alt.MarkDef(type="point", shape="triangle-right", size=70, filled=True, fill=VERMILION, opacity=1)


def legend_layers(entries: Sequence[LegendEntry], *, x: float, y: float) -> list[alt.Chart]:
    """Lay out a legend in one row.

    Parameters
    ----------
    entries : sequence of (kind of mark, colour, text)
    x, y : float, pixels
        The left edge of the row, and its middle.
    """
    halves: dict[LegendMark, tuple[float, float]] = {
        "band": (9, 5.5), "bar": (9, 3.5), "line": (9, 1.25), "bracket": (1.5, 6),
    }  # fmt: skip
    rectangles: Data = []
    texts = []
    symbols = []
    for kind, color, text in entries:
        if kind in halves:
            wide, high = halves[kind]
            rectangles.append({"x": x + 9 - wide, "x2": x + 9 + wide, "y": y - high, "y2": y + high, "color": color})
        else:
            mark = dot_mark() if kind == "dot" else arrow_mark()
            symbols.append(pixel_layer([{"x": x + 9, "y": y}], mark=mark))
        texts.append(Text([text], x + 24, y, QUIET))
        x += 24 + text_width(text) + 18
    shapes = [pixel_layer(rectangles, mark=alt.MarkDef(type="rect"))] if rectangles else []
    return [*shapes, *symbols, *text_layers(texts)]


def footer(run: RunLabel, *, note: str = "", x: float, width: float) -> alt.LayerChart:
    """Make the foot of a chart: the run that it is drawn from, and a note.

    Parameters
    ----------
    run : RunLabel
    note : str
        A further sentence, on lines of its own.
    x : float, pixels
        The left edge of the text, from the left edge of the plot.
    width : float, pixels
        The width of the text.
    """
    line = f"Run {run.run_id} · scenario {run.scenario} · seed {run.seed} · {run.samples:,} samples"
    characters = int(width / (0.52 * FOOT_SIZE))
    lines = [*wrapped(line, width=characters), *(wrapped(note, width=characters) if note else [])]
    height = LINE_HEIGHT * len(lines)
    text = Text(lines, x, height / 2, QUIET, size=FOOT_SIZE)
    return alt.LayerChart(layer=text_layers([text]), width=10, height=height)


def stacked(views: Sequence[alt.LayerChart], *, title: str, subtitle: str = "", width: float) -> alt.VConcatChart:
    """Set views under one another, under a title, and choose their fonts, lines and margins.

    Parameters
    ----------
    views : sequence of altair.LayerChart
        From the top down; their plots begin at the same left edge.
    title, subtitle : str
        What the chart shows; long ones are broken into lines.
    width : float, pixels
        The width that the title may take.
    """
    heading = alt.TitleParams(
        text=wrapped(title, width=int(width / (0.58 * TITLE_SIZE))),
        subtitle=wrapped(subtitle, width=int(width / (0.52 * 13))) if subtitle else alt.Undefined,
        anchor="start", frame="bounds", offset=16, fontSize=TITLE_SIZE, fontWeight="bold", color=INK,
        lineHeight=23, subtitleFontSize=13, subtitleColor=QUIET, subtitleLineHeight=17, subtitlePadding=6,
    )  # fmt: skip
    axis = alt.AxisConfig(
        labelFontSize=TEXT_SIZE, labelColor=INK, domainColor="#888888", tickColor="#888888", tickSize=4,
        gridColor=HAIR, gridWidth=0.8, labelOverlap=False,
    )  # fmt: skip
    config = alt.Config(font=FONT, axis=axis, view=alt.ViewConfig(stroke=None))
    return alt.VConcatChart(
        vconcat=list(views), title=heading, background="white", padding=16, description=title, spacing=14,
        config=config,
    )  # fmt: skip


def save_chart(chart: alt.VConcatChart, *paths: Path | str) -> None:
    """Write a chart to one or several files, each in the format that its suffix names.

    The chart is laid out once, however many files are asked for. The same chart gives the same bytes. A file
    is replaced only when the new one is complete.

    Parameters
    ----------
    chart : altair.VConcatChart
    *paths : path
        Ends in `.svg`, `.png` (two pixels per point) or `.pdf`; the folder exists.

    Raises
    ------
    InputError
        Where a suffix is another; then no file is written.
    """
    converters: dict[str, Callable[[str], bytes]] = {
        ".svg": str.encode,
        ".png": lambda svg: vl_convert.svg_to_png(svg, scale=2),
        ".pdf": vl_convert.svg_to_pdf,
    }
    targets = [Path(path) for path in paths]
    for target in targets:
        if target.suffix.lower() not in converters:
            raise InputError(
                f"{target}: the suffix of a chart must be .svg, .png or .pdf; got '{target.suffix}'. "
                "The suffix says which format is written: name the file with one of these."
            )
    # Every part was checked when it was made; to check the whole again takes as long as to make it.
    svg = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    for target in targets:
        _replace(target, content=converters[target.suffix.lower()](svg))


def _replace(target: Path, *, content: bytes) -> None:
    """Write a file beside its place, then move it there, so that no half-written file is ever seen."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)  # mkstemp makes files that only their owner can read
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

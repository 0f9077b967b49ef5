"""The chart of what was seen against what the fitted model would have shown: bands over time, and points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import Frame, row_columns, row_number
from simulator.chart_style import RunLabel, Text
from simulator.figure import Row

WIDTH = 700
HEIGHT = 210
GUTTER = 60.0
RIGHT = 190
NOTE_X = WIDTH + 18


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of observation.

    Parameters
    ----------
    heading : str
        What was seen, and its unit.
    points : rows (observation,)
        `year` (decimal, rising), `value`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10 of the
        unit), `inside_90`.
    notes : sequence of (text, whether it is the main one)
        What is written beside the plot.
    """

    heading: str
    points: Sequence[Row]
    notes: Sequence[tuple[str, bool]]


def draw_predictive(series: Sequence[Series], *, title: str, run: RunLabel, subtitle: str = "") -> vega.Spec:
    """Draw each kind of observation in a plot of its own, under one another on common years.

    Points outside the 90 % band are hollow diamonds, the others discs.

    Parameters
    ----------
    series : sequence of Series
        From the top down.
    title, subtitle : str
        What the chart shows.
    run : RunLabel
        The run that the tables come from, for the footer.
    """
    years = [row_number(row, "year", table="points") for each in series for row in each.points]
    spare = 0.02 * max(max(years) - min(years), 1.0)
    ends = (min(years) - spare, max(years) + spare)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "predictive median"),
        ("band", strong, "50 %"),
        ("band", pale, "90 % of what the fitted model would show"),
        ("point", style.INK, "seen"),
    ]
    legend = style.legend_layers(entries, x=-GUTTER, y=0)
    last = -GUTTER + sum(24 + style.text_width(text) + 18 for _, _, text in entries)
    legend.append(style.pixel_layer([{"x": last + 9, "y": 0}], mark=outside_mark()))
    legend += style.text_layers([Text(["seen, outside 90 %"], last + 24, 0, style.QUIET)])
    views = [vega.view(legend, width=10, height=4)]
    views += [_plot(each, ends=ends) for each in series]
    views.append(style.footer(run, x=-GUTTER, width=GUTTER + WIDTH + RIGHT))
    return style.stacked(views, title=title, subtitle=subtitle, width=GUTTER + WIDTH + RIGHT)


def outside_mark() -> vega.Spec:
    """Make the mark of what lies outside a band: a hollow diamond, told apart in grey by its shape."""
    return {
        "type": "point",
        "shape": "diamond",
        "size": 80,
        "fill": style.PAPER,
        "stroke": style.VERMILION,
        "strokeWidth": 2,
        "opacity": 1,
    }


def _plot(series: Series, *, ends: tuple[float, float]) -> vega.Spec:
    keys = ("year", "value", "lower_90", "lower_50", "median", "upper_50", "upper_90")
    rows = row_columns(series.points, *keys, table="points")
    levels = [row_number(row, key, table="points") for row in rows for key in keys[1:]]
    margin = 0.04 * max(max(levels) - min(levels), 0.5)
    frame = Frame(*ends, min(levels) - margin, max(levels) + margin, height=HEIGHT, gutter=GUTTER, width=WIDTH)
    layers = []
    for fill, level in zip(style.band_tints(2), (90, 50), strict=True):
        area = {"type": "area", "color": fill, "opacity": 1}
        upper = vega.y2(f"upper_{level}")
        layers.append(style.layer(rows, frame.x("year"), frame.y(f"lower_{level}"), upper, mark=area))
    line = {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 2.5}
    layers.append(style.layer(rows, frame.x("year"), frame.y("median"), mark=line))
    for inside, mark in ((True, style.point_mark()), (False, outside_mark())):
        mine = [row for row, given in zip(rows, series.points, strict=True) if bool(given["inside_90"]) is inside]
        layers += [style.layer(mine, frame.x("year"), frame.y("value"), mark=mark)] if mine else []
    texts = [Text([series.heading], -GUTTER, -18, bold=True), *frame.texts()]
    y = style.LINE_HEIGHT / 2
    for note, main in series.notes:
        lines = style.wrapped(note, width=26)
        middle = y + style.LINE_HEIGHT * (len(lines) - 1) / 2
        texts.append(Text(lines, NOTE_X, middle, style.INK if main else style.QUIET, bold=main))
        y += style.LINE_HEIGHT * len(lines) + 4
    return vega.view([*layers, *style.text_layers(texts)], width=WIDTH, height=HEIGHT)

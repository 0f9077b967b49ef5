"""The chart of what binds; and what charts with labels at their right ends share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.errors import InputError, number
from simulator.figure import Row
from simulator.run_label import RunLabel
from simulator.words import percent

WIDTH = 600
LABEL_X = WIDTH + 32
COLUMN = 50
POWER_COLUMN = 66
NAME_CHARACTERS = 30
HEADING_Y = -20.0
GUTTER = 56.0
PANEL_HEIGHT = 130.0


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


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill: a colour of the palette, and how much of it covers the paper."""

    color: str
    opacity: float


FILLS = (
    Fill(style.BLUE, 1.0), Fill(style.VERMILION, 0.75), Fill(style.DARK_BLUE, 0.9), Fill(style.BLUE, 0.35),
    Fill(style.VERMILION, 0.3), Fill(style.QUIET, 0.6), Fill(style.QUIET, 0.25),
)  # fmt: skip
"""Neighbours differ in grey too."""


def draw_binding(rows: Sequence[Row], *, title: str, subtitle: str, run: RunLabel) -> vega.Spec:
    """Draw the share of the samples in which each limit binds, one panel for each subject, on the same years.

    Parameters
    ----------
    rows : rows (subject, limit, year)
        `subject` and `limit` (names), `year`, `share` (0 to 1; the shares on one subject add up to at most 1).
    title, subtitle : str
        What is seen.
    run : RunLabel

    Examples
    --------
    >>> rows = [{"subject": "spending", "limit": "cap", "year": year, "share": 0.1} for year in (2025, 2030)]
    >>> chart = draw_binding(rows, title="Few", subtitle="", run=RunLabel("3f9a2c1", "few", seed=1, samples=9))
    >>> len(chart["vconcat"])
    2
    """
    subjects = list(dict.fromkeys(str(row["subject"]) for row in rows))
    views = [_panel([row for row in rows if row["subject"] == subject], subject=subject) for subject in subjects]
    width = GUTTER + LABEL_X + COLUMN + 190
    foot = style.footer(run, x=-GUTTER, width=width)
    return style.stacked([*views, foot], title=title, subtitle=subtitle, width=width)


def _panel(rows: Sequence[Row], *, subject: str) -> vega.Spec:
    """Draw the limits on one subject, the one that binds most in the last year at the bottom."""
    years = sorted({numeric(row, "year") for row in rows})
    shares: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: numeric(row, "year")):
        shares.setdefault(str(row["limit"]), []).append(numeric(row, "share"))
    order = sorted(shares, key=lambda name: (-shares[name][-1], -max(shares[name]), name))
    idle = sum(max(shares[name]) == 0.0 for name in order)
    order = order[: len(order) - idle] or order[:1]  # one area carries the axes
    none = ("none binds", *([f"({idle} of the limits in no year)"] if idle else []))
    lines = {name: _label_lines(name, shares[name], years=years) for name in order}
    height = max(PANEL_HEIGHT, label_height([line for name in order for line in lines[name]] + [*none]))
    layers = []
    labels = []
    below = [0.0] * len(years)
    for place, name in enumerate(order):
        above = [low + 100 * share for low, share in zip(below, shares[name], strict=True)]
        table: style.Data = [
            {"year": year, "low": low, "high": high} for year, low, high in zip(years, below, above, strict=True)
        ]
        fill = FILLS[place % len(FILLS)]
        layers.append(style.layer(table, year_channel(years), _share_channel(), vega.y2("high"), mark=area_mark(fill)))
        middle = height * (1 - (below[-1] + above[-1]) / 200)
        if max(shares[name]) > 0.0:
            labels.append(EndLabel(middle, (percent(shares[name][-1]),), lines[name]))
        below = above
    rest = height * (1 - (below[-1] + 100) / 200)
    labels.append(EndLabel(rest, (percent(max(0.0, 1 - below[-1] / 100)),), none, style.QUIET))
    heading = style.Text([f"limits on {subject.replace('_', ' ')}"], -GUTTER, HEADING_Y, bold=True)
    layers += style.text_layers([heading])
    layers += end_labels(labels[::-1], height=height)
    return vega.view(layers, width=WIDTH, height=height)


def _share_channel() -> vega.Channel:
    scale = vega.linear_scale(0, 100)
    axis = {"values": [0, 25, 50, 75, 100], "labelExpr": "datum.value + ' %'", "title": None}
    return vega.y("low", scale=scale, axis=axis)


def _label_lines(name: str, shares: Sequence[float], *, years: Sequence[float]) -> tuple[str, ...]:
    """Write the name of a limit, and when it binds most where that is long before the last year."""
    most = max(shares)
    lines = style.wrapped(name, width=NAME_CHARACTERS)
    if most > shares[-1] + 0.05:
        lines.append(f"most: {percent(most)} in {number(years[shares.index(most)])}")
    return tuple(lines)


# ----------------------------------------------------------------------------------------- what such charts share


def year_channel(years: Sequence[float], column: str = "year") -> vega.Channel:
    """Make the channel of time: from the first to the last of the years."""
    scale = vega.linear_scale(years[0], years[-1])
    return vega.x(column, scale=scale, axis=style.year_axis(years[0], years[-1]))


def area_mark(fill: Fill) -> vega.Spec:
    """Make the mark of one of several stacked areas, set apart by a fine line."""
    return {"type": "area", "color": fill.color, "opacity": fill.opacity, "stroke": style.PAPER, "strokeWidth": 0.8}


def label_height(lines: Sequence[str]) -> float:
    """Tell the height that labels of so many lines take together, with the gaps between them."""
    return (style.LINE_HEIGHT + 3.0) * len(lines)


def label_middles(labels: Sequence[EndLabel], *, height: float) -> list[float]:
    """Tell where labels stand, from the top down, each as near to its end as room allows; pixels.

    Examples
    --------
    >>> close = [EndLabel(y, (), (name,)) for y, name in ((50.0, "power"), (52.0, "data"))]
    >>> label_middles(close, height=200.0)
    [42.0, 60.0]
    """
    wanted = [min(max(label.y, 0.0), height) for label in labels]
    heights = [style.LINE_HEIGHT * len(label.lines) + 3.0 for label in labels]
    return style.spread_labels(wanted, heights=heights, top=-8.0, bottom=height + 8.0)


def end_labels(
    labels: Sequence[EndLabel], *, height: float, x: float = LABEL_X, bend: float = WIDTH + 8, indent: float = 0.0
) -> list[vega.Spec]:
    """Place labels beside the plot, with leader lines.

    Parameters
    ----------
    labels : sequence of EndLabel
        From the top down.
    height : float, pixels
        Of the plot.
    x : float, pixels
        Where the labels begin.
    bend : float, pixels
        How far the leader lines run straight.
    indent : float, pixels
        Room to leave before the names.
    """
    leaders: style.Data = []
    texts = []
    for place, (label, end) in enumerate(zip(labels, label_middles(labels, height=height), strict=True)):
        start = min(max(label.y, 0.0), height)
        corners = ((WIDTH + 2, start), (bend, start), (x - 8, end), (x - 3, end))
        leaders += [{"detail": place, "x": across, "y": down} for across, down in corners]
        right = x
        for value in label.values:
            right += COLUMN
            texts.append(style.Text([value], right - 8, end, label.color, bold=label.bold, align="right"))
        if label.power is not None:
            right += POWER_COLUMN
            texts += style.power_texts(label.power, right=right - 8, y=end, color=label.color)
        texts.append(style.Text(label.lines, right + indent, end, label.color, bold=label.bold))
    mark = {"type": "line", "color": style.QUIET, "strokeWidth": 0.8}
    return [*([style.pixel_layer(leaders, mark=mark)] if leaders else []), *style.text_layers(texts)]


def numeric(row: Row, key: str) -> float:
    """Read a number of a table.

    Raises
    ------
    InputError
        There is none, or one that is not finite.

    Examples
    --------
    >>> numeric({"limit": "power", "share": 0.65}, "share")
    0.65
    >>> numeric({"limit": "power"}, "share")
    Traceback (most recent call last):
    simulator.errors.InputError: share: must be a finite number in every row of a table; got None in ...
    """
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(
            f"{key}: must be a finite number in every row of a table; got {value!r} in {dict(row)}. "
            "A chart cannot place it: check the table that the chart is drawn from."
        )
    return float(value)

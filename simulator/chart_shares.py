"""The chart of shares of variance over the years: stacked areas up to 1, each with its name, and what is left."""

from __future__ import annotations

from collections.abc import Sequence

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_binding import (
    COLUMN,
    GUTTER,
    HEADING_Y,
    LABEL_X,
    WIDTH,
    EndLabel,
    Fill,
    area_mark,
    end_labels,
    label_height,
    numeric,
    year_channel,
)
from simulator.errors import InputError, number
from simulator.figure import Row
from simulator.words import percent

HEIGHT = 400.0
NAME_CHARACTERS = 36
INTERVAL_COLUMN = 62.0
FILLS = (
    Fill(style.BLUE, 1.0), Fill(style.ORANGE, 0.85), Fill(style.DARK_BLUE, 0.9), Fill(style.SKY, 0.8),
    Fill(style.VERMILION, 0.85), Fill(style.PURPLE, 0.6), Fill(style.GREEN, 0.9),
)  # fmt: skip
"""Neighbours differ in grey too."""
REST = {"others": Fill(style.QUIET, 0.45), "interactions": Fill(style.QUIET, 0.15)}


def draw_shares(rows: Sequence[Row], *, title: str, subtitle: str, heading: str, foot: Sequence[str]) -> vega.Spec:
    """Draw shares of variance.

    Parameters
    ----------
    rows : rows (part, year)
        `part` (name), `label`, `kind` (`input`, `others` or `interactions`), `year`, `share` (0 to 1, adding up to 1 in
        each year), `lower` and `upper` (90 % bounds, or None). In the order in which they are stacked, from the bottom.
    title, subtitle, heading : str
        What is seen, and what the axis says.
    foot : sequence of str
        The lines below the chart.

    Raises
    ------
    InputError
        There are fewer than two years, or a row lacks a number.

    Examples
    --------
    >>> rows = [
    ...     {"part": "a", "label": "a", "kind": "input", "year": year, "share": 1.0, "lower": None, "upper": None}
    ...     for year in (2025, 2030)
    ... ]
    >>> len(draw_shares(rows, title="Shares", subtitle="", heading="share", foot=["few"])["vconcat"])
    2
    """
    years = sorted({numeric(row, "year") for row in rows})
    if len(years) < 2:
        raise InputError("shares: year: must be two or more years.")
    width = GUTTER + LABEL_X + COLUMN + INTERVAL_COLUMN + 230
    view = _plot(rows, years=years, heading=heading)
    return style.framed(view, title=title, subtitle=subtitle, foot=foot, width=width, x=-GUTTER)


def _plot(rows: Sequence[Row], *, years: Sequence[float], heading: str) -> vega.Spec:
    parts: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: numeric(row, "year")):
        parts.setdefault(str(row["part"]), []).append(row)
    order = list(dict.fromkeys(str(row["part"]) for row in rows))
    fills = _fills([(name, str(parts[name][0]["kind"])) for name in order])
    lines = {name: _label_lines(parts[name], years=years) for name in order}
    height = max(HEIGHT, label_height([line for name in order for line in lines[name]]))
    layers, labels, intervals = [], [], []
    below = [0.0] * len(years)
    for name in order:
        above = [low + numeric(row, "share") for low, row in zip(below, parts[name], strict=True)]
        table: style.Data = [
            {"year": year, "low": 100 * low, "high": 100 * high}
            for year, low, high in zip(years, below, above, strict=True)
        ]
        mark = area_mark(fills[name])
        layers.append(style.layer(table, year_channel(years), _share_channel(), vega.y2("high"), mark=mark))
        last = parts[name][-1]
        quiet = last["kind"] != "input"
        middle = height * (1 - (below[-1] + above[-1]) / 2)
        color = style.QUIET if quiet else style.INK
        labels.append(EndLabel(middle, (percent(numeric(last, "share")),), lines[name], color))
        intervals.append(_interval(last))
        below = above
    layers += style.text_layers(_headings(heading, last=years[-1]))
    layers += end_labels(_with_intervals(labels, intervals)[::-1], height=height)
    return vega.view(layers, width=WIDTH, height=height)


def _label_lines(rows: Sequence[Row], *, years: Sequence[float]) -> tuple[str, ...]:
    """Write the name of a part, and when it is largest where that is far from its last share."""
    shares = [numeric(row, "share") for row in rows]
    most = max(shares)
    lines = style.wrapped(str(rows[0]["label"]), width=NAME_CHARACTERS)
    if rows[0]["kind"] == "input" and most > shares[-1] + 0.05:
        lines.append(f"most: {percent(most)} in {number(years[shares.index(most)])}")
    return tuple(lines)


def _with_intervals(labels: Sequence[EndLabel], intervals: Sequence[str]) -> list[EndLabel]:
    """Put the intervals into the second column of the labels."""
    return [
        EndLabel(label.y, (*label.values, interval), label.lines, label.color)
        for label, interval in zip(labels, intervals, strict=True)
    ]


def _headings(heading: str, *, last: float) -> list[style.Text]:
    return [
        style.Text([heading], -GUTTER, HEADING_Y, bold=True),
        style.Text([number(last)], LABEL_X + COLUMN - 8, HEADING_Y, style.QUIET, align="right"),
        style.Text(["90 %"], LABEL_X + 2 * COLUMN - 8, HEADING_Y, style.QUIET, align="right"),
    ]


def _interval(row: Row) -> str:
    if row.get("lower") is None or row.get("upper") is None:
        return ""
    low, high = f"{100 * numeric(row, 'lower'):.0f}", f"{100 * numeric(row, 'upper'):.0f}"
    return f"{low}–{high}".replace("-", "−") if low != high else low.replace("-", "−")


def _share_channel() -> vega.Channel:
    scale = vega.linear_scale(0, 100)
    axis = {"values": [0, 25, 50, 75, 100], "labelExpr": "datum.value + ' %'", "title": None}
    return vega.y("low", scale=scale, axis=axis)


def _fills(parts: Sequence[tuple[str, str]]) -> dict[str, Fill]:
    named = [name for name, kind in parts if kind not in REST]
    return {name: REST[kind] if kind in REST else FILLS[named.index(name) % len(FILLS)] for name, kind in parts}

"""Shares of variance as tables and as charts over the years, from their dataset alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.analysis.shares_output import (
    METHOD_NAMES,
    METHOD_WORDS,
    Shares,
    _left_out,
    _percent,
    series_subjects,
    share_label,
    share_rows,
    subject_words,
)
from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.layout import (
    COLUMN,
    GUTTER,
    LABEL_X,
    LEGEND_Y,
    WIDTH,
    EndLabel,
    Fill,
    area_mark,
    end_labels,
    label_height,
    numeric,
    year_channel,
)
from simulator.charts.spec import Figure, Row
from simulator.errors import InputError, number
from simulator.wording import listed, percent

if TYPE_CHECKING:
    import xarray as xr


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
        style.Text([heading], -GUTTER, LEGEND_Y, bold=True),
        style.Text([number(last)], LABEL_X + COLUMN - 8, LEGEND_Y, style.QUIET, align="right"),
        style.Text(["90 %"], LABEL_X + 2 * COLUMN - 8, LEGEND_Y, style.QUIET, align="right"),
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


def share_figures(shares: Shares) -> list[Figure]:
    """Draw the shares of variance of each subject over the years; none of a subject that varies in fewer than two."""
    return [_figure(shares.dataset, subject) for subject in series_subjects(shares.dataset)]


def _figure(shares: xr.Dataset, subject: str) -> Figure:
    rows = share_rows(shares, subject)
    years = sorted({float(str(row["year"])) for row in rows})
    final = [row for row in rows if row["year"] == years[-1]]
    most = max((row for row in final if row["kind"] == "input"), key=lambda row: float(str(row["share"])))
    about = subject_words(subject, year=years[-1])
    title = f"{_percent(most)} of the variance of {about} comes from {most['label']}"
    if final[-1]["kind"] == "interactions" and float(str(final[-1]["share"])) > float(str(most["share"])):
        title = f"{_percent(final[-1])} of the variance of {about} comes from priors acting together"
    how = METHOD_WORDS[str(shares.attrs["method"])]
    said = listed([f"{row['label']} {_percent(row)}" for row in final])
    caption = f"{title}. All parts: {said}. {how}"
    left_out = _left_out(shares, subject)
    if left_out:
        caption += f" Left out, for too few samples differ: {left_out}."
    alt_text = (
        f"Stacked area chart. Along: years {number(years[0])} to {number(years[-1])}. Up: shares of the variance of "
        f"{subject_words(subject)}, from 0 to 100 %. At the right, from the bottom: {said}."
    )
    chart = draw_shares(
        rows,
        title=title,
        subtitle=f"{shares.attrs['title']}: {shares.attrs['subject']}.\n{how}",
        heading=f"share of the variance of {'' if ':' in subject else 'log10 '}{subject_words(subject)}",
        foot=[share_label(shares), f"{METHOD_NAMES[str(shares.attrs['method'])]}: {shares.attrs['method_because']}."],
    )  # fmt: skip
    return Figure(f"shares_{re.sub(r'[^A-Za-z0-9]+', '_', subject)}", chart, {"": rows}, caption, alt_text)

"""When thresholds are crossed: the probability by year, the intervals, and the share that never does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.layout import (
    COLUMN,
    HEADING_Y,
    LEGEND_Y,
    WIDTH,
    EndLabel,
    end_labels,
    label_height,
    label_middles,
    numeric,
    year_channel,
)
from simulator.charts.reading import central_levels, drawn_years, subtitle
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.errors import InputError, number
from simulator.runs.groups import RunLabel, group, run_label
from simulator.runs.summary import PASSED
from simulator.runs.table import Table
from simulator.wording import listed, percent

if TYPE_CHECKING:
    import xarray as xr

HEIGHT = 330.0
NAME_CHARACTERS = 24
LABEL_CHARACTERS = 28
LANE = 7.0
MARK_ROOM = 16.0
COLORS = (style.BLUE, style.VERMILION, style.DARK_BLUE, style.GREEN, style.PURPLE)
DASHES: tuple[list[float], ...] = ([1, 0], [7, 3], [2, 2])
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")


@dataclass(frozen=True, slots=True)
class CrossingTables:
    """Hold the tables of the chart, each a sequence of rows.

    Parameters
    ----------
    curves : rows (threshold, year)
        `threshold` (name), `year` (decimal, ascending), `probability` of having crossed by then.
    crossings : rows (threshold,)
        In the order of drawing: `threshold`, `label`; `median`, `narrow_lower`, `narrow_upper`, `wide_lower`,
        `wide_upper` (decimal years; inf where the quantile is later than the horizon); `narrow_band`, `wide_band`
        (levels, as "90 %"); `not_by` (share of the samples not crossed by the last year); `first_year`, `last_year`
        (of the drawing), `start`, `horizon` (of the run).
    """

    curves: Sequence[Row]
    crossings: Sequence[Row]


@dataclass(frozen=True, slots=True)
class _Look:
    """How a threshold is told apart: by a colour, a dash and a mark."""

    color: str
    dash: list[float]
    shape: str
    fill: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """Years along; the room beside the plot, pixels."""

    first: float
    last: float
    horizon: float
    gutter: float
    height: float
    label_x: float
    bend: float

    @property
    def years(self) -> list[float]:
        return [self.first, self.last]

    def pixel(self, year: float) -> float:
        return WIDTH * (year - self.first) / (self.last - self.first)

    @property
    def word(self) -> str:
        return "never" if self.last == self.horizon else "not"


def draw_crossings(tables: CrossingTables, *, title: str, subtitle: str, run: RunLabel) -> vega.Spec:
    """Draw the probability of having crossed each threshold by year, and below it the intervals.

    Each curve has a mark at its median year and a label at its right end. Bars between the plot and the labels span
    what is missing to 100 %: the samples that never cross. Below, on the same years, one row for each threshold;
    arrows mark intervals that go on beyond the last year.

    Parameters
    ----------
    tables : CrossingTables
    title, subtitle : str
        What is seen.
    run : RunLabel

    Raises
    ------
    InputError
        There are no thresholds, or a row lacks a number or a text.

    Examples
    --------
    >>> curve = [{"threshold": "a", "year": year, "probability": share} for year, share in ((2025, 0.0), (2030, 0.4))]
    >>> row = {"threshold": "a", "label": "A", "narrow_band": "50 %", "wide_band": "90 %", "not_by": 0.6}
    >>> row |= {"median": float("inf"), "narrow_lower": 2028.0, "narrow_upper": float("inf"), "wide_lower": 2026.0}
    >>> row |= {"wide_upper": float("inf"), "first_year": 2025, "last_year": 2030, "start": 2025, "horizon": 2030}
    >>> run = RunLabel("3f9a2c1", "few", seed=1, samples=9)
    >>> len(draw_crossings(CrossingTables(curve, [row]), title="", subtitle="", run=run)["vconcat"])
    3
    """
    if not tables.crossings:
        raise InputError("crossings: there are no thresholds to draw.")
    looks = {str(row["threshold"]): _look(place) for place, row in enumerate(tables.crossings)}
    frame = _frame(tables.crossings)
    width = frame.gutter + frame.label_x + COLUMN + MARK_ROOM + 180
    views = [
        _curves(tables, looks=looks, frame=frame),
        _strip(tables.crossings, looks=looks, frame=frame),
        style.footer(run, x=-frame.gutter, width=width),
    ]
    return style.stacked(views, title=title, subtitle=subtitle, width=width)


def _look(place: int) -> _Look:
    """Choose the look of the n-th threshold: no two of twelve share colour and dash, or shape and fill."""
    color = COLORS[place % len(COLORS)]
    filled = place // len(SHAPES) % 2 == 0
    return _Look(
        color, DASHES[place // len(COLORS) % len(DASHES)], SHAPES[place % len(SHAPES)], color if filled else style.PAPER
    )


def _frame(crossings: Sequence[Row]) -> _Frame:
    names = [line for row in crossings for line in style.wrapped(str(row["label"]), width=NAME_CHARACTERS)]
    labels = [line for row in crossings for line in style.wrapped(str(row["label"]), width=LABEL_CHARACTERS)]
    first, last, horizon = (numeric(crossings[0], key) for key in ("first_year", "last_year", "horizon"))
    lanes = max(LANE * len(_gaps(crossings)), 0.0)
    return _Frame(
        first, last, horizon, gutter=max([56.0, *(style.text_width(name) + 34 for name in names)]),
        height=max(HEIGHT, label_height(labels)), label_x=WIDTH + 44 + lanes, bend=WIDTH + 12 + lanes,
    )  # fmt: skip


def _gaps(crossings: Sequence[Row]) -> list[Row]:
    """List the thresholds that some samples do not cross, the most often crossed first."""
    gaps = [row for row in crossings if numeric(row, "not_by") >= 0.001]
    return sorted(gaps, key=lambda row: numeric(row, "not_by"))


def _curves(tables: CrossingTables, *, looks: dict[str, _Look], frame: _Frame) -> vega.Spec:
    """Draw the curves, their marks and labels, and what is missing to 100 %."""
    scale = vega.linear_scale(0, 100)
    axis = {"values": [0, 25, 50, 75, 100], "labelExpr": "datum.value + ' %'", "title": None}
    y = vega.y("percent", scale=scale, axis=axis)
    layers = []
    for name, look in reversed(looks.items()):
        table: style.Data = [
            {"year": numeric(row, "year"), "percent": 100 * numeric(row, "probability")}
            for row in tables.curves
            if row["threshold"] == name
        ]
        mark = {"type": "line", "color": look.color, "strokeWidth": 2.2, "strokeDash": look.dash}
        layers.append(style.layer(table, year_channel(frame.years), y, mark=mark))
    marks: style.Data = []
    for row in tables.crossings:
        median = _year(row, "median")
        if frame.first < median <= frame.last:
            marks.append(_mark_row(looks[str(row["threshold"])], frame.pixel(median), frame.height / 2))
    labels = []
    ends = sorted(tables.crossings, key=lambda row: numeric(row, "not_by"))
    for row in ends:
        missing = numeric(row, "not_by")
        lines = tuple(style.wrapped(str(row["label"]), width=LABEL_CHARACTERS))
        labels.append(EndLabel(frame.height * missing, (percent(1 - missing),), lines))
    for row, middle in zip(ends, label_middles(labels, height=frame.height), strict=True):
        marks.append(_mark_row(looks[str(row["threshold"])], frame.label_x + COLUMN + 4, middle))
    heads = [
        style.Text(["probability of having crossed"], -frame.gutter, HEADING_Y, bold=True),
        style.Text([f"by {number(frame.last)}"], frame.label_x + COLUMN + MARK_ROOM, LEGEND_Y, style.QUIET),
    ]
    return vega.view(
        [
            *layers,
            *end_labels(labels, height=frame.height, x=frame.label_x, bend=frame.bend, indent=MARK_ROOM),
            *_missing(tables.crossings, looks=looks, frame=frame),
            *_mark_layers(marks),
            *style.text_layers(heads),
            *style.legend_layers(
                [("dot", style.INK, "median year"), ("bracket", style.QUIET, f"{frame.word} by {number(frame.last)}")],
                x=-frame.gutter, y=LEGEND_Y,
            ),
        ],
        width=WIDTH, height=frame.height,
    )  # fmt: skip


def _missing(crossings: Sequence[Row], *, looks: dict[str, _Look], frame: _Frame) -> list[vega.Spec]:
    """Draw a bar from the end of each curve up to 100 %, side by side, with a foot."""
    bars: style.Data = []
    for lane, row in enumerate(_gaps(crossings)):
        x, color = WIDTH + 10 + LANE * lane, looks[str(row["threshold"])].color
        end = frame.height * numeric(row, "not_by")
        bars.append({"x": x, "x2": x + 3.5, "y": 0.0, "y2": end, "color": color})
    return [style.pixel_layer(bars, mark={"type": "rect"})] if bars else []


def _mark_row(look: _Look, x: float, y: float) -> dict[str, object]:
    return {"x": x, "y": y, "shape": look.shape, "color": look.color, "fill": look.fill}


def _mark_layers(rows: style.Data) -> list[vega.Spec]:
    """Draw marks, each in its shape, with a rim of paper so that they stand out on lines."""
    if not rows:
        return []
    places = (vega.x("x"), vega.y("y"), vega.as_given("shape", "shape"))
    rim = {
        "type": "point",
        "size": 62,
        "filled": True,
        "fill": style.PAPER,
        "stroke": style.PAPER,
        "strokeWidth": 4.5,
        "opacity": 1,
    }
    mark = {"type": "point", "size": 62, "strokeWidth": 1.7, "opacity": 1}
    colors = (vega.as_given("fill", "fill"), vega.as_given("stroke", "color"))
    return [style.layer(rows, *places, mark=rim), style.layer(rows, *places, *colors, mark=mark)]


def _strip(crossings: Sequence[Row], *, looks: dict[str, _Look], frame: _Frame) -> vega.Spec:
    """Draw the intervals of the crossing years, one row for each threshold."""
    names = [style.wrapped(str(row["label"]), width=NAME_CHARACTERS) for row in crossings]
    edges, middles = [0.0], []
    for name in names:
        height = 10.0 + style.LINE_HEIGHT * len(name)
        middles.append(edges[-1] + height / 2)
        edges.append(edges[-1] + height)
    left, columns = -frame.gutter, (WIDTH + 18.0, WIDTH + 84.0, WIDTH + 204.0)
    separators: style.Data = [{"x": left, "x2": columns[2] + 84, "y": edge} for edge in edges]
    wide = str(crossings[0]["wide_band"])
    texts = [style.Text(["year of crossing"], left, HEADING_Y, bold=True)]
    for head, x in zip(("median", wide, f"{frame.word} by {number(frame.last)}"), columns, strict=True):
        texts.append(style.Text([head], x, LEGEND_Y, style.QUIET))
    marks: style.Data = []
    for row, name, y in zip(crossings, names, middles, strict=True):
        texts.append(style.Text(name, left + 20, y))
        texts.append(style.Text([year_text(row, "median")], columns[0], y, bold=True))
        texts.append(style.Text([_range_text(row)], columns[1], y, style.QUIET))
        texts.append(style.Text([percent(numeric(row, "not_by"))], columns[2], y, style.QUIET))
        look = looks[str(row["threshold"])]
        marks.append(_mark_row(look, left + 7, y))
        median = _year(row, "median")
        if frame.first <= median <= frame.last:
            marks.append(_mark_row(look, frame.pixel(median), y))
    layers = [
        style.pixel_layer(separators, mark={"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
        *_bars(crossings, looks=looks, middles=middles, frame=frame),
        *_mark_layers(marks),
        *style.text_layers(texts),
        *style.legend_layers(_strip_legend(crossings, frame=frame), x=left, y=LEGEND_Y),
    ]
    return vega.view(layers, width=WIDTH, height=edges[-1])


def _strip_legend(crossings: Sequence[Row], *, frame: _Frame) -> list[style.LegendEntry]:
    narrow, wide = str(crossings[0]["narrow_band"]), str(crossings[0]["wide_band"])
    entries: list[style.LegendEntry] = [("line", style.QUIET, f"{wide} of the samples")]
    entries = [("bar", style.QUIET, narrow), *entries] if narrow != wide else entries
    if any(_goes_on(row, frame=frame) for row in crossings):
        entries.append(("arrow", style.VERMILION, f"goes on after {number(frame.last)}"))
    return entries


def _bars(
    crossings: Sequence[Row], *, looks: dict[str, _Look], middles: Sequence[float], frame: _Frame
) -> list[vega.Spec]:
    """Draw the intervals; one that reaches beyond the last year runs to the edge and has an arrow."""
    bars: style.Data = []
    arrows: style.Data = []
    for row, y in zip(crossings, middles, strict=True):
        color = looks[str(row["threshold"])].color
        for key, thickness in (("wide", 2), ("narrow", 7)):
            start, end = _year(row, f"{key}_lower"), _year(row, f"{key}_upper")
            if start <= frame.last and end >= frame.first:
                ends = {"from": max(start, frame.first), "to": min(end, frame.last)}
                bars.append({"threshold": row["threshold"], "y": y, **ends, "width": thickness, "color": color})
        if _goes_on(row, frame=frame):
            arrows.append({"x": WIDTH + 5, "y": y})
    # Drawn even where it is empty, for it carries the axis.
    layers = [
        style.layer(
            bars, year_channel(frame.years, "from"), vega.x2("to"),
            vega.y("y"),
            vega.line_widths("width"), vega.as_given("stroke", "color"),
            mark={"type": "rule"},
        )
    ]  # fmt: skip
    return [*layers, style.pixel_layer(arrows, mark=style.arrow_mark())] if arrows else layers


def _year(row: Row, key: str) -> float:
    """Read a quantile of the crossing year; inf where it is later than the horizon."""
    return math.inf if row.get(key) in (None, math.inf) else numeric(row, key)


def _goes_on(row: Row, *, frame: _Frame) -> bool:
    return _year(row, "wide_upper") > frame.last


def year_text(row: Row, key: str) -> str:
    """Write the calendar year of a quantile, or that it is outside the years of the run.

    Examples
    --------
    >>> year_text({"median": 2031.7, "start": 2025.5, "horizon": 2045}, "median")
    '2031'
    >>> year_text({"median": float("inf"), "start": 2025.5, "horizon": 2045}, "median")
    '> 2045'
    """
    year = _year(row, key)
    if year == math.inf:
        return f"> {number(numeric(row, 'horizon'))}"
    if year <= numeric(row, "start"):
        return f"≤ {number(year)}"
    return str(math.floor(year + 1e-6))  # a crossing at the turn of the year belongs to the new one


def _range_text(row: Row) -> str:
    lower, upper = year_text(row, "wide_lower"), year_text(row, "wide_upper")
    return lower if lower == upper else f"{lower} to {upper}"


MOST_SAID = 8
"""Thresholds that a caption lists."""


def crossing_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the probability of having crossed each threshold by year, and the intervals of the crossing years.

    Parameters
    ----------
    run : xarray.DataTree
        With samples or without.
    options : FigureOptions
        `bands`: the narrowest and the widest are drawn as intervals; `years` chooses the years.

    Returns
    -------
    list of one Figure, `crossings`

    Raises
    ------
    InputError
        The run has no thresholds, or its summary not the quantiles of a band.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> crossing_figures(run, FigureOptions())[0].name
    'crossings'
    """
    tables = crossing_tables(run, bands=options.bands, years=options.years)
    rows = tables.crossings
    first, last = numeric(rows[0], "first_year"), numeric(rows[0], "last_year")
    title = _title(rows, first=first, last=last)
    ahead = [row for row in rows if numeric(row, "already") < PASSED] or rows
    listing = [f"{row['label']} {year_text(row, 'median')} ({_not_by(row)})" for row in ahead[:MOST_SAID]]
    more = f", and {len(ahead) - MOST_SAID} more in the table" if len(ahead) > MOST_SAID else ""
    caption = (
        f"{title}. Median years, and shares of the samples that do not cross by {number(last)}: "
        f"{', '.join(listing)}{more}. An interval that reaches those samples has no end."
    )
    ends = [f"{row['label']} {percent(1 - numeric(row, 'not_by'))}" for row in rows]
    curves = "one rising curve" if len(rows) == 1 else f"{len(rows)} rising curves, one for each threshold"
    alt_text = (
        f"Line chart of {curves}, over a table of intervals of the crossing years. "
        f"Along: years {number(first)} to {number(last)}. Up: probability of having crossed, 0 to 100 %. "
        f"In {number(last)}: {listed(ends)}."
    )
    chart = draw_crossings(
        tables,
        title=title,
        subtitle=f"{subtitle(run)}.\nProbability of having crossed each threshold; its mark stands at the median year.",
        run=run_label(run),
    )
    return [
        Figure(
            "crossings",
            chart,
            {"": Table.of_rows(tables.crossings), "probability": Table.of_rows(tables.curves)},
            caption,
            alt_text,
        )
    ]


def crossing_tables(run: xr.DataTree, *, bands: Sequence[float], years: tuple[float, float] | None) -> CrossingTables:
    """Tabulate the curves and the intervals of the crossing years, the earliest threshold first.

    Raises
    ------
    InputError
        The run has no thresholds, no band is asked for or one that its summary does not have, or fewer than two years
        lie within `years`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("doubling-times"))
    >>> [row["label"] for row in crossing_tables(run, bands=[0.5, 0.9], years=None).crossings]
    ['AlexNet', '300,000x AlexNet']
    """
    summary = group(run, "summary")
    if "crossed" not in summary:
        raise InputError(
            "crossings: this run has no thresholds, so nothing can be crossed. "
            "Add some under thresholds in its scenario and run it again."
        )
    if not bands:
        raise InputError("bands: one or more central bands are needed, such as 0.9; got none.")
    levels = summary["quantile"].values.tolist()
    every = summary["year"].values
    places = drawn_years(summary, years)
    first, last = float(every[places[0]]), float(every[places[-1]])
    ends = {name: central_levels(levels, band) for name, band in (("narrow", min(bands)), ("wide", max(bands)))}
    rows: list[Row] = []
    for t, name in enumerate(summary["threshold"].values.tolist()):
        quantiles = dict(zip(levels, _quantiles(summary, t).tolist(), strict=True))
        intervals = {
            f"{name}_{end}": quantiles[level]
            for name, pair in ends.items()
            for end, level in zip(("lower", "upper"), pair, strict=True)
        }
        rows.append({
            "threshold": name,
            "label": str(summary["label"].values[t]),
            "median": quantiles[0.5],
            **intervals,
            "narrow_band": f"{100 * min(bands):g} %",
            "wide_band": f"{100 * max(bands):g} %",
            "not_by": 1.0 - float(summary["crossed"].values[t, places[-1]]),
            "never": float(summary["never"].values[t]),
            "already": float(summary["already"].values[t]),
            "first_year": first,
            "last_year": last,
            "start": float(every[0]),
            "horizon": float(every[-1]),
        })  # fmt: skip
    rows.sort(key=_order)
    curves = {
        name: _curve(summary, t, first=first, last=last) for t, name in enumerate(summary["threshold"].values.tolist())
    }
    return CrossingTables([point for row in rows for point in curves[str(row["threshold"])]], rows)


def _quantiles(summary: xr.Dataset, t: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Give the quantiles of a crossing year; exactly the start for those of samples that are above at the start."""
    started = summary["quantile"].values <= float(summary["already"].values[t])
    return np.where(started, float(summary["year"].values[0]), summary["crossing_quantile"].values[t])


def _order(row: Row) -> tuple[float, float, float, str]:
    """Sort the thresholds by their median year; those without one by the share that does not cross."""
    lower = row["wide_lower"]
    return (float(str(row["median"])), numeric(row, "not_by"), float(str(lower)), str(row["threshold"]))


def _curve(summary: xr.Dataset, t: int, *, first: float, last: float) -> list[Row]:
    """List the points at which the distribution of a crossing year is known: at whole steps, and at its quantiles."""
    years = summary["year"].values.astype(float)
    shares = summary["crossed"].values[t]
    quantiles, levels = _quantiles(summary, t), summary["quantile"].values
    inside = np.isfinite(quantiles) & (quantiles > years[0])
    if inside.all() and quantiles[0] == quantiles[-1]:  # a single date: the curve is a step
        levels = np.linspace(0.0, 1.0, levels.size)
    at = np.concatenate([years, quantiles[inside]])
    share = np.concatenate([shares, levels[inside]])
    order = np.lexsort((share, at))
    # Quantiles are interpolated between samples, or known to a narrow bin: they may miss the shares by a hair.
    at, share = at[order], np.maximum.accumulate(share[order])
    after = np.searchsorted(years, at)
    share = np.minimum(share, shares[np.minimum(after, shares.size - 1)])
    kept = (at >= first) & (at <= last)
    name, label = str(summary["threshold"].values[t]), str(summary["label"].values[t])
    return [
        {"threshold": name, "label": label, "year": year, "probability": probability}
        for year, probability in zip(at[kept].tolist(), share[kept].tolist(), strict=True)
    ]


def _not_by(row: Row) -> str:
    return percent(numeric(row, "not_by"))


def _title(rows: Sequence[Row], *, first: float, last: float) -> str:
    """Say when the first and the last of the thresholds ahead are as likely as not crossed, and which hardly is."""
    ahead = [row for row in rows if numeric(row, "already") < PASSED]
    if not ahead:
        every = "The threshold is" if len(rows) == 1 else f"All {len(rows)} thresholds are"
        return f"{every} passed in {number(first)} already"
    crossed = {str(row["threshold"]): percent(1 - numeric(row, "not_by")) for row in ahead}
    rare = max(ahead, key=lambda row: numeric(row, "not_by"))
    best = min(ahead, key=lambda row: numeric(row, "not_by"))
    if numeric(best, "not_by") == 1.0:
        return f"No threshold ahead is crossed by {number(last)} in any sample"
    chance = f"{rare['label']} {crossed[str(rare['threshold'])]} by {number(last)}"
    even = [row for row in ahead if numeric(row, "start") < float(str(row["median"])) <= last]
    if not even:
        return (
            f"Crossed: {chance}"
            if best is rare
            else f"Crossed: {best['label']} {crossed[str(best['threshold'])]}, {chance}"
        )
    named = [even[0], *even[1:][-1:]]
    certain = all(row["wide_lower"] == row["wide_upper"] for row in named)
    said = "Crossed: " if certain else "Even odds of "
    said += " and ".join(f"{row['label']} in {year_text(row, 'median')}" for row in named)
    if numeric(rare, "not_by") < 0.01:
        return said
    return f"{said}, {crossed[str(rare['threshold'])]} by {number(last)}" if rare is named[-1] else f"{said}; {chance}"

"""When thresholds are crossed: the probability by year, the intervals, and the share that never does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.charts import layout, spec, style
from simulator.charts.frame import Frame, Interval, check_numbers, crossing_text, strip_view
from simulator.charts.reading import central_levels, drawn_years, run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import InputError, NothingToDraw, number
from simulator.runs.crossings import threshold_samples
from simulator.runs.groups import Dataset, Group, Run, differing_samples, group
from simulator.runs.summary import PASSED, component_samples, component_summaries, component_weights
from simulator.runs.table import Row, Table
from simulator.units import Array
from simulator.wording import listed, percent, share_text

HEIGHT = 330.0
NAME_CHARACTERS = 24
LABEL_CHARACTERS = 28
LABELS_X = layout.WIDTH + 44.0
"""Where the labels of curves begin."""
MARK_ROOM = 16.0
PART_ROW = 16.0
COLORS = (style.BLUE, style.VERMILION, style.DARK_BLUE, style.GREEN, style.PURPLE)
DASHES: tuple[list[float], ...] = ([1, 0], [7, 3], [2, 2])
_YEARS = ("median", "narrow_lower", "narrow_upper", "wide_lower", "wide_upper")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")


@dataclass(frozen=True, slots=True)
class CrossingTables:
    """The tables of the chart.

    curves: `threshold`, `year` (decimal, ascending), `probability` of having crossed by then. crossings, in the order
    of drawing: `threshold`, `label`; `median`, `narrow_lower`, `narrow_upper`, `wide_lower`, `wide_upper` (decimal
    years; inf: later than the horizon); `narrow_band`, `wide_band` ("90 %"); `not_by` (share of the
    samples not crossed by the last year), `samples` (that it is of; 1: all are
    alike); `first_year`, `last_year` (of the drawing), `start`, `horizon` (of the run).
    parts: the same of the parts of a mixture, with `part`, a name and its weight.
    """

    curves: Table
    crossings: Table
    parts: Table = field(default_factory=lambda: Table({}))


@dataclass(frozen=True, slots=True)
class _Look:
    """How a threshold is told apart: by a colour, a dash and a mark."""

    color: str
    dash: list[float]
    shape: str
    fill: str

    def at(self, x: float, y: float) -> dict[str, object]:
        """Place its mark."""
        return {"x": x, "y": y, "shape": self.shape, "color": self.color, "fill": self.fill}


def draw_crossings(tables: CrossingTables, *, head: Head) -> spec.Spec:
    """Draw the probability of having crossed each threshold by year, and below it the intervals.

    Each curve has a mark at its median year and a label at its right end. Below, on the same years, one
    row for each threshold; arrows mark intervals that go on beyond the last year.
    """
    if not tables.crossings:
        raise InputError("crossings: there are no thresholds to draw.")
    check_numbers(tables.curves, "year", "probability", of="curves")
    check_numbers(tables.crossings, "not_by", "samples", "first_year", "last_year", "start", "horizon", of="crossings")
    for of, table in (("crossings", tables.crossings), ("parts", tables.parts)):
        check_numbers(table, *_YEARS, of=of, open_ended=True)
    rows = tables.crossings.rows()
    looks = {row["threshold"]: _look(place) for place, row in enumerate(rows)}
    frame = _frame(rows)
    width = frame.gutter + LABELS_X + layout.COLUMN + MARK_ROOM + 180
    views = [
        _curves(tables.curves, rows, looks=looks, frame=frame),
        _strip(rows, tables.parts, looks=looks, frame=frame),
    ]
    return layout.sheet(views, head, x=-frame.gutter, width=width)


def _look(place: int) -> _Look:
    """Choose the look of the n-th threshold: no two of twelve share colour and dash, or shape and fill."""
    color = COLORS[place % len(COLORS)]
    filled = place // len(SHAPES) % 2 == 0
    return _Look(
        color, DASHES[place // len(COLORS) % len(DASHES)], SHAPES[place % len(SHAPES)], color if filled else style.PAPER
    )


def _frame(crossings: Sequence[Row]) -> Frame:
    names = [line for row in crossings for line in style.wrapped(row["label"], width=NAME_CHARACTERS)]
    labels = [line for row in crossings for line in style.wrapped(row["label"], width=LABEL_CHARACTERS)]
    gutter = max([56.0, *(style.text_width(name) + 34 for name in names)])
    height = max(HEIGHT, layout.label_height(labels))
    first, last = crossings[0]["first_year"], crossings[0]["last_year"]
    return Frame(first, last, 0.0, 100.0, height=height, gutter=gutter, width=layout.WIDTH, log=False)


def _pixel(frame: Frame, year: float) -> float:
    return layout.WIDTH * (year - frame.first) / (frame.last - frame.first)


def _crossed_text(row: Row) -> str:
    """Write the share of the samples that have crossed by the last year."""
    return share_text(1.0 - row["not_by"], row["samples"])


def _curves(curves: Table, crossings: Sequence[Row], *, looks: dict[str, _Look], frame: Frame) -> spec.Spec:
    """Draw the curves, their marks and labels."""
    layers = []
    for name, look in reversed(looks.items()):
        own = curves.where(threshold=name)
        rows = Table({"year": own["year"], "percent": 100 * own["probability"]}).rows()
        mark = layout.line_mark(look.color, 2.2, look.dash)
        layers.append(spec.layer(rows, frame.x("year"), layout.amount_channel("percent"), mark=mark))
    marks: spec.Data = [
        looks[row["threshold"]].at(_pixel(frame, row["median"]), frame.height / 2)
        for row in crossings
        if frame.first < row["median"] <= frame.last
    ]
    ends = sorted(crossings, key=lambda row: float(row["not_by"]))
    labels = [
        layout.EndLabel(
            frame.height * row["not_by"],
            (_crossed_text(row),),
            tuple(style.wrapped(row["label"], width=LABEL_CHARACTERS)),
        )
        for row in ends
    ]
    x, names_x = LABELS_X, LABELS_X + sum(layout.value_columns(labels))
    for row, middle in zip(ends, layout.label_middles(labels, height=frame.height), strict=True):
        marks.append(looks[row["threshold"]].at(names_x + 4, middle))
    heads = [
        style.Text(["probability of having crossed"], -frame.gutter, layout.HEADING_Y, bold=True),
        style.Text([f"by {number(frame.last)}"], names_x + MARK_ROOM, layout.LEGEND_Y, style.QUIET),
    ]
    entries: list[style.LegendEntry] = [("dot", style.INK, "median year")]
    layers += layout.end_labels(labels, height=frame.height, x=x, bend=x - 32, indent=MARK_ROOM)
    layers += [*_mark_layers(marks), *style.text_layers(heads)]
    layers += style.legend_layers(entries, x=-frame.gutter, y=layout.LEGEND_Y)
    return spec.view(layers, width=layout.WIDTH, height=frame.height)


def _mark_layers(rows: spec.Data) -> list[spec.Spec]:
    """Draw marks, each in its shape, with a rim of paper so that they stand out on lines; there is one or more."""
    places = (spec.x("x"), spec.y("y"), spec.as_given("shape", "shape"))
    mark = {"type": "point", "size": 62, "strokeWidth": 1.7, "opacity": 1}
    rim = mark | {"filled": True, "fill": style.PAPER, "stroke": style.PAPER, "strokeWidth": 4.5}
    colors = (spec.as_given("fill", "fill"), spec.as_given("stroke", "color"))
    return [spec.layer(rows, *places, mark=rim), spec.layer(rows, *places, *colors, mark=mark)]


def _strip(crossings: Sequence[Row], parts: Table, *, looks: dict[str, _Look], frame: Frame) -> spec.Spec:
    """Draw the intervals of the crossing years, one row for each threshold; those of the parts of a mixture below."""
    names = [style.wrapped(row["label"], width=NAME_CHARACTERS) for row in crossings]
    apart = [parts.where(threshold=row["threshold"]).rows() if parts else [] for row in crossings]
    heights = [10.0 + style.LINE_HEIGHT * len(name) for name in names]
    edges, _ = layout.row_edges([high + PART_ROW * len(own) for high, own in zip(heights, apart, strict=True)])
    middles = [edge + high / 2 for edge, high in zip(edges, heights, strict=False)]
    left, columns = -frame.gutter, (layout.WIDTH + 18.0, layout.WIDTH + 84.0, layout.WIDTH + 204.0)
    marks = layout.Marks(rules=layout.rule_mark())
    marks.text("year of crossing", left, layout.HEADING_Y, bold=True)
    missed = "never" if crossings[0]["last_year"] == crossings[0]["horizon"] else "not"
    heads = ("median", crossings[0]["wide_band"], f"{missed} by {number(crossings[0]['last_year'])}")
    for head, x in zip(heads, columns, strict=True):
        marks.text(head, x, layout.LEGEND_Y, style.QUIET)
    shapes: spec.Data = []
    intervals: list[Interval] = []
    ticks: spec.Data = []
    for row, name, y in zip(crossings, names, middles, strict=True):
        marks.text(name, left + 20, y)
        marks.text(year_text(row, "median"), columns[0], y, bold=True)
        marks.text(_range_text(row), columns[1], y, style.QUIET)
        marks.text(share_text(row["not_by"], row["samples"]), columns[2], y, style.QUIET)
        look = looks[row["threshold"]]
        shapes.append(look.at(left + 7, y))
        if frame.first <= row["median"] <= frame.last:
            shapes.append(look.at(_pixel(frame, row["median"]), y))
        wide, narrow = ((row[f"{key}_lower"], row[f"{key}_upper"]) for key in ("wide", "narrow"))
        intervals.append(Interval(y, wide, narrow, look.color))
    for row, bottom, below in zip(crossings, edges[1:], apart, strict=True):
        for place, part in enumerate(below):
            y = bottom - PART_ROW * (len(below) - place - 0.5) - 4
            look = looks[row["threshold"]]
            marks.text(part["part"], left + 20, y, style.QUIET, size=style.FOOT_SIZE)
            told = (year_text(part, "median"), _range_text(part), share_text(part["not_by"], part["samples"]))
            for text, x in zip(told, columns, strict=True):
                marks.text(text, x, y, style.QUIET, size=style.FOOT_SIZE)
            wide = part["wide_lower"], part["wide_upper"]
            intervals.append(Interval(y, wide, wide, look.color, thickness=(1.2, 1.2)))
            if frame.first <= part["median"] <= frame.last:
                ticks.append({"x": _pixel(frame, part["median"]), "y": y - 5, "y2": y + 5, "color": look.color})
    over = [spec.pixel_layer(ticks, mark=layout.rule_mark(width=2.4))] if ticks else []
    return strip_view(
        marks, intervals, [*over, *_mark_layers(shapes)], _strip_legend(crossings, frame=frame),
        frame=frame, edges=edges, right=columns[2] + 84, legend_y=layout.LEGEND_Y,
    )  # fmt: skip


def _strip_legend(crossings: Sequence[Row], *, frame: Frame) -> list[style.LegendEntry]:
    narrow, wide = crossings[0]["narrow_band"], crossings[0]["wide_band"]
    entries: list[style.LegendEntry] = [("line", style.QUIET, f"{wide} of the samples")]
    entries = [("bar", style.QUIET, narrow), *entries] if narrow != wide else entries
    if any(row["wide_upper"] > frame.last for row in crossings):
        entries.append(("arrow", style.VERMILION, f"goes on after {number(frame.last)}"))
    return entries


def year_text(row: Row, key: str) -> str:
    """Write the calendar year of a quantile, or that it is outside the years of the run."""
    return crossing_text(row[key], start=row["start"], last=row["horizon"])


def _range_text(row: Row) -> str:
    lower, upper = year_text(row, "wide_lower"), year_text(row, "wide_upper")
    return lower if lower == upper else f"{lower} to {upper}"


MOST_SAID = 8
"""Thresholds that a caption lists."""


def crossing_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw when each threshold is crossed; the narrowest and the widest of the bands are drawn as intervals."""
    tables = crossing_tables(run, bands=options.bands, years=options.years)
    rows = tables.crossings.rows()
    first, last = rows[0]["first_year"], rows[0]["last_year"]
    title = _title(rows, first=first, last=last)
    ahead = [row for row in rows if row["already"] < PASSED] or rows
    listing = [
        f"{row['label']} {year_text(row, 'median')} ({share_text(row['not_by'], row['samples'])})"
        for row in ahead[:MOST_SAID]
    ]
    more = f", and {len(ahead) - MOST_SAID} more in the table" if len(ahead) > MOST_SAID else ""
    caption = (
        f"{title}. Median years, and shares of the samples that do not cross by {number(last)}: "
        f"{', '.join(listing)}{more}. An interval that reaches those samples has no end."
    )
    ends = [f"{row['label']} {_crossed_text(row)}" for row in rows]
    curves = "one rising curve" if len(rows) == 1 else f"{len(rows)} rising curves, one for each threshold"
    alt_text = (
        f"Line chart of {curves}, over a table of intervals of the crossing years. "
        f"Along: years {number(first)} to {number(last)}. Up: probability of having crossed, 0 to 100 %. "
        f"In {number(last)}: {listed(ends)}."
    )
    under = "Probability of having crossed each threshold; its mark stands at the median year."
    chart = draw_crossings(tables, head=run_head(run, title, under))
    written = {"": tables.crossings, "probability": tables.curves} | ({"parts": tables.parts} if tables.parts else {})
    return [Figure("crossings", chart, written, caption, alt_text)]


def crossing_tables(run: Run, *, bands: Sequence[float], years: tuple[float, float] | None) -> CrossingTables:
    """Tabulate the curves and the intervals of the crossing years, the earliest threshold first."""
    summary = group(run, "summary")
    if "crossed" not in summary:
        raise NothingToDraw(
            "crossings: this run has no thresholds, so nothing can be crossed. "
            "Add some under thresholds in its scenario and run it again."
        )
    if not bands:
        raise InputError("bands: one or more central bands are needed, such as 0.9; got none.")
    every = summary["year"].values
    places = drawn_years(summary, years)
    first, last = float(every[places[0]]), float(every[places[-1]])
    drawn = {"narrow": min(bands), "wide": max(bands)}
    crossings = _years_of(summary, drawn, places=places, samples=differing_samples(run))
    # Those without a median come last, by the share that does not cross.
    for key in ("threshold", "wide_lower", "not_by", "median"):
        crossings = crossings.sorted_by(key)
    quantiles = summary["crossing_quantile"].values  # (threshold, quantile)
    curves = {name: _curve(summary, t, quantiles[t]) for t, name in enumerate(summary["threshold"].values.tolist())}
    points = sum((curves[name] for name in crossings["threshold"]), start=Table({}))
    parts, samples, weights = Table({}), component_samples(run), component_weights(run)
    for name, part in component_summaries(run).items():
        own = _years_of(part, drawn, places=places, samples=samples[name])
        parts += own.with_columns({"part": [f"{name} ({percent(weights[name])})"] * len(own)})
    return CrossingTables(points.where((points["year"] >= first) & (points["year"] <= last)), crossings, parts)


def _years_of(summary: Dataset | Group, drawn: Mapping[str, float], *, places: Sequence[int], samples: int) -> Table:
    """Tabulate the crossing years of a summary, in the order of its thresholds."""
    levels, every = summary["quantile"].values.tolist(), summary["year"].values
    ends = {name: central_levels(levels, band) for name, band in drawn.items()}
    first, last = float(every[places[0]]), float(every[places[-1]])
    quantiles = summary["crossing_quantile"].values  # (threshold, quantile)
    columns: dict[str, Any] = {name: summary[name].values.tolist() for name in ("threshold", "label")}
    columns["median"] = quantiles[:, levels.index(0.5)]
    for name, pair in ends.items():
        lower, upper = (quantiles[:, levels.index(level)] for level in pair)
        columns |= {f"{name}_lower": lower, f"{name}_upper": upper}
    columns |= {f"{name}_band": [f"{100 * band:g} %"] * len(quantiles) for name, band in drawn.items()}
    columns |= {"not_by": 1.0 - summary["crossed"].values[:, places[-1]]}
    columns |= {"samples": list(threshold_samples(summary, samples).values())}
    columns |= {name: summary[name].values for name in ("never", "already")}
    of_all = {"first_year": first, "last_year": last, "start": float(every[0]), "horizon": float(every[-1])}
    return Table(columns | {name: np.full(len(quantiles), year) for name, year in of_all.items()})


def _curve(summary: Dataset, t: int, quantiles: Array) -> Table:
    """Tabulate the points at which the distribution of a crossing year is known: at steps, and at its quantiles."""
    years = summary["year"].values.astype(float)
    shares, levels = summary["crossed"].values[t], summary["quantile"].values
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
    names = {each: [str(summary[each].values[t])] * at.size for each in ("threshold", "label")}
    return Table({**names, "year": at, "probability": share})


def _title(rows: Sequence[Row], *, first: float, last: float) -> str:
    """Say when the first and the last of the thresholds ahead are as likely as not crossed, and which hardly is."""
    ahead = [row for row in rows if row["already"] < PASSED]
    if not ahead:
        every = "The threshold is" if len(rows) == 1 else f"All {len(rows)} thresholds are"
        return f"{every} passed in {number(first)} already"
    crossed = {row["threshold"]: _crossed_text(row) for row in ahead}
    rare = max(ahead, key=lambda row: float(row["not_by"]))
    best = min(ahead, key=lambda row: float(row["not_by"]))
    if best["not_by"] == 1.0:
        return f"No threshold ahead is crossed by {number(last)} in any sample"
    chance = f"{rare['label']} {crossed[rare['threshold']]} by {number(last)}"
    even = [row for row in ahead if row["start"] < row["median"] <= last]
    if not even:
        others = "" if best is rare else f"{best['label']} {crossed[best['threshold']]}, "
        return f"Crossed: {others}{chance}"
    named = [even[0], *even[1:][-1:]]
    certain = all(row["wide_lower"] == row["wide_upper"] for row in named)
    said = "Crossed: " if certain else "Even odds of "
    said += " and ".join(f"{row['label']} in {year_text(row, 'median')}" for row in named)
    if rare["not_by"] < 0.01:
        return said
    return f"{said}, {crossed[rare['threshold']]} by {number(last)}" if rare is named[-1] else f"{said}; {chance}"

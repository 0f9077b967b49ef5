"""The fan chart: how a quantity may grow, and when it crosses thresholds.

Charts compute nothing: they are given tables of numbers and draw them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import Frame, Row, ascending_years, row_columns, row_number, row_text, row_year, said_level
from simulator.charts.kinds.fan_layers import (
    HEADING_Y,
    LEGEND_Y,
    NAME_CHARACTERS,
    crossing_strip,
    history_layers,
    path_layers,
    trend_layers,
)
from simulator.charts.writing import save_chart
from simulator.errors import InputError
from simulator.runs.groups import RunLabel

__all__ = ["FanTables", "Row", "RunLabel", "draw_fan", "save_chart"]

WIDTH = 600
FAN_HEIGHT = 380
RIGHT_WIDTH = 264
LABEL_X = WIDTH + 40
NAME_X = LABEL_X + 62
LABEL_CHARACTERS = 28


@dataclass(frozen=True, slots=True)
class FanTables:
    """Hold the tables of a fan chart, each a sequence of rows.

    Levels are log10 of the unit, or the unit itself where the chart is drawn on a plain scale.

    Parameters
    ----------
    medians : rows (year,)
        `year` (decimal years, ascending), `median` (log10 of the unit).
    bands : rows (band, year)
        `band` (the level, as "90 %"), `year`, `lower` and `upper` (log10 of the unit). One to three bands.
    thresholds : rows (threshold,)
        `threshold` (name), `label`, `level` (median, log10 of the unit); optional `lower` and `upper` (90 %
        interval of a level that is itself uncertain; no `upper` where there may be no such level) and `quantity`
        (a threshold on another quantity gets no line).
    crossings : rows (threshold,)
        `threshold`, `label`; `median`, `lower_50`, `upper_50`, `lower_90`, `upper_90` (decimal years; None
        where the quantile is later than the horizon); `never` and `already` (shares of the samples that do
        not cross by the horizon, and that are above at the start); `last_year` (the horizon).
    paths : rows (path, year)
        `path` (the number of the sample), `year`, `value` (log10 of the unit).
    history : rows (observed run,)
        `date` (decimal year), `value` (log10 of the unit), `label` (may be empty).
    trend : rows (year,)
        What was learnt of the past: `year`, `median`, `lower` and `upper` (90 %, log10 of the unit).
    """

    medians: Sequence[Row]
    bands: Sequence[Row]
    thresholds: Sequence[Row] = ()
    crossings: Sequence[Row] = ()
    paths: Sequence[Row] = ()
    history: Sequence[Row] = ()
    trend: Sequence[Row] = ()


def draw_fan(
    tables: FanTables,
    *,
    title: str,
    quantity: str,
    quantity_label: str,
    unit: str,
    run: RunLabel,
    subtitle: str = "",
    note: str = "",
    log: bool = True,
    years: tuple[float, float] | None = None,
    start: float | None = None,
) -> vega.Spec:
    """Draw the fan of a quantity over the years, and below it the years in which it crosses thresholds.

    Above: the median and the bands on a log scale; thresholds as lines, their levels and labels at the right.
    Below, on the same years: one row per threshold, with the median, the 50 % and the 90 % interval of its
    crossing year. Arrows mark intervals that go on beyond the chart. Thresholds far outside the fan get a
    label and no line. Sample paths are thin lines. Observed runs are dots, and the axis begins with the first.

    Parameters
    ----------
    tables : FanTables
        The numbers; levels in log10 of `unit`, dates in decimal years.
    title, subtitle : str
        What the chart shows.
    quantity : str
        The name of the quantity, as in the thresholds' `quantity`.
    quantity_label, unit : str
        The quantity and its unit as readers say them.
    run : RunLabel
        The run that the tables come from, for the footer.
    note : str
        A further sentence for the footer.
    log : bool
        Whether levels are logarithms.
    years : first and last year of the axis; without them, all years of the tables
    start : float
        The first year of the run, where the tables begin later.

    Raises
    ------
    InputError
        Where a table lacks a column or holds a number that is not finite.

    Examples
    --------
    >>> tables = FanTables([{"year": 2025, "median": 26.0}, {"year": 2045, "median": 34.0}], bands=[])
    >>> run = RunLabel("3f9a2c1", "baseline", seed=1, samples=4096)
    >>> names = {"quantity": "spending", "quantity_label": "Spending", "unit": "USD"}
    >>> draw_fan(tables, title="Spending to 2045", run=run, **names)["title"]["text"]
    ['Spending to 2045']
    """
    thresholds, crossings = _from_the_top(tables, quantity=quantity)
    frame = fan_frame(tables, thresholds=thresholds, log=log, years=years, width=WIDTH, height=FAN_HEIGHT)
    names = [line for row in crossings for line in style.wrapped(row_text(row, "label"), width=NAME_CHARACTERS)]
    room = sum(_label_height(_label_lines(row, frame=frame)) for row in thresholds)
    gutter = max([frame.gutter, *(style.text_width(name) + 14 for name in names)])
    frame = replace(frame, height=max(FAN_HEIGHT, room), gutter=gutter)
    heading = f"{quantity_label}, {unit}" if unit else quantity_label
    begin = ascending_years(tables.medians)[0] if start is None else start
    views = [_fan(tables, frame=frame, thresholds=thresholds, heading=heading, unit=unit, start=begin)]
    right = RIGHT_WIDTH if thresholds or crossings else 0
    if crossings:
        views.append(crossing_strip(crossings, frame=frame, start=begin, right=right))
    width = frame.gutter + WIDTH + right
    views.append(style.footer(run, note=note, x=-frame.gutter, width=width))
    return style.stacked(views, title=title, subtitle=subtitle, width=width)


def _from_the_top(tables: FanTables, *, quantity: str) -> tuple[list[Row], list[Row]]:
    """Sort thresholds on the quantity, and all crossings, from the highest level down, as in the fan."""
    drawn = [row for row in tables.thresholds if row.get("quantity", quantity) == quantity]
    thresholds = sorted(drawn, key=lambda row: -row_number(row, "level", table="thresholds"))
    order = {row["threshold"]: place for place, row in enumerate(thresholds)}
    # A crossing of a threshold on another quantity has no line in the fan: it comes last.
    crossings = sorted(tables.crossings, key=lambda row: order.get(row_text(row, "threshold"), len(order)))
    return thresholds, crossings


def fan_frame(
    tables: FanTables,
    *,
    thresholds: Sequence[Row],
    log: bool,
    years: tuple[float, float] | None,
    width: float,
    height: float,
) -> Frame:
    """Choose the ends of both axes of a fan.

    Parameters
    ----------
    tables : FanTables
    thresholds : rows, as in `FanTables`
        Those that have a line; they may stretch the axis, but not so far that the fan becomes thin.
    log : bool
        Whether levels are logarithms.
    years : first and last year; None: all that the tables have
    width, height : float, pixels

    Raises
    ------
    InputError
        A number is missing, or the years do not ascend.

    Examples
    --------
    >>> tables = FanTables([{"year": 2025, "median": 26.0}, {"year": 2045, "median": 34.0}], bands=[])
    >>> frame = fan_frame(tables, thresholds=[], log=True, years=None, width=600, height=300)
    >>> frame.first, frame.last, frame.lower, frame.upper
    (2025.0, 2045.0, 25.68, 34.32)
    """
    known = ascending_years(tables.medians)
    dates = [row_number(row, "date", table="history") for row in tables.history]
    dates += [row_number(row, "year", table="trend") for row in tables.trend]
    first, last = years or (min([known[0], *dates]), max([known[-1], *dates]))
    if dates and years is None and min(dates) < known[0]:
        first -= 0.03 * (last - first)  # so that the first dot stands clear of the axis
    levels = [row_number(row, "median", table="medians") for row in tables.medians]
    levels += [row_number(row, key, table="bands") for row in tables.bands for key in ("lower", "upper")]
    levels += [row_number(row, "value", table="paths") for row in tables.paths]
    levels += [row_number(row, "value", table="history") for row in tables.history]
    levels += [row_number(row, key, table="trend") for row in tables.trend for key in ("lower", "upper")]
    # A fan of no width still needs an axis: at least one OOM.
    least = 1.0 if log else 0.1 * max(abs(levels[0]), 1e-9)
    spare = max(0.0, least - (max(levels) - min(levels))) / 2
    lower, upper = min(levels) - spare, max(levels) + spare
    # Thresholds may stretch the axis, but not so far that the fan becomes a thin line.
    reach = max(3.0 if log else 0.0, 0.75 * (upper - lower))
    near = [row_number(row, "level", table="thresholds") for row in thresholds]
    near = [level for level in near if lower - reach <= level <= upper + reach]
    lower, upper = min([lower, *near]), max([upper, *near])
    margin = 0.04 * (upper - lower)
    return Frame(first, last, lower - margin, upper + margin, height=height, gutter=56.0, width=width, log=log)


def _fan(
    tables: FanTables, *, frame: Frame, thresholds: Sequence[Row], heading: str, unit: str, start: float
) -> vega.Spec:
    """Draw the fan and the thresholds, from the back to the front."""
    layers = fan_layers(tables, frame=frame, thresholds=thresholds)
    layers += _threshold_labels(thresholds, frame=frame)
    layers += _median_crossings(tables.crossings, thresholds=thresholds, frame=frame, start=start)
    entries = fan_legend(tables)
    if any(_uncertain(row) for row in thresholds):
        entries.append(("bracket", style.QUIET, "90 % of an uncertain threshold"))
    layers += style.text_layers([style.Text([heading], -frame.gutter, HEADING_Y, bold=True), *frame.texts()])
    layers += style.legend_layers(entries, x=-frame.gutter, y=LEGEND_Y)
    layers += pointer_layers(tables, frame=frame, unit=unit, name="years")
    return vega.view(layers, width=frame.width, height=frame.height)


def fan_layers(tables: FanTables, *, frame: Frame, thresholds: Sequence[Row]) -> list[vega.Spec]:
    """Draw the bands, the lines of thresholds, sample paths, the median and observed runs."""
    names = _band_names(tables)
    fills = dict(zip(names, style.band_tints(len(names)), strict=True)) if names else {}
    layers = trend_layers(tables.trend, frame=frame)
    for name in names:
        band = [row for row in tables.bands if row["band"] == name]
        area = {"type": "area", "color": fills[name], "opacity": 1}
        rows = row_columns(band, "year", "lower", "upper", table="bands")
        layers.append(style.layer(rows, frame.x("year"), frame.y("lower"), vega.y2("upper"), mark=area))
    layers += _threshold_lines(thresholds, frame=frame)
    layers += path_layers(tables.paths, frame=frame)
    line = {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 2.5}
    rows = row_columns(tables.medians, "year", "median", table="medians")
    layers.append(style.layer(rows, frame.x("year"), frame.y("median"), mark=line))
    levels = [row_number(row, "level", table="thresholds") for row in thresholds]
    return [*layers, *history_layers(tables.history, frame=frame, lines=levels)]


def fan_legend(tables: FanTables) -> list[style.LegendEntry]:
    """List what the marks of a fan mean.

    Examples
    --------
    >>> bands = [{"band": band, "year": 2025, "lower": 25.0, "upper": 27.0} for band in ("90 %", "50 %")]
    >>> [text for _, _, text in fan_legend(FanTables([{"year": 2025, "median": 26.0}], bands))]
    ['median', '50 %', '90 % of the samples']
    """
    names = _band_names(tables)
    fills = dict(zip(names, style.band_tints(len(names)), strict=True)) if names else {}
    entries: list[style.LegendEntry] = [("line", style.DARK_BLUE, "median" if names else "level")]
    entries += [("band", fills[name], name) for name in reversed(names[1:])]
    entries += [("band", fills[name], f"{name} of the samples") for name in names[:1]]
    if tables.paths:
        count = len({row["path"] for row in tables.paths})
        entries.append(("thread", style.INK, "one sample" if count == 1 else f"each of {count} samples"))
    if tables.trend:
        entries.append(("band", style.HAIR, "trend learnt, 90 %"))
    if tables.history:
        entries.append(("point", style.INK, "observed"))
    return entries


def _band_names(tables: FanTables) -> list[str]:
    return sorted({row_text(row, "band") for row in tables.bands}, key=_percent, reverse=True)


def _percent(name: str) -> float:
    try:
        return float(name.removesuffix("%"))
    except ValueError as error:
        raise InputError(f"bands: band: must be a percentage such as '90 %'; got {name!r}.") from error


def pointer_layers(tables: FanTables, *, frame: Frame, unit: str, name: str) -> list[vega.Spec]:
    """Say year, median and bands under the pointer, one column of the plot for each year."""
    years = ascending_years(tables.medians)
    edges = [max(frame.first, years[0])]
    edges += [(before + after) / 2 for before, after in pairwise(years)]
    edges.append(years[-1])
    names = _band_names(tables)
    rows: style.Data = []
    bands = {(row["band"], row["year"]): row for row in tables.bands}
    for place, (year, row) in enumerate(zip(years, tables.medians, strict=True)):
        said: dict[str, object] = {"y": 0, "y2": frame.height, "from": edges[place], "to": edges[place + 1]}
        median = said_level(row_number(row, "median", table="medians"), log=frame.log)
        said |= {"year": f"{year:g}", "median": f"{median} {unit}"}
        for number, band in enumerate(names):
            ends = (row_number(bands[band, row["year"]], key, table="bands") for key in ("lower", "upper"))
            said[f"band_{number}"] = " to ".join(said_level(end, log=frame.log) for end in ends)
        rows.append(said)
    columns = [("year", "year"), ("median", "median"), *((f"band_{number}", band) for number, band in enumerate(names))]
    tops = [vega.y("y"), vega.y2("y2")]
    mark = {"type": "rect", "color": style.INK}
    return [style.pointer_layer(rows, frame.x("from"), vega.x2("to"), *tops, columns=columns, mark=mark, name=name)]


def _uncertain(row: Row) -> bool:
    return row.get("lower") is not None


def _label_lines(row: Row, *, frame: Frame) -> list[str]:
    """Write the label of a threshold, with an arrow where its level is off the chart."""
    level = row_number(row, "level", table="thresholds")
    off = "▲ " if level > frame.upper else "▼ " if level < frame.lower else ""
    return style.wrapped(off + row_text(row, "label"), width=LABEL_CHARACTERS)


def _label_height(lines: Sequence[str]) -> float:
    return style.LINE_HEIGHT * len(lines) + 3.0


def _threshold_lines(thresholds: Sequence[Row], *, frame: Frame) -> list[vega.Spec]:
    levels = [row_number(row, "level", table="thresholds") for row in thresholds]
    rows: style.Data = [
        {"level": level, "from": frame.first, "to": frame.last} for level in levels if frame.holds(level)
    ]
    mark = {"type": "rule", "color": style.INK, "strokeWidth": 0.9, "strokeDash": [4, 3]}
    return [style.layer(rows, frame.x("from"), vega.x2("to"), frame.y("level"), mark=mark)] if rows else []


def _threshold_labels(thresholds: Sequence[Row], *, frame: Frame) -> list[vega.Spec]:
    """Place the labels beside the plot, with leader lines, and the intervals of uncertain levels."""
    if not thresholds:
        return []
    labels = [_label_lines(row, frame=frame) for row in thresholds]
    levels = [frame.pixel(row_number(row, "level", table="thresholds")) for row in thresholds]
    wanted = [min(max(pixel, 0.0), frame.height) for pixel in levels]
    heights = [_label_height(lines) for lines in labels]
    middles = style.spread_labels(wanted, heights=heights, top=-8.0, bottom=frame.height + 8.0)
    leaders: style.Data = []
    brackets: style.Data = []
    for index, (row, start, end) in enumerate(zip(thresholds, wanted, middles, strict=True)):
        corners = ((WIDTH, start), (WIDTH + 18, start), (LABEL_X - 4, end)) if levels[index] == start else ()
        leaders += [{"detail": index, "x": x, "y": y} for x, y in corners]
        if _uncertain(row):
            high = row_number(row, "upper", table="thresholds") if row.get("upper") is not None else frame.upper
            ends = [frame.pixel(level) for level in (high, row_number(row, "lower", table="thresholds"))]
            top, bottom = (min(max(pixel, 0.0), frame.height) for pixel in ends)
            x = WIDTH + 3 + 5 * (len(brackets) // 2 % 3)  # three lanes, so that neighbours can be told apart
            brackets.append({"x": x, "x2": x + 3, "y": top, "y2": bottom, "color": style.QUIET})
            brackets.append({"x": x, "x2": x + 3, "y": start - 1.5, "y2": start + 1.5, "color": style.PAPER})
    texts = [style.Text(lines, NAME_X, middle) for lines, middle in zip(labels, middles, strict=True)]
    for row, middle in zip(thresholds, middles, strict=True):
        level = row_number(row, "level", table="thresholds")
        texts += frame.level_texts(level, right=NAME_X - 8, y=middle, color=style.QUIET)
    leader_mark = {"type": "line", "color": style.QUIET, "strokeWidth": 0.8}
    return [
        *([style.pixel_layer(leaders, mark=leader_mark)] if leaders else []),
        *([style.pixel_layer(brackets, mark={"type": "rect"})] if brackets else []),
        *style.text_layers(texts),
    ]


def _median_crossings(
    crossings: Sequence[Row], *, thresholds: Sequence[Row], frame: Frame, start: float
) -> list[vega.Spec]:
    """Mark the median year of each crossing on the fan, where a certain level puts it on the median line."""
    years = {row["threshold"]: row_year(row, "median") for row in crossings}
    rows: style.Data = []
    for row in thresholds:
        year, level = years.get(row["threshold"]), row_number(row, "level", table="thresholds")
        inside = year is not None and max(frame.first, start) < year <= frame.last
        if inside and frame.holds(level) and not _uncertain(row):
            rows.append({"year": year, "level": level})
    return [style.layer(rows, frame.x("year"), frame.y("level"), mark=style.dot_mark())] if rows else []

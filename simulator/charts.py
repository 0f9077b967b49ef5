"""The fan chart: how a quantity may grow, and when it crosses thresholds.

Charts compute nothing: they are given tables of numbers and draw them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt

from simulator import chart_style as style
from simulator.chart_style import RunLabel, save_chart
from simulator.errors import InputError, number

__all__ = ["FanTables", "Row", "RunLabel", "draw_fan", "save_chart"]

type Row = Mapping[str, object]

WIDTH = 600
FAN_HEIGHT = 380
RIGHT_WIDTH = 264
LABEL_X = WIDTH + 40
NAME_X = LABEL_X + 62
LABEL_CHARACTERS = 28
NAME_CHARACTERS = 24
HEADING_Y = -36
LEGEND_Y = -16


@dataclass(frozen=True, slots=True)
class FanTables:
    """Hold the tables of a fan chart, each a sequence of rows.

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
    """

    medians: Sequence[Row]
    bands: Sequence[Row]
    thresholds: Sequence[Row] = ()
    crossings: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """The common frame of both parts of the chart: years along, log10 of the unit up, pixels."""

    first: float
    last: float
    lower: float
    upper: float
    height: float
    gutter: float

    def pixel(self, level: float) -> float:
        return (self.upper - level) / (self.upper - self.lower) * self.height

    def x(self, column: str) -> alt.X:
        scale = alt.Scale(domain=[self.first, self.last], nice=False, zero=False)
        return alt.X(column, type="quantitative", scale=scale, axis=style.year_axis(self.first, self.last))

    def y(self, column: str) -> alt.Y:
        scale = alt.Scale(domain=[self.lower, self.upper], nice=False, zero=False)
        return alt.Y(column, type="quantitative", scale=scale, axis=style.log_axis(self.lower, self.upper))

    def holds(self, level: float) -> bool:
        return self.lower <= level <= self.upper


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
) -> alt.VConcatChart:
    """Draw the fan of a quantity over the years, and below it the years in which it crosses thresholds.

    Above: the median and the bands on a log scale; thresholds as lines, their levels and labels at the right.
    Below, on the same years: one row per threshold, with the median, the 50 % and the 90 % interval of its
    crossing year. Arrows mark intervals that go on beyond the horizon. Thresholds far outside the fan get a
    label and no line.

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

    Raises
    ------
    InputError
        Where a table lacks a column or holds a number that is not finite.

    Examples
    --------
    >>> tables = FanTables([{"year": 2025, "median": 26.0}, {"year": 2045, "median": 34.0}], bands=[])
    >>> run = RunLabel("3f9a2c1", "baseline", seed=1, samples=4096)
    >>> names = {"quantity": "spending", "quantity_label": "Spending", "unit": "USD"}
    >>> draw_fan(tables, title="Spending to 2045", run=run, **names).to_dict()["title"]["text"]
    ['Spending to 2045']
    """
    thresholds, crossings = _from_the_top(tables, quantity=quantity)
    frame = _frame(tables, thresholds=thresholds, crossings=crossings)
    views = [_fan(tables, frame=frame, thresholds=thresholds, heading=f"{quantity_label}, {unit}")]
    if crossings:
        views.append(_strip(crossings, frame=frame))
    width = frame.gutter + WIDTH + (RIGHT_WIDTH if thresholds or crossings else 0)
    views.append(style.footer(run, note=note, x=-frame.gutter, width=width))
    return style.stacked(views, title=title, subtitle=subtitle, width=width)


def _from_the_top(tables: FanTables, *, quantity: str) -> tuple[list[Row], list[Row]]:
    """Sort thresholds on the quantity, and all crossings, from the highest level down, as in the fan."""
    drawn = [row for row in tables.thresholds if row.get("quantity", quantity) == quantity]
    thresholds = sorted(drawn, key=lambda row: -_number(row, "level", table="thresholds"))
    order = {row["threshold"]: place for place, row in enumerate(thresholds)}
    # A crossing of a threshold on another quantity has no line in the fan: it comes last.
    crossings = sorted(tables.crossings, key=lambda row: order.get(_text(row, "threshold"), len(order)))
    return thresholds, crossings


def _number(row: Row, key: str, *, table: str) -> float:
    value = row.get(key)
    if isinstance(value, bool) or not hasattr(value, "__float__") or not math.isfinite(float(value)):
        given = "nothing" if key not in row else repr(value)
        raise InputError(
            f"{table}: {key}: must be a finite number in every row; got {given} in {dict(row)}. "
            "A chart cannot place it: check the table that the chart is drawn from."
        )
    return float(value)


def _year(row: Row, key: str) -> float | None:
    """Read a quantile of the crossing year; None where it is later than the horizon."""
    value = row.get(key, math.nan)
    return None if value is None or value == math.inf else _number(row, key, table="crossings")


def _text(row: Row, key: str) -> str:
    if not isinstance(row.get(key), str):
        raise InputError(f"tables: {key}: must be a text in every row; got {row.get(key)!r} in {dict(row)}.")
    return str(row[key])


def _frame(tables: FanTables, *, thresholds: Sequence[Row], crossings: Sequence[Row]) -> _Frame:
    """Choose the ends of both axes and the room for labels."""
    years = [_number(row, "year", table="medians") for row in tables.medians]
    if len(years) < 2 or years != sorted(set(years)):
        given = ", ".join(map(number, years[:5])) or "none"
        raise InputError(f"medians: year: must be two or more years in ascending order; got {given}.")
    levels = [_number(row, "median", table="medians") for row in tables.medians]
    levels += [_number(row, key, table="bands") for row in tables.bands for key in ("lower", "upper")]
    # A fan of no width still needs an axis: at least one OOM.
    spare = max(0.0, 1.0 - (max(levels) - min(levels))) / 2
    lower, upper = min(levels) - spare, max(levels) + spare
    # Thresholds may stretch the axis, but not so far that the fan becomes a thin line.
    reach = max(3.0, 0.75 * (upper - lower))
    near = [_number(row, "level", table="thresholds") for row in thresholds]
    near = [level for level in near if lower - reach <= level <= upper + reach]
    lower, upper = min([lower, *near]), max([upper, *near])
    margin = 0.04 * (upper - lower)
    names = [line for row in crossings for line in style.wrapped(_text(row, "label"), width=NAME_CHARACTERS)]
    frame = _Frame(
        first=years[0], last=years[-1], lower=lower - margin, upper=upper + margin, height=FAN_HEIGHT,
        gutter=max([56.0, *(style.text_width(name) + 14 for name in names)]),
    )  # fmt: skip
    room = sum(_label_height(_label_lines(row, frame=frame)) for row in thresholds)
    return replace(frame, height=max(FAN_HEIGHT, room))


def _fan(tables: FanTables, *, frame: _Frame, thresholds: Sequence[Row], heading: str) -> alt.LayerChart:
    """Draw the fan and the thresholds, from the back to the front."""
    names = sorted({_text(row, "band") for row in tables.bands}, key=_percent, reverse=True)
    fills = dict(zip(names, style.band_tints(len(names)), strict=True)) if names else {}
    layers = []
    for name in names:
        rows = _columns([row for row in tables.bands if row["band"] == name], "year", "lower", "upper", table="bands")
        area = alt.MarkDef(type="area", color=fills[name], opacity=1)
        layers.append(style.layer(rows, frame.x("year"), frame.y("lower"), alt.Y2("upper"), mark=area))
    layers += _threshold_lines(thresholds, frame=frame)
    rows = _columns(tables.medians, "year", "median", table="medians")
    line = alt.MarkDef(type="line", color=style.DARK_BLUE, strokeWidth=2.5)
    layers.append(style.layer(rows, frame.x("year"), frame.y("median"), mark=line))
    layers += _threshold_labels(thresholds, frame=frame)
    layers += _median_crossings(tables.crossings, thresholds=thresholds, frame=frame)
    entries: list[style.LegendEntry] = [("line", style.DARK_BLUE, "median")]
    entries += [("band", fills[name], name) for name in reversed(names[1:])]
    entries += [("band", fills[name], f"{name} of the samples") for name in names[:1]]
    if any(_uncertain(row) for row in thresholds):
        entries.append(("bracket", style.QUIET, "90 % of an uncertain threshold"))
    texts = [style.Text([heading], -frame.gutter, HEADING_Y, bold=True)]
    for tick in style.power_ticks(frame.lower, frame.upper):
        texts += style.power_texts(tick, right=-9, y=frame.pixel(tick))
    layers += style.text_layers(texts)
    layers += style.legend_layers(entries, x=-frame.gutter, y=LEGEND_Y)
    return alt.LayerChart(layer=layers, width=WIDTH, height=frame.height)


def _percent(name: str) -> float:
    try:
        return float(name.removesuffix("%"))
    except ValueError as error:
        raise InputError(f"bands: band: must be a percentage such as '90 %'; got {name!r}.") from error


def _columns(rows: Sequence[Row], *keys: str, table: str) -> style.Data:
    return [{key: _number(row, key, table=table) for key in keys} for row in rows]


def _uncertain(row: Row) -> bool:
    return row.get("lower") is not None


def _label_lines(row: Row, *, frame: _Frame) -> list[str]:
    """Write the label of a threshold, with an arrow where its level is off the chart."""
    level = _number(row, "level", table="thresholds")
    off = "▲ " if level > frame.upper else "▼ " if level < frame.lower else ""
    return style.wrapped(off + _text(row, "label"), width=LABEL_CHARACTERS)


def _label_height(lines: Sequence[str]) -> float:
    return style.LINE_HEIGHT * len(lines) + 3.0


def _threshold_lines(thresholds: Sequence[Row], *, frame: _Frame) -> list[alt.Chart]:
    levels = [_number(row, "level", table="thresholds") for row in thresholds]
    rows: style.Data = [
        {"level": level, "from": frame.first, "to": frame.last} for level in levels if frame.holds(level)
    ]
    mark = alt.MarkDef(type="rule", color=style.INK, strokeWidth=0.9, strokeDash=[4, 3])
    return [style.layer(rows, frame.x("from"), alt.X2("to"), frame.y("level"), mark=mark)] if rows else []


def _threshold_labels(thresholds: Sequence[Row], *, frame: _Frame) -> list[alt.Chart]:
    """Place the labels beside the plot, with leader lines, and the intervals of uncertain levels."""
    if not thresholds:
        return []
    labels = [_label_lines(row, frame=frame) for row in thresholds]
    levels = [frame.pixel(_number(row, "level", table="thresholds")) for row in thresholds]
    wanted = [min(max(pixel, 0.0), frame.height) for pixel in levels]
    heights = [_label_height(lines) for lines in labels]
    middles = style.spread_labels(wanted, heights=heights, top=-8.0, bottom=frame.height + 8.0)
    leaders: style.Data = []
    brackets: style.Data = []
    for index, (row, start, end) in enumerate(zip(thresholds, wanted, middles, strict=True)):
        corners = ((WIDTH, start), (WIDTH + 18, start), (LABEL_X - 4, end)) if levels[index] == start else ()
        leaders += [{"detail": index, "x": x, "y": y} for x, y in corners]
        if _uncertain(row):
            high = _number(row, "upper", table="thresholds") if row.get("upper") is not None else frame.upper
            ends = [frame.pixel(level) for level in (high, _number(row, "lower", table="thresholds"))]
            top, bottom = (min(max(pixel, 0.0), frame.height) for pixel in ends)
            x = WIDTH + 3 + 5 * (len(brackets) // 2 % 3)  # three lanes, so that neighbours can be told apart
            brackets.append({"x": x, "x2": x + 3, "y": top, "y2": bottom, "color": style.QUIET})
            brackets.append({"x": x, "x2": x + 3, "y": start - 1.5, "y2": start + 1.5, "color": "white"})
    texts = [style.Text(lines, NAME_X, middle) for lines, middle in zip(labels, middles, strict=True)]
    for row, middle in zip(thresholds, middles, strict=True):
        level = _number(row, "level", table="thresholds")
        texts += style.power_texts(level, right=NAME_X - 8, y=middle, color=style.QUIET)
    leader_mark = alt.MarkDef(type="line", color=style.QUIET, strokeWidth=0.8)
    return [
        *([style.pixel_layer(leaders, mark=leader_mark)] if leaders else []),
        *([style.pixel_layer(brackets, mark=alt.MarkDef(type="rect"))] if brackets else []),
        *style.text_layers(texts),
    ]


def _median_crossings(crossings: Sequence[Row], *, thresholds: Sequence[Row], frame: _Frame) -> list[alt.Chart]:
    """Mark the median year of each crossing on the fan, where a certain level puts it on the median line."""
    years = {row["threshold"]: _year(row, "median") for row in crossings}
    rows: style.Data = []
    for row in thresholds:
        year, level = years.get(row["threshold"]), _number(row, "level", table="thresholds")
        if year is not None and year > frame.first and frame.holds(level) and not _uncertain(row):
            rows.append({"year": year, "level": level})
    return [style.layer(rows, frame.x("year"), frame.y("level"), mark=style.dot_mark())] if rows else []


def _strip(crossings: Sequence[Row], *, frame: _Frame) -> alt.LayerChart:
    """Draw the crossing years under the fan, one row per threshold."""
    names = [style.wrapped(_text(row, "label"), width=NAME_CHARACTERS) for row in crossings]
    notes = [_share_lines(row) for row in crossings]
    edges, middles = [0.0], []
    for name, share in zip(names, notes, strict=True):
        height = 10.0 + style.LINE_HEIGHT * max(len(name), len(share))
        middles.append(edges[-1] + height / 2)
        edges.append(edges[-1] + height)
    separators: style.Data = [{"x": -frame.gutter, "x2": WIDTH + RIGHT_WIDTH, "y": edge} for edge in edges]
    left, medians_x, notes_x = -frame.gutter, WIDTH + 18, WIDTH + 92
    texts = [style.Text(name, left, y) for name, y in zip(names, middles, strict=True)]
    texts += [style.Text(share, notes_x, y, style.QUIET) for share, y in zip(notes, middles, strict=True)]
    texts.append(style.Text(["median"], medians_x, LEGEND_Y, style.QUIET))
    for row, y in zip(crossings, middles, strict=True):
        texts.append(style.Text([_median_text(row, first=frame.first)], medians_x, y, bold=True))
    texts.append(style.Text(["Year of crossing"], left, HEADING_Y, bold=True))
    layers = [
        style.pixel_layer(separators, mark=alt.MarkDef(type="rule", color=style.HAIR, strokeWidth=0.8)),
        *_strip_marks(crossings, middles=middles, frame=frame),
        *style.text_layers(texts),
        *style.legend_layers(_strip_legend(crossings), x=left, y=LEGEND_Y),
    ]
    return alt.LayerChart(layer=layers, width=WIDTH, height=edges[-1])


def _strip_legend(crossings: Sequence[Row]) -> list[style.LegendEntry]:
    last = _horizon(crossings[0])
    entries: list[style.LegendEntry] = [
        ("dot", style.INK, "median"),
        ("bar", style.VERMILION, "50 %"),
        ("line", style.VERMILION, "90 % of the samples"),
    ]
    if any(_goes_on(row) for row in crossings):
        entries.append(("arrow", style.VERMILION, f"goes on after {last}"))
    return entries


def _strip_marks(crossings: Sequence[Row], *, middles: Sequence[float], frame: _Frame) -> list[alt.Chart]:
    """Draw the intervals and the medians; an interval with no upper end runs to the edge and has an arrow."""
    bars: style.Data = []
    dots: style.Data = []
    arrows: style.Data = []
    for row, y in zip(crossings, middles, strict=True):
        for level, thickness in (("90", 2), ("50", 7)):
            lower, upper = _year(row, f"lower_{level}"), _year(row, f"upper_{level}")
            if lower is not None:
                end = frame.last if upper is None else upper
                bars.append({"threshold": row["threshold"], "y": y, "from": lower, "to": end, "width": thickness})
        if _goes_on(row):
            arrows.append({"x": WIDTH + 5, "y": y})
        median = _year(row, "median")
        if median is not None:
            dots.append({"threshold": row["threshold"], "y": y, "year": median})
    row_y = alt.Y("y", type="quantitative", scale=None, axis=None)
    width = alt.StrokeWidth("width", type="quantitative", scale=None)
    bar_mark = alt.MarkDef(type="rule", color=style.VERMILION)
    # Drawn even where it is empty, for it carries the axis.
    layers = [style.layer(bars, frame.x("from"), alt.X2("to"), row_y, width, mark=bar_mark)]
    layers += [style.pixel_layer(arrows, mark=style.arrow_mark())] if arrows else []
    return [*layers, style.layer(dots, frame.x("year"), row_y, mark=style.dot_mark())]


def _goes_on(row: Row) -> bool:
    return _year(row, "upper_50") is None or _year(row, "upper_90") is None


def _horizon(row: Row) -> str:
    return number(_number(row, "last_year", table="crossings"))


def _median_text(row: Row, *, first: float) -> str:
    """Write the calendar year of the median, or that it is outside the years of the run."""
    median = _year(row, "median")
    if median is None:
        return f"> {_horizon(row)}"
    if median <= first:
        return f"≤ {number(first)}"
    return str(math.floor(median + 1e-6))  # a crossing at the turn of the year belongs to the new one


def _share_lines(row: Row) -> list[str]:
    """Write the share of the samples that never cross, and of those above from the start, if any."""
    lines = [f"never by {_horizon(row)}: {_share(row, 'never')}"]
    return [f"from the start: {_share(row, 'already')}", *lines] if row.get("already") else lines


def _share(row: Row, key: str) -> str:
    share = _number(row, key, table="crossings")
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %"

"""Fans: a quantity over the years, with its bands, thresholds, sample paths and what was observed of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.charts import spec, style
from simulator.charts.frame import Frame, Interval, crossing_text, strip_view
from simulator.charts.layout import LINE_SHADES, RECT, Marks, fill_mark, line_mark, row_edges, rule_mark
from simulator.charts.reading import FanTables
from simulator.charts.spec import Data
from simulator.charts.ticks import said_level
from simulator.errors import number
from simulator.runs.table import Row, Table
from simulator.wording import cut, percent, share_text

HEADING_Y, LEGEND_Y = -36, -16
"""Where the heading and the legend of a fan stand, from the top of its plot."""
LABEL_SIZE = 11
LABEL_HEIGHT = 13.0
LABEL_LENGTH = 28
DOT = 4.5
SMALL = 18
"""The area of a dot in a small plot, square pixels."""

SHAPES = ("diamond", "square", "triangle-up", "triangle-down", "cross")


@dataclass(frozen=True, slots=True)
class PartLook:
    """How a part of a mixture is told apart: by colour, dashes and a mark, in grey too; and what it is called."""

    color: str
    dash: Sequence[float]
    shape: str
    name: str

    @property
    def lines(self) -> tuple[spec.Spec, spec.Spec]:
        """Make the marks of its line: a rim of paper, and the line."""
        return line_mark(style.PAPER, 3.4), line_mark(self.color, 1.8, self.dash)

    @property
    def mark(self) -> spec.Spec:
        """Make its mark."""
        return style.shape_mark(
            self.shape, 62 if self.shape == "square" else 88, fill=self.color, rim=style.PAPER, width=1
        )


def part_looks(parts: Table) -> dict[str, PartLook]:
    """Choose the looks of the parts of a mixture; beyond five the weightiest have one."""
    names = {row["part"]: f"{cut(row['part'], width=24, mark='…')} ({percent(row['weight'])})" for row in parts.rows()}
    looks = zip(names, LINE_SHADES[1:], SHAPES, strict=False)
    return {part: PartLook(*shade, shape, names[part]) for part, shade, shape in looks}


def part_legend(parts: Table, *, x: float, y: float) -> list[spec.Spec]:
    """Lay out what the lines of parts mean, with their weights, in one row from the pixel `x`."""
    if not len(parts):
        return []
    looks, layers = part_looks(parts), []
    more = len(set(parts["part"].tolist())) - len(looks)
    head = "medians by part" + (f", and {more} more in the table" if more else "")
    texts = [style.Text([f"{head}:"], x, y, style.QUIET)]
    x += style.text_width(head) + 18
    for look in looks.values():
        ends: Data = [{"x": x, "y": y}, {"x": x + 32, "y": y}]
        layers += [
            spec.pixel_layer(ends, mark=look.lines[1]),
            spec.pixel_layer([{"x": x + 16, "y": y}], mark=look.mark),
        ]
        texts.append(style.Text([look.name], x + 38, y, style.QUIET))
        x += 38 + style.text_width(look.name) + 18
    return [*layers, *style.text_layers(texts)]


type Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def fan_frame(
    tables: FanTables,
    *,
    thresholds: Sequence[Row],
    log: bool,
    years: tuple[float, float] | None,
    width: float,
    height: float,
    gutter: float,
) -> Frame:
    """Choose the ends of both axes of a fan, and of the thresholds near it; `years` None: all that there are."""
    known = tables.medians["year"].tolist()
    dates = tables.seen()
    first, last = years or (min([known[0], *dates]), max([known[-1], *dates]))
    if dates and years is None and min(dates) < known[0]:
        first -= 0.03 * (last - first)  # so that the first dot stands clear of the axis
    levels = tables.levels()
    # A fan of no width still needs an axis: at least one OOM.
    least = 1.0 if log else 0.1 * max(abs(levels[0]), 1e-9)
    spare = max(0.0, least - (max(levels) - min(levels))) / 2
    lower, upper = min(levels) - spare, max(levels) + spare
    # Thresholds may stretch the axis, but not so far that the fan becomes a thin line.
    reach = max(3.0 if log else 0.0, 0.75 * (upper - lower))
    near = [row["level"] for row in thresholds if lower - reach <= row["level"] <= upper + reach]
    lower, upper = min([lower, *near]), max([upper, *near])
    margin = 0.04 * (upper - lower)
    below = WINDOW_STEP * len(_shown_windows(tables.windows, first, last))
    lower -= (upper - lower) * below / (height - below)
    return Frame(first, last, lower - margin, upper + margin, height=height, gutter=gutter, width=width, log=log)


def fan_layers(tables: FanTables, *, frame: Frame, thresholds: Sequence[Row]) -> list[spec.Spec]:
    """Draw the bands, the lines of thresholds, sample paths, the median and observed runs."""
    year, lower, median, value = frame.x("year"), frame.y("lower"), frame.y("median"), frame.y("value")
    names = tables.band_names()
    layers = []
    if len(tables.trend):
        rows = tables.trend.rows()
        layers.append(spec.layer(rows, year, lower, spec.y2("upper"), mark=fill_mark(style.HAIR)))
        layers.append(spec.layer(rows, year, median, mark=line_mark(style.QUIET, 1.5, [5, 3])))
    for name, fill in zip(names, style.band_tints(len(names)) if names else (), strict=True):
        rows = frame.held(tables.bands.where(band=name).select("year", "lower", "upper"), "lower", "upper")
        layers.append(spec.layer(rows, year, lower, spec.y2("upper"), mark=fill_mark(fill)))
    lines: Data = [
        {"level": row["level"], "from": frame.first, "to": frame.last}
        for row in thresholds
        if frame.holds(row["level"]) and not row.get("moves")
    ]
    if lines:
        mark = rule_mark(style.INK, 0.9, [4, 3])
        layers.append(spec.layer(lines, frame.x("from"), spec.x2("to"), frame.y("level"), mark=mark))
    if len(tables.moving):
        mark = line_mark(style.INK, 0.9, [4, 3]) | {"clip": True}
        layers.append(
            spec.layer(frame.held(tables.moving, "value"), year, value, spec.one_line_each("threshold"), mark=mark)
        )
    if len(tables.paths):
        mark = line_mark(style.INK, 0.7) | {"opacity": 0.55, "clip": True}
        layers.append(spec.layer(frame.held(tables.paths, "value"), year, value, spec.one_line_each("path"), mark=mark))
    for part, look in part_looks(tables.parts).items():
        own = tables.parts.where(part=part).select("year", "median")
        layers += [
            spec.layer(frame.held(own, "median"), year, median, mark=mark | {"clip": True}) for mark in look.lines
        ]
        layers.append(spec.layer(frame.held(own, "median")[-1:], year, median, mark=look.mark))
    layers.append(spec.layer(frame.held(tables.medians, "median"), year, median, mark=line_mark(style.DARK_BLUE, 2.5)))
    layers += _windows(tables.windows, frame=frame)
    return [*layers, *_observed(tables.history, frame=frame, levels=[row["level"] for row in thresholds])]


MOST_WINDOWS = 5
WINDOW_STEP = 25.0


def _shown_windows(events: Table, first: float, last: float) -> list[Row]:
    """List the events that begin within the years drawn, the latest first; the first five of the scenario."""
    rows = [row for row in events.rows() if first <= row["median"] <= last][:MOST_WINDOWS] if len(events) else []
    return sorted(rows, key=lambda row: -float(row["median"]))


def _windows(events: Table, *, frame: Frame) -> list[spec.Spec]:
    """Mark events above the time axis: from the median beginning to the median end, and 90 % of the beginnings."""
    rows = _shown_windows(events, frame.first, frame.last)
    bars: Data = []
    lines: Data = []
    texts = []
    for place, row in enumerate(rows):
        y = frame.height - 9 - WINDOW_STEP * place
        begin, end, low, high = (
            frame.pixel_x(min(max(row[key], frame.first), frame.last)) for key in ("median", "until", "lower", "upper")
        )
        bars.append({"x": begin, "x2": max(end, begin + 2), "y": y - 3, "y2": y + 3, "color": style.VERMILION})
        lines += [{"detail": place, "x": low, "y": y}, {"detail": place, "x": high, "y": y}]
        name = f"{cut(row['label'], width=36, mark='…')}, {percent(row['probability'])}"
        left = min(begin, frame.width - style.text_width(name, size=LABEL_SIZE) - 2)
        texts.append(style.Text([name], max(left, 2.0), y - 11, size=LABEL_SIZE))
    if not rows:
        return []
    line = spec.pixel_layer(lines, mark=line_mark(style.VERMILION, 1))
    return [line, spec.pixel_layer(bars, mark=RECT), *style.text_layers(texts)]


def _observed(history: Table, *, frame: Frame, levels: Sequence[float]) -> list[spec.Spec]:
    """Draw observed runs as dots, each with its label where there is room; labels keep clear of `levels`."""
    seen = [row for row in history.rows() if frame.covers(row["date"]) and frame.holds(row["value"])]
    if not seen:
        return []
    mark = style.point_mark() | ({} if frame.width > 400 else {"size": SMALL})
    rows: Data = [{"year": row["date"], "value": row["value"]} for row in seen]
    dots = [spec.layer(rows, frame.x("year"), frame.y("value"), mark=mark)]
    if "lower" in history.names:
        ends: Data = [
            {"year": row["date"], "lower": max(row["lower"], frame.lower), "upper": min(row["upper"], frame.upper)}
            for row in seen
            if row["lower"] is not None
        ]
        bars = spec.layer(ends, frame.x("year"), frame.y("lower"), spec.y2("upper"), mark=rule_mark(style.INK, 1.1))
        dots.insert(0, bars)
    labels = [row["label"] for row in seen]
    names = [cut(name, width=LABEL_LENGTH, mark="…") for name in labels]
    places = [(frame.pixel_x(row["date"]), frame.pixel(row["value"])) for row in seen]
    lines = [frame.pixel(level) for level in levels]
    boxes = placed_labels(places, names=names, width=frame.width, height=frame.height, lines=lines)
    texts = [
        style.Text([name], box[0], (box[1] + box[3]) / 2, size=LABEL_SIZE)
        for name, box in zip(names, boxes, strict=True)
        if box is not None and name
    ]
    return [*dots, *style.text_layers(texts)]


def placed_labels(
    places: Sequence[tuple[float, float]],
    *,
    names: Sequence[str],
    width: float,
    height: float,
    lines: Sequence[float] = (),
) -> list[Box | None]:
    """Place labels beside their dots so that none covers another, a dot, or the edge; None where there is no room.

    The highest dots choose first: they are the records that a reader looks for. A label covers one of `lines` across
    the plot only where it has no other place.
    """
    taken: list[Box] = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in places]
    boxes: list[Box | None] = [None] * len(places)
    for index in sorted(range(len(places)), key=lambda place: (places[place][1], places[place][0], names[place])):
        others = [box for place, box in enumerate(taken) if place != index]
        near = _beside(places[index], style.text_width(names[index], size=LABEL_SIZE))
        near.sort(key=lambda box: any(box[1] < line < box[3] for line in lines))
        for box in near:
            inside = box[0] >= 1 and box[2] <= width - 1 and box[1] >= 0 and box[3] <= height
            if inside and not any(_meet(box, other) for other in others):
                boxes[index] = box
                taken.append(box)
                break
    return boxes


def _beside(place: tuple[float, float], wide: float) -> list[Box]:
    """List where a label may stand, the best first: left of a rising series lies nothing."""
    x, y = place
    gap, half = DOT + 2.5, LABEL_HEIGHT / 2
    corners = [
        (x - gap - wide, y - half), (x + gap, y - half),
        (x - gap - wide + 2, y - gap - half), (x + gap - 2, y + gap - half),
        (x - wide / 2, y - gap - LABEL_HEIGHT + 2), (x - wide / 2, y + gap - 2),
        (x + gap - 2, y - gap - half), (x - gap - wide + 2, y + gap - half),
    ]  # fmt: skip
    return [(left, top, left + wide, top + LABEL_HEIGHT) for left, top in corners]


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def fan_legend(tables: FanTables) -> list[style.LegendEntry]:
    """List what the marks of a fan mean."""
    names = tables.band_names()
    fills = dict(zip(names, style.band_tints(len(names)), strict=True)) if names else {}
    entries: list[style.LegendEntry] = [("line", style.DARK_BLUE, "median" if names else "level")]
    entries += [("band", fills[name], name) for name in reversed(names[1:])]
    entries += [("band", fills[name], f"{name} of the samples") for name in names[:1]]
    if count := tables.path_count():
        entries.append(("thread", style.INK, "one sample" if count == 1 else f"each of {count} samples"))
    if len(tables.trend):
        entries.append(("band", style.HAIR, "trend learnt, 90 %"))
    if len(tables.windows):
        entries.append(("bar", style.VERMILION, "event, median dates"))
    if len(tables.history):
        entries.append(("point", style.INK, "observed, 90 %" if "lower" in tables.history.names else "observed"))
    return entries


def pointer_layer(tables: FanTables, *, frame: Frame, unit: str, name: str) -> spec.Spec:
    """Say year, median and bands under the pointer, one column of the plot for each year."""
    names = tables.band_names()
    years = tables.medians["year"].tolist()
    edges = [max(frame.first, years[0]), *((before + after) / 2 for before, after in pairwise(years)), years[-1]]
    bands = {(row["band"], row["year"]): row for row in tables.bands.rows()}
    rows: Data = []
    for (left, right), row in zip(pairwise(edges), tables.medians.rows(), strict=True):
        ends = [bands[band, row["year"]][key] for band in names for key in ("lower", "upper")]
        median, *told = (said_level(level - frame.size, log=frame.log) for level in (row["median"], *ends))
        said: dict[str, object] = {"y": 0, "y2": frame.height, "from": left, "to": right}
        said |= {"year": f"{row['year']:g}", "median": f"{median} {unit}"}
        said |= {f"band_{place}": f"{told[2 * place]} to {told[2 * place + 1]}" for place in range(len(names))}
        rows.append(said)
    columns = [("year", "year"), ("median", "median"), *((f"band_{place}", band) for place, band in enumerate(names))]
    return frame.pointer_layer(rows, columns=columns, name=name)


def from_the_top(thresholds: Table, quantity: str, *, strict: bool = False) -> list[Row]:
    """List the thresholds on a quantity from the highest level down; one that names none is on it, unless `strict`."""
    rows = [row for row in thresholds.rows() if row.get("quantity") == quantity or not (strict or row.get("quantity"))]
    return sorted(rows, key=lambda row: -float(row["level"]))


def label_text(row: Row, *, frame: Frame) -> str:
    """Write the label of a threshold, with an arrow where its level is off the chart."""
    return ("▲ " if row["level"] > frame.upper else "▼ " if row["level"] < frame.lower else "") + str(row["label"])


def uncertain(row: Row) -> bool:
    """Say whether the level of a threshold is itself uncertain."""
    return row.get("lower") is not None


def threshold_leaders(
    thresholds: Sequence[Row], labels: Sequence[Sequence[str]], *, frame: Frame, gap: float, bend: float, end: float
) -> tuple[list[spec.Spec], list[float]]:
    """Draw the lines from levels to their labels, which run straight to `bend`; and tell the middles of the labels."""
    levels = [frame.pixel(row["level"]) for row in thresholds]
    wanted = [min(max(level, 0.0), frame.height) for level in levels]
    heights = [style.LINE_HEIGHT * len(lines) + gap for lines in labels]
    middles = style.spread_labels(wanted, heights=heights, top=-8.0, bottom=frame.height + 8.0)
    corners: Data = []
    for place, (level, start, middle) in enumerate(zip(levels, wanted, middles, strict=True)):
        if level == start:  # off the chart there is no line to start from
            ends = ((frame.width, start), (frame.width + bend, start), (frame.width + end, middle))
            corners += [{"detail": place, "x": x, "y": y} for x, y in ends]
    return [spec.pixel_layer(corners, mark=line_mark(style.QUIET, 0.8))] if corners else [], middles


def brackets(thresholds: Sequence[Row], *, frame: Frame) -> list[spec.Spec]:
    """Draw the intervals of uncertain levels beside the plot, in three lanes, so that neighbours can be told apart."""
    rows: Data = []
    for place, row in enumerate(filter(uncertain, thresholds)):
        high = frame.upper if row.get("upper") is None else row["upper"]
        top, bottom, level = (
            min(max(frame.pixel(end), 0.0), frame.height) for end in (high, row["lower"], row["level"])
        )
        x = frame.width + 3 + 5 * (place % 3)
        rows.append({"x": x, "x2": x + 3, "y": top, "y2": bottom, "color": style.QUIET})
        rows.append({"x": x, "x2": x + 3, "y": level - 1.5, "y2": level + 1.5, "color": style.PAPER})
    return [spec.pixel_layer(rows, mark=RECT)] if rows else []


def median_crossings(
    crossings: Sequence[Row], *, thresholds: Sequence[Row], frame: Frame, start: float
) -> list[spec.Spec]:
    """Mark the median year of each crossing on the fan, where a certain level puts it on the median line."""
    years = {row["threshold"]: row["median"] for row in crossings}
    rows: Data = []
    for row in thresholds:
        year = years.get(row["threshold"])
        inside = year is not None and max(frame.first, start) < year <= frame.last
        if inside and frame.holds(row["level"]) and not uncertain(row) and not row.get("moves"):
            rows.append({"year": year, "level": row["level"]})
    return [spec.layer(rows, frame.x("year"), frame.y("level"), mark=style.dot_mark())] if rows else []


def crossing_strip(
    crossings: Sequence[Row], names: Sequence[Sequence[str]], *, tables: FanTables, frame: Frame, start: float,
    right: float,
) -> spec.Spec:  # fmt: skip
    """Draw the crossing years under the fan, one row per threshold; below each bar the medians of the parts."""
    notes, looks = [_share_lines(row) for row in crossings], part_looks(tables.parts)
    least = 2 if looks else 1
    heights = [
        10.0 + style.LINE_HEIGHT * max(len(name), len(note), least) for name, note in zip(names, notes, strict=True)
    ]
    edges, middles = row_edges(heights)
    left, medians_x, notes_x = -frame.gutter, frame.width + 18, frame.width + 92
    certain = all(row["lower_90"] == row["upper_90"] < math.inf for row in crossings)
    marks = Marks(rules=rule_mark())
    for name, y in zip(names, middles, strict=True):
        marks.text(name, left, y)
    for note, y in zip(notes, middles, strict=True):
        marks.text(note, notes_x, y, style.QUIET)
    marks.text("year" if certain else "median", medians_x, LEGEND_Y, style.QUIET)
    intervals: list[Interval] = []
    dots: Data = []
    for row, y in zip(crossings, middles, strict=True):
        marks.text(crossing_text(row["median"], start=start, last=row["last_year"]), medians_x, y, bold=True)
        bar = y - (6 if looks else 0)
        intervals.append(Interval(bar, (row["lower_90"], row["upper_90"]), (row["lower_50"], row["upper_50"])))
        if frame.covers(row["median"]):
            dots.append({"y": bar, "year": row["median"]})
    marks.text("Year of crossing", left, HEADING_Y, bold=True)
    entries: list[style.LegendEntry] = [("dot", style.INK, "year, without any spread" if certain else "median")]
    if not certain:
        entries += [("bar", style.VERMILION, "50 %"), ("line", style.VERMILION, "90 % of the samples")]
        if any(max(row["upper_50"], row["upper_90"]) > frame.last for row in crossings):
            entries.append(("arrow", style.VERMILION, f"goes on after {number(frame.last)}"))
    over = [spec.layer(dots, frame.x("year"), spec.y("y"), mark=style.dot_mark())]
    places = dict(zip((row["threshold"] for row in crossings), middles, strict=True))
    for part, look in looks.items():
        own = tables.part_crossings.where(part=part).rows()
        seen: Data = [
            {"y": places[row["threshold"]] + 8, "year": row["median"]} for row in own if frame.covers(row["median"])
        ]
        if seen:
            over.append(spec.layer(seen, frame.x("year"), spec.y("y"), mark=look.mark))
    return strip_view(
        marks, intervals, over, entries, frame=frame, edges=edges, right=frame.width + right, legend_y=LEGEND_Y
    )


def _share_lines(row: Row) -> list[str]:
    """Write the share of the samples that never cross, and of those above from the start, if any."""
    lines = [f"never by {number(row['last_year'])}: {share_text(row['never'], row['samples'])}"]
    return [f"from the start: {share_text(row['already'], row['samples'])}", *lines] if row["already"] else lines

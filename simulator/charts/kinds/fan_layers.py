"""What is laid over a fan: sample paths, observed runs with their labels, and the trend that was learnt of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import Frame, Row, row_columns, row_number, row_text, row_year
from simulator.errors import number

LABEL_SIZE = 11
LABEL_HEIGHT = 13.0
LABEL_LENGTH = 28
DOT = 4.5
SMALL = 18
"""The area of a dot in a small plot, square pixels."""

type Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def path_layers(paths: Sequence[Row], *, frame: Frame) -> list[vega.Spec]:
    """Draw sample paths as thin lines."""
    rows: style.Data = [
        {"path": row["path"]} | {key: row_number(row, key, table="paths") for key in ("year", "value")} for row in paths
    ]
    mark = {"type": "line", "color": style.INK, "strokeWidth": 0.7, "opacity": 0.55, "clip": True}
    detail = vega.one_line_each("path")
    return [style.layer(rows, frame.x("year"), frame.y("value"), detail, mark=mark)] if rows else []


def trend_layers(trend: Sequence[Row], *, frame: Frame) -> list[vega.Spec]:
    """Draw the trend of what was observed: a pale band with its median."""
    if not trend:
        return []
    rows = row_columns(trend, "year", "lower", "median", "upper", table="trend")
    area = {"type": "area", "color": style.HAIR, "opacity": 1}
    line = {"type": "line", "color": style.QUIET, "strokeWidth": 1.5, "strokeDash": [5, 3]}
    return [
        style.layer(rows, frame.x("year"), frame.y("lower"), vega.y2("upper"), mark=area),
        style.layer(rows, frame.x("year"), frame.y("median"), mark=line),
    ]


def history_layers(history: Sequence[Row], *, frame: Frame, lines: Sequence[float] = ()) -> list[vega.Spec]:
    """Draw observed runs as dots, each with its label where there is room; `lines` are levels to keep clear of."""
    seen = [
        (row_number(row, "date", table="history"), row_number(row, "value", table="history"), row_text(row, "label"))
        for row in history
    ]
    seen = [point for point in seen if frame.covers(point[0]) and frame.holds(point[1])]
    if not seen:
        return []
    rows: style.Data = [{"year": date, "value": value} for date, value, _ in seen]
    mark = style.point_mark()
    mark["size"] = mark["size"] if frame.width > 400 else SMALL
    dots = style.layer(rows, frame.x("year"), frame.y("value"), mark=mark)
    places = [(frame.pixel_x(date), frame.pixel(value)) for date, value, _ in seen]
    names = [name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…" for _, _, name in seen]
    clear = [frame.pixel(level) for level in lines]
    boxes = placed_labels(places, names=names, width=frame.width, height=frame.height, lines=clear)
    texts = [
        style.Text([name], box[0], (box[1] + box[3]) / 2, size=LABEL_SIZE)
        for name, box in zip(names, boxes, strict=True)
        if box is not None and name
    ]
    return [dots, *style.text_layers(texts)]


def placed_labels(
    places: Sequence[tuple[float, float]],
    *,
    names: Sequence[str],
    width: float,
    height: float,
    lines: Sequence[float] = (),
) -> list[Box | None]:
    """Place labels beside their dots so that none covers another, a dot, or the edge; None where there is no room.

    The highest dots choose first: they are the records that a reader looks for.

    Parameters
    ----------
    places : sequence (label,) of (x, y), pixels
    names : sequence (label,) of str
    width, height : float, pixels
        Of the plot.
    lines : sequence of float, pixels
        Lines across the plot, which a label covers only where it has no other place.

    Returns
    -------
    list (label,) of (left, top, right, bottom) or None

    Examples
    --------
    >>> boxes = placed_labels([(50, 50), (50, 50.5)], names=["a", "b"], width=100, height=100)
    >>> boxes[0][2] <= boxes[1][0] or boxes[1][2] <= boxes[0][0]
    True
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


NAME_CHARACTERS = 24
HEADING_Y = -36
LEGEND_Y = -16


def crossing_strip(crossings: Sequence[Row], *, frame: Frame, start: float, right: float) -> vega.Spec:
    """Draw the crossing years under the fan, one row per threshold.

    Parameters
    ----------
    crossings : rows (threshold,)
        As in `FanTables`.
    frame : Frame
        Of the fan above.
    start : float
        The first year of the run.
    right : float, pixels
        The room at the right of the plot.
    """
    names = [style.wrapped(row_text(row, "label"), width=NAME_CHARACTERS) for row in crossings]
    notes = [_share_lines(row) for row in crossings]
    edges, middles = [0.0], []
    for name, share in zip(names, notes, strict=True):
        height = 10.0 + style.LINE_HEIGHT * max(len(name), len(share))
        middles.append(edges[-1] + height / 2)
        edges.append(edges[-1] + height)
    separators: style.Data = [{"x": -frame.gutter, "x2": frame.width + right, "y": edge} for edge in edges]
    left, medians_x, notes_x = -frame.gutter, frame.width + 18, frame.width + 92
    texts = [style.Text(name, left, y) for name, y in zip(names, middles, strict=True)]
    texts += [style.Text(share, notes_x, y, style.QUIET) for share, y in zip(notes, middles, strict=True)]
    texts.append(style.Text(["year" if _all_certain(crossings) else "median"], medians_x, LEGEND_Y, style.QUIET))
    for row, y in zip(crossings, middles, strict=True):
        texts.append(style.Text([_median_text(row, start=start)], medians_x, y, bold=True))
    texts.append(style.Text(["Year of crossing"], left, HEADING_Y, bold=True))
    layers = [
        style.pixel_layer(separators, mark={"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
        *_marks(crossings, middles=middles, frame=frame),
        *style.text_layers(texts),
        *style.legend_layers(_legend(crossings, frame=frame), x=left, y=LEGEND_Y),
    ]
    return vega.view(layers, width=frame.width, height=edges[-1])


def _legend(crossings: Sequence[Row], *, frame: Frame) -> list[style.LegendEntry]:
    if _all_certain(crossings):
        return [("dot", style.INK, "year, without any spread")]
    entries: list[style.LegendEntry] = [
        ("dot", style.INK, "median"),
        ("bar", style.VERMILION, "50 %"),
        ("line", style.VERMILION, "90 % of the samples"),
    ]
    if any(_goes_on(row, frame=frame) for row in crossings):
        entries.append(("arrow", style.VERMILION, f"goes on after {number(frame.last)}"))
    return entries


def _marks(crossings: Sequence[Row], *, middles: Sequence[float], frame: Frame) -> list[vega.Spec]:
    """Draw the intervals and the medians; an interval with no upper end runs to the edge and has an arrow."""
    bars: style.Data = []
    dots: style.Data = []
    arrows: style.Data = []
    for row, y in zip(crossings, middles, strict=True):
        for level, thickness in (("90", 2), ("50", 7)):
            lower, upper = row_year(row, f"lower_{level}"), row_year(row, f"upper_{level}")
            if lower is not None and lower <= frame.last and (upper is None or upper >= frame.first):
                begin, end = max(lower, frame.first), frame.last if upper is None else min(upper, frame.last)
                bars.append({"threshold": row["threshold"], "y": y, "from": begin, "to": end, "width": thickness})
        if _goes_on(row, frame=frame):
            arrows.append({"x": frame.width + 5, "y": y})
        median = row_year(row, "median")
        if median is not None and frame.covers(median):
            dots.append({"threshold": row["threshold"], "y": y, "year": median})
    row_y = vega.y("y")
    width = vega.line_widths("width")
    bar_mark = {"type": "rule", "color": style.VERMILION}
    # Drawn even where it is empty, for it carries the axis.
    layers = [style.layer(bars, frame.x("from"), vega.x2("to"), row_y, width, mark=bar_mark)]
    layers += [style.pixel_layer(arrows, mark=style.arrow_mark())] if arrows else []
    return [*layers, style.layer(dots, frame.x("year"), row_y, mark=style.dot_mark())]


def _all_certain(crossings: Sequence[Row]) -> bool:
    """Say whether every crossing year is one and the same in all samples."""
    ends = ((row_year(row, "lower_90"), row_year(row, "upper_90")) for row in crossings)
    return all(lower is not None and lower == upper for lower, upper in ends)


def _goes_on(row: Row, *, frame: Frame) -> bool:
    ends = [row_year(row, "upper_50"), row_year(row, "upper_90")]
    return any(end is None or end > frame.last for end in ends)


def _horizon(row: Row) -> str:
    return number(row_number(row, "last_year", table="crossings"))


def _median_text(row: Row, *, start: float) -> str:
    """Write the calendar year of the median, or that it is outside the years of the run."""
    median = row_year(row, "median")
    if median is None:
        return f"> {_horizon(row)}"
    if median <= start or row_number(row, "already", table="crossings") >= 0.5:
        return f"≤ {number(start)}"
    return str(math.floor(median + 1e-6))  # a crossing at the turn of the year belongs to the new one


def _share_lines(row: Row) -> list[str]:
    """Write the share of the samples that never cross, and of those above from the start, if any."""
    never, already = (row_number(row, key, table="crossings") for key in ("never", "already"))
    lines = [f"never by {_horizon(row)}: {share_text(never)}"]
    return [f"from the start: {share_text(already)}", *lines] if already else lines


def share_text(share: float) -> str:
    """Write a share of the samples; one that is not certain is never rounded to certainty.

    Examples
    --------
    >>> share_text(0.514), share_text(0.0004), share_text(1.0)
    ('51 %', '< 1 %', '100 %')
    """
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %"

"""What is laid over a fan: sample paths, observed runs with their labels, and the trend that was learnt of them."""

from __future__ import annotations

from collections.abc import Sequence

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import Frame, Row, row_columns, row_number, row_text

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

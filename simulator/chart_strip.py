"""The strip under a fan: the years in which thresholds are crossed, one row each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import Frame, Row, row_number, row_text, row_year
from simulator.errors import number

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

"""Charts of hindcasts: the head that all have, and fans by origin with what came later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import batched

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import Frame, row_columns, row_number, row_text
from simulator.chart_predictive import outside_mark
from simulator.chart_style import Text
from simulator.figure import Row

LATE = "with hindsight"
WIDTH = 960
GUTTER = 56.0
NAME_HEIGHT = 18
MOST_COLUMNS = 4
REACH = 3.5
_NUMBER_SIZE = 40


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above and below every chart of a hindcast.

    Parameters
    ----------
    title, subtitle : str
    targets, forecasts : int
        Distinct years, and forecasts of them by each way of forecasting.
    origins : sequence of int
    source : str
        Where the tables are from, for the foot.
    late : sequence of str
        Forecasts in which a prior knew what came.
    """

    title: str
    subtitle: str
    targets: int
    forecasts: int
    origins: Sequence[int]
    source: str
    late: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FanRow:
    """One row of small fans: the name of a forecast, and the tables of each origin.

    Parameters
    ----------
    name : str
    panels : sequence of Panel
        From the first origin to the last.
    late : bool
        Whether a prior knew what came.
    """

    name: str
    panels: Sequence[Panel]
    late: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """The forecasts of one origin.

    Parameters
    ----------
    origin : int
    bands : rows (year,)
        `year`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10 FLOP).
    record : rows (year,)
        `year`, `value` (log10 FLOP), `state` ("before", "inside" or "outside").
    note : str
        What is seen in it.
    """

    origin: int
    bands: Sequence[Row]
    record: Sequence[Row]
    note: str


def framed(views: Sequence[vega.Spec], *, head: Head, left: float) -> vega.Spec:
    """Set the number of distinct years large above a chart, and where it is from below it.

    Parameters
    ----------
    views : sequence of dict, views of Vega-Lite
        From the top down.
    head : Head
    left : float, pixels
        The left edge of the texts, from the left edge of the plots.
    """
    origins = style.wrapped(", ".join(map(str, head.origins)), width=90)
    years, times = ("year" if head.targets == 1 else "years"), "time" if head.forecasts == 1 else "times"
    wide = style.text_width(str(head.targets), size=_NUMBER_SIZE) + 14
    texts = [
        Text([str(head.targets)], left, 20, bold=True, size=_NUMBER_SIZE),
        Text([f"distinct {years} that came,"], left + wide, 11, bold=True, size=16),
        Text(
            [f"forecast {head.forecasts} {times}, from the end of {origins[0]}{' ...' if len(origins) > 1 else ''}"],
            left + wide, 31, style.QUIET,
        ),
    ]  # fmt: skip
    height = 42.0
    if head.late:
        lines = style.wrapped(f"With hindsight: {', '.join(head.late)}. Their priors knew what came.", width=130)
        texts.append(Text(lines, left, 52 + style.LINE_HEIGHT * len(lines) / 2, style.VERMILION, bold=True))
        height = 56.0 + style.LINE_HEIGHT * len(lines)
    top = vega.view(style.text_layers(texts), width=10, height=height)
    lines = style.wrapped(head.source, width=int(WIDTH / (0.52 * style.FOOT_SIZE)))
    words = Text(lines, left, style.LINE_HEIGHT * len(lines) / 2, style.QUIET, size=style.FOOT_SIZE)
    foot = vega.view(style.text_layers([words]), width=10, height=style.LINE_HEIGHT * len(lines))
    return style.stacked([top, *views, foot], title=head.title, subtitle=head.subtitle, width=WIDTH)


def draw_hindcast_fans(rows: Sequence[FanRow], *, head: Head, height: float) -> vega.Spec:
    """Draw the forecasts from each origin, and what came, beside one another; each way of forecasting in a row.

    All plots share both axes, four stand beside one another at most. What lies far outside what came is cut off at
    the edge, and the foot says so.

    Parameters
    ----------
    rows : sequence of FanRow
        With the same origins.
    head : Head
    height : float, pixels
        Of one plot.
    """
    count = min(MOST_COLUMNS, max(len(row.panels) for row in rows))
    gap = 34.0
    width = min(420.0, (WIDTH - GUTTER - (count - 1) * gap) / count)
    frame = _frame([panel for row in rows for panel in row.panels], width=width, height=height)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "median"), ("band", strong, "50 %"), ("band", pale, "90 % of the forecast"),
        ("thread", style.QUIET, "record before"), ("point", style.INK, "what came, inside 90 %"),
    ]  # fmt: skip
    legend = style.legend_layers(entries, x=-GUTTER, y=0)
    last = -GUTTER + sum(24 + style.text_width(text) + 18 for _, _, text in entries)
    legend.append(style.pixel_layer([{"x": last + 9, "y": 0}], mark=outside_mark()))
    legend += style.text_layers([Text(["what came, outside"], last + 24, 0, style.QUIET)])
    views: list[vega.Spec] = [vega.view(legend, width=10, height=4)]
    lone = len(rows) == 1
    for row, part in [(each, part) for each in rows for part in batched(each.panels, count)]:
        drawn = [
            _panel(panel, frame=frame, first=not place, lone=lone, name=None if lone or place else row)
            for place, panel in enumerate(part)
        ]
        views.append(vega.side_by_side(drawn, spacing=gap))
    if any(_is_cut(panel, frame) for row in rows for panel in row.panels):
        head = replace(head, source=f"{head.source} · bands are cut off at the edge")
    return framed(views, head=head, left=-GUTTER)


def _is_cut(panel: Panel, frame: Frame) -> bool:
    levels = [row_number(row, key, table="bands") for row in panel.bands for key in ("lower_90", "upper_90")]
    return not all(frame.holds(level) for level in levels)


def _frame(panels: Sequence[Panel], *, width: float, height: float) -> Frame:
    """Choose axes that hold what came and the narrower bands, and at most `REACH` OOM beyond what came."""
    record = [row for panel in panels for row in panel.record]
    years = [row_number(row, "year", table="record") for row in record]
    years += [row_number(row, "year", table="bands") for panel in panels for row in panel.bands]
    came = [row_number(row, "value", table="record") for row in record]
    levels = [
        row_number(row, key, table="bands")
        for panel in panels
        for row in panel.bands
        for key in ("lower_90", "upper_90")
    ]
    lower, upper = max(min(levels + came), min(came) - REACH), min(max(levels + came), max(came) + REACH)
    margin = 0.05 * (upper - lower)
    return Frame(
        min(years) - 0.5, max(years) + 0.5, lower - margin, upper + margin, height=height, gutter=GUTTER, width=width
    )


def _panel(panel: Panel, *, frame: Frame, first: bool, lone: bool, name: FanRow | None) -> vega.Spec:
    """Draw one fan; the only row has the origin above it, of several each has its name above the first."""
    keys = ("year", "lower_90", "lower_50", "median", "upper_50", "upper_90")
    rows = row_columns(panel.bands, *keys, table="bands")
    layers = []
    for fill, level in zip(style.band_tints(2), (90, 50), strict=True):
        area = {"type": "area", "color": fill, "opacity": 1, "clip": True}
        layers.append(
            style.layer(rows, frame.x("year"), frame.y(f"lower_{level}"), vega.y2(f"upper_{level}"), mark=area)
        )
    line = {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 2, "clip": True}
    layers.append(style.layer(rows, frame.x("year"), frame.y("median"), mark=line))
    record = {
        state: row_columns(
            [row for row in panel.record if row_text(row, "state") == state], "year", "value", table="record"
        )
        for state in ("before", "inside", "outside")
    }
    thread = {"type": "line", "color": style.QUIET, "strokeWidth": 1.2, "clip": True}
    small = style.point_mark()
    small["size"] = 34
    for state, mark in (("before", thread), ("inside", small), ("outside", outside_mark())):
        if record[state]:
            layers.append(style.layer(record[state], frame.x("year"), frame.y("value"), mark=mark))
    note = panel.note if lone else f"from {panel.origin}: {panel.note}"
    texts = [Text([note], 6, 12, style.QUIET, size=style.FOOT_SIZE)]
    texts += frame.texts() if first else []
    if name is not None:
        late = f"  ({LATE})" if name.late else ""
        texts.append(Text([name.name], -GUTTER, -NAME_HEIGHT, bold=True, size=style.TEXT_SIZE + 1))
        if late:
            wide = style.text_width(name.name, size=style.TEXT_SIZE + 1) * 1.08
            texts.append(Text([late], -GUTTER + wide, -NAME_HEIGHT, style.VERMILION, bold=True))
    if lone:
        texts.append(Text([f"from the end of {panel.origin}"], 0, -12))
    return vega.view([*layers, *style.text_layers(texts)], width=frame.width, height=frame.height)

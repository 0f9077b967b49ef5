"""Several fans in one figure, on common years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator import chart_style as style
from simulator import vega_lite as vega
from simulator.chart_frame import Frame, Row, row_number, row_text
from simulator.charts import FanTables, fan_frame, fan_layers, fan_legend, pointer_layers
from simulator.run_label import RunLabel

WIDTH = 330
HEIGHT = 190
GUTTER = 52.0
RIGHT = 122.0
LABEL_X = WIDTH + 24
MOST_WRAPPED = 5
GAP = 30.0
LABEL_CHARACTERS = 16
LABEL_SIZE = 11
ROOM = GUTTER + WIDTH + RIGHT - 8
"""The widest line of a panel's head, in pixels."""
HEADING_Y = -38
LINE_Y = -21


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several fans.

    Parameters
    ----------
    tables : FanTables
        Its crossings are not drawn.
    quantity : str
        As in the thresholds' `quantity`.
    label, unit : str
        The quantity and its unit as readers say them.
    line : str
        What is seen in it, in a few words.
    log : bool
        Whether levels are logarithms.
    """

    tables: FanTables
    quantity: str
    label: str
    unit: str
    line: str
    log: bool = True


def draw_panels(
    panels: Sequence[Panel], *, title: str, subtitle: str, run: RunLabel, years: tuple[float, float] | None = None
) -> vega.Spec:
    """Draw several fans, two beside one another, each with its own scale.

    Parameters
    ----------
    panels : sequence of Panel
        On the same years.
    title, subtitle : str
    run : RunLabel
    years : first and last year of the axes; without them, all years of the tables

    Raises
    ------
    InputError
        As `draw_fan`.

    Examples
    --------
    >>> tables = FanTables([{"year": 2025, "median": 26.0}, {"year": 2045, "median": 34.0}], bands=[])
    >>> panel = Panel(tables, "spending", "Spending", "USD", "2045: 1e34")
    >>> run = RunLabel("3f9a2c1", "baseline", seed=1, samples=4096)
    >>> len(draw_panels([panel] * 4, title="Spending", subtitle="", run=run)["vconcat"])
    4

    The key, two rows of panels, the foot.
    """
    own = [[row for row in panel.tables.thresholds if row.get("quantity") == panel.quantity] for panel in panels]
    own = [sorted(rows, key=lambda row: -row_number(row, "level", table="thresholds")) for rows in own]
    frames = [
        replace(
            fan_frame(panel.tables, thresholds=rows, log=panel.log, years=years, width=WIDTH, height=HEIGHT),
            gutter=GUTTER,
        )
        for panel, rows in zip(panels, own, strict=True)
    ]
    labels = [_labels(rows, frame=frame) for rows, frame in zip(own, frames, strict=True)]
    tall = max([HEIGHT, *(sum(_height(lines) for lines in label) for label in labels)])
    right = RIGHT if any(labels) else 0.0
    drawn = [
        _panel(panel, frame=replace(frame, height=tall), thresholds=rows, labels=lines, name=f"panel_{place}")
        for place, (panel, frame, rows, lines) in enumerate(zip(panels, frames, own, labels, strict=True))
    ]
    # Only the plots count for the distance: so they stand under one another, whatever their labels.
    grid = [
        vega.side_by_side(drawn[first : first + 2], spacing=right + GUTTER + GAP) for first in range(0, len(drawn), 2)
    ]
    legend = style.legend_layers(
        fan_legend(max(panels, key=lambda panel: (len(panel.tables.bands), len(panel.tables.history))).tables),
        x=-GUTTER,
        y=0,
    )
    width = 2 * (GUTTER + WIDTH + right) + GAP
    key = vega.view(legend, width=10, height=4)
    views: list[vega.Spec] = [key, *grid, style.footer(run, x=-GUTTER, width=width)]
    return style.stacked(views, title=title, subtitle=subtitle, width=width, spacing=24.0)


def _panel(
    panel: Panel, *, frame: Frame, thresholds: Sequence[Row], labels: Sequence[Sequence[str]], name: str
) -> vega.Spec:
    layers = fan_layers(panel.tables, frame=frame, thresholds=thresholds)
    heading = f"{panel.label}, {panel.unit}" if panel.unit else panel.label
    texts = [
        style.Text([style.cut(heading, ROOM, bold=True)], -frame.gutter, HEADING_Y, bold=True),
        style.Text([style.cut(panel.line, ROOM)], -frame.gutter, LINE_Y, style.QUIET),
        *frame.texts(),
    ]
    layers += style.text_layers(texts)
    layers += _label_layers(thresholds, labels=labels, frame=frame)
    layers += pointer_layers(panel.tables, frame=frame, unit=panel.unit, name=name)
    return vega.view(layers, width=frame.width, height=frame.height)


def _labels(thresholds: Sequence[Row], *, frame: Frame) -> list[list[str]]:
    """Write the labels of thresholds, with an arrow where the level is off the chart."""
    labels = []
    for row in thresholds:
        level = row_number(row, "level", table="thresholds")
        off = "▲ " if level > frame.upper else "▼ " if level < frame.lower else ""
        text = off + row_text(row, "label")
        if len(thresholds) > MOST_WRAPPED:  # one line each: the whole names stand in the table
            cut = text[: LABEL_CHARACTERS - 1].rstrip() + "…"
            labels.append([text if len(text) <= LABEL_CHARACTERS else cut])
        else:
            labels.append(style.wrapped(text, width=LABEL_CHARACTERS))
    return labels


def _height(lines: Sequence[str]) -> float:
    return style.LINE_HEIGHT * len(lines) + 2.0


def _label_layers(thresholds: Sequence[Row], *, labels: Sequence[Sequence[str]], frame: Frame) -> list[vega.Spec]:
    """Place the labels of thresholds beside the panel, with leader lines."""
    if not thresholds:
        return []
    levels = [frame.pixel(row_number(row, "level", table="thresholds")) for row in thresholds]
    wanted = [min(max(level, 0.0), frame.height) for level in levels]
    middles = style.spread_labels(
        wanted, heights=[_height(lines) for lines in labels], top=-8.0, bottom=frame.height + 8.0
    )
    leaders: style.Data = []
    for place, (level, start, end) in enumerate(zip(levels, wanted, middles, strict=True)):
        corners = ((WIDTH, start), (WIDTH + 5, start), (LABEL_X - 3, end)) if level == start else ()
        leaders += [{"detail": place, "x": x, "y": y} for x, y in corners]
    texts = [style.Text(lines, LABEL_X, middle, size=LABEL_SIZE) for lines, middle in zip(labels, middles, strict=True)]
    line = {"type": "line", "color": style.QUIET, "strokeWidth": 0.8}
    return [*([style.pixel_layer(leaders, mark=line)] if leaders else []), *style.text_layers(texts)]

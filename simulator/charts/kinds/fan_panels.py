"""Several fans in one figure, on common years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import Frame, Row, row_number, row_text
from simulator.charts.kinds.fan import FanTables, draw_fan, fan_frame, fan_layers, fan_legend, pointer_layers
from simulator.charts.kinds.fan_tables import (
    Fan,
    capital,
    course,
    fan_alt_text,
    fan_caption,
    final_level,
    final_range,
    first_year,
    last_year,
    panel_line,
    read_fan,
    wide_rows,
    widest,
)
from simulator.charts.spec import Figure, FigureOptions
from simulator.charts.spec import Row as Row_
from simulator.errors import InputError
from simulator.runs.groups import Group, RunLabel, arrays, run_label
from simulator.runs.summary import main_quantity
from simulator.wording import listed

if TYPE_CHECKING:
    import xarray as xr


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


MOST_PANELS = 6


def fan_figures(run: Group | xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the fan of a variable, or the fans of up to six in one figure.

    Parameters
    ----------
    run : xarray.DataTree, or its groups of labelled arrays
    options : FigureOptions
        Without `quantities`, the main quantity of the run is drawn.

    Raises
    ------
    InputError
        The run has no such variable, not the quantiles of a band, or no samples for paths; or the options do not fit.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> [figure.name for figure in fan_figures(run, FigureOptions(quantities=("spending", "hardware")))]
    ['fan_spending_and_hardware']
    """
    names = tuple(dict.fromkeys(options.quantities)) or (main_quantity(run),)
    if len(names) > MOST_PANELS:
        raise InputError(f"--quantity: one figure holds up to {MOST_PANELS} fans; got {len(names)}. Draw several.")
    if options.history and len(names) > 1:
        raise InputError(
            f"--history: observed runs are drawn on one quantity; got {len(names)}. "
            "Name the quantity that they are observations of, and draw the others in a figure of their own."
        )
    fans = [read_fan(run, name, options) for name in names]
    return [_single(run, fans[0], options)] if len(fans) == 1 else [_several(run, fans, options)]


def _single(run: Group | xr.DataTree, fan: Fan, options: FigureOptions) -> Figure:
    """Draw one fan with its crossings."""
    said = "Every prior in it is fixed: there is no spread."
    if fan.spread:
        said = f"Median and central bands; {widest(fan)} of the samples end in the range of the title."
    chart = draw_fan(
        fan.tables,
        title=f"{capital(fan.label)}: {final_range(fan)} in {last_year(fan)}",
        subtitle=f"{_subject(run)}\n{said}",
        quantity=fan.quantity,
        quantity_label=capital(fan.label),
        unit=_heading_unit(run, fan),
        run=run_label(run),
        log=fan.log,
        years=_axis_years(fan, options),
        start=float(arrays(run, "summary")["year"].values[0]),
    )
    tables: dict[str, Sequence[Row_]] = {"": wide_rows([fan])}
    for name in ("thresholds", "crossings", "paths", "history", "trend"):
        if rows := getattr(fan.tables, name):
            tables[name] = _even(rows)
    return Figure(f"fan_{fan.quantity}", chart, tables, fan_caption(fan), fan_alt_text(fan))


def _even(rows: Sequence[Row_]) -> list[Row_]:
    """Give every row the same columns: only some thresholds are uncertain."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [{key: row.get(key) for key in keys} for row in rows]


def _several(run: Group | xr.DataTree, fans: Sequence[Fan], options: FigureOptions) -> Figure:
    """Draw several fans on common years."""
    shown = [f"{fan.label} {fan.said(final_level(fan, 'median'))}" for fan in fans]
    named = shown if len(shown) <= 3 else [*shown[:2], f"{len(shown) - 2} more below"]
    last = last_year(fans[0])
    chart = draw_panels(
        [
            Panel(fan.tables, fan.quantity, capital(fan.label), _heading_unit(run, fan), panel_line(fan), fan.log)
            for fan in fans
        ],
        title=f"{'Medians in' if any(fan.spread for fan in fans) else 'In'} {last}: {listed(named)}",
        subtitle=_subject(run),
        run=run_label(run),
        years=_common_years(fans, options),
    )
    names = [fan.quantity for fan in fans]
    stem = "fan_" + "_and_".join(names)
    caption = " ".join(f"{capital(course(fan))}." for fan in fans)
    alt_text = (
        f"{len(fans)} fan charts on the years {first_year(fans[0])} to {last}: {listed([fan.label for fan in fans])}. "
        f"Each shows the median and central bands over time. In {last}: "
        + "; ".join(f"{fan.label} {panel_line(fan).split(': ', 1)[1]}" for fan in fans) + "."
    )  # fmt: skip
    tables: dict[str, Sequence[Row_]] = {"": wide_rows(fans)}
    if own := [row for row in fans[0].tables.thresholds if row["quantity"] in names]:
        tables["thresholds"] = _even(own)
    for name in ("paths", "history", "trend"):
        if any(getattr(fan.tables, name) for fan in fans):
            tables[name] = [{"variable": fan.quantity, **row} for fan in fans for row in getattr(fan.tables, name)]
    return Figure(
        stem if len(stem) <= 100 else f"fan_{names[0]}_and_{len(names) - 1}_more",
        chart, tables, caption, alt_text,
    )  # fmt: skip


def _subject(run: Group | xr.DataTree) -> str:
    title = str(run.attrs["title"])
    return f"{title}{' ' if title.endswith(('?', '!', '.')) else ': '}{run.attrs['subject']}"


def _axis_years(fan: Fan, options: FigureOptions) -> tuple[float, float] | None:
    """Choose the ends of the time axis where years were asked for: no empty room at either end."""
    if options.years is None:
        return None
    dates = [float(str(row["date"])) for row in fan.tables.history]
    dates += [float(str(row["year"])) for row in fan.tables.trend]
    years = [float(str(row["year"])) for row in fan.tables.medians]
    first = options.years[0] if dates and min(dates) < years[0] else years[0]
    return first, max([years[-1], *dates])


def _common_years(fans: Sequence[Fan], options: FigureOptions) -> tuple[float, float] | None:
    """Choose the ends of the time axis of several fans: all years, and those of what was observed of any."""
    seen = [float(str(row["date"])) for fan in fans for row in fan.tables.history]
    seen += [float(str(row["year"])) for fan in fans for row in fan.tables.trend]
    if options.years is not None or not seen:
        return _axis_years(fans[0], options)
    years = [float(str(row["year"])) for row in fans[0].tables.medians]
    return min([years[0], *seen]), max([years[-1], *seen])


def _heading_unit(run: Group | xr.DataTree, fan: Fan) -> str:
    dollars = str(run.attrs.get("dollars", "not stated"))
    known = "USD" in fan.unit and dollars != "not stated"
    return f"{fan.unit} ({dollars} dollars)" if known else fan.unit

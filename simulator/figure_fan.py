"""Fans of a run: one variable with its crossings, or several on common years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.chart_panels import Panel, draw_panels
from simulator.charts import draw_fan
from simulator.errors import InputError
from simulator.fan_tables import Fan, read_fan, wide_rows
from simulator.fan_words import (
    capital,
    course,
    fan_alt_text,
    fan_caption,
    final_level,
    final_range,
    first_year,
    last_year,
    panel_line,
    widest,
)
from simulator.figure import Figure, FigureOptions, Row
from simulator.labelled import Group
from simulator.run_label import run_label
from simulator.rungroups import arrays
from simulator.summary import main_quantity
from simulator.words import listed

if TYPE_CHECKING:
    import xarray as xr

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
    tables: dict[str, Sequence[Row]] = {"": wide_rows([fan])}
    for name in ("thresholds", "crossings", "paths", "history", "trend"):
        if rows := getattr(fan.tables, name):
            tables[name] = _even(rows)
    return Figure(f"fan_{fan.quantity}", chart, tables, fan_caption(fan), fan_alt_text(fan))


def _even(rows: Sequence[Row]) -> list[Row]:
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
    tables: dict[str, Sequence[Row]] = {"": wide_rows(fans)}
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

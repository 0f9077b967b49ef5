"""What growth alone would give against what limits leave of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.layout import (
    GUTTER,
    HEADING_Y,
    LABEL_X,
    LEGEND_Y,
    NAME_CHARACTERS,
    POWER_COLUMN,
    WIDTH,
    EndLabel,
    end_labels,
    label_height,
    numeric,
    year_channel,
)
from simulator.charts.reading import central_levels, chosen_subjects, drawn_years, subtitle
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.errors import InputError, number
from simulator.runs.groups import RunLabel, group, run_label
from simulator.runs.growth_by_driver import limits_on
from simulator.runs.table import Table
from simulator.wording import listed, power

if TYPE_CHECKING:
    import xarray as xr

type Point = tuple[float, float]
"""A year and a level."""

HEIGHT = 380.0


@dataclass(frozen=True, slots=True)
class DemandTables:
    """Hold the tables of the chart, each a sequence of rows; levels in log10 of the unit.

    Parameters
    ----------
    medians : rows (series, year)
        `series` (`demanded` or `limited`), `year`, `median`.
    bands : rows (series, band, year)
        `series`, `band` (the level, as "90 %"), `year`, `lower`, `upper`; the widest first.
    limits : rows (limit, year)
        `limit` (name), `year`, `median`.
    """

    medians: Sequence[Row]
    bands: Sequence[Row]
    limits: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """Years along, log10 of the unit up, pixels."""

    years: Sequence[float]
    lower: float
    upper: float
    height: float

    def pixel(self, level: float) -> float:
        return (self.upper - level) / (self.upper - self.lower) * self.height

    def y(self, column: str) -> vega.Channel:
        scale = vega.linear_scale(self.lower, self.upper)
        return vega.y(column, scale=scale, axis=style.log_axis(self.lower, self.upper))


def draw_demand(tables: DemandTables, *, title: str, subtitle: str, heading: str, run: RunLabel) -> vega.Spec:
    """Draw the fan of a level within its limits, over it the median and the widest band of what is demanded.

    The medians of the limits are dotted lines. Bands without any width are not drawn.

    Parameters
    ----------
    tables : DemandTables
    title, subtitle : str
        What is seen.
    heading : str
        The quantity and its unit.
    run : RunLabel

    Examples
    --------
    >>> years = (2025, 2030)
    >>> medians = [{"series": s, "year": y, "median": 9.0} for s in ("demanded", "limited") for y in years]
    >>> run = RunLabel("3f9a2c1", "few", seed=1, samples=9)
    >>> len(draw_demand(DemandTables(medians, []), title="", subtitle="", heading="spending, USD", run=run)["vconcat"])
    2
    """
    frame = _frame(tables)
    width = GUTTER + LABEL_X + POWER_COLUMN + 190
    foot = style.footer(run, x=-GUTTER, width=width)
    return style.stacked(
        [_plot(tables, frame=frame, heading=heading), foot], title=title, subtitle=subtitle, width=width
    )


def _frame(tables: DemandTables) -> _Frame:
    years = sorted({numeric(row, "year") for row in tables.medians})
    if len(years) < 2:
        raise InputError(f"medians: year: must be two or more years; got {len(years)}.")
    levels = [numeric(row, "median") for row in tables.medians]
    levels += [numeric(row, key) for row in tables.bands for key in ("lower", "upper")]
    lower, upper = min(levels), max(levels)
    # The limits may stretch the axis, but not so far that the fans become thin lines.
    reach = max(1.0, 0.25 * (upper - lower))
    ends = [numeric(row, "median") for row in tables.limits if row["year"] == years[-1]]
    near = [level for level in ends if lower - reach <= level <= upper + reach]
    lower, upper = min([lower, *near]), max([upper, *near])
    margin = max(0.04 * (upper - lower), (1.0 - (upper - lower)) / 2)
    names = list(dict.fromkeys(str(row["limit"]) for row in tables.limits))
    room = label_height([line for name in names for line in _limit_lines(name)] + ["demanded", "limited"])
    return _Frame(years, lower - margin, upper + margin, max(HEIGHT, room))


def _limit_lines(name: str, mark: str = "") -> tuple[str, ...]:
    return tuple(style.wrapped(f"{mark}limit: {name}", width=NAME_CHARACTERS))


def _plot(tables: DemandTables, *, frame: _Frame, heading: str) -> vega.Spec:
    years = frame.years
    names = list(dict.fromkeys(str(row["band"]) for row in tables.bands if row["lower"] != row["upper"]))
    layers = _bands(tables.bands, names=names, frame=frame)
    layers += _limit_layers(tables.limits, frame=frame)
    for series, mark in (
        ("limited", {"type": "line", "color": style.DARK_BLUE, "strokeWidth": 2.5}),
        ("demanded", {"type": "line", "color": style.VERMILION, "strokeWidth": 2.5, "strokeDash": [8, 3]}),
    ):
        layers.append(
            style.layer(_rows(tables.medians, series, "median"), year_channel(years), frame.y("median"), mark=mark)
        )
    texts = [style.Text([heading], -GUTTER, HEADING_Y, bold=True)]
    for tick in style.power_ticks(frame.lower, frame.upper):
        texts += style.power_texts(tick, right=-9, y=frame.pixel(tick))
    entries: list[style.LegendEntry] = [("line", style.DARK_BLUE, "median within limits")]
    fills = style.band_tints(len(names)) if names else ()
    entries += [
        ("band", fills[place], name if place else f"{name} of the samples") for place, name in enumerate(names)
    ][::-1]
    entries.append(("line", style.VERMILION, f"demanded: median and {names[0]}" if names else "demanded: median"))
    layers += style.text_layers(texts)
    layers += style.legend_layers(entries, x=-GUTTER, y=LEGEND_Y)
    layers += _ends(tables, frame=frame)
    return vega.view(layers, width=WIDTH, height=frame.height)


def _bands(bands: Sequence[Row], *, names: Sequence[str], frame: _Frame) -> list[vega.Spec]:
    """Draw the fan within limits; behind it, with its edges before it, the widest band of what is demanded."""
    if not names:
        return []
    years = year_channel(frame.years)

    def area(series: str, name: str, mark: vega.Spec) -> vega.Spec:
        rows = _rows(bands, series, "lower", "upper", band=name)
        return style.layer(rows, years, frame.y("lower"), vega.y2("upper"), mark=mark)

    layers = [area("demanded", names[0], {"type": "area", "color": style.VERMILION, "opacity": 0.13})]
    for name, fill in zip(names, style.band_tints(len(names)), strict=True):
        layers.append(area("limited", name, {"type": "area", "color": fill, "opacity": 1}))
    rows = _rows(bands, "demanded", "lower", "upper", band=names[0])
    edge = {"type": "line", "color": style.VERMILION, "strokeWidth": 1.2, "strokeDash": [3, 2.5]}
    return [*layers, *(style.layer(rows, years, frame.y(key), mark=edge) for key in ("lower", "upper"))]


def _rows(rows: Sequence[Row], series: str, *keys: str, band: str | None = None) -> style.Data:
    return [
        {key: numeric(row, key) for key in ("year", *keys)}
        for row in rows
        if row["series"] == series and (band is None or row["band"] == band)
    ]


def _limit_layers(limits: Sequence[Row], *, frame: _Frame) -> list[vega.Spec]:
    """Draw the medians of the limits, as far as they lie within the axis."""
    rows: style.Data = []
    for name in dict.fromkeys(str(row["limit"]) for row in limits):
        path = [(numeric(row, "year"), numeric(row, "median")) for row in limits if row["limit"] == name]
        for place, piece in enumerate(within(path, lower=frame.lower, upper=frame.upper)):
            rows += [{"piece": f"{name} {place}", "year": year, "median": level} for year, level in piece]
    mark = {"type": "line", "color": style.INK, "strokeWidth": 0.9, "strokeDash": [1.5, 2.5]}
    detail = vega.one_line_each("piece")
    return [style.layer(rows, year_channel(frame.years), frame.y("median"), detail, mark=mark)] if rows else []


def within(path: Sequence[Point], *, lower: float, upper: float) -> list[list[Point]]:
    """Cut a path to what lies between two levels, in one or several pieces.

    The drawing library could do it, but numbers the shapes that it cuts with, so that files would differ.

    Examples
    --------
    >>> within([(2025, 0.0), (2026, 2.0), (2027, 2.0)], lower=1.0, upper=3.0)
    [[(2025.5, 1.0), (2026, 2.0), (2027, 2.0)]]
    """
    pieces: list[list[Point]] = []
    for (year, level), (next_year, next_level) in pairwise(path):
        rise = next_level - level
        ends = sorted(((lower - level) / rise, (upper - level) / rise)) if rise else [0.0, 1.0]
        first, last = max(0.0, ends[0]), min(1.0, ends[1])
        if first >= last or not (rise or lower <= level <= upper):
            continue
        start = (year + first * (next_year - year), level + first * rise) if first else (year, level)
        end = (year + last * (next_year - year), level + last * rise) if last < 1 else (next_year, next_level)
        if not pieces or pieces[-1][-1] != start:
            pieces.append([start])
        pieces[-1].append(end)
    return pieces


def _ends(tables: DemandTables, *, frame: _Frame) -> list[vega.Spec]:
    """Label the ends of the medians and of the limits."""
    last = frame.years[-1]
    ends = {str(row["series"]): numeric(row, "median") for row in tables.medians if row["year"] == last}
    labels = []
    for series, words, color in (
        ("demanded", "demanded", style.VERMILION),
        ("limited", "within limits", style.DARK_BLUE),
    ):
        labels.append(EndLabel(frame.pixel(ends[series]), (), (words,), color, bold=True, power=ends[series]))
    for row in tables.limits:
        if row["year"] == last:
            level = numeric(row, "median")
            off = "▲ " if level > frame.upper else "▼ " if level < frame.lower else ""
            lines = _limit_lines(str(row["limit"]), off)
            labels.append(EndLabel(frame.pixel(level), (), lines, style.QUIET, power=level))
    return end_labels(sorted(labels, key=lambda label: label.y), height=frame.height)


_DEMANDED = {
    "spending": "what growth alone would give",
    "hardware": "what growth alone would give",
    "algorithms": "what growth alone would give",
    "physical_compute": "what its drivers would give before limits on compute",
}


def demand_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the demanded and the limited level of each subject that has limits, one figure for each.

    Parameters
    ----------
    run : xarray.DataTree
        With samples or without.
    options : FigureOptions
        `quantities` chooses among the subjects, `bands` the central bands (one to three), `years` the years.

    Returns
    -------
    list of Figure, `demand_spending` and so on

    Raises
    ------
    InputError
        The run has no limits, or not on what is asked for; or its summary not the quantiles of a band.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> [figure.name for figure in demand_figures(run, FigureOptions())]
    ['demand_spending', 'demand_physical_compute', 'demand_algorithms']
    """
    subjects = chosen_subjects(run, options.quantities, kind="demand")
    if not options.bands:
        raise InputError("bands: one to three central bands are needed, such as 0.9; got none.")
    return [_figure(run, subject, options) for subject in subjects]


def demand_tables(
    run: xr.DataTree, subject: str, *, bands: Sequence[float], years: tuple[float, float] | None
) -> DemandTables:
    """Tabulate the demanded and the limited level of a subject by year, and the medians of its limits.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"))
    >>> demand_tables(run, "spending", bands=[0.9], years=None).medians[-1]
    {'series': 'limited', 'year': 2043.0, 'median': 11.0}
    """
    summary = group(run, "summary")
    places = drawn_years(summary, years)
    every = summary["year"].values[places].tolist()
    levels = summary["quantile"].values.tolist()
    medians: list[Row] = []
    rows: list[Row] = []

    def at(name: str, level: float) -> list[float]:
        values: list[float] = summary[name].values[levels.index(level)][places].tolist()
        return values

    for series, name in (("demanded", f"{subject}_demanded"), ("limited", subject)):
        middle = zip(every, at(name, 0.5), strict=True)
        medians += [{"series": series, "year": year, "median": value} for year, value in middle]
        for band in sorted(set(bands), reverse=True):
            low, high = central_levels(levels, band)
            rows += [
                {"series": series, "band": f"{100 * band:g} %", "year": year, "lower": lower, "upper": upper}
                for year, lower, upper in zip(every, at(name, low), at(name, high), strict=True)
            ]
    limits: list[Row] = [
        {"limit": limit, "year": year, "median": value}
        for limit in limits_on(run)[subject]
        for year, value in zip(every, at(_limit_name(summary, subject, limit), 0.5), strict=True)
        if math.isfinite(value)  # in a mixture, a limit that fewer than half of the samples have has no median
    ]
    return DemandTables(medians, rows, limits)


def _limit_name(summary: xr.Dataset, subject: str, limit: str) -> str:
    """Find the variable of a limit's level: a constraint, or a cap of a driver."""
    part = limit.replace("-", "_")
    names = [name for name in (f"constraint_{part}", f"cap_{subject}_{part}") if name in summary]
    if subject != "physical_compute":
        names = [name for name in names if name.startswith("cap_")]
    if not names:
        raise InputError(f"the run's summary has no level of the limit '{limit}' on {subject}: run its scenario again.")
    return names[0]


def _figure(run: xr.DataTree, subject: str, options: FigureOptions) -> Figure:
    tables = demand_tables(run, subject, bands=options.bands, years=options.years)
    attributes = group(run, "summary")[subject].attrs
    name, unit = str(attributes["long_name"]), _unit(str(attributes["units"]))
    ends = {str(row["series"]): numeric(row, "median") for row in tables.medians}  # of the last year
    first, last = numeric(tables.medians[0], "year"), numeric(tables.medians[-1], "year")
    limited, demanded = ends["limited"], ends["demanded"]
    capital = f"{name[0].upper()}{name[1:]}"
    title = f"{capital} in {number(last)}: {power(limited)} {unit} within its limits, {power(demanded)} demanded"
    taken = demanded - limited
    widest = f"{100 * max(options.bands):g} %"
    ranges = {
        str(row["series"]): f"{power(numeric(row, 'lower'))} to {power(numeric(row, 'upper'))}"
        for row in tables.bands
        if row["band"] == widest
    }
    limits = limits_on(run)[subject]
    caption = (
        f"Limits ({listed(limits)}) lower the median of {name} in {number(last)} by {taken:.1f} OOM: "
        f"{power(limited)} {unit} instead of {power(demanded)}. {widest} of the samples lie in {ranges['limited']} "
        f"within the limits, and in {ranges['demanded']} as demanded, which is {_DEMANDED[subject]}."
    )
    alt_text = (
        f"Two fans of {name} over each other. Along: years {number(first)} to {number(last)}. Up: {unit}, log scale. "
        f"In {number(last)} the median within limits is {power(limited)}, the median demanded {power(demanded)}."
    )
    chart = draw_demand(
        tables,
        title=title,
        subtitle=f"{subtitle(run)}.\nDemanded: {_DEMANDED[subject]}. The title and the dotted limits are medians.",
        heading=f"{name}, {unit}",
        run=run_label(run),
    )
    named = {
        "": Table.of_rows(tables.medians),
        "bands": Table.of_rows(tables.bands),
        "limits": Table.of_rows(tables.limits),
    }
    return Figure(f"demand_{subject}", chart, named, caption, alt_text)


def _unit(unit: str) -> str:
    plain = unit.removeprefix("log10(").removesuffix(")")
    return "times the start" if plain == "1" else plain

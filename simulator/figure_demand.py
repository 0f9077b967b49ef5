"""What growth alone would give against what limits leave of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import xarray as xr

from simulator.chart_binding import numeric
from simulator.chart_demand import DemandTables, draw_demand
from simulator.decomposition import limits_on
from simulator.errors import InputError, number
from simulator.figure import Figure, FigureOptions, Row
from simulator.figure_binding import chosen_subjects, drawn_years, subtitle
from simulator.run_label import run_label
from simulator.rungroups import group
from simulator.words import listed, power

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


def central_levels(levels: Sequence[float], band: float) -> tuple[float, float]:
    """Find the quantile levels of a central band among those of a summary.

    Raises
    ------
    InputError
        The band is not between 0 and 1, or the summary does not have its ends.

    Examples
    --------
    >>> central_levels([0.05, 0.5, 0.95], 0.9)
    (0.05, 0.95)
    """

    def near(wanted: float) -> list[float]:
        return [level for level in levels if abs(level - wanted) < 1e-9]

    low, high = near((1 - band) / 2), near((1 + band) / 2)
    if not (low and high and 0 < band < 1):
        known = [1 - 2 * level for level in levels if level < 0.5 and near(1 - level)]
        raise InputError(
            f"bands: {100 * band:g} %: the summary has no quantiles at its ends; it holds those of "
            f"{', '.join(f'{100 * level:.3g}' for level in sorted(known))} %. Choose among these."
        )
    return low[0], high[0]


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
    named = {"": tables.medians, "bands": tables.bands, "limits": tables.limits}
    return Figure(f"demand_{subject}", chart, named, caption, alt_text)


def _unit(unit: str) -> str:
    plain = unit.removeprefix("log10(").removesuffix(")")
    return "times the start" if plain == "1" else plain

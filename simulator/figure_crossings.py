"""When thresholds are crossed: the probability by year, the intervals, and the share that never does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from simulator.chart_binding import numeric
from simulator.chart_crossings import CrossingTables, draw_crossings, year_text
from simulator.errors import InputError, number
from simulator.figure import Figure, FigureOptions, Row
from simulator.figure_binding import drawn_years, subtitle
from simulator.figure_demand import central_levels
from simulator.run_label import run_label
from simulator.rungroups import group
from simulator.summary import PASSED
from simulator.words import listed, percent

MOST_SAID = 8
"""Thresholds that a caption lists."""


def crossing_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the probability of having crossed each threshold by year, and the intervals of the crossing years.

    Parameters
    ----------
    run : xarray.DataTree
        With samples or without.
    options : FigureOptions
        `bands`: the narrowest and the widest are drawn as intervals; `years` chooses the years.

    Returns
    -------
    list of one Figure, `crossings`

    Raises
    ------
    InputError
        The run has no thresholds, or its summary not the quantiles of a band.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> crossing_figures(run, FigureOptions())[0].name
    'crossings'
    """
    tables = crossing_tables(run, bands=options.bands, years=options.years)
    rows = tables.crossings
    first, last = numeric(rows[0], "first_year"), numeric(rows[0], "last_year")
    title = _title(rows, first=first, last=last)
    ahead = [row for row in rows if numeric(row, "already") < PASSED] or rows
    listing = [f"{row['label']} {year_text(row, 'median')} ({_not_by(row)})" for row in ahead[:MOST_SAID]]
    more = f", and {len(ahead) - MOST_SAID} more in the table" if len(ahead) > MOST_SAID else ""
    caption = (
        f"{title}. Median years, and shares of the samples that do not cross by {number(last)}: "
        f"{', '.join(listing)}{more}. An interval that reaches those samples has no end."
    )
    ends = [f"{row['label']} {percent(1 - numeric(row, 'not_by'))}" for row in rows]
    curves = "one rising curve" if len(rows) == 1 else f"{len(rows)} rising curves, one for each threshold"
    alt_text = (
        f"Line chart of {curves}, over a table of intervals of the crossing years. "
        f"Along: years {number(first)} to {number(last)}. Up: probability of having crossed, 0 to 100 %. "
        f"In {number(last)}: {listed(ends)}."
    )
    chart = draw_crossings(
        tables,
        title=title,
        subtitle=f"{subtitle(run)}.\nProbability of having crossed each threshold; its mark stands at the median year.",
        run=run_label(run),
    )
    return [Figure("crossings", chart, {"": tables.crossings, "probability": tables.curves}, caption, alt_text)]


def crossing_tables(run: xr.DataTree, *, bands: Sequence[float], years: tuple[float, float] | None) -> CrossingTables:
    """Tabulate the curves and the intervals of the crossing years, the earliest threshold first.

    Raises
    ------
    InputError
        The run has no thresholds, no band is asked for or one that its summary does not have, or fewer than two years
        lie within `years`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("doubling-times"))
    >>> [row["label"] for row in crossing_tables(run, bands=[0.5, 0.9], years=None).crossings]
    ['AlexNet', '300,000x AlexNet']
    """
    summary = group(run, "summary")
    if "crossed" not in summary:
        raise InputError(
            "crossings: this run has no thresholds, so nothing can be crossed. "
            "Add some under thresholds in its scenario and run it again."
        )
    if not bands:
        raise InputError("bands: one or more central bands are needed, such as 0.9; got none.")
    levels = summary["quantile"].values.tolist()
    every = summary["year"].values
    places = drawn_years(summary, years)
    first, last = float(every[places[0]]), float(every[places[-1]])
    ends = {name: central_levels(levels, band) for name, band in (("narrow", min(bands)), ("wide", max(bands)))}
    rows: list[Row] = []
    for t, name in enumerate(summary["threshold"].values.tolist()):
        quantiles = dict(zip(levels, _quantiles(summary, t).tolist(), strict=True))
        intervals = {
            f"{name}_{end}": quantiles[level]
            for name, pair in ends.items()
            for end, level in zip(("lower", "upper"), pair, strict=True)
        }
        rows.append({
            "threshold": name,
            "label": str(summary["label"].values[t]),
            "median": quantiles[0.5],
            **intervals,
            "narrow_band": f"{100 * min(bands):g} %",
            "wide_band": f"{100 * max(bands):g} %",
            "not_by": 1.0 - float(summary["crossed"].values[t, places[-1]]),
            "never": float(summary["never"].values[t]),
            "already": float(summary["already"].values[t]),
            "first_year": first,
            "last_year": last,
            "start": float(every[0]),
            "horizon": float(every[-1]),
        })  # fmt: skip
    rows.sort(key=_order)
    curves = {
        name: _curve(summary, t, first=first, last=last) for t, name in enumerate(summary["threshold"].values.tolist())
    }
    return CrossingTables([point for row in rows for point in curves[str(row["threshold"])]], rows)


def _quantiles(summary: xr.Dataset, t: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Give the quantiles of a crossing year; exactly the start for those of samples that are above at the start."""
    started = summary["quantile"].values <= float(summary["already"].values[t])
    return np.where(started, float(summary["year"].values[0]), summary["crossing_quantile"].values[t])


def _order(row: Row) -> tuple[float, float, float, str]:
    """Sort the thresholds by their median year; those without one by the share that does not cross."""
    lower = row["wide_lower"]
    return (float(str(row["median"])), numeric(row, "not_by"), float(str(lower)), str(row["threshold"]))


def _curve(summary: xr.Dataset, t: int, *, first: float, last: float) -> list[Row]:
    """List the points at which the distribution of a crossing year is known: at whole steps, and at its quantiles."""
    years = summary["year"].values.astype(float)
    shares = summary["crossed"].values[t]
    quantiles, levels = _quantiles(summary, t), summary["quantile"].values
    inside = np.isfinite(quantiles) & (quantiles > years[0])
    if inside.all() and quantiles[0] == quantiles[-1]:  # a single date: the curve is a step
        levels = np.linspace(0.0, 1.0, levels.size)
    at = np.concatenate([years, quantiles[inside]])
    share = np.concatenate([shares, levels[inside]])
    order = np.lexsort((share, at))
    # Quantiles are interpolated between samples, or known to a narrow bin: they may miss the shares by a hair.
    at, share = at[order], np.maximum.accumulate(share[order])
    after = np.searchsorted(years, at)
    share = np.minimum(share, shares[np.minimum(after, shares.size - 1)])
    kept = (at >= first) & (at <= last)
    name, label = str(summary["threshold"].values[t]), str(summary["label"].values[t])
    return [
        {"threshold": name, "label": label, "year": year, "probability": probability}
        for year, probability in zip(at[kept].tolist(), share[kept].tolist(), strict=True)
    ]


def _not_by(row: Row) -> str:
    return percent(numeric(row, "not_by"))


def _title(rows: Sequence[Row], *, first: float, last: float) -> str:
    """Say when the first and the last of the thresholds ahead are as likely as not crossed, and which hardly is."""
    ahead = [row for row in rows if numeric(row, "already") < PASSED]
    if not ahead:
        every = "The threshold is" if len(rows) == 1 else f"All {len(rows)} thresholds are"
        return f"{every} passed in {number(first)} already"
    crossed = {str(row["threshold"]): percent(1 - numeric(row, "not_by")) for row in ahead}
    rare = max(ahead, key=lambda row: numeric(row, "not_by"))
    best = min(ahead, key=lambda row: numeric(row, "not_by"))
    if numeric(best, "not_by") == 1.0:
        return f"No threshold ahead is crossed by {number(last)} in any sample"
    chance = f"{rare['label']} {crossed[str(rare['threshold'])]} by {number(last)}"
    even = [row for row in ahead if numeric(row, "start") < float(str(row["median"])) <= last]
    if not even:
        return (
            f"Crossed: {chance}"
            if best is rare
            else f"Crossed: {best['label']} {crossed[str(best['threshold'])]}, {chance}"
        )
    named = [even[0], *even[1:][-1:]]
    certain = all(row["wide_lower"] == row["wide_upper"] for row in named)
    said = "Crossed: " if certain else "Even odds of "
    said += " and ".join(f"{row['label']} in {year_text(row, 'median')}" for row in named)
    if numeric(rare, "not_by") < 0.01:
        return said
    return f"{said}, {crossed[str(rare['threshold'])]} by {number(last)}" if rare is named[-1] else f"{said}; {chance}"

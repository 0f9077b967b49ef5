"""Charts of several runs: how their levels and their crossing years differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import xarray as xr

from simulator.chart_comparison import draw_dumbbells, draw_multiples, draw_overlaid
from simulator.comparison import run_labels
from simulator.errors import InputError
from simulator.figure import Figure, FigureOptions, Row
from simulator.rungroups import group
from simulator.summary import crossing_table, fan_table, summarised
from simulator.words import listed, number_in, power_text, sample_count, year_text

MOST_OVERLAID = 4
MOST_THRESHOLDS = 12
MOST_ROWS = 72
"""Rows of a chart of crossing years; thresholds on which the runs agree best are left out beyond."""


def comparison_figures(
    runs: Sequence[xr.DataTree], options: FigureOptions, *, labels: Sequence[str] | None = None
) -> list[Figure]:
    """Draw runs against one another: their levels by year, and their crossing years.

    Up to four runs are drawn in one frame, more in small frames, each over the first run.

    Parameters
    ----------
    runs : sequence of xarray.DataTree
        Two to twelve; the first is what the others are held against.
    options : FigureOptions
        `quantities` (effective compute where there are none), the widest of `bands`, `years`.
    labels : sequence of str, optional
        What to call the runs.

    Raises
    ------
    InputError
        There are too few or too many runs, or one has no such variable.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> runs = [simulate(load_scenario(name, overrides=["samples=1024"])) for name in ("baseline", "no-caps")]
    >>> [figure.name for figure in comparison_figures(runs, FigureOptions())]
    ['comparison_effective_compute', 'comparison_crossings']
    """
    names = run_labels(runs, labels)
    figures = [_levels_figure(runs, names, options, name) for name in options.quantities or ("effective_compute",)]
    rows = crossing_rows(runs, names)
    return [*figures, _crossings_figure(runs, names, rows)] if rows else figures


def level_rows(
    runs: Sequence[xr.DataTree],
    names: Sequence[str],
    *,
    quantity: str,
    band: float,
    years: tuple[float, float] | None = None,
) -> list[Row]:
    """Tabulate the median and a central band of a variable by year, for each run in its own years.

    Returns
    -------
    rows of `run`, `year`, `median`, `lower`, `upper` (log10 of the unit)

    Raises
    ------
    InputError
        A run has no such variable, or it is no level that is drawn in log10, or no year is within `years`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> changes = ([], ["drivers.spending.caps=null"])
    >>> runs = [simulate(load_scenario("essay-2023", overrides=change)) for change in changes]
    >>> rows = level_rows(runs, ["capped", "free"], quantity="spending", band=0.9, years=(2042, 2043))
    >>> [(row["run"], row["year"], round(row["median"], 1)) for row in rows]
    [('capped', 2042.0, 11.0), ('capped', 2043.0, 11.0), ('free', 2042.0, 14.0), ('free', 2043.0, 14.3)]
    """
    rows: list[Row] = []
    for run, name in zip(runs, names, strict=True):
        unit = str(summarised(run, quantity).attrs["units"])
        if not unit.startswith("log10("):
            raise InputError(
                f"{quantity}: runs are compared on a log scale, and {quantity} of {name} is in {unit or 'no unit'}. "
                "Compare a level, such as effective_compute."
            )
        medians, bands = fan_table(run, quantity, (band,))
        found: list[Row] = [
            {"run": name, **middle, "lower": ends["lower"], "upper": ends["upper"]}
            for middle, ends in zip(medians, bands, strict=True)
        ]
        low, high = years or (-math.inf, math.inf)
        inside = [row for row in found if low <= float(str(row["year"])) <= high]
        if len(inside) < 2:
            raise InputError(
                f"years: {name} has fewer than two years from {low:g} to {high:g}; "
                f"it runs from {found[0]['year']:g} to {found[-1]['year']:g}."
            )
        rows += inside
    return rows


def crossing_rows(runs: Sequence[xr.DataTree], names: Sequence[str]) -> list[Row]:
    """Tabulate the crossing years of the thresholds that the first run shares with another, run by run.

    Thresholds that every run has passed by its first year are left out.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> runs = [simulate(load_scenario("essay-2023", overrides=change)) for change in ([], ["years.last=2025"])]
    >>> [(row["run"], row["text"]) for row in crossing_rows(runs, ["to 2043", "to 2025"]) if row["label"] == "GPT-4"]
    [('to 2043', '2023.0'), ('to 2025', '2023.0  (0.0)')]
    """
    tables = [{str(row["threshold"]): row for row in crossing_table(run)} for run in runs]
    starts = [float(group(run, "summary")["year"].values[0]) for run in runs]
    rows: list[Row] = []
    for threshold in tables[0]:
        own = [(name, table[threshold], start) for name, table, start in zip(names, tables, starts, strict=True)
               if threshold in table]  # fmt: skip
        if len(own) < 2 or all(float(str(row["upper_90"])) <= start for _, row, start in own):
            continue
        first = number_in(own[0][1], "median")
        for place, (name, row, _) in enumerate(own):
            kept = {key: row[key] for key in ("lower_50", "median", "upper_50", "never", "last_year")}
            text = _median_text(row, None if place == 0 else first)
            rows.append({"threshold": threshold, "label": own[0][1]["label"], "run": name, **kept, "text": text})
    return rows


def _median_text(row: Row, first: float | None) -> str:
    """Write a median year, and how far it is from that of the first run."""
    median, last = number_in(row, "median"), number_in(row, "last_year")
    text = year_text(median, last)
    if first is None or not (math.isfinite(first) and math.isfinite(median)):
        return text
    return f"{text}  ({median - first:+.1f})" if abs(median - first) >= 0.05 else f"{text}  (0.0)"


def _levels_figure(runs: Sequence[xr.DataTree], names: Sequence[str], options: FigureOptions, quantity: str) -> Figure:
    band = max(options.bands, default=0.9)
    rows = level_rows(runs, names, quantity=quantity, band=band, years=options.years)
    attrs = summarised(runs[0], quantity).attrs
    unit = str(attrs["units"]).removeprefix("log10(").removesuffix(")")
    unit = "times the start" if unit == "1" else unit
    long_name = str(attrs["long_name"])
    shared = set.intersection(*({float(str(row["year"])) for row in rows if row["run"] == name} for name in names))
    last = max(shared, default=None)
    ends = {name: _end(rows, name, last) for name in names}
    order = sorted(names, key=lambda name: number_in(ends[name], "median"))
    when = f"in {last:g}" if last is not None else "in the last year of each"
    lowest, highest = (power_text(number_in(ends[name], "median")) for name in (order[0], order[-1]))
    title = (
        f"{long_name[0].upper()}{long_name[1:]} {when}: median {lowest} {unit} in {order[0]}, {highest} in {order[-1]}"
    )
    if lowest == highest:
        title = f"{long_name[0].upper()}{long_name[1:]} {when}: median {lowest} {unit} in all runs"
    notes = {name: f"{_end(rows, name, None)['year']:g}: {_ends_text(_end(rows, name, None))}" for name in names}
    width = f"{100 * band:g} %"
    others = listed(names[1:]) if len(names) <= MOST_OVERLAID else f"{len(names) - 1} other runs"
    draw = draw_overlaid if len(runs) <= MOST_OVERLAID else draw_multiples
    chart = draw(
        rows,
        title=title,
        subtitle=f"{names[0]} against {others}. Medians, and the ends of {width} of the samples.",
        heading=f"{long_name}, {unit}",
        notes=notes,
        foot=_foot(runs, names),
    )
    said = "; ".join(f"{name} {_ends_text(ends[name])}" for name in names)
    caption = f"{long_name[0].upper()}{long_name[1:]} {when}, median and {width} interval, {unit}: {said}."
    alt_text = (
        f"Line chart with bands of {long_name} by year, on a log axis in {unit}, for {len(runs)} runs. "
        f"{when[0].upper()}{when[1:]} the medians reach from {lowest} ({order[0]}) to {highest} ({order[-1]})."
    )
    return Figure(f"comparison_{quantity}", chart, {"": rows}, caption, alt_text)


def _end(rows: Sequence[Row], name: str, year: float | None) -> Row:
    own = [row for row in rows if row["run"] == name]
    return own[-1] if year is None else next(row for row in own if row["year"] == year)


def _ends_text(row: Row) -> str:
    low, middle, high = (power_text(number_in(row, key)) for key in ("lower", "median", "upper"))
    return middle if low == high else f"{middle} ({low} to {high})"


def _crossings_figure(runs: Sequence[xr.DataTree], names: Sequence[str], rows: Sequence[Row]) -> Figure:
    spread = {}
    for threshold in dict.fromkeys(str(row["threshold"]) for row in rows):
        own = [row for row in rows if row["threshold"] == threshold]
        spread[threshold] = max(_shown_year(row) for row in own) - min(_shown_year(row) for row in own)
    most = min(MOST_THRESHOLDS, max(2, MOST_ROWS // len(runs)))
    kept = set(sorted(spread, key=lambda name: -spread[name])[:most])
    drawn = [row for row in rows if row["threshold"] in kept]
    widest = max(spread, key=lambda name: spread[name])
    own = [row for row in rows if row["threshold"] == widest]
    low, high = min(own, key=_shown_year), max(own, key=_shown_year)
    early, late = (year_text(number_in(row, "median"), number_in(row, "last_year")) for row in (low, high))
    title = f"{own[0]['label']}: median crossing from {early} ({low['run']}) to {late} ({high['run']})"
    if early == late:
        title = "The runs cross every threshold at the same time" if spread[widest] < 0.05 else title
    left = len(spread) - len(kept)
    more = f" {left} thresholds on which the runs differ least are left out." if left else ""
    first = min(float(group(run, "summary")["year"].values[0]) for run in runs)
    starts = [
        number_in(row, key) for row in drawn for key in ("lower_50", "median") if math.isfinite(number_in(row, key))
    ]
    horizon = max(number_in(row, "last_year") for row in drawn)
    last = min(
        horizon, math.ceil(max(min(number_in(row, "upper_50"), number_in(row, "last_year")) for row in drawn)) + 1.0
    )
    begin = max(first, math.floor(min(starts, default=first)) - 1.0)
    chart = draw_dumbbells(
        drawn,
        title=title,
        subtitle=f"Median crossing years and 50 % intervals, by threshold; arrows: later than the horizon.{more}",
        years=(min(begin, last - 1.0), last),
        foot=_foot(runs, names),
    )
    caption = f"Median crossing years of {len(spread)} thresholds in {len(runs)} runs. The runs differ most on "
    caption += f"{own[0]['label']}: {'; '.join(_crossing_text(row) for row in own)}.{more}"
    alt_text = (
        f"Dot chart of the median crossing years of {len(kept)} thresholds in {len(runs)} runs, with 50 % intervals; "
        f"the axis is years from {begin:g} to {last:g}. The runs differ most on {own[0]['label']}: {early} in "
        f"{low['run']}, {late} in {high['run']}."
    )
    return Figure("comparison_crossings", chart, {"": rows}, caption, alt_text)


def _shown_year(row: Row) -> float:
    return min(number_in(row, "median"), number_in(row, "last_year"))


def _crossing_text(row: Row) -> str:
    return f"{row['run']} {year_text(number_in(row, 'median'), number_in(row, 'last_year'))}"


def _foot(runs: Sequence[xr.DataTree], names: Sequence[str]) -> list[str]:
    """Name the runs that a chart is drawn from; seed and samples once where all have the same."""
    facts = [f"seed {run.attrs['seed']} · {sample_count(int(run.attrs['samples']))}" for run in runs]
    same = len(set(facts)) == 1
    parts = []
    for run, name, fact in zip(runs, names, facts, strict=True):
        scenario = str(run.attrs["name"])
        called = scenario if name.startswith(scenario) else f"{name}: scenario {scenario}"
        parts.append(f"{run.attrs['run_id']} ({called}{'' if same else f', {fact}'})")
    return [f"Runs {', '.join(parts)}" + (f" · {facts[0]} each" if same else "")]

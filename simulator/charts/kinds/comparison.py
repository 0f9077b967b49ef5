"""Charts of several runs: how their levels and their crossing years differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.analysis.comparison import Comparison
from simulator.charts.frame import beyond_said
from simulator.charts.overlaid import MOST_OVERLAID, crossing_span, draw_dumbbells, draw_fans, ends_words, level_words
from simulator.charts.reading import level_unit
from simulator.charts.spec import Figure, Head
from simulator.runs.groups import Run, arrays, group, stood_on, summarised_names
from simulator.runs.summary import crossing_table, fan_table, summarised
from simulator.runs.table import Row, Table
from simulator.scenario.differences import run_labels
from simulator.variables import headline
from simulator.wording import capital, listed, sample_count, year_text

BAND = 0.9
MOST_THRESHOLDS = 12
MOST_ROWS = 72
"""Rows of a chart of crossing years; thresholds on which the runs agree best are left out beyond."""


def compared_figures(found: Comparison) -> list[Figure]:
    """Draw a comparison of runs."""
    return comparison_figures(found.runs, labels=found.labels)


def comparison_figures(runs: Sequence[Run], *, labels: Sequence[str] | None = None) -> list[Figure]:
    """Draw two to twelve runs against one another: the variable that they are told by, and crossing years.

    Up to four runs are drawn in one frame, more in small frames, each over the first run.
    """
    names = run_labels(runs, labels)
    figures, crossings = _levels_figures(runs, names), crossings_of(runs, names)
    return [*figures, _crossings_figure(runs, names, crossings)] if len(crossings) else figures


def levels_of(runs: Sequence[Run], names: Sequence[str], quantity: str = "effective_compute") -> Table:
    """Tabulate the median and a central band of a variable that all runs have, for each run in its own years."""
    rows: list[Row] = []
    for run, name in zip(runs, names, strict=True):
        medians, bands = fan_table(run, quantity, (BAND,))
        named: dict[str, Any] = {"run": [name] * len(medians), "lower": bands["lower"], "upper": bands["upper"]}
        rows += medians.with_columns(named).select("run", "year", "median", "lower", "upper").rows()
    return Table.of_rows(rows)


def crossings_of(runs: Sequence[Run], names: Sequence[str]) -> Table:
    """Tabulate the crossing years of the thresholds that the first run shares with another, run by run.

    Thresholds that every run has passed by its first year are left out.
    """
    tables = [{row["threshold"]: row for row in crossing_table(run).rows()} for run in runs]
    starts = [_years(run)[0] for run in runs]
    rows: list[Row] = []
    for threshold in tables[0]:
        own = [(name, table[threshold], start) for name, table, start in zip(names, tables, starts, strict=True)
               if threshold in table]  # fmt: skip
        if len(own) < 2 or all(row["upper_90"] <= start for _, row, start in own):
            continue
        first = own[0][1]
        for place, (name, row, _) in enumerate(own):
            text = _median_text(row)
            if place and _is_dated(row) and _is_dated(first):
                shift = row["median"] - first["median"]
                text += f"  ({shift:+.1f})" if abs(shift) >= 0.05 else "  (0.0)"
            kept = {key: row[key] for key in ("lower_50", "median", "upper_50", "never", "first_year", "last_year")}
            rows.append({"threshold": threshold, "label": first["label"], "run": name, **kept, "text": text})
    return Table.of_rows(rows)


def _median_text(row: Row) -> str:
    return year_text(row["median"], row["last_year"], row["first_year"])


def _is_dated(row: Row) -> bool:
    """Tell whether a median lies within the years of its run; it is censored at the start and at the horizon."""
    return bool(row["first_year"] < row["median"] < math.inf)


def _years(run: Run) -> list[float]:
    return [float(year) for year in group(run, "summary")["year"].values]


def _levels_figures(runs: Sequence[Run], names: Sequence[str]) -> list[Figure]:
    """Draw what the runs are told by, of what all of them have; nothing where that is nothing."""
    first, *rest = (arrays(run, "summary") for run in runs)
    shared = [name for name in summarised_names(first) if all(name in other.data_vars for other in rest)]
    if not shared:
        return []
    quantity = headline(shared, stood_on(first))
    levels = levels_of(runs, names, quantity)
    attrs = summarised(runs[0], quantity).attrs
    unit, long_name = level_unit(attrs["units"]), str(attrs["long_name"])
    said_name = capital(long_name)
    by_run = {run: own for (run,), own in levels.groups("run")}
    lasts = {name: own.rows()[-1] for name, own in by_run.items()}
    last = max(set.intersection(*(set(own["year"].tolist()) for own in by_run.values())), default=None)
    ends = lasts if last is None else {name: own.where(year=last).rows()[0] for name, own in by_run.items()}
    order = sorted(names, key=lambda name: ends[name]["median"])
    when = f"in {last:g}" if last is not None else "in the last year of each"
    lowest, highest = (level_words(ends[name]["median"], unit) for name in (order[0], order[-1]))
    title = f"{said_name} {when}: median {lowest} in {order[0]}, {highest.removesuffix(unit).rstrip()} in {order[-1]}"
    if lowest == highest:
        title = f"{said_name} {when}: median {lowest} in all runs"
    width = f"{100 * BAND:g} %"
    others = listed(names[1:]) if len(names) <= MOST_OVERLAID else f"{len(names) - 1} other runs"
    under = f"{names[0]} against {others}. Medians, and the ends of {width} of the samples."
    head = Head(title, under, _foot(runs, names))
    chart = draw_fans(levels, name=long_name, unit=unit, head=head)
    said = "; ".join(f"{name} {ends_words(ends[name], unit)}" for name in names)
    caption = " ".join(
        [f"{said_name} {when}, median and {width} interval, {unit}: {said}.", *beyond_said(levels["upper"])]
    )
    alt_text = (
        f"Line chart with bands of {long_name} by year, on a log axis in {unit}, for {len(runs)} runs. "
        f"{capital(when)} the medians reach from {lowest} ({order[0]}) to {highest} ({order[-1]})."
    )
    return [Figure(f"comparison_{quantity}", chart, {"": levels}, caption, alt_text)]


def _crossings_figure(runs: Sequence[Run], names: Sequence[str], crossings: Table) -> Figure:
    spread = {}
    for (threshold,), own in crossings.groups("threshold"):
        # What one run has passed at its start is, before the start of another, no difference that is known.
        shown = np.clip(own["median"], own["first_year"].max(), own["last_year"])
        spread[threshold] = float(shown.max() - shown.min())
    most = min(MOST_THRESHOLDS, max(2, MOST_ROWS // len(runs)))
    kept = sorted(spread, key=lambda name: -spread[name])[:most]
    drawn = crossings.where(np.isin(crossings["threshold"], kept))
    widest = crossings.where(threshold=kept[0]).rows()
    low, high = (choose(widest, key=lambda row: min(row["median"], row["last_year"])) for choose in (min, max))
    early, late = map(_median_text, (low, high))
    label = widest[0]["label"]
    title = f"{label}: median crossing year {early} ({low['run']}), {late} ({high['run']})"
    if early == late and spread[kept[0]] < 0.05:
        title = "The runs cross every threshold at the same time"
    left = len(spread) - len(kept)
    more = f" {left} thresholds on which the runs differ least are left out." if left else ""
    begin, last = crossing_span(drawn, min(_years(run)[0] for run in runs))
    under = f"Median crossing years and 50 % intervals, by threshold; arrows: later than the horizon.{more}"
    head = Head(title, under, _foot(runs, names))
    chart = draw_dumbbells(drawn, years=(begin, last), head=head)
    said = "; ".join(f"{row['run']} {_median_text(row)}" for row in widest)
    caption = f"Median crossing years of {len(spread)} thresholds in {len(runs)} runs. The runs differ most on "
    caption += f"{label}: {said}.{more}"
    alt_text = (
        f"Dot chart of the median crossing years of {len(kept)} thresholds in {len(runs)} runs, with 50 % intervals; "
        f"the axis is years from {begin:g} to {last:g}. The runs differ most on {label}: {early} in "
        f"{low['run']}, {late} in {high['run']}."
    )
    return Figure("comparison_crossings", chart, {"": crossings}, caption, alt_text)


def _foot(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    """Name the runs that a chart is drawn from; seed and samples once where all have the same."""
    facts = [f"seed {run.attrs['seed']} · {sample_count(int(run.attrs['samples']))}" for run in runs]
    same = len(set(facts)) == 1
    parts = []
    for run, name, fact in zip(runs, names, facts, strict=True):
        scenario = str(run.attrs["name"])
        called = scenario if name.startswith(scenario) else f"{name}: scenario {scenario}"
        parts.append(f"{run.attrs['run_id']} ({called}{'' if same else f', {fact}'})")
    return [f"Runs {', '.join(parts)}" + (f" · {facts[0]} each" if same else "")]

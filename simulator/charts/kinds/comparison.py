"""Charts of several runs: how their levels and their crossing years differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.analysis.comparison import Comparison
from simulator.charts import spec, style
from simulator.charts.layout import RECT, Marks, PixelScale, row_edges, rule_mark
from simulator.charts.overlaid import MOST_OVERLAID, draw_fans, ends_words, level_words
from simulator.charts.reading import level_unit
from simulator.charts.spec import Figure, Head
from simulator.charts.ticks import year_ticks
from simulator.runs.groups import Run, arrays, group, stood_on
from simulator.runs.summary import (
    crossing_table,
    fan_table,
    summarised,
    summarised_names,
)
from simulator.runs.table import Row, Table
from simulator.scenario.differences import run_labels
from simulator.variables import headline
from simulator.wording import capital, listed, sample_count, year_text

STRONG, PALE = style.band_tints(2)[::-1]
ROW = 18
MEDIAN_WIDTH, STRIP_WIDTH = 130, 440
NAME_CHARACTERS, MOST_RUN_WIDTH = 26, 270


def draw_dumbbells(crossings: Table, *, years: tuple[float, float], head: Head) -> spec.Spec:
    """Draw the median crossing years of several runs, threshold by threshold, with their 50 % intervals.

    `crossings` has `threshold`, `label`, `run`, `median`, `lower_50`, `upper_50` (decimal years, +inf: later than the
    horizon), `last_year` (the horizon), `text` (written at the right), the runs of a threshold one after another;
    `years` are the ends of the axis. A line joins each median with that of the first run. What is later than the
    horizon of a run ends in an arrow.
    """
    runs = list(dict.fromkeys(crossings["run"].tolist()))
    names = [line for label in crossings["label"] for line in style.wrapped(label, width=NAME_CHARACTERS)]
    name_width = max(map(style.text_width, names)) * 1.1 + 20
    left = name_width + min(MOST_RUN_WIDTH, max(map(style.text_width, runs)) * 1.05 + 20)
    right = left + STRIP_WIDTH
    x = PixelScale(*years, left, right)
    marks = Marks(
        rules=rule_mark(), bars=RECT, links=rule_mark(style.QUIET, 1.2), arrows=style.shape_mark("triangle-right", 60),
        first=style.shape_mark("circle", 50, fill=style.DARK_BLUE),
        other=style.shape_mark("diamond", 62, fill=style.PAPER, rim=style.VERMILION, width=2),
    )  # fmt: skip
    marks.text("median", right + 20, 14, style.QUIET)
    top = 34.0
    for _, own in crossings.groups("threshold"):
        name = style.wrapped(own["label"][0], width=NAME_CHARACTERS)
        marks.box("rules", (0, right + MEDIAN_WIDTH), (top, top))
        marks.text(name, 0, top + 7 + style.LINE_HEIGHT * len(name) / 2, bold=True)
        called = [style.fitted(run, left - name_width - 12) for run in own["run"]]
        edges, middles = row_edges([float(ROW + style.LINE_HEIGHT * (len(lines) - 1)) for lines in called])
        above = top
        for row, lines, middle in zip(own.rows(), called, middles, strict=True):
            y = top + 6 + middle
            marks.text(lines, name_width, y)
            marks.text(row["text"], right + 20, y)
            _dumbbell(marks, row, own["median"][0], x=x, y=y, above=above, is_first=row["run"] == runs[0])
            above = y
        top += max(edges[-1], style.LINE_HEIGHT * len(name)) + 12
    marks.box("rules", (0, right + MEDIAN_WIDTH), (top, top))
    for tick in year_ticks(*years):
        marks.box("rules", (x(tick), x(tick)), (34, top + 4))
        marks.centred(str(tick), x(tick), top + 14)
    for place, (kind, word) in enumerate((("first", "first run"), ("other", "other run"))):
        marks.add(kind, x=left + 8 + 90 * place, y=14)
        marks.text(word, left + 20 + 90 * place, 14, style.QUIET)
    legend = style.legend_layers([("bar", STRONG, "50 % of the samples")], x=left + 190, y=14)
    return marks.sheet(head, *legend, width=right + MEDIAN_WIDTH, height=top + 24)


def _dumbbell(marks: Marks, row: Row, first: float, *, x: PixelScale, y: float, above: float, is_first: bool) -> None:
    """Draw the interval and the median of one run, joined with the first median; `above` is the row before."""
    low, median, high = row["lower_50"], row["median"], row["upper_50"]
    end = x(min(row["last_year"], high))
    if low < math.inf:
        marks.box("bars", (x(low), end), (y - 4, y + 4), color=STRONG if is_first else PALE)
    if not math.isfinite(high):
        marks.add("arrows", x=end + 5, y=y, color=style.DARK_BLUE if is_first else style.VERMILION)
    if math.isfinite(median):
        marks.add("first" if is_first else "other", x=x(median), y=y)
        if not is_first and math.isfinite(first):
            marks.box("links", (x(first), x(median)), (y, y))
            marks.box("links", (x(first), x(first)), (above, y))


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
    notes = {name: f"{row['year']:g}: {ends_words(row, unit)}" for name, row in lasts.items()}
    head = Head(title, under, _foot(runs, names))
    chart = draw_fans(levels, name=long_name, unit=unit, notes=notes, head=head)
    said = "; ".join(f"{name} {ends_words(ends[name], unit)}" for name in names)
    caption = f"{said_name} {when}, median and {width} interval, {unit}: {said}."
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
    first = min(_years(run)[0] for run in runs)
    starts = np.concatenate([drawn["lower_50"], drawn["median"]])
    begin = max(first, math.floor(min(starts[np.isfinite(starts)], default=first)) - 1.0)
    ends = np.minimum(drawn["upper_50"], drawn["last_year"])
    last = min(float(drawn["last_year"].max()), math.ceil(ends.max()) + 1.0)
    under = f"Median crossing years and 50 % intervals, by threshold; arrows: later than the horizon.{more}"
    head = Head(title, under, _foot(runs, names))
    chart = draw_dumbbells(drawn, years=(min(begin, last - 1.0), last), head=head)
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

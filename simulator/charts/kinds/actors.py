"""Actors of a run: what each has, who leads and by how much, and when each crosses what."""

from __future__ import annotations

import itertools
import math

import numpy as np

from simulator.charts import layout, spec, style
from simulator.charts.frame import beyond_said, check_numbers
from simulator.charts.overlaid import crossing_span, draw_dumbbells, draw_fans, ends_words, level_words
from simulator.charts.reading import drawn_years, level_unit, run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import InputError, NothingToDraw, number
from simulator.runs.actors import MONTHS, actor_crossings, actor_labels, actor_table, lead_table, lead_years
from simulator.runs.groups import Run, group
from simulator.runs.summary import main_quantity
from simulator.runs.table import Table
from simulator.wording import capital, listed, percent, year_text

HEIGHT, LEAD_HEIGHT = 240.0, 150.0
MOST_ROWS = 30


def _labels(run: Run, kind: str, *, least: int = 1) -> list[str]:
    labels = list(actor_labels(run).values())
    if len(labels) < least:
        rule = "this run has no actors" if not labels else "this run has one actor, which leads alone"
        raise NothingToDraw(f"{kind}: {rule}. Name some under actors in its scenario, and run it again.")
    return labels


def actor_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw the fans of a quantity of several actors over one another: medians, and the ends of 90 % of the samples."""
    labels = _labels(run, "actors")
    quantities = options.quantities or (main_quantity(run),)
    return [_fans(run, quantity, labels, options) for quantity in quantities]


def _fans(run: Run, quantity: str, labels: list[str], options: FigureOptions) -> Figure:
    summary = group(run, "actors_summary")
    table = actor_table(run, quantity)
    table = table.where(np.isin(table["year"], summary["year"].values[drawn_years(summary, options.years)]))
    named = {"run": table["label"], "year": table["year"], "median": table["median"]}
    levels = Table(named | {"lower": table["lower_90"], "upper": table["upper_90"]})
    unit, long_name = level_unit(table["unit"][0]), str(summary[quantity].attrs["long_name"])
    ends = {label: levels.where(run=label).rows()[-1] for label in labels}
    last = ends[labels[0]]["year"]
    order = sorted(labels, key=lambda label: -ends[label]["median"])
    said = [f"{label} {level_words(ends[label]['median'], unit)}" for label in order]
    title = f"{capital(long_name)} in {number(last)}: median {', '.join(said[:4])}"
    head = run_head(run, title, "By actor: medians, and the ends of 90 % of the samples.")
    chart = draw_fans(levels, name=long_name, unit=unit, head=head)
    told = "; ".join(f"{label} {ends_words(ends[label], unit)}" for label in order)
    caption = f"{capital(long_name)} in {number(last)} by actor, median and 90 % interval, {unit}: {told}."
    alt = f"Line chart with bands of {long_name} by year, on a log axis in {unit}, for {len(labels)} actors. {caption}"
    return Figure(f"actors_{quantity}", chart, {"": table}, " ".join([caption, *beyond_said(levels["upper"])]), alt)


def draw_lead(leads: Table, ahead: Table, *, head: Head) -> spec.Spec:
    """Draw how likely each actor leads (`label`, `year`, `leads`) as stacked shares, and below it the lead in months.

    An actor has the colour of its fan.

    `ahead`: `year`, `lower_90`, `median`, `upper_90`, of the years in which all are known; it may be empty.
    """
    check_numbers(leads, "year", "leads", of="leads")
    by_actor = {label: own["leads"].tolist() for (label,), own in leads.groups("label")}
    years = list(dict.fromkeys(leads["year"].tolist()))
    stack = [
        layout.StackPart(
            shares, layout.fill_mark(color), (percent(shares[-1]),),
            layout.share_lines(label, shares, years=years, width=layout.NAME_CHARACTERS),
        )
        for (label, shares), (color, _) in zip(by_actor.items(), itertools.cycle(layout.LINE_SHADES), strict=False)
    ]  # fmt: skip
    views = [layout.stacked_view(stack, years=years, least=HEIGHT, heading="who leads, share of the samples")]
    if len(ahead):
        check_numbers(ahead, "lower_90", "median", "upper_90", of="ahead")
        along = layout.year_channel(years)
        ends = 0.0, max(1.0, 1.05 * float(ahead["upper_90"].max()))
        area = spec.layer(
            ahead.rows(), along, layout.amount_channel("lower_90", ends), spec.y2("upper_90"),
            mark=layout.fill_mark(style.band_tints(1)[0]),
        )  # fmt: skip
        line = spec.layer(
            ahead.rows(), along, layout.amount_channel("median", ends), mark=layout.line_mark(style.DARK_BLUE, 2.5)
        )
        heading = style.Text(["lead of the first over the second, months"], -layout.GUTTER, layout.LEGEND_Y, bold=True)
        y = LEAD_HEIGHT * (1.0 - float(ahead["median"][-1]) / ends[1])
        note = style.Text([f"{ahead['median'][-1]:.1f} months", "median; 90 % of", "the samples"], layout.LABEL_X, y)
        texts = style.text_layers([heading, note])
        views.append(spec.view([area, line, *texts], width=layout.WIDTH, height=LEAD_HEIGHT))
    return layout.sheet(views, head, x=-layout.GUTTER, width=layout.GUTTER + layout.LABEL_X + 240, spacing=40.0)


def lead_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw by year how likely each actor leads, and by how many months the first is ahead of the second."""
    labels = dict(zip(actor_labels(run), _labels(run, "lead", least=2), strict=True))
    summary = group(run, "actors_summary")
    years = summary["year"].values[drawn_years(summary, options.years)]
    table = lead_table(run)
    table = table.where(np.isin(table["year"], years))
    leads = table.with_columns({"label": [labels[name] for name in table["actor"].tolist()]})
    ahead = lead_years(run)
    ahead = Table({"year": ahead["year"], **{key: MONTHS * ahead[key] for key in ("lower_90", "median", "upper_90")}})
    known = ahead.where(np.isfinite(ahead["upper_90"]) & np.isin(ahead["year"], years))
    last = float(years[-1])
    order = sorted(leads.where(year=last).rows(), key=lambda row: -row["leads"])
    said = ", ".join(f"{row['label']} {percent(row['leads'])}" for row in order)
    title = f"Who leads in {number(last)}: {said}"
    caption = f"{title}."
    if len(known):
        end = known.rows()[-1]
        span = f"{end['median']:.1f} months (90 % {end['lower_90']:.1f} to {end['upper_90']:.1f})"
        ahead_said = f"The first is {span} ahead of the second then: so long ago it was where the second is."
        caption += (
            f" {ahead_said if end['upper_90'] > 0 else 'In 95 % of the samples or more several have the same then.'}"
        )
    head = run_head(run, title, "Several that have the same share a sample. Months: how long ago the first was there.")
    alt = f"Stacked area chart of the share of samples in which each of {len(labels)} actors leads, by year. {caption}"
    return [Figure("lead", draw_lead(leads, known, head=head), {"": leads, "ahead": ahead}, caption, alt)]


def ladder_figures(run: Run, _: FigureOptions) -> list[Figure]:
    """Draw when each actor crosses each threshold: medians and 50 % intervals, threshold by threshold."""
    labels = dict(zip(actor_labels(run), _labels(run, "ladder"), strict=True))
    years = group(run, "actors_summary")["year"].values
    first, last = (float(years[place]) for place in (0, -1))
    table = actor_crossings(run)
    if not len(table):
        raise NothingToDraw("ladder: this run has no thresholds. Add some to its scenario, and run it again.")
    kept = [
        name
        for (name,), own in table.groups("threshold")
        if (own["median"] > first).any() and (own["lower_50"] < math.inf).any()
    ]
    if not kept:
        raise InputError("ladder: every threshold is crossed at the start or by nobody; there is nothing to draw.")
    most = max(1, MOST_ROWS // len(labels))
    shown = table.where(np.isin(table["threshold"], kept[:most]))
    rows = [
        row | {"run": labels[row["actor"]], "last_year": last, "text": year_text(row["median"], last, first)}
        for _, own in shown.groups("threshold")
        for row in own.rows()
    ]
    drawn = Table.of_rows(rows)
    begin, end = crossing_span(drawn, first)
    widest = [row for row in rows if row["threshold"] == kept[0]]
    said = ", ".join(f"{row['run']} {row['text']}" for row in widest)
    title = f"{widest[0]['label']}: {said}"
    left = f" {len(kept) - most} more thresholds are left out." if len(kept) > most else ""
    under = f"Median crossing years and 50 % intervals by actor; arrows: later than the horizon.{left}"
    head, words = run_head(run, title, under), ("first named", "others")
    chart = draw_dumbbells(drawn, years=(begin, end), head=head, words=words)
    caption = f"Median crossing years by actor. {title}.{left}"
    told = f"{len(kept[:most])} thresholds by actor, {listed(list(labels.values()))}"
    alt = f"Dot chart of the median crossing years of {told}; the axis is years from {begin:g} to {end:g}. {title}."
    return [Figure("ladder", chart, {"": table}, caption, alt)]

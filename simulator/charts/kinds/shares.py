"""Shares of variance as tables and as charts over the years, from their dataset alone."""

from __future__ import annotations

import itertools
import re

import numpy as np

from simulator.analysis.shares import METHOD_NAMES, Shares, is_telling, largest, subject_words
from simulator.charts import layout, spec, style
from simulator.charts.spec import Figure, Head
from simulator.errors import InputError, number
from simulator.runs.groups import Dataset
from simulator.runs.table import Row, Table
from simulator.wording import listed, percent

METHOD_WORDS = {
    "sobol": (
        "First-order Sobol indices: what knowing one prior alone would take off the variance. "
        "Interactions: what only several together explain."
    ),
    "shapley": (
        "Shapley effects: what knowing a prior takes off the variance, on average over all orders in which "
        "priors may come to be known. Interactions and correlations are divided among those that have part in them."
    ),
}
MOST_NAMED = 7
HEIGHT = 400.0
NAME_CHARACTERS = 36
REST = {"others": layout.fill_mark(style.QUIET, 0.45), "interactions": layout.fill_mark(style.QUIET, 0.15)}


def draw_shares(table: Table, *, heading: str, head: Head) -> spec.Spec:
    """Draw shares of variance as stacked areas, named at the right with their last share and its interval.

    `table` has `part` (a name), `label`, `kind` ("input", "others" or "interactions"), `year`, `share` (0 to 1, adding
    up to 1 in each year), `lower` and `upper` (90 % bounds, or None), from the bottom up.
    """
    parts = [own.sorted_by("year") for _, own in table.groups("part")]
    years = np.unique(table["year"]).tolist()
    if len(years) < 2:
        raise InputError("shares: year: must be two or more years.")
    colors = itertools.cycle(layout.PART_FILLS)
    stack = []
    for own in parts:
        kind, name, shares, last = own["kind"][0], own["label"][0], own["share"].tolist(), own.rows()[-1]
        lines = tuple(style.wrapped(name, width=NAME_CHARACTERS))
        if kind == "input":
            lines = layout.share_lines(name, shares, years=years, width=NAME_CHARACTERS)
        ends = (percent(last["share"]), _interval(last))
        fill, color = (REST[kind], style.QUIET) if kind in REST else (next(colors), style.INK)
        stack.append(layout.StackPart(shares, fill, ends, lines, color))
    heads = (number(years[-1]), "90 % interval")
    view = layout.stacked_view(stack, years=years, least=HEIGHT, heading=heading, heads=heads)
    return layout.sheet([view], head, width=layout.LABEL_X + 398, x=-layout.GUTTER)


def _interval(row: Row) -> str:
    """Write a 90 % interval in whole per cent, as `3 to 4 %`; empty where there is none."""
    if row["lower"] is None or row["upper"] is None:
        return ""
    low, high = (f"{100 * row[end]:.0f}".replace("-0", "0").replace("-", "−") for end in ("lower", "upper"))
    return f"{low} to {high} %" if low != high else f"{low} %"


def share_figures(shares: Shares) -> list[Figure]:
    """Draw the shares of variance of each subject over the years; none of a subject that varies in fewer than two."""
    return [_figure(shares, each) for each in shares.subjects() if _drawn(shares, each).sizes["outcome"] > 1]


def _drawn(shares: Shares, subject: str) -> Dataset:
    """Leave out years in which the outcome is constant, or hangs on too few samples."""
    here = shares.of(subject)
    return here.isel(outcome=(is_telling(here) & here["year"].notnull()).values)


def _left_out(shares: Shares, subject: str) -> str:
    """Name the years that are left out of a chart."""
    here = shares.of(subject)
    years = here["year"].values[~is_telling(here).values]
    return listed(number(year) for year in years.tolist()) if years.size else ""


def stacked(shares: Shares, subject: str) -> Table:
    """Tabulate the parts that a chart stacks: the largest inputs, the others together, and interactions.

    An estimate below 0, which only chance gives, counts as 0; what the parts come to above 1 is taken off all of
    them. Years in which the outcome is constant, or hangs on too few samples, are left out. The columns are
    `part`, `label`, `kind` (`input`, `others`, `interactions`), `year`, `share`, `estimate`, `lower`, `upper`.
    """
    here, measure = _drawn(shares, subject), shares.measures[0]
    estimates = here[measure].values
    drawn = np.maximum(estimates, 0.0)
    drawn = drawn / (drawn.sum(axis=0) if measure == "shapley" else np.maximum(drawn.sum(axis=0), 1.0))
    named = largest(drawn, most=MOST_NAMED)
    others = [place for place in range(len(drawn)) if place not in named]
    names, labels = here["input"].values.tolist(), here["input_words"].values.tolist()
    lower, upper = (here[f"{measure}_{end}"].values.tolist() for end in ("lower", "upper"))
    years = here["year"].values.tolist()
    nothing = [None] * len(years)
    parts = [
        (names[place], labels[place], "input", drawn[place], estimates[place], lower[place], upper[place])
        for place in named
    ]
    if others:
        many = f"{len(others)} others" if len(others) > 1 else labels[others[0]]
        parts.append(("others", many, "others", drawn[others].sum(0), estimates[others].sum(0), nothing, nothing))
    if measure == "first_order":
        left = 1.0 - drawn.sum(axis=0), 1.0 - estimates.sum(axis=0)
        parts.append(("interactions", "interactions", "interactions", *left, nothing, nothing))
    return Table.of_rows(
        {
            "part": part, "label": label, "kind": kind, "year": year, "share": max(float(share[y]), 0.0),
            "estimate": float(raw[y]), "lower": low[y], "upper": high[y],
        }
        for part, label, kind, share, raw, low, high in parts
        for y, year in enumerate(years)
    )  # fmt: skip


def _figure(shares: Shares, subject: str) -> Figure:
    table, attrs = stacked(shares, subject), shares.dataset.attrs
    first, last = float(table["year"].min()), float(table["year"].max())
    final = table.where(year=last).rows()
    most = max((row for row in final if row["kind"] == "input"), key=lambda row: row["share"])
    about = subject_words(subject, year=last)
    title = f"{percent(most['share'])} of the variance of {about} comes from {most['label']}"
    if final[-1]["kind"] == "interactions" and final[-1]["share"] > most["share"]:
        title = f"{percent(final[-1]['share'])} of the variance of {about} comes from priors acting together"
    how = METHOD_WORDS[attrs["method"]]
    said = listed([f"{row['label']} {percent(row['share'])}" for row in final])
    caption = f"{title}. All parts: {said}. {how}"
    if left_out := _left_out(shares, subject):
        caption += f" Left out, for too few samples differ: {left_out}."
    alt_text = (
        f"Stacked area chart. Along: years {number(first)} to {number(last)}. Up: shares of the variance of "
        f"{subject_words(subject)}, from 0 to 100 %. At the right, from the bottom: {said}."
    )
    foot = [shares.label, f"{METHOD_NAMES[attrs['method']]}: {attrs['method_because']}."]
    heading = f"share of the variance of {'' if ':' in subject else 'log10 '}{subject_words(subject)}"
    head = Head(title, f"{attrs['title']}: {attrs['subject']}.\n{how}", foot)
    chart = draw_shares(table, heading=heading, head=head)
    return Figure(f"shares_{re.sub(r'[^A-Za-z0-9]+', '_', subject)}", chart, {"": table}, caption, alt_text)

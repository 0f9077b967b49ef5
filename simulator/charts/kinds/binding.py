"""What binds: the share of the samples in which each limit binds, by year; and what the figures of a run share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.layout import (
    COLUMN,
    FILLS,
    GUTTER,
    LABEL_X,
    LEGEND_Y,
    NAME_CHARACTERS,
    WIDTH,
    EndLabel,
    end_labels,
    label_height,
    numeric,
    percent_channel,
    share_lines,
    sheet,
    stacked_areas,
)
from simulator.charts.reading import chosen_subjects, drawn_years, subtitle
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.errors import number
from simulator.runs.groups import RunLabel, group, run_label
from simulator.runs.growth_by_driver import limits_on
from simulator.runs.table import Table
from simulator.wording import listed, percent

if TYPE_CHECKING:
    import xarray as xr

PANEL_HEIGHT = 130.0


def draw_binding(rows: Sequence[Row], *, title: str, subtitle: str, run: RunLabel) -> vega.Spec:
    """Draw the share of the samples in which each limit binds, one panel for each subject, on the same years.

    Parameters
    ----------
    rows : rows (subject, limit, year)
        `subject` and `limit` (names), `year`, `share` (0 to 1; the shares on one subject add up to at most 1).
    title, subtitle : str
        What is seen.
    run : RunLabel

    Examples
    --------
    >>> rows = [{"subject": "spending", "limit": "cap", "year": year, "share": 0.1} for year in (2025, 2030)]
    >>> chart = draw_binding(rows, title="Few", subtitle="", run=RunLabel("3f9a2c1", "few", seed=1, samples=9))
    >>> len(chart["vconcat"])
    2
    """
    subjects = list(dict.fromkeys(str(row["subject"]) for row in rows))
    views = [_panel([row for row in rows if row["subject"] == subject], subject=subject) for subject in subjects]
    width = GUTTER + LABEL_X + COLUMN + 190
    return sheet(views, title=title, subtitle=subtitle, run=run, width=width)


def _panel(rows: Sequence[Row], *, subject: str) -> vega.Spec:
    """Draw the limits on one subject, the one that binds most in the last year at the bottom."""
    years = sorted({numeric(row, "year") for row in rows})
    shares: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: numeric(row, "year")):
        shares.setdefault(str(row["limit"]), []).append(numeric(row, "share"))
    order = sorted(shares, key=lambda name: (-shares[name][-1], -max(shares[name]), name))
    idle = sum(max(shares[name]) == 0.0 for name in order)
    order = order[: len(order) - idle] or order[:1]  # one area carries the axes
    none = ("none binds", *([f"({idle} of the limits in no year)"] if idle else []))
    lines = {name: share_lines(name, shares[name], years=years, width=NAME_CHARACTERS) for name in order}
    height = max(PANEL_HEIGHT, label_height([line for name in order for line in lines[name]] + [*none]))
    parts = [[100 * share for share in shares[name]] for name in order]
    fills = [FILLS[place % len(FILLS)] for place in range(len(order))]
    stack = stacked_areas(parts, fills=fills, years=years, y=percent_channel)
    labels = [
        EndLabel(height * (1 - middle / 100), (percent(shares[name][-1]),), lines[name])
        for name, middle in zip(order, stack.middles, strict=True)
        if max(shares[name]) > 0.0
    ]
    bound = sum(part[-1] for part in parts)
    labels.append(EndLabel(height * (0.5 - bound / 200), (percent(max(0.0, 1 - bound / 100)),), none, style.QUIET))
    heading = style.Text([f"limits on {subject.replace('_', ' ')}"], -GUTTER, LEGEND_Y, bold=True)
    layers = [*stack.layers, *style.text_layers([heading]), *end_labels(labels[::-1], height=height)]
    return vega.view(layers, width=WIDTH, height=height)


def binding_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the share of the samples in which each limit binds, one panel for each subject that has limits.

    Parameters
    ----------
    run : xarray.DataTree
        With samples or without.
    options : FigureOptions
        `quantities` chooses among the subjects, `years` the years.

    Returns
    -------
    list of one Figure, `binding`

    Raises
    ------
    InputError
        The run has no limits, or not on what is asked for.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> binding_figures(run, FigureOptions())[0].name
    'binding'
    """
    subjects = chosen_subjects(run, options.quantities, kind="binding")
    rows = binding_rows(run, subjects, years=options.years)
    last = max(numeric(row, "year") for row in rows)
    said = [_said(rows, subject, last=last) for subject in subjects]
    shares = listed([f"{words} in {percent(share)}" for words, share, _ in said])
    title = f"In {number(last)} limits bind {shares} of the samples"
    caption = (
        f"{title}. "
        + ". ".join(f"{words[0].upper()}{words[1:]}: {detail}" for words, _, detail in said)
        + ". A limit binds where demand has reached it; of several, the one that leaves the least."
    )
    first = min(numeric(row, "year") for row in rows)
    panels = f"{len(subjects)} stacked area charts, one each for" if len(subjects) > 1 else "Stacked area chart of"
    where = listed([words for words, _, _ in said])
    alt_text = (
        f"{panels} the limits {where}. Along: years {number(first)} to {number(last)}. Up: share of the samples "
        f"in which each limit binds, 0 to 100 %; in the rest none binds. {title}."
    )
    chart = draw_binding(
        rows,
        title=title,
        subtitle=f"{subtitle(run)}.\nShare of the samples in which each limit binds, by year.",
        run=run_label(run),
    )
    return [Figure("binding", chart, {"": Table.of_rows(rows)}, caption, alt_text)]


def binding_rows(run: xr.DataTree, subjects: Sequence[str], *, years: tuple[float, float] | None) -> list[Row]:
    """Tabulate the share of the samples in which each limit binds: `subject`, `limit`, `year`, `share`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"))
    >>> binding_rows(run, ["spending"], years=None)[-1]
    {'subject': 'spending', 'limit': 'hard', 'year': 2043.0, 'share': 1.0}
    """
    summary = group(run, "summary")
    places = drawn_years(summary, years)
    every = summary["year"].values.tolist()
    limits = limits_on(run)
    return [
        {"subject": subject, "limit": limit, "year": every[place], "share": shares[place]}
        for subject in subjects
        for limit, shares in zip(limits[subject], summary[f"binding_{subject}_share"].values.tolist(), strict=True)
        for place in places
    ]


def _said(rows: Sequence[Row], subject: str, *, last: float) -> tuple[str, float, str]:
    """Say a subject in words, the share in which any limit binds on it in the last year, and each limit's share."""
    final = [row for row in rows if row["subject"] == subject and row["year"] == last]
    shares = {str(row["limit"]): numeric(row, "share") for row in final}
    listed = ", ".join(f"{limit} {percent(share)}" for limit, share in sorted(shares.items(), key=lambda x: -x[1]))
    return f"on {subject.replace('_', ' ')}", sum(shares.values()), listed

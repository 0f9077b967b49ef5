"""What binds: the share of the samples in which each limit binds, by year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.charts import layout, spec, style
from simulator.charts.frame import check_numbers
from simulator.charts.reading import chosen_subjects, drawn_years, run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import number
from simulator.runs.groups import Run, group
from simulator.runs.growth_by_driver import limits_on
from simulator.runs.table import Table
from simulator.wording import capital, listed, percent

PANEL_HEIGHT = 130.0
FILLS = tuple(
    layout.fill_mark(*each)
    for each in (
        (style.BLUE, 1.0), (style.VERMILION, 0.75), (style.DARK_BLUE, 0.9), (style.BLUE, 0.35),
        (style.VERMILION, 0.3), (style.QUIET, 0.6), (style.QUIET, 0.25),
    )
)  # fmt: skip
"""Neighbours differ in grey too."""


def draw_binding(rows: Table, *, head: Head) -> spec.Spec:
    """Draw the share of the samples in which each limit binds, one panel for each subject, on the same years.

    The columns are `subject`, `limit`, `year`, `share` (0 to 1; those on one subject add up to at most 1).
    """
    check_numbers(rows, "year", "share", of="binding")
    views = [_panel(own, subject=subject) for (subject,), own in rows.groups("subject")]
    width = layout.GUTTER + layout.LABEL_X + layout.COLUMN + 190
    return layout.sheet(views, head, x=-layout.GUTTER, width=width)


def _panel(rows: Table, *, subject: str) -> spec.Spec:
    """Draw the limits on one subject, the one that binds most in the last year at the bottom."""
    years = sorted(set(rows["year"].tolist()))
    shares = {name: own["share"].tolist() for (name,), own in rows.sorted_by("year").groups("limit")}
    order = sorted(shares, key=lambda name: (-shares[name][-1], -max(shares[name]), name))
    idle = sum(max(shares[name]) == 0.0 for name in order)
    order = order[: len(order) - idle] or order[:1]  # one area carries the axes
    parts = [
        layout.StackPart(
            shares[name], FILLS[place % len(FILLS)], (percent(shares[name][-1]),),
            layout.share_lines(name, shares[name], years=years, width=layout.NAME_CHARACTERS)
            if max(shares[name]) > 0.0
            else (),
        )
        for place, name in enumerate(order)
    ]  # fmt: skip
    none = ("none binds", *([f"({idle} of the limits in no year)"] if idle else []))
    bound = sum(part.values[-1] for part in parts)
    free = layout.EndLabel(0.5 + bound / 2, (percent(max(0.0, 1 - bound)),), none, style.QUIET)
    heading = f"limits on {subject.replace('_', ' ')}"
    return layout.stacked_view(parts, years=years, least=PANEL_HEIGHT, heading=heading, more=[free])


def binding_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw what binds how often; `quantities` chooses among the subjects that have limits."""
    subjects = chosen_subjects(run, options.quantities, kind="binding")
    table = limit_shares(run, subjects, years=options.years)
    first, last = float(table["year"].min()), float(table["year"].max())
    said = [_said(own, subject) for (subject,), own in table.where(year=last).groups("subject")]
    shares = listed([f"{words} in {percent(share)}" for words, share, _ in said])
    title = f"In {number(last)} limits bind {shares} of the samples"
    caption = (
        f"{title}. "
        + ". ".join(f"{capital(words)}: {detail}" for words, _, detail in said)
        + ". A limit binds where demand has reached it; of several, the one that leaves the least."
    )
    panels = f"{len(subjects)} stacked area charts, one each for" if len(subjects) > 1 else "Stacked area chart of"
    where = listed([words for words, _, _ in said])
    alt_text = (
        f"{panels} the limits {where}. Along: years {number(first)} to {number(last)}. Up: share of the samples "
        f"in which each limit binds, 0 to 100 %; in the rest none binds. {title}."
    )
    under = "Share of the samples in which each limit binds, by year."
    chart = draw_binding(table, head=run_head(run, title, under))
    return [Figure("binding", chart, {"": table}, caption, alt_text)]


def limit_shares(run: Run, subjects: Sequence[str], *, years: tuple[float, float] | None) -> Table:
    """Tabulate the share of the samples in which each limit binds: `subject`, `limit`, `year`, `share`."""
    summary = group(run, "summary")
    places = drawn_years(summary, years)
    limits = limits_on(run)
    pairs = [(subject, limit) for subject in subjects for limit in limits[subject]]
    return Table({
        "subject": np.repeat([subject for subject, _ in pairs], len(places)),
        "limit": np.repeat([limit for _, limit in pairs], len(places)),
        "year": np.tile(summary["year"].values[places], len(pairs)),
        "share": np.concatenate([summary[f"binding_{each}_share"].values[:, places].ravel() for each in subjects]),
    })  # fmt: skip


def _said(final: Table, subject: str) -> tuple[str, float, str]:
    """Say a subject in words, the share in which any limit binds on it in the last year, and each limit's share."""
    shares = dict(zip(final["limit"].tolist(), final["share"].tolist(), strict=True))
    told = ", ".join(f"{limit} {percent(share)}" for limit, share in sorted(shares.items(), key=lambda x: -x[1]))
    return f"on {subject.replace('_', ' ')}", sum(shares.values()), told

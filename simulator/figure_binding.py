"""What binds: the share of the samples in which each limit binds, by year; and what the figures of a run share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from simulator.chart_binding import draw_binding, numeric
from simulator.decomposition import SUBJECTS, limits_on
from simulator.errors import InputError, near_name, number
from simulator.figure import Figure, FigureOptions, Row
from simulator.labelled import Group
from simulator.run_label import run_label
from simulator.rungroups import group
from simulator.words import listed, percent


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
    return [Figure("binding", chart, {"": rows}, caption, alt_text)]


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


# ------------------------------------------------------------------------------------- what figures of a run share


def subtitle(run: Group | xr.DataTree) -> str:
    """Name the scenario and its subject.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> subtitle(simulate(load_scenario("essay-2023")))
    'Three factors with regimes (essay, 2023): largest training run, as the essay of spring 2023 counts it'
    """
    return (
        f"{run.attrs['title']}: {run.attrs['subject']}".rstrip(" .?!:") if run.attrs["subject"] else run.attrs["title"]
    )


def chosen_subjects(run: xr.DataTree, quantities: Sequence[str], *, kind: str) -> list[str]:
    """Choose what to draw among the subjects that have limits, in the order of the model.

    Parameters
    ----------
    run : xarray.DataTree
    quantities : sequence of str
        Subjects that are asked for; none: all.
    kind : str
        The kind of chart, for the error.

    Raises
    ------
    InputError
        There are none, or not on what is asked for.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"))
    >>> chosen_subjects(run, [], kind="binding")
    ['spending']
    >>> chosen_subjects(run, ["hardware"], kind="binding")
    Traceback (most recent call last):
    simulator.errors.InputError: binding: hardware: no limit stands on it in this run. Limits stand on: spending
    """
    limits = limits_on(run)
    if not limits:
        raise InputError(
            f"{kind}: this run has no caps and no constraints, so there is nothing to draw. "
            "Add some to its scenario (caps under a driver, or constraints) and run it again."
        )
    for quantity in quantities:
        if quantity not in limits:
            known = quantity in SUBJECTS
            rule = "no limit stands on it" if known else "no such subject of limits"
            hint = "" if known else near_name(quantity, limits)
            raise InputError(
                f"{kind}: {quantity}: {rule} in this run. {hint or 'Limits stand on: ' + ', '.join(limits)}"
            )
    return [subject for subject in limits if subject in quantities or not quantities]


def drawn_years(summary: xr.Dataset, years: tuple[float, float] | None) -> list[int]:
    """Choose the places of the years of a run that lie within a range.

    Returns
    -------
    list of places of years, rising

    Raises
    ------
    InputError
        Fewer than two do.
    """
    every = np.asarray(summary["year"].values, dtype=np.float64)
    first, last = years or (every[0], every[-1])
    places: list[int] = np.flatnonzero((every >= first - 1e-9) & (every <= last + 1e-9)).tolist()
    if len(places) < 2:
        raise InputError(
            f"years: {number(first)} to {number(last)}: two or more years of the run must lie in it; {len(places)} do. "
            f"The run has {every.size}, {number(every[0])} to {number(every[-1])}: choose a range within them."
        )
    return places

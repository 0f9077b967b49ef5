"""Counts of models of a run: how many lie above each level by year, in both readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.chart_counts import CountPanel, draw_counts
from simulator.errors import InputError, near_name, number
from simulator.figure import Figure, FigureOptions, Row
from simulator.figure_binding import subtitle
from simulator.labelled import Group
from simulator.model_tables import OF_SUM, SUM_OF, count_table, counted_names, said_counts
from simulator.run_label import run_label
from simulator.words import listed

if TYPE_CHECKING:
    import xarray as xr

MOST_PANELS = 6


def count_figures(run: Group | xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw how many models lie above each level, or within each distance of the frontier, by the end of each year.

    Parameters
    ----------
    run : xarray.DataTree
        With samples or without.
    options : FigureOptions
        `quantities` chooses among the counts, up to six; `years` the years.

    Returns
    -------
    list of one Figure, `counts`

    Raises
    ------
    InputError
        The run counts no models, or not those that are asked for, or fewer than two years lie in the range.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("published/kumar-manning-2025", overrides=["samples=1024"]))
    >>> count_figures(run, FigureOptions())[0].name
    'counts'
    """
    names = _chosen(run, options.quantities)
    first, last = options.years or (-float("inf"), float("inf"))
    rows: list[Row] = [
        row for row in count_table(run) if row["variable"] in names and first <= float(str(row["year"])) <= last
    ]
    years = sorted({int(str(row["year"])) for row in rows})
    if len(years) < 2:
        span = f"{number(first)} to {number(last)}"
        raise InputError(f"--years: {span}: two or more years of the run must lie in it; {len(years)} do.")
    panels = [_panel(rows, name, last=years[-1]) for name in names]
    said = [f"{panel.heading[0].lower()}{panel.heading[1:]}: {_total(panel)}" for panel in panels]
    head = panels[_headline(names)]
    title = f"{head.heading} by the end of {years[-1]}: {_total(head)}"
    chart = draw_counts(
        panels,
        title=title,
        subtitle=f"{subtitle(run)}.\nTraining runs of all calendar years to the end of each. Points of single years, "
        "added up, are no interval of the total: they lie too far apart, as years do not fall together.",
        run=run_label(run),
    )
    added = [f"{said_counts(dict(panel.sum_of[-1]))} {panel.heading[7:]}" for panel in panels]
    caption = (
        f"By the end of {years[-1]}, median and 90 % interval of the total (percentile of the sum): {listed(said)}. "
        f"The 5, 50 and 95 % points of the single years, added up (sum of percentiles): {listed(added)}; "
        "that is no interval of the total, for good and bad years do not all fall together."
    )
    alt_text = (
        f"{len(panels)} charts of counts by year, {years[0]} to {years[-1]}. Each has a band and a line for the 90 % "
        f"interval and the median of the total, and dashed lines for sums of percentiles, mostly outside the band. "
        f"In {years[-1]}: {listed(said)}."
    )
    return [Figure("counts", chart, {"": rows}, caption, alt_text)]


def _chosen(run: Group | xr.DataTree, quantities: Sequence[str]) -> list[str]:
    known = counted_names(run)
    if not known:
        raise InputError(
            "counts: this run counts no models, so there is nothing to draw. "
            "Add models: to its scenario (largest_share, smallest, above) and run it again."
        )
    for quantity in quantities:
        if quantity not in known:
            hint = near_name(quantity, known) or f"There are: {', '.join(known)}."
            raise InputError(f"counts: {quantity}: no such count of models in this run. {hint}")
    chosen = [name for name in known if name in quantities or not quantities]
    if len(chosen) > MOST_PANELS and quantities:
        raise InputError(f"counts: one figure holds up to {MOST_PANELS} counts; got {len(chosen)}. Draw several.")
    return chosen[:MOST_PANELS]


def _headline(names: Sequence[str]) -> int:
    """Choose the count of the title: that above the highest level."""
    absolute = [place for place, name in enumerate(names) if name.startswith("models_above_")]
    return absolute[-1] if absolute else 0


def _panel(rows: Sequence[Row], name: str, *, last: int) -> CountPanel:
    own = [row for row in rows if row["variable"] == name]
    of_sum, sum_of = ([row for row in own if row["reading"] == reading] for reading in (OF_SUM, SUM_OF))
    heading = str(own[0]["counts"])
    panel = CountPanel(of_sum, sum_of, f"{heading[0].upper()}{heading[1:]}", "")
    line = f"by the end of {last}: {_total(panel)}"
    return CountPanel(of_sum, sum_of, panel.heading, line)


def _total(panel: CountPanel) -> str:
    return said_counts(dict(panel.of_sum[-1]))

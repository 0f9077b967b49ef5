"""Fans of a run by whether an event comes in it: the samples that have it, and those that have not."""

from __future__ import annotations

import numpy as np

from simulator.charts.frame import beyond_said
from simulator.charts.overlaid import draw_fans, ends_words, level_words
from simulator.charts.reading import drawn_years, level_unit, run_head
from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError, NothingToDraw, number
from simulator.runs.estimates import sample_quantiles
from simulator.runs.events import event_table
from simulator.runs.groups import Run, group
from simulator.runs.summary import main_quantity
from simulator.runs.table import Row, Table
from simulator.wording import capital, percent

FEWEST = 20
"""Samples on either side from which a fan is drawn."""
LEVELS = (0.05, 0.5, 0.95)


def event_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw, for each event that has a name, the fan of a variable where it comes and where it does not."""
    rows = event_table(run).rows()
    if not rows:
        raise NothingToDraw("events: the scenario of this run has no events, so there is nothing to draw.")
    if "events" not in run.children:
        raise InputError("events: the run kept its summary only. Run it again with --keep trajectories.")
    figures = [
        figure
        for quantity in tuple(dict.fromkeys(options.quantities)) or (main_quantity(run),)
        for row in rows
        if (figure := _figure(run, row, quantity, options)) is not None
    ]
    if not figures:
        raise NothingToDraw(f"events: no event comes in {FEWEST} samples and does not in {FEWEST} others.")
    return figures


def _figure(run: Run, event: Row, quantity: str, options: FigureOptions) -> Figure | None:
    """Draw the fans of a variable by one event; None where too few samples are on one side."""
    dates = group(run, "events", of_samples=True)["event_year"].sel(event=event["event"]).values
    places = drawn_years(group(run, "summary"), options.years)
    paths = group(run, "trajectories", of_samples=True)[quantity].transpose("sample", "year")
    comes = np.isfinite(dates)
    if not FEWEST <= comes.sum() <= comes.size - FEWEST:
        return None
    sides = {f"{event['label']}, {percent(event['probability'])}": comes,
             f"without it, {percent(1.0 - event['probability'])}": ~comes}  # fmt: skip
    years, levels = paths["year"].values[places], paths.values[:, places].astype(np.float64)
    table = sum((_fan(name, years, levels[side]) for name, side in sides.items()), start=Table({}))
    label, unit = str(paths.attrs["long_name"]), level_unit(str(paths.attrs["units"]))
    ends = {name: own.rows()[-1] for (name,), own in table.groups("run")}
    last = number(years[-1])
    one, other = (level_words(row["median"], unit) for row in ends.values())
    title = f"{capital(label)} in {last}: median {one} with {event['label']}, {other} without"
    head = run_head(run, title, "Medians, and 90 % of the samples of each.")
    chart = draw_fans(table, name=label, unit=unit, head=head)
    listing = "; ".join(f"{name}: {ends_words(row, unit)}" for name, row in ends.items())
    caption = f"{capital(label)} in {last}, median and 90 % interval, {unit}: {listing}."
    caption = " ".join([caption, *beyond_said(table["upper"])])
    alt_text = f"Line chart of two named fans of {label} by year, on a log axis in {unit}. In {last}: {listing}."
    return Figure(f"events_{event['event']}_{quantity}", chart, {"": table}, caption, alt_text)


def _fan(name: str, years: np.ndarray, levels: np.ndarray) -> Table:
    low, middle, high = sample_quantiles(levels, LEVELS)
    return Table({"run": [name] * years.size, "year": years, "median": middle, "lower": low, "upper": high})
